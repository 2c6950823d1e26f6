"""A process group is not started beside what is left of its predecessor."""

import fcntl
import os
import subprocess
import time
from pathlib import Path

import pytest

from apps.events.groups import Group

pytestmark = pytest.mark.kills


def group_of(folder: Path, command: list[str]) -> Group:
    return Group("pool", command, folder, {"DATABASE_URL": f"sqlite:///{folder}/empty.sqlite3"})


def leave_an_orphan(lock_file: Path) -> subprocess.Popen[bytes]:
    """A process in a group of its own that holds the lock, as a pool does whose supervisor and parent are gone."""
    lock = os.open(lock_file, os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    orphan = subprocess.Popen(["sleep", "60"], start_new_session=True, pass_fds=[lock])
    os.pwrite(lock, f"{orphan.pid}\n".encode(), 0)
    os.close(lock)
    return orphan


def test_orphans_are_cleared_away_before_a_start(tmp_path: Path) -> None:
    orphan = leave_an_orphan(tmp_path / "pool.lock")
    group = group_of(tmp_path, ["health"])
    try:
        group.start()
        assert orphan.wait(5) == -9
        assert (tmp_path / "pool.lock").exists()
    finally:
        group.kill()
        orphan.kill()


def test_a_group_that_has_ended_is_not_killed_again(tmp_path: Path) -> None:
    """Its number may belong to somebody else by then."""
    group = group_of(tmp_path, ["no-such-command"])
    group.start()
    ends = time.monotonic() + 30
    while group.is_alive() and time.monotonic() < ends:
        time.sleep(0.05)
    assert not group.is_alive()
    group.kill()
    group.ask_to_stop()


def test_a_killed_group_frees_its_lock(tmp_path: Path) -> None:
    group = group_of(tmp_path, ["sweep", "--lane", "slow"])
    group.start()
    assert group.is_alive()
    group.kill()
    assert not group.is_alive()
    lock = os.open(tmp_path / "pool.lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(lock)
