"""From what stops really took to what the next plan expects, and what pages then show."""

from datetime import timedelta

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from apps.deliveries.models import Delivery, Promise
from apps.deliveries.selectors import timeline
from apps.events.models import Event, Reaction
from apps.events.nights import begin
from apps.fleet.models import Shift
from apps.fleet.services import Fix, record_positions
from apps.routing import handlers, honesty, services
from apps.routing.models import Actual, DayPlan, Forecast, LearnedModel, Route, Visit
from apps.routing.planner.learning import Leg, Times, cell_of
from apps.routing.planner.replay import Learned
from apps.routing.selectors import eta_of, remaining_visits
from apps.routing.services.roll_forward import snapshot_of
from apps.tracking.state import build
from tests import world

pytestmark = pytest.mark.django_db
HOUR = 3600


def on_the_road(names: tuple[str, ...] = ("Alice", "Bob", "Charlie"), stage: str = DayPlan.Stage.PUBLISHED) -> Route:
    world.planned_day(names, vans=1)
    DayPlan.objects.update(stage=stage)
    route = Route.objects.get()
    services.depart(route=route, actor="driver:1")
    return route


def know(factor_at: dict[int, float], travel: bool = True) -> None:
    """A model that has seen these factors of hours, in cells of our small world."""
    rng = np.random.default_rng(1)
    cells = {cell_of(47.1715, 9.5045), *(cell_of(*spot[4:]) for spot in world.SPOTS.values())}
    legs = [
        Leg("car", cell, hour, 300, round(300 * factor * np.exp(rng.normal(0, 0.1))), f"d{n % 5}", f"d{n % 5}")
        for hour, factor in factor_at.items()
        for cell in cells
        for n in range(40)
    ]
    LearnedModel.objects.create(made_at=world.MORNING, stops=500, content=Learned(Times.learn([], legs)).to_json())


@pytest.mark.covers("O12")
def test_the_same_stop_is_further_away_at_five_than_at_eleven():
    know({11: 1.05, 17: 1.8})
    world.planned_day(("Alice",), vans=1)
    shift, drives = Shift.objects.get(), {}
    for hour in (11, 17):
        shift.starts_at = world.hours(hour, 18).earliest
        shift.save()
        services.roll_forward(route_id=Route.objects.get().pk)
        drives[hour] = (Visit.objects.get().planned_arrival - shift.starts_at).total_seconds()
    assert drives[17] > 1.4 * drives[11] > 0


@pytest.mark.covers("O18")
def test_a_night_turns_actuals_into_a_model_that_the_next_plan_uses(now, drain):
    world.planned_day(("Alice", "Bob", "Charlie") * 4, vans=1)
    planned = dict(Visit.objects.values_list("pk", "service_seconds"))
    route = Route.objects.get()
    services.depart(route=route, actor="driver:1")
    while visits := remaining_visits(route.pk):
        now.advance(minutes=4)
        services.arrive(visit=visits[0], actor="driver:1", more=True)
        now.advance(seconds=2 * planned[visits[0].pk])
        services.complete(visit=visits[0], actor="driver:1", more=True)
    services.catch_up(route_id=route.pk, actor="driver:1")
    begin()
    drain()
    assert Reaction.objects.filter(handler="apps.routing.handlers.learn", lane="planner").exists()
    handlers.learn({})
    assert Actual.objects.count() == len(planned) == 12
    assert not LearnedModel.objects.exists()  # too little to believe
    _repeat_the_day(times=9)
    handlers.learn({})
    model = LearnedModel.objects.get()
    assert model.measures["mae_learned_seconds"] < 0.5 * model.measures["mae_prior_seconds"]
    (alice,) = world.planned_day(("Alice",), vans=1, day=world.TODAY + timedelta(days=1))
    visit = Visit.objects.get(drops__delivery=alice, drops__is_open=True)
    assert (visit.planned_departure - visit.planned_arrival).total_seconds() == pytest.approx(240, rel=0.15)


def _repeat_the_day(times: int) -> None:
    """The same stops on each of the days before."""
    rows = list(Actual.objects.all())
    for _day in range(times):
        for row in rows:
            row.pk = row.visit_id = None
            row.day -= timedelta(days=1)
            for name in ("left_previous_at", "arrived_at", "left_at", "opens_at"):
                setattr(row, name, getattr(row, name) - timedelta(days=1))
        Actual.objects.bulk_create(rows)


@pytest.mark.covers("O12")
def test_a_van_that_is_slow_today_is_slow_for_the_rest_of_its_day(now):
    route = on_the_road(("Alice", "Bob", "Charlie") * 3)
    first, *_rest, last = remaining_visits(route.pk)
    plain = last.planned_arrival - first.planned_arrival
    for visit in remaining_visits(route.pk)[:4]:
        now.advance(minutes=30)
        services.arrive(visit=visit, actor="driver:1")
        now.advance(minutes=8)
        services.complete(visit=visit, actor="driver:1")
    left = remaining_visits(route.pk)
    snapshot = snapshot_of(Route.objects.get())
    assert snapshot.problem.vehicles[0].slowdown_percent > 105
    assert snapshot.today[str(route.shift_id)].door > 1.05
    assert left[-1].planned_arrival - left[0].planned_arrival > (plain * 4) / 9


@pytest.mark.covers("T7")
def test_what_does_not_fit_any_longer_is_logged_and_shown_with_its_reason(now):
    route = on_the_road()
    last = remaining_visits(route.pk)[-1]
    delivery = last.drops.get().delivery
    shown = eta_of(delivery.pk)
    now.advance(minutes=50)  # the van stands at the depot
    assert services.roll_forward(route_id=route.pk)
    later = eta_of(delivery.pk)
    assert later.latest > shown.latest
    notice = Event.objects.filter(kind="routing.eta_moved", delivery_id=delivery.pk).latest("pk")
    assert notice.payload["to"] == [later.earliest.isoformat(), later.latest.isoformat()]
    assert notice.payload["reason"] in ("stale_position", "behind")
    entry = next(entry for entry in timeline(delivery.pk) if entry.code == "eta_moved")
    assert entry.data["to"] == notice.payload["to"]
    count = Event.objects.filter(kind="routing.eta_moved").count()
    now.advance(minutes=1)
    services.roll_forward(route_id=route.pk)
    assert Event.objects.filter(kind="routing.eta_moved").count() == count


@pytest.mark.covers("T7")
def test_nobody_is_told_of_a_draft_that_moves(now):
    route = on_the_road(stage=DayPlan.Stage.DRAFT)
    now.advance(minutes=50)
    services.roll_forward(route_id=route.pk)
    assert not Event.objects.filter(kind="routing.eta_moved").exists()


@pytest.mark.covers("T7")
def test_the_page_narrows_as_the_van_nears_and_logs_every_exception(now):
    route = on_the_road(("Alice", "Bob", "Charlie") * 4)
    delivery = remaining_visits(route.pk)[-1].drops.get().delivery
    widths, shown = [], eta_of(delivery.pk)
    for visit in remaining_visits(route.pk)[:-1]:
        now.set(max(now.instant, visit.planned_arrival))
        services.arrive(visit=visit, actor="driver:1")
        now.advance(minutes=2)
        services.complete(visit=visit, actor="driver:1")
        after = eta_of(delivery.pk)
        if after.earliest < shown.earliest or after.latest > shown.latest:
            assert Event.objects.filter(kind="routing.eta_moved", delivery_id=delivery.pk).exists()
        shown = after
        widths.append(after.width)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] <= timedelta(minutes=30)


@pytest.mark.covers("T6")
@pytest.mark.parametrize(("place", "reason"), [(None, "stale_position"), ((47.225, 9.525), "off_route")])
def test_a_silent_van_and_one_that_goes_elsewhere_say_so(now, place, reason):
    route = on_the_road(("Charlie",))
    visit = remaining_visits(route.pk)[0]
    assert visit.eta_reason == ""
    now.advance(minutes=12)
    if place is not None:
        record_positions(vehicle=route.shift.vehicle, fixes=[Fix(*place, at=now.instant)])
    services.roll_forward(route_id=route.pk)
    visit.refresh_from_db()
    assert visit.eta_reason == reason
    assert build(visit.drops.get().delivery_id, "link")["eta_reason"] == reason
    record_positions(vehicle=route.shift.vehicle, fixes=[Fix(47.15, 9.515, at=now.advance(minutes=2) or now.instant)])
    services.roll_forward(route_id=route.pk)
    visit.refresh_from_db()
    assert visit.eta_reason in ("", "behind")


@pytest.mark.covers("K5", "G18")
def test_forecasts_are_held_against_the_arrivals_by_lead_time(now, client):
    route = on_the_road(("Alice", "Bob", "Charlie") * 4)
    for visit in remaining_visits(route.pk):
        now.set(max(now.instant, visit.planned_arrival))
        services.arrive(visit=visit, actor="driver:1")
        now.advance(minutes=2, seconds=10)
        services.complete(visit=visit, actor="driver:1")
    by_lead = {lead.minutes: lead for lead in honesty.leads()}
    assert {30, 10} <= set(by_lead)
    assert by_lead[10].count > 3
    assert by_lead[10].median_absolute_error < 240
    assert 0.5 <= by_lead[10].coverage <= 1.0
    client.force_login(get_user_model().objects.create_superuser("anna", password="x"))
    page = client.get(reverse("admin:routing_learnedmodel_changelist")).content.decode()
    assert "How honest were our arrival times?" in page
    assert f"{by_lead[10].coverage:.0%}" in page
    Visit.objects.update(arrived_at=None)
    assert honesty.leads() == []
    assert Forecast.objects.values("visit", "lead_minutes").distinct().count() == Forecast.objects.count()


def test_a_message_promises_what_holds_nineteen_times_in_twenty():
    route = on_the_road()
    visit = remaining_visits(route.pk)[0]
    assert visit.sure_earliest <= visit.eta_earliest or visit.sure_latest >= visit.planned_arrival
    assert Delivery.objects.filter(state="out").count() == 3
    assert not Promise.objects.filter(earliest__gt=visit.sure_latest).exists()
