"""`manage.py load_demo`: fills an empty database with the demo's real day."""

from argparse import ArgumentParser
from datetime import date, timedelta
from random import Random
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.test.utils import override_settings

from apps.core import clock
from apps.demo import day as days
from apps.demo import stage
from apps.events import services as events

TODAY = date(2026, 3, 10)


class Command(BaseCommand):
    help = "Loads merchants, fleet, addresses, pick-up points and two planned days."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, seed: int, **options: Any) -> None:
        random = Random(seed)
        tomorrow = clock.next_working_day(stage.local(TODAY, 8)).date()
        roster = [TODAY + timedelta(days=offset) for offset in range(-1, 8)]
        with transaction.atomic():
            merchants = stage.set_merchants()
            stage.set_map()
            depot = stage.set_fleet(roster)
            self._say("Orders")
            days.make_yesterday(random, merchants, TODAY - timedelta(days=1), first=0)
            days.make_orders(random, merchants, TODAY, days.TODAY_COUNT, first=20)
            days.make_orders(random, merchants, tomorrow, days.TOMORROW_COUNT, first=400)
        self._say("Routes for two days")
        today = days.make_plan(depot, TODAY)
        days.make_plan(depot, tomorrow)
        self._say("Loading the vans")
        days.send_out(today)
        self._say("Pages and messages")
        _react()

    def _say(self, text: str) -> None:
        self.stdout.write(f"  {text} …")


@override_settings(MESSAGE_TRANSPORTS={"sms": "apps.demo.inbox.DirectSms"})
def _react() -> None:
    """Everything that follows from what was loaded: prepared pages, and messages filed straight on the demo phone."""
    with clock.frozen(stage.local(TODAY, 8.5)):
        while events.sweep(lane="fast", limit=200, seconds=60):
            pass
