"""A link's secret is in no log line: not of Django, not of the web server, not in a traceback."""

import asyncio
import io
import logging
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from apps.core.logs import ScrubbedFormatter, ScrubSecrets, scrub
from tests.core.environment import ROOT

TOKEN = "Zq8mWc2LxT5vN1rKp7aYf4HdGs9BjUe3"
PATHS = [
    f"/t/{TOKEN}",
    f"/t/{TOKEN}/state?v=3",
    f"/ws/t/{TOKEN}",
    f"/point/{TOKEN}",
    f"/driver/enter/{TOKEN}",
    f"/depot/enter/{TOKEN}",
    f"https://track.example.com/t/{TOKEN}/verify?next=place",
    f"/login?next=%2Ft%2F{TOKEN}",
]


@pytest.mark.covers("GS1", "T1")
@pytest.mark.parametrize("path", PATHS)
def test_every_kind_of_link_is_scrubbed(path: str) -> None:
    line = scrub(f'"GET {path} HTTP/1.1" 200')
    assert TOKEN not in line
    assert "***" in line


@pytest.mark.parametrize("path", ["/tiles/14/8623/5744.pbf", "/static/css/tokens.css", "/admin/", "/api/v1/deliveries"])
def test_other_addresses_stay_readable(path: str) -> None:
    assert scrub(path) == path


@pytest.fixture
def written() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ScrubbedFormatter("%(levelname)s %(message)s"))
    handler.addFilter(ScrubSecrets())
    logger = logging.getLogger("tests.scrubbed")
    logger.propagate = False
    logger.addHandler(handler)
    yield logger, stream
    logger.removeHandler(handler)


@pytest.mark.covers("GS1")
def test_arguments_and_tracebacks_are_scrubbed_too(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = written
    logger.error("Internal Server Error: %s", f"/t/{TOKEN}")
    logger.error('%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", f"/ws/t/{TOKEN}", "1.1", 403)
    try:
        raise ValueError(f"cannot read https://track.example.com/t/{TOKEN}")
    except ValueError:
        logger.exception("It broke.")
    text = stream.getvalue()
    assert "cannot read https://track.example.com/t/***" in text
    assert TOKEN not in text


def test_a_plain_formatter_would_have_shown_it(written: tuple[logging.Logger, io.StringIO]) -> None:
    """The control."""
    logger, stream = written
    logger.handlers[0].setFormatter(logging.Formatter("%(message)s"))
    logger.handlers[0].filters.clear()
    logger.error("GET %s", f"/t/{TOKEN}")
    assert TOKEN in stream.getvalue()


SERVERS = {
    "the embedded server": ["-m", "uvicorn", "config.asgi:application", "--port", "8796", "--log-level", "debug"],
    "the development server": ["manage.py", "runserver", "127.0.0.1:8796", "--noreload", "--nothreading"],
}


@pytest.mark.kills
@pytest.mark.covers("GS1")
@pytest.mark.parametrize("server", SERVERS)
def test_a_servers_own_lines_hold_no_token(server: str, tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    changes = {
        "DEBUG": "1",
        "LOG_LEVEL": "DEBUG",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}",
        "PYTHONUNBUFFERED": "1",
    }
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *SERVERS[server]], cwd=ROOT, env=os.environ | changes, stdout=output, stderr=output
        )
    try:
        _wait_for("http://127.0.0.1:8796/nothing")
        for path in PATHS[:2] + PATHS[3:6]:
            _get(f"http://127.0.0.1:8796{path}")
        if "uvicorn" in SERVERS[server]:
            asyncio.run(_knock(f"ws://127.0.0.1:8796/ws/t/{TOKEN}"))
    finally:
        process.terminate()
        process.wait(10)
    text = log.read_text()
    assert "/t/***" in text
    assert "/driver/enter/***" in text
    assert TOKEN not in text


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if _get(address):
            return
        time.sleep(0.3)
    raise AssertionError("the server did not start")


def _get(address: str) -> int:
    try:
        return int(urllib.request.urlopen(address, timeout=20).status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


async def _knock(address: str) -> None:
    try:
        async with connect(address):
            return
    except (WebSocketException, OSError):
        return
