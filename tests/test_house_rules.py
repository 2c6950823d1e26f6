"""Rules of the house that no linter knows."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path
    for folder in ("apps", "config", "benchmarks", "tests", "docs", "deploy")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts
)
PRODUCT = [path for path in SOURCES if path.relative_to(ROOT).parts[0] in {"apps", "config"}]
ROW = re.compile(r"^\| ([A-Z]+\d+) \| [^|]* \| (works|partly|not yet) \| (.*?) ?\|$", re.MULTILINE)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_files_and_functions_stay_small() -> None:
    """A file of 400 lines or a function of 60 has more than one thing to say."""
    too_long = [named(path) for path in SOURCES if len(path.read_text().splitlines()) > 400]
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > 60:
                    too_long.append(f"{named(path)}: {node.name} ({lines})")
    assert not too_long


def test_no_file_has_a_name_that_says_nothing() -> None:
    empty_names = {"utils.py", "helpers.py", "common.py", "misc.py"}
    assert not [named(path) for path in SOURCES if path.name in empty_names]


def test_only_the_clock_reads_the_time() -> None:
    """Anything else would stand still when the demo's clock runs or a test freezes it."""
    reads = {("datetime", "now"), ("datetime", "utcnow"), ("timezone", "now"), ("time", "time"), ("date", "today")}
    found = []
    for path in PRODUCT:
        if named(path) in {"apps/core/clock.py", "apps/demo/run.py"}:  # the launcher sets the clock going
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if (node.value.id, node.attr) in reads:
                    found.append(f"{named(path)}:{node.lineno}")
            elif isinstance(node, ast.Name) and node.id in {"localdate", "localtime"}:
                found.append(f"{named(path)}:{node.lineno}")
    assert not found


def test_no_model_signals_and_no_broad_excepts() -> None:
    signals = re.compile(r"\b(?:pre|post)_(?:save|delete|init)\b|m2m_changed")
    broad = re.compile(r"except(?: Exception| BaseException)?(?: as \w+)?:")
    allowed = {"apps/events/tasks.py", "apps/events/services.py", "apps/events/sweeping.py"}
    found = []
    for path in PRODUCT:
        text = path.read_text()
        if signals.search(text):
            found.append(f"{named(path)}: model signal")
        if broad.search(text) and named(path) not in allowed and path.name != "consumers.py":
            found.append(f"{named(path)}: broad except")
    assert not found


def test_every_app_has_a_door_sign() -> None:
    """Four to six lines at each app's door: what it holds, announces, hears."""
    for folder in sorted((ROOT / "apps").iterdir()):
        if (folder / "__init__.py").exists():
            sign = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
            assert sign, named(folder)
            assert len(sign.splitlines()) <= 6, named(folder)


def _states() -> dict[str, tuple[str, str]]:
    text = (ROOT / "docs" / "features.md").read_text()
    return {row[0]: (row[1], row[2].strip()) for row in ROW.findall(text)}


def _covered() -> dict[str, set[str]]:
    covered: dict[str, set[str]] = {}
    mark = re.compile(r"mark\.covers\(([^)]*)\)", re.DOTALL)
    for path in (ROOT / "tests").rglob("test_*.py"):
        for arguments in mark.findall(path.read_text()):
            for feature in re.findall(r"[\"']([A-Z]+\d+)[\"']", arguments):
                covered.setdefault(feature, set()).add(named(path))
    return covered


def test_features_page_agrees_with_the_tests() -> None:
    """What the page says works has a test, what a test covers is not called missing, and every id is known."""
    states, covered = _states(), _covered()
    assert len(states) >= 180
    unknown = {feature for feature in covered if feature not in states and not re.match(r"G[PRS]\d+$", feature)}
    assert not unknown, f"not in docs/features.md: {sorted(unknown)}"
    untested = [feature for feature, (state, _) in states.items() if state == "works" and feature not in covered]
    assert not untested, f"said to work, but no test covers: {untested}"
    denied = [feature for feature, (state, _) in states.items() if state == "not yet" and feature in covered]
    assert not denied, f"called missing, but a test covers: {denied}"
    silent = [feature for feature, (state, where) in states.items() if state != "not yet" and not where]
    assert not silent, f"no place or gap named: {silent}"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 120


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_locks_are_hashed_and_name_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "--hash=sha256:" in text
    assert "://" not in text
    assert "--index" not in text
