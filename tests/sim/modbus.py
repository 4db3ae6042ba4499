"""A Modbus TCP server for simulated devices, and the faults that it plays on command.

One listener stands for one gateway's line; the unit number selects the device. Functions 1 to 4. Exceptions: 1 for
another function, 2 where any address asked for is not mapped, 3 for a wrong count, 11 (target did not respond) for
a unit that is not there. A request is answered from one instant; its values are logged, then sent.

Faults, for one unit or all of a listener:

    silent      takes requests and never answers
    slow        answers after `seconds`; the values are those of the late moment
    hangup      closes the connection instead of answering
    lie         answers with a wrong transaction number
    exception   answers with exception `code`
    down        (whole listener) nobody listens; connections are closed
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass

from sim.answers import AnswerLog, exception_body, value_body
from sim.park import Device, Gateway, Point

FUNCTIONS = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_COUNT, NO_TARGET = 1, 2, 3, 11
FAULTS = ("silent", "slow", "hangup", "lie", "exception", "down")


@dataclass(frozen=True)
class Fault:
    kind: str
    seconds: float = 0.0
    code: int = 4


class Refusal(Exception):
    def __init__(self, code: int):
        super().__init__(code)
        self.code = code


class Unit:
    """A device's registers by function and address."""

    def __init__(self, device: Device):
        self.device = device
        self.tables: dict[str, dict[int, tuple[Point, int]]] = {name: {} for name in FUNCTIONS.values()}
        for point in device.points:
            table = self.tables[point.function]
            for i in range(point.format.words):
                assert point.address + i not in table, f"{device.name}: two points at {point.address + i}"
                table[point.address + i] = point, i
        self.plans: dict[tuple[int, int, int], list[tuple[Point, int, int]]] = {}

    def read(self, function: int, address: int, count: int, time_ms: int) \
            -> tuple[list[int], list[tuple[Point, tuple[int, ...]]]]:
        """The registers or bits, and the points that are wholly in them."""
        plan = self.plans.get((function, address, count))
        if plan is None:
            plan = self.plans[function, address, count] = self._plan(function, address, count)
        if self.device.before_read:
            self.device.before_read(address, count)
        words: list[int] = []
        whole = []
        for point, first, last in plan:
            all_words = point.words(time_ms)
            words += all_words[first:last]
            if last - first == len(all_words):
                whole.append((point, all_words))
        return words, whole

    def _plan(self, function: int, address: int, count: int) -> list[tuple[Point, int, int]]:
        if function not in FUNCTIONS:
            raise Refusal(ILLEGAL_FUNCTION)
        if not 1 <= count <= (2000 if function <= 2 else 125):
            raise Refusal(ILLEGAL_COUNT)
        table = self.tables[FUNCTIONS[function]]
        plan: list[tuple[Point, int, int]] = []
        for i in range(address, address + count):
            if i not in table:
                raise Refusal(ILLEGAL_ADDRESS)
            point, word = table[i]
            if plan and plan[-1][0] is point:
                plan[-1] = point, plan[-1][1], word + 1
            else:
                plan.append((point, word, word + 1))
        return plan


class Listener:
    """One gateway's devices behind one port."""

    def __init__(self, gateway: Gateway, log: AnswerLog, now_ms: Callable[[], int], fail: Callable[[OSError], None]):
        self.gateway = gateway
        self.log = log
        self.now_ms = now_ms
        self.fail = fail
        self.units = {device.unit: Unit(device) for device in gateway.devices}
        self.faults: dict[int | None, Fault] = {}
        self.port = 0
        self.requests = 0
        self.server: asyncio.Server | None = None
        self.connections: set[Connection] = set()
        self.sources: dict[int, str] = {}

    async def open(self) -> None:
        """Port 0 at first: the kernel chooses; later the same port again."""
        self.server = await asyncio.get_running_loop().create_server(lambda: Connection(self), "127.0.0.1", self.port,
                                                                     reuse_address=True)
        self.port = self.server.sockets[0].getsockname()[1]

    def close(self) -> None:
        if self.server is not None:
            self.server.close()
            self.server = None
        for connection in list(self.connections):
            connection.transport.abort()

    async def set_fault(self, unit: int | None, fault: Fault | None) -> None:
        """None ends a fault; with unit None those of all units end or are replaced."""
        if unit is None:
            self.faults.clear()
        self.faults.pop(unit, None)
        if fault is not None and fault.kind != "down":
            self.faults[unit] = fault
        if fault is not None and fault.kind == "down":
            self.close()
        elif self.server is None and unit is None:
            await self.open()

    def source(self, unit: int) -> str:
        text = self.sources.get(unit)
        if text is None:
            text = self.sources[unit] = f'"port":{self.port},"gateway":"{self.gateway.id}","unit":{unit}'
        return text


class Connection(asyncio.Protocol):
    def __init__(self, listener: Listener):
        self.listener = listener
        self.received = b""

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.listener.connections.add(self)

    def connection_lost(self, _error) -> None:
        self.listener.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self.received += data
        while len(self.received) >= 8 and not self.transport.is_closing():
            transaction, protocol, length, unit = struct.unpack_from(">HHHB", self.received)
            if protocol != 0 or not 2 <= length <= 254:
                self.transport.abort()
                return
            if len(self.received) < 6 + length:
                return
            pdu = self.received[7:6 + length]
            self.received = self.received[6 + length:]
            self.listener.requests += 1
            self._request(transaction, unit, pdu)

    def _request(self, transaction: int, unit: int, pdu: bytes) -> None:
        faults = self.listener.faults
        fault = faults.get(unit) or faults.get(None)
        kind = fault.kind if fault else None
        if kind == "silent":
            return
        if kind == "hangup":
            self.transport.abort()
        elif kind == "slow":
            asyncio.get_running_loop().call_later(fault.seconds, self._answer, transaction, unit, pdu, fault)
        else:
            self._answer(transaction, unit, pdu, fault)

    def _answer(self, transaction: int, unit: int, pdu: bytes, fault: Fault | None) -> None:
        if self.transport.is_closing():
            return
        listener = self.listener
        function = pdu[0]
        address, count = struct.unpack_from(">HH", pdu, 1) if len(pdu) == 5 else (0, 0)
        source = listener.source(unit)
        try:
            if fault and fault.kind == "exception":
                raise Refusal(fault.code)
            if unit not in listener.units:
                raise Refusal(NO_TARGET)
            words, points = listener.units[unit].read(function, address, count, listener.now_ms())
            played = fault.kind if fault else None
            lines = [value_body(source, point.wire, point.format.kind, raw, point.format.decode(raw), played)
                     for point, raw in points]
            if function <= 2:
                packed = sum(bit << i for i, bit in enumerate(words)).to_bytes((count + 7) // 8, "little")
            else:
                packed = struct.pack(f">{count}H", *words)
            answer = struct.pack(">BB", function, len(packed)) + packed
        except Refusal as refusal:
            lines = [exception_body(source, function, address, count, refusal.code)]
            answer = struct.pack(">BB", function | 0x80, refusal.code)
        try:
            listener.log.add(lines)
        except OSError as error:
            listener.fail(error)
            return
        if fault and fault.kind == "lie":
            transaction ^= 0x5555
        self.transport.write(struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit) + answer)
