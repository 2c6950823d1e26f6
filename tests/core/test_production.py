"""Production starts with a right environment and with no wrong one."""

import pytest

from tests.core.environment import RIGHT, load_settings, manage


@pytest.mark.covers("GS2")
def test_a_right_environment_has_no_deployment_warning() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


WRONG: dict[str, tuple[dict[str, str | None], str]] = {
    "debug": ({"DEBUG": "1"}, "DEBUG must be off"),
    "the demo": ({"DEMO": "1"}, "DEMO must be off"),
    "no secret": ({"SECRET_KEY": None}, "SECRET_KEY must be set"),
    "a short secret": ({"SECRET_KEY": "kQ7-zx" * 8}, "SECRET_KEY must be set"),
    "no link key": ({"LINK_KEY": None}, "LINK_KEY must be set"),
    "a short link key": ({"LINK_KEY": "short"}, "LINK_KEY must be set"),
    "no field key": ({"FIELD_KEYS": None}, "FIELD_KEYS must be set"),
    "one short field key": ({"FIELD_KEYS": "f9" * 20 + ",old"}, "FIELD_KEYS must be set"),
    "one key for all": ({"LINK_KEY": RIGHT["SECRET_KEY"]}, "must differ from SECRET_KEY"),
    "every host": ({"ALLOWED_HOSTS": "track.example.com,*"}, "ALLOWED_HOSTS must name"),
    "no host": ({"ALLOWED_HOSTS": None}, "ALLOWED_HOSTS must name"),
    "plain http": ({"PUBLIC_BASE_URL": "http://track.example.com"}, "PUBLIC_BASE_URL must be an https address"),
    "webhooks to ourselves": ({"WEBHOOKS_MAY_CALL_LOOPBACK": "1"}, "WEBHOOKS_MAY_CALL_LOOPBACK must be off"),
    "a word for a switch": ({"DEBUG": "maybe"}, "DEBUG must be true or false"),
    "a word for a number": ({"PROXY_HOPS": "one"}, "PROXY_HOPS must be a whole number"),
}


@pytest.mark.covers("GS2")
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_environment_is_refused_in_words(name: str) -> None:
    changes, words = WRONG[name]
    done = load_settings(**changes)
    assert done.returncode != 0
    assert words in done.stderr
    assert RIGHT["SECRET_KEY"] not in done.stderr + done.stdout


@pytest.mark.covers("GS2")
def test_several_processes_without_shared_throttles_are_warned_of() -> None:
    postgres = "postgres://doorstep@db.invalid/doorstep"
    alone = manage("check", "--deploy", "--fail-level", "WARNING", DATABASE_URL=postgres)
    assert alone.returncode != 0
    assert "REDIS_URL" in alone.stderr
    shared = manage("check", "--deploy", "--fail-level", "WARNING", DATABASE_URL=postgres, REDIS_URL="redis://r/0")
    assert shared.returncode == 0, shared.stderr
