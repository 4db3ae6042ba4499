"""The Modbus TCP driver, by `park-agent --once`, against pymodbus: its encoder, its data blocks, its answers. Faults are put
between pymodbus's answer and the wire."""

from __future__ import annotations

import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from harness.parkmon import build_folder
from harness.process import free_port, run
from harness.servers import SOURCE
from pymodbus.constants import Endian
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
from pymodbus.exceptions import NoSuchSlaveException
from pymodbus.factory import ServerDecoder
from pymodbus.payload import BinaryPayloadBuilder
from pymodbus.pdu import ModbusExceptions
from pymodbus.transaction import ModbusSocketFramer

TIMEOUT_S = 1.0  # beside other work a good answer may take a third of a second
UNIT = 7
ORDERS = {"ABCD": (Endian.Big, Endian.Big), "CDAB": (Endian.Big, Endian.Little),
          "BADC": (Endian.Little, Endian.Big), "DCBA": (Endian.Little, Endian.Little)}
# How pymodbus's four orders read for values of one and four registers.
SHORT = {"ABCD": "AB", "CDAB": "AB", "BADC": "BA", "DCBA": "BA"}
LONG = {"ABCD": "ABCDEFGH", "CDAB": "GHEFCDAB", "BADC": "BADCFEHG", "DCBA": "HGFEDCBA"}

Deliver = Callable[["Connection", bytes], bool]


class Connection(socketserver.BaseRequestHandler):
    """What pymodbus's own server does with a connection, without the serial package that its server module wants."""

    server: "Device"

    def handle(self) -> None:
        framer = ModbusSocketFramer(ServerDecoder())
        self.is_open = True
        while self.is_open:
            try:
                data = self.request.recv(1024)
            except ConnectionError:
                return
            if not data:
                return
            framer.processIncomingPacket(data, lambda request: self.answer(framer, request), unit=[0], single=True)

    def answer(self, framer: ModbusSocketFramer, request) -> None:
        self.server.questions.append((request.function_code, request.address, request.count))
        try:
            response = request.execute(self.server.context[request.unit_id])
        except NoSuchSlaveException:
            response = request.doException(ModbusExceptions.GatewayNoResponse)
        response.transaction_id = request.transaction_id
        response.unit_id = request.unit_id
        deliver = self.server.faults.get(request.unit_id, send)
        try:
            self.is_open = deliver(self, framer.buildPacket(response))
        except ConnectionError:
            self.is_open = False


class Device(socketserver.ThreadingTCPServer):
    """A gateway with devices by unit id; `faults` says what happens to a unit's answers."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        self.registers: dict[int, int] = {}
        self.inputs: dict[int, int] = {}
        self.coils: dict[int, bool] = {}
        self.questions: list[tuple[int, int, int]] = []
        self.faults: dict[int, Deliver] = {}
        self.context: ModbusServerContext | None = None
        super().__init__(("127.0.0.1", 0), Connection)

    @property
    def port(self) -> int:
        return self.server_address[1]

    def serve(self, *units: int) -> None:
        """Registers as filled so far, the same for each unit."""
        def block(values):
            return ModbusSparseDataBlock(values) if values else ModbusSequentialDataBlock(0, [0])
        slave = ModbusSlaveContext(hr=block(self.registers), ir=block(self.inputs), co=block(self.coils),
                                   di=block({at: not on for at, on in self.coils.items()}), zero_mode=True)
        self.context = ModbusServerContext(slaves={unit: slave for unit in units or (UNIT,)}, single=False)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def put(self, address: int, words: list[int], table: dict[int, int] | None = None) -> None:
        for i, word in enumerate(words):
            (self.registers if table is None else table)[address + i] = word


@pytest.fixture
def device() -> Iterator[Device]:
    with Device() as made:
        yield made
        if made.context is not None:
            made.shutdown()


def encode(kind: str, value, order: str = "ABCD") -> list[int]:
    """The words of a value as pymodbus writes them."""
    byteorder, wordorder = ORDERS[order]
    builder = BinaryPayloadBuilder(byteorder=byteorder, wordorder=wordorder)
    add = {"u16": builder.add_16bit_uint, "s16": builder.add_16bit_int, "u32": builder.add_32bit_uint,
           "s32": builder.add_32bit_int, "u64": builder.add_64bit_uint, "s64": builder.add_64bit_int,
           "f32": builder.add_32bit_float, "f64": builder.add_64bit_float, "bcd16": builder.add_16bit_uint,
           "bcd32": builder.add_32bit_uint, "bcd64": builder.add_64bit_uint}[kind]
    add(int(str(value), 16) if kind.startswith("bcd") else value)
    return [int.from_bytes(word, "big") for word in builder.build()]


def point(name: str, text: str) -> str:
    return f'{{ name = "{name}"; {text} }}'


def write_settings(folder: Path, port: int, *devices: str) -> Path:
    path = folder / "agent.cfg"
    path.write_text(
        f'gateway = "gw-test";\nspool: {{ path = "{folder}/spool"; }};\n'
        f'buses = ( {{ name = "bus"; driver = "modbus_tcp"; host = "127.0.0.1"; port = {port}; timeout = {TIMEOUT_S};\n'
        f'  devices = ( {", ".join(devices)} ); }} );\n')
    return path


def one_device(points: list[str], unit: int = UNIT, name: str = "meter", more: str = "") -> str:
    return f'{{ name = "{name}"; prefix = "{name}"; unit = {unit}; {more} points = (\n  ' + ",\n  ".join(points) + ' ); }'


class Once:
    """What one `park-agent --once` printed."""

    def __init__(self, settings: Path):
        before = datetime.now(timezone.utc)
        started = time.monotonic()
        done = run([build_folder() / "agent/park-agent", "--config", settings, "--once"], 60)
        self.seconds = time.monotonic() - started
        self.code = done.returncode
        self.values: dict[str, tuple[str, str]] = {}
        self.errors: dict[str, str] = {}
        assert done.returncode in (0, 69), done.stderr
        for line in done.stdout.splitlines():
            name, kind, *rest = line.split("\t")
            assert name not in self.values and name not in self.errors, f"{name} twice"
            if kind == "error":
                self.errors[name] = rest[0]
            else:
                self.values[name] = kind, rest[0]
                at = datetime.fromisoformat(rest[1].replace("Z", "+00:00"))
                assert (at - before).total_seconds() > -0.002 and at <= datetime.now(timezone.utc), line
        assert self.code == (69 if self.errors else 0), done.stdout


VALUES = {
    "u16": [0, 1, 65534], "s16": [-32768, -2, 12345], "u32": [0, 0x80020304, 4294967295], "s32": [-2147483648, -123456, 99],
    "u64": [123456789012345, 10**15], "s64": [-123456789012345, -1], "f32": [131072.015625, -2.5, 0.0],
    "f64": [987654321.125, -1e-3], "bcd16": [0, 9876], "bcd32": [1234567, 99999999], "bcd64": [12345678901234]}


def test_every_type_in_every_order_that_pymodbus_writes(device, tmp_path):
    points, expected, address = [], {}, 0
    for order in ORDERS:
        for kind, values in VALUES.items():
            for i, value in enumerate(values):
                name = f"{order.lower()}.{kind}.{i}"
                words = encode(kind, value, order)
                device.put(address, words)
                letters = {1: SHORT, 2: {order: order}, 4: LONG}[len(words)][order]
                points.append(point(name, f'kind = "gauge"; address = {address}; type = "{kind}"; '
                                          f'order = "{letters}"; unit = "1";'))
                expected[f"meter.{name}"] = float(value)
                address += len(words)
    device.serve()
    once = Once(write_settings(tmp_path, device.port, one_device(points)))
    assert not once.errors
    assert {name: float(text) for name, (_, text) in once.values.items()} == expected
    # Neighbours came together: a question has 125 registers, less where a value of 4 would be split.
    assert len(device.questions) <= -(-address // 122)


def test_counts_are_exact_in_base_units(device, tmp_path):
    cases = [("u32", 1234567, 'scale = "0.01"; unit = "kWh";', 12345670),
             ("u64", 123456789012345, 'unit = "Wh";', 123456789012345),
             ("f32", 131072.015625, 'unit = "kWh";', 131072016), ("s32", -3, 'scale = "0.0005"; unit = "kWh";', -2),
             ("u32", 5, 'unit = "kWh"; base = "J";', 18000000), ("u16", 7, 'unit = "MJ"; base = "Wh";', 1944),
             ("u32", 4711, 'scale = "0.001"; unit = "m3";', 4711),
             ("bcd64", 12345678901234, 'unit = "count";', 12345678901234),
             ("u32", 333, 'scale = "1000/3"; unit = "Wh";', 111000),
             ("f64", 9007199254740994.0, 'scale = "0.001"; unit = "Wh";', 9007199254741)]
    points = []
    for i, (kind, value, text, _) in enumerate(cases):
        device.put(8 * i, encode(kind, value))
        points.append(point(f"p{i}", f'kind = "register"; address = {8 * i}; type = "{kind}"; {text}'))
    device.serve()
    once = Once(write_settings(tmp_path, device.port, one_device(points)))
    assert not once.errors
    assert once.values == {f"meter.p{i}": ("register", str(count)) for i, (_, _, _, count) in enumerate(cases)}


def test_all_four_tables_bits_and_states(device, tmp_path):
    device.put(20, [0b1000_0000_0000_0101])
    device.put(20, [4321], device.inputs)
    device.coils.update({at: at % 3 == 0 for at in range(100, 120)})
    points = [point(f"bit{bit}", f'kind = "state"; address = 20; type = "bit"; bit = {bit}; states = ["off", "on"];')
              for bit in range(16)]
    points += [point(f"coil{at}", f'kind = "state"; function = "coil"; address = {at}; type = "bit"; '
                                  'states = ["closed", "open"];')
               for at in range(100, 120)]
    points += [point(f"discrete{at}", f'kind = "gauge"; function = "discrete"; address = {at}; type = "bit"; unit = "1";')
               for at in (101, 109, 111)]
    points += [point("input", 'kind = "gauge"; function = "input"; address = 20; type = "u16"; scale = "0.1"; unit = "degC";')]
    device.serve()
    once = Once(write_settings(tmp_path, device.port, one_device(points)))
    expected = {f"meter.bit{bit}": ("state", "on" if bit in (0, 2, 15) else "off") for bit in range(16)}
    expected |= {f"meter.coil{at}": ("state", "open" if at % 3 == 0 else "closed") for at in range(100, 120)}
    expected |= {f"meter.discrete{at}": ("gauge", "0" if at % 3 == 0 else "1") for at in (101, 109, 111)}
    expected["meter.input"] = "gauge", "432.1"
    assert once.values == expected and not once.errors
    assert sorted(device.questions) == [(1, 100, 20), (2, 101, 1), (2, 109, 1), (2, 111, 1), (3, 20, 1), (4, 20, 1)]


def test_gaps_and_limits_shape_the_questions(device, tmp_path):
    for address in range(100):
        device.put(address, [address])
    points = [point(f"p{at}", f'kind = "gauge"; address = {at}; type = "u16"; unit = "1";') for at in (0, 1, 5, 9, 40)]
    device.serve()
    for more, questions in (("", [(3, 0, 2), (3, 5, 1), (3, 9, 1), (3, 40, 1)]),
                            ("max_gap = 3;", [(3, 0, 10), (3, 40, 1)]),
                            ("max_gap = 3; max_registers = 6;", [(3, 0, 6), (3, 9, 1), (3, 40, 1)])):
        device.questions.clear()
        once = Once(write_settings(tmp_path, device.port, one_device(points, more=more)))
        assert once.values == {f"meter.p{at}": ("gauge", str(at)) for at in (0, 1, 5, 9, 40)}
        assert device.questions == questions


def test_a_bad_address_fails_its_points_only(device, tmp_path):
    device.put(10, encode("u32", 77))
    device.serve()
    points = [point("good", 'kind = "register"; address = 10; type = "u32"; unit = "Wh";'),
              point("bad1", 'kind = "register"; address = 900; type = "u32"; unit = "Wh";'),
              point("bad2", 'kind = "register"; address = 902; type = "u32"; unit = "Wh";'),
              point("last", 'kind = "gauge"; address = 11; type = "u16"; unit = "1";')]
    once = Once(write_settings(tmp_path, device.port, one_device(points)))
    assert once.values == {"meter.good": ("register", "77"), "meter.last": ("gauge", "77")}
    assert once.errors == {f"meter.bad{i}": "illegal data address: holding 900..903 (exception 2)" for i in (1, 2)}


def test_what_is_no_number_fails_its_point_only(device, tmp_path):
    device.put(0, [0x7FC0, 0, 0x123A, 0x8000, 5])
    device.serve()
    points = [point("nan", 'kind = "gauge"; address = 0; type = "f32"; unit = "W";'),
              point("bcd", 'kind = "register"; address = 2; type = "bcd16"; unit = "Wh";'),
              point("none", 'kind = "gauge"; address = 3; type = "s16"; unit = "degC"; invalid = "8000";'),
              point("good", 'kind = "gauge"; address = 4; type = "u16"; unit = "W";')]
    once = Once(write_settings(tmp_path, device.port, one_device(points)))
    assert once.values == {"meter.good": ("gauge", "5")}
    assert once.errors == {"meter.nan": "0x7fc00000 is not a finite number", "meter.bcd": "0x123a is not BCD: a digit is above 9",
                           "meter.none": "the device has no value (0x8000)"}


def send(connection: Connection, packet: bytes) -> bool:
    connection.request.sendall(packet)
    return True


def changed(at: int, by: bytes) -> Deliver:
    return lambda connection, packet: send(connection, packet[:at] + by + packet[at + len(by):])


def drop_by_drop(connection: Connection, packet: bytes) -> bool:
    """Each byte alone is in time; the wait ends early where the agent hangs up."""
    connection.request.settimeout(TIMEOUT_S / 3)
    for byte in packet:
        connection.request.sendall(bytes([byte]))
        try:
            if not connection.request.recv(1):
                return False
        except TimeoutError:
            continue
    return False


def mute(connection: Connection, packet: bytes) -> bool:
    return True


def hang_up(connection: Connection, packet: bytes) -> bool:
    return False


FAULTS = {
    "hangs up": (hang_up, "the device closed the connection instead of an answer"),
    "is silent": (mute, "no answer within 1000 ms"),
    "answers drop by drop": (drop_by_drop, "only a part of an answer within 1000 ms"),
    "is cut short": (lambda c, p: send(c, p[:6]), "only a part of an answer within 1000 ms"),
    "wrong unit": (changed(6, b"\x09"), "unit 9 answered in place of unit 8"),
    "wrong function": (changed(7, b"\x04"), "the answer is of function 4, expected 3"),
    "wrong transaction": (changed(0, b"\x7f\x7f"), "the answer belongs to another question"),
    "wrong length": (changed(4, struct.pack(">H", 99)), "the answer's length field says 99 bytes"),
    "too few registers": (lambda c, p: send(c, p[:4] + b"\x00\x05" + p[6:8] + b"\x02" + p[9:11]), "expected 4"),
    "garbage": (lambda c, p: send(c, b"HTTP/1.1 400 Bad Request\r\n\r\n"), "the answer is not Modbus TCP"),
    "noise": (lambda c, p: send(c, bytes(range(255, 155, -1))), "the answer is not Modbus TCP"),
    "two answers in one": (lambda c, p: send(c, p + p), None),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_faulty_device_gives_no_wrong_value_and_its_neighbours_answer(device, tmp_path, what):
    deliver, text = FAULTS[what]
    device.put(10, encode("u32", 77))
    device.put(50, encode("u32", 99))
    device.faults[8] = deliver
    device.serve(7, 8, 9)
    points = [point("a", 'kind = "register"; address = 10; type = "u32"; unit = "Wh";'),
              point("b", 'kind = "register"; address = 50; type = "u32"; unit = "Wh";')]
    once = Once(write_settings(tmp_path, device.port, *(one_device(points, unit, f"m{unit}") for unit in (7, 8, 9))))
    good = {f"m{unit}.{name}": ("register", value) for unit in (7, 9) for name, value in (("a", "77"), ("b", "99"))}
    if text is None:
        assert once.values == good | {"m8.a": ("register", "77"), "m8.b": ("register", "99")}
        return
    assert once.values == good
    assert set(once.errors) == {"m8.a", "m8.b"}
    assert all(error.startswith("unit 8, holding 10..11: ") and text in error for error in once.errors.values()), once.errors
    assert once.seconds < 3 * TIMEOUT_S + 2


def test_a_unit_that_the_gateway_cannot_reach_is_asked_once(device, tmp_path):
    device.put(10, [77])
    device.serve(7)
    points = [point(name, f'kind = "gauge"; address = {address}; type = "u16"; unit = "1";')
              for name, address in (("a", 10), ("b", 99))]
    once = Once(write_settings(tmp_path, device.port, one_device(points, 3)))
    text = "unit 3, holding 10: gateway: the device behind it does not answer (exception 11)"
    assert once.errors == {"meter.a": text, "meter.b": text}
    assert len(device.questions) == 1


def test_a_device_that_is_not_there_is_told_with_its_address(tmp_path):
    port = free_port()
    points = [point("a", 'kind = "gauge"; address = 10; type = "u16"; unit = "1";')]
    once = Once(write_settings(tmp_path, port, one_device(points)))
    assert once.errors == {"meter.a": f"cannot connect to 127.0.0.1 port {port}: Connection refused"}


def test_the_maps_that_we_ship_read_their_meters(device, tmp_path):
    device.put(0x0A, encode("u32", 1234567) + [0] * 8 + encode("u32", 42))
    device.put(0x61, [2301, 2299, 2305, 512, 498, 505])
    device.put(0x77, [4998])
    device.put(0x16A, encode("s32", -41230))
    device.put(0x17F, encode("s16", -987))
    for address, value in {0: 230.5, 2: 229.25, 4: 231.0, 6: 5.5, 8: 5.25, 10: 5.75, 52: 41230.5, 60: -120.0, 62: 0.5, 70: 50.0,
                           72: 131072.015625, 74: 0.5}.items():
        device.put(address, encode("f32", value), device.inputs)
    device.serve()
    maps = SOURCE / "config/meters"
    devices = [f'{{ name = "{name}"; prefix = "{name}"; unit = {UNIT}; map = "{maps / file}"; {more} }}' for name, file, more in
               (("adl", "acrel-adl400.cfg", ""), ("sdm", "eastron-sdm630.cfg", "max_registers = 80;"))]
    once = Once(write_settings(tmp_path, device.port, *devices))
    assert not once.errors
    values = {name: text for name, (_, text) in once.values.items()}
    assert values == {
        "adl": "12345670", "adl.export": "420", "adl.u1": "230.1", "adl.u2": "229.9", "adl.u3": "230.5", "adl.i1": "5.12",
        "adl.i2": "4.98", "adl.i3": "5.05", "adl.freq": "49.98", "adl.power": "-41230", "adl.pf": "-0.987",
        "sdm": "131072016", "sdm.export": "500", "sdm.u1": "230.5", "sdm.u2": "229.25", "sdm.u3": "231", "sdm.i1": "5.5",
        "sdm.i2": "5.25", "sdm.i3": "5.75", "sdm.power": "41230.5", "sdm.reactive": "-120", "sdm.pf": "0.5", "sdm.freq": "50"}


def test_a_heat_meter_counts_joule_and_tells_a_broken_sensor(device, tmp_path):
    for address, (kind, value) in {0: ("u32", 5000), 2: ("u32", 123456), 4: ("s32", 125), 6: ("s32", -5)}.items():
        device.put(address, encode(kind, value, "CDAB"))
    device.put(8, [6512, 0x8000, 1])
    device.serve()
    path = SOURCE / "config/meters/heat-meter.cfg"
    once = Once(write_settings(tmp_path, device.port, f'{{ name = "heat"; prefix = "heat"; unit = {UNIT}; map = "{path}"; }}'))
    assert {name: text for name, (_, text) in once.values.items()} == {
        "heat": "18000000000", "heat.volume": "1234560", "heat.power": "12500", "heat.flow": "-0.005", "heat.supply": "65.12",
        "heat.fault": "fault"}
    assert once.errors == {"heat.return": "the device has no value (0x8000)"}
