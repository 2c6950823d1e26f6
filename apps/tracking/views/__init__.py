"""What a tracking link answers: the page and its documents (page.py and others), the change flows (change_*.py)."""
