"""An agent written from section 3 of the contract alone, and a small MQTT 5 client for it: nothing of ours on this side of the broker."""

from __future__ import annotations

import re
import select
import socket
import struct
import time

NOT_AUTHORISED = 135
CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, DISCONNECT = 1, 2, 3, 4, 8, 9, 14


def number(value: int) -> bytes:
    """A variable byte integer."""
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack(">H", len(data)) + data


class Mqtt:
    """One connection. Messages that arrive are kept in `received` as (topic, payload, retained)."""

    def __init__(self, port: int, client_id: str, user: str, password: str):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.buffer = bytearray()
        self.received: list[tuple[str, bytes, bool]] = []
        self.unconfirmed: set[int] = set()
        self.denied = 0  # publishes that the broker's rules forbid
        self.packet_id = 0
        self.answers: dict[int, bytes] = {}
        # Clean start, user and password, keep alive off; up to 65535 messages may be under way to us.
        body = text("MQTT") + bytes([5, 0xC2]) + struct.pack(">H", 0) + b"\0" + text(client_id) + text(user) + text(password)
        self.send(CONNECT << 4, body)
        self.wait(lambda: CONNACK in self.answers, "CONNACK")
        assert self.answers[CONNACK][1] == 0, f"refused: {self.answers[CONNACK][1]:#x}"

    def send(self, head: int, body: bytes) -> None:
        self.socket.sendall(bytes([head]) + number(len(body)) + body)

    def subscribe(self, topic: str) -> None:
        self.answers.pop(SUBACK, None)
        self.send(SUBSCRIBE << 4 | 2, struct.pack(">H", 1) + b"\0" + text(topic) + b"\1")
        self.wait(lambda: SUBACK in self.answers, "SUBACK")

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """QoS 1. mosquitto lets 20 be unconfirmed."""
        self.wait(lambda: len(self.unconfirmed) < 18, "PUBACK")
        self.packet_id = self.packet_id % 65535 + 1
        self.unconfirmed.add(self.packet_id)
        self.send(PUBLISH << 4 | 2 | retain, text(topic) + struct.pack(">H", self.packet_id) + b"\0" + payload)

    def flush(self) -> None:
        self.wait(lambda: not self.unconfirmed, "PUBACK")

    def wait(self, is_done, what: str, seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not is_done():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
            self.poll(deadline - time.monotonic())

    def poll(self, seconds: float) -> None:
        """Takes what arrives, waiting at most so long for it."""
        if not select.select([self.socket], [], [], max(seconds, 0))[0]:
            return
        data = self.socket.recv(65536)
        assert data, "the broker closed the connection"
        self.buffer += data
        while self.take_packet():
            pass

    def take_packet(self) -> bool:
        length, shift, at = 0, 0, 1
        while True:
            if at >= len(self.buffer):
                return False
            length |= (self.buffer[at] & 0x7F) << shift
            shift += 7
            at += 1
            if not self.buffer[at - 1] & 0x80:
                break
        if len(self.buffer) < at + length:
            return False
        head, body = self.buffer[0], bytes(self.buffer[at:at + length])
        del self.buffer[:at + length]
        kind = head >> 4
        if kind == PUBLISH:
            self.take_message(head, body)
        elif kind == PUBACK:
            self.unconfirmed.discard(struct.unpack(">H", body[:2])[0])
            self.denied += len(body) > 2 and body[2] == NOT_AUTHORISED
        else:
            self.answers[kind] = body
        return True

    def take_message(self, head: int, body: bytes) -> None:
        size, = struct.unpack(">H", body[:2])
        topic, at = body[2:2 + size].decode(), 2 + size
        if head >> 1 & 3:
            self.send(PUBACK << 4, body[at:at + 2])
            at += 2
        at += 1 + body[at]  # properties; ours are short
        self.received.append((topic, body[at:], bool(head & 1)))

    def close(self) -> None:
        self.socket.close()


ACK = re.compile(r"epoch=([0-9a-f]{16}) seq=(\d+)( again=1)?")


class Publisher:
    """Publishes batches of a gateway and reads the answers. It decides nothing: tests say what goes out."""

    def __init__(self, broker, gateway: str):
        password = broker.password_file(gateway).read_text().strip()
        self.gateway = gateway
        self.mqtt = Mqtt(broker.port, f"park-{gateway}", gateway, password)
        self.mqtt.subscribe(f"park/v1/gw/{gateway}/ack")

    def send(self, seq: int, lines: list[str], epoch: int = 1, first: int = 1, prev: tuple[int, int] | None = None,
             more: str = "", retain: bool = False) -> None:
        head = f"#park1 epoch={epoch:016x} seq={seq} first={first}"
        if prev:
            head += f" prev={prev[0]:016x}:{prev[1]}"
        self.send_raw("\n".join([head + more, *lines, ""]).encode(), retain)

    def send_raw(self, payload: bytes, retain: bool = False) -> None:
        self.mqtt.publish(f"park/v1/gw/{self.gateway}/up", payload, retain)

    def answers(self) -> list[tuple[int, int, bool, bool]]:
        """(epoch, seq, refused, retained) of every answer so far."""
        found = []
        for _, payload, retained in self.mqtt.received:
            match = ACK.fullmatch(payload.decode())
            assert match, payload
            found.append((int(match[1], 16), int(match[2]), bool(match[3]), retained))
        return found

    def wait_ack(self, seq: int, epoch: int = 1, seconds: float = 20.0) -> None:
        self.mqtt.wait(lambda: any(answer[:3] == (epoch, seq, False) for answer in self.answers()),
                       f"{self.gateway}: ack {seq} of epoch {epoch:x}, got {self.answers()[-3:]}", seconds)

    def wait_refusal(self, seq: int, epoch: int = 1, seconds: float = 20.0) -> None:
        self.mqtt.wait(lambda: any(answer[:3] == (epoch, seq, True) for answer in self.answers()),
                       f"{self.gateway}: a refusal at {seq}, got {self.answers()[-3:]}", seconds)

    def forget(self) -> None:
        self.mqtt.received.clear()

    def close(self) -> None:
        self.mqtt.close()
