"""The visitors' pages as people see them: Chromium with scripts off, a running collector, both languages, a desk and a phone. Every status, time and number
is held against the API."""

from __future__ import annotations

import base64
import json
import re
import struct
import sys
import time
import urllib.request
import zlib
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from harness.parkmon import new_collector
from harness.process import run, wait_until
from harness.stage import Stage
from publisher import Publisher
from test_energy import seen, today
from test_ops import TAGS, TEXTS, errors

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit/collector"))
from oracle_qr import Scanner  # noqa: E402

ZONE = ZoneInfo("Asia/Shanghai")
EVIL = "<i>\\\"'&"  # as it stands in the park file
LEVELS = ('power_period = 600; off_w = 10; standby_w = 20; exit_w = 30; enter_w = 40; enter_s = 1; exit_s = 60; off_means = "available"; ')
GROUPS = ("free", "soon", "busy", "closed", "unknown", "out")
ICONS = dict(zip(GROUPS, "✓◔●○?✕"))


def whose(number: int) -> str:
    return (f'building = "b{number % 2 + 1}"; category = "{"xray" if number < 4 else "micro"}"; owner = "光芯{EVIL}"; owner_en = "Guangxin{EVIL}"; '
            f'owner_code = "OWN"; contact = "测试中心 8123{EVIL}"; location = "{number}室"; location_en = "room {number}"; ')


def instrument(id: str, number: int, more: str) -> str:
    return f'  {{ id = "{id}"; name = "{id} 仪器{EVIL}"; name_en = "The {id}, an instrument with a rather long name{EVIL}"; {whose(number)} {more} }}'


def closed_now() -> str:
    """Opening hours that are not now, nor within the next hours."""
    return "13:00-14:00" if not 8 <= datetime.now(ZONE).hour < 15 else "01:00-02:00"


def park(calendars: Path) -> str:
    power = f'power = "gw-a/{{0}}"; {LEVELS}'
    told = ('model = "D8 Advance"; booking_url = "https://lab.example.cn/xrd?a=1&b=2"; terms = "仅限粉末样品"; terms_en = "Powder samples only"; training = "培训两小时"; '
            'training_en = "Two hours of training"; charges = "每小时 200 元"; charges_en = "200 yuan an hour"; minimum_slot = 1800; ')
    listed = ",\n".join([
        instrument("xrd", 1, told + power.format("xrd") + 'calendar = "later"; requires = ("water");'),
        instrument("sem", 2, power.format("sem")),
        instrument("nmr", 3, 'calendar = "soon";'),
        instrument("ftir", 4, f'calendar = "later"; open = "{closed_now()}";'),
        instrument("tem", 5, power.format("tem")),
        instrument("laser", 6, power.format("laser")),
        instrument("afm", 7, 'session = "gw-a/afm";'),
        instrument("own", 8, power.format("own") + "shared = false;")])
    return f"""
sites = ({{ id = "s1"; name = "嘉善<b>科创园"; name_en = "Jiashan <b>Park"; zone = "Asia/Shanghai"; }});
buildings = ({{ id = "b1"; name = "1号楼"; name_en = "Building 1"; site = "s1"; }}, {{ id = "b2"; name = "2号楼"; name_en = "Building 2"; site = "s1"; }});
gateways = ({{ id = "gw-a"; name = "x"; name_en = "x"; site = "s1"; }});
categories = ({{ id = "xray"; name = "射线"; name_en = "X-ray"; }}, {{ id = "micro"; name = "显微"; name_en = "Microscopy"; }});
resources = ({{ id = "water"; name = "1号楼冷冻水"; name_en = "Building 1, chilled water"; building = "b1"; kind = "chilled_water"; point = "gw-a/water";
    up = ("on"); down = ("off"); period = 600; }});
calendars = ({{ id = "later"; name = "x"; name_en = "x"; site = "s1"; file = "{calendars}/later.ics"; every = 60; }},
  {{ id = "soon"; name = "x"; name_en = "x"; site = "s1"; file = "{calendars}/soon.ics"; every = 60; }});
instruments = (
{listed});
"""


def calendar(*spans: tuple[datetime, datetime]) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//t//t//EN"]
    for begin, end in spans:
        lines += ["BEGIN:VEVENT", f"UID:{begin.timestamp()}", "DTSTAMP:20260101T000000Z", "SUMMARY:Dr. Name", f"DTSTART:{begin:%Y%m%dT%H%M%SZ}",
                  f"DTEND:{end:%Y%m%dT%H%M%SZ}", "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


class House:
    """A park with an instrument in each group."""

    def __init__(self, stage: Stage):
        calendars = stage.folder / "calendars"
        calendars.mkdir()
        now = datetime.now(timezone.utc).replace(microsecond=0)
        hours = lambda n: timedelta(hours=n)  # noqa: E731
        (calendars / "later.ics").write_text(calendar((now + hours(5), now + hours(6.5)), (now + hours(30), now + hours(31))))
        (calendars / "soon.ics").write_text(calendar((now - hours(1), now + hours(1.2))))
        self.park = stage.folder / "park.cfg"
        self.park.write_text(park(calendars))
        broker = stage.broker("gw-a")
        self.collector = stage.start(new_collector(stage.folder / "collector", broker, stage.influx(), self.park, http_settings='access = "token"; name = "park.example";'))
        self.url = self.collector.http_url
        self.collector.wait_connected()
        agent = Publisher(broker, "gw-a")
        at = int(time.time() * 1000)
        agent.send(1, [*(f"gauge,point={point} value={watts} {at - age}" for point, watts in (("xrd", 15), ("sem", 100), ("laser", 15), ("own", 15)) for age in (4000, 0)),
                       f'state,point=water value="on" {at}', f'state,point=afm value="open event=e1 class=external organisation=OTHER purpose=research" {at}'])
        agent.wait_ack(1)
        agent.close()
        done = run([self.collector.program, "outage", "open", "--config", self.collector.settings, "--instrument", "laser", "--category", "repair", "--note", "Wang broke it"])
        assert done.returncode == 0, done.stderr
        wanted = {"xrd": "AVAILABLE", "sem": "IN_USE", "nmr": "RESERVED", "ftir": "CLOSED", "tem": "UNKNOWN", "laser": "OUT_OF_SERVICE", "afm": "IN_USE", "own": "NOT_SHARED"}
        wait_until(lambda: {id: answer["status"] for id, answer in self.answers().items()} == wanted, 60, "each is what was told of it")

    def ask(self, path: str) -> dict:
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)

    def answers(self) -> dict[str, dict]:
        try:
            return {answer["id"]: answer for answer in self.ask("/api/v1/instruments")["instruments"]}
        except urllib.error.HTTPError as error:
            assert error.code == 503
            return {}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("public")) as stage:
        yield House(stage)


# ---- what the API says, in the words of a page ----

def group_of(answer: dict) -> str:
    status = answer["status"]
    if status.startswith("AVAILABLE"):
        return "free"
    if status in ("UNKNOWN", "OUT_OF_SERVICE"):
        return {"UNKNOWN": "unknown", "OUT_OF_SERVICE": "out"}[status]
    ahead = answer["next_free"] and datetime.fromisoformat(answer["next_free"]) - datetime.fromisoformat(answer["as_of"])
    return "soon" if ahead and ahead <= timedelta(hours=2) else "closed" if status == "CLOSED" else "busy"


def words(text: str, lang: str, begins: bool, day: date | None = None) -> str:
    texts, at, day = TEXTS[lang], datetime.fromisoformat(text), day or today()
    shown = at.replace(second=0, microsecond=0)
    if begins and shown != at:
        shown += timedelta(minutes=1)
    ahead = (shown.date() - day).days
    parts = {"{{=weekday}}": texts[f"weekday_{shown.weekday()}"], "{{=month}}": texts[f"month_{shown.month}"], "{{=date}}": str(shown.day), "{{=year}}": str(shown.year)}
    pattern = "" if ahead == 0 else texts["when_tomorrow" if ahead == 1 else "when_date" if shown.year == day.year else "when_year"] + " "
    return re.sub(r"\{\{=\w+\}\}", lambda found: parts[found.group()], pattern) + f"{shown:%H:%M}"


def expected_answer(answer: dict, lang: str) -> str:
    key, at = f"state_{answer['status']}", answer["free_until" if answer["status"].startswith("AVAILABLE") else "since"]
    return f"{ICONS[group_of(answer)]} " + (TEXTS[lang][f"{key}_time"].replace("{}", words(at, lang, False)) if at else TEXTS[lang][key])


def expected_next(answer: dict, lang: str) -> str:
    if answer["status"] in ("AVAILABLE", "AVAILABLE_DEGRADED", "UNKNOWN"):
        return ""
    if answer["next_free"] is None:
        return TEXTS[lang]["next_unknown"]
    return TEXTS[lang]["next_long" if answer["status"] == "AVAILABLE_SHORT" else "next_free"].replace("{}", words(answer["next_free"], lang, True))


SHOWN = """
const text = (of, what) => (of.querySelector(what) || { innerText: '' }).innerText.replace(/\\s+/g, ' ').trim();
return Object.fromEntries([...document.querySelectorAll('[data-id]')].map((card) => [card.dataset.id, {
  group: (card.closest('section').querySelector('h2') || { id: '' }).id, answer: text(card, '.answer'), next: text(card, '.next'),
  times: Object.fromEntries([...card.querySelectorAll('time')].map((time) => [time.dataset.of, time.dateTime])) }]));
"""


def meet(house, page, path: str, of_api, of_page) -> None:
    """The page and the API, which move on each second, say the same at some time."""
    deadline = time.monotonic() + 30
    while True:
        before = of_api(house.answers())
        page.open(house.url + path)
        shown = of_page(page)
        if shown == before or shown == of_api(house.answers()):
            return
        assert time.monotonic() < deadline, f"shown {shown}\nexpected {before}"


@pytest.mark.parametrize("lang", TAGS)
def test_the_list_says_what_the_api_says(house, page, lang):
    def of_api(answers):
        return {id: (group_of(a), expected_answer(a, lang), expected_next(a, lang)) for id, a in answers.items() if a["status"] != "NOT_SHARED"}

    meet(house, page, f"/?lang={lang}", of_api, lambda page: {id: (card["group"], card["answer"], card["next"]) for id, card in page.run(SHOWN).items()})
    shown, answers = page.run(SHOWN), house.answers()
    assert {card["group"] for card in shown.values()} == set(GROUPS) and "own" not in shown
    for id, card in shown.items():
        times = {name: at for name, at in card["times"].items() if name in ("since", "free_until", "next_free")}
        assert times and times == {name: answers[id][name] for name in times} or id in ("ftir", "tem")
    counts = page.run("return Object.fromEntries([...document.querySelectorAll('.counts a')].map(a => [a.hash.slice(1), a.querySelector('b').innerText]))")
    assert counts == {group: str(sum(card["group"] == group for card in shown.values())) for group in GROUPS}
    body = page.run("return document.body.innerText")
    assert TEXTS[lang]["public_not"] in body and "<i>\"'&" in body and "Wang" not in body and "OTHER" not in body
    assert page.run("return document.querySelectorAll('main i, title b').length") == 0, "markup in names is text"
    assert errors(page) == []


@pytest.mark.parametrize("lang", TAGS)
def test_each_instrument_says_what_the_api_says(house, page, lang):
    texts = TEXTS[lang]
    for id, answer in house.answers().items():
        if answer["status"] == "NOT_SHARED":
            continue

        def of_api(answers):
            a = answers[id]
            return expected_answer(a, lang), expected_next(a, lang), {name: [texts[f"fresh_{s['quality']}"], s["last"]] for name, s in a["sources"].items() if s}

        def of_page(page):
            card = page.run(SHOWN)[id]
            rows = page.run("return [...document.querySelectorAll('[data-source]')].map(r => [r.dataset.source, r.cells[1].innerText, (r.querySelector('time') || {dateTime: null}).dateTime])")
            return card["answer"], card["next"], {name: [quality, last] for name, quality, last in rows if name in ("power", "session", "calendar")}

        meet(house, page, f"/instruments/{id}?lang={lang}", of_api, of_page)
        body = page.run("return document.body.innerText")
        assert answer["contact"] in body and answer["owner" if lang == "zh" else "owner_en"] in body and texts[f"why_{answer['reason']}"] in body
        assert "Wang" not in body and "OTHER" not in body and "Name" not in body
    page.open(f"{house.url}/instruments/xrd?lang={lang}")
    assert page.run("return document.querySelector('.button').href") == "https://lab.example.cn/xrd?a=1&b=2"
    assert page.run("return document.querySelectorAll('.days li').length") == 7 and texts["day_taken"] in page.run("return document.querySelector('.days').innerText")
    assert errors(page) == []


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize("width", [1920, 1280, 390])
def test_every_page_fits_every_screen_and_asks_nobody_else(house, page, lang, width):
    page.size(width)
    for path in ("/?", "/?q=nothing+fits&", "/?category=xray&available=now&length=1h&", "/instruments/xrd?", "/instruments/tem?", "/instruments/laser?", "/instruments/nmr?",
                 "/instruments/xrd/label?"):
        page.open(f"{house.url}{path}lang={lang}")
        assert page.run("return document.documentElement.lang") == TAGS[lang]
        assert page.run("return document.documentElement.scrollWidth") <= width, path
        wide = page.run("return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))")
        assert wide == [], path
        html = page.run("return document.documentElement.outerHTML")
        assert "{{" not in html and "{}" not in html and "undefined" not in html
        assert {urlsplit(url).netloc for url in page.requests()} == {urlsplit(house.url).netloc}
        assert errors(page) == []


def test_a_visitor_searches_filters_and_changes_the_language_without_a_script(house, page):
    page.size(390)
    page.open(f"{house.url}/?lang=en")
    page.run("document.getElementById('q').value = '射线 d8'; document.querySelector('form button').click()")
    page.wait("location.search.includes('q=') && document.readyState === 'complete'")
    assert list(page.run(SHOWN)) == ["xrd"]
    page.run("document.querySelector('[hreflang=\"zh-CN\"]').click()")
    page.wait("document.documentElement.lang === 'zh-CN' && document.readyState === 'complete'")
    assert list(page.run(SHOWN)) == ["xrd"] and page.run("return document.getElementById('q').value") == "射线 d8"
    page.run("document.getElementById('q').value = ''; document.querySelector('details').open = true; document.getElementById('available').checked = true; document.querySelector('form button').click()")
    page.wait("location.search.includes('available=now') && document.readyState === 'complete'")
    assert list(page.run(SHOWN)) == ["xrd"] and page.run("return document.querySelector('details').open && document.getElementById('available').checked")
    page.run("document.querySelector('[data-id=xrd] a').click()")
    page.wait("location.pathname === '/instruments/xrd' && document.readyState === 'complete'")
    assert TEXTS["zh"]["heading_ways"] in page.run("return document.body.innerText")
    page.open(f"{house.url}/instruments/gone?lang=en")
    assert TEXTS["en"]["public_unknown"] in page.run("return document.body.innerText")
    page.log()  # of the 404 the browser tells
    page.open(f"{house.url}/ops?lang=en")
    assert page.run("return document.getElementById('token') !== null"), "operators sign in"


@pytest.mark.parametrize("lang", TAGS)
def test_when_each_is_free_for_a_wanted_length_is_what_the_api_finds(house, page, lang):
    """What is free now moves on with each second; the others' next time for so long stands still, in words of the day."""
    def look() -> dict[str, str]:
        page.open(f"{house.url}/?length=4h&lang={lang}")
        return page.run("return Object.fromEntries([...document.querySelectorAll('[data-id]')].map(c => [c.dataset.id, c.querySelector('.slot').innerText]))")

    day, shown = seen(today, look)
    found = {id: house.ask(f"/api/v1/instruments?ids={id}&length=4h")["slot"] for id in shown}
    for id, slot in found.items():
        key = {"slot": "slot_now" if id == "xrd" else "slot_time", "none": "slot_none", "not_known": "slot_unknown"}[slot["found"]]
        when = TEXTS[lang][key].replace("{}", words(slot["begin"], lang, True, day) if slot["begin"] else "")
        assert shown[id] == TEXTS[lang]["slot_for"].replace("{}", TEXTS[lang]["length_hours"].replace("{}", "4")) + when, id
    assert {slot["found"] for slot in found.values()} == {"slot", "none", "not_known"}


def test_a_page_that_grows_old_says_so_by_itself(house, page):
    page.open(f"{house.url}/?lang=en")
    height = "const e = document.querySelector('.aged'); const a = e.getAnimations()[0]; a.pause(); a.currentTime = {}; return [getComputedStyle(e).visibility, e.offsetHeight]"
    assert page.run(height.format(119_000)) == ["hidden", 0]
    visible, pixels = page.run(height.format(121_000))
    assert visible == "visible" and pixels > 20


# ---- the label ----

def gray(png: bytes) -> list[bytearray]:
    """The red of each pixel of an RGB or RGBA picture (PNG, second edition, 9: filters)."""
    width, height, depth, colour = struct.unpack(">IIBB", png[16:26])
    size = {2: 3, 6: 4}[colour]
    assert depth == 8
    at, data = 8, b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        data += png[at + 8:at + 8 + length] if kind == b"IDAT" else b""
        at += length + 12
    raw, rows, above = zlib.decompress(data), [], bytearray(width * size)
    for y in range(height):
        kind, row = raw[y * (width * size + 1)], bytearray(raw[y * (width * size + 1) + 1:(y + 1) * (width * size + 1)])
        for x in range(len(row)):
            left, corner = (row[x - size], above[x - size]) if x >= size else (0, 0)
            guess = left + above[x] - corner
            paeth = min((left, above[x], corner), key=lambda value: abs(guess - value))
            row[x] = (row[x] + (0, left, above[x], (left + above[x]) // 2, paeth)[kind]) & 255
        rows.append(row[::size])
        above = row
    return rows


def test_the_label_leads_to_the_instrument_and_prints_on_one_sheet_of_a6(house, page, tmp_path):
    page.size(700, 900)
    page.open(f"{house.url}/instruments/xrd/label?lang=en")
    page.picture(tmp_path / "label.png")
    said = Scanner().read(gray((tmp_path / "label.png").read_bytes()))
    assert said == [page.run("return document.querySelector('.url').innerText")]
    assert said == [f"http://park.example:{urlsplit(house.url).port}/instruments/xrd"]
    label = page.run("return document.querySelector('.label').innerText")
    assert "xrd 仪器<i>" in label and "The xrd, an instrument" in label and "D8 Advance" in label
    printed = base64.b64decode(page.command("Page.printToPDF", preferCSSPageSize=True)["data"])
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", printed)
    assert len(boxes) == 1 and [round(float(side) * 25.4 / 72) for side in boxes[0]] == [105, 148]
    (tmp_path / "label.pdf").write_bytes(printed)
