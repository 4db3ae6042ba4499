"""The laws of energy through the real collector: seeded mixtures of all faults, on meters of sites whose days have 0, 23, 23.5, 24, 24.5 and 25 hours,
arriving in any order and grouping, with kills. The quarter hours are the slow model's (tests/oracle), their sums are made here by zoneinfo.

The seed is PARKMON_SEED.
"""

from __future__ import annotations

import os
import random
import sys
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from itertools import groupby
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from harness.process import run
from harness.servers import SOURCE
from harness.stage import Stage
from test_ledger_books import NAMES, QUARTER_MS, House, rfc3339, segment_text

sys.path.insert(0, str(SOURCE / "tests"))

from oracle.mixtures import BEGIN, mixture  # noqa: E402
from oracle.protocol import History, answer  # noqa: E402
from oracle.register import DAY_MS  # noqa: E402

SEED = int(os.environ.get("PARKMON_SEED", "1"))
EACH = 6  # meters of a site
# Where the clocks change, and the day on which they do; of Apia it does not exist.
SITES = {"lord-howe-longer": ("Australia/Lord_Howe", "2026-04-05"), "lord-howe-shorter": ("Australia/Lord_Howe", "2025-10-05"),
         "berlin-shorter": ("Europe/Berlin", "2026-03-29"), "berlin-longer": ("Europe/Berlin", "2025-10-26"), "apia": ("Pacific/Apia", "2011-12-30"),
         "casablanca": ("Africa/Casablanca", "2026-02-15"), "kathmandu": ("Asia/Kathmandu", "2026-01-01"), "shanghai": ("Asia/Shanghai", "2026-03-01")}


class Feeder:
    """A mixture at another time, a whole number of days away."""

    def __init__(self, site: str, seed: int):
        draw = random.Random(seed)
        zone, change = SITES[site]
        self.name, self.site, self.zone = f"{site}-{seed}", site, ZoneInfo(zone)
        made = mixture(seed, is_telling=draw.random() < 0.5)
        history, self.faults = made.history, made.faults
        last = max((t for t, _ in history.arrivals if t < BEGIN + 100 * DAY_MS), default=BEGIN)
        day = round(datetime.fromisoformat(change).replace(tzinfo=timezone.utc).timestamp() * 1000)
        # The change lies somewhere in it, or a little before or after.
        by = (day - draw.randint(BEGIN, last + DAY_MS)) // DAY_MS * DAY_MS
        segments = [replace(s, from_ms=s.from_ms + by, until_ms=None if s.until_ms is None else s.until_ms + by) for s in history.segments]
        arrivals = [(t + by, count) for t, count in history.arrivals]
        self.history = History(segments, arrivals, history.max_gap_ms)

    def ask(self, from_ms: int, until_ms: int) -> dict[int, tuple[int | None, str]]:
        """The model's quarter hours; those of which it knows nothing are unknown."""
        found = {}
        for line in answer(replace(self.history, from_ms=from_ms, until_ms=until_ms)).splitlines():
            word, *rest = line.split()
            if word == "quarter":
                found[int(rest[0])] = (None if rest[1] == "-" else int(rest[1]), rest[2])
        return found


def park_text(feeders: list[Feeder]) -> str:
    names = 'name = "x"; name_en = "x";'
    meters = ",\n".join(f'{{ id = "{f.name}"; {names} building = "{f.site}"; carrier = "electricity"; max_gap = {f.history.max_gap_ms / 1000}; segments = ('
                        + ", ".join(segment_text(f.name, segment) for segment in f.history.segments) + "); }" for f in feeders)
    return ("sites = (" + ", ".join(f'{{ id = "{site}"; {names} zone = "{zone}"; }}' for site, (zone, _) in SITES.items()) + ");\n"
            "buildings = (" + ", ".join(f'{{ id = "{site}"; {names} site = "{site}"; }}' for site in SITES) + ");\n"
            f'gateways = ({{ id = "gw-a"; {names} site = "shanghai"; }});\nmeters = (\n{meters});\n')


def batches(feeders: list[Feeder], draw: random.Random) -> list[list[str]]:
    """All arrivals, each meter's in its own order, mingled and grouped at random."""
    waiting = {f.name: [f"register,point={f.name} value={count}i {t}" for t, count in f.history.arrivals] for f in feeders}
    found = []
    while waiting:
        lines: list[str] = []
        for name in draw.sample(sorted(waiting), draw.randint(1, min(8, len(waiting)))):
            number = draw.choice((1, 1, 2, 5, 20, 100))
            lines += waiting[name][:number]
            waiting[name] = waiting[name][number:]
            if not waiting[name]:
                del waiting[name]
        found.append(lines)
    return found


class Laws:
    def __init__(self, stage: Stage):
        print(f"PARKMON_SEED={SEED}")
        draw = random.Random(SEED)
        self.feeders = [Feeder(site, SEED * 1000 + i * EACH + k) for i, site in enumerate(SITES) for k in range(EACH)]
        self.house = House(stage, park_text(self.feeders)).start()
        what = batches(self.feeders, draw)
        self.house.publish(what, set(draw.sample(range(2, len(what)), 4)))
        self.house.wait_folded(60)

    def of(self, site: str) -> list[Feeder]:
        return [feeder for feeder in self.feeders if feeder.site == site]


@pytest.fixture(scope="module")
def laws(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("laws")) as stage:
        yield Laws(stage)


def window(feeders: list[Feeder]) -> tuple[int, int]:
    """Whole months around the change of the clocks and most of what was read."""
    zone, change = SITES[feeders[0].site]
    day = datetime.fromisoformat(change)
    first = (day.year * 12 + day.month - 1) - 1
    edges = [datetime(month // 12, month % 12 + 1, 1, tzinfo=ZoneInfo(zone)) for month in (first, first + 3)]
    return tuple(round(edge.timestamp() * 1000) for edge in edges)


def steps(zone: ZoneInfo, kind: str, from_ms: int, until_ms: int):
    """(label, quarter hours) of each step: an hour is what shares wall hour and offset."""

    def label(time_ms: int):
        shown = datetime.fromtimestamp(time_ms / 1000, zone)
        return {"1mo": (shown.year, shown.month), "1d": shown.date(), "1h": (shown.date(), shown.hour, shown.utcoffset())}[kind]

    return [(key, list(times)) for key, times in groupby(range(from_ms, until_ms, QUARTER_MS), label)]


def test_there_are_days_of_every_length(laws):
    lengths = {len(times) / 4 for site in SITES for _, times in steps(laws.of(site)[0].zone, "1d", *window(laws.of(site)))}
    assert lengths == {23, 23.5, 24, 24.5, 25}
    apia = [key for key, _ in steps(ZoneInfo("Pacific/Apia"), "1d", *window(laws.of("apia")))]
    assert datetime(2011, 12, 30).date() not in apia and datetime(2011, 12, 31).date() in apia
    assert len({fault for feeder in laws.feeders for fault in feeder.faults}) > 10
    assert sum(any(amount is not None for amount, _ in f.ask(*window(laws.of(f.site))).values()) for f in laws.feeders) > len(laws.feeders) / 2


@pytest.mark.parametrize("site", SITES)
def test_quarter_hours_are_the_models(laws, site):
    since, until = window(laws.of(site))
    for feeder in laws.of(site):
        rows = laws.house.query("SELECT start_ms, max(version), amount, quality FROM ledger_quarter JOIN ledger_meter ON id = meter"
                                f" WHERE name = '{feeder.name}' AND start_ms >= {since} AND start_ms < {until} GROUP BY start_ms")
        found = {start: (amount, NAMES[quality]) for start, _, amount, quality in rows}
        expected = feeder.ask(since, until)
        differing = {start: (found.get(start), quarter) for start, quarter in expected.items() if found.get(start, (None, "unknown")) != quarter}
        assert not differing, f"{feeder.name} ({', '.join(feeder.faults)})"


@pytest.mark.parametrize("step", ["1h", "1d", "1mo"])
@pytest.mark.parametrize("site", SITES)
def test_sums_are_exact_and_nothing_unknown_is_a_number(laws, site, step):
    feeders = laws.of(site)
    since, until = window(feeders)
    if step == "1h":  # so many values have room in an answer
        middle = round(datetime.fromisoformat(SITES[site][1]).timestamp() * 1000) // QUARTER_MS * QUARTER_MS
        since, until = middle - 10 * DAY_MS, middle + 10 * DAY_MS
    path = f"/api/v1/energy?site={site}&by=meter&step={step}&from={quote(rfc3339(since))}&to={quote(rfc3339(until))}"
    rows = {row["id"]: row["values"] for row in laws.house.collector.get_json(path)["rows"]}
    for feeder in feeders:
        quarters = feeder.ask(since, until)
        values = rows[feeder.name]
        expected = steps(feeder.zone, step, since, until)
        assert [datetime.fromisoformat(value["start"]).timestamp() * 1000 for value in values] == [times[0] for _, times in expected]
        for value, (key, times) in zip(values, expected, strict=True):
            amounts = [quarters[time_ms][0] for time_ms in times]
            known = [amount for amount in amounts if amount is not None]
            unknown_s = 900 * (len(amounts) - len(known))
            assert value["unknown_s"] + value["waiting_s"] + value["absent_s"] + value["future_s"] == unknown_s, (feeder.name, key)
            assert Decimal(value["known"]) == Decimal(sum(known)) / 1000, (feeder.name, key)
            assert (None if value["amount"] is None else Decimal(value["amount"])) == (None if unknown_s else Decimal(sum(known)) / 1000), (feeder.name, key)
            estimated = [quarters[time_ms][0] for time_ms in times if quarters[time_ms][1] == "estimated"]
            assert (Decimal(value["estimated"]), value["estimated_s"]) == (Decimal(sum(estimated)) / 1000, 900 * len(estimated)), (feeder.name, key)


def test_verify_is_clean_and_the_books_are_those_of_a_fold_without_a_kill(laws):
    house = laws.house
    done = run([house.collector.program, "verify", "--config", house.collector.settings], 120)
    assert done.returncode == 0, done.stdout + done.stderr
    house.collector.stop()
    expected = house.books()
    assert len(expected["ledger_quarter"]) > 1000
    house.forget_books()
    house.start().wait_folded(60)
    house.collector.stop()
    assert house.books() == expected
