"""Everything in one process and on one port.

    uvicorn config.asgi:application --lifespan on --ws-max-size 4096 --ws-per-message-deflate false

Compression would cost 40 KiB a socket for messages of 2 KiB. Without the lifespan a stop would lose half a second of
positions.
Sockets go to channels, the polled page row and positions to thin routes, all the rest to Django as WSGI in threads.
"""

import asyncio
import gc
import logging
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from a2wsgi import WSGIMiddleware
from channels.routing import URLRouter
from django.core.wsgi import get_wsgi_application
from django.urls import path, re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = WSGIMiddleware(get_wsgi_application(), workers=int(os.environ.get("WEB_THREADS", "8")))

# These need the app registry that get_wsgi_application() has filled.

from apps.core.checks import refuse_bad_start  # noqa: E402
from apps.core.logs import ScrubSecrets  # noqa: E402
from apps.drivers import ingest  # noqa: E402
from apps.tracking import page_row  # noqa: E402
from apps.tracking.consumers import PageConsumer, Refusal  # noqa: E402
from config.kept_connections import keep_connections  # noqa: E402

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

refuse_bad_start()

# The server's own lines name the path, and the path holds a link's secret.
for name in ("uvicorn.access", "uvicorn.error"):
    logging.getLogger(name).addFilter(ScrubSecrets())

sockets = URLRouter(
    [
        path("ws/t/<str:token>", PageConsumer.as_asgi()),
        re_path(r"", Refusal.as_asgi()),
    ]
)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    keep_connections()
    if scope["type"] == "websocket":
        await sockets(scope, receive, send)
    elif scope["type"] == "http":
        if not (await page_row.answer(scope, send) or await ingest.answer(scope, receive, send)):
            await pages(scope, receive, send)
    elif scope["type"] == "lifespan":
        await _lifespan(receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            # All that was imported stays for good. Looking through it again takes a full collection 90 ms, in which no
            # socket is served; frozen it costs nothing.
            gc.collect()
            gc.freeze()
        else:
            await asyncio.to_thread(ingest.inbox.close)
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
