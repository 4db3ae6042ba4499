"""Versions of the park model: what counts makes one, what held in the past does not change in silence, and what a decision allows."""

from __future__ import annotations

import re
import sqlite3
import time
import zlib
from contextlib import closing
from datetime import datetime, timedelta, timezone

import pytest
from harness.parkmon import new_collector
from harness.process import run

CONFIG, USAGE = 78, 64
KEY = "meters[m1].segments[2023-12-31T16:00:00.000Z]"


def park(segments: str = "", meter: str = "", more: str = "") -> str:
    """One meter since 2024, as the file of an operator; its segment stands in line 8."""
    return f"""sites = ( {{ id = "s1"; name = "园"; name_en = "x"; zone = "Asia/Shanghai"; }} );
buildings = ( {{ id = "b1"; name = "x"; name_en = "x"; site = "s1"; }} );
gateways = ( {{ id = "gw-a"; name = "x"; name_en = "x"; site = "s1"; building = "b1"; }} );
tenants = ( {{ id = "t1"; name = "x"; name_en = "x"; }}, {{ id = "t2"; name = "x"; name_en = "x"; }} );
meters = (
  {{ id = "m1"; name = "x"; name_en = "x"; building = "b1"; carrier = "electricity";
    {meter}
    segments = ( {{ serial = "A"; from = "2024-01-01T00:00:00+08:00"; point = "gw-a/m"; max_rate = 400000; start = 0; {segments} }} );
  }}{more}
);
"""


class House:
    def __init__(self, stage, more: str = ""):
        self.stage = stage
        self.folder = stage.folder / "collector"
        self.park = stage.folder / "park.cfg"
        self.park.write_text(park())
        self.broker = stage.broker("gw-a")
        self.collector = stage.add(new_collector(self.folder, self.broker, stage.influx(), self.park,
                                                 more=f'clock = "trusted"; {more}'))
        self.database = self.folder / "collector.db"

    def query(self, sql: str, suffix: str = "") -> list[tuple]:
        with closing(sqlite3.connect(f"file:{self.database}{suffix}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()

    def versions(self) -> list[tuple]:
        return self.query("SELECT number, who, why FROM model_version ORDER BY number")

    def turn_on_and_off(self) -> None:
        self.collector.start()
        self.collector.stop()

    def refused(self) -> list[str]:
        """Starts the collector, which must end by itself with 78; its lines of the model."""
        done = run([self.collector.program, "--config", self.collector.settings], 60)
        assert done.returncode == CONFIG, done.stderr
        assert "nobody decided that: version " in done.stderr.splitlines()[-1], done.stderr
        return [line.split(" ERROR model: ", 1)[1] for line in done.stderr.splitlines() if " ERROR model: " in line]

    def diff(self) -> tuple[int, list[str]]:
        """Exit code and lines of --check --diff, without those that call the files good."""
        done = run([self.collector.program, "--config", self.collector.settings, "--check", "--diff"], 60)
        assert not done.stderr, done.stderr
        return done.returncode, [line for line in done.stdout.splitlines() if not line.endswith(": good")]

    def decide(self, *words: str):
        return run([self.collector.program, "decide", "model", "--config", self.collector.settings, *words], 60)


@pytest.fixture
def house(stage):
    return House(stage)


def test_only_what_counts_makes_a_version_and_its_text_is_kept(house):
    house.turn_on_and_off()
    assert house.versions() == [(1, None, None)]
    # Comments, layout, a default that is written down, the order of lists.
    text = "# by hand\n" + park("resolution\n = 1;").replace('"t1"', '"t3"').replace('"t2"', '"t1"').replace('"t3"', '"t2"')
    house.park.write_text(text)
    house.turn_on_and_off()
    assert house.versions() == [(1, None, None)]
    house.park.write_text(park().replace("园", "科创园"))
    house.turn_on_and_off()
    assert house.versions() == [(1, None, None), (2, None, None)]
    number, accepted_ms, name = house.query("SELECT number, accepted_ms, park_name FROM model_version WHERE number = 2")[0]
    assert abs(accepted_ms / 1000 - time.time()) < 120 and name == str(house.park)
    packed, = house.query("SELECT park FROM model_version WHERE number = 2")[0]
    assert zlib.decompress(packed).decode() == park().replace("园", "科创园")


def test_a_silent_change_of_the_past_is_refused_one_sentence_each(house):
    house.turn_on_and_off()
    house.park.write_text(park("ct = 200; registers = \"primary\"; modulus = 1000000;", 'tenant = "t1"; max_gap = 60;').replace(
        "start = 0", "start = 5").replace("gw-a/m", "gw-a/n"))
    lines = house.refused()
    held = "; this held in the past: expected unchanged, or "
    new = "a new segment from now on, or a decision"
    assert lines == [
        f"{house.park}:7: meters[m1].max_gap: was 1200, now 60{held}a decision",
        f"{house.park}:8: {KEY}.ct: was 1, now 200{held}{new}",
        f"{house.park}:8: {KEY}.modulus: was absent, now 1000000{held}{new}",
        f"{house.park}:8: {KEY}.point: was gw-a/m, now gw-a/n{held}{new}",
        f"{house.park}:8: {KEY}.registers: was absent, now primary{held}{new}",
        f"{house.park}:8: {KEY}.start: was 0, now 5{held}{new}",
        f"{house.park}:7: meters[m1].tenant: was absent, now t1{held}a row of `changes` that says from when on, or a decision",
    ]
    assert house.versions() == [(1, None, None)]
    # The old files again.
    house.park.write_text(park())
    house.turn_on_and_off()
    assert house.versions() == [(1, None, None)]


def test_a_decision_allows_one_step_and_no_other(house):
    house.turn_on_and_off()
    assert house.decide("--why", "x").stdout.startswith("nothing to decide")
    house.park.write_text(park('ct = "1000/5"; registers = "secondary";'))
    for wrong in ((), ("--why", ""), ("--why", "  "), ("--why", "x" * 501), ("--why", "a\nb"), ("--why", "x", "--who", "")):
        assert house.decide(*wrong).returncode == USAGE
    assert house.refused()
    done = house.decide("--why", "the transformers were entered wrong: protocol 17", "--who", "Li Na")
    assert done.returncode == 0, done.stderr
    assert f"{house.park}:8: {KEY}.ct: was 1, now 200\n" in done.stdout and "after version 1" in done.stdout
    # Another file is not allowed by it; comments do not make another one.
    house.park.write_text(park('ct = "900/5"; registers = "secondary";'))
    assert any(f"{KEY}.ct: was 1, now 180" in line for line in house.refused())
    house.park.write_text("# checked\n" + park("ct = 200; registers = \"secondary\";"))
    house.turn_on_and_off()
    (_, who, why), = house.versions()[1:]
    assert who.startswith("Li Na (user ") and why == "the transformers were entered wrong: protocol 17"
    # It is spent: back, and there again, need decisions of their own.
    house.park.write_text(park())
    assert house.refused()
    assert house.decide("--why", "they were right").returncode == 0
    house.turn_on_and_off()
    house.park.write_text(park("ct = 200; registers = \"secondary\";"))
    assert house.refused()
    assert [row[0] for row in house.versions()] == [1, 2, 3]
    changes = house.query("SELECT who, action, object, before, note FROM change_log ORDER BY id", ".access")
    assert [row[1:3] for row in changes] == [("decide model", "park model after version 1"), ("decide model", "park model after version 2")]
    assert f"{KEY}.ct: was 1, now 200" in changes[0][3] and changes[0][4] == "the transformers were entered wrong: protocol 17"


def replacement(at: datetime, end: str = "end = 812000;", start: str = "start = 0;") -> str:
    """The first device until then, the second from then on."""
    text = at.isoformat(timespec="seconds")
    return park(f'until = "{text}"; {end}').replace("segments = (", f"""segments = (
      {{ serial = "B"; from = "{text}"; point = "gw-a/m"; max_rate = 400000; {start} }},""")


def test_a_replacement_entered_the_day_after_is_taken_and_told(house):
    house.turn_on_and_off()
    yesterday = datetime.now(timezone(timedelta(hours=8))) - timedelta(days=1)
    house.park.write_text(replacement(yesterday, end=""))
    assert len(house.refused()) == 1
    house.park.write_text(replacement(yesterday - timedelta(days=7)))
    assert len(house.refused()) == 3, "the end, its register, and the next begin"
    house.park.write_text(replacement(yesterday))
    house.turn_on_and_off()
    assert house.versions() == [(1, None, None), (2, None, None)]
    said = [line for line in house.collector.log().splitlines() if "(entered late)" in line]
    assert len(said) == 3 and all(" WARN " in line or "warn" in line.lower() for line in said), said


def test_what_is_new_needs_no_decision(house):
    house.turn_on_and_off()
    soon = datetime.now(timezone(timedelta(hours=8))) + timedelta(days=1)
    house.park.write_text(replacement(soon, "", "").replace("\n);\n", NEW_METER))  # and the books are empty
    house.turn_on_and_off()
    assert [row[0] for row in house.versions()] == [1, 2]


NEW_METER = """,
  { id = "m2"; name = "x"; name_en = "x"; building = "b1"; tenant = "t2"; carrier = "water";
    segments = ( { serial = "W"; from = "2020-01-01T00:00:00+08:00"; max_rate = 15000; } ); }
);
"""


def test_what_is_new_and_counts_for_days_of_which_there_are_figures_takes_a_decision(house):
    """The books' rows are put there by hand: how they come about is others' matter."""
    house.turn_on_and_off()
    now_ms = int(time.time() * 1000) // 900000 * 900000

    def put(*statements: str) -> None:
        with closing(sqlite3.connect(house.database)) as database:
            database.execute("INSERT OR IGNORE INTO ledger_meter(id, name) VALUES(1, 'm1')")
            for statement in statements:
                database.execute(statement)
            database.commit()

    def quarter(days: int) -> str:
        return f"INSERT INTO ledger_quarter VALUES(1, {now_ms - days * 86400000}, 1, 250, 0, 0, 0)"

    house.park.write_text(park().replace("\n);\n", NEW_METER))
    put(quarter(3))  # a park that is being set up
    assert house.diff() == (0, [f"{house.park}:10: meters[m2]: is new (entered late)", "against version 1: changes 1, of the past 0, entered late 1"])
    put(quarter(30))
    said = f"{house.park}:10: meters[m2]: is new; this counts for days that have begun: expected `from` of at most a week ago, in no closed month, or a decision"
    assert house.refused() == [said]
    put(f"INSERT INTO closing SELECT 1, 's1', 1, {now_ms - 60 * 86400000}, {now_ms - 29 * 86400000}, 0, NULL, 'x', 'x', 1, 0")
    assert house.refused() == [said]
    done = run([house.collector.program, "--config", house.collector.settings], 60)
    kept = "what is booked of closed months stays, and energy that becomes another there is booked as adjusting entries in the month that is open"
    assert done.stderr.splitlines()[-1].endswith(
        "`park-collector decide model --config FILE --why TEXT` allows exactly these files; then start or reload the collector; " + kept), done.stderr
    done = house.decide("--why", "it was forgotten")
    assert done.returncode == 0 and f"{house.park}:10: meters[m2]: is new\n" in done.stdout and done.stdout.rstrip().endswith(kept)
    house.turn_on_and_off()
    assert [row[2] for row in house.versions()] == [None, "it was forgotten"]


def test_a_meter_that_is_removed_takes_a_decision(house):
    house.turn_on_and_off()
    house.park.write_text(park().split("meters = (")[0])
    assert house.refused() == [f"{house.park}: meters[m1]: was there, now gone; this held in the past: expected unchanged, or a decision"]


def test_what_a_start_refuses_no_rebuild_goes_by(house):
    house.turn_on_and_off()
    house.park.write_text(park(meter='tenant = "t1";'))
    done = run([house.collector.program, "rebuild", "--config", house.collector.settings], 60)
    assert done.returncode == CONFIG and not done.stdout
    first, last = done.stderr.splitlines()
    assert first.startswith(f"{house.park}:7: meters[m1].tenant: was absent, now t1; ") and "nobody decided that: version 1 stays" in last


def test_factors_are_part_of_the_model(stage):
    factors = stage.folder / "factors.cfg"
    row = """factors = ( { kind = "kgco2"; carrier = "electricity"; value = "0.5"; unit = "kgCO2/kWh"; from = "2024-01-01"; basis = "location";
  document = "d"; confidence = "A"; } );\n"""
    factors.write_text(row)
    house = House(stage, f'factors = "{factors}";')
    house.turn_on_and_off()
    factors.write_text(row.replace('"0.5"', '"0.6"'))
    line, = house.refused()
    assert line.startswith(f"{factors}:1: factors[kgco2 electricity 2024-01-01].value: was 0.5, now 0.6;")


def test_a_damaged_version_is_said_and_not_judged(house):
    house.turn_on_and_off()
    with closing(sqlite3.connect(house.database)) as database:
        database.execute("DROP TRIGGER model_version_is_final")
        database.execute("UPDATE model_version SET park = x'00'")
        database.commit()
    done = run([house.collector.program, "--config", house.collector.settings], 60)
    assert done.returncode == CONFIG
    assert "version 1 of the park model is damaged" in done.stderr


def test_diff_says_what_would_change_and_writes_nothing(house):
    assert house.diff() == (0, ["no version was accepted yet: these files would be the first"])
    assert not house.database.exists()
    house.collector.start()
    assert house.diff() == (0, ["nothing changes against version 1"])
    house.park.write_text(park().replace('id = "s1"; name = "园"', 'id = "s1"; name = "科创园"'))
    assert house.diff() == (0, [f"{house.park}:1: sites[s1].name: was 园, now 科创园", "against version 1: changes 1, of the past 0, entered late 0"])
    yesterday = datetime.now(timezone(timedelta(hours=8))) - timedelta(days=1)
    house.park.write_text(replacement(yesterday))
    code, lines = house.diff()
    assert code == 0 and lines[-1] == "against version 1: changes 3, of the past 0, entered late 3"
    assert all(line.endswith(" (entered late)") for line in lines[:-1]) and len(lines) == 4
    house.park.write_text(park("modulus = 1000;", 'tenant = "t1";').replace("\n);\n", """,
  { id = "m2"; name = "x"; name_en = "x"; building = "b1"; carrier = "water"; power = "gw-a/w"; }
);
"""))
    code, lines = house.diff()
    assert code == 1 and len(lines) == 4
    assert lines[0].startswith(f"{house.park}:8: {KEY}.modulus: was absent, now 1000; this held in the past: ")
    assert lines[1].startswith(f"{house.park}:7: meters[m1].tenant: was absent, now t1; this held in the past: ")
    assert lines[2] == f"{house.park}:10: meters[m2]: is new"
    assert lines[3].startswith("against version 1: changes 3, of the past 2: they need a decision; ")
    assert house.decide("--why", "as built").returncode == 0
    code, lines = house.diff()
    assert code == 0 and re.fullmatch(r"against version 1: changes 3, of the past 2, decided by user \S+: as built", lines[-1])
    house.collector.stop()
    assert house.versions() == [(1, None, None)], "nothing of this was accepted"
    done = run([house.collector.program, "--config", house.collector.settings, "--diff"], 60)
    assert done.returncode == USAGE and done.stderr.startswith("park-collector: --diff goes together with --check\n")
