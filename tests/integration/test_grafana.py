"""Grafana's queries against an InfluxDB that the simulated park has filled, asked as Grafana would ask them."""

from __future__ import annotations

import re
import sys
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import grafana
import pytest
from grafana import Asking, Range
from harness.process import wait_until
from harness.servers import SOURCE
from harness.stage import Park, Stage

sys.path.insert(0, str(SOURCE / "tests"))
from sim import desk  # noqa: E402
from sim.park import SITE  # noqa: E402
from sim.park import Park as SimulatedPark  # noqa: E402

ZONE = ZoneInfo(SITE["zone"])
BOARDS = {key: grafana.load("en", key) for key in grafana.KEYS}
RULES = {rule["uid"]: rule for rule in grafana.rules()}
QUERIES = [(key, panel["id"], target["refId"]) for key, board in BOARDS.items() for panel in grafana.panels(board) for target in panel["targets"]]
DERIVED = ("energy", "occupancy", "instrument", "availability", "gateway")
FACTORS = "factors = (" + ", ".join(
    f'{{ kind = "{kind}"; carrier = "electricity"; value = "{value}"; unit = "{unit}"; {more} from = "2020-01-01"; document = "of this test"; confidence = "A"; }}'
    for kind, value, unit, more in (
        ("kgce_calorific", "0.1229", "kgce/kWh", 'basis = "calorific";'), ("kgce_equivalent", "0.31", "kgce/kWh", 'basis = "equivalent"; region = "zhejiang";'),
        ("kgco2", "0.4974", "kgCO2/kWh", 'basis = "location"; region = "zhejiang";'))) + ");\n"
TARIFFS = '''tariffs = ( { id = "t"; name = "一口价"; name_en = "Flat"; carrier = "electricity"; sites = ["jiashan"];
  schedules = ( { from = "2024-01-01"; document = "of this test"; confidence = "A"; seasons = ( { months = "1-12"; flat = "00:00-24:00"; } ); } );
  prices = ( { from = "2024-01-01"; unit = "yuan/kWh"; flat = "0.6"; document = "of this test"; confidence = "A"; } ); } );
'''
LONG, RECENT = timedelta(days=9), timedelta(hours=30)


def title_of(key: str, panel_id: int) -> str:
    return next(panel["title"] for panel in BOARDS[key]["panels"] if panel["id"] == panel_id)


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def replay(park: Park, until: datetime) -> None:
    """Nine days of registers, for what was a week before; and all of the last thirty hours."""
    simulated = SimulatedPark(park.seed)
    since, recent = until - LONG, until - RECENT
    for gateway, agent in park.agents.items():
        path = park.folder / f"{gateway}.csv"
        rows = ["point,value,time\n"]
        for start, end, step_s, *more in ((since, recent, 900, "--kind", "register"), (recent, until, 300)):
            park.sim.write_history(path, gateway, start.isoformat(), end.isoformat(), step_s, *more)
            rows += path.read_text().splitlines(keepends=True)[1:]
        if gateway == "gw-b":
            rows += [f"{desk.point(event.instrument)},{event.wire()},{event.time_ms}\n" for entry in simulated.instruments
                     for event in desk.events(park.seed, entry, milliseconds(recent), milliseconds(until))]
        path.write_text("".join(rows))
        done = agent.run("--replay", str(path), seconds=300)
        assert done.returncode == 0, done.stderr


def is_settled(park: Park) -> bool:
    return all(park.collector.metric(f"parkmon_{name}") == 0 for name in ("store_backlog_batches", "ledger_backlog_batches", "outbox_bytes"))


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A park with a past that runs now. Tests only read."""
    folder = tmp_path_factory.mktemp("grafana")
    calendars = folder / "calendars"
    calendars.mkdir()
    now = datetime.now(ZONE)
    seed = 7
    for entry in SimulatedPark(seed).instruments:
        text = desk.calendar(seed, entry, milliseconds(now - LONG), milliseconds(now + LONG))
        (calendars / f"{entry.id}.ics").write_text(text, encoding="utf-8", newline="")
    for name, text in (("factors", FACTORS), ("tariffs", TARIFFS)):
        (folder / f"{name}.cfg").write_text(text, encoding="utf-8")
    rates = "".join(f'{name} = "{folder}/{name}.cfg"; ' for name in ("factors", "tariffs"))
    with Stage(folder) as stage:
        park = Park(stage, seed, more=rates, sim_options=("--desk", folder / "desk.sock", "--calendars", calendars))
        park.start_servers()
        replay(park, now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0))
        wait_until(lambda: is_settled(park), 120, "the past is in the store", poll=0.2)
        for agent in park.agents.values():
            agent.start()
        for name in DERIVED:
            wait_until(lambda: park.influx.rows(f"SELECT * FROM {name} LIMIT 1"), 120, f"{name} is in the store", poll=0.5)
        for gateway in park.agents:
            wait_until(lambda: park.influx.rows(f"SELECT online, spooled FROM gateway WHERE gateway = '{gateway}' AND online = 1"), 130,
                       f"{gateway} is online in the store", poll=0.5)
        yield park


@pytest.fixture(scope="module")
def asked(filled):
    """Each dashboard with everything chosen."""
    return {key: Asking(board, filled.influx) for key, board in BOARDS.items()}


def asked_in_turn(asking: Asking):
    """Where only one value can be chosen, each of them."""
    single = [variable["name"] for variable in grafana.variables(asking.board, "query") if not variable["includeAll"]]
    yield asking
    for name in single:
        for value in asking.options[name]:
            yield asking.but(**{name: value})


@pytest.mark.parametrize(("key", "panel_id", "ref"), QUERIES, ids=[f"{key}-{title_of(key, panel)}-{ref}" for key, panel, ref in QUERIES])
def test_every_query_of_every_panel_finds_rows(asked, key, panel_id, ref):
    panel = next(panel for panel in BOARDS[key]["panels"] if panel["id"] == panel_id)
    target = next(target for target in panel["targets"] if target["refId"] == ref)
    found = next((found for asking in asked_in_turn(asked[key]) if (found := asking.ask(panel, target))), [])
    assert found, asked[key].replaced(target["query"], Range.of(BOARDS[key], panel))
    names = [grafana.named(series, target["alias"]) for series in found]
    assert not any("$tag_" in name for name in names), "the alias names a tag that is not grouped by"
    assert len(set(names)) == len(names), "two series of one name"
    assert all(len(series["columns"]) == 2 for series in found), "one number a query: Grafana names series by their query"
    tags = set(found[0].get("tags", {}))
    assert all(set(series.get("tags", {})) == tags and all(series.get("tags", {}).values()) for series in found), "a series without its tag"


@pytest.mark.parametrize("uid", RULES)
def test_every_query_of_every_alert_finds_rows(filled, uid):
    assert grafana.fires(filled.influx, RULES[uid], "parkmon", int(time.time() * 1000)), RULES[uid]["data"][0]["model"]["query"]


@pytest.mark.parametrize("key", BOARDS)
def test_every_variable_has_values_to_choose(asked, key):
    assert all(asked[key].options.values()), asked[key].options


@pytest.mark.parametrize("key", BOARDS)
def test_what_is_chosen_narrows_every_panel(asked, key):
    for name in (variable["name"] for variable in grafana.variables(BOARDS[key], "query")):
        nothing = asked[key].but(**{name: "no-such-one"})
        heeded = [(panel, target) for panel in grafana.panels(BOARDS[key]) for target in panel["targets"] if f"${{{name}:" in target["query"]]
        narrowed = [other for other in grafana.variables(BOARDS[key], "query") if f"${{{name}:" in other["query"]]
        assert heeded or narrowed, f"{name} can be chosen, and nothing heeds it"
        for panel, target in heeded:
            assert not nothing.ask(panel, target), f"{name}: {panel['title']}"
        for other in narrowed:
            assert not nothing.find_options(other["query"]), f"{name}: {other['name']}"


QUOTED = re.compile(r'"([^"]+)"')


@pytest.mark.parametrize("key", [*BOARDS, "alerts"])
def test_every_measurement_field_and_tag_is_one_that_the_collector_writes(filled, key):
    if key == "alerts":
        queries = [rule["data"][0]["model"]["query"] for rule in RULES.values()]
    else:
        queries = [target["query"] for panel in grafana.panels(BOARDS[key]) for target in panel["targets"]]
        queries += [variable["query"] for variable in grafana.variables(BOARDS[key], "query")]
    for query in queries:
        measured = [name for clause in re.findall(r"FROM ((?:\"[\w.\"]+(?:, )?)+|/[^/]+/)", query) for name in clause.split(", ")]
        assert measured, query
        known = set()
        for name in measured:
            found = {row["fieldKey"] for row in filled.influx.rows(f"SHOW FIELD KEYS FROM {name}")}
            assert found, f"{name}: {query}"
            known |= found | {row["tagKey"] for row in filled.influx.rows(f"SHOW TAG KEYS FROM {name}")}
        own = set(re.findall(r'AS "(\w+)"', query)) | {part for name in measured for part in QUOTED.findall(name)}
        wrong = set(QUOTED.findall(query)) - known - own
        assert not wrong, f"{wrong}: {query}"


def panel_of(key: str, title: str) -> dict:
    return next(panel for panel in BOARDS[key]["panels"] if panel["title"] == title)


def test_electricity_is_what_the_api_says_and_counts_no_meter_twice(filled, asked):
    today = datetime.now(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    first, last = today - timedelta(days=3), today - timedelta(days=1)
    span = Range(milliseconds(first), milliseconds(last) - 1)
    answer = filled.collector.get_json(f"/api/v1/energy?site=jiashan&by=carrier&from={first:%Y-%m-%d}&to={last:%Y-%m-%d}&step=1d")
    row = next(row for row in answer["rows"] if row["carrier"] == "electricity" and row["unit"] == "kWh")
    expected = [float(value["amount"]) for value in row["values"]]
    panel = panel_of("energy", "Electricity")
    [whole] = asked["energy"].ask(panel, panel["targets"][0], span)
    assert len(expected) == 2 and whole["values"][0][1] == pytest.approx(sum(expected), rel=1e-9)

    panel = panel_of("energy", "Electricity by building")
    found = asked["energy"].but(step="1d").ask(panel, panel["targets"][0], span)
    by_day: dict[int, float] = {}
    for series in found:
        for at, amount in series["values"]:
            by_day[at] = by_day.get(at, 0) + amount
    # The park's days, not those of UTC.
    assert list(by_day) == [milliseconds(first), milliseconds(first + timedelta(days=1))]
    assert [*by_day.values()] == pytest.approx(expected, rel=1e-9)


def test_a_day_earlier_is_the_day_before(asked):
    board, now = BOARDS["overview"], panel_of("overview", "Electricity")
    before = panel_of("overview", "A day earlier")
    span = Range.of(board, before)
    assert abs(Range.of(board, now).from_ms - span.from_ms - 86_400_000) < 60_000
    asking = asked["overview"]
    [earlier] = asking.ask(before, before["targets"][0], span)
    [same] = asking.ask(now, now["targets"][0], span)
    assert earlier["values"] == same["values"]
