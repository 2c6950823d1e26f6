"""From a driver's phone to the open pages: delay, processor, memory, and nothing newest ever missed.

    python -m benchmarks.fanout [--sockets 2000] [--vans 200] [--rate 200] [--seconds 10] [--json]

The product's one process (uvicorn, the real application, real rows) takes in positions over HTTP as drivers' phones
send them; as many pages as `--sockets` are open. In the same run the peers carry the same frames: channels' own
in-memory layer, and the bare `websockets` library. Processor is the server's alone, all threads.
"""

import argparse
import asyncio
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from time import perf_counter

from benchmarks.live_clients import Page, Phone, open_pages, phone, post_request
from benchmarks.live_world import CENTRE, World, build, cpu_of, rss_kib, set_up

SETTLE_SECONDS, FLOOD_SECONDS = 2.0, 4.0
PRODUCT, CHANNELS, WEBSOCKETS = "doorstep", "channels_memory", "websockets"


@dataclass
class Figures:
    """Milliseconds from the phone's post to the page's socket; microseconds of processor per delivered message."""

    sockets: int
    connects_per_second: int
    rss_kib_per_socket: float
    delivered: int
    expected: int
    p50_ms: float
    p99_ms: float
    cpu_us: float
    missed_final_positions: int
    storm_seconds: float = 0.0
    capacity_per_second: int = 0
    capacity_per_cpu_second: int = 0


class Listener:
    """What the pages heard: the delay of every message, and the newest position of each page."""

    def __init__(self) -> None:
        self.sent: dict[bytes, float] = {}
        self.delays: list[float] = []
        self.messages = self.documents = 0

    def heard(self, page: Page, payload: bytes) -> None:
        if not payload.startswith(b'{"type":"dot"'):
            self.documents += 1
            return
        self.messages += 1
        start = payload.find(b'"at":"') + 6
        if start < 6:
            return
        page.newest = payload[start : payload.index(b'"', start)]
        began = self.sent.get(page.newest)
        if began is not None:
            self.delays.append(perf_counter() - began)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(arguments: list[str], port: int, environment: dict[str, str]) -> Iterator[int]:
    process = subprocess.Popen([sys.executable, *arguments], env=environment)
    try:
        for _try in range(2400):
            if process.poll() is not None:
                raise SystemExit("The server did not start.")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def product_arguments(port: int) -> list[str]:
    return [
        *("-m", "uvicorn", "config.asgi:application", "--lifespan", "on", "--port", str(port), "--no-access-log"),
        *("--ws-max-size", "4096", "--ws-per-message-deflate", "false", "--log-level", "error", "--backlog", "4096"),
    ]


type Publish = Callable[[int, str, float, float], None]


async def paced(publish: Publish, vans: int, rate: float, seconds: float, listener: Listener) -> list[bytes]:
    """Sends `rate` positions a second, van after van; the newest instant of each van."""
    newest, began = [b""] * vans, perf_counter()
    for number in range(int(rate * seconds)):
        due = began + number / rate
        if (wait := due - perf_counter()) > 0:
            await asyncio.sleep(wait)
        van = number % vans
        at = datetime.now(UTC).isoformat()
        newest[van] = at.encode()
        listener.sent[newest[van]] = perf_counter()
        # Where nobody lives: near a door the van would rightly be hidden from all whose door it is not.
        publish(van, at, CENTRE[0] + number % 1000 / 20_000, CENTRE[1] - 0.05)
    return newest


async def measured(
    host: str, pid: int, paths: list[list[str]], publish: Publish, options: argparse.Namespace, documents: bool
) -> tuple[Figures, list[Page], Listener]:
    """The paced run against one server; the sockets stay open."""
    listener, vans = Listener(), len(paths)
    flat = [path for van in paths for path in van]
    # The first quarter brings what every process has once: threads, connections, the database's own page cache.
    warm = len(flat) // 4
    first, _seconds = await open_pages(host, flat[:warm], listener.heard)
    while documents and listener.documents < warm:
        await asyncio.sleep(0.05)
    await asyncio.sleep(SETTLE_SECONDS)
    rss = rss_kib(pid)
    pages, seconds = await open_pages(host, flat[warm:], listener.heard)
    while documents and listener.documents < len(flat):
        await asyncio.sleep(0.05)
    await asyncio.sleep(SETTLE_SECONDS)
    per_socket = (rss_kib(pid) - rss) / len(pages)
    pages = first + pages
    await paced(publish, vans, options.rate, vans / options.rate, listener)
    await asyncio.sleep(1.0)
    listener.delays.clear()
    listener.sent.clear()
    with cpu_of(pid) as cpu:
        newest = await paced(publish, vans, options.rate, options.seconds, listener)
        await asyncio.sleep(1.0)
    each = len(paths[0])
    for _wait in range(100):
        # On a busy box the last ones may be under way still; a position that never comes is missed.
        missed = sum(1 for number, page in enumerate(pages) if page.newest != newest[number // each])
        if not missed:
            break
        await asyncio.sleep(0.1)
    delays, delivered = sorted(listener.delays), len(listener.delays)
    expected = int(options.rate * options.seconds) * each
    figures = Figures(
        sockets=len(pages),
        connects_per_second=round(len(flat[warm:]) / seconds),
        rss_kib_per_socket=round(per_socket, 1),
        delivered=delivered,
        expected=expected,
        p50_ms=round(delays[len(delays) // 2] * 1000, 2) if delays else -1,
        p99_ms=round(delays[int(len(delays) * 0.99)] * 1000, 2) if delays else -1,
        cpu_us=round(cpu[0] / max(1, delivered) * 1e6, 1),
        missed_final_positions=missed,
    )
    return figures, pages, listener


async def storm(host: str, paths: list[list[str]], pages: list[Page], listener: Listener) -> float:
    """All pages lose their sockets at once; seconds until the last one is back and has been told its state."""
    for page in pages:
        page.transport.abort()  # type: ignore[attr-defined]
    await asyncio.sleep(0.5)
    listener.documents, began = 0, perf_counter()
    flat = [path for van in paths for path in van]
    pages[:], _seconds = await open_pages(host, flat, listener.heard, at_once=400)
    while listener.documents < len(flat):
        await asyncio.sleep(0.02)
    return perf_counter() - began


async def flooded(pid: int, flood: Callable[[threading.Event], None], listener: Listener) -> tuple[int, int]:
    """Delivered a second, and a second of the server's processor, while the producer does what it can."""
    ends = threading.Event()
    listener.messages = 0
    with cpu_of(pid) as cpu:
        began = perf_counter()
        producer = asyncio.create_task(asyncio.to_thread(flood, ends))
        await asyncio.sleep(FLOOD_SECONDS)
        ends.set()
        await producer
        await asyncio.sleep(0.3)
        seconds = perf_counter() - began
    return round(listener.messages / seconds), round(listener.messages / max(cpu[0], 0.01))


async def the_product(world: World, options: argparse.Namespace) -> Figures:
    port = free_port()
    host = f"127.0.0.1:{port}"
    paths = [[f"/ws/t/{token}" for token in van] for van in world.links]
    with server(product_arguments(port), port, world.environment) as pid:
        phones = [await phone(host) for _ in range(8)]

        def publish(van: int, at: str, latitude: float, longitude: float) -> None:
            body = json.dumps({"positions": [{"lat": latitude, "lon": longitude, "at": at, "heading": 90}]}).encode()
            headers = f"Authorization: Device {world.phones[van]}\r\n"
            phones[van % len(phones)].post(post_request(host, "/driver/api/positions", body, headers))

        figures, pages, listener = await measured(host, pid, paths, publish, options, documents=True)
        answers = {status for phone in phones for status in phone.answers}
        if answers != {b"204"}:
            raise SystemExit(f"Positions were answered {answers}.")
        figures.storm_seconds = round(await storm(host, paths, pages, listener), 2)
        found = await flooded(pid, _writer_flood(len(paths)), listener)
        figures.capacity_per_second, figures.capacity_per_cpu_second = found
    return figures


def _writer_flood(vans: int) -> Callable[[threading.Event], None]:
    """Another process's writer (as a WSGI worker is one), as fast as the database lets it."""
    from django.db import connection

    from apps.fleet.models import Vehicle
    from apps.fleet.services import Fix, Van, record_batch

    def flood(ends: threading.Event) -> None:
        everyone = [Van(pk, (47.3, 9.6)) for pk in Vehicle.objects.order_by("pk").values_list("pk", flat=True)[:vans]]
        start = datetime.now(UTC)
        try:
            for number in count():
                if ends.is_set():
                    return
                at = max(datetime.now(UTC), start + timedelta(microseconds=number))
                fix = Fix(CENTRE[0] + number % 1000 / 20_000, CENTRE[1] - 0.05, at)
                record_batch({van: [fix] for van in everyone})
                # The pages are told at most so often; more writes would only wear the disk.
                ends.wait(0.02)
        finally:
            connection.close()

    return flood


def _frame(at: str, latitude: float, longitude: float) -> str:
    path = [[round(latitude, 5), longitude], [round(latitude, 5), longitude]]
    dot = {"visible": True, "at": at, "lat": round(latitude, 5), "lon": longitude, "heading": 90, "path": path}
    return json.dumps({"type": "dot", "dot": {**dot, "seconds": 1.0, "stale_after": 60.0}}, separators=(",", ":"))


async def a_peer(kind: str, options: argparse.Namespace) -> Figures:
    port = free_port()
    host, name = f"127.0.0.1:{port}", {CHANNELS: "channels", WEBSOCKETS: "websockets"}[kind]
    each = options.sockets // options.vans
    paths = [[f"/{van}"] * each for van in range(options.vans)]
    with server(["-m", "benchmarks.live_peers", name, str(port)], port, dict(os.environ)) as pid:
        publish = await _peer_publisher(kind, host)
        figures, _pages, listener = await measured(host, pid, paths, publish, options, documents=False)
        if kind == WEBSOCKETS:
            loop = asyncio.get_running_loop()

            def flood(ends: threading.Event) -> None:
                for number in count():
                    if ends.is_set():
                        return
                    at = datetime.now(UTC).isoformat()
                    loop.call_soon_threadsafe(publish, number % options.vans, at, 47.15, 9.52)
                    time.sleep(0.0002)

            found = await flooded(pid, flood, listener)
            figures.capacity_per_second, figures.capacity_per_cpu_second = found
    return figures


async def _peer_publisher(kind: str, host: str) -> Publish:
    if kind == WEBSOCKETS:
        [speaker], _seconds = await open_pages(host, ["/say"], lambda page, payload: None)
        return lambda van, at, lat, lon: speaker.say(json.dumps({"van": van, "text": _frame(at, lat, lon)}))
    phones: list[Phone] = [await phone(host) for _ in range(8)]

    def publish(van: int, at: str, latitude: float, longitude: float) -> None:
        body = json.dumps({"van": van, "text": _frame(at, latitude, longitude)}).encode()
        phones[van % len(phones)].post(post_request(host, "/", body))

    return publish


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=2000)
    parser.add_argument("--vans", type=int, default=200)
    parser.add_argument("--rate", type=float, default=200.0, help="positions a second, of all vans together")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--database", default="", help="an empty database's URL; a SQLite file of its own otherwise")
    parser.add_argument("--alone", action="store_true", help="without the peers")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    world = build(set_up(options.database), vans=options.vans, pages=max(1, options.sockets // options.vans))
    found = {PRODUCT: asyncio.run(the_product(world, options))}
    if not options.alone:
        found |= {kind: asyncio.run(a_peer(kind, options)) for kind in (WEBSOCKETS, CHANNELS)}
    report: dict[str, object] = {name: asdict(figures) for name, figures in found.items()}
    if not options.alone:
        product, bare = found[PRODUCT], found[WEBSOCKETS]
        report["cpu_ratio_channels_memory"] = round(found[CHANNELS].cpu_us / product.cpu_us, 2)
        report["cpu_ratio_websockets"] = round(product.cpu_us / bare.cpu_us, 2)
        report["capacity_ratio_websockets"] = round(product.capacity_per_second / bare.capacity_per_second, 2)
        report["capacity_per_cpu_ratio_websockets"] = round(
            product.capacity_per_cpu_second / bare.capacity_per_cpu_second, 2
        )
    print(json.dumps(report, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
