"""Takes the README's two pictures from a running demo: `make screenshots`, or python docs/take_screenshots.py --port N.

Without --port it starts a demo of its own on a free port and stops it afterwards. Needs Chromium (CHROMIUM overrides).
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
START_SECONDS = 300
PHONE = {"width": 390, "height": 844}
# The map needs WebGL, which a machine without a graphics card draws in software.
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, help="of a demo that runs already")
    port = parser.parse_args().port
    if port:
        take(f"http://127.0.0.1:{port}")
        return
    with demo() as base:
        take(base)


@contextmanager
def demo() -> Iterator[str]:
    """A demo at a walking pace, so that nothing has moved on while the picture is taken."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "apps.demo.run", "--port", str(port), "--speed", "5"]
    running = subprocess.Popen(command, cwd=ROOT)
    base = f"http://127.0.0.1:{port}"
    try:
        _wait_for(base, running)
        yield base
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(30)


def take(base: str) -> None:
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=ARGUMENTS)
        _take_tracking(browser, base)
        _take_phone(browser, base)
        browser.close()


def _take_tracking(browser: Browser, base: str) -> None:
    """A shopper's page with the van on the real map."""
    page = _page(browser)
    page.goto(base)
    page.locator("a.feature").click()
    page.locator(".pin--van").wait_for(timeout=90_000)
    page.wait_for_load_state("networkidle", timeout=60_000)
    # Tiles fade in, and the van takes its place on the road.
    page.wait_for_timeout(3_000)
    _save(page, "tracking")


def _take_phone(browser: Browser, base: str) -> None:
    """The phones with somebody's code on top."""
    shopper = _page(browser)
    shopper.goto(base)
    shopper.locator("a.tile", has_text="Planned").first.click()
    shopper.locator("#action-place").click()
    shopper.locator("dialog button[value=sms]").click()
    shopper.locator("#code").wait_for()
    page = _page(browser)
    page.goto(f"{base}/demo/phone")
    page.locator("article", has_text="is your code").or_(page.locator("article", has_text="Ihr Code")).first.wait_for(
        timeout=60_000
    )
    _save(page, "phone")


def _page(browser: Browser) -> Page:
    context = browser.new_context(viewport=PHONE, device_scale_factor=2, color_scheme="light")  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(30_000)
    return page


def _save(page: Page, name: str) -> None:
    file = IMAGES / f"{name}.png"
    page.screenshot(path=file)
    print(f"{file.relative_to(ROOT)} ({file.stat().st_size // 1024} kB)")


def _wait_for(base: str, running: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends and running.poll() is None:
        try:
            urllib.request.urlopen(base, timeout=5).close()
            return
        except (URLError, TimeoutError, ConnectionError):
            time.sleep(0.3)
    raise SystemExit("The demo did not start; its messages stand above.")


def _chromium() -> str:
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        raise SystemExit("Pictures need Chromium. Install it or name one: CHROMIUM=/path/to/chromium make screenshots")
    return found


if __name__ == "__main__":
    main()
