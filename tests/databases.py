"""Starts what the suite needs beside Python: a private PostgreSQL, a private Redis, Chromium.

Where a program is missing the tests that need it are skipped with the reason; with CI=true they fail instead.
"""

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest

# A RAM disk where there is one: the suite's databases are thrown away.
SCRATCH = next((path for path in ("/dev/shm", "/var/tmp") if os.access(path, os.W_OK)), tempfile.gettempdir())


def missing(what: str) -> NoReturn:
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"{what} is missing, and on CI nothing may be skipped.", pytrace=False)
    pytest.skip(f"NOT TESTED HERE: {what} is missing.", allow_module_level=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_postgres() -> str:
    """The URL of a PostgreSQL that lives as long as this process; durability is switched off for speed."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("initdb")
    binaries = programs[0] if programs else Path(found).parent if found else None
    if binaries is None:
        raise RuntimeError("TEST_DATABASE=postgres needs PostgreSQL 15 or newer (Debian: apt-get install postgresql).")
    folder = Path(tempfile.mkdtemp(prefix="doorstep-pg-", dir=SCRATCH))
    data, port = folder / "data", free_port()
    as_postgres = ["su", "postgres", "-s", "/bin/sh", "-c"] if os.geteuid() == 0 else ["/bin/sh", "-c"]
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")

    def run(command: str) -> None:
        subprocess.run([*as_postgres, command], check=True, capture_output=True, timeout=60, cwd="/")

    run(f"{binaries}/initdb -D {data} -A trust -U postgres --no-sync -E UTF8 --locale=C.UTF-8")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=60"
    careless = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    # The server's output must not hold this process's pipes open.
    run(f"{binaries}/pg_ctl -D {data} -l {folder}/log -w -o '{options} {careless}' start >/dev/null 2>&1")

    def stop() -> None:
        subprocess.run(
            [*as_postgres, f"{binaries}/pg_ctl -D {data} -m immediate -w stop"],
            capture_output=True,
            timeout=60,
            cwd="/",
        )
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    return f"postgres://postgres@127.0.0.1:{port}/doorstep"


def start_redis() -> str:
    """The URL of a Redis that lives as long as this process."""
    server = shutil.which("redis-server")
    if server is None:
        missing("redis-server")
    port = free_port()
    process = subprocess.Popen(
        [server, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    atexit.register(process.kill)
    return f"redis://127.0.0.1:{port}/0"


def chromium() -> str:
    """The path of an installed Chromium (CHROMIUM overrides)."""
    for name in (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name) if name else None
        if path:
            return path
    missing("Chromium")
