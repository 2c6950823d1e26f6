"""A window that fits nowhere at once is searched for where the solver is; the page waits, without a line of script."""

from importlib import import_module

import pytest
from django.core.cache import cache
from django.db.models import F
from django.test import Client

from apps.core.errors import Refused
from apps.deliveries.models import Delivery
from apps.deliveries.services import make_link, open_promise, token_of
from apps.events.models import Event, Reaction
from apps.rescheduling.models import WindowRequest
from apps.rescheduling.services import answer_request, change_window, look_harder
from apps.routing.models import Replan, Route, Visit
from apps.routing.planner.check import violations
from apps.routing.planner.worker import PlannerUnavailable
from apps.routing.planner_child import child
from apps.routing.selectors import eta_of, van_of
from apps.routing.snapshot import take
from apps.tracking.offer_words import key_of
from tests import world
from tests.routing.test_collections import order
from tests.tracking.shopper import Shopper

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.planner]
WISH = world.hours(9, 11)


@pytest.fixture(scope="module", autouse=True)
def _one_child():
    yield
    child().close()


def patient(name: str) -> Delivery:
    """Somebody whom the morning's van serves, and the afternoon's could as well."""
    made = world.delivery(name, world.hours(8, 18))
    Delivery.objects.filter(pk=made.pk).update(service_seconds=int(1.7 * 3600))
    return world.put_in_plan(Delivery.objects.get(pk=made.pk))


@pytest.fixture
def hurried() -> Delivery:
    """Has the afternoon and wants the morning, for which two others would have to leave it; one is not enough."""
    world.shift("van-1", start=8.5, end=13)
    patient("Alice"), patient("Bob")
    world.shift("van-2", start=13, end=20)
    made = world.delivery("Charlie", world.hours(13, 18))
    Delivery.objects.filter(pk=made.pk).update(service_seconds=3 * 3600)
    return world.put_in_plan(Delivery.objects.get(pk=made.pk))


@pytest.fixture
def asking(hurried: Delivery) -> Shopper:
    """A shopper whom the page has refused that window, and who has asked to have it searched for."""
    shopper = Shopper(token_of(make_link(delivery=hurried)))
    shopper.open(f"{shopper.page_address}/time?window={key_of(WISH)}").send()
    assert shopper.status == 422
    assert "Ask us to look for a way" in shopper.text
    shopper.send()
    assert "We are looking for a way" in shopper.text
    assert shopper.open(shopper.address).status == 200
    hurried.refresh_from_db()
    assert hurried.window == world.hours(13, 18)
    return shopper


def sound() -> bool:
    snapshot = take(depot=world.depot(), day=world.TODAY)
    return violations(snapshot.problem, snapshot.standing) == []


@pytest.mark.covers("R1", "O5")
def test_two_others_make_room_and_the_page_says_yes(asking: Shopper, hurried: Delivery, drain) -> None:
    others = Delivery.objects.exclude(pk=hurried.pk)
    told = {other.pk: eta_of(other.pk) for other in others}
    assert drain(planner=True)
    hurried.refresh_from_db()
    assert (hurried.window, van_of(hurried.pk)[1].code) == (WISH, "van-1")
    assert {van_of(other)[1].code for other in told} == {"van-2"}
    assert all(eta_of(other) != before for other, before in told.items())
    assert sound()
    record = Replan.objects.get(reason=Replan.SEARCHED)
    assert (record.outcome, record.vans_changed, record.moved_over_10_minutes) == ("applied", 2, 2)
    assert "We come today, 09:00–11:00" in asking.open(asking.address).text
    assert Event.objects.filter(kind="delivery.window_changed", delivery_id=hurried.pk, actor="shopper").count() == 1
    # A worker that died behind the commit does it once more, and nothing happens twice.
    revision = hurried.revision
    answer_request(request_id=WindowRequest.objects.get().pk)
    hurried.refresh_from_db()
    assert hurried.revision == revision


@pytest.mark.covers("O6")
def test_where_others_were_promised_the_morning_the_page_says_no_and_what_fits(
    asking: Shopper, hurried: Delivery, drain
) -> None:
    for other in Delivery.objects.exclude(pk=hurried.pk):
        open_promise(delivery_id=other.pk, window=world.hours(8, 13))
    before = list(Visit.objects.order_by("pk").values_list("pk", "route", "sequence", "planned_arrival"))
    drain(planner=True)
    hurried.refresh_from_db()
    assert hurried.window == world.hours(13, 18)
    assert list(Visit.objects.order_by("pk").values_list("pk", "route", "sequence", "planned_arrival")) == before
    asking.open(asking.address)
    assert "We looked: no van can come today, 09:00–11:00." in asking.text
    assert "Nothing was changed. These still fit:" in asking.text
    assert any("window=" in link for link in asking.links)
    # The same question within a minute is not looked at again.
    asking.open(f"{asking.page_address}/time?ask={key_of(WISH)}").send()
    assert "We looked: no van can come" in asking.text
    assert not Reaction.objects.filter(handler__endswith=".answer_request", state="waiting").exists()


def test_a_change_made_meanwhile_wins(asking: Shopper, hurried: Delivery, drain) -> None:
    Delivery.objects.filter(pk=hurried.pk).update(revision=hurried.revision + 1)
    drain(planner=True)
    hurried.refresh_from_db()
    assert hurried.window == world.hours(13, 18)
    assert "This delivery was changed while we looked." in asking.open(asking.address).text


def test_a_question_that_nobody_could_look_at_in_time_changes_nothing(asking: Shopper, hurried, drain) -> None:
    WindowRequest.objects.update(expires_at=WindowRequest.objects.get().asked_at)
    assert "We could not look in time." in asking.open(asking.address).text
    drain(planner=True)
    hurried.refresh_from_db()
    assert hurried.window == world.hours(13, 18)
    assert WindowRequest.objects.get().state == WindowRequest.State.EXPIRED


@pytest.mark.covers("R1")
def test_so_many_different_windows_are_searched_for_in_an_hour_and_no_more() -> None:
    cache.clear()
    made = world.planned_day(("Alice",))[0]
    shopper = Shopper(token_of(make_link(delivery=made)))
    asked = [world.hours(9 + number % 6, 12 + number % 6) for number in range(11)]
    answers = []
    for window in asked:
        form = {"window": key_of(window), "revision": str(made.revision), "harder": "1"}
        answers.append(Client().post(f"{shopper.page_address}/time", form).status_code)
        assert WindowRequest.objects.get().window == (window if len(answers) <= 10 else asked[9])
    assert answers == [302] * 10 + [429]
    # The question that waits is not a new one.
    last = look_harder(delivery=made, window=asked[9], revision=made.revision, actor="shopper")
    assert last.number == 10


def test_nobody_is_asked_to_wait_for_a_search_that_is_not_made() -> None:
    """Collected at a shop on the way: the instant answer is the last one."""
    world.shift("van-1", start=8.5, end=13)
    patient("Alice"), patient("Bob")
    world.shift("van-2", start=13, end=20)
    made = order(window=world.hours(13, 18))
    Delivery.objects.filter(pk=made.pk).update(service_seconds=2 * 3600)
    with pytest.raises(Refused) as refused:
        change_window(delivery=made, window=world.hours(10, 12), revision=made.revision, actor="shopper")
    assert refused.value.code in ("window", "others")
    shopper = Shopper(token_of(make_link(delivery=made)))
    shopper.open(f"{shopper.page_address}/time?window={key_of(world.hours(10, 12))}").send()
    assert shopper.status == 422
    assert "look for a way" not in shopper.text


def test_routes_that_keep_moving_are_no_answer(asking: Shopper, hurried: Delivery, drain, monkeypatch) -> None:
    """Every search is overtaken for a while: the page waits on, and the next look says yes."""
    search, looks = import_module("apps.routing.services.search_plan"), []

    def overtaken(proposal) -> None:
        looks.append(proposal)
        if len(looks) <= search.TRIES:
            Route.objects.filter(shift__in=[int(van) for van in proposal.vans]).update(revision=F("revision") + 1)

    monkeypatch.setattr(search, "_still_free", overtaken)
    with pytest.raises(PlannerUnavailable):
        answer_request(request_id=WindowRequest.objects.get().pk)
    assert WindowRequest.objects.get().state == WindowRequest.State.OPEN
    drain(planner=True)
    hurried.refresh_from_db()
    assert hurried.window == WISH
