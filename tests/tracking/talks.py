"""A socket's other end in tests (channels.testing itself needs daphne, which nothing else here does)."""

import json
from typing import Any

from asgiref.testing import ApplicationCommunicator


class Talk(ApplicationCommunicator):
    def __init__(self, application: Any, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        scope = {
            "type": "websocket",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": headers,
            "subprotocols": [],
            "client": ("127.0.0.1", 50_000),
        }
        super().__init__(application, scope)

    async def connect(self, timeout: float = 15) -> bool:
        """Whether the other side let us in."""
        await self.send_input({"type": "websocket.connect"})
        return bool((await self.receive_output(timeout))["type"] == "websocket.accept")

    async def say(self, text: str | None = None, data: bytes | None = None) -> None:
        await self.send_input({"type": "websocket.receive", "text": text, "bytes": data})

    async def hear(self, kind: str | None = None, timeout: float = 10) -> dict[str, Any]:
        """The next message (of this kind)."""
        while True:
            output = await self.receive_output(timeout)
            assert output["type"] == "websocket.send", output
            message: dict[str, Any] = json.loads(output["text"])
            if kind in (None, message["type"]):
                return message

    async def closing_code(self, timeout: float = 10) -> int:
        while True:
            output = await self.receive_output(timeout)
            if output["type"] == "websocket.close":
                return int(output["code"])

    async def leave(self, timeout: float = 15) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout)
