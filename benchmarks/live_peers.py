"""What the live road is compared with, each as its own server: `python -m benchmarks.live_peers KIND PORT`.

channels: a consumer on the stock in-memory layer, under uvicorn. websockets: the bare library with broadcast().
A page opens /<van>; whoever posts `{"van": n, "text": ...}` to / (channels) or says it to /say (websockets) publishes.
"""

import asyncio
import json
import sys
from collections import defaultdict
from typing import Any


def channels_application() -> Any:
    from channels.generic.websocket import AsyncWebsocketConsumer
    from channels.layers import get_channel_layer
    from django.conf import settings

    settings.configure(CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}})

    class Consumer(AsyncWebsocketConsumer):
        async def connect(self) -> None:
            self.van = f"van-{self.scope['path'].strip('/')}"
            await self.channel_layer.group_add(self.van, self.channel_name)
            await self.accept()

        async def disconnect(self, code: int) -> None:
            await self.channel_layer.group_discard(self.van, self.channel_name)

        async def dot(self, event: dict[str, Any]) -> None:
            await self.send(text_data=event["text"])

    consumer = Consumer.as_asgi()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await consumer(scope, receive, send)
        elif scope["type"] == "http":
            body = b""
            while (message := await receive())["type"] == "http.request":
                body += message["body"]
                if not message.get("more_body"):
                    break
            told = json.loads(body)
            layer = get_channel_layer()
            assert layer is not None
            await layer.group_send(f"van-{told['van']}", {"type": "dot", "text": told["text"]})
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    return application


async def bare_websockets(port: int) -> None:
    from websockets.asyncio.server import ServerConnection, broadcast, serve

    vans: dict[str, set[ServerConnection]] = defaultdict(set)

    async def talk(connection: ServerConnection) -> None:
        path = connection.request.path if connection.request else ""
        if path == "/say":
            async for line in connection:
                told = json.loads(line)
                broadcast(vans[f"/{told['van']}"], told["text"])
            return
        vans[path].add(connection)
        try:
            await connection.wait_closed()
        finally:
            vans[path].discard(connection)

    async with serve(talk, "127.0.0.1", port, compression=None, max_size=None):
        await asyncio.get_running_loop().create_future()


def main() -> None:
    kind, port = sys.argv[1], int(sys.argv[2])
    if kind == "websockets":
        asyncio.run(bare_websockets(port))
        return
    import uvicorn

    uvicorn.run(
        channels_application(), host="127.0.0.1", port=port, lifespan="off", log_level="error",
        access_log=False, ws_per_message_deflate=False,
    )  # fmt: skip


if __name__ == "__main__":
    main()
