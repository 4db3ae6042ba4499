"""Each of Grafana's alert rules fires where it should and nowhere else: its query and its limit, on rows as the collector writes them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import grafana
import pytest
from harness.stage import Stage

RULES = {rule["uid"].removeprefix("parkmon-"): rule for rule in grafana.rules()}
MINUTE, QUARTER = 60, 900
KNOWN = 'quality="measured"'
GATEWAY = "gateway,gateway={},site=s1"
ENERGY = "energy,building=b1,carrier=electricity,item=01000,meter={},site=s1"
WATER = "energy,building=b1,carrier=water,item=02000,meter={},site=s1"
OCCUPANCY = "occupancy,building=b1,site=s1,source=count:gw/p,space={}"
REGISTER = "register,building=b1,gateway=gw,point={},site=s1"
INSTRUMENT = "instrument,building=b1,category=c,instrument={},site=s1"


@dataclass
class Case:
    """Rows of two, one that is in trouble and one that is well: `bad(i)`, `good(i)` are the fields of the i-th newest."""

    series: str
    every_s: int
    bad: Callable[[int], str]
    good: Callable[[int], str]
    policy: str = "autogen"
    gateway: Callable[[int], str] = lambda i: ""  # fields of the minute rows of the gateway of both


CASES = {
    "offline": Case(GATEWAY, MINUTE, lambda i: f"online={0 if i < 3 else 1}i", lambda i: f"online={1 if i < 3 else 0}i"),
    "lag": Case(GATEWAY, MINUTE, lambda i: "lag_s=901", lambda i: f"lag_s={900 if i < 2 else 2000}"),
    "waiting": Case(GATEWAY, MINUTE, lambda i: f"spooled={101 + i}i", lambda i: f"spooled={16 if i == 20 else 900}i"),
    # Of what was lost long ago it was told then.
    "loss": Case(GATEWAY, MINUTE, lambda i: f"lost={5 if i < 30 else 3}i", lambda i: "lost=7i"),
    "meter": Case(REGISTER, QUARTER, lambda i: "value=7i" if i > 8 else "", lambda i: "value=7i", "raw", lambda i: "online=1i"),
    "coverage": Case(ENERGY, QUARTER, lambda i: f"coverage={i % 10 < 8:d}", lambda i: f"coverage={i % 20 < 19:d}"),
    "water": Case(WATER, QUARTER, lambda i: f"amount={0.06 + i % 7},{KNOWN}", lambda i: f"amount={0 if i == 50 else 5},{KNOWN}"),
    "base": Case(ENERGY, QUARTER, lambda i: f"amount={90 + i % 10},{KNOWN}", lambda i: f"amount={40 if 20 < i < 40 else 100},{KNOWN}"),
    "crowded": Case(OCCUPANCY, QUARTER, lambda i: f"max={31 if i == 1 else 2},capacity=30i", lambda i: "max=30,capacity=30i"),
    "unobserved": Case(OCCUPANCY, QUARTER, lambda i: f"observed_s={900 if i % 3 == 0 else 0}", lambda i: f"observed_s={900 if i % 3 else 0}"),
    "idle": Case(INSTRUMENT, QUARTER, lambda i: f"idle_s={900 if i < 18 else 0}", lambda i: f"idle_s={900 if i < 14 else 0}"),
    "running": Case(INSTRUMENT, QUARTER, lambda i: f"unattributed_s={900 if i < 26 else 0}", lambda i: f"unattributed_s={900 if i < 22 else 0}"),
    "unknown": Case(INSTRUMENT, QUARTER, lambda i: f"unknown_s={900 if i < 60 else 0}", lambda i: f"unknown_s={900 if i < 40 else 0}"),
}
# Where nothing comes at all; the query by which that is seen.
SILENT = {"silent": Case(GATEWAY, MINUTE, lambda i: "", lambda i: "lost=0i"), "ledger": Case(ENERGY, QUARTER, lambda i: "", lambda i: "coverage=0")}


@pytest.fixture(scope="module")
def influx(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("alerts")) as stage:
        yield stage.influx()


def write(influx, name: str, case: Case, now_ms: int) -> None:
    influx.query(f'CREATE DATABASE "{name}"')
    period_ms = case.every_s * 1000
    lines = []
    for i in range(2 * 86400 // case.every_s):
        at = now_ms // period_ms * period_ms - i * period_ms
        lines += [f"{case.series.format(which)} {fields} {at}" for which, fields in (("bad", case.bad(i)), ("good", case.good(i))) if fields]
    influx.query(f'CREATE RETENTION POLICY "raw" ON "{name}" DURATION INF REPLICATION 1')
    influx.write("\n".join(lines), case.policy, name)
    minutes = [(case.gateway(i), now_ms // 60_000 * 60_000 - i * 60_000) for i in range(120)]
    influx.write("\n".join(f"{GATEWAY.format('gw')} {fields} {at}" for fields, at in minutes if fields), "autogen", name)


def test_every_rule_has_a_case():
    assert {*CASES, *SILENT} == set(RULES)


@pytest.mark.parametrize("name", CASES)
def test_a_rule_fires_for_what_is_in_trouble_and_for_nothing_else(influx, name):
    now_ms = int(time.time() * 1000)
    write(influx, name, CASES[name], now_ms)
    found = grafana.fires(influx, RULES[name], name, now_ms)
    by_name = {next(value for _, value in tags if value in ("bad", "good")): is_firing for tags, is_firing in found.items()}
    assert by_name == {"bad": True, "good": False}, found
    # People read which one it is, and the number.
    said = RULES[name]["annotations"]["description"]
    for tags in found:
        assert set(re.findall(r"\.Labels\.(\w+)", said)) == {key for key, _ in tags}
    assert RULES[name]["noDataState"] == "OK"


@pytest.mark.parametrize(("name", "gateway", "is_told"), [
    ("well", lambda i: "online=1i", True), ("back-for-a-while", lambda i: f"online={0 if i > 12 else 1}i", True),
    ("offline", lambda i: f"online={0 if i < 3 else 1}i", False), ("just-back", lambda i: f"online={0 if i > 5 else 1}i", False),
    ("not-known", lambda i: "lost=0i", False), ("the-collector-stands", lambda i: "online=1i" if i > 12 else "", False)])
def test_meters_behind_a_gateway_that_is_not_there_are_no_alarms(influx, name, gateway, is_told):
    now_ms = int(time.time() * 1000)
    case = Case(REGISTER, QUARTER, lambda i: "value=7i" if i > 8 else "", lambda i: "value=7i" if i > 8 else "", "raw", gateway)
    write(influx, name, case, now_ms)
    other = "\n".join(f"{GATEWAY.format('other')} online=1i {now_ms // 60_000 * 60_000 - i * 60_000}" for i in range(20))
    influx.write(other, "autogen", name)
    assert sum(grafana.fires(influx, RULES["meter"], name, now_ms).values()) == (2 if is_told else 0)


@pytest.mark.parametrize(("name", "gap", "is_told"), [("whole", lambda i: False, True), ("one-that-is-not-there", lambda i: i == 50, False),
                                                      ("the-last", lambda i: i < 4, True), ("unknown", lambda i: i == 50 and "unknown", False)])
def test_only_a_whole_day_tells_that_water_never_stops(influx, name, gap, is_told):
    now_ms = int(time.time() * 1000) | 1  # on no quarter hour: a day has 96
    def row(i):
        return "" if gap(i) is True else f'amount=5,quality="{gap(i) or "measured"}"'
    write(influx, f"water-{name}", Case(WATER, QUARTER, row, lambda i: f"amount={0 if i == 50 else 5},{KNOWN}"), now_ms)
    assert sum(grafana.fires(influx, RULES["water"], f"water-{name}", now_ms).values()) == is_told


@pytest.mark.parametrize("name", SILENT)
def test_silence_is_an_alarm_of_its_own(influx, name):
    rule, now_ms = RULES[name], int(time.time() * 1000)
    write(influx, name, SILENT[name], now_ms)
    assert [*grafana.fires(influx, rule, name, now_ms).values()] == [False]
    assert grafana.fires(influx, rule, name, now_ms + 4 * 3_600_000) == {} and rule["noDataState"] == "Alerting"
