"""A gateway that somebody else built: foreign/publisher.py was written from the wire contract alone and shares nothing with us."""

from __future__ import annotations

import re
import shutil
import sys

import evidence
from harness.process import Program, wait_until
from harness.servers import SOURCE
from test_collector import House

PUBLISHER = SOURCE / "tests/integration/foreign/publisher.py"
READINGS = 2400
BATCH_LINES = 40


class Foreign:
    """The foreign gateway gw-a; its readings are a file that this class writes, which is the oracle."""

    def __init__(self, house: House, until: int = READINGS):
        self.folder = house.stage.folder / "foreign"
        self.folder.mkdir()
        self.said: dict[str, list[tuple[int, object]]] = {}
        self.house = house
        self.written = 0
        password = house.broker.password_file("gw-a").read_text().strip()
        self.program = house.stage.add(Program("publisher", self.folder, [
            sys.executable, PUBLISHER, "--dir", self.folder, "--host", "127.0.0.1", "--port", house.broker.port,
            "--gateway", "gw-a", "--username", "gw-a", "--password", password, "--lines", BATCH_LINES, "--until", until]))

    def append(self, count: int) -> None:
        """So many readings more: a counter, a temperature and a door in turn, each a second after the one before."""
        with open(self.folder / "readings", "ab") as file:
            for n in range(self.written, self.written + count):
                time_ms = self.house.base_ms + n * 1000
                kind, point, value, text = [
                    ("register", "meter", 1000 + n, f"{1000 + n}i"), ("gauge", "room.t", 20 + n / 8, f"{20 + n / 8}"),
                    ("state", "door", f"seen \\ \"{n}\"", f'"seen \\\\ \\"{n}\\""')][n % 3]
                self.said.setdefault(kind, []).append((time_ms, value))
                file.write(f"{kind},point={point} value={text} {time_ms}\n".encode())
        self.written += count

    def mark(self) -> int:
        path = self.folder / "mark"
        return int(path.read_text()) if path.exists() else 0

    def wait_mark(self, seq: int) -> None:
        wait_until(lambda: self.mark() >= seq, 60, f"batch {seq} of the foreign gateway is acknowledged, not {self.mark()}")

    def headers(self) -> str:
        return (self.folder / "epochs").read_text()


def test_a_publisher_written_from_the_contract_alone_is_delivered_once_through_kills_of_all_three(stage):
    house = House(stage)
    house.base_ms -= READINGS * 1000
    house.start()
    foreign = Foreign(house)
    foreign.append(READINGS - 3 * BATCH_LINES)
    foreign.program.start()
    foreign.wait_mark(4)
    house.collector.kill()
    house.collector.start()
    foreign.wait_mark(foreign.mark() + 4)
    house.broker.kill()
    house.broker.start()
    foreign.wait_mark(foreign.mark() + 4)
    foreign.program.kill()
    foreign.program.start()  # what was cut goes out in the epoch before, then a new one begins
    foreign.wait_mark(foreign.mark() + 4)
    foreign.program.kill()
    foreign.append(3 * BATCH_LINES)
    foreign.program.start()
    assert foreign.program.wait(120) == 0

    epochs = [line.split() for line in foreign.headers().splitlines()]
    assert len(epochs) == 3 and epochs[0][1] == "-", "a new epoch at each start"
    assert [prev.split(":")[0] for _, prev in epochs[1:]] == [epoch for epoch, _ in epochs[:-1]]
    batches = READINGS // BATCH_LINES
    assert house.query("SELECT seq FROM journal ORDER BY id") == [(seq,) for seq in range(1, batches + 1)]
    house.collector.wait_settled()
    for kind, said in foreign.said.items():
        (key, stored), = house.influx.raw(kind).items()
        assert key[0] == "gw-a" and stored == said, kind
    assert house.collector.metric("parkmon_losses_total") == 0
    assert house.collector.metric("parkmon_quarantined_total") == 0


def test_the_foreign_publisher_goes_back_for_a_collector_that_was_restored_from_a_copy(stage):
    house = House(stage)
    house.base_ms -= READINGS * 1000
    house.start()
    foreign = Foreign(house, until=20 * BATCH_LINES)
    foreign.append(6 * BATCH_LINES)
    foreign.program.start()
    foreign.wait_mark(6)
    house.collector.wait_settled()
    house.collector.stop()
    copy = evidence.copy_database(house.database, stage.folder / "copy")
    house.collector.start()
    foreign.append(8 * BATCH_LINES)
    foreign.wait_mark(14)
    house.collector.wait_settled()
    house.collector.stop()
    for suffix in ("", "-wal", "-shm"):
        house.database.with_name(house.database.name + suffix).unlink(missing_ok=True)
        if copy.with_name(copy.name + suffix).exists():
            shutil.copy(copy.with_name(copy.name + suffix), house.database.parent)
    house.collector.start()
    foreign.append(6 * BATCH_LINES)
    assert foreign.program.wait(120) == 0
    assert re.search("refusal: back to 6$", foreign.program.log(), re.MULTILINE)
    assert house.query("SELECT seq FROM journal ORDER BY id") == [(seq,) for seq in range(1, 21)]
    house.collector.wait_settled()
    for kind, said in foreign.said.items():
        (_, stored), = house.influx.raw(kind).items()
        assert stored == said, kind
    assert house.collector.metric("parkmon_losses_total") == 0
