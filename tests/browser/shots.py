"""Takes pictures of pages: python -m tests.browser.shots URL_PREFIX OUT NAME... [--widths 390] [--schemes light]."""

import argparse
from pathlib import Path

from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-component-update",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
HEIGHTS = {320: 640, 390: 844, 1280: 800}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prefix")
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--widths", default="390")
    parser.add_argument("--schemes", default="light")
    parser.add_argument("--wait", type=int, default=400)
    parser.add_argument("--fold", action="store_true", help="only what is seen without scrolling")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for width in map(int, chosen.widths.split(",")):
            for scheme in chosen.schemes.split(","):
                size = {"width": width, "height": HEIGHTS.get(width, 800)}
                context = browser.new_context(viewport=size, color_scheme=scheme, device_scale_factor=1)
                tab = context.new_page()
                tab.on("console", lambda m: m.type in ("error", "warning") and print("  console:", m.text[:200]))
                tab.on("pageerror", lambda e: print("  error:", e))
                for name in chosen.names:
                    tab.goto(f"{chosen.prefix}/{name}", wait_until="load")
                    tab.wait_for_timeout(chosen.wait)
                    path = chosen.out / f"{name.replace('/', '_')}-{width}-{scheme}.png"
                    tab.screenshot(path=path, full_page=not chosen.fold)
        browser.close()


if __name__ == "__main__":
    main()
