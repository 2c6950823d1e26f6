"""How `manage.py work` starts each of its processes: python -m apps.events.child LOCK_FD PARENT_PID command [args...]

Every process of the group dies with its parent, and all of them hold one open file lock; the lock is free only when no
process of the group lives.
"""

import ctypes
import os
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1


def die_with(parent: int) -> None:
    """Asks the kernel to kill this process when `parent` ends, and ends at once if it has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def let_forks_die_along() -> None:
    """The kernel forgets the request at fork; without this a killed parent leaves its pool at work for ever."""
    forking = [0]

    def remember() -> None:
        forking[0] = os.getpid()

    os.register_at_fork(before=remember, after_in_child=lambda: die_with(forking[0]))


def main() -> None:
    lock, parent, *command = sys.argv[1:]
    die_with(int(parent))
    let_forks_die_along()
    # The record a later supervisor needs to clear this group away; written by the group itself, so it is never stale.
    os.pwrite(int(lock), f"{os.getpgrp()}\n".encode(), 0)
    sys.argv = ["manage.py", *command]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
