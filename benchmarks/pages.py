"""What a tracking page and a poll cost beside an empty Django view: the same server, process and middleware.

    python -m benchmarks.pages [--table] [--seconds 3] [--server granian|uvicorn]

One server process (granian WSGI as when scaled out, or uvicorn as embedded) is asked by one client over sixteen
kept connections, the addresses in turns. CPU is the server's own, from /proc; ratios compare medians of the rounds.
`page_first` is a page that this process has not rendered yet.
Reach (GP1, GP2): page_ratio >= 0.5, page_cpu_ratio <= 2, page_queries <= 1, state_304_ratio >= 0.6.
DATABASE_URL chooses the database (it is migrated, used and left); without it a SQLite file is made and thrown away.
"""

import argparse
import json
import os
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

SCRATCH = tempfile.TemporaryDirectory(prefix="doorstep-pages-")
os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.pages_site"
os.environ.setdefault("DATABASE_URL", f"sqlite:///{SCRATCH.name}/pages.sqlite3")
os.environ.setdefault("LOG_LEVEL", "ERROR")
os.environ["RUN_DIR"] = SCRATCH.name

import django  # noqa: E402

CONNECTIONS = 16
ROUNDS = 3
# The throttle lets one link be opened 300 times a minute; the pages of several shoppers are asked in turns.
LINKS = 200
SERVERS = {
    "granian": ("granian", "--interface", "wsgi", "--blocking-threads", "2", "config.wsgi:application"),
    "uvicorn": ("uvicorn", "--lifespan", "on", "--no-access-log", "--log-level", "error", "config.asgi:application"),
}  # fmt: skip


@dataclass(frozen=True)
class Round:
    requests: int
    seconds: float
    cpu_seconds: float
    latencies: list[float]

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def cpu_milliseconds(self) -> float:
        return 1_000 * self.cpu_seconds / self.requests


def make_links(count: int) -> list[str]:
    """Deliveries on their way, each with its own link: the richest page that is opened often."""
    from apps.core import clock
    from apps.core.time_windows import TimeWindow
    from apps.deliveries import services
    from apps.deliveries.inputs import ContactInput, ParcelInput, PlaceInput
    from apps.deliveries.models import Link
    from apps.deliveries.states import State
    from apps.merchants.models import Merchant
    from apps.merchants.services import complete_merchant

    now = clock.now()
    merchant = Merchant.objects.create(slug="bench", name="Bench", help_phone="+4232300000")
    complete_merchant(merchant=merchant)
    tokens, ids = [], []
    for number in range(count):
        made = services.create_delivery(
            merchant=merchant,
            reference=f"B-{number}",
            recipient=ContactInput(name="Alice Muster", phone="+4232345678", email="alice@example.com"),
            buyer=None,
            place=PlaceInput(street="Landstrasse", house_number="12", postcode="9490", town="Vaduz",
                             latitude=47.141, longitude=9.5215),
            window=TimeWindow(now + timedelta(hours=1), now + timedelta(hours=3)),
            parcels=[ParcelInput(weight_grams=2500, length_millimetres=300, width_millimetres=200,
                                 height_millimetres=150, description="Vegetable box")],
            actor="api",
        )  # fmt: skip
        ids.append(made.pk)
        tokens.append(services.token_of(Link.objects.get(delivery=made)))
    for to in (State.PLANNED, State.ARRIVED, State.LOADED, State.OUT):
        services.move_states(delivery_ids=ids, to=to, actor="system")
    put_on_a_van(ids)
    from apps.tracking.services import refresh

    refresh(ids)
    return tokens


def put_on_a_van(ids: list[int]) -> None:
    from apps.core import clock
    from apps.deliveries.models import Delivery
    from apps.fleet.models import Depot, Driver, Shift, Vehicle
    from apps.routing.models import DayPlan, Drop, Route, Visit

    now = clock.now()
    depot = Depot.objects.create(code="b", name="B", street="S", town="Schaan", latitude=47.1715, longitude=9.5045)
    van = Vehicle.objects.create(
        depot=depot, code="b1", kind="diesel_van", capacity_grams=1, capacity_cubic_centimetres=1, capacity_pieces=1
    )
    shift = Shift.objects.create(
        driver=Driver.objects.create(name="D"), vehicle=van, day=now.date(), starts_at=now - timedelta(hours=1),
        ends_at=now + timedelta(hours=9),
    )  # fmt: skip
    plan = DayPlan.objects.create(depot=depot, day=now.date(), stage=DayPlan.Stage.PUBLISHED)
    route = Route.objects.create(plan=plan, shift=shift, departed_at=now)
    for number, made in enumerate(Delivery.objects.filter(pk__in=ids)):
        arrival = now + timedelta(minutes=90 + number)
        visit = Visit.objects.create(
            plan=plan, route=route, sequence=number + 1, place=made.place, service_seconds=120, planned_arrival=arrival,
            eta_earliest=arrival - timedelta(minutes=5), eta_latest=arrival + timedelta(minutes=5),
        )  # fmt: skip
        Drop.objects.create(visit=visit, delivery=made)


def queries_of(path: str, headers: dict[str, str]) -> int:
    """How many the second asking of an address costs: the first may prepare something."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"User-Agent": "Mozilla/5.0", "Host": "127.0.0.1", **headers})
    client.get(path)
    with CaptureQueriesContext(connection) as seen:
        client.get(path)
    return len(seen)


@contextmanager
def running(server: str) -> Iterator[tuple[int, int]]:
    """(port, process id) of the product's server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name(SERVERS[server][0])), *SERVERS[server][1:-1]]
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port), SERVERS[server][-1]],
        cwd=Path(__file__).resolve().parent.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise SystemExit(f"{server} did not start") from None
                time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)


def cpu_seconds(pid: int) -> float:
    """Of a process and all below it, so far."""
    ticks, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


class Connection:
    """One kept connection that always waits for exactly one answer."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer, self.sent_at = b"", 0.0

    def ask(self, request: bytes) -> None:
        self.buffer, self.sent_at = b"", time.perf_counter()
        self.socket.sendall(request)

    def answered(self, status: bytes) -> bool:
        self.buffer += self.socket.recv(262_144)
        head, mark, body = self.buffer.partition(b"\r\n\r\n")
        if not mark:
            return False
        if not head.startswith(b"HTTP/1.1 " + status):
            raise SystemExit(f"unexpected answer: {head.splitlines()[0]!r}")
        return len(body) >= _length(head)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def load(port: int, pid: int, requests: list[bytes], status: bytes, seconds: float = 0.0, least: int = 1) -> Round:
    """Sixteen connections for so long, and until `least` answers have come."""
    chooser, turn = selectors.DefaultSelector(), 0
    latencies: list[float] = []
    for connection in [Connection(port) for _ in range(CONNECTIONS)]:
        chooser.register(connection.socket, selectors.EVENT_READ, connection)
        connection.ask(requests[turn % len(requests)])
        turn += 1
    before, started = cpu_seconds(pid), time.perf_counter()
    while time.perf_counter() - started < seconds or len(latencies) < least:
        for key, _events in chooser.select(timeout=5):
            if key.data.answered(status):
                latencies.append(time.perf_counter() - key.data.sent_at)
                key.data.ask(requests[turn % len(requests)])
                turn += 1
    took, used = time.perf_counter() - started, cpu_seconds(pid) - before
    for key in list(chooser.get_map().values()):
        key.data.socket.close()
    return Round(len(latencies), took, used, latencies)


def request(path: str, **headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "User-Agent: Mozilla/5.0", "Accept-Language: en"]
    return ("\r\n".join([*lines, *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items())]) + "\r\n\r\n").encode()


def measure(server: str, seconds: float) -> dict[str, Any]:
    from apps.deliveries.models import Delivery

    tokens = make_links(LINKS)
    version = Delivery.objects.latest("pk").page_version
    etag = f'"{version}-link"'
    kinds = {
        "empty": ([request("/empty")], b"200"),
        "page": ([request(f"/t/{token}") for token in tokens], b"200"),
        "state_200": ([request(f"/t/{token}/state") for token in tokens], b"200"),
        "state_304": ([request(f"/t/{token}/state", If_None_Match=etag) for token in tokens], b"304"),
        "step_up": ([request(f"/t/{token}/verify") for token in tokens], b"200"),
    }
    # The very first opening also finds out what the page is and notes that somebody looked.
    counted = {
        "page": queries_of(f"/t/{tokens[0]}", {}),
        "state_200": queries_of(f"/t/{tokens[0]}/state", {}),
        "state_304": queries_of(f"/t/{tokens[0]}/state", {"If-None-Match": etag}),
        "step_up": queries_of(f"/t/{tokens[0]}/verify", {}),
    }
    rounds: dict[str, list[Round]] = {name: [] for name in kinds}
    with running(server) as (port, pid):
        load(port, pid, *kinds["empty"], seconds=0.5)
        # Every page is opened for the first time here; from then on it is known to the process.
        rounds["page_first"] = [load(port, pid, *kinds["page"], least=LINKS)]
        for name in ("state_200", "state_304", "step_up"):
            load(port, pid, *kinds[name], least=50)
        for _round in range(ROUNDS):
            for name, (requests, status) in kinds.items():
                rounds[name].append(load(port, pid, requests, status, seconds=seconds))
    return figures(rounds, counted) | {"server": server}


def figures(rounds: dict[str, list[Round]], counted: dict[str, int]) -> dict[str, Any]:
    def middle(name: str, what: str) -> float:
        return float(statistics.median(getattr(one, what) for one in rounds[name]))

    found: dict[str, Any] = {}
    for name, ran in rounds.items():
        latencies = sorted(latency for one in ran for latency in one.latencies)
        found |= {
            f"{name}_per_second": round(middle(name, "per_second")),
            f"{name}_cpu_ms": round(middle(name, "cpu_milliseconds"), 3),
            f"{name}_p50_ms": round(1_000 * latencies[len(latencies) // 2], 2),
            f"{name}_p99_ms": round(1_000 * latencies[int(len(latencies) * 0.99)], 2),
        }
        if name in counted:
            found |= {
                f"{name}_ratio": round(middle(name, "per_second") / middle("empty", "per_second"), 3),
                f"{name}_cpu_ratio": round(middle(name, "cpu_milliseconds") / middle("empty", "cpu_milliseconds"), 3),
                f"{name}_queries": counted[name],
            }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="as by default: one JSON object on standard output")
    parser.add_argument("--table", action="store_true", help="a table to read instead")
    parser.add_argument("--seconds", type=float, default=3.0, help="per address and round")
    parser.add_argument("--server", choices=sorted(SERVERS), default="granian")
    chosen = parser.parse_args()
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    found = measure(chosen.server, chosen.seconds)
    if not chosen.table:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
