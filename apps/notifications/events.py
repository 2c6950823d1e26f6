"""What notifications announce; the delivery's id rides on the event."""

CONTACT_REFUSED = "notifications.contact_refused"
