"""What deliveries announce. The delivery's id rides on the event; payloads are named behind each kind."""

CREATED = "delivery.created"
WINDOW_CHANGED = "delivery.window_changed"  # from: [instant, instant], to: [instant, instant]
# from_kind, to_kind: codes, point: its code | None, home: bool, revision: the new one
PLACE_CHANGED = "delivery.place_changed"
STATE_CHANGED = "delivery.state_changed"  # from, to, reason: codes
CANCELLED = "delivery.cancelled"  # reason: code
FAILURE_WITHDRAWN = "delivery.failure_withdrawn"  # attempt: number (the phone had handed it over, without signal)
STEP_UP_REQUESTED = "delivery.step_up_requested"  # step_up: id
STEP_UP_PASSED = "delivery.step_up_passed"
LINK_ROTATED = "delivery.link_rotated"  # link: id (its token is new, or it was revoked)
LINK_SHARED = "delivery.link_shared"  # link: id of the new view-only one
# version, widened: [instant, instant] only when the one before does not contain it and the customer did not ask for it
PROMISE_OPENED = "delivery.promise_opened"
CONTACT_TRIED = "delivery.contact_tried"  # channel: code
PROOF_FLAGGED = "delivery.proof_flagged"  # flags: codes of what does not fit together
COLLECTION_CODE_RENEWED = "delivery.collection_code_renewed"
