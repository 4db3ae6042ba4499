"""A load of readings: batches of several gateways, made beforehand, and their way to the broker."""

from __future__ import annotations

import select
import time
from collections import deque
from pathlib import Path

from harness.process import wait_until
from publisher import ACK, Mqtt

WINDOW_BATCHES = 16
WINDOW_BYTES = 512 * 1024
EPOCH = 0x0B

PARK = """
sites = ( {{ id = "site"; name = "园区"; name_en = "Park"; zone = "Asia/Shanghai"; }} );
buildings = ( {{ id = "b1"; name = "1号楼"; name_en = "Building 1"; site = "site"; area = 1000; }} );
gateways = ( {gateways} );
meters = ( {meters} );
"""
GATEWAY = '{{ id = "{0}"; site = "site"; building = "b1"; name = "{0}"; name_en = "{0}"; }}'

METER = ('{{ id = "m{0}-{1}"; name = "{0}"; name_en = "{0}"; building = "b1"; carrier = "electricity"; '
         'segments = ( {{ serial = "1"; from = "2020-01-01T00:00:00Z"; point = "gw-{0}/{2}"; max_rate = 100000000; }} ); }}')


def write_park(path: Path, gateways: list[str], meters: str = "") -> Path:
    path.write_text(PARK.format(gateways=", ".join(map(GATEWAY.format, gateways)), meters=meters))
    return path


class Load:
    """`readings` readings of `points` points, spread over `gateways`; every point has its next reading 10 s after the
    last one, so that all are of the past. Registers and gauges by turns, as meters have them."""

    def __init__(self, readings: int, points: int, gateways: int = 10, batch_lines: int = 1000):
        self.gateways = [f"gw-{i}" for i in range(gateways)]
        share = points // gateways
        steps = -(-readings // (share * gateways))
        self.readings = steps * share * gateways
        self.points = share * gateways
        self.register_sum = 0
        start_ms = (int(time.time()) - 10 * steps - 60) * 1000
        self.batches: dict[str, list[bytes]] = {}
        for number, gateway in enumerate(self.gateways):
            lines: list[str] = []
            for step in range(steps):
                time_ms = start_ms + step * 10_000
                for i in range(share):
                    lines.append(line(number, i, step, time_ms + i))
                    self.register_sum += register(i, step) if i % 2 == 0 else 0
            self.batches[gateway] = [
                "\n".join([f"#park1 epoch={EPOCH:016x} seq={seq} first=1", *lines[at:at + batch_lines], ""]).encode()
                for seq, at in enumerate(range(0, len(lines), batch_lines), 1)]


def register(point: int, step: int) -> int:
    return 100_000_000 + point * 1_000_003 + step * 117


def point_name(gateway: int, point: int) -> str:
    return f"b{gateway}.f{point // 50}.m{point // 2:03d}"


def metered(load: Load) -> str:
    """Each register of the load as a meter of the park."""
    share = load.points // len(load.gateways)
    return ",\n".join(METER.format(gateway, point, point_name(gateway, point))
                      for gateway in range(len(load.gateways)) for point in range(0, share, 2))


def line(gateway: int, point: int, step: int, time_ms: int) -> str:
    name = point_name(gateway, point)
    if point % 2 == 0:
        return f"register,point={name} value={register(point, step)}i {time_ms}"
    return f"gauge,point={name}.power value={(point * 7919 + step * 104729) % 1_000_000 / 10} {time_ms}"


class Sender:
    """Publishes a load as agents do: a window for each gateway, moved by acknowledgements, unless nobody gives any."""

    def __init__(self, broker, load: Load, has_acks: bool = True):
        self.load = load
        self.has_acks = has_acks
        self.marks = dict.fromkeys(load.gateways, 0)
        self.clients: dict[str, Mqtt] = {}
        for gateway in load.gateways:
            password = broker.password_file(gateway).read_text().strip()
            client = self.clients[gateway] = Mqtt(broker.port, f"park-{gateway}", gateway, password)
            if has_acks:
                client.subscribe(f"park/v1/gw/{gateway}/ack")

    def send(self, per_second: float | None, seconds: float) -> float:
        """Sends all of it, at most so many readings a second, and returns how long it took until everything was
        acknowledged, or confirmed by the broker where nobody acknowledges."""
        began = time.monotonic()
        deadline = began + seconds
        queues = {gateway: deque(enumerate(batches, 1)) for gateway, batches in self.load.batches.items()}
        sent_lines = 0
        while any(queues.values()):
            assert time.monotonic() < deadline, f"the load was not taken within {seconds} s"
            is_moved = False
            for gateway, queue in queues.items():
                wait = began + sent_lines / per_second - time.monotonic() if per_second else 0
                while wait > 0:
                    self._listen(min(wait, 0.01))
                    wait = began + sent_lines / per_second - time.monotonic()
                if queue and self._has_room(gateway, queue[0][0]):
                    seq, body = queue.popleft()
                    self.clients[gateway].publish(f"park/v1/gw/{gateway}/up", body)
                    sent_lines += body.count(b"\n") - 1
                    is_moved = True
            self._listen(0 if is_moved else 0.01)
        while not self._is_done():
            assert time.monotonic() < deadline, f"the load was not acknowledged within {seconds} s"
            self._listen(0.005)
        return time.monotonic() - began

    def _has_room(self, gateway: str, seq: int) -> bool:
        client = self.clients[gateway]
        if not self.has_acks:
            return len(client.unconfirmed) < WINDOW_BATCHES
        out = seq - self.marks[gateway]
        size = sum(len(body) for body in self.load.batches[gateway][self.marks[gateway]:seq])
        return out <= WINDOW_BATCHES and (out == 1 or size <= WINDOW_BYTES)

    def _is_done(self) -> bool:
        if not self.has_acks:
            return not any(client.unconfirmed for client in self.clients.values())
        return all(self.marks[gateway] == len(batches) for gateway, batches in self.load.batches.items())

    def _listen(self, seconds: float) -> None:
        sockets = {client.socket: client for client in self.clients.values()}
        for ready in select.select(list(sockets), [], [], max(seconds, 0))[0]:
            sockets[ready].poll(0)
        for gateway, client in self.clients.items():
            for _, payload, is_retained in client.received:
                if is_retained:  # of an earlier round: another collector said it
                    continue
                match = ACK.fullmatch(payload.decode())
                assert match and not match[3], f"{gateway}: {payload!r}"
                self.marks[gateway] = max(self.marks[gateway], int(match[2]))
            client.received.clear()

    def close(self) -> None:
        for client in self.clients.values():
            client.close()


def wait_subscribed(collector) -> None:
    """What is published before is nobody's, and nobody sends it again here."""
    wait_until(lambda: "\nparkmon_broker_connected 1" in collector.get("/metrics")[1], 20, "the collector has subscribed")


def accepted(collector) -> int:
    """Lines that the store took from it since its start."""
    for line in collector.get("/metrics")[1].splitlines():
        if line.startswith('parkmon_store_lines_total{outcome="accepted"}'):
            return int(line.rsplit(" ", 1)[1])
    return 0


def stored(influx, database: str, readings: int, register_sum: int) -> int:
    """Readings that a database holds, by its own count. Where they are all there, the registers must add up."""
    count = influx.count("register", database) + influx.count("gauge", database)
    if count == readings:
        total = sum(row["sum"] for policy in influx.policies(database)
                    for row in influx.rows(f'SELECT sum(value) FROM "{policy}"."register"', database))
        assert total == register_sum, f"{database}: the registers add up to {total}, not {register_sum}"
    return count


def check_stored(influx, database: str, readings: int, register_sum: int) -> int:
    """Fails unless a database holds all of it, and drops the database."""
    held = stored(influx, database, readings, register_sum)
    assert held == readings, f"{database}: the store holds {held} readings of {readings}"
    influx.query(f'DROP DATABASE "{database}"')
    return held
