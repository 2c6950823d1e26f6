"""A merchant's server, for real: answers as it is told to and keeps what it was sent."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 8781
Reply = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Endpoint:
    """`replies` are used one per call, the last one for ever."""

    replies: list[Reply]
    calls: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = f"http://127.0.0.1:{PORT}/hooks?from=doorstep"


def status(code: int, **headers: str) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"ok")

    return reply


def raw(chunks: Callable[[], Iterator[bytes]]) -> Reply:
    """Writes bytes as they come until the caller hangs up."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        try:
            for chunk in chunks():
                handler.wfile.write(chunk)
                handler.wfile.flush()
        except OSError:
            return

    return reply


@contextmanager
def listening(*replies: Reply) -> Iterator[Endpoint]:
    endpoint = Endpoint(list(replies) or [status(204)])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            endpoint.calls.append((self.path, dict(self.headers.items()), body))
            reply = endpoint.replies[min(len(endpoint.calls), len(endpoint.replies)) - 1]
            reply(self)

        def log_message(self, *_args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
