"""Every sentence a shopper may read is there in every shipped language, whole, and compiled.

`make messages` takes up new sentences; this file then says which still want translating.
"""

import ast
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation
from django.utils.translation import ngettext
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = [code for code, _name in settings.LANGUAGES if code != "en"]
SHOPPERS = re.compile(
    r"apps/(core|deliveries|feedback|instructions|notifications|redirection|rescheduling|tracking)/"
    r"|apps/routing/words\b|templates/(tracking|notifications)/|templates/[^/]+$"
)
# What staff and operators read.
STAFF = re.compile(r"admin\.py$|management/|(core/checks|(deliveries|notifications|redirection|tracking)/models)\.py$")
PLACEHOLDER = re.compile(r"%%?\(\w+\)[sd]|%\(\w+\)\.\d+f|\{\w+\}|</?\w+[^>]*>")
CALLS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext"}


def is_for_shoppers(path: str) -> bool:
    return bool(SHOPPERS.match(path)) and not STAFF.search(path)


def catalogue(language: str) -> Catalog:
    with (ROOT / "locale" / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=language)


def compiled(language: str) -> GNUTranslations:
    with (ROOT / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        return GNUTranslations(file)


def sentences() -> dict[str, str]:
    """Every sentence of the shopper's faces as the sources have it -> where."""
    found = {}
    for path in sorted([*(ROOT / "apps").rglob("*.py"), *(ROOT / "templates").rglob("*.*")]):
        name = str(path.relative_to(ROOT))
        if is_for_shoppers(name) and "migrations" not in path.parts:
            read = _in_python if path.suffix == ".py" else _in_template
            found |= dict.fromkeys(read(path.read_text()), name)
    return found


def _in_python(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in CALLS and isinstance(node.args[0].value, str):
                yield node.args[0].value


def _in_template(text: str) -> Iterator[str]:
    for quoted in re.findall(r"""\b(?:n?gettext|_)\(u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", templatize(text)):
        yield ast.literal_eval(quoted)


def strings_of(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


@pytest.mark.covers("T18")
@pytest.mark.parametrize("language", SHIPPED)
def test_no_sentence_a_shopper_may_read_is_missing_or_guessed(language: str) -> None:
    known = catalogue(language)
    missing = []
    for sentence, where in sentences().items():
        message = known.get(sentence)
        if message is None or message.fuzzy or not all(strings_of(message)):
            missing.append(f"{where}: {sentence}")
    assert not missing, "\n".join(missing)


def test_the_sources_are_really_read() -> None:
    """The control of the test above: sentences of each kind of source are among those it looks for."""
    found = sentences()
    assert len(found) > 450
    for sentence, where in (
        ("Change the time", "apps/tracking/action_words.py"),
        ("%(n)d stop away", "apps/tracking/hero_words.py"),
        ("Is this message real?", "templates/tracking/_footer.html"),
        ("Something is damaged", "apps/feedback/models.py"),
        ("nobody answered the door", "apps/deliveries/words.py"),
        ("%(merchant)s: your order %(reference)s has been delivered.", "templates/notifications/delivered.sms.txt"),
    ):
        assert found[sentence] == where


@pytest.mark.covers("T18")
@pytest.mark.parametrize("language", SHIPPED)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    known, runs = catalogue(language), compiled(language)
    old = []
    for message in known:
        if not message.id or message.fuzzy or not all(strings_of(message)):
            continue
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        for index, text in enumerate(strings_of(message)):
            key: Any = ids[0] if len(ids) == 1 else (ids[0], index)
            if runs._catalog.get(key) != text:  # type: ignore[attr-defined]
                old.append(ids[0])
    assert not old, f"make messages: {old}"


@pytest.mark.parametrize("language", SHIPPED)
def test_placeholders_and_tags_are_whole(language: str) -> None:
    """A form for exactly none, one or two may leave the number out."""
    broken = []
    for message in catalogue(language):
        if not message.id or not all(strings_of(message)):
            continue
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        wanted = sorted(PLACEHOLDER.findall(ids[-1]))
        for index, text in enumerate(strings_of(message)):
            there = sorted(PLACEHOLDER.findall(text))
            may_drop = len(ids) > 1 and index < len(strings_of(message)) - 1 and set(there) <= set(wanted)
            if there != wanted and not may_drop:
                broken.append(text)
    assert not broken


@pytest.mark.covers("T18")
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", {1: "1 stop away", 2: "2 stops away"}),
        ("de", {1: "Noch 1 Halt", 2: "Noch 2 Halte"}),
        ("fr", {0: "encore 0 arrêt", 1: "encore 1 arrêt", 2: "encore 2 arrêts"}),
        ("pt", {1: "falta 1 paragem", 3: "faltam 3 paragens"}),
        (
            "pl",
            {
                1: "jeszcze 1 przystanek",
                2: "jeszcze 2 przystanki",
                4: "jeszcze 4 przystanki",
                5: "jeszcze 5 przystanków",
                12: "jeszcze 12 przystanków",
                22: "jeszcze 22 przystanki",
                25: "jeszcze 25 przystanków",
            },
        ),
        (
            "ar",
            {
                0: "أنت التالي",
                1: "بقي توقف واحد",
                2: "بقي توقفان",
                3: "بقيت 3 توقفات",
                10: "بقيت 10 توقفات",
                11: "بقي 11 توقفًا",
                99: "بقي 99 توقفًا",
                100: "بقي 100 توقف",
                103: "بقيت 103 توقفات",
            },
        ),
    ],
)
def test_numbers_take_the_form_their_language_wants(language: str, words: dict[int, str]) -> None:
    with translation.override(language):
        said = {n: ngettext("%(n)d stop away", "%(n)d stops away", n) % {"n": n} for n in words}
    assert {n: text.lower() for n, text in said.items()} == {n: text.lower() for n, text in words.items()}
