"""Settings from the environment that fail loudly instead of guessing."""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
_env = environ.Env()


def env_bool(name: str, default: bool) -> bool:
    value = env_str(name, str(default)).strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")


def env_int(name: str, default: int) -> int:
    value = env_str(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None


def env_str(name: str, default: str = "") -> str:
    return str(_env.str(name, default=default))


def env_list(name: str, default: str = "") -> list[str]:
    return [item.strip() for item in env_str(name, default).split(",") if item.strip()]


def env_path(name: str, default: str) -> Path:
    """A path; a relative one is taken from the project's root."""
    return BASE_DIR / env_str(name, default)


def env_database(name: str, default: str) -> dict[str, object]:
    """Django's DATABASES entry for a URL, SQLite tuned so that concurrent writers wait instead of failing."""
    config: dict[str, object] = dict(_env.db(name, default=default))
    if str(config["ENGINE"]).endswith("sqlite3"):
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;"
                "PRAGMA mmap_size=134217728; PRAGMA journal_size_limit=27103364; PRAGMA cache_size=-16000;"
            ),
        }
    else:
        # No psycopg pool: qcluster forks, and forked processes would read each other's answers.
        config["CONN_MAX_AGE"] = 60
        config["CONN_HEALTH_CHECKS"] = True
    return config
