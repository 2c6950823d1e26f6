"""Keeps the one secret that lives in a URL, and codes, out of every log line."""

import logging
import re

# Paths whose next segment is a secret: tracking links, hand-out links, device links. Also when they are quoted (%2F).
SECRET_PATH = re.compile(r"((?:/|%2F)(?:t|point|enter)(?:/|%2F))[A-Za-z0-9_\-%=.~]{8,}", re.IGNORECASE)


# A tracker's id is a secret too, and its protocol puts it into the query.
SECRET_QUERY = re.compile(r"(/ingest/[^\s\"']*?[?&](?:id|deviceid)=)[^&\s\"']+", re.IGNORECASE)


def scrub(text: str) -> str:
    return SECRET_QUERY.sub(r"\1***", SECRET_PATH.sub(r"\1***", text))


class ScrubSecrets(logging.Filter):
    """Rewrites the finished message, so that arguments are covered as well."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            # One by one, because some formatters (uvicorn's access log) count them.
            record.args = tuple(scrub(value) if isinstance(value, str) else value for value in record.args)
        message = record.getMessage()
        scrubbed = scrub(message)
        if scrubbed != message:
            record.msg, record.args = scrubbed, ()
        return True


class ScrubbedFormatter(logging.Formatter):
    """Scrubs the whole line, so that tracebacks and what a library puts into them are covered too."""

    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))
