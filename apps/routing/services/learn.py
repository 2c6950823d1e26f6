"""The night: what yesterday's stops really took is written down, and the model is fitted anew for the next plans."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby, pairwise
from typing import Any

from django.db import transaction

from apps.core import clock
from apps.fleet.models import Depot
from apps.routing import roads
from apps.routing.epoch_seconds import instant, since
from apps.routing.models import Actual, DayPlan, Forecast, LearnedModel, PlanPreview, Route
from apps.routing.past import PastRow, past_rows, runs_of
from apps.routing.planner.learning import Times
from apps.routing.planner.quantiles import Sample
from apps.routing.planner.replay import Learned, PastStop, Run, held_out, learn, mean_error, replay
from apps.routing.planner.travel import Point, TravelError
from apps.routing.services.moved_times import forget_old
from apps.routing.stops import epoch_of

LEARNED_DAYS = 42
"""Older days teach nothing any more: roads, rounds and people change."""
KEPT_DAYS = 90
KEPT_MODELS = 30
FEWEST_STOPS = 100
_LOOK_BACK = timedelta(days=7)
"""A night that was missed is made up for."""


def learn_tonight() -> LearnedModel | None:
    """Writes down the past days' actuals, fits a new model on them and forgets what is old; None with too little."""
    for plan in DayPlan.objects.filter(day__gte=clock.now().date() - _LOOK_BACK).select_related("depot"):
        write_down(plan)
    _forget()
    return fit()


def write_down(plan: DayPlan) -> int:
    """The actuals of a day's finished routes that have none yet; how many stops."""
    known = Actual.objects.filter(day=plan.day).values("route")
    routes = Route.objects.filter(plan=plan, finished_at__isnull=False).exclude(pk__in=known)
    epoch = epoch_of(plan.depot, plan.day)
    rows = past_rows(routes.values_list("pk", flat=True), epoch)
    made = []
    for mine in _by_route(rows):
        (run,) = runs_of(mine, str(plan.day), _free_road).values()
        made += [_actual(row, stop, run, plan, epoch) for row, stop in zip(mine, run.stops, strict=True)]
    with transaction.atomic():
        return len(Actual.objects.bulk_create(made, ignore_conflicts=True))


def fit() -> LearnedModel | None:
    """A new version from the actuals of the last weeks; None while there are too few."""
    runs = runs_on_record()
    stops = sum(len(run.stops) for run in runs)
    if stops < FEWEST_STOPS:
        return None
    learned = learn(runs)
    return LearnedModel.objects.create(
        made_at=clock.now(), stops=stops, content=learned.to_json(), measures=_measures(runs, learned)
    )


def runs_on_record() -> list[Run]:
    """The vans' days of the last weeks, as actuals have them; instants in seconds since each day's local midnight."""
    since_day = clock.now().date() - timedelta(days=LEARNED_DAYS)
    depots = dict(Route.objects.filter(plan__day__gte=since_day).values_list("pk", "plan__depot"))
    by_pk = Depot.objects.in_bulk(set(depots.values()))
    rows = Actual.objects.filter(day__gte=since_day).order_by("route", "arrived_at", "pk")
    found = []
    for route, mine in groupby(rows, key=lambda row: row.route):
        if route not in depots:
            continue
        stops = list(mine)
        epoch = epoch_of(by_pk[depots[route]], stops[0].day)
        found.append(Run(str(stops[0].day), str(route), stops[0].profile, tuple(_past(row, epoch) for row in stops)))
    return found


def _by_route(rows: Iterable[PastRow]) -> list[list[PastRow]]:
    return [list(mine) for _route, mine in groupby(rows, key=lambda row: row.route)]


def _free_road(profile: str, points: Sequence[Point]) -> list[int]:
    """The empty road from each point to the next; 0, which teaches nothing, where there is none."""
    network, legs = roads.network(profile), []
    for start, end in pairwise(points):
        try:
            legs.append(int(network.table([start], [end]).seconds[0, 0]))
        except TravelError:
            legs.append(0)
    return legs


def _actual(row: PastRow, stop: PastStop, run: Run, plan: DayPlan, epoch: int) -> Actual:
    return Actual(
        visit_id=row.visit,
        day=plan.day,
        route=row.route,
        profile=run.profile,
        place_kind=stop.kind,
        postcode=stop.zone,
        cell=stop.cell,
        parcels=stop.parcels,
        floor=stop.floor,
        prior_seconds=stop.expected,
        free_flow_seconds=stop.free,
        opens_at=None if stop.opens is None else instant(epoch, stop.opens),
        left_previous_at=instant(epoch, stop.left_previous),
        arrived_at=instant(epoch, stop.arrived),
        left_at=instant(epoch, stop.left),
    )


def _past(row: Actual, epoch: int) -> PastStop:
    return PastStop(
        row.place_kind,
        row.postcode,
        row.parcels,
        row.floor,
        row.prior_seconds,
        row.cell,
        row.free_flow_seconds,
        None if row.opens_at is None else since(epoch, row.opens_at),
        since(epoch, row.left_previous_at),
        since(epoch, row.arrived_at),
        since(epoch, row.left_at),
    )


def _measures(runs: Sequence[Run], learned: Learned) -> dict[str, Any]:
    """Mean absolute errors about half an hour ahead: with what was learned on other days, and with nothing learned."""
    ours = [sample for _run, sample in held_out(runs) if _half_an_hour(sample)]
    prior = [sample for run in runs for sample in replay(run, Times()) if _half_an_hour(sample)]
    return {
        "forecasts": len(ours),
        "mae_learned_seconds": round(mean_error(ours), 1),
        "mae_prior_seconds": round(mean_error(prior), 1),
        "calibrated": learned.errors is not None,
    }


def _half_an_hour(sample: Sample) -> bool:
    return 1200 <= sample.lead <= 2400


def _forget() -> None:
    old = clock.now() - timedelta(days=KEPT_DAYS)
    Actual.objects.filter(day__lt=old.date()).delete()
    Forecast.objects.filter(made_at__lt=old).delete()
    forget_old()
    PlanPreview.objects.filter(plan__day__lt=old.date()).delete()
    newest = LearnedModel.objects.order_by("-pk").values_list("pk", flat=True)[:KEPT_MODELS]
    LearnedModel.objects.exclude(pk__in=list(newest)).delete()
