"""Real data as energy: file -> agent -> broker -> collector -> ledger -> /api/v1/energy, the report and the store. Totals of months are the file's to
the Wh; with gaps, rollovers, replacements, resets and wrong readings put in (PARKMON_SEED) they still are where that is conserved, and say so where not.

A year of the steel plant, and two rooms with gaps of 1, 2 and 68 days of their own. What must come out: real_faults.py.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
import real_data
from harness.parkmon import Agent, new_collector, write_agent_settings
from harness.process import run, wait_until
from harness.stage import Stage
from real_faults import (QUARTER_MS, Feeder, Share, begin_again, lie, lose, places, replace_logged, rfc3339, roll)
from test_real_data import REPLAY_SECONDS, STEEL_TOTAL_WH, bus_of

SEED = int(os.environ.get("PARKMON_SEED", "1"))
STEEL_MAX_RATE = 700_000  # W; the file's own highest mean of a quarter hour is 628 720
ROBOD_MAX_RATE = 150_000
ROBOD_ZONE = timezone(timedelta(hours=8))
FAULTY_READINGS = 90 * 96  # of those with faults: January to March


def begin_of(zone: timezone, year: int, month: int) -> int:
    return real_data.milliseconds(datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=zone))


class Month:
    def __init__(self, site: str, zone: timezone, year: int, month: int):
        self.site, self.name = site, f"{year}-{month:02d}"
        self.begin_ms, self.end_ms = begin_of(zone, year, month), begin_of(zone, year, month + 1)


STEEL_MONTHS = [Month("steel", real_data.STEEL_ZONE, 2018, month) for month in range(1, 13)]
ROBOD_MONTHS = [Month("robod", ROBOD_ZONE, 2021, month) for month in range(9, 13)]


def steel_truth(data: Path) -> list[tuple[int, int]]:
    """The file's intervals added up. Before the first of them the register reads 0: that makes January whole."""
    totals = [(r.time_ms, r.value) for r in real_data.steel(data) if r.point == "steel.energy"]
    return [(totals[0][0] - QUARTER_MS, 0), *totals]


def steel_feeders(data: Path, random: Random) -> dict[str, Feeder]:
    truth = steel_truth(data)
    part = truth[:FAULTY_READINGS + 1]
    edge = next(i for i, (time_ms, _) in enumerate(part) if time_ms == STEEL_MONTHS[1].begin_ms)

    def made(name: str, what=part) -> Feeder:
        return Feeder(name, list(what), STEEL_MAX_RATE)

    def somewhere(feeder: Feeder) -> int:
        return places(random, feeder, 1, 400)[0]

    feeders = [made("year", truth)]
    # One reading, some hours, more than a day; and one of nine hours across the end of January.
    gaps = made("gaps")
    lose(gaps, [(i, i + n) for i, n in zip(places(random, gaps, 12, 150), (1, 1, 2, 3, 8, 24, 24, 50, 95, 96, 110, 120)) if abs(i - edge) > 150])
    feeders.append(lose(gaps, [(edge - 20, edge + 16)]))
    rollover = made("rollover")
    roll(rollover, 1_000_000)
    feeders.append(rollover)
    replaced = made("replaced")
    feeders.append(replace_logged(replaced, somewhere(replaced), 12_000_000))
    # All at once: readings are lost here and there, some are wrong, the register rolls over, also in a gap, and the meter is replaced.
    mixed = made("mixed")
    chosen = places(random, mixed, 40, 60)
    replace_logged(mixed, chosen.pop(random.randrange(20)), 77_000)
    wraps = roll(mixed, 60_000_000)
    chosen = [i for i in chosen if all(abs(i - wrap) > 60 for wrap in wraps)]
    lie(mixed, chosen[::2], random)
    lose(mixed, [(i, i + random.randint(1, 40)) for i in chosen[1::2]] + [(wraps[1] - 8, wraps[1] + 8)])
    feeders.append(mixed)
    outliers = made("outliers")
    feeders.append(lie(outliers, places(random, outliers, 40, 12), random))
    for name in ("unlogged", "reset"):
        feeder = made(name)
        at = somewhere(feeder)
        start = 300_000 if name == "unlogged" else 0
        feeder.decided = (*begin_again(feeder, at, start), start)
        feeder.unknown = [(part[at - 1][0], part[at][0])]
        feeders.append(feeder)
    # Nobody knows when in these six hours it was replaced, nor with what register: a person says what was used.
    guessed = made("guessed")
    at = somewhere(guessed)
    begin_again(guessed, at + 12, 500_000)
    lose(guessed, [(at, at + 24)])
    guessed.unknown = [(part[at - 1][0], part[at + 24][0])]
    feeders.append(guessed)
    return {feeder.name: feeder for feeder in feeders}


def room_feeders(data: Path, random: Random) -> dict[str, Feeder]:
    """The rooms' own gaps, and in one register more of them."""
    found = {}
    for room in (1, 2):
        for point, truth in real_data.by_point([r for r in real_data.robod(data, room) if isinstance(r.value, int)]).items():
            name = point.replace(".", "-").replace("_", "-")
            found[name] = Feeder(name, truth, ROBOD_MAX_RATE)
    plug = found["room1-plug-load"]
    lose(plug, [(i, i + random.randint(3, 60)) for i in places(random, plug, 20, 100)])
    return found


def segments_of(feeder: Feeder) -> str:
    more = f"max_rate = {feeder.max_rate}; resolution = 1; " + (f"modulus = {feeder.modulus}; " if feeder.modulus else "")
    begin = rfc3339(feeder.truth[0][0])
    point = f'point = "gw-data/{feeder.name}"; {more}'
    if feeder.replaced is None:
        return f'{{ serial = "1"; from = "{begin}"; {point} }}'
    instant, end, start = feeder.replaced
    end = end % feeder.modulus if feeder.modulus else end
    return (f'{{ serial = "1"; from = "{begin}"; until = "{rfc3339(instant)}"; end = {end}; {point} }},'
            f'{{ serial = "2"; from = "{rfc3339(instant)}"; start = {start}; {point} }}')


def park_text(sites: dict[str, dict[str, Feeder]]) -> str:
    zones = {"steel": "Asia/Seoul", "robod": "Asia/Singapore"}
    meters = [f'{{ id = "{f.name}"; name = "x"; name_en = "x"; building = "{site}"; carrier = "electricity"; segments = ({segments_of(f)}); }}'
              for site, feeders in sites.items() for f in feeders.values()]
    return ("sites = (" + ", ".join(f'{{ id = "{site}"; name = "x"; name_en = "x"; zone = "{zones[site]}"; }}' for site in sites) + ");\n"
            "buildings = (" + ", ".join(f'{{ id = "{site}"; name = "x"; name_en = "x"; site = "{site}"; }}' for site in sites) + ");\n"
            'gateways = ( { id = "gw-data"; name = "x"; name_en = "x"; site = "steel"; } );\n'
            "meters = (\n" + ",\n".join(meters) + ");\n")


class House:
    def __init__(self, stage: Stage, data: Path):
        print(f"PARKMON_SEED={SEED}")
        random = Random(SEED)
        self.steel, self.rooms = steel_feeders(data, random), room_feeders(data, random)
        self.feeders = {**self.steel, **self.rooms}
        park = stage.folder / "park.cfg"
        park.write_text(park_text({"steel": self.steel, "robod": self.rooms}))
        self.influx = stage.influx()
        broker = stage.broker("gw-data")
        self.collector = stage.start(new_collector(stage.folder / "collector", broker, self.influx, park))
        readings = sorted((real_data.Reading(f.name, count, time_ms) for f in self.feeders.values() for time_ms, count in f.shown),
                          key=lambda r: r.time_ms)
        agent = Agent(write_agent_settings(stage.folder / "gw-data.cfg", "gw-data", broker, bus_of(dict.fromkeys(self.feeders, "register"))), broker)
        done = agent.run("--replay", str(real_data.write_replay(stage.folder / "replay.csv", readings)), seconds=REPLAY_SECONDS)
        assert done.returncode == 0, done.stderr[-2000:]
        self.wait_booked()
        assert self.collector.metric("parkmon_quarantined_total") == self.collector.metric("parkmon_losses_total") == 0

    def wait_booked(self) -> None:
        for name in ("parkmon_ledger_backlog_batches", "parkmon_store_backlog_batches", "parkmon_outbox_bytes"):
            wait_until(lambda: self.collector.metric(name) == 0, 600, f"{name} is 0", poll=0.2)

    def shares(self, months: list[Month]) -> dict[str, list[dict]]:
        """What /api/v1/energy says, by meter."""
        path = f"/api/v1/energy?site={months[0].site}&by=meter&step=1mo&from={rfc3339(months[0].begin_ms)}&to={rfc3339(months[-1].end_ms)}"
        return {row["id"]: row["values"] for row in self.collector.get_json(path)["rows"] if row["kind"] == "meter"}

    def report(self, month: Month) -> dict[str, list[dict]]:
        done = run([self.collector.program, "report", "--config", self.collector.settings, "--site", month.site, "--period", month.name,
                    "--format", "json"], 60)
        assert done.returncode == 0, done.stderr
        return {table["id"]: table["rows"] for table in json.loads(done.stdout, parse_float=Decimal)["tables"]}

    def exceptions(self) -> set[tuple[str, str, str]]:
        listed = self.collector.get_json("/api/v1/exceptions?limit=1000")
        assert listed["next_before"] is None
        return {(item["meter"], *(rfc3339(real_data.milliseconds(datetime.fromisoformat(item[key]))) for key in ("from", "until")))
                for item in listed["exceptions"]}

    def decide(self, kind: str, feeder: Feeder, *words) -> None:
        done = run([self.collector.program, "decide", kind, "--config", self.collector.settings, "--meter", feeder.name, "--why", "the log book says so",
                    *map(str, words)], 60)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def house(tmp_path_factory, data):
    with Stage(tmp_path_factory.mktemp("real")) as stage:
        yield House(stage, data)


def kwh(wh: int | None) -> Decimal | None:
    return None if wh is None else Decimal(wh).scaleb(-3)


def assert_share(value: dict, share: Share, what: str) -> None:
    """As /api/v1/energy says it."""
    amount = None if value["amount"] is None else Decimal(value["amount"])
    assert (amount, Decimal(value["known"])) == (kwh(share.amount), kwh(share.known)), what
    assert (Decimal(value["estimated"]), value["estimated_s"]) == (kwh(share.estimated), share.estimated_quarters * 900), what
    assert Decimal(value["manual"]) == kwh(share.manual), what
    assert value["unknown_s"] == share.exception_quarters * 900, what
    assert (value["waiting_s"], value["absent_s"]) == (share.other_quarters * 900, share.absent_quarters * 900), what
    assert value["covered"] == share.known_quarters - share.estimated_quarters, what


def check_months(house: House, months: list[Month], feeders: dict[str, Feeder]) -> None:
    found = house.shares(months)
    assert set(found) == set(feeders)
    for name, feeder in feeders.items():
        for month, value in zip(months, found[name], strict=True):
            assert_share(value, feeder.share(month.begin_ms, month.end_ms), f"{name} {month.name}")


def check_report(house: House, month: Month, feeders: dict[str, Feeder]) -> None:
    rows = {row["id"]: row for row in house.report(month)["meters"]}
    assert set(rows) == set(feeders)
    for name, feeder in feeders.items():
        row, share = rows[name], feeder.share(month.begin_ms, month.end_ms)
        unknown = (share.exception_quarters + share.other_quarters + (0 if share.known_quarters else share.absent_quarters)) * 25
        assert row["amount"] == kwh(share.amount), f"{name} {month.name}"
        assert row["unknown_h"] == (Decimal(unknown) / 100 if unknown else None), f"{name} {month.name}"
        if share.amount is None and share.known_quarters:
            assert row["known"] == kwh(share.known), f"{name} {month.name}"
        if share.amount is not None:
            assert row["quality"] == ("manual" if share.manual else "estimated" if share.estimated_quarters else "measured"), f"{name} {month.name}"
            assert row["estimated_share"] == Decimal(share.estimated_permille) / 10, f"{name} {month.name}"


def test_each_month_of_the_plants_year_is_the_files(house, data):
    """Here from the file's intervals themselves, without a running total: what ends in a month belongs to it."""
    by_month = [0] * 12
    intervals = steel_truth(data)
    for (_, before), (end_ms, after) in zip(intervals, intervals[1:]):
        by_month[next(i for i, month in enumerate(STEEL_MONTHS) if month.begin_ms < end_ms <= month.end_ms)] += after - before
    found = house.shares(STEEL_MONTHS)["year"]
    assert [Decimal(value["amount"]) for value in found] == [kwh(amount) for amount in by_month]
    assert {(value["quality"], value["coverage"]) for value in found} == {("measured", "1.0000")}
    assert sum(Decimal(value["amount"]) for value in found) == kwh(STEEL_TOTAL_WH)


def test_months_with_faults_are_exact_where_conserved_and_labelled_where_not(house):
    assert all(sum(f.share(m.begin_ms, m.end_ms).estimated_quarters for m in STEEL_MONTHS) > 0 for f in map(house.steel.get, ("gaps", "outliers", "mixed")))
    assert house.steel["rollover"].events["rollover"] > 200 and len(house.steel["mixed"].shown) < FAULTY_READINGS
    check_months(house, STEEL_MONTHS, house.steel)
    for month in STEEL_MONTHS[:4]:
        check_report(house, month, house.steel)


def test_what_is_conserved_is_the_files_total_whatever_happened_inside(house):
    """Over the three months to the Wh: gaps, wraps, wrong readings and a logged replacement take nothing and add nothing."""
    total = house.steel["year"].share(STEEL_MONTHS[0].begin_ms, STEEL_MONTHS[2].end_ms).known
    found = house.shares(STEEL_MONTHS[:3])
    for name in ("gaps", "rollover", "replaced", "outliers", "mixed"):
        assert sum(Decimal(value["amount"]) for value in found[name]) == kwh(total), name


def test_events_are_told_one_by_one(house):
    rows = [row for month in STEEL_MONTHS[:4] for row in house.report(month)["exceptions"]]
    for name, feeder in house.steel.items():
        found = {(row["event"], row["from"]) for row in rows if row["id"] == name}
        assert sum(event == "rollover" for event, _ in found) == feeder.events.get("rollover", 0), name
        assert sum(event == "outliers" for event, _ in found) == feeder.events.get("outliers", 0), name
        assert sum(event in ("exception", "limit_exceeded") for event, _ in found) == len(feeder.unknown), name


def test_rooms_with_gaps_of_days_are_exact_and_their_gaps_estimated(house):
    check_months(house, ROBOD_MONTHS, house.rooms)
    for month in ROBOD_MONTHS:
        check_report(house, month, house.rooms)
    november = house.rooms["room1-lighting"].share(ROBOD_MONTHS[2].begin_ms, ROBOD_MONTHS[2].end_ms)
    assert november.estimated_quarters == november.known_quarters == 30 * 96  # the gap of 68 days


def test_the_store_has_the_same_months(house):
    for months, feeders in ((STEEL_MONTHS, house.steel), (ROBOD_MONTHS, house.rooms)):
        for month in months:
            rows = house.influx.rows(f'SELECT sum("count"), count("count") FROM energy WHERE site = \'{month.site}\' AND time >= {month.begin_ms}ms'
                                     f" AND time < {month.end_ms}ms GROUP BY meter")
            found = {row["meter"]: (row["sum"], row["count"]) for row in rows if row["count"]}
            shares = {name: feeder.share(month.begin_ms, month.end_ms) for name, feeder in feeders.items()}
            assert found == {name: (share.known, share.known_quarters) for name, share in shares.items() if share.known_quarters}, month.name


def test_what_nobody_logged_is_an_open_exception_and_what_a_person_decides_makes_it_whole(house):
    """Last, since it decides."""
    unlogged, reset, guessed = (house.steel[name] for name in ("unlogged", "reset", "guessed"))
    assert house.exceptions() == {(f.name, rfc3339(a), rfc3339(b)) for f in (unlogged, reset, guessed) for a, b in f.unknown}
    house.collector.stop()
    for kind, feeder in (("replacement", unlogged), ("reset", reset)):
        instant, end, start = feeder.decided
        house.decide(kind, feeder, "--at", rfc3339(instant), "--end", end, "--start", start)
        feeder.unknown = []
    (since, until), = guessed.unknown
    house.decide("energy", guessed, "--from", rfc3339(since), "--until", rfc3339(until), "--energy", guessed.total[until] - guessed.total[since])
    guessed.unknown, guessed.stated = [], [(since, until)]
    house.collector.start()
    house.wait_booked()
    assert house.exceptions() == set()
    check_months(house, STEEL_MONTHS, house.steel)
    for month in STEEL_MONTHS[:3]:
        check_report(house, month, house.steel)
    test_the_store_has_the_same_months(house)
    assert " ERROR " not in house.collector.log()
