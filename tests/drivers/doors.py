"""One HTTP request to the embedded server's application, without a server."""

import json
from dataclasses import dataclass
from typing import Any

from asgiref.testing import ApplicationCommunicator


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


async def ask(
    method: str,
    path: str,
    body: Any = b"",
    *,
    headers: dict[str, str] | None = None,
    kind: str = "application/json",
    address: str = "127.0.0.1",
) -> Answer:
    from config.asgi import application

    path, _question, query = path.partition("?")
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"host": "localhost", "content-type": kind, "content-length": str(len(sent)), **(headers or {})}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in lines.items()],
        "client": (address, 50_000),
        "server": ("localhost", 80),
    }
    talk = ApplicationCommunicator(application, scope)
    await talk.send_input({"type": "http.request", "body": sent, "more_body": False})
    start = await talk.receive_output(20)
    parts = []
    while True:
        message = await talk.receive_output(20)
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    found = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], found, b"".join(parts))
