"""`make demo`: prepares the road network and the day, starts every process, prints the links, and stops them all.

Plain standard library, because it sets the environment that the settings read. Children die with their parent
(PR_SET_PDEATHSIG on Linux), so not even a kill -9 leaves one behind.
"""

import argparse
import ctypes
import hashlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VAR = ROOT / "var"
# A Tuesday. Half past eight in Vaduz, when the vans leave the depot.
DAY_START = "2026-03-10T07:30:00+00:00"
STOP_SECONDS = 8
LINKS = """
  Doorstep is running:  {base}/   (Ctrl-C stops everything)

  every tracking link, the driver's, the clerk's and the counter's page   {base}/
  the phone that receives every text and e-mail                           {base}/demo/phone
  support in the admin (demo / demo)                                      {base}/admin/
"""


def main() -> int:
    options = _options()
    environment = _environment(options)
    if not _port_is_free(options.port):
        print(f"Port {options.port} is taken. Choose another: make demo PORT=8001", file=sys.stderr)
        return 1
    VAR.mkdir(exist_ok=True)
    # INT too: a shell starts background jobs with it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        _prepare(options, environment)
        environment["CLOCK_WALL_START"] = datetime.now(UTC).isoformat()
        return _serve(options, environment)
    except subprocess.CalledProcessError as error:
        return int(error.returncode)
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(_folder(options), ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=int, default=20, help="how many times faster than the wall the day runs")
    parser.add_argument("--no-simulator", action="store_true", help="the vans stay where they are")
    return parser.parse_args()


def _folder(options: argparse.Namespace) -> Path:
    """What this run writes. Named by its port, so that a second demo does not wipe the first one's day."""
    return VAR / f"demo-{options.port}"


def _environment(options: argparse.Namespace) -> dict[str, str]:
    base, folder = f"http://127.0.0.1:{options.port}", _folder(options)
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(ROOT),
        "DEMO": "1",
        "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}",
        "MATRIX_DIR": str(folder / "matrices"),
        "MEDIA_ROOT": str(folder / "media"),
        "RUN_DIR": str(folder / "run"),
        "PUBLIC_BASE_URL": base,
        "CLOCK_SPEED": str(options.speed),
        "CLOCK_DOMAIN_START": DAY_START,
        "CLOCK_WALL_START": datetime.now(UTC).isoformat(),
        "TWILIO_API_BASE": f"{base}/demo/twilio",
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "demo-token-of-the-fake-on-this-machine",
        "TWILIO_FROM": "+4232300000",
        "EMAIL_BACKEND": "apps.demo.mail.PhoneInboxBackend",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
    }


def _port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _prepare(options: argparse.Namespace, environment: dict[str, str]) -> None:
    """Roads first, then the day. A day made before from the same sources and seed is copied instead of made again."""
    _manage(environment, "prepare_roads")
    folder = _folder(options)
    shutil.rmtree(folder, ignore_errors=True)
    made = VAR / f"demo-day-{_sources_digest(options.seed)}"
    if made.exists():
        shutil.copytree(made, folder)
        _readdress(folder / "demo.sqlite3", environment["PUBLIC_BASE_URL"])
        return
    print(
        "Making the day: addresses, 600 deliveries, two days of routes. This takes a minute or two, once.", flush=True
    )
    folder.mkdir()
    _manage(environment, "migrate", "--verbosity", "0")
    _manage(environment, "load_demo", "--seed", str(options.seed))
    for old in VAR.glob("demo-day-*"):
        shutil.rmtree(old)
    part = VAR / f"part-of-{made.name}"
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(folder, part)
    part.rename(made)


def _readdress(database: Path, base: str) -> None:
    """Texts on the demo phone carry links; a day that was made for another port gets this one's."""
    with closing(sqlite3.connect(database)) as connection, connection:
        sent = connection.execute(
            "SELECT body FROM demo_phonemessage WHERE body LIKE '%http://127.0.0.1:%/t/%' LIMIT 1"
        )
        row = sent.fetchone()
        if row:
            old = "http://127.0.0.1:" + row[0].split("http://127.0.0.1:", 1)[1].split("/", 1)[0]
            connection.execute("UPDATE demo_phonemessage SET body = replace(body, ?, ?)", (old, base))


def _sources_digest(seed: int) -> str:
    """Changes with the seed and with any line of the product that may shape the day."""
    digest = hashlib.sha256(str(seed).encode())
    for path in sorted((ROOT / "apps").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _manage(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, str(ROOT / "manage.py"), *arguments], env=environment, cwd=ROOT, check=True)


def _serve(options: argparse.Namespace, environment: dict[str, str]) -> int:
    server = [
        *(sys.executable, "-m", "uvicorn", "config.asgi:application", "--lifespan", "on", "--no-access-log"),
        *("--ws-max-size", "4096", "--ws-per-message-deflate", "false"),
        *("--host", "127.0.0.1", "--port", str(options.port), "--log-level", "warning"),
    ]
    commands = [server, [sys.executable, "manage.py", "work"]]
    if not options.no_simulator:
        commands.append([sys.executable, "manage.py", "simulate", "--seed", str(options.seed)])
    children: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            children.append(_start(command, environment))
            if command is server and not _answers(options.port, children[0]):
                print("The web server did not start; its messages stand above.", file=sys.stderr)
                return 1
        print(LINKS.format(base=f"http://127.0.0.1:{options.port}"), flush=True)
        return _watch(children, commands, environment)
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(children)


def _watch(children: list[subprocess.Popen[bytes]], commands: list[list[str]], environment: dict[str, str]) -> int:
    """Restarts a worker that ended; the web server's end is the end."""
    while True:
        time.sleep(1)
        for index, child in enumerate(children):
            if child.poll() is None:
                continue
            if index == 0:
                return child.returncode or 1
            print(f"Restarting {commands[index][2]} (it ended with {child.returncode}).", file=sys.stderr)
            children[index] = _start(commands[index], environment)


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C reaches this process alone, which then stops the others in order.
    return subprocess.Popen(command, env=environment, cwd=ROOT, start_new_session=True, preexec_fn=_die_with_parent)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        parent_death_signal = 1
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGTERM)


def _answers(port: int, child: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and child.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.2)
        else:
            return True
    return False


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _stop(children: list[subprocess.Popen[bytes]]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for child in reversed(children):
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
