"""Draws every state of the shopper's page without a database: python -m tests.browser.preview OUT [--serve PORT].

Writes one HTML file per state into OUT; with --serve it also answers for static files, tiles and a standing van.
"""

import argparse
import json
import os
from datetime import UTC, datetime
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.template.loader import render_to_string  # noqa: E402
from django.utils import translation  # noqa: E402

from apps.core import clock  # noqa: E402
from apps.tracking.offer_words import offer_days  # noqa: E402
from tests.browser.demo import DEMO  # noqa: E402
from tests.browser.flows import FLOWS, offers  # noqa: E402
from tests.browser.pages import BRAND, PAGES, PATHS, TOKEN, ZONE  # noqa: E402

NOON = datetime(2026, 3, 10, 12, 45, tzinfo=UTC)
BRAND_CSS = (
    ":root { --accent: #1f6f5c; --on-accent: #ffffff; }"
    "@media (prefers-color-scheme: dark) { :root { --accent: #5cc9ab; --on-accent: #06140f; } }"
)
DOT = {
    "visible": True,
    "at": "2026-03-10T13:44:30+01:00",
    "lat": 47.1489,
    "lon": 9.5178,
    "heading": 180,
    "path": [[47.1512, 9.5166], [47.1500, 9.5171], [47.1489, 9.5178]],
    "seconds": 6,
    "stale_after": 60,
}


def draw(out: Path, language: str = "en") -> list[str]:
    """Writes the pages; returns their names."""
    out.mkdir(parents=True, exist_ok=True)
    shared = {"brand": BRAND, "token": TOKEN, "paths": PATHS}
    with translation.override(language), clock.frozen(NOON):
        pages = {name: ("tracking/page.html", {"doc": doc, **around(name, doc)}) for name, doc in PAGES.items()}
        pages |= {name: (f"tracking/{template}.html", context()) for name, (template, context) in FLOWS.items()}
        pages |= {"404": ("404.html", {"brand": None}), "500": ("500.html", {})}
        pages |= DEMO
        for name, (template, context) in pages.items():
            (out / f"{name}.html").write_text(render_to_string(template, {**shared, **context}))
    return list(pages)


def around(name: str, doc: dict[str, Any]) -> dict[str, Any]:
    """What the view adds: addresses of pictures, and after a failed stop the first times that fit."""
    proof, failure = doc["proof"] or {}, doc["failure"] or {}
    ids = {"photo": proof.get("photo"), "signature": proof.get("signature"), "failure": failure.get("photo")}
    can_choose = doc["status"] == "failed" and name != "failed_full"
    return {
        "pictures": {picture: f"{PATHS['page']}/proof/{pk}" for picture, pk in ids.items() if pk},
        "days": offer_days(offers()[1:5], ZONE) if can_choose else [],
    }


class Handler(SimpleHTTPRequestHandler):
    """Pages from the folder given, the rest from the project."""

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path == "/static/fixture.css":
            self._send(BRAND_CSS.encode(), "text/css")
        elif path == PATHS["dot"]:
            self._send(json.dumps(DOT).encode(), "application/json")
        elif path == PATHS["state"]:
            self.send_error(304)
        elif "/proof/" in path:
            self._send(Path(__file__).with_name("proof.svg").read_bytes(), "image/svg+xml")
        elif path.startswith("/tiles/"):
            tile = Path(settings.TILES_DIR) / path.removeprefix("/tiles/")
            if tile.is_file():
                self._send(tile.read_bytes(), "application/x-protobuf", ("Content-Encoding", "gzip"))
            else:
                self.send_error(404)
        elif path.startswith("/static/"):
            self.directory = str(settings.BASE_DIR)
            super().do_GET()
        else:
            super().do_GET()

    def _send(self, body: bytes, kind: str, *headers: tuple[str, str]) -> None:
        self.send_response(200)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Quiet."""


def server(out: Path, port: int) -> ThreadingHTTPServer:
    Handler.extensions_map = {**Handler.extensions_map, ".mjs": "text/javascript", ".js": "text/javascript"}
    """`port` 0 takes any that is free."""
    return ThreadingHTTPServer(("127.0.0.1", port), lambda *args: Handler(*args, directory=str(out)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--language", default="en")
    parser.add_argument("--serve", type=int, default=0)
    chosen = parser.parse_args()
    print("\n".join(draw(chosen.out, chosen.language)))
    if chosen.serve:
        server(chosen.out, chosen.serve).serve_forever()
