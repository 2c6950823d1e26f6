"""Keeps the one secret that lives in a URL, and codes, out of every log line."""

import logging
import re

# Paths whose next segment is a secret: tracking links, hand-out links, device links.
SECRET_PATH = re.compile(r"(/(?:t|ws/t|point|enter)/)[A-Za-z0-9_\-%]{8,}")


def scrub(text: str) -> str:
    return SECRET_PATH.sub(r"\1***", text)


class ScrubSecrets(logging.Filter):
    """Rewrites the finished message, so that arguments are covered as well."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        scrubbed = scrub(message)
        if scrubbed != message:
            record.msg, record.args = scrubbed, ()
        return True
