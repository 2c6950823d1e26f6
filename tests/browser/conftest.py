"""A browser of this folder's own: Playwright's event loop must not outlive it, or Django refuses the tests after it."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import databases


@pytest.fixture(scope="package", autouse=True)
def asked_from_playwrights_loop() -> Iterator[None]:
    """The tests themselves run inside that loop."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # The map needs WebGL, which a machine without a graphics card draws in software.
        args = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        found = playwright.chromium.launch(executable_path=databases.chromium(), args=args)
        yield found
        found.close()
