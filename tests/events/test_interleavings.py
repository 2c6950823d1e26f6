"""Any order of asking, running, failing, dying, waking late and waiting ends with one effect per key."""

from contextlib import suppress

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core import clock
from apps.events.models import Reaction
from apps.events.services import react, rerun, sweep
from tests.events.effects import effects, effects_table, leave

FATE: dict[str, list[str]] = {}


class Died(BaseException):
    """Stands for the end of the process: nothing of ours may catch it."""


def meet_fate(payload: dict) -> None:
    """Does what the example says for this attempt of this key; without a fate it works."""
    key = payload["key"]
    fate = FATE[key].pop(0) if FATE.get(key) else "works"
    if fate == "dies before":
        raise Died
    if fate == "fails":
        raise ValueError
    if key not in effects():
        leave(key)
    if fate == "dies after":
        raise Died
    if fate == "is late":
        Reaction.objects.filter(state="running").update(next_try_at=clock.wall())
        live_on()
    if fate == "fails after":
        raise ValueError


def live_on() -> None:
    with suppress(Died):
        sweep(limit=3)


keys = st.sampled_from(["a", "b", "c"])
fates = st.sampled_from(["works", "fails", "fails after", "dies before", "dies after", "is late"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), keys),
        st.tuples(st.just("ask once"), keys),
        st.tuples(st.just("sweep"), st.none()),
        st.tuples(st.just("time passes"), st.none()),
    ),
    min_size=1,
    max_size=25,
)


@pytest.mark.django_db
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=steps, fate=st.fixed_dictionaries({key: st.lists(fates, max_size=7) for key in "abc"}))
def test_one_effect_per_key_whatever_happens(steps: list[tuple[str, str]], fate: dict[str, list[str]]) -> None:
    Reaction.objects.all().delete()
    FATE.update({key: list(value) for key, value in fate.items()})
    asked = set()
    with effects_table():
        for step, key in steps:
            if step == "ask":
                react(meet_fate, payload={"key": key})
            elif step == "ask once":
                react(meet_fate, payload={"key": key}, dedupe_key=key)
            elif step == "sweep":
                live_on()
            else:
                Reaction.objects.filter(state__in=["waiting", "running"]).update(next_try_at=clock.wall())
            asked |= {key} if key else set()
        FATE.clear()
        for _ in range(40):
            Reaction.objects.filter(state__in=["waiting", "running"]).update(next_try_at=clock.wall())
            live_on()
        for parked in Reaction.objects.filter(state="parked"):
            assert rerun(parked)
        live_on()
        assert effects() == dict.fromkeys(asked, 1)
        assert set(Reaction.objects.values_list("state", flat=True)) <= {"done", "cancelled"}
        assert connection.in_atomic_block
