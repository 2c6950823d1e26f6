"""How many positions come in: the embedded server's own door beside a plain Django upsert view, and the rows behind.

    python -m benchmarks.ingest [--seconds 3] [--vans 400] [--database URL] [--json]

Both doors stand in the same process (the view behind a2wsgi, as the product's other pages do). The view does the least
that a view can do: find the driver by token, one ON CONFLICT upsert. Ratios matter, not the box.
"""

import argparse
import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from time import perf_counter, thread_time
from typing import Any

from benchmarks.fanout import free_port, product_arguments, server
from benchmarks.live_clients import phone, post_request
from benchmarks.live_world import CENTRE, World, build, cpu_of, set_up

CLIENTS, BATCH, ROUNDS = 16, 10, 3


def plain_view(request: Any) -> Any:
    """POST: the Django view that the door is compared with; also used by `application` below."""
    from django.http import HttpResponse

    from apps.fleet.services import find_driver

    driver = find_driver(request.headers["Authorization"].partition(" ")[2])
    assert driver is not None
    vehicle = driver.shifts.values_list("vehicle_id", flat=True)[0]
    for row in json.loads(request.body)["positions"]:
        _upsert([(vehicle, row["lat"], row["lon"], datetime.fromisoformat(row["at"]))])
    return HttpResponse(status=204)


def _upsert(rows: list[tuple[int, float, float, datetime]]) -> None:
    """The floor: nothing but the newest position, in one statement."""
    from django.db import connection

    from apps.core import clock

    sequence, instant = int(clock.wall().timestamp() * 1e6), connection.ops.adapt_datetimefield_value
    values = ", ".join(["(%s, %s, %s, %s, %s)"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO fleet_position (vehicle_id, latitude, longitude, at, sequence) VALUES {values}"
            " ON CONFLICT (vehicle_id) DO UPDATE SET latitude = excluded.latitude, longitude = excluded.longitude,"
            " at = excluded.at, sequence = excluded.sequence WHERE excluded.at > fleet_position.at",
            [value for vehicle, lat, lon, at in rows for value in (vehicle, lat, lon, instant(at), sequence)],
        )


def __getattr__(name: str) -> Any:
    """`benchmarks.ingest:application` for uvicorn: the product, and the plain view at /plain."""
    if name != "application":
        raise AttributeError(name)
    from django.urls import path
    from django.views.decorators.csrf import csrf_exempt

    from config import asgi, urls

    urls.urlpatterns.insert(0, path("plain", csrf_exempt(plain_view)))
    return asgi.application


async def posted(host: str, world: World, path: str, each: int, seconds: float) -> tuple[float, int]:
    """Positions answered a second by as many phones at once as CLIENTS; how many were sent."""
    began, sent = perf_counter(), 0

    async def client(number: int) -> None:
        nonlocal sent
        line, turn = await phone(host), number
        while perf_counter() - began < seconds:
            turn += CLIENTS
            now = datetime.now(UTC)
            rows = [
                {
                    "lat": CENTRE[0] + turn % 500 / 20_000,
                    "lon": CENTRE[1],
                    "at": (now - timedelta(milliseconds=each - step)).isoformat(),
                }
                for step in range(each)
            ]
            headers = f"Authorization: Device {world.phones[turn % len(world.phones)]}\r\n"
            status = await line.ask(post_request(host, path, json.dumps({"positions": rows}).encode(), headers))
            if status != b"204":
                raise SystemExit(f"{path} answered {status!r}.")
            sent += each

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return sent / (perf_counter() - began), sent


async def doors(world: World, seconds: float) -> dict[str, Any]:
    port = free_port()
    host, found = f"127.0.0.1:{port}", dict[str, Any]()
    arguments = [part.replace("config.asgi", "benchmarks.ingest") for part in product_arguments(port)]
    with server(arguments, port, world.environment) as pid:
        for path in ("/plain", "/driver/api/positions"):
            await posted(host, world, path, 1, 1.0)
        for name, each in (("one", 1), ("ten", BATCH)):
            for path, kind in (("/plain", "view"), ("/driver/api/positions", "door")):
                with cpu_of(pid) as cpu:
                    rate, sent = await posted(host, world, path, each, seconds)
                found[f"{kind}_{name}_per_second"] = round(rate)
                found[f"{kind}_{name}_cpu_us"] = round(cpu[0] / sent * 1e6, 1)
    for name in ("one", "ten"):
        found[f"ratio_{name}"] = round(found[f"door_{name}_per_second"] / found[f"view_{name}_per_second"], 2)
        found[f"cpu_ratio_{name}"] = round(found[f"view_{name}_cpu_us"] / found[f"door_{name}_cpu_us"], 2)
    return found


def rows_written(seconds: int = 60) -> dict[str, Any]:
    """Of a position a second for a minute and for each van: how many rows the history keeps."""
    from apps.fleet.models import Position, PositionSample, Vehicle
    from apps.fleet.services import Fix, Van, record_batch

    vans = [Van(pk, (47.3, 9.6)) for pk in Vehicle.objects.values_list("pk", flat=True)[:20]]
    PositionSample.objects.all().delete()
    Position.objects.all().delete()
    start = datetime.now(UTC) - timedelta(seconds=seconds)
    for second in range(seconds):
        at = start + timedelta(seconds=second)
        record_batch({van: [Fix(CENTRE[0] + second / 8_000, CENTRE[1], at)] for van in vans})
    return {"history_share": round(PositionSample.objects.count() / (seconds * len(vans)), 3)}


def _insert_history(rows: list[tuple[int, float, float, datetime]]) -> None:
    """The floor's share of the history."""
    from django.db import connection

    instant, values = connection.ops.adapt_datetimefield_value, ", ".join(["(%s, %s, %s, %s)"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO fleet_positionsample (vehicle_id, latitude, longitude, at) VALUES {values}",
            [value for vehicle, lat, lon, at in rows for value in (vehicle, lat, lon, instant(at))],
        )


def bulk(batches: int = 60) -> dict[str, Any]:
    """Rows a second into the database: what the product reads, judges and writes beside bare statements.

    Both write the newest position of each van every second and every sixth one to the history, in one commit; each has
    half of the vans, because the product remembers what it wrote itself. Ratios by the wall and by processor.
    """
    from django.db import transaction

    from apps.fleet.models import Position, Vehicle
    from apps.fleet.services import Fix, Van, record_batch

    everyone = list(Vehicle.objects.values_list("pk", flat=True)[:400])
    half = len(everyone) // 2
    vans, others = [Van(pk, (47.3, 9.6)) for pk in everyone[:half]], everyone[half : 2 * half]
    Position.objects.all().delete()
    start, product, floor = datetime.now(UTC) - timedelta(seconds=batches * ROUNDS), _Spent(), _Spent()
    for number in range(batches * ROUNDS):
        at, latitude = start + timedelta(seconds=number), CENTRE[0] + number % 500 / 9_000
        with product:
            record_batch({van: [Fix(latitude, CENTRE[1], at)] for van in vans})
        with floor:
            rows = [(van, latitude, CENTRE[1], at) for van in others]
            with transaction.atomic():
                _upsert(rows)
                if number % 6 == 0:
                    _insert_history(rows)
    written = batches * ROUNDS * half
    return {
        "bulk_per_second": round(written / product.wall),
        "bulk_floor_per_second": round(written / floor.wall),
        "bulk_ratio": round(floor.wall / product.wall, 2),
        "bulk_cpu_ratio": round(floor.cpu / product.cpu, 2),
    }


class _Spent:
    """Seconds by the wall and of this thread's processor, summed over its blocks."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def __enter__(self) -> None:
        self._began = perf_counter(), thread_time()

    def __exit__(self, *_error: object) -> None:
        self.wall += perf_counter() - self._began[0]
        self.cpu += thread_time() - self._began[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--vans", type=int, default=400)
    parser.add_argument("--database", default=os.environ.get("BENCH_DATABASE_URL", ""), help="an empty database's URL")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    world = build(set_up(options.database), vans=options.vans, pages=1)
    from django.db import connection

    report = {"database": connection.vendor, **bulk(), **rows_written()}
    report |= asyncio.run(doors(world, options.seconds))
    print(json.dumps(report, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
