"""How long from a committed change to the start of its reaction, through the real worker pool.

    DATABASE_URL=sqlite:////tmp/bench.sqlite3 python -m benchmarks.outbox --count 100 --rate 5

The database is migrated, used and left; give it one of its own. Prints one JSON object, milliseconds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("RUN_DIR", tempfile.mkdtemp(prefix="doorstep-bench-"))
os.environ.setdefault("LOG_LEVEL", "ERROR")
ROOT = Path(__file__).resolve().parent.parent
WARM_UP = "warm-up"


def note(payload: dict[str, str]) -> None:
    """The reaction: the wall clock at its start goes into the table that the benchmark reads."""
    started = time.time()
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_starts (key, started) VALUES (%s, %s)", [payload["key"], started])


def ask(key: str) -> float:
    """One small transaction; the wall clock just after its commit."""
    from django.db import transaction

    from apps.events.services import react

    with transaction.atomic():
        react("benchmarks.outbox.note", payload={"key": key})
    return time.time()


def starts() -> dict[str, float]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT key, min(started) FROM bench_starts GROUP BY key")
        return dict(cursor.fetchall())


def measure(count: int, rate: float) -> dict[str, object]:
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_starts")
        cursor.execute("CREATE TABLE bench_starts (key varchar(20) NOT NULL, started double precision NOT NULL)")
    workers = subprocess.Popen([sys.executable, "manage.py", "work"], cwd=ROOT)
    try:
        ask(WARM_UP)
        _wait_for({WARM_UP})
        committed: dict[str, float] = {}
        writes = []
        for number in range(count):
            began = time.perf_counter()
            committed[str(number)] = ask(str(number))
            writes.append((time.perf_counter() - began) * 1000)
            # A rate that is no multiple of the poll, so that the phases are sampled evenly.
            time.sleep((1 + (number % 7) / 20) / rate)
        _wait_for(set(committed))
        found = starts()
        drained = _burst(300)
    finally:
        workers.terminate()
        workers.wait(20)
    delays = sorted((found[key] - at) * 1000 for key, at in committed.items())
    return {
        "database": connection.vendor,
        "count": count,
        "start_ms_p50": round(statistics.median(delays), 1),
        "start_ms_p95": round(delays[int(len(delays) * 0.95)], 1),
        "start_ms_max": round(delays[-1], 1),
        "burst_done_per_second": round(drained),
        "react_ms_p50": round(statistics.median(writes), 2),
        "run_more_than_once": len(_doubles()),
    }


def _burst(size: int) -> float:
    """Reactions done a second when `size` of them become due in one moment."""
    from django.db import transaction

    keys = {f"burst-{number}" for number in range(size)}
    with transaction.atomic():
        for key in sorted(keys):
            ask(key)
    began = time.monotonic()
    _wait_for(keys)
    return size / (time.monotonic() - began)


def _doubles() -> list[str]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM bench_starts GROUP BY key HAVING count(*) > 1")
        return [row[0] for row in cursor.fetchall()]


def _wait_for(keys: set[str], seconds: float = 60.0) -> None:
    ends = time.monotonic() + seconds
    while not keys <= starts().keys():
        if time.monotonic() > ends:
            raise SystemExit("The worker pool did not do its work in time.")
        time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--rate", type=float, default=5.0, help="changes a second")
    options = parser.parse_args()
    if not os.environ.get("DATABASE_URL"):
        parser.error("Set DATABASE_URL to a database of its own.")
    django.setup()
    print(json.dumps(measure(options.count, options.rate), indent=2))


if __name__ == "__main__":
    main()
