"""A way to the collector that a test can cut and join again, or let go dead without a word."""

from __future__ import annotations

import contextlib
import socket
import threading


class Relay:
    def __init__(self, port: int):
        self.target = port
        self.sockets: list[socket.socket] = []
        self.dead: set[socket.socket] = set()
        self.listener: socket.socket | None = None
        self.port = 0
        self.join()

    def __enter__(self) -> "Relay":
        return self

    def __exit__(self, *_) -> None:
        self.cut()

    def join(self) -> None:
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        self.listener.listen()
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def cut(self) -> None:
        for each in [self.listener, *self.sockets]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self.sockets.clear()

    def stall(self) -> None:
        """Of the connections that stand, nobody hears anything any more: as where a firewall has forgotten them. New ones are as ever."""
        self.dead.update(self.sockets)

    def accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                self.sockets += [near, far]
                for a, b in ((near, far), (far, near)):
                    threading.Thread(target=self.copy, args=(a, b), daemon=True).start()

    def copy(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if source not in self.dead:
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
