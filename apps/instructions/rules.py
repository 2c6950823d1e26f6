"""Pure rules: how long a note may be; door codes in it are found by core.door_codes."""

LONGEST_NOTE = 300
