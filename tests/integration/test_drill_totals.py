"""Every total of a report leads to the meters that are added and taken off in it, from when to when, and these add up to it: of a park in
which tenants move, a meter goes to another site and one is taken away. What must stand there is worked out here from the quarter hours."""

from __future__ import annotations

import csv
import io
import sqlite3
import urllib.parse
from contextlib import closing
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from harness.parkmon import new_collector
from harness.stage import Stage
from test_drill import ITEM, MONTH, QUARTER_MS, House, Links

SEGMENT = 'segments = ({ serial = "%s"; from = "2026-01-01T00:00:00Z"; %s point = "gw-a/%s"; max_rate = 1000000; });'
ZONE = timezone(timedelta(hours=8))


def at(day: int, hour: int = 0, month: int = 3) -> int:
    return int(datetime(2026, month, day, hour, tzinfo=ZONE).timestamp()) * 1000


BEGIN, END = at(1), at(1, month=4)
SITES = {"b1": "s1", "b2": "s1", "b9": "s2"}
# By meter: from when on it has which building, tenant, parent and item; and its amount of a quarter hour.
FIRST = 0
METERS = {
    "main": ("electricity", 1000, {FIRST: ("b1", None, None, "01000")}),
    "sub": ("electricity", 300, {FIRST: ("b2", None, "main", "01000")}),
    "lab": ("electricity", 70, {FIRST: ("b1", "t1", "main", ITEM), at(11): ("b1", "t2", "main", ITEM), at(21, 10): ("b1", None, "main", "01B00")}),
    "shop": ("electricity", 40, {FIRST: ("b2", "t2", "sub", ITEM), at(16, 10): ("b9", None, None, ITEM)}),
    "gone": ("electricity", 9, {FIRST: ("b1", "t3", "main", None)}),
    "back": ("electricity", 11, {FIRST: ("b1", None, None, None)}),
    "heat": ("heat", 1234567, {FIRST: ("b2", "t1", None, None)}),
}
GONE, HOLE = at(8), at(5, 12)  # "gone" is taken away, and knows nothing of one quarter hour


def changes(ident: str) -> str:
    rows = [f'{{ from = "{datetime.fromtimestamp(time_ms / 1000, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"; '
            + "".join(f"{key} = \"{(value or '').replace(chr(34), chr(92) + chr(34))}\"; " for key, value in zip(("building", "tenant", "parent", "item"), tags)) + "}"
            for time_ms, tags in METERS[ident][2].items() if time_ms != FIRST]
    return f"changes = ({', '.join(rows)});" if rows else ""


def park_text() -> str:
    meters = []
    for ident, (carrier, _, tags) in METERS.items():
        keys = "" if ident == "back" else "".join(
            f"{key} = \"{value.replace(chr(34), chr(92) + chr(34))}\"; " for key, value in zip(("building", "tenant", "parent", "item"), tags[FIRST]) if value)
        until = 'until = "2026-03-08T00:00:00+08:00"; end = 1;' if ident == "gone" else ""
        of = 'building = "b1"; export_of = "main"; ' if ident == "back" else ""
        meters.append(f'{{ id = "{ident}"; name = "表{ident}"; name_en = "{ident}"; carrier = "{carrier}"; {of}{keys}{changes(ident)} {SEGMENT % (ident, until, ident)} }}')
    named = 'name = "x"; name_en = "x";'
    return (f'sites = ({{ id = "s1"; {named} zone = "Asia/Shanghai"; }}, {{ id = "s2"; name = "y"; name_en = "Yonder"; zone = "Asia/Shanghai"; }});\n'
            "buildings = (" + ", ".join(f'{{ id = "{b}"; {named} site = "{s}"; }}' for b, s in SITES.items()) + ");\n"
            "tenants = (" + ", ".join(f'{{ id = "t{n}"; {named} }}' for n in (1, 2, 3)) + ");\n"
            f'gateways = ({{ id = "gw-a"; {named} site = "s1"; }});\nmeters = (' + ",\n".join(meters) + ");\n")


def tags_at(ident: str, time_ms: int) -> tuple:
    return METERS[ident][2][max(t for t in METERS[ident][2] if t <= time_ms)]


def is_there(ident: str, time_ms: int) -> bool:
    return ident != "gone" or time_ms < GONE


def amount_at(ident: str, time_ms: int) -> int | None:
    return None if ident == "gone" and time_ms == HOLE else METERS[ident][1] + time_ms // QUARTER_MS % 7


def is_in(kind: str, wanted: str | None, ident: str | None, time_ms: int) -> bool:
    if ident is None:
        return False
    building, tenant, _, item = tags_at(ident, time_ms)
    return SITES[building] == "s1" and {"site": True, "building": building == wanted, "tenant": tenant == wanted, "item": item == wanted}[kind]


def sign_at(kind: str, wanted: str | None, ident: str, time_ms: int) -> int:
    if not is_there(ident, time_ms):
        return 0
    if ident == "back":
        return -sign_at(kind, wanted, "main", time_ms)
    return is_in(kind, wanted, ident, time_ms) - is_in(kind, wanted, tags_at(ident, time_ms)[2], time_ms)


def terms(carrier: str, kind: str, wanted: str | None) -> list[tuple]:
    """(meter, sign, from, until, amount or None), as the page must have them."""
    found = []
    for ident in (m for m in METERS if METERS[m][0] == carrier):
        run: list = []
        for time_ms in range(BEGIN, END, QUARTER_MS):
            sign = sign_at(kind, wanted, ident, time_ms)
            if not run or run[-1][0] != sign:
                run.append([sign, time_ms, 0, []])
            run[-1][2] = time_ms + QUARTER_MS
            run[-1][3].append(amount_at(ident, time_ms))
        found += [(ident, sign, start, end, None if None in amounts else sign * sum(amounts)) for sign, start, end, amounts in run if sign != 0]
    return found


def shown(amount: int | None, carrier: str) -> str:
    return "" if amount is None else f"{Decimal(amount).scaleb(-6 if carrier == 'heat' else -3):f}"


def local(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, ZONE).isoformat()


class Rows(HTMLParser):
    """By table, the link of each row of its body, if it has one."""

    @staticmethod
    def of(html: str) -> dict[str, list[str | None]]:
        reader = Rows()
        reader.found, reader.rows, reader.is_body = {}, [], False
        reader.feed(html)
        return reader.found

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "section" and "id" in attrs:
            self.rows = self.found.setdefault(attrs["id"], [])
        elif tag == "tbody":
            self.is_body = True
        elif tag == "tr" and self.is_body:
            self.rows.append(None)
        elif tag == "a" and self.is_body and self.rows:
            self.rows[-1] = attrs["href"]

    def handle_endtag(self, tag):
        self.is_body = self.is_body and tag != "tbody"


class Moved(House):
    def __init__(self, stage):
        park = stage.folder / "park.cfg"
        park.write_text(park_text())
        broker, influx = stage.broker("gw-a"), stage.influx()
        self.collector = stage.add(new_collector(stage.folder / "collector", broker, influx, park))
        self.database = stage.folder / "collector/collector.db"
        self.collector.start()
        self.collector.wait_connected()
        self.auditor = self.token("auditor")
        self.collector.stop()
        with closing(sqlite3.connect(self.database)) as db, db:
            db.executemany("INSERT OR IGNORE INTO ledger_meter(name) VALUES(?)", [(ident,) for ident in METERS])
            numbers = dict(db.execute("SELECT name, id FROM ledger_meter"))
            for ident, number in numbers.items():
                db.executemany("INSERT INTO ledger_quarter VALUES(?, ?, 1, ?, ?, 0, 0)", [
                    (number, t, amount_at(ident, t), 3 if amount_at(ident, t) is None else 0)
                    for t in range(BEGIN, END, QUARTER_MS) if is_there(ident, t)])
        self.collector.start()

    def report(self) -> dict[str, list[tuple[dict, str]]]:
        """(row, link) of each total."""
        status, text = self.get(f"{MONTH}.csv?lang=en")
        assert status == 200, text
        tables: dict[str, list[dict]] = {}
        for line in csv.DictReader(io.StringIO(text.lstrip("\ufeff"))):
            rows = tables.setdefault(line["table"], [])
            while len(rows) < int(line["row"]):
                rows.append({})
            rows[-1][line["column"]] = line["value"]
        status, html = self.get(f"{MONTH}?lang=en")
        assert status == 200
        links = Rows.of(html)
        return {name: list(zip(tables[name], links[name], strict=True)) for name in ("totals", "buildings", "tenants", "items")}


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("moved")) as stage:
        yield Moved(stage)


def totals(moved) -> list[tuple[str, dict, str]]:
    kinds = {"totals": "site", "buildings": "building", "tenants": "tenant", "items": "item"}
    return [(kinds[name], row, link) for name, rows in moved.report().items() for row, link in rows if link is not None]


def test_every_total_leads_to_the_meters_that_make_it(moved):
    """The sum's rows alone, which repeat the site's, lead nowhere."""
    found = totals(moved)
    assert {(kind, row["carrier"], row.get("id")) for kind, row, _ in found} == {
        ("site", "electricity", "s1"), ("site", "heat", "s1"), ("building", "electricity", "b1"), ("building", "electricity", "b2"), ("building", "heat", "b2"),
        *(("tenant", "electricity", t) for t in ("t1", "t2", "t3", None)), ("tenant", "heat", "t1"),
        *(("item", "electricity", i) for i in ("01000", ITEM, "01B00", None)), ("item", "heat", None)}
    known = 0
    for kind, row, link in found:
        carrier = row["carrier"]
        path = link.removeprefix(f"{MONTH}/").split("?")[0]
        page = moved.tables(path)
        total, = page["drill_total"]
        assert {key: row.get(key) for key in total} == total, path
        *parts, last = page["drill_parts"]
        wanted = terms(carrier, kind, None if kind == "site" else row.get("id"))
        assert [(p["id"], p["sign"], p["from"], p["until"], p.get("amount", "")) for p in parts] == [
            (ident, "counted" if sign > 0 else "taken_off", local(start), local(end), shown(amount, carrier)) for ident, sign, start, end, amount in wanted], path
        assert last.get("amount", "") == row.get("amount", "")
        if "amount" in row:
            known += 1
            assert sum(Decimal(p["amount"]) for p in parts) == Decimal(row["amount"]), path
        else:
            assert None in [amount for *_, amount in wanted], path
        hrefs = Links.of(moved.get(f"{MONTH}/{path}?lang=zh")[1])
        assert all(f"{MONTH}/meter/{p['id']}?lang=zh" in hrefs for p in parts)
    assert known >= 10 and known < len(found), "totals that are known, and some that are not"


def test_a_meter_says_from_when_to_when_it_counts_here(moved):
    *places, total = moved.tables("meter/shop")["drill_places"]
    when = at(16, 10)
    sums = [sum(amount_at("shop", t) for t in range(start, end, QUARTER_MS)) for start, end in ((BEGIN, when), (when, END))]
    assert [(p["from"], p["until"], p["counts"], p["site"], p.get("tenant"), p["amount"]) for p in places] == [
        (local(BEGIN), local(when), "place_here", "x", "x", shown(sums[0], "electricity")),
        (local(when), local(END), "place_elsewhere", "Yonder", None, shown(sums[1], "electricity"))]
    assert total["amount"] == moved.tables("meter/shop")["drill_total"][0]["amount"] == shown(sum(sums), "electricity")
    assert [(p["from"], p["until"]) for p in moved.tables("meter/gone")["drill_places"][:-1]] == [(local(BEGIN), local(GONE))]
    assert [p["counts"] for p in moved.tables("meter/shop/2026-03-16")["drill_places"][:-1]] == ["place_here", "place_elsewhere"]


@pytest.mark.parametrize("path", ("electricity", "electricity/", "electricity/site", "electricity/site/s2", "electricity/meter/main", "steam/site/s1", "water/site/s1",
                                  "electricity/building/b9", "electricity/building", "electricity/tenant/", "heat/tenant/t2", "electricity/item/01C00"))
def test_of_what_the_report_has_no_total_there_is_no_page(moved, path):
    status, text = moved.get(f"{MONTH}/total/{urllib.parse.quote(path)}")
    assert status == 404 and "nothing of that name" in text
