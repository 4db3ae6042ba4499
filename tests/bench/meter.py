"""A device whose registers count its own answers, so that each answer can be told from every other, wherever it is seen."""

from __future__ import annotations

import socketserver
import struct
import threading
import time

WORDS = 2  # of a point: an unsigned 32-bit register


class Meter(socketserver.ThreadingTCPServer):
    """Modbus TCP, function 3: every register pair reads as the number of the answer. `answered`: number -> monotonic time
    just before that answer went out, of those requests that begin at the first register."""

    daemon_threads = True

    def __init__(self):
        self.number = 0
        self.answered: dict[int, float] = {}
        super().__init__(("127.0.0.1", 0), Connection)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class Connection(socketserver.StreamRequestHandler):
    server: Meter

    def handle(self) -> None:
        while len(request := self.rfile.read(12)) == 12:
            transaction, _, length, unit, function, address, count = struct.unpack(">HHHBBHH", request)
            assert length == 6 and function == 3 and 1 <= count <= 125
            if address == 0:
                self.server.number += 1
            number = self.server.number
            words = [number >> 16 if (address + i) % WORDS == 0 else number & 0xFFFF for i in range(count)]
            answer = struct.pack(f">BB{count}H", function, 2 * count, *words)
            frame = struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit) + answer
            if address == 0:
                self.server.answered[number] = time.monotonic()
            self.wfile.write(frame)


def bus(port: int, points: int, every_s: float) -> str:
    """Settings of the bus on which it is, with so many points, registers and gauges by turns."""
    listed = ",\n".join(f'{{ name = "{point_name(i)}"; kind = "{"gauge" if i % 2 else "register"}"; address = {WORDS * i}; '
                        f'type = "u32"; unit = "{"W" if i % 2 else "Wh"}"; }}' for i in range(points))
    return (f'{{ name = "bus"; driver = "modbus_tcp"; host = "127.0.0.1"; port = {port};\n'
            f'devices = ( {{ name = "meter"; unit = 1; every = {every_s}; points = (\n{listed}\n); }} ); }}')


def point_name(i: int) -> str:
    return f"b1.f{i // 50}.m{i // 2:03d}" + (".power" if i % 2 else "")
