"""A store's front that lies on demand: some writes it answers with 204 and throws away, or holds back until the writer has given up."""

from __future__ import annotations

import http.client
import http.server
import sys
import threading
import urllib.request
from pathlib import Path

from harness.process import Program

PYTHON = "/usr/bin/python3"


class Swallow(Program):
    """The proxy as a child; told what to do by requests to itself."""

    def __init__(self, folder: Path, target_port: int, port: int):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        super().__init__("swallow", folder, [PYTHON, __file__, target_port, port], {"PYTHONDONTWRITEBYTECODE": "1"})

    def is_ready(self) -> bool:
        return self.listens(self.port)

    def ask(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return answer.read().decode()

    def swallow(self, count: int) -> None:
        """The next writes are answered and thrown away."""
        self.ask(f"/proxy/swallow/{count}")

    def delay(self, count: int, seconds: float) -> None:
        """The next writes are passed on at once, and their answers come late."""
        self.ask(f"/proxy/delay/{count}/{seconds}")

    def held(self) -> int:
        """How many writes were held since."""
        return int(self.ask("/proxy/held"))

    def hold(self, count: int, seconds: float) -> None:
        """The next writes are passed on so much later."""
        self.ask(f"/proxy/hold/{count}/{seconds}")

    def refuse(self, word: str) -> None:
        """Queries that hold the word are not for this user."""
        self.ask(f"/proxy/refuse/{word}")

    def swallowed(self) -> int:
        return int(self.ask("/proxy/swallowed"))


class State:
    lock = threading.Lock()
    swallow = swallowed = delay = hold = held = 0
    seconds = 0.0
    refused = b""
    never = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    target_port = 0

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        words = self.path.split("/")
        with State.lock:
            if words[2] == "swallow":
                State.swallow = int(words[3])
            elif words[2] == "delay":
                State.delay, State.seconds = int(words[3]), float(words[4])
            elif words[2] == "hold":
                State.hold, State.held, State.seconds = int(words[3]), 0, float(words[4])
            elif words[2] == "refuse":
                State.refused = words[3].encode()
            elif words[2] == "held":
                return self.answer(200, str(State.held).encode())
        self.answer(200, str(State.swallowed).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_late = False
        if State.refused and State.refused in body:
            return self.answer(403, b'{"error":"not for this user"}')
        if self.path.startswith("/write"):
            with State.lock:
                if State.swallow > 0:
                    State.swallow -= 1
                    State.swallowed += 1
                    self.answer(204)
                    return
                if State.delay > 0:
                    State.delay -= 1
                    is_late = True
                is_held = State.hold > 0
                State.hold -= is_held
                State.held += is_held
            if is_held:
                State.never.wait(State.seconds)
        target = http.client.HTTPConnection("127.0.0.1", self.target_port, timeout=30)
        target.request("POST", self.path, body, {"Content-Type": self.headers["Content-Type"]})
        found = target.getresponse()
        data = found.read()
        target.close()
        if is_late:
            State.never.wait(State.seconds)
        try:
            self.answer(found.status, data)
        except OSError:
            pass  # the writer has given up

    def log_message(self, *_) -> None:
        pass


if __name__ == "__main__":
    Handler.target_port = int(sys.argv[1])
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
