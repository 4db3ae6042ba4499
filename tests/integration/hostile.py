"""Gateways with valid credentials and bad intent: what one sends, whom the other says to be, and a thread for each."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator

from publisher import NOT_AUTHORISED, Mqtt

GATEWAY = "gw-evil"
THIEF = "gw-thief"
UP, STATE = f"park/v1/gw/{GATEWAY}/up", f"park/v1/gw/{GATEWAY}/state"
DAY_MS = 86_400_000
SEQ_MAX = 2**53 - 1
Message = tuple[str, bytes, bool]  # topic, payload, retained


def now_ms() -> int:
    return int(time.time() * 1000)


class Attacks:
    """Endless series of messages; the seed decides them. All that claim to be batches count on in one line, `seq`."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.epoch = self.random.getrandbits(63) + 1
        self.seq = 0

    def batch(self, lines: list[str], more: str = "", seq: int | None = None, first: int | None = None,
              epoch: int | None = None) -> Message:
        """Where `first` is not told, nothing before it is held: what the flood's quota swallowed does not keep the
        collector from looking into this one."""
        if seq is None:
            self.seq += 1
            seq = self.seq
        head = f"#park1 epoch={epoch or self.epoch:016x} seq={seq} first={seq if first is None else first}{more}"
        return UP, "\n".join([head, *lines, ""]).encode(), False

    def flood(self) -> Iterator[Message]:
        """Lawful batches, each twice, as fast as the line takes them."""
        while True:
            time_ms = now_ms()
            message = self.batch([f"gauge,point=p{i} value={self.random.random()} {time_ms}" for i in range(500)], first=1)
            yield message
            yield message

    def giant(self) -> Iterator[Message]:
        """As large as the broker lets through, and with as many lines; within the size, and too many lines."""
        while True:
            yield self.batch([f"gauge,point=p value=1 {now_ms()}"] * 25_000)
            yield self.batch(["#"] * 120_000)
            yield self.batch([""] * 1_001)

    def headers(self) -> Iterator[Message]:
        heads = ["", "#park1", "#park2 epoch=1 seq=1 first=1", "#park1 epoch=0000000000000000 seq=1 first=1",
                 "#park1 epoch=00000000000000aa seq=0 first=1", f"#park1 epoch=00000000000000aa seq={2**64} first=1",
                 "#park1 epoch=00000000000000aa seq=-1 first=-2", "#park1 epoch=00000000000000aa seq=1 seq=1 first=1",
                 "#park1 epoch=00000000000000aa seq=5 first=9", "#park1 epoch=zz seq=5 first=1", "#park1 " + "a=b " * 30_000,
                 "#park1 epoch=00000000000000aa seq=5 first=1 prev=00000000000000bb:5"]
        while True:
            for head in heads:
                yield UP, head.encode() + b"\ngauge,point=a value=1 1\n", False

    def binary(self) -> Iterator[Message]:
        while True:
            yield UP, self.random.randbytes(self.random.choice([1, 100, 10_000, 250_000])), False
            yield self.batch([self.random.randbytes(2000).decode("latin-1").replace("\n", " ")])

    def lines(self) -> Iterator[Message]:
        bad = ["gauge", "gauge,point=A value=1 1", "gauge,point=a value=nan 1", "gauge,point=a value=1", "register,point=a value=1 1",
               f"register,point=a value={2**63}i 1", 'state,point=a value="x 1', "x,point=a value=1 1", "gauge,point=a,b=c value=1 1",
               'state,point=a value="' + "x" * 300 + f'" {now_ms()}', "gauge,point=a value=1 99999999999999999999"]
        while True:
            yield self.batch(bad * 90)

    def stamps(self) -> Iterator[Message]:
        while True:
            future, past = now_ms() + 400 * DAY_MS, now_ms() - 20_000 * DAY_MS
            yield self.batch([f"gauge,point=p{i} value=1 {future + i}" for i in range(500)])
            yield self.batch([f"gauge,point=p{i} value=1 {past + self.random.randrange(DAY_MS)}" for i in range(500)])
            yield self.batch([f"gauge,point=p{i} value=1 {time_ms}" for i, time_ms in enumerate([-1, 0, 1, 2**53 - 1, 2**53, 2**63 - 1])])

    def points(self) -> Iterator[Message]:
        """A million different ones, if there is time."""
        for start in range(0, 1_000_000, 1000):
            yield self.batch([f"gauge,point=n{start + i} value=1 {now_ms()}" for i in range(1000)])
        while True:
            yield self.batch([])

    def jumps(self) -> Iterator[Message]:
        """Far ahead with nothing held between; then, in the same epoch, back and forth."""
        while True:
            epoch = self.random.getrandbits(63) + 1
            for seq in (SEQ_MAX - 10, 5, SEQ_MAX - 9, SEQ_MAX, 1, SEQ_MAX - 1):
                yield self.batch([f"gauge,point=p value=1 {now_ms()}"], seq=seq, first=seq, epoch=epoch)

    def epochs(self) -> Iterator[Message]:
        while True:
            prev = self.random.choice(["", f" prev={self.random.getrandbits(63) + 1:016x}:{self.random.randrange(SEQ_MAX)}"])
            yield self.batch([f"gauge,point=p value=1 {now_ms()}"], prev, SEQ_MAX, 1, self.random.getrandbits(63) + 1)
            yield self.batch([f"gauge,point=p value=1 {now_ms()}"], "", 1, 1, self.random.getrandbits(63) + 1)

    def dropped(self) -> Iterator[Message]:
        while True:
            for count, since, until in [(2**63 - 1, 1, 2**53 - 1), (2**64, 1, 2), (-1, 1, 2), (1, 9, 2), (2**53, -5, 2**63 - 1)]:
                yield self.batch([], f" dropped={count} from={since} to={until}")

    def retained(self) -> Iterator[Message]:
        while True:
            yield (*self.batch([f"gauge,point=p value=1 {now_ms()}"])[:2], True)

    def states(self) -> Iterator[Message]:
        online = {"state": "online", "since": 2**62, "version": "v" * 100_000, "clock": [], "spooled": {"batches": -1, "bytes": 1e308}}
        absurd = [b"[" * 500_000, b'{"state":' * 50_000, b"{}", b"[]", b"null", b"", os.urandom(5000), b'{"state":1}',
                  json.dumps({**online, "points": {f"p{i}": 1 for i in range(70_000)}}).encode(),
                  b'{"state":"online","points":{' + b",".join(b'"%x":[[],[]]' % i for i in range(60_000)) + b"}}",
                  json.dumps({**online, "points": "x" * 900_000}).encode(), b'{"state":"online","state":"offline"}']
        while True:
            for payload in absurd:
                yield STATE, payload, self.random.random() < 0.5

    def forged(self) -> Iterator[Message]:
        """What the broker's rules forbid: others' topics, and acknowledgements, also of its own."""
        ack = f"epoch={self.epoch:016x} seq={SEQ_MAX}".encode()
        batch = self.batch([f"gauge,point=p value=1 {now_ms()}"])[1]
        while True:
            for gateway in ("gw-a", "gw-probe", GATEWAY):
                yield f"park/v1/gw/{gateway}/ack", ack, True
            yield "park/v1/gw/gw-a/up", batch, False
            yield "park/v1/gw/gw-probe/state", b'{"state":"offline"}', True
            yield "park/v1/public/instruments/x", b"{}", True


KINDS = ("flood", "giant", "headers", "binary", "lines", "stamps", "points", "jumps", "epochs", "dropped", "retained", "states", "forged")


class Hostile:
    """Plays the attacks one after the other, for so many seconds each, on a thread of its own."""

    def __init__(self, broker, seconds_each: float, kinds: tuple[str, ...] = KINDS, seed: int = 1):
        self.broker = broker
        self.seconds_each = seconds_each
        self.kinds = kinds
        self.attacks = Attacks(seed)
        self.sent: dict[str, tuple[int, int]] = {}  # kind -> messages, bytes
        self.denied: dict[str, int] = {}
        self.failure: Exception | None = None
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self) -> "Hostile":
        self.thread.start()
        return self

    def join(self) -> None:
        self.thread.join()
        if self.failure:
            raise self.failure

    def run(self) -> None:
        try:
            for kind in self.kinds:
                self.play(kind, getattr(self.attacks, kind))
        except Exception as failure:  # told by join
            self.failure = failure

    def play(self, kind: str, attack: Callable[[], Iterator[Message]]) -> None:
        password = self.broker.password_file(GATEWAY).read_text().strip()
        mqtt = Mqtt(self.broker.port, f"park-{GATEWAY}", GATEWAY, password)
        until = time.monotonic() + self.seconds_each
        messages = size = 0
        for topic, payload, retained in attack():
            if time.monotonic() > until:
                break
            mqtt.publish(topic, payload, retained)
            messages, size = messages + 1, size + len(payload)
        mqtt.flush()
        self.sent[kind], self.denied[kind] = (messages, size), mqtt.denied
        mqtt.close()


class Thief:
    """A second gateway, which connects with its own user and others' client ids, holds each for a moment and begins again, so
    that a broker which lets it have them ends the others' sessions; and as others, without their passwords."""

    HOLD_S = 0.1

    def __init__(self, broker, ids: tuple[str, ...], users: tuple[str, ...]):
        self.broker = broker
        self.ids = ids
        self.users = users
        self.held = self.guessed = 0
        self.is_stopping = threading.Event()
        self.failure: Exception | None = None
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self) -> "Thief":
        self.thread.start()
        return self

    def stop(self) -> None:
        self.is_stopping.set()
        self.thread.join()
        if self.failure:
            raise self.failure

    def run(self) -> None:
        try:
            before = None
            while not self.is_stopping.is_set():
                for client_id in self.ids:
                    made = self.connect(client_id, THIEF)
                    self.held += 1
                    self.is_stopping.wait(self.HOLD_S)
                    if before:
                        before.close()
                    before = made
                for user in self.users:
                    self.guess(user)
        except Exception as failure:  # told by stop
            self.failure = failure

    def connect(self, client_id: str, user: str) -> Mqtt:
        return Mqtt(self.broker.port, client_id, user, self.broker.password_file(THIEF).read_text().strip())

    def guess(self, user: str) -> None:
        try:
            self.connect(user, user).close()
        except AssertionError as refusal:
            assert f"{NOT_AUTHORISED:#x}" in str(refusal), refusal
            self.guessed += 1
        else:
            raise AssertionError(f"came in as {user} without its password")
