"""Amounts by HTTP: registers that arrive over MQTT, through the ledger's books, to /api/v1/energy; against sums of our own."""

from __future__ import annotations

import csv
import io
import time
from decimal import Decimal
from urllib.parse import quote

import pytest
from harness.parkmon import new_collector
from harness.process import wait_until
from publisher import Publisher

QUARTER = 900_000
HOUR = 4 * QUARTER
DAY = 24 * HOUR
SHANGHAI = 8 * HOUR  # east of UTC

PARK = """
sites = ( {{ id = "s1"; name = "x"; name_en = "x"; zone = "Asia/Shanghai"; }} );
buildings = ( {{ id = "b1"; name = "x"; name_en = "x"; site = "s1"; }}, {{ id = "b2"; name = "x"; name_en = "x"; site = "s1"; }} );
tenants = ( {{ id = "t1"; name = "x"; name_en = "x"; }} );
gateways = ( {{ id = "gw-a"; name = "x"; name_en = "x"; site = "s1"; building = "b1"; }} );
meters = (
  {{ id = "main"; name = "x"; name_en = "x"; building = "b1"; carrier = "electricity"; balance_limit = "0.1"; {segment} point = "gw-a/main"; }} ); }},
  {{ id = "lab"; name = "x"; name_en = "x"; building = "b1"; carrier = "electricity"; parent = "main"; tenant = "t1"; {segment} point = "gw-a/lab"; }} ); }},
  {{ id = "heat"; name = "x"; name_en = "x"; building = "b2"; carrier = "heat"; {segment} point = "gw-a/heat"; }} ); }}
);
virtual_meters = ( {{ id = "rest"; name = "x"; name_en = "x"; building = "b1"; plus = ("main"); minus = ("lab"); }} );
"""
SEGMENT = 'segments = ( {{ serial = "1"; from = "{since}"; max_rate = 1000000000; '


def text_of(time_ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_ms // 1000))


def used(meter: str, i: int) -> int:
    """Of the quarter hour i, in base units."""
    return {"main": 5000 + 7 * (i % 13), "lab": 4000 + i % 9, "heat": 1_000_001 * (i % 5)}[meter]


class House:
    """Two whole days of the site, the second of which has a hole that is too long for its quarter hours to be measured."""

    def __init__(self, stage):
        now = int(time.time() * 1000)
        self.begin = (now + SHANGHAI) // DAY * DAY - SHANGHAI - 3 * DAY
        self.count = 2 * 96
        self.broker = stage.broker("gw-a")
        park = stage.folder / "park.cfg"
        park.write_text(PARK.format(segment=SEGMENT.format(since=text_of(self.begin - DAY))))
        self.collector = stage.add(new_collector(stage.folder / "collector", self.broker, stage.influx(), park, more='clock = "trusted";'))
        self.collector.start()

    def send(self) -> "House":
        wait_until(lambda: "\nparkmon_broker_connected 1\n" in self.collector.get("/metrics")[1], 20, "the collector is connected")
        agent = Publisher(self.broker, "gw-a")
        for seq, meter in enumerate(("main", "lab", "heat"), 1):
            count, lines = 1_000_000, []
            for i in range(self.count + 1):
                if not 100 <= i < 104:
                    lines.append(f"register,point={meter} value={count}i {self.begin + i * QUARTER}")
                count += used(meter, i)
            agent.send(seq, lines)
            agent.wait_ack(seq)
        wait_until(self.has_all, 30, "the books have all readings")
        return self

    def has_all(self) -> bool:
        return all(value["waiting_s"] == 0 for row in self.ask(by="meter")["rows"] for value in row["values"])

    def path(self, **parameters) -> str:
        asked = {"from": text_of(self.begin), "to": text_of(self.begin + 2 * DAY), **parameters}
        return "/api/v1/energy?" + "&".join(f"{key}={quote(str(value))}" for key, value in asked.items())

    def ask(self, **parameters):
        return self.collector.get_json(self.path(**parameters))

    def total(self, meter: str, first: int, last: int) -> int:
        return sum(used(meter, i) for i in range(first, last))


@pytest.fixture
def house(stage):
    return House(stage).send()


def values(answer, kind: str, name: str) -> list[dict]:
    return next(row["values"] for row in answer["rows"] if row["kind"] == kind and row["id"] == name)


def test_amounts_are_those_of_the_registers_by_any_step(house):
    answer = house.ask(by="meter", step="1d")
    assert answer["site"] == "s1" and answer["zone"] == "Asia/Shanghai" and answer["step"] == "1d"
    for meter, unit in (("main", 10**3), ("lab", 10**3), ("heat", 10**6)):
        days = values(answer, "meter", meter)
        assert [Decimal(day["amount"]) * unit for day in days] == [house.total(meter, 0, 96), house.total(meter, 96, 192)]
        assert all(day["start"].endswith("T00:00:00.000+08:00") for day in days)
        # From 99 to 104: a boundary whose neighbours are an hour apart is estimated.
        assert [day["quality"] for day in days] == ["measured", "estimated"]
        assert [day["covered"] for day in days] == [96, 91] and days[1]["coverage"] == "0.9479"
        assert Decimal(days[1]["estimated"]) * unit == house.total(meter, 99, 104)
    hours = values(house.ask(by="meter", step="1h"), "meter", "main")
    assert [Decimal(hour["amount"]) * 1000 for hour in hours][:24] == [house.total("main", 4 * h, 4 * h + 4) for h in range(24)]
    assert len(values(house.ask(by="meter", step="15m"), "meter", "lab")) == 192


def test_groups_count_nothing_twice_and_gaps_and_virtual_meters_are_differences(house):
    main, lab, heat = (Decimal(house.total(meter, 0, 192)) for meter in ("main", "lab", "heat"))
    (building,) = [row for row in house.ask(by="building")["rows"] if row["id"] == "b1"]
    assert Decimal(building["values"][0]["amount"]) * 1000 == main  # not main and lab
    assert building["left_out"] == ["rest"]
    assert Decimal(values(house.ask(by="tenant"), "group", "t1")[0]["amount"]) * 1000 == lab
    by_carrier = house.ask()
    assert {row["id"]: (row["unit"], Decimal(row["values"][0]["amount"])) for row in by_carrier["rows"]} == {
        "electricity": ("kWh", main / 1000), "heat": ("MJ", heat / 10**6)}
    meters = house.ask(by="meter")
    for kind, name in (("virtual", "rest"), ("gap", "main")):
        assert Decimal(values(meters, kind, name)[0]["amount"]) * 1000 == main - lab
    assert values(meters, "gap", "main")[0]["balance"] == "beyond"  # a fifth, the limit is a tenth


def test_what_is_not_known_is_null_with_what_is_known_beside_it(house):
    begin, end = text_of(house.begin - 2 * DAY), text_of(house.begin + DAY)
    value = values(house.collector.get_json(f"/api/v1/energy?by=meter&from={begin}&to={end}"), "meter", "main")[0]
    assert value["amount"] is None and value["quality"] == "waiting"
    assert Decimal(value["known"]) * 1000 == house.total("main", 0, 96)
    assert value["absent_s"] == 86400 and value["waiting_s"] == 86400 and value["unknown_s"] == 0
    assert value["due"] == 192 and value["coverage"] == "0.5000"
    # Before it was installed nothing flowed through it; but of a span in which it never was there is no amount.
    for begin, end, amount, quality in ((text_of(house.begin - 3 * DAY), text_of(house.begin - 2 * DAY), None, "absent"),
                                        (text_of(house.begin - 2 * DAY), text_of(house.begin - DAY), None, "absent")):
        value = values(house.collector.get_json(f"/api/v1/energy?by=meter&from={begin}&to={end}"), "meter", "main")[0]
        assert (value["amount"], value["quality"]) == (amount, quality)


def test_csv_says_the_same(house):
    code, text = house.collector.get(house.path(by="meter", step="1d", format="csv"))
    assert code == 200
    rows = list(csv.DictReader(io.StringIO(text)))
    answer = house.ask(by="meter", step="1d")
    said = [(row["kind"], row["id"], value["start"], value["amount"] or "", value["coverage"] or "", str(value["estimated_s"]))
            for row in answer["rows"] for value in row["values"]]
    assert [(r["kind"], r["id"], r["start"], r["amount"], r["coverage"], r["estimated_s"]) for r in rows] == said and len(said) == 10


BAD = [
    ("", "from: is missing"),
    ("from=2026-10", "to: is missing"),
    ("from=2026-10&to=2026-10", "to: is not later than from"),
    ("from=2026-11&to=2026-10", "to: is not later than from"),
    ("from=yesterday&to=2026-11", 'from: "yesterday" is not a time'),
    ("from=2026-02-30&to=2026-11", 'from: "2026-02-30" is not a time'),
    ("from=2026-10-01T00:10:00Z&to=2026-11", 'from: "2026-10-01T00:10:00Z" is inside a quarter hour'),
    ("from=2026-10-01T00:00:00+08:00&to=2026-11", "is not a time"),  # a + in a query is a blank
    ("from=2026-10&to=2026-11&by=floor", 'by: unknown value "floor"; expected one of building, tenant, meter, item, carrier'),
    ("from=2026-10&to=2026-11&of=halves", 'of: unknown value "halves"; expected one of groups, parts'),
    ("from=2026-10&to=2026-11&of=parts&by=meter", "of: a meter is no part; expected groups, or by building, tenant, item or carrier"),
    ("from=2026-10&to=2026-11&of=parts&by=tenant&id=nobody", 'id: unknown value "nobody"'),
    ("from=2026-10&to=2026-11&step=5m", 'step: unknown value "5m"; expected one of 15m, 1h, 1d, 1mo, all'),
    ("from=2026-10&to=2026-11&site=s2", 'site: unknown value "s2"; expected one of s1'),
    ("from=2026-10&to=2026-11&format=xml", 'format: unknown value "xml"; expected one of json, csv'),
    ("from=2026-10&to=2026-11&limit=3", "limit"),
    ("from=2000&to=2026", "more than 3700 days"),
    ("from=2017&to=2026&step=15m", "expected at most 10000 values"),
]


def test_a_bad_question_is_told_what_is_wrong_with_it(stage):
    house = House(stage)
    for query, word in BAD:
        code, text = house.collector.get("/api/v1/energy?" + query)
        assert code == 400 and word in text.replace('\\"', '"'), (query, text)
