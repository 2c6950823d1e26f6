"""What a person does with a tracking page, and what they see of it."""

import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.journeys.processes import Town, until

AXE = (Path(__file__).parent.parent / "fixtures" / "axe" / "axe.min.js").read_text()
RUN_AXE = """() => axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})"""
# Notes when the headline changed, and survives only as long as the page is not loaded anew.
WATCH = """() => {
  window.notReloaded = true;
  window.heard = [];
  const note = () => {
    const words = document.getElementById("answer").textContent.trim();
    if (window.heard.at(-1)?.words !== words) window.heard.push({ words, at: Date.now() });
  };
  note();
  new MutationObserver(note).observe(document.querySelector("[data-live]"), { childList: true, subtree: true });
}"""
WIDTHS = """[document.documentElement, ...document.querySelectorAll("dialog[open]")].map((e) => e.scrollWidth)"""
SLOW = 30_000


class Shopper:
    """One person's browser, open on their own page."""

    def __init__(self, town: Town, context: BrowserContext, person: dict[str, Any], *, script: bool) -> None:
        self.town, self.person = town, person
        self.wrong: list[str] = []
        self.polls: list[str] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(SLOW)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda line: self.wrong.append(line.text) if "Security Policy" in line.text else None)
        self.page.on("request", lambda asked: self.polls.append(asked.url) if "/state" in asked.url else None)
        # The map is heavy without a graphics card and has its own tests.
        self.page.route("**/vendor/maplibre/*.mjs", lambda route: route.abort())
        with self.page.expect_websocket() if script else nullcontext():
            self.page.goto(town.base + person["path"])

    @property
    def sheet(self) -> Locator:
        return self.page.locator("dialog")

    @property
    def headline(self) -> Locator:
        return self.page.locator("#answer")

    def now(self) -> dict[str, Any]:
        """This delivery as the database has it."""
        found: dict[str, Any] = self.town.ask("person", delivery=self.person["id"])
        return found

    def watch(self) -> None:
        self.page.evaluate(WATCH)

    def heard(self) -> list[dict[str, Any]]:
        """The headlines since `watch()`, with the wall's milliseconds; fails when the page was loaded anew."""
        assert self.page.evaluate("window.notReloaded"), "The page was loaded anew."
        heard: list[dict[str, Any]] = self.page.evaluate("window.heard")
        return heard

    def choose_time(self, day: str, *, nth: int = 0) -> str:
        """Opens the offers, takes one of that day's; the summary is shown. Returns the window's words."""
        self.page.locator("#action-time").click()
        expect(self.sheet.locator("h1")).to_have_text("When should we come?", timeout=SLOW)
        offers = self.sheet.locator("section.day", has=self.page.get_by_role("heading", name=re.compile(day)))
        offer = offers.locator("a.offer").nth(nth)
        words = offer.locator(".offer__range").inner_text()
        offer.click()
        expect(self.sheet.locator("h1")).to_contain_text("Come ", timeout=SLOW)
        return words

    def confirm(self, label: str = "Confirm the new time") -> None:
        self.sheet.get_by_role("button", name=label).click()

    def texts(self, wanted: str) -> list[str]:
        """What lies on this person's phone and holds those words."""
        return [text for text in self.town.ask("texts", phone=self.person["phone"]) if wanted in text]

    def code_on_phone(self, browser: Browser, *, after: int) -> str:
        """Reads the newest code from the demo phone's page, once there are more than `after` of them."""
        until(lambda: len(self.texts("is your code")) > after, "a code lies on the phone")
        phone = browser.new_page()
        phone.goto(f"{self.town.base}/demo/phone?to={self.person['phone'].replace('+', '%2B')}")
        newest = phone.locator("article", has_text="is your code").first.inner_text()
        phone.close()
        found = re.search(r"\b\d{6}\b", newest)
        assert found, newest
        return found.group()

    def check(self, step: str, width: int) -> None:
        """Nothing sticks out sideways, and axe has nothing serious to say."""
        sizes = self.page.evaluate(
            "[document.documentElement, ...document.querySelectorAll('dialog[open]')].map(e => e.scrollWidth)"
        )
        assert max(sizes) <= width, (step, sizes)
        self.page.evaluate(AXE)
        for problem in self.page.evaluate(RUN_AXE)["violations"]:
            where = [node["html"][:120] for node in problem["nodes"]][:3]
            assert problem["impact"] not in ("serious", "critical"), (step, problem["id"], where)
