"""Rows of `energy` that the store lost, or that look otherwise now, are posted again: what it must hold is worked out here from the books,
read as SQLite, and from the facts of the park as they are typed below, with nothing of ours."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import time
import urllib.error
import urllib.request
from contextlib import closing
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

import pytest
from harness.parkmon import new_collector
from harness.process import free_port, run, wait_until
from publisher import Publisher
from swallow import Swallow

ZONE = ZoneInfo("Asia/Shanghai")
QUARTER_MS, HOUR_MS, DAY_MS = 900_000, 3_600_000, 86_400_000
NAMES = ("measured", "estimated", "manual", "unknown")
DAYS = 3
# The quarter hours are of whole days of UTC that are over; bounds of factors and prices lie inside.
BEGIN_MS = (int(time.time() * 1000) // DAY_MS - DAYS - 2) * DAY_MS
LOCAL = datetime.fromtimestamp(BEGIN_MS / 1000, ZONE).date() + timedelta(days=1)  # a local day in the midst
SCALE = {"electricity": 1000, "heat": 1_000_000}


class Facts:
    """The park, factors and tariff, as text and as what follows from them."""

    def __init__(self):
        self.meters = {"m1": ["b1", "t1", "01A00", "electricity"], "m2": ["b2", None, None, "electricity"], "h1": ["b1", "t2", None, "heat"]}
        self.sites = {"b1": "s1", "b2": "s2"}
        self.co2 = ("0.5153", "0.4974")  # up to LOCAL, and from it on; of s1's region
        self.flat, self.peak = "0.3333", "1.2"
        self.points = {"m1": "m1", "m2": "m2", "h1": "h1"}

    def park(self) -> str:
        def named(name: str, more: str) -> str:
            return f'{{ id = "{name}"; name = "x"; name_en = "x"; {more} }}'

        meters = []
        for meter, (building, tenant, item, carrier) in self.meters.items():
            more = f'building = "{building}"; carrier = "{carrier}";'
            more += f' tenant = "{tenant}";' if tenant else ""
            more += f' item = "{item}";' if item else ""
            more += (f' segments = ({{ serial = "1"; from = "2025-01-01T00:00:00Z"; point = "gw-a/{self.points[meter]}"; resolution = 1;'
                     f' max_rate = {1_000_000_000 if carrier == "heat" else 100_000}; }});')
            meters.append(named(meter, more))
        zone = 'zone = "Asia/Shanghai";'
        return (f'sites = ({named("s1", zone + " region = " + chr(34) + "zhejiang" + chr(34) + ";")}, {named("s2", zone)});\n'
                f'buildings = ({named("b1", "site = " + chr(34) + "s1" + chr(34) + ";")}, {named("b2", "site = " + chr(34) + "s2" + chr(34) + ";")});\n'
                f'tenants = ({named("t1", "")}, {named("t2", "")});\n'
                f'gateways = ({named("gw-a", "site = " + chr(34) + "s1" + chr(34) + ";")});\n'
                "meters = (\n" + ",\n".join(meters) + ");\n")

    def factors(self) -> str:
        def row(kind: str, carrier: str, unit: str, basis: str, value: str, when: str) -> str:
            return (f'{{ kind = "{kind}"; carrier = "{carrier}"; unit = "{unit}"; basis = "{basis}"; value = "{value}"; {when}'
                    ' document = "D"; confidence = "A"; }')

        before, since = self.co2
        return "factors = (\n" + ",\n".join([
            row("kgce_calorific", "electricity", "kgce/kWh", "calorific", "0.1229", 'from = "2021-04-01";'),
            row("kgce_equivalent", "electricity", "kgce/kWh", "equivalent", "0.31", 'region = "zhejiang"; from = "2021-04-01";'),
            row("kgco2", "electricity", "kgCO2/kWh", "location", before, f'region = "zhejiang"; from = "2021-01-01"; through = "{LOCAL - timedelta(days=1)}";'),
            row("kgco2", "electricity", "kgCO2/kWh", "location", since, f'region = "zhejiang"; from = "{LOCAL}";'),
            row("kgce_calorific", "heat", "kgce/MJ", "calorific", "0.03412", 'from = "2021-04-01";')]) + ");\n"

    def tariffs(self) -> str:
        source = 'document = "D"; confidence = "A";'
        return ('tariffs = ({ id = "t"; name = "t"; name_en = "t"; carrier = "electricity"; sites = ["s1"];\n'
                f'schedules = ({{ from = "2025-01-01"; {source} seasons = ({{ months = "1-12"; flat = "00:00-08:30"; peak = "08:30-24:00"; }}); }});\n'
                f'prices = ({{ from = "2025-01-01"; unit = "yuan/kWh"; flat = "{self.flat}"; peak = "{self.peak}"; {source} }}); }});\n')

    def rates(self, meter: str, start_ms: int) -> dict[str, tuple[str, int]]:
        """Field -> value per unit, decimals of the picture."""
        building, _, _, carrier = self.meters[meter]
        local = datetime.fromtimestamp(start_ms / 1000, ZONE)
        if carrier == "heat":
            return {"kgce_calorific": ("0.03412", 6)}
        found = {"kgce_calorific": ("0.1229", 6)}
        if self.sites[building] == "s1":
            found["kgce_equivalent"] = ("0.31", 6)
            found["kgco2"] = (self.co2[local.date() >= LOCAL], 6)
            found["cost"] = (self.flat if (local.hour, local.minute) < (8, 30) else self.peak, 5)
        return found

    def row(self, meter: str, start_ms: int, amount: int | None, quality: str) -> tuple[dict, dict]:
        building, tenant, item, carrier = self.meters[meter]
        tags = {"building": building, "carrier": carrier, "item": item or "", "meter": meter, "site": self.sites[building], "tenant": tenant or ""}
        fields = dict.fromkeys(FIELDS)
        fields.update(quality=quality, coverage=int(quality in ("measured", "manual")))
        if amount is not None:
            fields.update(count=amount, amount=amount / SCALE[carrier])
            for field, (value, decimals) in self.rates(meter, start_ms).items():
                exact = Fraction(amount) / SCALE[carrier] * Fraction(value) * 10**decimals
                rounded = floor(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)
                fields[field] = float(Fraction(rounded, 10**decimals))
        return tags, fields


FIELDS = ("amount", "count", "quality", "coverage", "kgce_calorific", "kgce_equivalent", "kgco2", "cost")


class House:
    def __init__(self, stage, proxy: bool = False):
        self.stage, self.facts = stage, Facts()
        self.park, self.factors, self.tariffs = (stage.folder / name for name in ("park.cfg", "factors.cfg", "tariffs.cfg"))
        self.write()
        self.broker, self.influx = stage.broker("gw-a"), stage.influx()
        self.collector = stage.add(new_collector(stage.folder / "collector", self.broker, self.influx, self.park, more=(
            f'clock = "trusted";\nfactors = "{self.factors}";\ntariffs = "{self.tariffs}";'), store_settings="body_lines = 100;"))
        self.database = stage.folder / "collector/collector.db"
        if proxy:
            self.proxy = stage.start(Swallow(stage.folder / "proxy", self.influx.port, free_port()))
            settings = self.collector.settings
            settings.write_text(settings.read_text().replace(self.influx.url, self.proxy.url))
        self.seq = 0

    def write(self) -> None:
        for path, text in ((self.park, self.facts.park()), (self.factors, self.facts.factors()), (self.tariffs, self.facts.tariffs())):
            new = path.with_suffix(".new")
            new.write_text(text)
            new.replace(path)

    def start(self) -> "House":
        self.collector.start()
        self.collector.wait_connected()
        return self

    def query(self, sql: str) -> list[tuple]:
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()

    def run(self, *words: str):
        return run([self.collector.program, *words[:1], "--config", self.collector.settings, *words[1:]], 120)

    def send(self, lines: list[str]) -> None:
        self.seq += 1
        self.agent.send(self.seq, lines)
        self.agent.wait_ack(self.seq)

    def fill(self) -> None:
        """Every quarter hour: m2 has a gap of four hours, and h1 falls once, which nobody explains."""
        self.agent = Publisher(self.broker, "gw-a")
        count = {"m1": 1000, "m2": 500_000_000, "h1": 70_000_000_000}
        for day in range(DAYS):
            lines = []
            for n in range(96):
                at, quarter = BEGIN_MS + (day * 96 + n) * QUARTER_MS, day * 96 + n
                lines.append(f"register,point=m1 value={count['m1']}i {at}")
                if not 120 <= quarter < 136:
                    lines.append(f"register,point=m2 value={count['m2']}i {at}")
                lines.append(f"register,point=h1 value={count['h1'] - (50_000_000_000 if quarter >= 150 else 0)}i {at}")
                count["m1"] += 2500 + quarter * 7 % 301
                count["m2"] += 1000 + quarter * 11 % 97
                count["h1"] += 100_000_000 + quarter
            self.send(lines)
        self.wait()

    def is_done(self) -> bool:
        return self.query(
            "SELECT (SELECT position >= (SELECT max(id) FROM journal) FROM cursor WHERE name = 'ledger'),"
            " (SELECT count(*) FROM outbox WHERE sent_ms IS NULL AND series LIKE 'energy,%'), (SELECT count(*) FROM repost),"
            " (SELECT position = (SELECT max(number) FROM model_version) FROM cursor WHERE name = 'energy')") == [(1, 0, 0, 1)]

    def wait(self, seconds: float = 60) -> None:
        wait_until(self.is_done, seconds, "everything is folded and posted", poll=0.1)

    def books(self) -> dict[tuple[str, int], tuple[dict, dict]]:
        latest = self.query("SELECT m.name, q.start_ms, q.amount, q.quality FROM ledger_quarter q JOIN ledger_meter m ON m.id = q.meter WHERE q.version ="
                            " (SELECT max(version) FROM ledger_quarter v WHERE v.meter = q.meter AND v.start_ms = q.start_ms)")
        return {(meter, start_ms): self.facts.row(meter, start_ms, amount, NAMES[quality])
                for meter, start_ms, amount, quality in latest if meter in self.facts.meters}

    def stored(self) -> dict[tuple[str, int], tuple[dict, dict]]:
        found = {}
        names = ", ".join(f'"{name}"' for name in FIELDS)
        for series in self.influx.query(f"SELECT {names} FROM energy GROUP BY building, carrier, item, meter, site, tenant"):
            for row in series.get("values", []):
                values = dict(zip(series["columns"], row))
                key = (series["tags"]["meter"], values.pop("time"))
                assert key not in found, f"{key} is there under two sets of tags: {found[key][0]} and {series['tags']}"
                found[key] = (series["tags"], values)
        return found

    def assert_equal(self) -> None:
        books, stored = self.books(), self.stored()
        assert len(books) > 250 * len({meter for meter, _ in books})
        assert stored.keys() == books.keys()
        for key, row in books.items():
            assert stored[key] == row, key

    def reload(self) -> None:
        told = len(self.collector.log())
        os.kill(self.collector.pid, signal.SIGHUP)
        wait_until(lambda: re.search(r"version \d+ of the park model: ", self.collector.log()[told:]), 20, "the model is taken")

    def decide_model(self) -> None:
        done = self.run("decide", "model", "--why", "the lists were wrong")
        assert done.returncode == 0, done.stderr


@pytest.fixture
def house(stage):
    made = House(stage).start()
    made.fill()
    return made


def test_the_store_has_what_the_books_have_and_what_it_comes_to(house):
    house.assert_equal()
    fields = [fields for _, fields in house.stored().values()]
    assert {row["quality"] for row in fields} == {"measured", "estimated", "unknown"}
    assert {row["kgco2"] is None for row in fields} == {True, False}


@pytest.mark.parametrize("is_running", [True, False])
def test_energy_that_was_dropped_or_falsified_is_rebuilt_as_the_books_say(house, is_running):
    rows = len(house.books())
    start = BEGIN_MS + 40 * QUARTER_MS
    house.influx.query("DROP MEASUREMENT energy")
    house.influx.write(f'energy,building=b9,carrier=electricity,meter=m1 amount=99,quality="measured",cost=5 {start}', "autogen")
    if not is_running:
        house.collector.stop()
    done = house.run("rebuild", "--energy")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"energy: {rows} quarter hours written again\n")
    house.assert_equal()
    done = house.run("rebuild")
    assert done.returncode == 0, done.stderr
    assert f"energy: {rows} quarter hours written again\n" in done.stdout
    house.assert_equal()


def test_a_period_or_a_site_is_rebuilt_and_nothing_else(house):
    house.influx.query("DROP MEASUREMENT energy")
    day = time.strftime("%Y-%m-%d", time.gmtime((BEGIN_MS + DAY_MS) / 1000))
    done = house.run("rebuild", "--site", "s2", "--period", day)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "energy: 96 quarter hours written again\n")
    expected = {key: row for key, row in house.books().items() if key[0] == "m2" and BEGIN_MS + DAY_MS <= key[1] < BEGIN_MS + 2 * DAY_MS}
    assert house.stored() == expected
    # What is none of our meters' stays, unless it is said to go.
    house.influx.write(f'energy,meter=stranger quality="measured" {BEGIN_MS}', "autogen")
    assert house.run("rebuild", "--energy").returncode == 0
    assert ("stranger", BEGIN_MS) in house.stored()
    assert house.run("rebuild", "--energy", "--drop-unknown").returncode == 0
    house.assert_equal()
    for words, code, text in ((("--site", "s9"), 64, "--site s9 is none; expected a site"),
                              (("--energy", "--period", "2020-10"), 78, "the books hold no energy of 2020-10")):
        refused = house.run("rebuild", *words)
        assert refused.returncode == code and text in refused.stderr
    house.assert_equal()


def test_a_changed_past_is_posted_again_and_the_former_rows_are_gone(house):
    house.facts.meters["m1"][1:3] = ["t2", "01B00"]
    house.facts.meters["h1"][0] = "b2"
    house.facts.meters["m2"][0] = "b1"  # which has a price
    house.write()
    house.decide_model()
    house.reload()
    house.wait()
    house.assert_equal()


def test_other_factors_and_prices_are_posted_again(house):
    posted = house.collector.metric("parkmon_store_accepted_total") if "parkmon_store_accepted_total" in house.collector.get("/metrics")[1] else None
    house.facts.co2 = (house.facts.co2[0], "0.4")
    house.write()
    house.decide_model()
    house.reload()
    house.wait()
    house.assert_equal()
    assert posted is None or house.collector.metric("parkmon_store_accepted_total") < posted + 3 * 96 * DAYS
    house.facts.peak = "0.9"
    house.write()
    house.decide_model()
    house.collector.restart()
    house.wait()
    house.assert_equal()


def test_a_meter_that_gets_another_name_has_its_rows_under_that_one(house):
    house.facts.meters["m9"] = house.facts.meters.pop("m2")
    house.facts.points["m9"] = "m2"
    house.write()
    house.decide_model()
    house.reload()
    wait_until(lambda: house.query("SELECT count(*) FROM ledger_quarter JOIN ledger_meter ON id = meter WHERE name = 'm9'")[0][0] > 250, 30,
               "the meter is folded")
    house.wait()
    house.assert_equal()
    assert {meter for meter, _ in house.stored()} == {"m1", "m9", "h1"}


def test_killed_while_it_posts_again_it_goes_on_and_a_newer_version_wins(stage):
    house = House(stage, proxy=True).start()
    house.fill()
    before = house.books()
    house.facts.meters["m1"][1], house.facts.meters["h1"][1] = "t2", "t1"
    house.write()
    house.decide_model()
    kills = 0
    while kills < 6 and (kills == 0 or house.query("SELECT count(*) FROM repost") != [(0,)]):
        held = house.proxy.held()
        house.proxy.hold(1, 30)  # after the delete, before the write
        if house.collector.is_running:
            house.reload()
        else:
            house.collector.start()
        wait_until(lambda: house.proxy.held() > held, 30, "a slice is under way")
        if kills == 2:  # what comes meanwhile is newer than what is about to be written
            house.collector.wait_connected()
            start = BEGIN_MS + 126 * QUARTER_MS
            house.send([f"register,point=m2 value={500_000_000 + 126 * 1040}i {start}"])
            wait_until(lambda: house.query("SELECT position >= (SELECT max(id) FROM journal) FROM cursor WHERE name = 'ledger'") == [(1,)], 30,
                       "it is folded")
        house.collector.kill()
        house.proxy.hold(0, 0)
        kills += 1
    assert kills >= 4
    house.start().wait()
    assert house.books() != before
    house.assert_equal()


def test_a_decision_that_comes_while_energy_is_posted_again_wins(stage):
    house = House(stage, proxy=True).start()
    house.fill()
    done = house.run("token", "add", "--name", "anna", "--role", "operator", "--scope", "decisions")
    assert done.returncode == 0, done.stderr
    (since, until), = house.query("SELECT from_ms, until_ms FROM ledger_event JOIN ledger_meter ON id = meter WHERE name = 'h1' AND state = 0 AND kind = 5")
    house.facts.meters["h1"][1] = "t1"
    house.write()
    house.decide_model()
    held = house.proxy.held()
    house.proxy.hold(1, 12)
    house.reload()
    wait_until(lambda: house.proxy.held() > held, 30, "a slice is under way")
    text = [datetime.fromtimestamp(at / 1000, ZONE).isoformat() for at in (since, until)]
    request = urllib.request.Request(house.collector.http_url + "/api/v1/decisions", json.dumps({
        "meter": "h1", "kind": "energy", "from": text[0], "until": text[1], "energy": 123_000_000, "why": "by the pump's hours"}).encode(), {
            "Authorization": f"Bearer {done.stdout.strip()}", "Content-Type": "application/json"})

    def is_decided() -> bool:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status in (200, 201)
        except urllib.error.HTTPError as error:
            assert error.code == 503, error.read()  # the books take up the model first
            return False

    wait_until(is_decided, 20, "it is decided", poll=0.2)
    assert house.query("SELECT count(*) FROM repost") != [(0,)]
    house.proxy.hold(0, 0)
    house.wait()
    house.assert_equal()
    assert "manual" in {fields["quality"] for _, fields in house.stored().values()}


def test_hours_of_which_the_store_lost_rows_are_found_and_posted_again_once(house):
    lost = BEGIN_MS + 30 * HOUR_MS
    house.collector.stop()
    house.influx.query(f"DELETE FROM energy WHERE time >= {lost}ms AND time < {lost + QUARTER_MS}ms")
    house.influx.write(f'energy,meter=stranger quality="measured" {lost + HOUR_MS}', "autogen")
    # As a rebuild leaves it that was killed.
    note = house.database.with_name(house.database.name + ".rebuild")
    note.write_text("".join(f"energy {hour}\n" for hour in (lost // HOUR_MS, lost // HOUR_MS + 1)))
    house.start()
    wait_until(lambda: "posted again, the store holds all 12 now" in house.collector.log(), 60, "the hour is whole", poll=0.2)
    wait_until(lambda: "the store holds 13 instead of 12, also after posting again" in house.collector.log(), 60, "the stranger is told", poll=0.2)
    house.influx.query("DELETE FROM energy WHERE meter = 'stranger'")
    house.assert_equal()


def test_a_database_that_was_dropped_gets_all_energy_again(house):
    house.influx.query("DROP DATABASE parkmon")
    house.send([f"register,point=m1 value=1i {BEGIN_MS - DAY_MS}"])
    wait_until(lambda: "is made anew" in house.collector.log(), 30, "it is noticed")
    wait_until(lambda: house.is_done() and len(house.stored()) >= len(house.books()), 60, "everything is posted again", poll=0.2)
    house.assert_equal()


def test_after_a_restore_the_store_has_the_energy_of_the_restored_books(house, tmp_path):
    backup = tmp_path / "backup.db"
    assert house.run("backup", "-o", str(backup)).returncode == 0
    sent = house.seq
    # The line that is replaced goes on: other readings of the gap, quarter hours that the backup has not, other tags.
    house.send([f"register,point=m2 value={500_000_000 + n * 1046 + 7}i {BEGIN_MS + n * QUARTER_MS}" for n in range(121, 135)])
    house.send([f"register,point=m1 value={1000 + n * 2700}i {BEGIN_MS + n * QUARTER_MS}" for n in range(96 * DAYS, 96 * DAYS + 40)])
    house.facts.meters["h1"][1] = "t1"
    house.write()
    house.decide_model()
    house.reload()
    house.wait()
    house.assert_equal()
    later = house.books()
    house.collector.stop()
    house.facts.meters["h1"][1] = "t2"
    house.write()
    restored = house.run("restore", str(backup))
    assert restored.returncode == 0, restored.stderr
    assert re.search(r"energy of \d+ meters is posted", restored.stdout), restored.stdout
    house.agent.close()
    house.start().wait()
    assert len(house.books()) < len(later)
    house.assert_equal()
    assert sent == house.query("SELECT max(seq) FROM journal")[0][0]
