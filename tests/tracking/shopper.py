"""A shopper without JavaScript: opens pages, follows links, fills in forms, and sees only the HTML."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

from django.test import Client


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Page(HTMLParser):
    """Links, forms and the words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._form: Form | None = None
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "form":
            self._form = Form(values.get("action", ""), values.get("method", "get"))
            self.forms.append(self._form)
        elif self._form is not None and "disabled" not in values:
            self._control(tag, values)

    def _control(self, tag: str, values: dict[str, str]) -> None:
        assert self._form is not None
        name, value = values.get("name", ""), values.get("value", "")
        if tag == "button":
            self._form.buttons.append((name, value))
        elif tag == "textarea":
            self._area = name
            self._form.fields[name] = ""
        elif tag == "input" and (values.get("type") != "radio" or "checked" in values):
            self._form.fields[name] = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area and self._form is not None:
            self._form.fields[self._area] += data.lstrip("\n")
        self.words.append(data)


class Shopper:
    """Keeps the browser's state: where it is, its cookies, what it shows. CSRF is enforced, as in a browser."""

    def __init__(self, token: str) -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.address = self.page_address = f"/t/{token}"
        self.status = 0
        self._show(self.client.get(self.address, follow=True))

    def _show(self, answer: object) -> "Shopper":
        chain = getattr(answer, "redirect_chain", [])
        if chain:
            self.address = urljoin(self.address, chain[-1][0])
        self.status = answer.status_code  # type: ignore[attr-defined]
        page = _Page()
        page.feed(answer.content.decode())  # type: ignore[attr-defined]
        self.links, self.forms = page.links, page.forms
        self.text = re.sub(r"\s+", " ", " ".join(page.words))
        return self

    def open(self, address: str) -> "Shopper":
        self.address = urljoin(self.address, address)
        return self._show(self.client.get(self.address, follow=True))

    def follow(self, ending: str) -> "Shopper":
        """Follows the first link whose address matches the pattern."""
        found = [link for link in self.links if re.search(ending, link)]
        assert found, f"no link like {ending} among {self.links}"
        return self.open(found[0])

    def send(self, form: int = 0, **typed: str) -> "Shopper":
        """Sends a form of the page as it stands, with what was typed, by its first button."""
        chosen = self.forms[form]
        data = {**chosen.fields, **dict(chosen.buttons[:1]), **typed}
        self.address = urljoin(self.address, chosen.action or self.address)
        return self._show(self.client.post(self.address, {k: v for k, v in data.items() if k}, follow=True))
