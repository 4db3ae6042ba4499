"""A server of calendars on a free port of the loopback, which it prints. Ends with its standard input."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CALENDAR = (b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART:20261130T080000Z\r\nDTEND:20261130T090000Z\r\n"
            b"END:VEVENT\r\nEND:VCALENDAR\r\n")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_) -> None:
        pass

    def say(self, code: int, body: bytes, kind: str = "text/calendar; charset=utf-8", **headers: str) -> None:
        self.send_response(code)
        if code != 304:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def endless(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/calendar")
        self.end_headers()
        self.wfile.write(b"BEGIN:VCALENDAR\r\n")
        while True:
            self.wfile.write(b"X-MORE:" + b"x" * 65536 + b"\r\n")

    def do_GET(self) -> None:
        path = self.path
        if path == "/etag":
            same = self.headers.get("If-None-Match") == '"v1"'
            self.say(304 if same else 200, b"" if same else CALENDAR, ETag='"v1"')
        elif path == "/modified":
            since = "Sun, 29 Nov 2026 00:00:00 GMT"
            same = self.headers.get("If-Modified-Since") == since
            self.say(304 if same else 200, b"" if same else CALENDAR, Last_Modified=since)
        elif path == "/cut":
            self.say(200, CALENDAR[:-20], ETag='"cut"')
        elif path == "/always-304":
            self.say(304, b"")
        elif path.startswith("/silent"):
            threading.Event().wait(60)
        elif path == "/endless":
            try:
                self.endless()
            except OSError:
                self.close_connection = True
        elif path == "/large":
            self.send_response(200)
            self.send_header("Content-Length", str(50 * 1024 * 1024))
            self.end_headers()
        elif path == "/login-page":
            self.say(200, b"<html>Please log in</html>", "text/html")
        elif path == "/moved":
            self.say(302, b"", Location="/etag")
        elif path == "/loop":
            self.say(302, b"", Location="/loop")
        elif path == "/to-file":
            self.say(302, b"", Location="file:///etc/passwd")
        elif path == "/user":
            self.say(200 if self.headers.get("Authorization") == "Basic bGFiOnM6Y3J0" else 401, CALENDAR)
        else:
            self.say(404, b"no such calendar")


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_) -> None:
        pass


def main() -> None:
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
