"""What the plan announces. The day plan's id rides on the event, except where a delivery is named."""

ROUTE_CHANGED = "routing.route_changed"  # route: id
ETA_CHANGED = "routing.eta_changed"  # deliveries: ids whose pair moved past the tolerance
ETA_MOVED = "routing.eta_moved"  # delivery set; to: the pair shown from now on, not inside the old one; reason: code
NEXT_STOP = "routing.next_stop"  # delivery set
STOP_UNSERVED = "routing.stop_unserved"  # delivery set; reason: code of why no van brings it that day
PLAN_PUBLISHED = "routing.plan_published"
DAY_CLOSED = "routing.day_closed"  # every van is back: what was not served may go into another day
REPLAN_REFUSED = "routing.replan_refused"  # reason: code
