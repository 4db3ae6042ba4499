"""The ledger's books in the real collector: the table of faults through broker, journal, books and store, with kills; what the answers must be
is typed beside the histories (tests/oracle/faults.py)."""

from __future__ import annotations

import csv
import random
import re
import sqlite3
import sys
from contextlib import closing
from datetime import datetime, timezone

import pytest
from harness.parkmon import new_collector
from harness.process import wait_until
from harness.servers import SOURCE
from harness.stage import Park, Stage
from publisher import Publisher

sys.path.insert(0, str(SOURCE / "tests"))

from oracle import faults  # noqa: E402
from oracle.faults import BY_ROW, CASES, DAY, DAY_MS, EXCEPTIONS, Case, at, ms, span, wh  # noqa: E402

QUARTER_MS = 900_000
YEARS_AHEAD_MS = 50 * 365 * DAY_MS  # of the histories' days, and of whenever this runs
NAMES = ("measured", "estimated", "manual", "unknown")  # enum quality
OPEN = {5: "open_exception", 6: "limit", 7: "confirm_meter"}  # enum event_kind
KINDS = {2: "outlier", 3: "frozen", 4: "rollover", **OPEN}
ROW_15 = Case("15", "what was missing comes in one batch at 20:00", faults.BASE, 960)
ROW_29 = Case("29", "a reading stamped years ahead", faults.BASE, 960)
CLOCK = Case("clock", "readings of a clock that was not synchronised, an hour wrong", faults.BASE, 960)
HISTORIES = {f"r{case.row}": case for case in [*CASES, faults.CHILD_17, ROW_15, ROW_29, CLOCK]}


def rfc3339(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_of(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def segment_text(meter: str, segment) -> str:
    keys = {"serial": '"1"', "from": f'"{rfc3339(segment.from_ms)}"', "point": f'"gw-a/{meter}"', "resolution": segment.resolution,
            "max_rate": segment.max_rate, "start": segment.start, "end": segment.end, "modulus": segment.modulus,
            "until": None if segment.until_ms is None else f'"{rfc3339(segment.until_ms)}"',
            "ct": None if segment.ratio == 1 else f'"{segment.p}/{segment.q}"',
            "registers": None if segment.ratio == 1 else '"secondary"'}
    # More than 32 bits need an L.
    shown = {key: f"{value}L" if isinstance(value, int) else value for key, value in keys.items() if value is not None}
    return "{ " + " ".join(f"{key} = {value};" for key, value in shown.items()) + " }"


def park_text() -> str:
    meters = ",\n".join(
        f'{{ id = "{meter}"; name = "x"; name_en = "x"; building = "b1"; tenant = "t1"; carrier = "electricity"; item = "01A00";'
        f' segments = ({", ".join(segment_text(meter, segment) for segment in case.meter())}); }}'
        for meter, case in HISTORIES.items())
    return ('sites = ({ id = "s1"; name = "x"; name_en = "x"; zone = "Asia/Shanghai"; });\n'
            'buildings = ({ id = "b1"; name = "x"; name_en = "x"; site = "s1"; });\n'
            'tenants = ({ id = "t1"; name = "x"; name_en = "x"; });\n'
            'gateways = ({ id = "gw-a"; name = "x"; name_en = "x"; site = "s1"; building = "b1"; });\n'
            f"meters = (\n{meters});\n")


def batches() -> list[list[str]]:
    """A batch for each quarter hour of the histories, in order of arrival."""
    by_quarter: dict[int, list[str]] = {}
    for meter, case in HISTORIES.items():
        for time_ms, count in case.readings():
            arrival = time_ms
            if case is ROW_15 and at("06:00") <= (time_ms - DAY) / 60_000 < at("12:00"):
                arrival = ms(at("20:00")) + 1
            line = f"register,point={meter} value={count}i"
            by_quarter.setdefault(arrival // QUARTER_MS, []).append(f"{line} {time_ms}")
            if case is CLOCK:
                by_quarter[arrival // QUARTER_MS].append(f'{line},quality="clock" {time_ms + 3600_000 + 7}')
    by_quarter[ms(at("10:00")) // QUARTER_MS].append(f"register,point=r29 value={wh(100_400)}i {ms(at('10:00')) + YEARS_AHEAD_MS}")
    return [by_quarter[quarter] for quarter in sorted(by_quarter)]


class House:
    def __init__(self, stage, text: str | None = None):
        self.broker = stage.broker("gw-a")
        self.influx = stage.influx()
        park = stage.folder / "park.cfg"
        park.write_text(text or park_text())
        self.collector = stage.add(new_collector(stage.folder / "collector", self.broker, self.influx, park))
        self.database = stage.folder / "collector/collector.db"

    def start(self) -> "House":
        self.collector.start()
        wait_until(lambda: "\nparkmon_broker_connected 1\n" in self.collector.get("/metrics")[1], 20, "the collector is connected")
        return self

    def query(self, sql: str) -> list[tuple]:
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()

    def is_folded(self) -> bool:
        return self.query("SELECT position >= (SELECT max(id) FROM journal) FROM cursor WHERE name = 'ledger'") == [(1,)]

    def is_sent(self) -> bool:
        return self.query("SELECT count(*) FROM outbox WHERE sent_ms IS NULL AND series LIKE 'energy,%'") == [(0,)]

    def wait_folded(self, seconds: float = 30) -> None:
        wait_until(self.is_folded, seconds, "the ledger has folded the journal")

    def books(self) -> dict[str, list[tuple]]:
        """All tables of the ledger but the snapshots, which are a cache."""
        tables = [name for name, in self.query(r"SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'ledger\_%' ESCAPE '\'")
                  if "snapshot" not in name]
        assert len(tables) >= 6
        return {name: self.query(f"SELECT * FROM {name}") for name in tables}

    def forget_books(self) -> None:
        """As a database of an older format is taken over: the journal, and no books."""
        with closing(sqlite3.connect(self.database)) as database:
            for name, in database.execute(r"SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'ledger\_%' ESCAPE '\'").fetchall():
                database.execute(f"DELETE FROM {name}")
            database.execute("UPDATE cursor SET position = 0 WHERE name = 'ledger'")
            database.commit()

    def publish(self, what: list[list[str]], kill_at: set[int] = frozenset(), begin: int = 1) -> None:
        """All batches in order from `begin` on, each acknowledged; those in `kill_at` are under way when the collector is killed; what was not
        answered comes again."""
        agent = Publisher(self.broker, "gw-a")
        for seq, lines in list(enumerate(what, 1))[begin - 1:]:
            agent.send(seq, lines)
            if seq in kill_at:
                self.collector.kill()
                self.start()
                held = max((answer[1] for answer in agent.answers()), default=0)
                for again in range(held + 1, seq + 1):
                    agent.send(again, what[again - 1])
            if seq in kill_at or seq % 8 == 0 or seq == len(what):
                agent.wait_ack(seq)
        agent.close()


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """All histories, published once, with the collector killed three times on the way."""
    with Stage(tmp_path_factory.mktemp("books")) as stage:
        house = House(stage).start()
        what = batches()
        draw = random.Random(7)
        house.publish(what, set(draw.sample(range(5, len(what)), 3)))
        house.wait_folded()
        wait_until(house.is_sent, 60, "the rows of energy are in the store")
        yield house


def latest(house, meter: str) -> dict[int, tuple[int | None, str]]:
    """The latest version of each quarter hour of the day that has one."""
    rows = house.query(f"SELECT start_ms, max(version), amount, quality FROM ledger_quarter JOIN ledger_meter ON id = meter WHERE name = '{meter}'"
                       f" AND start_ms >= {DAY} AND start_ms < {DAY + DAY_MS} GROUP BY start_ms")
    return {start: (amount, NAMES[quality]) for start, _, amount, quality in rows}


def assert_answer(case: Case, quarters: dict[int, tuple[int | None, str]]) -> None:
    """A quarter hour without a row is not decided, which is unknown."""
    known = [amount for amount, _ in quarters.values() if amount is not None]
    unknown = sorted(set(range(DAY, DAY + DAY_MS, QUARTER_MS)) - {start for start, (amount, _) in quarters.items() if amount is not None})
    assert unknown == case.unknown
    assert sum(known) == wh(case.known if case.amount is None else case.amount)
    assert [start for start, (_, quality) in sorted(quarters.items()) if quality == "estimated"] == case.estimated
    assert all((amount is None) == (quality == "unknown") for amount, quality in quarters.values())


@pytest.mark.parametrize("meter", HISTORIES)
def test_the_books_have_the_documents_answer(told, meter):
    case = HISTORIES[meter]
    assert_answer(case, latest(told, meter))
    events = told.query("SELECT kind, from_ms, until_ms FROM ledger_event JOIN ledger_meter ON id = meter"
                        f" WHERE name = '{meter}' AND state = 0 ORDER BY from_ms")
    assert {KINDS[kind] for kind, _, _ in events} == set(case.events) - {"held"}
    spans = [(since, until) for kind, since, until in events if kind in OPEN]
    assert spans == ([] if case.exception is None else [tuple(ms(minute) for minute in case.exception)])


def test_row_15_late_readings_write_a_second_version_only_where_something_changed(told):
    rows = told.query("SELECT start_ms, version, quality FROM ledger_quarter JOIN ledger_meter ON id = meter WHERE name = 'r15' ORDER BY 1, 2")
    assert [start for start, version, _ in rows if version == 2] == span(*faults.GAP_3)
    assert {NAMES[quality] for start, version, quality in rows if start in span(*faults.GAP_3) and version == 1} == {"estimated"}
    assert max(version for _, version, _ in rows) == 2


def test_what_is_a_year_ahead_is_quarantined_and_no_reading(told):
    assert told.query("SELECT count(*) FROM quarantine") == [(1,)]


@pytest.mark.parametrize("meter", HISTORIES)
def test_the_store_has_the_latest_version_and_no_amount_that_is_not_known(told, meter):
    stored = {row["time"]: row for row in told.influx.rows(f'SELECT amount, "count", quality, coverage FROM energy WHERE meter = \'{meter}\'')}
    rows = told.query(f"SELECT start_ms, max(version), amount, quality FROM ledger_quarter JOIN ledger_meter ON id = meter WHERE name = '{meter}'"
                      " GROUP BY start_ms")
    assert {start: (amount, NAMES[quality]) for start, _, amount, quality in rows} == {
        time: (row["count"], row["quality"]) for time, row in stored.items()}
    for row in stored.values():
        assert row["amount"] == (None if row["count"] is None else row["count"] / 1000)
        assert row["coverage"] == (row["quality"] in ("measured", "manual"))


def test_a_quarter_that_turned_unknown_has_lost_its_amount_in_the_store(told):
    """Row 12: the quarter 09:30 was measured before the readings after it said otherwise."""
    start = ms(at("09:30"))
    versions = told.query(f"SELECT amount FROM ledger_quarter JOIN ledger_meter ON id = meter WHERE name = 'r12' AND start_ms = {start} ORDER BY version")
    assert versions == [(10_000,), (None,)]
    assert told.influx.rows(f"SELECT amount, \"count\", quality FROM energy WHERE meter = 'r12' AND time = {start}ms") == [
        {"time": start, "amount": None, "count": None, "quality": "unknown"}]
    day = f"meter = 'r12' AND time >= {DAY}ms AND time < {DAY + DAY_MS}ms"
    assert told.influx.rows(f"SELECT sum(amount) FROM energy WHERE {day}")[0]["sum"] == BY_ROW["12"].known


def test_a_row_of_energy_has_the_parks_tags(told):
    rows = told.influx.rows("SHOW SERIES FROM energy WHERE meter = 'r1'")
    assert [row["key"] for row in rows] == ["energy,building=b1,carrier=electricity,item=01A00,meter=r1,site=s1,tenant=t1"]


def test_open_exceptions_are_listed_and_counted_and_are_no_failure(told):
    listed = told.collector.get_json("/api/v1/exceptions?limit=1000")
    assert listed["next_before"] is None
    assert {(item["meter"], item["kind"], time_of(item["from"]), time_of(item["until"])) for item in listed["exceptions"]} == {
        (meter, next(iter(EXCEPTIONS & set(case.events))), *(ms(minute) for minute in case.exception))
        for meter, case in HISTORIES.items() if case.exception is not None}
    assert {item["building"] for item in listed["exceptions"]} == {"b1"}
    count = len(listed["exceptions"])
    assert count >= 6
    assert told.collector.metric("parkmon_ledger_open_exceptions") == count
    assert told.collector.metric("parkmon_ledger_backlog_batches") == 0
    assert told.collector.get_json("/readyz")["open_exceptions"] == count
    status = told.collector.run("status")
    assert f"{count} open exceptions of meters" in status.stdout


def test_the_books_are_the_same_byte_for_byte_as_without_a_kill(told):
    """The journal is folded again from its begin, once in one go, and once with the collector killed again and again."""
    told.collector.stop()
    expected = told.books()
    assert len(expected["ledger_quarter"]) > 90 * len(HISTORIES)
    told.forget_books()
    told.start().wait_folded()
    told.collector.stop()
    assert told.books() == expected

    told.forget_books()
    parts = set()
    for kills in range(40):
        told.collector.launch()
        wait_until(lambda: told.query("SELECT count(*) FROM ledger_quarter")[0][0] > max(parts, default=0) or told.is_folded(), 20,
                   "something is folded", poll=0.001)
        if told.is_folded():
            break
        told.collector.kill()
        parts.add(told.query("SELECT count(*) FROM ledger_quarter")[0][0])
    told.collector.kill()
    assert len(parts) >= 3, "it was to be killed while it folds"
    told.start().wait_folded()
    told.collector.stop()
    assert told.books() == expected


def test_a_restored_database_folds_again_what_comes_again(stage):
    """The copy knows nothing of the second half, which the store has; the agent sends it again."""
    house = House(stage).start()
    what = batches()
    half = len(what) * 5 // 8  # some hours after most of the faults begin, before row 15's readings come late
    house.publish(what[:half])
    house.wait_folded()
    house.collector.stop()
    copy = stage.folder / "copy.db"
    with closing(sqlite3.connect(house.database)) as database, closing(sqlite3.connect(copy)) as other:
        database.backup(other)
    house.start().publish(what, begin=half + 1)
    house.wait_folded()
    wait_until(house.is_sent, 60, "the rows of energy are in the store")
    expected = {meter: latest(house, meter) for meter in HISTORIES}
    house.collector.stop()
    assert house.collector.run("restore", str(copy)).returncode == 0
    house.start().publish(what, begin=half + 1)
    house.wait_folded()
    assert {meter: latest(house, meter) for meter in HISTORIES} == expected
    wait_until(house.is_sent, 60, "the rows of energy are in the store")
    for meter, case in HISTORIES.items():
        stored = house.influx.rows(f'SELECT "count", quality FROM energy WHERE meter = \'{meter}\' AND time >= {DAY}ms AND time < {DAY + DAY_MS}ms')
        assert {row["time"]: (row["count"], row["quality"]) for row in stored} == expected[meter], case.what


def meters_of(park_text: str) -> dict[str, tuple[str, int | None]]:
    """The point and the modulus of each meter of the simulated park."""
    found = {}
    meters = re.search(r"^meters = \($.*?^\);$", park_text, re.MULTILINE | re.DOTALL)[0]
    for text in re.split(r"(?=\{ id = \")", meters):
        point = re.search(r'point = "([^"]+)"', text)
        if point:
            modulus = re.search(r"modulus = (\d+)", text)
            found[re.match(r'\{ id = "([^"]+)"', text)[1]] = (point[1], int(modulus[1]) if modulus else None)
    return found


def test_the_energy_of_the_simulated_park_is_what_its_own_registers_counted(stage):
    park = Park(stage, every=None)
    park.start_servers()
    registers: dict[str, list[tuple[int, int]]] = {}
    for gateway, agent in park.agents.items():
        path = park.sim.write_history(stage.folder / f"{gateway}.csv", gateway, "2026-10-25T22:00:00+00:00", "2026-10-26T04:05:00+00:00", 300)
        done = agent.run("--replay", path)
        assert done.returncode == 0, done.stderr
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                if int(row["time"]) % QUARTER_MS == 0:
                    registers.setdefault(f'{gateway}/{row["point"]}', []).append((int(row["time"]), row["value"]))
    database = park.collector.settings.with_suffix(".db")
    wait_until(lambda: park.collector.metric("parkmon_ledger_backlog_batches") == 0, 60, "the ledger has folded the history", poll=0.2)

    def is_sent() -> bool:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
            return db.execute("SELECT count(*) FROM outbox WHERE sent_ms IS NULL AND series LIKE 'energy,%'").fetchone() == (0,)

    wait_until(is_sent, 60, "the rows of energy are in the store", poll=0.2)
    stored = {row["meter"]: (row["sum"], row["count"]) for row in park.influx.rows('SELECT sum("count"), count("count") FROM energy GROUP BY meter')}
    meters = meters_of((stage.folder / "settings/park.cfg").read_text())
    assert len(meters) > 10
    expected = {}
    for meter, (point, modulus) in meters.items():
        (first_ms, first), (last_ms, last) = registers[point][0], registers[point][-1]
        counted = int(last) - int(first)
        expected[meter] = (counted % modulus if modulus else counted, (last_ms - first_ms) // QUARTER_MS)
        assert expected[meter][1] == 24
    assert stored == expected
    assert sum(count for count, _ in expected.values()) > 0
