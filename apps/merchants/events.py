"""What merchants announce."""

CHANGED = "merchant.changed"  # merchant: id (its name, help, branding or policy: what every page of it shows)
