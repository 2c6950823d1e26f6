"""What the templates of the shopper's page ask for."""
