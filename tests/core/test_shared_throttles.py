"""Several web processes count tries together when they share a Redis, and apart when they do not."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# An hour-long window, so that two processes started one after the other meet in the same one.
ONE_PROCESS = """
import django
django.setup()
from apps.core.errors import Throttled
from apps.core.throttles import count_try
for _ in range(3):
    try:
        count_try("link", "198.51.100.7", limit=4, seconds=3600)
        print("let in")
    except Throttled:
        print("told to wait")
"""


def answers(**environment: str) -> list[str]:
    """What one fresh web process says to three tries of one address, of which four an hour are allowed."""
    settings = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(ROOT)} | environment
    made = subprocess.run([sys.executable, "-c", ONE_PROCESS], env=settings, capture_output=True, text=True, check=True)
    return made.stdout.splitlines()


def test_processes_that_share_a_redis_count_together(redis_url: str) -> None:
    assert answers(REDIS_URL=redis_url) == ["let in"] * 3
    assert answers(REDIS_URL=redis_url) == ["let in", "told to wait", "told to wait"]


def test_without_it_each_process_counts_for_itself() -> None:
    assert answers(REDIS_URL="") == ["let in"] * 3
    assert answers(REDIS_URL="") == ["let in"] * 3
