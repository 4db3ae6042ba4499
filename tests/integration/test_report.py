"""The energy report of a filled database: its figures against a calculation of its own in rationals, its four formats against
one another number by number, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import urllib.error
import urllib.request
import zipfile
from collections import defaultdict
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from harness.parkmon import build_folder
from harness.process import Program, free_port, run, wait_until
from report_park import (BANDS, DEEP, ESTIMATED, HOLIDAYS, MANUAL, METERS, PRICES, QUARTER_MS, ZONE, ReportPark, ancestors, begin_of,
                         make_database, write_settings)

PERIOD, BEFORE, YEAR_BEFORE = date(2026, 10, 1), date(2026, 9, 1), date(2025, 10, 1)
FORMATS = ("json", "csv", "xlsx", "html")
# How much of the base unit is one of the unit that is shown, and its decimals.
AMOUNTS = ("amount", "known", "per_m2", "per_head", "earlier_amount", "difference", "children", "gap")
UNITS = {"electricity": ("kWh", 3), "heat": ("MJ", 6), "water": ("m3", 3)}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The database, and the report of October in every format and both languages."""
    folder = tmp_path_factory.mktemp("report")
    park = ReportPark([YEAR_BEFORE, BEFORE, PERIOD])
    settings = make_database(folder, park)
    found = SimpleNamespace(folder=folder, park=park, settings=settings, files={})
    for language in ("zh", "en"):
        for form in FORMATS:
            path = folder / f"r-{language}.{form}"
            done = report(settings, "--site", "jiashan", "--period", "2026-10", "--language", language, "-o", path)
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
            found.files[language, form] = path
    found.tables = {table["id"]: table for table in json.loads(found.files["zh", "json"].read_text(), parse_float=Decimal)["tables"]}
    return found


def report(settings: Path, *words):
    return run([build_folder() / "collector/park-collector", "report", "--config", settings, *map(str, words)], 60)


def rounded(value: Fraction) -> int:
    """Half away from zero."""
    size = int(abs(value) + Fraction(1, 2))
    return size if value >= 0 else -size


# ---- what the figures must be ----

def meter(ident: str) -> tuple:
    return next(m for m in METERS if m[0] == ident)


def times_of(first: date) -> range:
    return range(begin_of(first), begin_of((first + timedelta(days=32)).replace(day=1)), QUARTER_MS)


def tops(inside) -> dict[str, int]:
    """With what sign each meter counts for those of which `inside` is true: what enters, less what goes on out."""
    return {ident: sign for ident, *_ in METERS
            if (sign := int(inside(meter(ident))) - int(meter(ident)[5] is not None and inside(meter(meter(ident)[5]))))}


def sum_of(park: ReportPark, signs: dict[str, int], times) -> int | None:
    """In base units; None = unknown."""
    parts = [(sign, park.quarters[ident][time_ms].amount) for ident, sign in signs.items() for time_ms in times]
    return None if any(amount is None for _, amount in parts) else sum(sign * amount for sign, amount in parts)


def shown(amount: int | None, carrier: str) -> Decimal | None:
    return None if amount is None else Decimal(amount).scaleb(-UNITS[carrier][1])


def band_of(time_ms: int) -> str:
    local = datetime.fromtimestamp(time_ms / 1000, ZONE)
    if HOLIDAYS[0] <= local.date() <= HOLIDAYS[1] and DEEP[0] <= local.hour < DEEP[1]:
        return "deep"
    return next(band for band, spans in BANDS.items() if any(a <= local.hour < b for a, b in spans))


def lines_of(park: ReportPark, ident: str) -> dict[tuple, tuple[int, int | None]]:
    """Of a meter of electricity, by kind and band or row: what is known, and 0.01 yuan or g of it; None = unknown."""
    sums, unknown = defaultdict(int), set()
    for time_ms in times_of(PERIOD):
        local = datetime.fromtimestamp(time_ms / 1000, ZONE)
        co2 = "0.5153" if local.date() < date(2026, 10, 20) else "0.4974"
        amount = park.quarters[ident][time_ms].amount
        for key in (("tce_calorific", "0.1229"), ("tce_equivalent", "0.31"), ("tco2", co2), ("cost", band_of(time_ms))):
            if amount is None:
                unknown.add(key)
            else:
                sums[key] += amount
    return {key: (amount, None if key in unknown else
                  rounded(amount * Fraction(PRICES[key[1]]) / 10 if key[0] == "cost" else amount * Fraction(key[1])))
            for key, amount in sums.items()}


def groups(table: str):
    """Each row that the table must have of electricity: its id, and who is in it."""
    column = {"buildings": 3, "tenants": 4, "items": 7}[table]
    here = [m for m in METERS if m[3] != "b9" and m[6] == "electricity"]
    for value in dict.fromkeys(m[column] for m in here):
        yield value, lambda m, value=value: m in here and m[column] == value


def site(m: tuple) -> bool:
    return m[3] != "b9" and m[6] == "electricity"


def rows(made, table: str, carrier: str = "electricity") -> list[dict]:
    return [row for row in made.tables[table]["rows"] if row.get("carrier", carrier) == carrier]


@pytest.mark.parametrize("table", ("buildings", "tenants", "items"))
def test_parts_are_what_flows_in_less_what_flows_on_and_add_up(made, table):
    found = {row["id"]: row for row in rows(made, table) if "sum_of" not in row}
    expected = dict(groups(table))
    assert set(found) == set(expected)
    for ident, inside in expected.items():
        amount = sum_of(made.park, tops(inside), times_of(PERIOD))
        assert found[ident]["amount"] == shown(amount, "electricity"), ident
        assert (found[ident]["quality"] == "unknown") == (amount is None)
        if amount is None:
            assert found[ident]["unknown_h"] == Decimal("1.5")
    total = next(row for row in rows(made, table) if "sum_of" in row)
    assert total["amount"] == shown(sum_of(made.park, tops(site), times_of(PERIOD)), "electricity")
    assert total["sum_of"] == len(expected)


def test_groups_as_metered_are_their_topmost_meters(made):
    """E13 and E14: nothing is taken off, so that the main meter's building counts what is behind it."""
    found = {(row["by"], row["id"]): row for row in rows(made, "metered")}
    here = [m for m in METERS if site(m)]
    for by, column in (("building", 3), ("tenant", 4), ("item", 7), ("carrier", 6)):
        for value in {m[column] for m in here} - {None}:
            inside = [m for m in here if m[column] == value]
            top = [m[0] for m in inside if not {other[0] for other in inside} & set(ancestors(m))]
            amount = sum_of(made.park, dict.fromkeys(top, 1), times_of(PERIOD))
            row = found.pop((by, "jiashan" if by == "carrier" else value))
            assert row["amount"] == shown(amount, "electricity"), (by, value)
    labs, rest, other = (found.pop(("virtual", ident)) for ident in ("labs", "rest", "no-lab"))
    assert not found
    known = sum(q.amount or 0 for ident in ("b1-lab", "b2-bio") for q in (made.park.quarters[ident][t] for t in times_of(PERIOD)))
    assert (labs["amount"], labs["known"], labs["quality"]) == (None, shown(known, "electricity"), "unknown")
    assert rest["amount"] == shown(sum_of(made.park, {"b2-main": 1, "b2-bio": -1}, times_of(PERIOD)), "electricity")
    assert other["amount"] is None and other["quality"] == "unknown"


def test_of_a_difference_only_those_quarter_hours_are_known_in_which_all_is(made):
    row = next(row for row in rows(made, "tenants") if row["id"] is None and "sum_of" not in row)
    signs, known = tops(lambda m: site(m) and m[4] is None), 0
    assert -1 in signs.values()
    for time_ms in times_of(PERIOD):
        known += sum_of(made.park, signs, [time_ms]) or 0
    assert (row["amount"], row["known"], row["quality"]) == (None, shown(known, "electricity"), "unknown")


def test_files_that_nobody_accepted_change_nothing(made, tmp_path):
    about = {row["what"]: row["value"] for row in made.tables["about"]["rows"]}
    assert about["model_version"] == "1" and re.fullmatch("[0-9a-f]{64}", about["model_hash"])
    settings = write_settings(tmp_path, 1)
    (tmp_path / "collector.db").write_bytes((made.folder / "collector.db").read_bytes())
    (tmp_path / "factors.cfg").write_text((made.folder / "factors.cfg").read_text().replace("0.4974", "0.1974"))
    done = report(settings, "--site", "jiashan", "--period", "2026-10", "--format", "json")
    assert done.returncode == 0
    assert done.stderr == "park-collector: the park model's files say other than version 1, which was accepted and by which this is made\n"
    tables = {table["id"]: table for table in json.loads(done.stdout, parse_float=Decimal)["tables"]}
    assert all(tables[name] == made.tables[name] for name in tables if name != "about")


def test_a_meter_has_its_amount_coverage_and_quality(made):
    for row in made.tables["meters"]["rows"]:
        quarters = [made.park.quarters[row["id"]][time_ms] for time_ms in times_of(PERIOD)]
        known = [q for q in quarters if q.amount is not None]
        amount = sum(q.amount for q in known)
        carrier = row["carrier"]
        if len(known) == len(quarters):
            assert (row["amount"], row["known"], row["unknown_h"]) == (shown(amount, carrier), None, None)
        else:
            assert (row["amount"], row["known"], row["unknown_h"]) == (None, shown(amount, carrier), Decimal("1.5"))
            assert row["quality"] == "unknown" and row["cost"] is None and row["tco2"] is None
        covered = sum(q.amount is not None and q.quality != ESTIMATED for q in quarters)
        assert row["coverage"] == Decimal(covered * 1000 // len(quarters)) / 10
        for column, quality in (("estimated_share", ESTIMATED), ("manual_share", MANUAL)):
            part = sum(q.amount for q in known if q.quality == quality)
            assert row[column] == Decimal(rounded(Fraction(part * 1000, amount))) / 10
    assert {row["id"] for row in made.tables["meters"]["rows"]} == {m[0] for m in METERS} - {"far"}


def test_lines_are_rounded_once_and_totals_add_them(made):
    decimals = {"cost": 2}
    for ident in (m[0] for m in METERS if m[6] == "electricity" and m[0] != "far"):
        expected = lines_of(made.park, ident)
        lines = [row for row in made.tables["meter_lines"]["rows"] if row["id"] == ident and "sum_of" not in row and row["rate"] is not None]
        found = {(row["kind"], row["band"] or str(row["rate"])): row for row in lines}
        assert set(found) == set(expected)
        for key, (amount, result) in expected.items():
            row = found[key]
            scale = decimals.get(key[0], 6)
            if result is None:
                assert row["result"] is None and row["amount"] is None and row["known_result"] is not None
            else:
                assert row["amount"] == Decimal(amount).scaleb(-3)
                assert row["result"] == Decimal(result).scaleb(-scale), (ident, key)
        for row in made.tables["meters"]["rows"]:
            if row["id"] == ident:
                for kind in ("tce_calorific", "tce_equivalent", "tco2", "cost"):
                    results = [result for key, (_, result) in expected.items() if key[0] == kind]
                    whole = None if None in results else Decimal(sum(results)).scaleb(-decimals.get(kind, 6))
                    assert row[kind] == whole, (ident, kind)
                assert row["tco2e"] is None, "there is no such factor, and it is no 0"


def test_money_of_a_part_adds_the_rounded_lines_of_its_meters(made):
    for ident, inside in groups("buildings"):
        row = next(row for row in rows(made, "buildings") if row["id"] == ident)
        for kind, scale in (("cost", 2), ("tco2", 6)):
            total = 0
            for name, sign in tops(inside).items():
                results = [result for key, (_, result) in lines_of(made.park, name).items() if key[0] == kind]
                total += sign * sum(results)
            assert row[kind] == Decimal(total).scaleb(-scale), (ident, kind)


def test_earlier_periods_stand_beside(made):
    now = sum_of(made.park, tops(site), times_of(PERIOD))
    for row, first in zip(rows(made, "comparison"), (BEFORE, YEAR_BEFORE)):
        then = sum_of(made.park, tops(site), times_of(first))
        assert row["earlier_period"] == f"{first:%Y-%m}" and row["comparable"] == "good"
        assert (row["amount"], row["earlier_amount"]) == (shown(now, "electricity"), shown(then, "electricity"))
        assert row["difference"] == shown(now - then, "electricity")
        assert row["change"] == Decimal(rounded(Fraction((now - then) * 1000, then))) / 10


@pytest.mark.parametrize("table", ("buildings", "tenants", "items"))
def test_groups_are_held_against_the_same_groups_of_before(made, table):
    found = {(row["id"], row["against"]): row for row in rows(made, "comparison") if row["part"] == table[:-1]}
    assert len(found) == 2 * len(list(groups(table)))
    for ident, inside in groups(table):
        now = sum_of(made.park, tops(inside), times_of(PERIOD))
        for against, first in (("period_before", BEFORE), ("year_before", YEAR_BEFORE)):
            row, then = found[ident, against], sum_of(made.park, tops(inside), times_of(first))
            assert row["amount"] == shown(now, "electricity") and row["earlier_amount"] == shown(then, "electricity")
            if now is None:
                assert row["comparable"] == "unknown_now" and row["difference"] is None
            else:
                assert row["comparable"] == "good" and row["difference"] == shown(now - then, "electricity")


def test_demand_base_load_and_days_of_the_site(made):
    main = [(time_ms, made.park.quarters["main"][time_ms].amount) for time_ms in times_of(PERIOD)]
    row = rows(made, "demand")[0]
    greatest = max(amount for _, amount in main)
    assert row["demand_kw"] == Decimal(greatest * 4).scaleb(-3)
    at = next(time_ms for time_ms, amount in main if amount == greatest)
    assert datetime.fromisoformat(row["demand_at"]).timestamp() * 1000 == at
    night = [amount for time_ms, amount in main if 2 <= datetime.fromtimestamp(time_ms / 1000, ZONE).hour < 5]
    assert row["base_kw"] == Decimal(rounded(Fraction(sum(night) * 4, len(night)))).scaleb(-3)
    days = rows(made, "curve")
    assert len(days) == 31
    for number, day in enumerate(days):
        begin = begin_of(PERIOD + timedelta(days=number))
        assert datetime.fromisoformat(day["from"]).timestamp() * 1000 == begin
        assert day["amount"] == shown(sum(amount for time_ms, amount in main if begin <= time_ms < begin + 96 * QUARTER_MS), "electricity")


def test_balances_events_devices_and_sources(made):
    gaps = {row["id"]: row for row in made.tables["balance"]["rows"]}
    assert set(gaps) == {"main", "b2-main"}
    own = sum_of(made.park, tops(lambda m: m[0] == "b2-main"), times_of(PERIOD))
    assert gaps["b2-main"]["gap"] == shown(own, "electricity")
    assert gaps["b2-main"]["verdict"] == ("within" if own * 20 <= sum_of(made.park, {"b2-main": 1}, times_of(PERIOD)) else "above")
    assert (gaps["main"]["gap"], gaps["main"]["verdict"]) == (None, "unknown")
    assert [(row["id"], row["event"], row["settled"], row["until"] is None) for row in made.tables["exceptions"]["rows"]] == [
        ("b1-lab", "exception", "open", False), ("b1-lab", "outliers", "by_rule", False), ("b1-lab", "limit_exceeded", "open", True)]
    serials = [row["serial"] for row in made.tables["devices"]["rows"]]
    assert len(serials) == 14 and {"SN-0002-A", "SN-0002-B"} <= set(serials)
    documents = {(row["kind"], str(row["rate"]), row["confidence"]) for row in made.tables["factors"]["rows"]}
    assert {("tco2", "0.5153", "A"), ("tco2", "0.4974", "A"), ("tce_equivalent", "0.31", "C"), ("cost", "0.1196", "A"),
            ("schedule", "None", "B")} <= documents
    assert all(row["document"] for row in made.tables["factors"]["rows"])
    sufficiency = {row["id"]: row for row in made.tables["sufficiency"]["rows"]}
    assert (sufficiency["b1-lab"]["filled_days"], sufficiency["b1-lab"]["verdict"]) == (1, "sufficient")
    assert sufficiency["b1-water"]["verdict"] == "no_profile"


# ---- the formats ----

class Tables(HTMLParser):
    """Each section's table: headings and rows of texts; and whatever a strict policy would not let pass."""

    def __init__(self):
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.forbidden: list[str] = []
        self.section = self.cell = None

    def handle_starttag(self, tag, attributes):
        names = dict(attributes)
        if tag in ("script", "img", "link", "iframe", "object") or any(name.startswith("on") or name in ("style", "href", "src") for name in names):
            self.forbidden.append(f"{tag} {names}")
        if tag == "section":
            self.section = names["id"]
        elif tag == "table":
            self.tables[self.section] = []
        elif tag == "tr":
            self.tables[self.section].append([])
        elif tag in ("td", "th"):
            self.cell = ""

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.tables[self.section][-1].append(self.cell)
            self.cell = None


def json_tables(path: Path) -> dict[str, dict]:
    return {table["id"]: table for table in json.loads(path.read_text(), parse_float=Decimal)["tables"]}


def text_of(value) -> str:
    """As a number is written with its decimals, without those that JSON leaves out."""
    return "" if value is None else value if isinstance(value, str) else format(Decimal(value).normalize(), "f")


def number_or_text(text: str) -> str:
    return text_of(Decimal(text)) if re.fullmatch(r"-?\d+(\.\d+)?", text) else text


def read_csv(path: Path) -> dict[tuple[str, int, str], str]:
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf") and b"\n" not in raw.replace(b"\r\n", b"")
    lines = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert lines[0] == ["table", "row", "column", "value", "words"] and {len(line) for line in lines} == {5}
    return {(table, int(row), column): value for table, row, column, value, _ in lines[1:]}


SHEET = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def read_xlsx(path: Path) -> dict[str, dict[str, tuple[str, str | None, bool]]]:
    """By sheet and cell: text or number as it lies there, the formula, and whether it is a number."""
    with zipfile.ZipFile(path) as archive:
        strings = ["".join(t.text or "" for t in item.iter(f"{{{SHEET['m']}}}t"))
                   for item in ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))]
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
        sheets = {}
        for number, sheet in enumerate(book.iterfind("m:sheets/m:sheet", SHEET), 1):
            cells = sheets[sheet.get("name")] = {}
            for cell in ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml")).iter(f"{{{SHEET['m']}}}c"):
                value, formula = cell.find("m:v", SHEET), cell.find("m:f", SHEET)
                if value is not None:
                    is_text = cell.get("t") == "s"
                    cells[cell.get("r")] = (strings[int(value.text)] if is_text else value.text,
                                            None if formula is None else formula.text, not is_text)
    return sheets


def cell_name(row: int, column: int) -> str:
    return f"{chr(ord('A') + column)}{row}"


@pytest.mark.parametrize("language", ("zh", "en"))
def test_the_csv_says_what_the_json_does(made, language):
    cells = read_csv(made.files[language, "csv"])
    seen = 0
    for name, table in json_tables(made.files[language, "json"]).items():
        for number, row in enumerate(table["rows"], 1):
            for column in table["columns"]:
                expected = row[column["id"]]
                value = cells.pop((name, number, column["id"]), None)
                if column["id"] == "value" and isinstance(expected, str) and "--format" in expected:
                    assert value == expected.replace("--format json", "--format csv")
                elif expected is None:
                    assert value is None
                elif isinstance(expected, str):
                    assert value == ("'" + expected if expected[:1] in tuple("=+-@") else expected)
                else:
                    assert Decimal(value) == expected
                    seen += 1
    assert not cells and seen > 1000


@pytest.mark.parametrize("language", ("zh", "en"))
def test_the_spreadsheet_has_the_same_numbers_and_formulas_that_give_them(made, language):
    sheets, seen, formulas = read_xlsx(made.files[language, "xlsx"]), 0, 0
    tables = json_tables(made.files[language, "json"])
    assert list(sheets) == list(tables)
    for name, table in tables.items():
        cells = sheets[name]
        assert cells["A1"][0] == table["title"]
        assert [cells[cell_name(3, k)][0] for k in range(len(table["columns"]))] == [c["heading"] for c in table["columns"]]
        for number, row in enumerate(table["rows"], 4):
            for k, column in enumerate(table["columns"]):
                expected = row[column["id"]]
                value, formula, is_number = cells.get(cell_name(number, k), ("", None, False))
                if isinstance(expected, (int, Decimal)):
                    assert is_number and Decimal(repr(float(value))) == expected, (name, number, column)
                    seen += 1
                if formula is not None:
                    first, last = re.fullmatch(r"SUM\(([A-Z]\d+):([A-Z]\d+)\)", formula).groups()
                    below = [Decimal(repr(float(cells[cell_name(n, k)][0]))) for n in range(int(first[1:]), int(last[1:]) + 1)]
                    assert sum(below) == expected and len(below) == row["sum_of"]
                    formulas += 1
    assert seen > 1000 and formulas > 60


@pytest.mark.parametrize("language", ("zh", "en"))
def test_the_page_shows_the_same_and_nothing_that_runs(made, language):
    text = made.files[language, "html"].read_text()
    page = Tables()
    page.feed(text)
    assert not page.forbidden
    assert "default-src 'none'; style-src 'sha256-" in text and "unsafe" not in text
    seen = 0
    for name, table in json_tables(made.files[language, "json"]).items():
        if name in ("profile", "meter_lines", "method") or not table["rows"]:
            assert name not in page.tables
            continue
        columns = [c for c in table["columns"] if any(row[c["id"]] is not None for row in table["rows"])]
        lines = page.tables[name]
        if len(table["columns"]) > 2:
            assert lines.pop(0) == [c["heading"] for c in columns]
        assert len(lines) == len(table["rows"])
        for line, row in zip(lines, table["rows"]):
            for value, column in zip(line, columns, strict=True):
                expected = row[column["id"]]
                if expected is None:
                    assert value == "–"
                elif not isinstance(expected, str):
                    if row.get("unit") == "MJ" and column["id"] in AMOUNTS:  # people are shown kJ
                        expected = Decimal(expected).quantize(Decimal("0.001"), ROUND_HALF_UP)
                    assert Decimal(value.replace(",", "")) == expected
                    seen += 1
                elif column["id"] == "name":
                    assert value == expected  # escaped, and read back
    assert seen > 400
    assert "Jiashan &lt;Science&gt; &amp; Park" in text or language == "zh"


def test_reasons_and_items_are_said_in_the_report_s_language(made):
    for language, is_chinese in (("zh", True), ("en", False)):
        tables = json_tables(made.files[language, "json"])
        reasons = [row["why"] for row in tables["lines"]["rows"] + tables["meter_lines"]["rows"] if row["why"]]
        assert reasons and all(any("\u4e00" <= letter for letter in reason) == is_chinese for reason in reasons), reasons
        names = {row["id"]: row["name"] for row in tables["items"]["rows"] if row["id"]}
        assert names["01A00"] == ("照明插座用电" if is_chinese else "Lighting and sockets") and names["01B00"] == ("空调用电" if is_chinese else "HVAC")


def test_data_is_up_to_what_the_books_have_and_not_up_to_now(made):
    about = {row["what"]: row["value"] for row in made.tables["about"]["rows"]}
    assert about["as_of"] == "2026-11-02T01:01:01+08:00" and about["decided_until"] == "2026-11-01T00:00:00+08:00"


def test_the_same_data_is_the_same_bytes_and_nothing_is_written_over(made):
    for form in FORMATS:
        first, again = made.files["zh", form], made.folder / f"again.{form}"
        assert report(made.settings, "--site", "jiashan", "--period", "2026-10", "-o", again).returncode == 0
        assert again.read_bytes() == first.read_bytes(), form
        done = report(made.settings, "--site", "jiashan", "--period", "2026-10", "-o", again)
        assert done.returncode == 64 and done.stderr == f"park-collector: {again} is there already; name another file, or remove it\n"
        assert not list(made.folder.glob("*.part"))


@contextmanager
def serving(folder: Path, database: Path):
    """A collector over a copy of the database, and what an auditor gets there: (status, type, body) of a path."""
    settings = write_settings(folder, free_port())
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(folder / "collector.db")) as copy:
        source.backup(copy)
    program = build_folder() / "collector/park-collector"
    token = run([program, "token", "add", "--config", settings, "--role", "auditor", "--name", "a"], 30).stdout.strip()
    port = int(re.search(r'address = "127.0.0.1"; port = (\d+)', settings.read_text()).group(1))
    collector = Program("collector", folder, [program, "--config", settings])
    collector.start()

    def ask(path: str, secret: str = token):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {secret}"} if secret else {})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()
        except urllib.error.URLError:
            return 0, {}, b""

    try:
        wait_until(lambda: ask("/livez")[0] == 200, 30, "the collector answers")
        yield ask
    finally:
        collector.stop()


@pytest.fixture(scope="module")
def served(made, tmp_path_factory):
    with serving(tmp_path_factory.mktemp("served"), made.folder / "collector.db") as ask:
        yield ask


def test_an_auditor_gets_the_same_report_over_http(made, served):
    for form in ("csv", "json", "xlsx"):
        status, headers, body = served(f"/audit/jiashan/2026-10.{form}?lang=zh")
        assert status == 200, body
        if form == "json":
            assert "application/json" in headers["Content-Type"]
            tables = {table["id"]: table for table in json.loads(body, parse_float=Decimal)["tables"]}
            assert all(tables[name] == made.tables[name] for name in tables if name != "about")
        elif form == "xlsx":
            path = made.folder / "served.xlsx"
            path.write_bytes(body)
            sheets, own = read_xlsx(path), read_xlsx(made.files["zh", "xlsx"])
            assert all(sheets[name] == own[name] for name in own if name != "about")
        else:
            lines = set(body.decode("utf-8-sig").splitlines())
            assert lines ^ set(made.files["zh", "csv"].read_text("utf-8-sig").splitlines()) <= {
                line for line in lines | set(made.files["zh", "csv"].read_text("utf-8-sig").splitlines()) if line.startswith("about,")}
    status, headers, body = served("/audit/jiashan/2026-10?lang=en")
    text = body.decode()
    assert status == 200 and "text/html" in headers["Content-Type"] and "Energy audit report" in text
    assert '<link rel="stylesheet" href="/assets/report.css">' in text and "<style" not in text and "<script" not in text
    assert 'href="2026-10.xlsx?lang=en"' in text


@pytest.mark.parametrize("path, status, word", (
    ("/audit/nobody/2026-10", 404, "there is no such site"), ("/audit/jiashan/2026-13", 400, "expected a day"),
    ("/audit/jiashan/2026-10?format=xlsx", 400, "format: unknown here; another format is at /audit/jiashan/2026-10 with .xlsx"),
    ("/audit/jiashan/2026-10?language=en", 400, "language: unknown here"), ("/audit/jiashan/2026-10/meter/main?lang=en&page=2", 400, "page: unknown here"),
    ("/audit/jiashan", 404, "nothing is here"), ("/audit/jiashan/2026-10.pdf", 404, "nothing is here"),
    ("/audit/", 404, "nothing is here"), ("/audit/jiashan/2026-10/1", 404, "nothing is here; expected meter/<id>"), ("/audit/jiashan/2026-13", 400, "is no period"),
    ("/audit/" + "x" * 300 + "/2026-10", 404, "nothing is here"), ("/audit/jiashan/" + "2" * 300, 404, "nothing is here")))
def test_what_is_not_there_is_said(served, path, status, word):
    answer = served(path)
    assert answer[0] == status and word in json.loads(answer[2])["error"]["message"]


def test_costs_are_those_of_the_report(made, served):
    """Held against the tables, whose own figures are worked out above; of a meter also against that calculation."""
    status, _, body = served("/api/v1/costs?site=jiashan&period=2026-10")
    assert status == 200, body
    came_to = {(row["by"], row["id"], row["carrier"]): row for row in json.loads(body)["rows"]}
    kinds = {"cost": ("cost", 0), "kgce_calorific": ("tce_calorific", 3), "kgce_equivalent": ("tce_equivalent", 3), "kgco2": ("tco2", 3)}
    held = 0
    for by, table in (("building", "buildings"), ("tenant", "tenants"), ("item", "items"), ("meter", "meters")):
        for row in made.tables[table]["rows"]:
            if "sum_of" in row:
                continue
            found = came_to[by, row["id"], row["carrier"]]
            for kind, (column, scale) in kinds.items():
                amount = found[kind] and found[kind]["amount"]
                assert (None if amount is None else Decimal(amount)) == (None if row[column] is None else row[column].scaleb(scale)), (found, row)
                held += amount is not None
            assert found["kgco2e"] is None or found["kgco2e"]["known"] is None, "there is no such factor, and it is no 0"
    assert held > 30
    for ident in (m[0] for m in METERS if m[6] == "electricity" and m[0] != "far"):
        results = [result for key, (_, result) in lines_of(made.park, ident).items() if key[0] == "tco2"]
        assert came_to["meter", ident, "electricity"]["kgco2"]["amount"] == (None if None in results else f"{Decimal(sum(results)).scaleb(-3):.3f}")


@pytest.mark.parametrize("by, table", (("building", "buildings"), ("tenant", "tenants"), ("item", "items")))
def test_parts_are_those_of_the_report_by_any_step_and_add_up_to_the_whole(made, served, by, table):
    def ask(what: str, step: str, form: str = "json") -> bytes:
        status, _, body = served(f"/api/v1/energy?site=jiashan&of=parts&by={what}&step={step}&from=2026-10&to=2026-11&format={form}")
        assert status == 200, body
        return body

    expected = dict(groups(table))
    for step, each in (("1d", 96), ("all", 31 * 96)):
        said = json.loads(ask(by, step))
        found = [row for row in said["rows"] if row["carrier"] == "electricity"]
        (whole,) = [row for row in json.loads(ask("carrier", step))["rows"] if row["id"] == "electricity"]
        assert said["of"] == "parts" and {row["kind"] for row in said["rows"]} == {"part"}
        assert {row["id"] for row in found} == set(expected) and len(found) == len(expected)
        assert None not in expected or found[-1]["id"] is None
        for k, (total, *parts) in enumerate(zip(whole["values"], *(row["values"] for row in found), strict=True)):
            times = times_of(PERIOD)[k * each:(k + 1) * each]
            amounts = [sum_of(made.park, tops(expected[row["id"]]), times) for row in found]
            assert [part["amount"] and Decimal(part["amount"]) for part in parts] == [shown(amount, "electricity") for amount in amounts]
            assert None in amounts or sum(Decimal(part["amount"]) for part in parts) == Decimal(total["amount"])
        assert [row["takes_off"] for row in found] == [-1 in tops(expected[row["id"]]).values() for row in found]
        lines = list(csv.DictReader(io.StringIO(ask(by, step, "csv").decode())))
        assert [(line["id"], line["amount"]) for line in lines] == [(row["id"] or "", value["amount"] or "") for row in said["rows"] for value in row["values"]]
    (heat,) = [row for row in json.loads(ask("item", "all"))["rows"] if row["carrier"] == "heat"]
    assert heat["id"] is None and Decimal(heat["values"][0]["amount"]) == shown(sum_of(made.park, {"b2-heat": 1}, times_of(PERIOD)), "heat")


def test_what_has_not_happened_costs_nothing_and_is_not_unknown(tmp_path):
    """Of a month under way, by what arrived: it is later than any clock."""
    first, spoilt = date(2036, 3, 1), date(2036, 3, 9)
    until_ms = begin_of(date(2036, 3, 12)) + 40 * QUARTER_MS
    park = ReportPark([first], gap_day=spoilt, until_ms=until_ms)
    park.arrived_ms = until_ms + 420_000
    make_database(tmp_path, park)
    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served", tmp_path / "collector.db") as ask:
        status, _, body = ask("/api/v1/costs?site=jiashan&period=2036-03")
        past, coming = (json.loads(ask(f"/api/v1/costs?site=jiashan&period={day}")[2]) for day in ("2036-03-11", "2036-03-13"))
    assert status == 200, body
    assert json.loads(body)["until"] == "2036-03-12T10:00:00.000+08:00" and past["until"] == "2036-03-12T00:00:00.000+08:00"
    assert coming["rows"] == [] and coming["until"] == "2036-03-13T00:00:00.000+08:00"
    came_to = {(row["by"], row["id"], row["carrier"]): row for row in json.loads(body)["rows"]}
    times = range(begin_of(first), until_ms, QUARTER_MS)
    grams = {m[0]: rounded(sum(park.quarters[m[0]][time_ms].amount or 0 for time_ms in times) * Fraction("0.4974")) for m in METERS if m[6] == "electricity"}
    for table, by in (("buildings", "building"), ("tenants", "tenant"), ("items", "item")):
        for ident, inside in groups(table):
            signs = tops(inside)
            result = came_to[by, ident, "electricity"]["kgco2"]
            known = f"{Decimal(sum(sign * grams[meter] for meter, sign in signs.items())).scaleb(-3):.3f}"
            is_whole = "b1-lab" not in signs
            assert (result["amount"], result["unknown_s"]) == ((known, 0) if is_whole else (None, 6 * 900)), ident
            assert result["known"] == (known if is_whole or -1 not in signs.values() else None)
            assert (result["why"], result["reason"], result["without"]) == (None, None, None)
    cost = came_to["carrier", "electricity", "electricity"]["cost"]
    assert cost["amount"] is None and cost["known"] is None, "the tariff gives no holidays of that year"
    assert (cost["reason"], cost["without"]) == ("no_bands", "2036-03-01") and "2036" in cost["why"]
    assert (came_to["carrier", "water", "water"]["kgco2"]["reason"], came_to["carrier", "heat", "heat"]["cost"]) == ("no_factor", None)


@pytest.mark.parametrize("query, word", (("period=2026-10", "site: there is no site"), ("site=x&period=2026-10", "there is no site"),
                                         ("site=jiashan", "period"), ("site=jiashan&period=2026-13", "period"), ("site=jiashan&period=%3Cb%3E", "period")))
def test_costs_of_nothing_are_refused(served, query, word):
    status, _, body = served(f"/api/v1/costs?{query}")
    assert status == 400 and word in json.loads(body)["error"]["message"]


def test_without_a_token_nobody_gets_it(served):
    assert served("/audit/jiashan/2026-10.json", secret="")[0] == 401


@pytest.mark.parametrize("words, code, message", (
    (("--site", "x", "--period", "2026-10"), 64, "--site x is none of"),
    (("--site", "jiashan", "--period", "2026-13"), 64, "--period 2026-13 is no period; expected a day (2026-10-05)"),
    (("--site", "jiashan", "--period", "2026-10", "--format", "pdf"), 64, "--format pdf is none; expected html, xlsx, csv or json"),
    (("--site", "jiashan", "--period", "2026-10", "--language", "fr"), 64, "--language fr is none; expected zh or en"),
    (("--site", "jiashan", "--period", "2026-10", "--format", "xlsx"), 64, "a spreadsheet needs a file to go to"),
    (("--site", "jiashan", "--period", "2026-10", "-o", "report"), 64, "report does not say its format"),
    (("--site", "jiashan", "--period", "2026-10", "-o", "/nowhere/r.csv"), 74, "/nowhere/r.csv.part cannot be written"),
    (("--site", "jiashan", "--period", "2026-10", "-o", "/nowhere/r.xlsx"), 74, "/nowhere/r.xlsx.part cannot be written"),
))
def test_what_is_wrong_is_said_in_one_line(made, words, code, message):
    done = report(made.settings, *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.count("\n") == 1 and message in done.stderr


@pytest.mark.parametrize("period, steps", (("2026-10-09", 24), ("2026-10", 31), ("2026-Q4", 92), ("2026", 12)))
def test_every_kind_of_period_is_reported(made, period, steps):
    done = report(made.settings, "--site", "jiashan", "--period", period, "--format", "json")
    assert done.returncode == 0, done.stderr
    tables = {table["id"]: table for table in json.loads(done.stdout)["tables"]}
    curve = [row for row in tables["curve"]["rows"] if row["carrier"] == "electricity"]
    assert len(curve) == steps
    main = next(row for row in tables["totals"]["rows"] if row["carrier"] == "electricity")
    assert (main["amount"] is None) == (period in ("2026-Q4", "2026")), "what was not measured is unknown"
    html = report(made.settings, "--site", "jiashan", "--period", period)
    assert html.returncode == 0 and html.stdout.startswith("<!DOCTYPE html>") and "<svg" in html.stdout


def test_an_empty_database_gives_a_report_of_unknowns(made, tmp_path):
    settings = make_database(tmp_path, ReportPark([], gap_day=None))
    done = report(settings, "--site", "jiashan", "--period", "2026-10", "--format", "json")
    assert done.returncode == 0, done.stderr
    for table in json.loads(done.stdout)["tables"]:
        for row in table["rows"]:
            assert row.get("amount") is None and row.get("cost") is None
