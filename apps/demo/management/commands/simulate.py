"""`manage.py simulate`: the vans' day, until it is stopped."""

import signal
import time
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from random import Random
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand

from apps.core import clock
from apps.demo import cast
from apps.demo.day import TOMORROW_COUNT
from apps.demo.models import DemoKey
from apps.demo.phone_client import ClerkScanner, DriverPhone, Rejected
from apps.demo.shops import Shops
from apps.demo.simulator import Van
from apps.demo.stage import local, profile_of_driver
from apps.demo.wheel import Wheel, let_go, take_back
from apps.routing.models import Visit
from apps.routing.planner.travel_osrm import Roads

TICK_SECONDS = 1.0


class Command(BaseCommand):
    help = "Drives the demo's vans through the public driver interface."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, seed: int, **options: Any) -> None:
        signal.signal(signal.SIGTERM, _stop)
        roads = Roads(settings.ROADS_DIR)
        base = settings.PUBLIC_BASE_URL
        vans = {
            key.pk: Van(
                DriverPhone(base, key.secret),
                roads.road(profile_of_driver(key.reference or 0)),
                Random(f"{seed}/{key.reference}"),
            )
            for key in DemoKey.objects.filter(kind=DemoKey.Kind.DRIVER)
        }
        wheels: dict[int, Wheel] = {}
        clerks = [ClerkScanner(base, key.secret) for key in DemoKey.objects.filter(kind=DemoKey.Kind.CLERK)]
        for van in vans.values():
            van.load_up = partial(_load, clerks)
        keys = dict(DemoKey.objects.filter(kind=DemoKey.Kind.MERCHANT).values_list("name", "secret"))
        shops = Shops(base, keys, seed, TOMORROW_COUNT)
        day = broken = None
        while True:
            began = time.monotonic()
            now = clock.now()
            if day != now.date() and self._try(partial(_load, clerks)):
                day = now.date()
                following = clock.next_working_day(now).date()
                shops.open_for(following, Visit.objects.filter(plan__day=following).count())
            self._try(shops.sell_one)
            taken = _taken()
            for key, van in vans.items():
                if key in taken:
                    if key not in wheels:
                        let_go(van)
                        wheels[key] = Wheel(van)
                    self._try(partial(wheels[key].tick, clock.now(), taken[key]))
                    continue
                if wheels.pop(key, None) is not None:
                    take_back(van)
                self._try(partial(van.tick, clock.now()))
            free = [van for key, van in vans.items() if key not in taken]
            if broken != now.date() and now >= local(now.date(), cast.BREAKDOWN_AT) and (weak := _fragile(free)):
                broken = now.date()
                self._try(partial(weak.break_down, now))
            time.sleep(max(0.05, TICK_SECONDS - (time.monotonic() - began)))

    def _try(self, action: Callable[[], None]) -> bool:
        """One phone that is told no, or hears nothing, must not stop the others."""
        try:
            action()
        except requests.RequestException as error:
            self.stderr.write(f"The server did not answer ({type(error).__name__}); trying again.")
        except Rejected as error:
            self.stderr.write(f"A phone was told no: {error}")
        else:
            return True
        return False


def _taken() -> dict[int, datetime | None]:
    """The vans that visitors drive, and when each was last told to drive on."""
    rows = DemoKey.objects.filter(kind=DemoKey.Kind.DRIVER, taken_at__isnull=False)
    return dict(rows.values_list("pk", "drive_on_at"))


def _fragile(vans: list[Van]) -> Van | None:
    """Who breaks down in the scripted hour: a bicycle if one is out, with the fewest people waiting; else any van."""
    out = [van for van in vans if van.route.get("stops") and van.route.get("departed_at") and van.kind != "carrier"]
    return min(out, key=lambda van: (van.kind != "cargo_bike", len(van.route["stops"])), default=None)


def _load(clerks: list[ClerkScanner]) -> None:
    """The clerks scan what is still missing onto each van, as every morning."""
    for clerk, van in [(one, van) for one in clerks for van in one.day()["vans"]]:
        for barcode in van["missing"]:
            with suppress(Rejected):  # moved to another van since the list was read: the next list has it there
                clerk.scan(barcode, van["vehicle"])


def _stop(*_: object) -> None:
    raise SystemExit(0)
