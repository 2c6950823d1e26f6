"""What redirection announces; the delivery's id rides on the event."""

STORED = "redirection.stored"  # point: id
HANDED_OUT = "redirection.handed_out"  # point: id
EXTENDED = "redirection.extended"  # until: instant
