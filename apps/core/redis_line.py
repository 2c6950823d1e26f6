"""Wake-ups through Redis. Imported only where REDIS_URL is set: the package is an extra."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from time import monotonic

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = logging.getLogger(__name__)

# A writer waits no longer than this for a Redis that does not answer, and then leaves it alone for a while.
_PUBLISH_SECONDS, _LEFT_ALONE_SECONDS = 0.2, 5.0
_CONNECT_SECONDS = 5.0
_silent_until = 0.0


def publish(channel: str, message: str) -> None:
    """Never raises: readers poll."""
    global _silent_until
    if monotonic() < _silent_until:
        return
    try:
        _publisher(settings.REDIS_URL).publish(channel, message)
    except (RedisError, OSError) as error:
        _silent_until = monotonic() + _LEFT_ALONE_SECONDS
        log.info("No wake-ups through Redis for now: %s", type(error).__name__)


class RedisLine:
    """Subscribed to these channels. Raises OSError when the connection is broken: who listens must know of gaps."""

    def __init__(self, channels: Sequence[str]) -> None:
        # Silence is no fault here; a dead connection shows itself by the unanswered ping of the health check.
        self._client = Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=_CONNECT_SECONDS,
            health_check_interval=10,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        self._talk = self._client.pubsub(ignore_subscribe_messages=False)
        self._early: list[tuple[str, str]] = []
        try:
            with _as_os_errors():
                self._talk.subscribe(*channels)
                self._await_confirmation(len(channels))
        except OSError:
            self.close()
            raise

    def _await_confirmation(self, channels: int) -> None:
        """Only what is published from here on is heard."""
        ends = monotonic() + _CONNECT_SECONDS
        while channels and monotonic() < ends:
            message = self._talk.get_message(timeout=_CONNECT_SECONDS)
            if message is not None and message["type"] == "subscribe":
                channels -= 1
            elif message is not None and message["type"] == "message":
                self._early.append((message["channel"], message["data"]))
        if channels:
            raise TimeoutError

    def heard(self, seconds: float) -> list[tuple[str, str]]:
        found, self._early = self._early, []
        with _as_os_errors():
            message = self._talk.get_message(timeout=0 if found else seconds)
            while message is not None:
                if message["type"] == "message":
                    found.append((message["channel"], message["data"]))
                message = self._talk.get_message(timeout=0)
        return found

    def close(self) -> None:
        self._talk.close()
        self._client.close()


@contextmanager
def _as_os_errors() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise ConnectionError(type(error).__name__) from error


@cache
def _publisher(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=_PUBLISH_SECONDS,
        socket_connect_timeout=_PUBLISH_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
