"""A month of an instrument through the real broker, collector and store, late and out of order: its statement against a calculation of
its own, minute by minute (tests/unit/collector/oracle_hours.py), in every format, the API and the store."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import random
import re
import sqlite3
import zipfile
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from harness.parkmon import new_collector
from harness.process import Failure, run, wait_until
from harness.servers import SOURCE
from harness.stage import Stage
from publisher import Publisher

ZONE = ZoneInfo("Europe/Berlin")  # its clocks are changed on 25 October
BEGIN = int(datetime(2026, 10, 1, tzinfo=ZONE).timestamp()) // 60
END = int(datetime(2026, 11, 1, tzinfo=ZONE).timestamp()) // 60
FIRST, LAST = BEGIN - 600, END + 600  # what is told begins before the month and ends after it
OPEN = "Mon-Fri 01:30-20:00"
OWNER = "91330421MA2B"
PREPARATION, POST, PAUSE, GRACE = 30, 20, 15, 30  # minutes
STANDBY_W, RUN_W = 20, 600
METER_EVERY = 5

THING = 'name = "仪器"; name_en = "Thing"; '
PARK = f"""
sites = ( {{ id = "site"; {THING} zone = "Europe/Berlin"; }} );
buildings = ( {{ id = "b1"; {THING} site = "site"; }} );
gateways = ( {{ id = "gw-a"; site = "site"; {THING} }} );
categories = ( {{ id = "em"; {THING} }} );
calendars = ( {{ id = "cal"; {THING} site = "site"; file = "FOLDER/none.ics"; }} );
meters = ( {{ id = "m"; {THING} building = "b1"; carrier = "electricity"; power = "gw-a/sem.power";
  segments = ( {{ serial = "1"; from = "2026-09-01T00:00:00Z"; point = "gw-a/sem.energy"; max_rate = 100000; }} ); }} );
instruments = ( {{ id = "sem"; {THING} building = "b1"; category = "em"; owner = "某公司"; owner_en = "Owner"; owner_code = "{OWNER}";
  contact = "x"; open = "{OPEN}"; meter = "m"; power_period = 60; off_w = 5; standby_w = 50; exit_w = 100; enter_w = 300;
  enter_s = 10; exit_s = 300; off_means = "available"; session = "gw-a/sem.session"; calendar = "cal"; preparation = {PREPARATION * 60};
  post_processing = {POST * 60}; pause = {PAUSE * 60}; grace = {GRACE * 60}; max_session = 864000; rated_hours = 1400; }} );
"""


def oracle():
    spec = importlib.util.spec_from_file_location("oracle_hours", SOURCE / "tests/unit/collector/oracle_hours.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def spans_of(r: random.Random, gap: tuple[int, int], length: tuple[int, int], end: int = LAST - 60) -> list[tuple[int, int]]:
    found, at = [], FIRST + r.randint(*gap)
    while at + length[1] < end:
        until = at + r.randint(*length)
        found.append((at, until))
        at = until + r.randint(*gap)
    return found


def story(seed: int) -> SimpleNamespace:
    """What happens, in minutes since 1970."""
    r = random.Random(seed)
    s = SimpleNamespace(seed=seed)
    # A run lasts longer than a dwell, and so does what is between two.
    s.runs = spans_of(r, (8, 260), (8, 200))
    s.silent = [(a, a + r.randint(20, 400)) for a in sorted(r.sample(range(BEGIN, END - 500, 700), 5))]  # no power is read
    s.mute = [(a, a + r.randint(60, 200)) for a in (BEGIN + 9000, BEGIN + 21000)]  # no word of sessions
    s.sessions = [(a, b, r.choice(["internal", "external", "training", "service"]),
                   r.choice([OWNER, "91310000X", "91330000Y"])) for a, b in spans_of(r, (30, 700), (5, 400))]
    s.bookings = [(a, b) for a, b in spans_of(r, (100, 900), (30, 300), END)]
    s.broken = [(BEGIN + 12000, BEGIN + 12777)]
    s.planned = [(BEGIN + 30000, BEGIN + 31000)]
    return s


def within(spans, minute: int) -> bool:
    return any(a <= minute < b for a, b, *_ in spans)


def power_minutes(s) -> list[int]:
    silent = {m for a, b in s.silent for m in range(a, b)}
    return [m for m in range(FIRST, LAST) if m not in silent]


def activity_of(s) -> list[tuple[int, int, str]]:
    """By the readings: what runs does so from its first high reading to its first low one; over a gap nobody knows."""
    running = {m for a, b in s.runs for m in range(a, b)}
    found, before = [], None
    for m in power_minutes(s):
        if before is not None:
            state = "unknown" if m - before > 3 else "running" if before in running else "standby"
            if found and found[-1][2] == state and found[-1][1] == before:
                found[-1] = (found[-1][0], m, state)
            else:
                found.append((before, m, state))
        before = m
    return found


def words_of(s) -> list[tuple[int, str]]:
    """The state of the point of sessions: at each change, and every 5 minutes while somebody tells it."""
    words, now, at = [], "close event=e0", FIRST
    changes = {}
    for number, (a, b, kind, code) in enumerate(s.sessions):
        changes[a] = f"open event=o{number} class={kind} organisation={code} purpose=research"
        changes[b] = f"close event=c{number}"
    for m in range(FIRST, LAST):
        said = m in changes
        now = changes.get(m, now)
        if said or (m - at >= 5 and not within(s.mute, m)):
            words.append((m, now))
            at = m
    return words


def unseen_of(words) -> list[tuple[int, int]]:
    return [(a, b) for (a, _), (b, _) in zip(words, words[1:], strict=False) if b - a > 15]


def register_at(s) -> dict[int, int]:
    """Wh at each reading of the meter."""
    found, wm = {}, 0
    for m in range(FIRST, LAST):
        if (m - FIRST) % METER_EVERY == 0:
            found[m] = 1000 + wm // 60
        wm += RUN_W if within(s.runs, m) else STANDBY_W
    return found


def lines_of(s) -> list[str]:
    rows = [(m, f'gauge,point=sem.power value={RUN_W if within(s.runs, m) else STANDBY_W}') for m in power_minutes(s)]
    rows += [(m, f'state,point=sem.session value="{text}"') for m, text in words_of(s)]
    rows += [(m, f'register,point=sem.energy value={wh}i') for m, wh in register_at(s).items()]
    rows.sort(key=lambda row: row[0])
    return [f"{line} {m * 60000}" for m, line in rows]


# ---- what it must come to ----

def case_of(s):
    module = oracle()
    case = object.__new__(module.Case)
    case.zone, case.hours = ZONE, OPEN
    case.begin, case.end, case.known = BEGIN, END, LAST
    case.has_power = case.has_sessions = True
    case.preparation, case.post, case.pause, case.grace = PREPARATION, POST, PAUSE, GRACE
    case.activity = activity_of(s)
    case.sessions = [(a, b, "declared", "internal" if code == OWNER else "external", kind == "training") for a, b, kind, code in s.sessions]
    case.broken = [(a, b, "manual") for a, b in s.broken]
    case.planned = sorted([(a, b, "manual") for a, b in s.planned] + [(a, b, "declared") for a, b, kind, _ in s.sessions if kind == "service"])
    case.bookings = [(a, b, "imported") for a, b in s.bookings]
    case.unseen = [(a, b, "none") for a, b in unseen_of(words_of(s))]
    case.extra = set()
    case.find_extra()
    return case


def expected(s) -> SimpleNamespace:
    case = case_of(s)
    absent = [booking for booking in case.bookings if case.no_show(booking)]
    parts = {minute: case.part(minute, absent) for minute in range(BEGIN, END)}
    return SimpleNamespace(parts=parts, absent=absent)


def minutes(found: dict, *names: str, span=(BEGIN, END)) -> int:
    return sum(part in names for minute, (part, _) in found.items() if span[0] <= minute < span[1])


EFFECTIVE = ("internal", "external", "unattributed")


def u_at(register: dict[int, int], minute: int) -> tuple[int, int]:
    """U, and how far apart the readings beside it are."""
    before = FIRST + (minute - FIRST) // METER_EVERY * METER_EVERY
    if before == minute:
        return register[minute], 0
    a, b = register[before], register[before + METER_EVERY]
    return a + (b - a) * (minute - before) // METER_EVERY, METER_EVERY


# ---- through the programs ----

@pytest.fixture(scope="module")
def made(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("statement")) as stage:
        yield play(stage, story(11))


def play(stage: Stage, s) -> SimpleNamespace:
    park = stage.folder / "park.cfg"
    park.write_text(PARK.replace("FOLDER", str(stage.folder)))
    (stage.folder / "none.ics").write_text("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n")
    broker, influx = stage.broker("gw-a"), stage.influx()
    collector = stage.start(new_collector(stage.folder / "collector", broker, influx, park))
    collector.wait_connected()
    database = collector.settings.with_suffix(".db")
    lines = lines_of(s)
    publisher = Publisher(broker, "gw-a")
    batches = [lines[i:i + 900] for i in range(0, len(lines), 900)]
    for seq, batch in enumerate(batches, 1):
        publisher.send(seq, batch)
        if seq == len(batches) // 2:  # killed on the way: what was not acknowledged comes again
            publisher.wait_ack(seq, seconds=120)
            collector.kill()
            collector.start()
            collector.wait_connected()
            publisher.send(seq, batch)
    publisher.wait_ack(len(batches), seconds=120)
    soon = datetime.now(ZONE).replace(microsecond=0) + timedelta(hours=1)
    for words in (["broken"], ["planned", "--from", soon.isoformat(), "--until", (soon + timedelta(hours=1)).isoformat()]):
        done = outage(collector, "open", "--instrument", "sem", "--category", "repair", "--note", "pump", "--kind", *words)
        assert done.returncode == 0, done.stderr
    assert outage(collector, "close", "1", "--note", "mended").returncode == 0

    def is_taken() -> bool:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
            return db.execute("SELECT min(position) = (SELECT max(id) FROM journal) FROM cursor WHERE name IN ('ledger', 'watch')").fetchone() == (1,)
    wait_until(is_taken, 180, "ledger and watch have taken the journal")
    # Bookings and outages of the past, as a calendar and people told them then: today they may be too long ago to be told.
    collector.stop()
    with closing(sqlite3.connect(database)) as db:
        ident, = db.execute("SELECT id FROM calendar WHERE name = 'cal'").fetchone()
        db.executemany("INSERT INTO calendar_busy(calendar, from_ms, until_ms, uid) VALUES(?, ?, ?, ?)",
                       [(ident, a * 60000, b * 60000, n) for n, (a, b) in enumerate(s.bookings)])
        for number, (a, b) in enumerate((s.broken[0], s.planned[0]), 1):
            assert db.execute("UPDATE outage SET from_ms = ?, until_ms = ? WHERE id = ?", (a * 60000, b * 60000, number)).rowcount == 1
        db.execute("INSERT INTO outage_touched(target_kind, target, from_ms, until_ms) SELECT target_kind, target, from_ms, until_ms FROM outage")
        assert db.execute("UPDATE calendar_known SET from_ms = ? WHERE calendar = ?", (BEGIN * 60000, ident)).rowcount == 1
        db.commit()
    collector.start()
    collector.wait_healthy()
    made = SimpleNamespace(story=s, collector=collector, influx=influx, database=database, expected=expected(s), folder=stage.folder)
    made.tables = {t["id"]: t["rows"] for t in json.loads(statement(made, "json"), parse_float=Decimal)["tables"]}
    return made


def outage(collector, act: str, *words: str):
    return run([collector.program, "outage", act, *words, "--config", collector.settings], 60)


def statement(made, form: str, *words: str) -> str:
    done = run([made.collector.program, "statement", "--config", made.collector.settings, "--site", "site", "--period", "2026-10", "--format", form,
                "--language", "en", *words], 120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_part_is_what_every_minute_says_and_they_add_up_to_the_month(made):
    rows = {row["hours_part"]: row for row in made.tables["hours_parts"]}
    found = made.expected.parts
    assert set(rows) == {*oracle_parts(), "total"}
    for part in oracle_parts():
        here = [evidence for at, evidence in found.values() if at == part]
        assert rows[part]["seconds"] == 60 * len(here), part
        for evidence in ("measured", "declared", "inferred", "manual", "imported"):
            assert rows[part][f"{evidence}_s"] == 60 * here.count(evidence), (part, evidence)
    assert rows["total"]["seconds"] == 60 * (END - BEGIN) == 31 * 86400 + 3600  # an hour comes twice
    missing = {part for part in oracle_parts() if rows[part]["seconds"] == 0} - {"free"}
    assert not missing, "the story has nothing of it"


def oracle_parts() -> list[str]:
    return ["broken", "planned_outage", "training", "internal", "external", "unattributed", "unknown", "idle", "no_show", "reserved", "closed", "free"]


def percent(part: int, whole: int) -> Decimal:
    return (Decimal(2000 * part + whole) // (2 * whole)) / 10


def test_rates_are_of_effective_hours(made):
    row, = made.tables["instruments"]
    found = made.expected.parts
    effective, external = minutes(found, *EFFECTIVE), minutes(found, "external")
    year = int(datetime(2027, 1, 1, tzinfo=ZONE).timestamp()) // 60 - (first := int(datetime(2026, 1, 1, tzinfo=ZONE).timestamp()) // 60)
    rated = 1400 * 60 * Fraction(END - first, year) - 1400 * 60 * Fraction(BEGIN - first, year)
    assert float(row["effective_h"]) == pytest.approx(effective / 60, abs=0.0006)
    assert float(row["rated_h"]) == pytest.approx(float(rated) / 60, abs=0.0006)
    unknown = minutes(found, "unknown")
    assert float(row["unknown_hours"]) == pytest.approx(unknown / 60, abs=0.0006)
    assert row["unknown_share"] == percent(unknown, END - BEGIN)
    assert 0 < 20 * unknown < END - BEGIN  # else there were no rates
    assert row["sharing_rate"] == percent(external, effective)
    assert float(row["utilisation"]) == pytest.approx(float(100 * effective / rated), abs=0.051)
    opened = [s for s in made.story.sessions if BEGIN <= s[0] < END]
    assert row["sessions"] == len(opened)
    uses = [s for s in opened if s[2] != "service"]
    assert row["external_sessions"] == sum(code != OWNER for *_, code in uses)
    assert row["internal_sessions"] == sum(code == OWNER for *_, code in uses)
    assert row["external_share"] == percent(row["external_sessions"], len(uses))
    assert (row["trainings"], row["services"]) == tuple(sum(kind == k for _, _, kind, _ in opened) for k in ("training", "service"))


def test_the_energy_of_each_session_is_between_its_own_readings(made):
    register = register_at(made.story)
    touching = [s for s in made.story.sessions if s[0] < END and s[1] > BEGIN]
    assert len(made.tables["records"]) == len(touching) > 30
    states = set()
    for row, (a, b, kind, code) in zip(made.tables["records"], touching, strict=True):
        (u0, gap0), (u1, gap1) = u_at(register, max(a, BEGIN)), u_at(register, min(b, END))
        assert row["session_kwh"] * 1000 == u1 - u0, row
        assert row["energy_quality"] == ("measured" if max(gap0, gap1) * 10 <= b - a else "estimated"), (row, gap0, gap1, b - a)
        assert row["organisation"] == code and row["purpose"] == "research" and row["opened"] == iso_ms(a)
        span = (max(a, BEGIN), min(b, END))
        assert float(row["effective_h"]) == pytest.approx(minutes(made.expected.parts, *EFFECTIVE, span=span) / 60, abs=0.0006)
        states.add(row["energy_quality"])
    assert states == {"measured", "estimated"}
    row, = made.tables["instruments"]
    assert row["energy_kwh"] * 1000 == u_at(register, END)[0] - u_at(register, BEGIN)[0]


def iso_ms(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, ZONE).isoformat(timespec="milliseconds")


def test_organisations_add_up_to_the_sessions(made):
    rows = {(row["organisation"], row["user"]): row for row in made.tables["organisations"]}
    touching = [s for s in made.story.sessions if s[0] < END and s[1] > BEGIN]
    for code in {s[3] for s in touching}:
        mine = [s for s in touching if s[3] == code]
        row = rows[code, "user_internal" if code == OWNER else "user_external"]
        assert row["sessions"] == sum(s[0] >= BEGIN for s in mine)
        time = sum(minutes(made.expected.parts, *EFFECTIVE, span=(max(a, BEGIN), min(b, END))) for a, b, *_ in mine)
        assert float(row["effective_h"]) == pytest.approx(time / 60, abs=0.0006)
    assert sum(row["sessions_kwh"] for row in rows.values()) == sum(row["session_kwh"] for row in made.tables["records"])
    check, = made.tables["cross_check"]
    running = {m for a, b, state in activity_of(made.story) if state == "running" for m in range(a, b)} & set(range(BEGIN, END))
    assert check["run_s"] == 60 * len(running)
    assert check["run_in_records_s"] == 60 * sum(within(touching, m) for m in running)
    assert [(row["outage_kind"], row["note"]) for row in made.tables["outages"]] == [("outage_broken", "pump"), ("outage_planned", "pump")]


def test_all_formats_say_the_same(made):
    cells = {(row["table"], row["row"], row["column"]): row["value"] for row in csv.DictReader(io.StringIO(statement(made, "csv").lstrip("\ufeff")))}
    for table, rows in made.tables.items():
        for number, row in enumerate(rows, 1):
            for column, value in row.items():
                if isinstance(value, Decimal):
                    assert Decimal(cells[table, str(number), column]) == value
    total = next((n, row) for n, row in enumerate(made.tables["hours_parts"], 1) if "sum_of" in row)
    assert total[1]["hours_part"] == "total" and total[1]["sum_of"] == len(oracle_parts()) == total[0] - 1
    assert cells["hours_parts", str(total[0]), "sum_of"] == str(len(oracle_parts()))
    assert sum(column == "sum_of" for *_, column in cells) == 1
    page = statement(made, "html")
    assert "Statement of shared instruments" in page and "<script" not in page
    sums = re.findall(r'<tr class="sum">(.*?)</tr>', page, re.DOTALL)
    assert len(sums) == 1 and f"{total[1]['seconds']:,}" in sums[0]
    path = made.folder / "s.xlsx"
    done = run([made.collector.program, "statement", "--config", made.collector.settings, "--site", "site", "--period", "2026-10", "-o", path], 120)
    assert done.returncode == 0
    with zipfile.ZipFile(path) as archive:
        names = re.findall(r'<sheet name="(\w+)"', archive.read("xl/workbook.xml").decode())
        sheet = archive.read(f"xl/worksheets/sheet{names.index('hours_parts') + 1}.xml").decode()
    formulas = dict(re.findall(r"<f>SUM\((\w+:\w+)\)</f><v>([\d.]+)</v>", sheet))
    assert Decimal(formulas["C4:C15"]) == total[1]["seconds"]


def test_the_api_says_the_same(made):
    found = made.collector.get_json("/api/v1/instruments/sem/hours?period=2026-10")
    rows = {row["hours_part"]: row for row in made.tables["hours_parts"]}
    assert sum(part["ms"] for part in found["parts"]) == found["period_ms"] == 60000 * (END - BEGIN)
    for part in found["parts"]:
        assert Decimal(part["ms"]) / 1000 == rows[part["part"]]["seconds"]
        assert sum(part["evidence_ms"].values()) == part["ms"]
    organisations = {(row["organisation"], row["user"]): row for row in made.tables["organisations"]}
    for each in found["organisations"]:
        row, energy = organisations[each["organisation"], f"user_{each['user']}"], each["sum"]
        assert (energy["energy_wh"], energy["energy_known_wh"], energy["unknown_energies"]) == (1000 * row["sessions_kwh"], row["sessions_known_kwh"], 0)
    row, = made.tables["instruments"]
    assert (found["unknown_ms"], found["unknown_limit"]) == (1000 * rows["unknown"]["seconds"], 0.05)
    for rate in ("utilisation", "sharing_rate"):
        assert round(1000 * found[rate]) == 10 * row[rate]
    silent = made.collector.get_json("/api/v1/instruments/sem/hours?period=2026-09")  # of which there is next to nothing
    assert silent["unknown_ms"] * 20 > silent["period_ms"] and silent["effective_ms"] > 0
    assert silent["utilisation"] is None and silent["sharing_rate"] is None
    # Of bookings before the calendar's horizon nobody knows.
    assert (found["bookings_unknown_ms"], silent["bookings_unknown_ms"]) == (0, silent["period_ms"])
    assert [p["part"] for p in silent["parts"] if p["ms"] is None] == ["no_show", "reserved"]
    assert sum(p["known_ms"] for p in silent["parts"]) == silent["period_ms"]
    assert made.collector.get("/api/v1/instruments/none/hours?period=2026-10")[0] == 404
    assert made.collector.get("/api/v1/instruments/sem/hours?period=October")[0] == 400


def test_the_store_has_the_same_by_quarter_hour(made):
    parts = {row["hours_part"]: int(row["seconds"]) for row in made.tables["hours_parts"]}
    span = f"time >= {BEGIN * 60000}ms AND time < {END * 60000}ms"
    wanted = {part: parts[part] for part in oracle_parts()}

    wanted |= {"quarters": (END - BEGIN) // 15, "energy": round(1000 * made.tables["instruments"][0]["energy_kwh"])}
    names = ", ".join(f"sum({part}_s) AS {part}" for part in oracle_parts())

    def sums() -> dict[str, int]:
        rows = made.influx.rows(f"SELECT {names}, count(free_s) AS quarters, sum(energy) * 1000 AS energy FROM instrument WHERE instrument = 'sem' AND {span}")
        return {name: round(rows[0][name] or 0) for name in wanted} if rows else {}
    last = {}
    try:
        wait_until(lambda: last.update(sums()) or last == wanted, 120, "the store's quarter hours of October are the statement's", poll=0.5)
    except Failure:
        assert last == wanted
        raise


@pytest.mark.parametrize("words, said", [
    (("--site", "nowhere"), "--site nowhere is none of"), (("--period", "October"), "--period October is no period"),
    (("--format", "doc"), "--format doc is none"), (("--language", "fr"), "--language fr is none")])
def test_what_is_not_there_to_be_asked_for_is_refused_in_one_sentence(made, words, said):
    given = dict([("--site", "site"), ("--period", "2026-10"), words])
    done = run([made.collector.program, "statement", "--config", made.collector.settings, *(w for pair in given.items() for w in pair)], 60)
    assert done.returncode == 64 and said in done.stderr and done.stderr.count("\n") == 1


def test_without_power_nobody_says_that_it_did_not_run(stage):
    park = stage.folder / "park.cfg"
    park.write_text(f"""
sites = ( {{ id = "site"; {THING} zone = "Europe/Berlin"; }} );
buildings = ( {{ id = "b1"; {THING} site = "site"; }} );
gateways = ( {{ id = "gw-a"; site = "site"; {THING} }} );
categories = ( {{ id = "em"; {THING} }} );
instruments = ( {{ id = "card"; {THING} building = "b1"; category = "em"; owner = "某"; owner_en = "O"; owner_code = "O"; contact = "x"; session = "gw-a/s"; }} );
""")
    collector = stage.start(new_collector(stage.folder / "collector", stage.broker(), stage.influx(), park))
    found = collector.get_json("/api/v1/instruments/card/hours?period=2026-10")
    assert (found["run_ms"], found["run_in_session_ms"], found["effective_ms"]) == (None, None, 0)
