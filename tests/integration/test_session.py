"""How our programs open a session: every byte of CONNECT and SUBSCRIBE, and what they say before and after the answer.

The broker is a few lines of MQTT 5 read from the standard alone, so that it can hold its answers back.
"""

from __future__ import annotations

import json
import select
import socket
import struct
from types import SimpleNamespace

import pytest
from harness.parkmon import Agent, Collector, write_agent_settings, write_collector_settings
from harness.process import free_port
from harness.servers import COLLECTOR_USER
from test_collector import PARK

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 14
SESSION_EXPIRY = 0x11
BUS = """{{ name = "b"; driver = "modbus_tcp"; host = "127.0.0.1"; port = {port};
  devices = ( {{ name = "m"; unit = 1; every = 1; points = (
    {{ name = "m.count"; kind = "register"; address = 0; type = "u32"; unit = "Wh"; }} ); }} ); }}"""


class Reader:
    """The parts of a packet, in the order in which the standard has them."""

    def __init__(self, data: bytes):
        self.data = data

    def take(self, count: int) -> bytes:
        assert len(self.data) >= count
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def text(self) -> str:
        return self.take(self.number(2)).decode()

    def varying(self) -> int:
        value = shift = 0
        while True:
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    def properties(self) -> dict[int, int]:
        """Those of four and two bytes that a client of ours may send; any other is a mistake of the test."""
        inner, found = Reader(self.take(self.varying())), {}
        while inner.data:
            key = inner.number(1)
            found[key] = inner.number({SESSION_EXPIRY: 4, 0x27: 4, 0x02: 4, 0x21: 2}[key])
        return found


class Line:
    """One client's connection."""

    def __init__(self, listener: socket.socket):
        listener.settimeout(30)
        self.socket, _ = listener.accept()
        self.socket.settimeout(30)

    def exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            assert more, "the client hung up"
            data += more
        return data

    def packet(self) -> tuple[int, int, Reader]:
        """Kind, flags, the rest."""
        head = self.exactly(1)[0]
        length = shift = 0
        while True:
            byte = self.exactly(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return head >> 4, head & 15, Reader(self.exactly(length))

    def is_silent(self, seconds: float) -> bool:
        return not select.select([self.socket], [], [], seconds)[0]

    def answer(self, kind: int, *parts: bytes) -> None:
        body = b"".join(parts)
        self.socket.sendall(bytes([kind << 4, len(body)]) + body)


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


@pytest.fixture
def broker(listener, tmp_path):
    """What the settings are written from."""
    def password_file(user: str):
        path = tmp_path / f"{user}.password"
        path.write_text("secret\n")
        path.chmod(0o600)
        return path
    return SimpleNamespace(port=listener.getsockname()[1], password_file=password_file)


def read_connect(line: Line) -> SimpleNamespace:
    kind, _, rest = line.packet()
    assert kind == CONNECT
    assert (rest.text(), rest.number(1)) == ("MQTT", 5)
    flags, keep_alive, properties = rest.number(1), rest.number(2), rest.properties()
    found = SimpleNamespace(flags=flags, keep_alive=keep_alive, properties=properties, client_id=rest.text())
    if flags & 4:
        found.will_properties, found.will_topic = rest.properties(), rest.text()
        found.will = rest.take(rest.number(2))
    found.user = rest.text()
    found.password = rest.take(rest.number(2))
    assert not rest.data
    # Clean start, and no session that outlives the connection.
    assert flags & 2 and properties.get(SESSION_EXPIRY, 0) == 0
    assert flags & 0xC0 == 0xC0 and found.password == b"secret"
    return found


def read_subscribe(line: Line) -> tuple[bytes, dict[str, int]]:
    """The packet's id, and each filter's options."""
    kind, _, rest = line.packet()
    assert kind == SUBSCRIBE
    packet_id = rest.take(2)
    rest.properties()
    filters = {}
    while rest.data:
        name = rest.text()
        filters[name] = rest.number(1)
    return packet_id, filters


def test_an_agent_says_nothing_before_it_can_hear_its_acknowledgements(stage, listener, broker):
    settings = write_agent_settings(stage.folder / "gw-a.cfg", "gw-a", broker, BUS.format(port=free_port()))
    stage.add(Agent(settings, broker)).launch()
    line = Line(listener)
    connect = read_connect(line)
    assert (connect.client_id, connect.user, connect.keep_alive) == ("park-gw-a", "gw-a", 30)
    # The will: QoS 1, retained.
    assert connect.flags & 0x3C == 0x04 | 0x08 | 0x20
    assert (connect.will_topic, json.loads(connect.will)) == ("park/v1/gw/gw-a/state", {"state": "offline"})

    line.answer(CONNACK, b"\0\0\0")
    packet_id, filters = read_subscribe(line)
    assert {name: options & 3 for name, options in filters.items()} == {"park/v1/gw/gw-a/ack": 1}
    assert line.is_silent(1.5), "it speaks before its subscription is acknowledged"
    line.answer(SUBACK, packet_id, b"\0", b"\x01")

    kind, flags, rest = line.packet()
    assert kind == PUBLISH and flags & 0x07 == 0x02 | 0x01  # QoS 1, retained
    assert rest.text() == "park/v1/gw/gw-a/state"
    rest.take(2)
    assert rest.properties() == {0x02: 180}
    assert json.loads(rest.data)["state"] == "online"


def test_a_collector_asks_for_what_gateways_say_and_keeps_no_session(stage, listener, broker):
    park = stage.folder / "park.cfg"
    park.write_text(PARK)
    port = free_port()
    settings = write_collector_settings(stage.folder / "collector.cfg", broker, f"http://127.0.0.1:{free_port()}", park, port)
    stage.add(Collector(settings, port)).launch()
    line = Line(listener)
    connect = read_connect(line)
    assert (connect.client_id, connect.user) == ("park-collector-main", COLLECTOR_USER)
    assert connect.flags & 4 == 0
    line.answer(CONNACK, b"\0\0\0")
    packet_id, filters = read_subscribe(line)
    assert {name: options & 3 for name, options in filters.items()} == {"park/v1/gw/+/up": 1, "park/v1/gw/+/state": 1}
    line.answer(SUBACK, packet_id, b"\0", b"\x01\x01")

    # A batch as gw-a would send it; the answer is retained, QoS 1, and names its epoch.
    topic, payload = b"park/v1/gw/gw-a/up", b"#park1 epoch=00000000000000aa seq=1 first=1\nregister,point=m value=1i 1764000000000\n"
    body = struct.pack(">H", len(topic)) + topic + b"\0\x07" + b"\0" + payload
    line.socket.sendall(bytes([PUBLISH << 4 | 2, len(body)]) + body)
    seen = {}
    while len(seen) < 2:
        kind, flags, rest = line.packet()
        if kind == PUBLISH:
            assert flags & 0x07 == 0x02 | 0x01
            name = rest.text()
            rest.take(2)
            assert rest.properties() == {}
            seen["ack"] = (name, rest.data)
        elif kind == PUBACK:
            seen["puback"] = rest.take(2)
    # A collector that has just connected also asks its gateways what they hold: both may come as one.
    name, answer = seen["ack"]
    assert seen["puback"] == b"\0\x07" and name == "park/v1/gw/gw-a/ack"
    assert answer in (b"epoch=00000000000000aa seq=1", b"epoch=00000000000000aa seq=1 again=1")
