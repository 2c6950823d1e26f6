"""What instructions announce; the delivery's id rides on the event."""

SAVED = "instructions.saved"  # version
ACKNOWLEDGED = "instructions.acknowledged"  # version
CODE_REVEALED = "instructions.code_revealed"
