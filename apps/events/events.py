"""What the outbox itself announces."""

NIGHT_BEGUN = "events.night_begun"  # nothing: whoever keeps rows for a time only forgets the old ones now
