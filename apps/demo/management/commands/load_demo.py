"""`manage.py load_demo`: fills an empty database with the demo's real day."""

from argparse import ArgumentParser
from datetime import date, timedelta
from random import Random
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.test.utils import override_settings

from apps.core import clock
from apps.deliveries.models import Delivery
from apps.demo import day as days
from apps.demo import showcase, stage
from apps.events import services as events
from apps.events.models import Reaction
from apps.tracking import services as tracking

TODAY = date(2026, 3, 10)
ROSTER_DAYS = 60


class Command(BaseCommand):
    help = "Loads merchants, fleet, addresses, pick-up points and two planned days."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, seed: int, **options: Any) -> None:
        random = Random(seed)
        yesterday = TODAY - timedelta(days=1)
        tomorrow = clock.next_working_day(stage.local(TODAY, 8)).date()
        roster = [TODAY + timedelta(days=offset) for offset in range(-1, ROSTER_DAYS)]
        with transaction.atomic():
            merchants = stage.set_merchants()
            stage.set_map()
            depot = stage.set_fleet(roster)
            stage.set_zone()
            self._say("Orders")
            days.make_yesterday(random, merchants, yesterday, first=0)
            evening = stage.local(yesterday, 17.5)
            days.make_orders(random, merchants, TODAY, days.TODAY_COUNT, first=20, ordered=evening)
            showcase.set_blocks(merchants)
            showcase.set_scenes(Random(seed), merchants, TODAY, ordered=evening)
            days.make_orders(random, merchants, tomorrow, days.TOMORROW_COUNT, first=400, ordered=evening)
        self._say("Routes for two days")
        today = days.make_plan(depot, TODAY, at=stage.local(yesterday, 20))
        days.make_plan(depot, tomorrow, at=stage.local(yesterday, 20))
        self._say("Loading the vans")
        days.send_out(today)
        self._say("Pages and messages")
        _react()

    def _say(self, text: str) -> None:
        self.stdout.write(f"  {text} …")


def _react() -> None:
    """What follows from the loading: messages on the demo phone, and each page made once instead of at every step."""
    with clock.frozen(stage.local(TODAY, 8.5)):
        _drop("apps.tracking.", "apps.storefront.")
        _sweep()
        _drop("apps.tracking.", "apps.storefront.")
        tracking.refresh(Delivery.objects.values_list("pk", flat=True))


def _drop(*apps: str) -> None:
    for app in apps:
        waiting = Reaction.objects.filter(handler__startswith=app, due_at__lte=clock.now())
        waiting.filter(state=Reaction.State.WAITING).update(state=Reaction.State.CANCELLED)


@override_settings(MESSAGE_TRANSPORTS={"sms": "apps.demo.inbox.DirectSms"})
def _sweep() -> None:
    """Texts are filed straight on the demo phone: no server is up to play Twilio."""
    while sum(events.sweep(lane=lane, limit=200, seconds=60) for lane in ("fast", "slow", "webhooks")):
        pass
