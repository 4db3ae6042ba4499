"""The way from the collector to the store, which can misbehave: each behaviour is a name that `behave` takes."""

from __future__ import annotations

import http.client
import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LATE_S = 1.6  # beyond the collector's time-out
LARGE_LINES = 40
REFUSALS = {
    "401": (401, '{"error":"authorization failed"}'),
    "404": (404, '{"error":"database not found: \\"parkmon\\""}'),
    "429": (429, '{"error":"too many requests"}'),
    "500": (500, '{"error":"timeout"}'),
    "503": (503, '{"error":"engine is closed"}'),
}


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, _request, _address) -> None:
        """A client that is killed closes as it likes."""


class Proxy:
    """Passes requests on, or behaves as told. `needle`: a pattern of the one line that `refuse a line` never takes."""

    def __init__(self, target_port: int):
        self.target_port = target_port
        self.behaviour = "pass"
        self.needle = ""
        self.writes = 0
        self.misbehaved = 0
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.proxy = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def behave(self, behaviour: str, needle: str = "") -> None:
        self.needle = needle
        self.behaviour = behaviour

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def forward(self, method: str, path: str, body: bytes, headers: dict) -> tuple[int, dict, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.target_port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "InfluxDB"

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        self.pass_on(b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        proxy: Proxy = self.server.proxy
        if not self.path.startswith("/write"):
            self.pass_on(body)
            return
        proxy.writes += 1
        behaviour = proxy.behaviour
        if behaviour == "pass":
            self.pass_on(body)
            return
        proxy.misbehaved += 1
        if behaviour in REFUSALS:
            self.answer(*REFUSALS[behaviour])
        else:
            getattr(self, behaviour.replace(" ", "_"))(body)

    # ---- behaviours ----

    def late(self, body: bytes) -> None:
        """Writes, and says so when nobody listens any more."""
        self.forward(body)
        time.sleep(LATE_S)
        self.answer(204)

    def write_and_say_500(self, body: bytes) -> None:
        self.forward(body)
        self.answer(500, '{"error":"timeout"}')

    def partial(self, body: bytes) -> None:
        """Writes every other line and answers as InfluxDB does for lines that do not fit."""
        lines = body.splitlines(keepends=True)
        if len(lines) < 2:
            self.pass_on(body)
            return
        self.forward(b"".join(lines[::2]))
        self.answer(400, f'{{"error":"partial write: field type conflict: input field \\"value\\" dropped={len(lines) // 2}"}}')

    def cut_before(self, body: bytes) -> None:
        """Takes the body, writes nothing, closes."""
        self.hang_up()

    def cut_after(self, body: bytes) -> None:
        """Writes, and closes in the middle of the answer."""
        self.forward(body)
        self.wfile.write(b"HTTP/1.1 204 No Con")
        self.wfile.flush()
        self.hang_up()

    def too_large(self, body: bytes) -> None:
        if body.count(b"\n") > LARGE_LINES:
            self.answer(413, '{"error":"Request Entity Too Large"}')
        else:
            self.pass_on(body)

    def refuse_a_line(self, body: bytes) -> None:
        if re.search(self.server.proxy.needle.encode(), body):
            self.answer(400, '{"error":"unable to parse: the campaign refuses this line"}')
        else:
            self.pass_on(body)

    def swallow(self, _body: bytes) -> None:
        """A store that lies: nothing may hide this from the oracle."""
        self.answer(204)

    # ---- answering ----

    def forward(self, body: bytes) -> tuple[int, dict, bytes] | None:
        headers = {key: value for key, value in self.headers.items() if key.lower() not in ("host", "connection", "content-length")}
        try:
            return self.server.proxy.forward(self.command, self.path, body, headers)
        except (OSError, http.client.HTTPException):
            return None

    def pass_on(self, body: bytes) -> None:
        done = self.forward(body)
        if done is None:
            self.hang_up()  # as if the store itself had gone
            return
        status, headers, answer = done
        self.answer(status, answer, {key: value for key, value in headers.items() if key.lower() in ("content-type", "x-influxdb-version", "x-influxdb-error", "retry-after")})

    def answer(self, status: int, body: str | bytes = b"", headers: dict | None = None) -> None:
        data = body.encode() if isinstance(body, str) else body
        try:
            self.send_response(status)
            for key, value in (headers or {"Content-Type": "application/json"}).items():
                self.send_header(key, value)
            if status != 204:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if status != 204:
                self.wfile.write(data)
        except OSError:
            self.close_connection = True  # the client has given up

    def hang_up(self) -> None:
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
