"""Runs listeners until a signal, or until stdin closes; takes faults over a control socket.

Control: a unix socket; each line is a JSON object, answered by one line, {"ok":true,...} or
{"ok":false,"error":"..."}:

    {"fault":"slow","seconds":1.5,"gateway":"gw-a","unit":3}    without unit: all units; without gateway: all gateways
    {"fault":"none"}                                            ends faults, of the same choice of gateway and unit
    {"status":true}                                             {"ok":true,"time":..,"requests":{"gw-a":17},"answers":34}
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

from sim.answers import AnswerLog
from sim.modbus import FAULTS, Fault, Listener
from sim.park import Gateway

EXIT_OK, EXIT_IO = 0, 74


class Clock:
    """Simulated time: begins at `start_ms` and runs `speed` times as fast as monotonic time, so it never goes
    back."""

    def __init__(self, start_ms: int | None = None, speed: float = 1.0):
        self.start_ms = time.time_ns() // 1_000_000 if start_ms is None else start_ms
        self.speed = speed
        self.began = time.monotonic()

    def now_ms(self) -> int:
        return self.start_ms + int((time.monotonic() - self.began) * 1000 * self.speed)


class Simulator:
    def __init__(self, gateways: list[Gateway], log_path: str, clock: Clock):
        self.log = AnswerLog(log_path)
        self.clock = clock
        self.listeners = [Listener(gateway, self.log, clock.now_ms, self._fail) for gateway in gateways]
        self.error: OSError | None = None

    async def run(self, ports_file: str, control_socket: str | None, until_stdin_closes: bool) -> int:
        loop = asyncio.get_running_loop()
        self.ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.ended.set)
        if until_stdin_closes:
            loop.add_reader(sys.stdin.fileno(), self._stdin_ready)
        for listener in self.listeners:
            await listener.open()
        control = await self._open_control(control_socket) if control_socket else None
        write_whole(ports_file, json.dumps({listener.gateway.id: listener.port for listener in self.listeners}) + "\n")
        await self.ended.wait()
        if control is not None:
            control.close()
            os.unlink(control_socket)
        for listener in self.listeners:
            listener.close()
        self.log.close()
        if self.error is not None:
            print(f"sim: the answer log cannot be written: {self.error}; ended, since answers without a log prove nothing",
                  file=sys.stderr)
        return EXIT_IO if self.error else EXIT_OK

    def _fail(self, error: OSError) -> None:
        self.error = error
        self.ended.set()

    def _stdin_ready(self) -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            self.ended.set()

    async def _open_control(self, path: str) -> asyncio.AbstractServer:
        Path(path).unlink(missing_ok=True)
        return await asyncio.start_unix_server(self._control, path)

    async def _control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            try:
                result = {"ok": True, **await self._command(json.loads(line))}
            except (ValueError, TypeError, AttributeError) as error:
                result = {"ok": False, "error": str(error)}
            writer.write(json.dumps(result).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _command(self, command: dict) -> dict:
        if command.get("status"):
            return {"time": self.clock.now_ms(), "answers": self.log.n,
                    "requests": {listener.gateway.id: listener.requests for listener in self.listeners}}
        kind, unit = command.get("fault"), command.get("unit")
        if kind not in (*FAULTS, "none"):
            raise ValueError(f"fault {kind}: expected one of {', '.join(FAULTS)}, none")
        if kind == "down" and unit is not None:
            raise ValueError("down is a fault of a whole gateway; expected no unit")
        chosen = [listener for listener in self.listeners if command.get("gateway") in (None, listener.gateway.id)]
        if not chosen:
            raise ValueError(f"no gateway {command['gateway']}")
        fault = None if kind == "none" else Fault(kind, float(command.get("seconds", 1.0)), int(command.get("code", 4)))
        for listener in chosen:
            await listener.set_fault(unit, fault)
        return {}


def control(path: str | Path, **command) -> dict:
    """Sends one command to a running simulator and returns its answer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(json.dumps(command).encode() + b"\n")
        answer = json.loads(connection.makefile().readline())
    if not answer.pop("ok"):
        raise ValueError(answer["error"])
    return answer


def write_whole(path: str | Path, text: str) -> None:
    """So that whoever waits for the file never sees half of it."""
    part = Path(f"{path}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def serve(gateways: list[Gateway], log: str, ports_file: str, clock: Clock, control_socket: str | None = None,
          until_stdin_closes: bool = False) -> int:
    return asyncio.run(Simulator(gateways, log, clock).run(ports_file, control_socket, until_stdin_closes))
