"""The vans' real plan: one DayPlan per depot and day, its routes, their visits, and what changed it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.geo import distance_metres
from apps.deliveries.models import Delivery, Place
from apps.fleet.models import Depot, Shift


class DayPlan(models.Model):
    class Stage(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")

    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="day_plans")
    day = models.DateField()
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.DRAFT)
    travel_source = models.CharField(
        max_length=20, default="roads", help_text=_("roads, or straight_line as a fallback.")
    )
    published_at = models.DateTimeField(null=True, blank=True)
    earlier = models.JSONField(
        null=True, blank=True, help_text=_("The draft that stood before the last one was built, to go back to.")
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["depot", "day"], name="one_plan_per_depot_and_day")]

    def __str__(self) -> str:
        return f"{self.depot} {self.day}"


class Route(models.Model):
    """One shift's order of visits. Every change is conditional on `revision`.

    `changes` counts what the planner should look at, `improved_changes` how many of them it has seen.
    `breaks` are those still to come: {"number": in the shift's list, "before": visit id, null on the way home}.
    """

    plan = models.ForeignKey(DayPlan, on_delete=models.CASCADE, related_name="routes")
    shift = models.OneToOneField(Shift, on_delete=models.PROTECT, related_name="route")
    revision = models.PositiveIntegerField(default=1)
    changes = models.PositiveIntegerField(default=0)
    improved_changes = models.PositiveIntegerField(default=0)
    departed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    breaks = models.JSONField(default=list, blank=True)

    def __str__(self) -> str:
        return f"{self.shift}"


class Visit(models.Model):
    """One stop on a route. Several drops at one pick-up point are one visit. An unrouted visit waits for a plan."""

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        ARRIVED = "arrived", _("Arrived")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    class Kind(models.TextChoices):
        STOP = "stop", _("Stop")
        RELOAD = "reload", _("Reload at the depot")
        COLLECT = "collect", _("Collection at a shop")

    # Still to be driven to, or being served.
    REMAINING = (State.PLANNED, State.ARRIVED)

    plan = models.ForeignKey(DayPlan, on_delete=models.CASCADE, related_name="visits")
    route = models.ForeignKey(Route, on_delete=models.SET_NULL, null=True, blank=True, related_name="visits")
    sequence = models.PositiveIntegerField(default=0)
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="visits")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.STOP)
    collects = models.ForeignKey(
        Delivery,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="collection_visits",
        help_text=_("Of a collection: what is taken on board here and brought by the same van."),
    )
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    service_seconds = models.PositiveIntegerField()
    planned_arrival = models.DateTimeField(null=True, blank=True)
    planned_departure = models.DateTimeField(null=True, blank=True)
    eta_earliest = models.DateTimeField(null=True, blank=True)
    eta_latest = models.DateTimeField(null=True, blank=True)
    sure_earliest = models.DateTimeField(null=True, blank=True, help_text=_("What a message may promise: 19 of 20."))
    sure_latest = models.DateTimeField(null=True, blank=True)
    shown_start = models.DateTimeField(
        null=True,
        blank=True,
        help_text=_("When service was expected to start as the pair of the page was first shown."),
    )
    arrived_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    hold_until = models.DateTimeField(null=True, blank=True, help_text=_("A slot hold: an expiring visit."))
    window_earliest = models.DateTimeField(null=True, blank=True, help_text=_("Of a hold; else the deliveries say."))
    window_latest = models.DateTimeField(null=True, blank=True)
    unserved_reason = models.CharField(max_length=40, blank=True)
    eta_reason = models.CharField(
        max_length=20, blank=True, help_text=_("Why its time moved: stale_position, off_route, traffic or behind.")
    )

    class Meta:
        indexes = [models.Index(fields=["plan", "state"]), models.Index(fields=["route", "sequence"])]
        constraints = [
            models.UniqueConstraint(
                fields=["collects"],
                condition=models.Q(state__in=["planned", "arrived"], hold_until=None),
                name="one_open_collection_per_delivery",
            )
        ]

    def __str__(self) -> str:
        return f"visit {self.pk}"


class Drop(models.Model):
    """A delivery's part in a visit. A delivery has one open drop at most.

    `lies_at`: where its parcels are, once somebody has had them in their hands; before, any depot with stock may send.
    """

    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="drops")
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="drops")
    is_open = models.BooleanField(default=True)
    is_hold = models.BooleanField(default=False)
    lies_at = models.ForeignKey(Depot, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["delivery"], condition=models.Q(is_open=True, is_hold=False), name="one_open_drop_per_delivery"
            )
        ]

    def __str__(self) -> str:
        return f"drop of {self.delivery_id}"


class Replan(models.Model):
    """What the planner did, why, and what it cost other people."""

    # A reason: somebody asked for a time that fitted nowhere at once.
    SEARCHED = "searched"

    plan = models.ForeignKey(DayPlan, on_delete=models.CASCADE, related_name="replans")
    reason = models.CharField(max_length=40)
    mode = models.CharField(max_length=12)
    policy = models.CharField(max_length=8, blank=True)
    engine = models.CharField(max_length=20, blank=True)
    outcome = models.CharField(max_length=24, help_text=_("applied, kept, moved_meanwhile, infeasible, planner_down."))
    detail = models.CharField(max_length=120, blank=True)
    cost_before = models.BigIntegerField(null=True)
    cost_after = models.BigIntegerField(null=True)
    moved_over_5_minutes = models.PositiveIntegerField(default=0)
    moved_over_10_minutes = models.PositiveIntegerField(default=0)
    vans_changed = models.PositiveIntegerField(default=0, help_text=_("Stops that changed vans."))
    reordered = models.PositiveIntegerField(default=0, help_text=_("Stops that changed their turn on the same van."))
    started_at = models.DateTimeField()
    solve_milliseconds = models.PositiveIntegerField(default=0)
    overlap_before = models.PositiveSmallIntegerField(
        null=True, help_text=_("Neighbouring stops on different vans, of 1000; of a draft that was built.")
    )
    overlap_after = models.PositiveSmallIntegerField(null=True)
    spread_before = models.PositiveIntegerField(
        null=True, help_text=_("Seconds between the fullest and the emptiest van, each against its part of the work.")
    )
    spread_after = models.PositiveIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.plan_id} {self.reason}: {self.outcome}"


class PlanPreview(models.Model):
    """What a re-plan, or another draft, would change, for a dispatcher who applies exactly that or drops it.

    `content` is language-free (see services.try_plan). It holds for the routes as they stood, and until `expires_at`.
    """

    class Kind(models.TextChoices):
        REPLAN = "replan", _("Re-plan")
        BUILD = "build", _("Another draft")

    class State(models.TextChoices):
        ASKED = "asked", _("Asked for")
        READY = "ready", _("Ready")
        NOTHING = "nothing", _("Nothing better")
        FAILED = "failed", _("No answer")
        APPLIED = "applied", _("Applied")
        DROPPED = "dropped", _("Dropped")

    plan = models.ForeignKey(DayPlan, on_delete=models.CASCADE, related_name="previews")
    kind = models.CharField(max_length=8, choices=Kind)
    mode = models.CharField(max_length=12, blank=True)
    policy = models.CharField(max_length=8, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    percent = models.PositiveSmallIntegerField(default=0, help_text=_("How far the search is."))
    asked_by = models.CharField(max_length=40)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    content = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} of {self.plan_id}: {self.state}"


class EtaChange(models.Model):
    """Why the expected time of one delivery moved past the tolerance. The newest few of each are kept.

    `causes` are [code, seconds, visit] as of planner.explain_eta; the seconds add up to `start_after - start_before`.
    """

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="eta_changes")
    plan = models.ForeignKey(DayPlan, on_delete=models.CASCADE, related_name="eta_changes")
    replan = models.ForeignKey(Replan, on_delete=models.SET_NULL, null=True, blank=True, related_name="eta_changes")
    at = models.DateTimeField(db_index=True)
    van_before = models.CharField(max_length=20, blank=True)
    van_after = models.CharField(max_length=20, blank=True)
    start_before = models.DateTimeField()
    start_after = models.DateTimeField()
    shown_before = models.JSONField(default=list, help_text=_("The pair of the page: two instants."))
    shown_after = models.JSONField(default=list)
    causes = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"delivery {self.delivery_id} at {self.at}"


class Incident(models.Model):
    """Something went otherwise than planned and the plan answered; one row per thing that happened (`key`)."""

    class Kind(models.TextChoices):
        FAILED_STOP = "failed_stop", _("Stop failed")
        LONG_STOP = "long_stop", _("Long stop")
        SICK_DRIVER = "sick_driver", _("Driver is sick")
        BREAKDOWN = "breakdown", _("Van broke down")
        LATE_VAN = "late_van", _("Van is late")
        POINT_FULL = "point_full", _("Pick-up point is full")
        URGENT = "urgent", _("Urgent delivery")
        ROAD_CLOSED = "road_closed", _("Road closed")

    plan = models.ForeignKey(DayPlan, on_delete=models.CASCADE, related_name="incidents")
    kind = models.CharField(max_length=12, choices=Kind)
    key = models.CharField(max_length=60)
    route = models.ForeignKey(Route, on_delete=models.SET_NULL, null=True, blank=True, related_name="incidents")
    visit = models.ForeignKey(Visit, on_delete=models.SET_NULL, null=True, blank=True, related_name="incidents")
    at = models.DateTimeField()
    figures = models.JSONField(default=dict, blank=True, help_text=_("Numbers behind it: seconds late, stops moved."))
    looked_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the planner had it before it; empty: it is still to.")
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "key"], name="one_incident_per_thing_that_happened")]

    def __str__(self) -> str:
        return f"{self.kind} on {self.plan_id}"


class Closure(models.Model):
    """A round area that vans drive around for a while; what lies inside it cannot be reached."""

    depot = models.ForeignKey(Depot, on_delete=models.CASCADE, related_name="closures")
    name = models.CharField(max_length=80)
    latitude = models.FloatField()
    longitude = models.FloatField()
    radius_metres = models.PositiveIntegerField(default=200)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    profiles = models.CharField(max_length=40, default="car", help_text=_("Road profiles it closes, by commas."))

    def __str__(self) -> str:
        return self.name

    def holds(self, latitude: float, longitude: float) -> bool:
        return distance_metres((latitude, longitude), (self.latitude, self.longitude)) <= self.radius_metres


class Actual(models.Model):
    """What one stop really took: the drive to it, and the time at the door. Names nobody, and outlives the visit."""

    visit = models.OneToOneField(Visit, on_delete=models.SET_NULL, null=True, blank=True, related_name="actual")
    day = models.DateField(db_index=True)
    route = models.PositiveBigIntegerField(help_text=_("Which van's day it belonged to; a number, not a key."))
    profile = models.CharField(max_length=12)
    place_kind = models.CharField(max_length=16)
    postcode = models.CharField(max_length=12, blank=True)
    cell = models.CharField(max_length=16, help_text=_("Grid cell in which the drive began."))
    parcels = models.PositiveIntegerField(default=1)
    floor = models.SmallIntegerField(null=True, blank=True)
    prior_seconds = models.PositiveIntegerField(help_text=_("The time at the door as the order had it."))
    free_flow_seconds = models.PositiveIntegerField(help_text=_("The drive to it on an empty road."))
    opens_at = models.DateTimeField(null=True, blank=True, help_text=_("Who came earlier had to wait."))
    left_previous_at = models.DateTimeField()
    arrived_at = models.DateTimeField()
    left_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["route", "arrived_at"])]

    def __str__(self) -> str:
        return f"actual of {self.visit_id}"


class LearnedModel(models.Model):
    """One night's fit: service times, travel factors and how wrong forecasts are. The newest counts."""

    made_at = models.DateTimeField()
    stops = models.PositiveIntegerField(help_text=_("How many actual stops it was fitted on."))
    content = models.JSONField(help_text=_("planner.learning.Learned as JSON."))
    measures = models.JSONField(default=dict, help_text=_("Replayed on days it was not fitted on, beside the prior."))

    def __str__(self) -> str:
        return f"model {self.pk}"


class Forecast(models.Model):
    """What was expected so many minutes before: once per visit and lead, to be held against the arrival."""

    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="forecasts")
    lead_minutes = models.PositiveIntegerField()
    made_at = models.DateTimeField()
    earliest = models.DateTimeField(help_text=_("One in ten comes before."))
    expected = models.DateTimeField()
    latest = models.DateTimeField(help_text=_("One in ten comes after."))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["visit", "lead_minutes"], name="one_forecast_per_lead")]

    def __str__(self) -> str:
        return f"{self.visit_id} at T-{self.lead_minutes}"
