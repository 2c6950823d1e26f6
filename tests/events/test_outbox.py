"""The outbox as its callers see it."""

from collections.abc import Callable

import pytest
from django.db import transaction

from apps.core import clock
from apps.events.models import Event, Reaction
from apps.events.services import PermanentFailure, UnknownKind, cancel, emit, react, rerun, sweep
from config import events as table

pytestmark = pytest.mark.django_db
HEARD: list[dict] = []


def hear(payload: dict) -> None:
    HEARD.append(payload)


def hear_too(payload: dict) -> None:
    HEARD.append(payload)


def break_down(payload: dict) -> None:
    raise ValueError("Anna Muster, +423 777 12 34, anna@example.li")


def ask_again(payload: dict) -> None:
    assert react(hear, payload={}, dedupe_key="replan:1") is not None


def fail_after_asking(payload: dict) -> None:
    ask_again(payload)
    raise ValueError


def give_up(payload: dict) -> None:
    raise PermanentFailure("no_such_number")


@pytest.fixture(autouse=True)
def subscribers(monkeypatch: pytest.MonkeyPatch) -> None:
    HEARD.clear()
    monkeypatch.setitem(table.SUBSCRIBERS, "test.happened", (f"{__name__}.hear", f"{__name__}.hear_too"))
    monkeypatch.setitem(table.SUBSCRIBERS, "test.broken", (f"{__name__}.break_down", f"{__name__}.hear"))


def test_every_subscriber_hears_the_event_once(drain: Callable[..., int], now) -> None:
    with transaction.atomic():
        event = emit("test.happened", delivery_id=7, payload={"window": now.instant}, actor="shopper")
    assert drain() == 2
    assert drain() == 0
    assert [heard["delivery"] for heard in HEARD] == [7, 7]
    assert HEARD[0] == {
        "event": event.pk,
        "kind": "test.happened",
        "delivery": 7,
        "plan": None,
        "window": "2026-03-10T07:30:00Z",
    }
    assert set(Reaction.objects.values_list("state", flat=True)) == {"done"}


def test_a_failing_handler_leaves_its_sibling_alone(drain: Callable[..., int]) -> None:
    emit("test.broken")
    drain(failures=True)
    assert len(HEARD) == 1
    failed = Reaction.objects.get(handler__endswith="break_down")
    assert (failed.state, failed.attempts) == ("waiting", 1)
    assert failed.next_try_at > clock.wall()


def test_what_is_written_about_a_failure_holds_no_personal_data(
    drain: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    emit("test.broken")
    drain(failures=True)
    written = Reaction.objects.get(handler__endswith="break_down").last_error + caplog.text
    assert "ValueError" in written
    assert not any(secret in written for secret in ("Anna", "777", "example.li"))


def test_a_handler_that_keeps_failing_is_parked_and_can_be_run_again(drain: Callable[..., int]) -> None:
    emit("test.broken")
    drain(failures=True, retries=True)
    parked = Reaction.objects.get(state="parked")
    assert parked.attempts == parked.max_attempts == 8
    assert rerun(parked)
    assert not rerun(parked)
    assert drain(failures=True) == 1
    parked.refresh_from_db()
    assert (parked.state, parked.attempts) == ("waiting", 1)


def test_a_permanent_failure_is_parked_at_once(drain: Callable[..., int]) -> None:
    react(give_up, payload={})
    drain(failures=True)
    assert Reaction.objects.get().state == "parked"
    assert "no_such_number" in Reaction.objects.get().last_error


def test_equal_work_waits_once(drain: Callable[..., int]) -> None:
    assert react(hear, payload={"n": 1}, dedupe_key="replan:1") is not None
    assert react(hear, payload={"n": 2}, dedupe_key="replan:1") is None
    assert react(hear, payload={"n": 3}, dedupe_key="replan:2") is not None
    assert drain() == 2
    assert react(hear, payload={"n": 4}, dedupe_key="replan:1") is not None


def test_work_asked_for_while_its_like_is_running_waits_for_another_run(drain: Callable[..., int]) -> None:
    react(ask_again, payload={}, dedupe_key="replan:1")
    assert drain() == 2
    assert len(HEARD) == 1


def test_a_retry_gives_way_to_newer_equal_work(drain: Callable[..., int]) -> None:
    react(fail_after_asking, payload={}, dedupe_key="replan:1")
    drain(failures=True)
    assert sorted(Reaction.objects.values_list("state", flat=True)) == ["cancelled", "done"]
    assert len(HEARD) == 1


def test_a_timer_runs_on_the_domains_clock(drain: Callable[..., int], now) -> None:
    react(hear, payload={}, due_at=now.at("09:00"), dedupe_key="hold:1")
    assert drain() == 0
    now.set(now.at("08:59"))
    assert drain() == 0
    now.set(now.at("09:00"))
    assert drain() == 1


def test_a_timer_can_be_called_off(drain: Callable[..., int], now) -> None:
    react(hear, payload={}, due_at=now.at("09:00"), dedupe_key="hold:1")
    assert cancel("hold:1") == 1
    assert cancel("hold:1") == 0
    now.advance(hours=2)
    assert drain() == 0
    assert react(hear, payload={}, due_at=now.at("12:00"), dedupe_key="hold:1") is not None


def test_a_debounce_holds_work_back_on_the_wall_clock() -> None:
    react(hear, payload={}, delay_seconds=30)
    assert sweep() == 0
    Reaction.objects.update(next_try_at=clock.wall())
    assert sweep() == 1


def test_lanes_do_not_run_each_others_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(table.LANES, f"{__name__}.hear_too", "slow")
    emit("test.happened")
    assert sweep("fast") == 1
    assert sweep("planner") == 0
    assert sweep("slow") == 1


@pytest.mark.parametrize(
    "payload", [{"name": "Anna Muster"}, {"phone": "+4237771234"}, {"mail": "a@example.li"}, {"o": object()}]
)
def test_personal_data_cannot_enter_a_payload(payload: dict) -> None:
    with pytest.raises(ValueError, match="payload"):
        emit("test.happened", payload=payload)
    with pytest.raises(ValueError, match="payload"):
        react(hear, payload=payload)


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(UnknownKind):
        emit("test.unheard_of")


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError):
        emit("test.happened")


@pytest.mark.django_db(transaction=True)
def test_a_change_that_rolls_back_takes_its_event_along() -> None:
    with transaction.atomic():
        emit("test.happened")
        transaction.set_rollback(True)
    assert not Event.objects.exists()
    assert not Reaction.objects.exists()
    assert sweep() == 0
