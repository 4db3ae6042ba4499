"""From an amount of the report down to the two readings behind a quarter hour, page by page: each number is that of /api/v1/energy, and the
readings, batches and reckonings are those that were published here, in integers of our own."""

from __future__ import annotations

import csv
import hashlib
import http.client
import io
import re
import sqlite3
import urllib.parse
from contextlib import closing
from datetime import date, datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest
from harness.parkmon import new_collector
from harness.process import run, wait_until
from harness.stage import Stage
from publisher import Publisher
from test_report import report

ITEM = '01A00 <b>/"x"&?'
PARK = """
sites = ({ id = "s1"; name = "<b>园</b>"; name_en = "<b>Park</b>"; zone = "Asia/Shanghai"; });
buildings = ({ id = "b1"; name = "x"; name_en = "x"; site = "s1"; });
tenants = ({ id = "t1"; name = "<i>甲</i>"; name_en = "<i>A</i>"; });
gateways = ({ id = "gw-a"; name = "x"; name_en = "x"; site = "s1"; building = "b1"; });
meters = (
  { id = "main"; name = "<script>总表"; name_en = "<script>main"; building = "b1"; carrier = "electricity"; balance_limit = "0.5";
    segments = ({ serial = "1"; from = "2026-01-01T00:00:00Z"; point = "gw-a/main"; resolution = 10; max_rate = 1000000; ct = "1000/3"; registers = "secondary"; }); },
  { id = "part"; name = "x"; name_en = "x"; building = "b1"; carrier = "electricity"; parent = "main"; tenant = "t1"; item = "%s";
    segments = ({ serial = "2"; from = "2026-01-01T00:00:00Z"; point = "gw-a/part"; resolution = 1; max_rate = 10000; modulus = 100000; }); },
  { id = "heat"; name = "x"; name_en = "x"; building = "b1"; carrier = "heat"; item = "=1+1";
    segments = ({ serial = "3"; from = "2026-01-01T00:00:00Z"; point = "gw-a/heat"; resolution = 1; max_rate = 1000000000; }); });
virtual_meters = ({ id = "rest"; name = "x"; name_en = "x"; building = "b1"; plus = ("main"); minus = ("part"); });
""" % ITEM.replace('"', '\\"')
BEGIN = int(datetime(2026, 3, 1, 15, 40, tzinfo=timezone.utc).timestamp() * 1000)
DAYS = 2
QUARTER_MS = 900_000
STEP_MS = 7 * 60_000 + 137  # readings are never at a quarter hour
P, Q = 1000, 3
MONTH = "/audit/s1/2026-03"
# Of the part nothing arrives in these minutes: a gap, of which what is between is estimated. Later it jumps, more than the meter can count: an open exception.
GAP, JUMP = (600, 700), 2000


def readings(point: str) -> list[tuple[int, int]]:
    rate = {"main": 17, "part": 401, "heat": 123_457}[point]
    start = {"main": 5_000, "part": 99_000, "heat": 10**9}[point]
    found = []
    for i in range(DAYS * 1440 * 60_000 // STEP_MS):
        minute = i * STEP_MS // 60_000
        count = start + i * rate + (i * i) % 7
        if point == "part":
            if GAP[0] <= minute < GAP[1]:
                continue
            count = (count if minute < JUMP else count + 61_000) % 100_000
        found.append((BEGIN + i * STEP_MS, count))
    return found


class House:
    def __init__(self, stage):
        self.broker, self.influx = stage.broker("gw-a"), stage.influx()
        park = stage.folder / "park.cfg"
        park.write_text(PARK)
        self.collector = stage.add(new_collector(stage.folder / "collector", self.broker, self.influx, park))
        self.database = stage.folder / "collector/collector.db"
        self.collector.start()
        self.collector.wait_connected()
        self.auditor = self.token("auditor")
        self.operator = self.token("operator")
        self.agent = Publisher(self.broker, "gw-a")
        self.batches: dict[tuple[str, int], int] = {}
        self.seq = 0
        for point in ("main", "part", "heat"):
            found = readings(point)
            late = found.pop(90)
            for i in range(0, len(found), 500):
                self.send(point, found[i:i + 500])
            if point == "main":
                self.late = late
        wait_until(self.is_folded, 60, "the ledger has folded the journal")
        self.send("main", [self.late])
        wait_until(self.is_folded, 60, "the ledger has folded the late reading")

    def send(self, point: str, found) -> None:
        self.seq += 1
        self.agent.send(self.seq, [f"register,point={point} value={count}i {time_ms}" for time_ms, count in found])
        self.agent.wait_ack(self.seq)
        self.batches.update({(point, time_ms): self.seq for time_ms, _ in found})

    def query(self, sql: str, *values) -> list[tuple]:
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            return database.execute(sql, values).fetchall()

    def is_folded(self) -> bool:
        return self.query("SELECT position >= (SELECT max(id) FROM journal) FROM cursor WHERE name = 'ledger'") == [(1,)]

    def token(self, role: str) -> str:
        done = run([self.collector.program, "token", "add", "--config", self.collector.settings, "--name", role, "--role", role])
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def get(self, path: str, token: str | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.collector.port, timeout=60)
        connection.request("GET", path, headers={"Authorization": f"Bearer {token or self.auditor}"})
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        assert "script" not in (answer.getheader("Content-Security-Policy") or "").replace("script-src 'self'", "")
        connection.close()
        return answer.status, text

    def tables(self, path: str) -> dict[str, list[dict]]:
        """Of a page as CSV; the page itself has the same rows, and every amount of them."""
        status, text = self.get(f"{MONTH}/{path}?format=csv&lang=en")
        assert status == 200, text
        found: dict[str, list[dict]] = {}
        for line in csv.DictReader(io.StringIO(text.lstrip("\ufeff"))):
            rows = found.setdefault(line["table"], [])
            while len(rows) < int(line["row"]):
                rows.append({})
            rows[-1][line["column"]] = line["value"]
        status, html = self.get(f"{MONTH}/{path}?lang=en")
        assert status == 200 and "<b>" not in html and "<script" not in html
        shown = Cells.of(html)
        for name, rows in found.items():
            for row in rows:
                for column in ("amount", "u", "register", "seq", "batch_hash"):
                    if column in row and row.get("unit") != "MJ" and name != "drill_about":
                        assert row[column] in shown, (path, name, column, row)
        return found

    def energy(self, by: str, step: str, start: str, end: str) -> dict[tuple, list[dict]]:
        status, text = self.get("/api/v1/energy?" + urllib.parse.urlencode({"site": "s1", "by": by, "step": step, "from": start, "to": end, "format": "csv"}))
        assert status == 200, text
        found: dict[tuple, list[dict]] = {}
        for line in csv.DictReader(io.StringIO(text)):
            found.setdefault((line["kind"], line["id"]), []).append(line)
        return found


class Cells(HTMLParser):
    @staticmethod
    def of(html: str) -> set[str]:
        reader = Cells()
        reader.found, reader.text = set(), ""
        reader.feed(html)
        return reader.found

    def handle_data(self, data):
        self.text += data

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.found.add(self.text.strip().replace(",", ""))

    def handle_starttag(self, tag, attrs):
        if tag in ("td", "th"):
            self.text = ""


class Links(HTMLParser):
    @staticmethod
    def of(html: str) -> list[str]:
        reader = Links()
        reader.found = []
        reader.feed(html)
        return reader.found

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.found.append(dict(attrs)["href"])


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("drill")) as stage:
        yield House(stage)


def expect(row: dict, api: dict) -> None:
    """An amount of a page is that of the API, with everything beside it."""
    assert row.get("amount", "") == api["amount"]
    assert row["quality"] == api["quality"]
    unknown = sum(int(api[key]) for key in ("unknown_s", "waiting_s", "future_s", "absent_s"))
    assert row.get("unknown_h", "0.00") == f"{unknown // 36 / 100:.2f}"
    if api["due"] == "0":
        assert "coverage" not in row
    else:
        assert row["coverage"] == f"{int(api['covered']) * 1000 // int(api['due']) / 10:.1f}"
        if api["amount"] == "":
            assert row["known"] == api["known"]


@pytest.mark.parametrize(("by", "kind", "ident"), [
    ("carrier", "group", "electricity"), ("carrier", "group", "heat"), ("building", "group", "b1"), ("tenant", "group", "t1"), ("item", "group", ITEM),
    ("meter", "virtual", "rest"), ("meter", "gap", "main")])
def test_a_total_is_the_api_s_and_made_of_its_meters(house, by, kind, ident):
    api = [row for row in house.energy(by, "all", "2026-03", "2026-04").items() if row[0] == (kind, ident)][0][1]
    found = house.tables(f"{by if kind == 'group' else kind}/{urllib.parse.quote(ident, safe='')}")
    assert len(found["drill_total"]) == len(api)
    for row, expected in zip(found["drill_total"], api):
        expect(row, expected)
    meters = {key[1]: rows[0] for key, rows in house.energy("meter", "all", "2026-03", "2026-04").items() if key[0] == "meter"}
    *parts, last = found["drill_parts"]
    assert last.get("amount", "") == found["drill_total"][-1].get("amount", "")
    for part in (part for part in parts if "id" in part):
        of_meter = meters[part["id"]]["amount"]
        assert part.get("amount", "") == ("" if of_meter == "" else of_meter if part["sign"] == "counted" else "-" + of_meter)


def test_a_code_that_looks_like_a_formula_is_a_text_in_csv(house):
    ids = {ident for kind, ident in house.energy("item", "all", "2026-03", "2026-04")}
    assert "'=1+1" in ids and "=1+1" not in ids and ITEM in ids


@pytest.mark.parametrize("meter", ["main", "part", "heat"])
def test_days_and_quarter_hours_are_the_api_s(house, meter):
    days = house.energy("meter", "1d", "2026-03", "2026-04")["meter", meter]
    found = house.tables(f"meter/{meter}")
    assert len(found["drill_days"]) == 31 + 1 and len(days) == 31
    for row, api in zip(found["drill_days"], days):
        assert row["day"] == api["start"][:10]
        expect(row, api)
    expect(found["drill_total"][0], house.energy("meter", "all", "2026-03", "2026-04")["meter", meter][0])
    for day in ("2026-03-01", "2026-03-02", "2026-03-03"):
        api = house.energy("meter", "15m", day, f"2026-03-{int(day[-2:]) + 1:02d}")["meter", meter]
        quarters = house.tables(f"meter/{meter}/{day}")["drill_quarters"]
        assert len(quarters) == 96 + 1 and len(api) == 96
        for row, expected in zip(quarters, api):
            assert (row.get("amount", ""), row["quality"]) == (expected["amount"], expected["quality"])


def stamp(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def around(point: str, at_ms: int) -> tuple[tuple[int, int], tuple[int, int]]:
    found = readings(point)
    return max(r for r in found if r[0] < at_ms), min(r for r in found if r[0] >= at_ms)


@pytest.mark.parametrize("quarter", [3, 40, 100, 171])
def test_a_quarter_hour_leads_to_the_two_readings_and_to_their_batches(house, quarter):
    start = (BEGIN // QUARTER_MS + quarter) * QUARTER_MS
    found = house.tables(f"meter/main/{stamp(start)}")
    first = readings("main")[0][1]

    def energy(count: int) -> int:
        return (count - first) * P // Q

    us = []
    for side, at_ms in (("boundary_begin", start), ("boundary_end", start + QUARTER_MS)):
        (t0, c0), (t1, c1) = around("main", at_ms)
        u0, u1 = energy(c0), energy(c1)
        us.append(u0 + (u1 - u0) * (at_ms - t0) // (t1 - t0))
        boundary = next(row for row in found["drill_boundaries"] if row["boundary"] == side)
        assert boundary["u"] == str(us[-1]) and boundary["manner"] == "by_interpolation" and boundary["in_books"] == "agrees"
        assert boundary["reckoning"] == f"U = {u0} + ⌊({u1} − {u0}) × {at_ms - t0} / {t1 - t0}⌋ = {us[-1]}"
        rows = [row for row in found["drill_readings"] if row["boundary"] == side]
        assert [(row["place"], row["register"], row["u"], row["ratio"], row["point"], row["gateway"]) for row in rows] == [
            (place, str(count), str(energy(count)), f"{P}/{Q}", "gw-a/main", "gw-a") for place, count in (("before", c0), ("after", c1))]
        for row, time_ms in zip(rows, (t0, t1)):
            assert datetime.fromisoformat(row["read_at"]) == datetime.fromtimestamp(0, timezone.utc) + timedelta(milliseconds=time_ms)
            seq = house.batches["main", time_ms]
            payload, = house.query("SELECT payload FROM journal WHERE seq = ?", seq)[0]
            payload = payload if isinstance(payload, bytes) else payload.encode()
            assert (row["seq"], row["evidence"], row["batch_hash"]) == (str(seq), "evidence_held", hashlib.sha256(payload).hexdigest())
    assert found["drill_about"][-1] == {"what": "reckoning", "value": f"{us[1]} − {us[0]} = {us[1] - us[0]} Wh"}
    assert found["drill_total"][0]["amount"] == f"{(us[1] - us[0]) / 1000:.3f}"


def test_a_former_version_stays_readable_with_the_batch_that_wrote_it(house):
    start = house.late[0] // QUARTER_MS * QUARTER_MS
    rows = house.query("SELECT version, amount FROM ledger_quarter q JOIN ledger_meter m ON m.id = q.meter WHERE m.name = 'main' AND start_ms = ?"
                       " ORDER BY version DESC", start)
    assert [version for version, _ in rows] == [2, 1] and rows[0][1] != rows[1][1], "the late reading made no version; choose another"
    found = house.tables(f"meter/main/{stamp(start)}")["drill_versions"]
    assert [(row["version"], row["amount"]) for row in found] == [(str(version), f"{amount / 1000:.3f}") for version, amount in rows]
    assert found[0]["seq"] == str(house.seq) and int(found[1]["seq"]) < house.seq and all(row["evidence"] == "evidence_held" for row in found)
    day = house.tables(f"meter/main/{(datetime.fromtimestamp(start / 1000, timezone.utc) + timedelta(hours=8)).date()}")["drill_quarters"]
    assert next(row["versions"] for row in day if row["from"][:16] == (datetime.fromtimestamp(start / 1000, timezone.utc) + timedelta(hours=8)).isoformat()[:16]) == "2"


def test_what_happened_stands_beside_the_amounts(house):
    events = [row["event"] for row in house.tables("meter/part")["exceptions"]]
    assert events.count("rollover") == 3 and events.count("limit_exceeded") == 1 and len(events) == 4
    at = BEGIN + JUMP * 60_000
    found = house.tables(f"meter/part/{stamp(at // QUARTER_MS * QUARTER_MS)}")
    assert "amount" not in found["drill_total"][0] and found["drill_total"][0]["quality"] == "unknown"
    assert [row["event"] for row in found["exceptions"]] == ["limit_exceeded"]
    assert found["drill_about"][-1]["value"] == "Not both boundaries are known, so the amount is not"


def test_a_gap_says_that_it_is_estimated(house):
    start = (BEGIN + 650 * 60_000) // QUARTER_MS * QUARTER_MS
    found = house.tables(f"meter/part/{stamp(start)}")
    assert found["drill_total"][0]["quality"] == "estimated"
    assert len({row["read_at"] for row in found["drill_readings"]}) == 2, "both boundaries lie between the same two readings"


def test_every_link_leads_somewhere_and_a_file_of_its_own_has_none(house, tmp_path):
    seen, todo = set(), [f"{MONTH}?lang=zh"]
    while todo:
        page = todo.pop()
        status, html = house.get(page)
        assert status == 200, (page, html)
        for href in Links.of(html) if html.startswith("<!DOCTYPE") else []:
            url = urllib.parse.urljoin(page, href)
            kind = re.sub(r"\d", "0", url.replace("lang=en", "lang=zh"))
            if kind not in seen:  # one of each kind of page
                seen.add(kind)
                todo.append(url)
    assert len(seen) > 20 and any("meter/main/0000-00-00T00:00:00Z" in url for url in seen)
    path = tmp_path / "r.html"
    done = report(house.collector.settings, "--site", "s1", "--period", "2026-03", "-o", path)
    assert done.returncode == 0, done.stderr
    assert Links.of(path.read_text()) == []


@pytest.mark.parametrize(("path", "status", "words"), [
    ("meter/nobody", 404, "nothing of that name"), ("meter/main/2026-04-01", 404, "nothing of that name"), ("meter/main/yesterday", 400, "neither a day nor"),
    ("meter/main/2026-03", 400, "neither a day nor"), ("meter/main/2026-03-02T10:07:00Z", 400, "neither a day nor"), ("cellar/b1", 404, "nothing of that name"),
    ("meter/main/2026-04-02T10:00:00Z", 404, "nothing of that name"), ("meter/", 404, "expected meter/<id>"), ("meter/main?format=xml", 400, "format: unknown value"),
    ("building/<b>", 404, "nothing of that name"), ("meter/main/2026-03-02/more", 400, "neither a day nor")])
def test_what_is_not_there_is_said_in_one_sentence(house, path, status, words):
    answered, text = house.get(f"{MONTH}/{urllib.parse.quote(path, safe='/?=:')}")
    assert answered == status and words in text, text


def test_auditors_alone_look(house):
    for path in (MONTH, f"{MONTH}/meter/main", "/audit/nowhere/2026-03/meter/main", "/audit/s1/2026-99/meter/main"):
        assert house.get(path, house.operator)[0] == 403
    assert house.get("/audit/nowhere/2026-03/meter/main")[0] == 404
    assert house.get("/audit/s1/2026-99/meter/main")[0] == 400


def test_where_the_batch_is_pruned_the_archive_says_which_one_it_was(house):
    start = (BEGIN // QUARTER_MS + 40) * QUARTER_MS
    before = house.tables(f"meter/main/{stamp(start)}")
    house.collector.stop()
    with closing(sqlite3.connect(house.database)) as database, database:
        database.execute("UPDATE journal SET received_ms = received_ms - 40 * 86400000 WHERE seq = 1")
    house.collector.start()
    wait_until(lambda: house.query("SELECT count(*) FROM journal WHERE seq = 1") == [(0,)], 90, "the batch is pruned")
    after = house.tables(f"meter/main/{stamp(start)}")
    assert after["drill_boundaries"] == before["drill_boundaries"] and after["drill_total"] == before["drill_total"]
    assert {row["evidence"] for row in after["drill_readings"]} == {"evidence_archived"}
    gone = ("arrived", "batch_hash", "evidence")
    assert [{key: row.get(key) for key in row if key not in gone} for row in after["drill_readings"]] == [
        {key: row.get(key) for key in row if key not in gone} for row in before["drill_readings"]]


def test_where_the_batch_is_in_no_archive_there_is_no_evidence_and_the_figures_stay(house):
    start = (BEGIN // QUARTER_MS + 40) * QUARTER_MS
    before = house.tables(f"meter/main/{stamp(start)}")
    house.collector.stop()
    with closing(sqlite3.connect(house.database)) as database, database:
        database.execute("DELETE FROM journal WHERE seq = 1")
        database.execute("DELETE FROM archive_content")
    house.collector.start()
    after = house.tables(f"meter/main/{stamp(start)}")
    assert after["drill_boundaries"] == before["drill_boundaries"] and after["drill_total"] == before["drill_total"]
    assert {row["evidence"] for row in after["drill_readings"]} == {"evidence_pruned"}
    assert all("batch_hash" not in row for row in after["drill_readings"])


def test_a_day_of_the_site_is_a_day_of_the_site(house):
    assert house.tables("meter/main/2026-03-02")["drill_quarters"][0]["from"] == f"{date(2026, 3, 2).isoformat()}T00:00:00+08:00"
