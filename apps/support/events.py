"""What staff do is a fact too: who looked at a customer's page, and when."""

PAGE_VIEWED = "support.page_viewed"
