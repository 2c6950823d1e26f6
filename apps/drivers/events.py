"""What drivers' phones announce; the delivery's id rides on the event."""

NOTICE_UNREAD = "drivers.notice_unread"  # notice: id | None, version: of the instructions | None
