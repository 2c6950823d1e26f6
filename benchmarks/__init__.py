"""What the product's speed and quality rest on, measured: `make bench`."""
