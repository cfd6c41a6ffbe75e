"""A download server on a real socket that can be told to misbehave, and a model of our own to fetch from it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from imaging.weights import OpenModel

CONTENT = np.random.default_rng(5).bytes(700_001)
MODEL = OpenModel("MIT", "nobody/tiny", "u2net", "tiny-v1.onnx", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


class WeightsServer:
    """What it serves, how it misbehaves, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.content = CONTENT
        self.breaks_after: list[int] = []
        """Of each coming answer: how many bytes until the line breaks."""
        self.statuses: list[int] = []
        """What the coming requests are answered with instead."""
        self.ranges = True
        self.says_length = True
        self.redirect_to = ""
        self.asked: list[str] = []
        """The Range of each request, empty for none."""
        self.gate: threading.Event | None = None
        """Where set: half of the file is sent, and the rest when the gate opens."""
        self.half_sent = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: WeightsServer

    def handle(self) -> None:
        with suppress(ConnectionError):  # whoever asked has heard enough
            super().handle()

    def do_GET(self) -> None:
        served, asked = self.served, self.headers.get("Range", "")
        served.asked.append(asked)
        if served.statuses:
            return self._empty(served.statuses.pop(0))
        if served.redirect_to and self.path.startswith("/weights/"):
            return self._empty(302, Location=served.redirect_to)
        is_part = bool(asked and served.ranges)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if is_part else 0
        if start >= len(served.content):
            return self._empty(416)
        body = served.content[start:]
        self.send_response(206 if is_part else 200)
        if is_part:
            self.send_header("Content-Range", f"bytes {start}-{len(served.content) - 1}/{len(served.content)}")
        if served.says_length:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        return self._body(body)

    def _body(self, body: bytes) -> None:
        if self.served.breaks_after:
            body = body[: self.served.breaks_after.pop(0)]
            self.close_connection = True
        if self.served.gate:
            half = len(body) // 2
            self.wfile.write(body[:half])
            self.served.half_sent.set()
            self.served.gate.wait(30)
            body = body[half:]
        self.wfile.write(body)

    def _empty(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def weights_server() -> Iterator[WeightsServer]:
    """Serve until the block ends."""

    class Handler(_Handler):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Handler.served = WeightsServer(f"http://127.0.0.1:{server.server_address[1]}/weights")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield served
    finally:
        if served.gate:
            served.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
