"""The pages of operators as people see them: Chromium on a running collector."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
import urllib.request
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from relay import Relay
from webdriver import Browser

WEB = Path(__file__).resolve().parents[2] / "dashboards/web"
TEXTS = {lang: json.loads((WEB / file).read_text()) for lang, file in (("zh", "zh-CN.json"), ("en", "en.json"))}
IS_LONG = os.environ.get("PARKMON_LONG") == "1"
TAGS = {"zh": "zh-CN", "en": "en"}
VIEWS = {"overview": "/ops", "meters": "/ops/meters", "gateways": "/ops/gateways"}
SHOWN = "document.getElementById('shown').hidden === false"


def api(park, path: str) -> dict:
    with urllib.request.urlopen(f"{park.http_url}/api/v1/{path}", timeout=10) as answer:
        return json.load(answer)


def live(park) -> dict:
    return api(park, "live")


def show(browser, park, query="?lang=en", width=1280, view="overview") -> None:
    browser.log()
    browser.size(width)
    browser.open(f"{park.http_url}{VIEWS[view]}{query}")
    browser.wait(SHOWN)


def errors(browser) -> list[dict]:
    return [entry for entry in browser.log() if entry["level"] in ("SEVERE", "WARNING")]


def name(thing: dict, lang: str) -> str:
    return (thing["name_en"] or thing["name"] if lang == "en" else thing["name"] or thing["name_en"]) or thing["id"]


def kilowatts(watts: float | None) -> str:
    return "–" if watts is None else f"{Decimal(watts / 1000).quantize(Decimal('0.01'), ROUND_HALF_UP):,}".replace("-", "−")


def power(of: dict) -> str:
    """Of a sum that lacks a part it is said that it is at least that."""
    return ("≥ " if 0 < of["fresh"] < of["meters"] else "") + kilowatts(of["known_w"])


def register(reading: dict | None, lang: str) -> str:
    """Exact decimals: the integer count with its point moved, at least three decimals."""
    if reading is None:
        return "–"
    unit, places = {"Wh": ("kWh", 3), "J": ("MJ", 6), "L": ("m³", 3)}[reading["unit"]]
    whole, fraction = f"{Decimal(reading['count']).scaleb(-places):,.{places}f}".replace("-", "−").split(".")
    side = f" ({TEXTS[lang]['secondary']})" if reading["side"] == "secondary" else ""
    return f"{whole}.{fraction[:3]}{fraction[3:].rstrip('0')} {unit}{side}"


def expected_figures(state: dict, view: str, lang: str) -> dict:
    if view == "overview":
        return {"total": power(state["power"]), "fresh": str(state["coverage"]["fresh"]),
                "buildings": {b["id"]: [name(b, lang), power(b["power"])] for b in state["buildings"]}}
    if view == "meters":
        return {m["id"]: [name(m, lang), register(m["register"], lang), f"{kilowatts(m['power']['value_w'])} kW" if m["power"] else "–"]
                for m in state["meters"]}
    return {g["id"]: [name(g, lang), str(g["spooled"]["batches"]), str(g["lost"])] for g in state["gateways"]}


ROWS = """
const cell = (row, i) => row.cells[i].firstElementChild.textContent;
return Object.fromEntries([...document.querySelectorAll('#%s tbody tr')].map((row) => [row.dataset.id, %s.map((i) => cell(row, i))]));
"""
SHOWN_FIGURES = {
    "overview": """
const text = (id) => document.getElementById(id).textContent;
return {
  total: text('total-power'), fresh: text('fresh'),
  buildings: Object.fromEntries([...document.querySelectorAll('[data-building]')].map(
      (card) => [card.dataset.building, [card.querySelector('h3').textContent, card.querySelector('.figure span').textContent]])),
};
""",
    "meters": ROWS % ("meters", "[0, 3, 4]"),
    "gateways": ROWS % ("gateways", "[0, 4, 5]"),
}


def wait_equal(look, wanted, seconds=30) -> dict:
    """The park moves: page and API meet when no new state came between the two looks."""
    deadline = time.monotonic() + seconds
    while True:
        shown, expected = look(), wanted()
        if shown == expected:
            return shown
        assert time.monotonic() < deadline, f"shown {shown}\nwanted {expected}"
        time.sleep(0.05)


@pytest.mark.parametrize("view", VIEWS)
def test_the_page_shows_what_the_api_says(park, browser, view):
    for lang in TAGS:
        show(browser, park, f"?lang={lang}", view=view)
        shown = wait_equal(lambda: browser.run(SHOWN_FIGURES[view]), lambda: expected_figures(live(park), view, lang))
        assert shown and all(shown.values())


@pytest.mark.parametrize("lang", TAGS)
def test_the_name_of_a_meter_leads_to_its_energy_of_today(park, browser, lang):
    show(browser, park, f"?lang={lang}", view="meters")
    meters = live(park)["meters"]
    assert len(browser.run("return [...document.querySelectorAll('#meters tbody th a')].map((one) => one.textContent)")) == len(meters)
    meter = next(one for one in meters if one["carrier"] != "electricity")
    browser.run("document.querySelector(`#meters tr[data-id='${arguments[0]}'] th a`).click()", meter["id"])
    browser.wait("location.pathname === '/ops/energy' && document.getElementById('detail')?.checkVisibility()", 40)
    assert browser.run("return [document.getElementById('detail-title').textContent, document.getElementById('carrier').value, new URLSearchParams(location.search).get('length'), document.documentElement.lang]") == [
        name(meter, lang), meter["carrier"], "day", TAGS[lang]]
    assert errors(browser) == []


def test_what_asks_for_eyes_is_what_the_api_counts(park, browser):
    def expected() -> dict:
        said = api(park, "summary")
        states = said["instruments"]
        return {"in_use": str(states["IN_USE"]), "of": TEXTS["en"]["in_use_of"].replace("{total}", str(sum(states.values()) - states["NOT_SHARED"])),
                "open": [str(said["alarms"]["standing"]) if said["alarms"]["rules"] else TEXTS["en"]["alarms_unset"], str(said["open_exceptions"]), str(said["outages"]["now"]), str(said["outages"]["ahead"])]}

    show(browser, park)
    browser.wait("document.querySelectorAll('#open li').length === 4")
    wait_equal(lambda: browser.run("""
        return {in_use: document.getElementById('in-use').textContent, of: document.getElementById('in-use-of').textContent,
                open: [...document.querySelectorAll('#open li')].map((item) => (item.textContent.match(/\\d+/) ?? [item.textContent.slice(2)])[0])};"""), expected, 40)


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize("width", [1920, 1280, 390])
@pytest.mark.parametrize("view", VIEWS)
def test_it_fits_every_screen_in_both_languages(park, browser, lang, width, view):
    show(browser, park, f"?lang={lang}", width, view)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.run("return document.documentElement.lang") == TAGS[lang]
    assert name(live(park)["sites"][0], lang) in browser.run("return document.title")
    body = browser.run("return document.body.innerText")
    assert TEXTS[lang][f"view_{view}"] in body
    assert "{" not in body, "a text is missing or was not filled"
    assert "undefined" not in body and "NaN" not in body
    assert errors(browser) == []
    origin = urlsplit(park.http_url).netloc
    assert {urlsplit(url).netloc for url in browser.requests()} == {origin}, "a request left the host"


def test_new_readings_appear_by_themselves(park, browser):
    show(browser, park)
    before = browser.run("return document.getElementById('as-of').textContent")
    browser.wait(f"document.getElementById('as-of').textContent > {json.dumps(before)}", 40)
    browser.wait("document.querySelectorAll('.spark polyline').length > 0", 40)
    assert errors(browser) == []


CUT_CARDS = "return [...document.querySelectorAll('.wall .card')].filter((e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1).map((e) => e.className)"
# A curve is given a value each half second for twice as long as it keeps them: a count, by the second where `isKnown` of it. What it keeps, and draws.
SPARK = """return import('/assets/sparkline.js').then(({ Sparkline }) => {
    const [spark, isKnown] = [new Sparkline(''), %s];
    for (let n = 0; n < 2400; n++) spark.add(500 * n, isKnown(n) ? n : null);
    const xs = [...spark.element.querySelectorAll('polyline')].map((line) => line.getAttribute('points').split(' ').map(parseFloat));
    return { kept: spark.samples.length, known: spark.samples.filter((one) => one.value !== null).length, spanMs: spark.samples.at(-1).timeMs - spark.samples[0].timeMs, last: spark.samples.at(-1).value, xs }; })"""


@pytest.mark.parametrize(("is_known", "lines"), [("() => true", 1), ("(n) => n % 2 === 1", 0), ("(n) => n < 1200 || n >= 2000", 2), ("(n) => n !== 2000", 2)])
def test_a_small_curve_has_about_a_point_for_each_pixel_whatever_is_known(park, browser, is_known, lines):
    show(browser, park)
    found = browser.run(SPARK % is_known)
    assert found["kept"] <= 301 and found["spanMs"] >= 590_000, found
    assert all(0 <= x <= 300 for line in found["xs"] for x in line)
    assert len(found["xs"]) == lines if lines else all(len(line) <= 1 for line in found["xs"])


WALL = """
return {
  instruments: Object.fromEntries([...document.querySelectorAll('#board li')].map((item) => [item.querySelector('.name').textContent, item.dataset.status])),
  power: document.getElementById('total-power').textContent,
};
"""


@pytest.mark.parametrize("lang", TAGS)
def test_the_wall_fits_without_scroll_and_says_what_the_api_says(park, browser, lang):
    browser.log()
    browser.size(1920, 1080)
    browser.open(f"{park.http_url}/ops?view=screen&lang={lang}")
    browser.wait(f"{SHOWN} && document.querySelectorAll('#board li').length > 0")
    assert browser.run("return [document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [1920, 1080]
    assert browser.run(CUT_CARDS) == []
    wait_equal(lambda: browser.run(WALL),
               lambda: {"instruments": {name(i, lang): i["status"] for i in api(park, "instruments?limit=500")["instruments"]},
                        "power": power(live(park)["power"])}, 60)
    assert errors(browser) == []


def resident_kb(browser) -> int:
    """Of the processes that draw pages."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            if f"--user-data-dir={browser.profile}" in (words := (status.parent / "cmdline").read_bytes().decode("utf-8", "replace")) and "--type=renderer" in words:
                total += int(re.search(r"^VmRSS:\s+(\d+) kB$", status.read_text(), re.MULTILINE)[1])
    return total


@pytest.fixture
def uncompiled(tmp_path):
    """A browser that makes no machine code: it does so ever more as a page runs, within the heap that is to tell what the page holds."""
    with Browser(tmp_path, flags=("--js-flags=--jitless",)) as made:
        yield made


def test_the_wall_stands_without_growing(park, uncompiled):
    """For half an hour with PARKMON_LONG=1, else for half a minute. What is held after a collection of garbage is no more at the end than when the page had settled: the least of
    the last looks against the least of the first ones, since between two looks events are under way."""
    browser = uncompiled
    looks, every_s, settled = (30, 60, 12) if IS_LONG else (6, 5, 2)  # the curves of buildings keep ten minutes
    browser.size(1920, 1080)
    browser.open(f"{park.http_url}/ops?view=screen&lang=zh")
    browser.wait(SHOWN)
    first = browser.run("return document.getElementById('as-of').textContent")
    held = []
    for look in range(looks):
        time.sleep(every_s)
        browser.command("HeapProfiler.collectGarbage")
        counts = browser.command("Memory.getDOMCounters")
        held.append({"heap": browser.command("Runtime.getHeapUsage")["usedSize"], "nodes": counts["nodes"], "listeners": counts["jsEventListeners"], "resident": 1024 * resident_kb(browser),
                     "requests": browser.run("return performance.getEntriesByType('resource').length")})
        print(f"{look + 1}: " + ", ".join(f"{name} {value}" for name, value in held[-1].items()), flush=True)
    begin, end = ({name: min(look[name] for look in part) for name in held[0]} for part in (held[settled:settled + looks // 5 + 1], held[-(looks // 5) - 1:]))
    print(f"settled {begin}\nat the end {end}", flush=True)
    assert browser.run("return document.getElementById('as-of').textContent") > first, "nothing moved"
    assert errors(browser) == []
    # What an event brings is some 20 kB, and there are two in a second: kept, they would be 20 MB in ten minutes.
    assert end["heap"] <= begin["heap"] + (150_000 if IS_LONG else 500_000), held
    assert end["nodes"] <= begin["nodes"] + 20 and end["listeners"] <= begin["listeners"] + 5, held
    assert end["requests"] == begin["requests"], held
    assert begin["resident"] > 0 and end["resident"] <= begin["resident"] + 24 * 2**20, held


def streams(park) -> int:
    with urllib.request.urlopen(f"{park.http_url}/metrics", timeout=10) as answer:
        return int(re.search(r"^parkmon_streams (\d+)$", answer.read().decode(), re.MULTILINE)[1])


def test_pages_that_were_left_keep_no_connection(park, browser):
    """A browser gives a host six connections: kept pages that held on to their streams would starve the next one."""
    browser.open("about:blank")
    for _ in range(8):
        show(browser, park)
    deadline = time.monotonic() + 45  # a closed connection is noticed at the next thing sent
    while streams(park) > 1:
        assert time.monotonic() < deadline, f"{streams(park)} streams are open"
        time.sleep(0.2)


def test_times_are_the_parks_wherever_the_browser_is(park, browser):
    browser.command("Emulation.setTimezoneOverride", timezoneId="America/St_Johns")
    try:
        earliest = live(park)["as_of"][:19].replace("T", " ")
        show(browser, park)
        shown = browser.run("return document.getElementById('as-of').textContent")
        latest = live(park)["as_of"][:19].replace("T", " ")
        assert earliest <= shown <= latest
    finally:
        browser.command("Emulation.setTimezoneOverride", timezoneId="")


@pytest.mark.parametrize(("accepted", "tag"), [("zh-TW,en", "zh-CN"), ("en-GB,zh", "en"), ("fr", "en"), ("fr,zh", "zh-CN")])
def test_the_browsers_language_is_spoken_and_the_switch_is_there(park, browser, accepted, tag):
    agent = browser.run("return navigator.userAgent")
    browser.command("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=accepted)
    try:
        show(browser, park, "")
        assert browser.run("return document.documentElement.lang") == tag
        assert browser.run("return document.querySelector('.languages [aria-current=true]').lang") == tag
        other = "en" if tag == "zh-CN" else "zh-CN"
        browser.run(f"document.querySelector('.languages a[lang={other}]').click()")
        browser.wait(f"document.documentElement.lang === '{other}' && {SHOWN}")
        assert browser.run("return document.cookie + localStorage.length") == "0"
    finally:
        browser.command("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage="en-US")


def test_a_lost_connection_is_said_and_mended(park, browser):
    with Relay(urlsplit(park.http_url).port) as relay:
        browser.open(f"http://127.0.0.1:{relay.port}/ops?lang=en")
        browser.wait(f"{SHOWN} && document.getElementById('connection').dataset.state === 'open'")
        relay.cut()
        browser.wait("document.getElementById('connection').dataset.state === 'lost'")
        last = browser.run("return document.getElementById('as-of').textContent.slice(11)")
        assert browser.run("return document.getElementById('connection-text').textContent") == f"Connection lost, last data {last}"
        relay.join()
        browser.wait("document.getElementById('connection').dataset.state === 'open'", 40)
        browser.open("about:blank")
    browser.log()  # that the connection was refused is in the console, and rightly so


LATER = "const clock = performance.now.bind(performance); let aheadMs = %d; performance.now = () => clock() + aheadMs; window.later = (ms) => { aheadMs += ms; };"


def test_a_connection_that_is_gone_without_a_word_is_begun_anew(park, browser):
    with Relay(urlsplit(park.http_url).port) as relay:
        browser.open(f"http://127.0.0.1:{relay.port}/ops/gateways?lang=en")
        browser.wait(f"{SHOWN} && document.getElementById('connection').dataset.state === 'open'")
        relay.stall()
        last = browser.run(LATER % 0 + "return document.getElementById('as-of').textContent")
        is_new = f"document.getElementById('as-of').textContent > {json.dumps(last)} && document.getElementById('connection').dataset.state === 'open'"
        for patience in (1.5**n for n in range(12)):  # the browser may take one that is gone again; on a busy machine a new one takes a while
            browser.run("later(46000)")
            with contextlib.suppress(AssertionError):
                browser.wait(is_new, patience)
                break
        assert browser.run(f"return {is_new}")
        browser.run("return import('/assets/api.js').then(({ get }) => get('/api/v1/summary'))")
        relay.stall()  # what is asked for on such a connection ends as well, and the next one is new
        browser.run("""const limit = AbortSignal.timeout.bind(AbortSignal);
            Object.assign(window, { failed: 0, answered: false });
            AbortSignal.timeout = (ms) => (ms <= 120000 ? limit(ms * Math.min(1, 1.5 ** failed / 400)) : null);
            import('/assets/api.js').then(async ({ get }) => {
              while (!(await get('/api/v1/summary').catch(() => null))) failed += 1;
              answered = true;
            });""")
        browser.wait("answered", 120)
        assert browser.run("return failed") >= 1
        browser.open("about:blank")
    browser.log()


def test_a_seventh_page_is_shown_beside_six_and_the_first_is_new_when_it_is_seen_again(park, browser):
    """A browser gives a host six connections, and a hidden page needs none."""
    first = browser.call("GET", "/window")
    seen = "window.seen.push([document.hidden, document.getElementById('connection').dataset.state, document.getElementById('as-of').textContent, window.begun])"
    counted = "window.begun = 0; window.EventSource = class extends EventSource { constructor(...given) { super(...given); window.begun += 1; } }"
    try:
        for page in range(7):
            if page > 0:
                browser.call("POST", "/window", {"handle": browser.call("POST", "/window/new", {"type": "tab"})["handle"]})
            browser.open(f"{park.http_url}/ops/gateways?lang=en")
            browser.wait(SHOWN)
            if page == 0:
                browser.run(f"{counted}; window.seen = []; document.addEventListener('visibilitychange', () => {seen})")
        browser.call("POST", "/window", {"handle": first})
        browser.wait("window.seen.some(([isHidden]) => !isHidden)")
        (was_hidden, state, last, begun), *_, (is_hidden, _, _, begun_by_now) = browser.run("return window.seen")
        assert (was_hidden, state, begun) == (True, "wait", 0) and (is_hidden, begun_by_now) == (False, 1)  # at once
        browser.wait(f"document.getElementById('connection').dataset.state === 'open' && document.getElementById('as-of').textContent > {json.dumps(last)}", 40)
    finally:
        for handle in browser.call("GET", "/window/handles"):
            if handle != first:
                browser.call("POST", "/window", {"handle": handle})
                browser.call("DELETE", "/window")
        browser.call("POST", "/window", {"handle": first})


ASKED = """window.asked = []; const ask = window.fetch; window.fetch = (url, how) => { window.asked.push(new URL(url, location).pathname); return ask(url, how); };"""


@pytest.mark.parametrize(("path", "drawn", "again"), [
    ("/ops", "document.querySelectorAll('#open li').length === 4 && document.getElementById('people-text').textContent", ["summary", "energy", "occupancy"]),
    ("/ops/occupancy", "document.body.dataset.drawn", ["occupancy"]),
    ("/ops/instruments?id=sem", "document.getElementById('detail').dataset.drawn && document.querySelector('#instruments .day-bar')",
     ["instruments", "instruments/sem/timeline", "instruments/sem/hours", "sessions"])])
def test_an_open_page_renews_what_it_shows_though_the_parks_clock_is_set_back(park, browser, path, drawn, again):
    browser.log()
    browser.open(f"{park.http_url}{path}")
    browser.wait(f"{SHOWN} && {drawn}", 30)
    browser.run(ASKED + LATER % 61000 + """const parse = JSON.parse; JSON.parse = (text) => { const said = parse(text);
        if (said?.as_of) said.as_of = new Date(Date.parse(said.as_of) - 3600000).toISOString(); return said; }""")
    browser.wait(" && ".join(f"asked.includes('/api/v1/{what}')" for what in again), 20)
    if path == "/ops":  # a curve is of the time that the page stood
        assert browser.run("return [...document.querySelectorAll('.spark polyline')].flatMap((e) => e.getAttribute('points').split(' ').map(parseFloat)).filter((x) => x < 0 || x > 300)") == []
    if "sem" in path:
        browser.wait("asked.filter((path) => path.endsWith('/timeline')).length > 1")  # its week, and each bar in sight
    assert errors(browser) == []


# What pages ask for beside the events is not answered any more; later(ms): the browser's clock goes on.
UNREADABLE = """window.ask = window.fetch;
window.fetch = (url, how) => (/\\/api\\/v1\\/(summary|energy|occupancy|instruments|losses|quarantine)/.test(url) ? Promise.resolve(new Response('{"error": {"code": "busy", "message": "not now"}}', { status: 503 })) : ask(url, how));
const clock = performance.now.bind(performance); let aheadMs = 0; performance.now = () => clock() + aheadMs; window.later = (ms) => { aheadMs += ms; };"""
# When all of a page is read.
READ = {"/ops?": "document.querySelectorAll('#open li').length === 4 && document.getElementById('people-text').textContent && document.getElementById('today-text').textContent + document.getElementById('against-week').textContent",
        "/ops/gateways?": "window.performance.getEntriesByType('resource').filter((one) => /losses|quarantine/.test(one.name)).length === 2"}
READ["/ops/instruments?"] = "document.querySelector('#instruments tbody tr')"
READ["/ops?view=screen&"] = f"{READ['/ops?']} && document.querySelectorAll('#board li').length > 0"
AGES = "Object.fromEntries([...document.querySelectorAll('[data-age]')].map((mark) => [mark.dataset.age, `${mark.className}:${mark.textContent}`]))"


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize(("path", "size", "read", "soon"), [
    ("/ops?", (1280, 900), ("energy", "people", "summary"), {"summary"}), ("/ops?", (390, 844), ("energy", "people", "summary"), {"summary"}),
    ("/ops?view=screen&", (1920, 1080), ("energy", "people", "summary", "board"), {"summary", "board"}),
    ("/ops/instruments?", (390, 844), ("board",), {"board"}), ("/ops/gateways?", (1280, 900), ("losses", "quarantine"), set()), ("/ops/gateways?", (390, 844), ("losses", "quarantine"), set())])
def test_what_cannot_be_read_any_more_says_of_when_it_is_though_events_come(park, browser, lang, path, size, read, soon):
    browser.log()
    browser.size(*size)
    earliest = live(park)["as_of"][:19].replace("T", " ")
    browser.open(f"{park.http_url}{path}lang={lang}")
    browser.wait(f"{SHOWN} && {READ[path]}", 30)
    assert set(browser.run(f"return {AGES}")) == set(read)
    assert {mark.split(":", 1)[1] for mark in browser.run(f"return {AGES}").values()} == {""}
    before = browser.run("return document.documentElement.scrollHeight")
    browser.run(UNREADABLE + "later(31000)")
    latest = live(park)["as_of"][:19].replace("T", " ")
    old = re.compile(f"mark-warn:▲ {re.escape(TEXTS[lang]['old']).replace(re.escape('{time}'), '(.{19})')}")

    # Of a day that begins meanwhile nothing was read.
    begins = {"energy"} if (datetime.fromisoformat(earliest) + timedelta(minutes=6)).date() != datetime.fromisoformat(earliest).date() else set()

    def marked() -> set[str]:
        found = {name: old.fullmatch(mark) for name, mark in browser.run(f"return {AGES}").items() if not mark.endswith(":") and name not in begins}
        assert all(match and earliest <= match[1] <= latest for match in found.values()), found
        return set(found)

    wait_equal(marked, lambda: soon)
    browser.run("later(90000)")
    wait_equal(marked, lambda: set(read) - begins)
    shown_at = browser.run("return document.getElementById('as-of').textContent")
    browser.wait(f"document.getElementById('as-of').textContent > {json.dumps(shown_at)} && document.getElementById('connection').dataset.state === 'open'", 60)
    assert marked() == set(read) - begins
    assert browser.run("return document.documentElement.scrollWidth") <= size[0]
    if "screen" in path:
        assert browser.run("return document.documentElement.scrollHeight") == before == 1080
        assert browser.run(CUT_CARDS) == []
    browser.run("window.fetch = ask; later(60000)")
    wait_equal(marked, set)
    assert errors(browser) == []


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize(("path", "size", "read"), [
    ("/ops?", (1280, 900), {"energy", "people", "summary"}), ("/ops?", (390, 844), {"energy", "people", "summary"}), ("/ops?view=screen&", (1920, 1080), {"energy", "people", "summary", "board"}),
    ("/ops/instruments?", (390, 844), {"board"}), ("/ops/gateways?", (1280, 900), {"losses", "quarantine"}), ("/ops/gateways?", (390, 844), {"losses", "quarantine"})])
def test_what_cannot_be_read_from_the_beginning_says_so_and_nothing_else_is_said_of_it(park, browser, lang, path, size, read):
    browser.log()
    browser.size(*size)
    script = browser.command("Page.addScriptToEvaluateOnNewDocument", source=UNREADABLE)["identifier"]
    try:
        browser.open(f"{park.http_url}{path}lang={lang}")
    finally:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
    wait_equal(lambda: browser.run(f"return {AGES}"), lambda: dict.fromkeys(read, f"mark-warn:▲ {TEXTS[lang]['unread']}"))
    assert not {TEXTS[lang]["losses_none"], TEXTS[lang]["quarantine_none"]} & set(browser.run("return [...document.querySelectorAll('main p')].filter((e) => e.checkVisibility()).map((e) => e.textContent)"))
    assert browser.run("return document.documentElement.scrollWidth") <= size[0]
    if "screen" in path:
        assert browser.run("return document.documentElement.scrollHeight") == 1080
        assert browser.run(CUT_CARDS) == []
    browser.run("window.fetch = ask; later(61000)")
    browser.wait(f"{SHOWN} && {READ[path]}", 30)
    wait_equal(lambda: {mark.split(":", 1)[1] for mark in browser.run(f"return {AGES}").values()}, lambda: {""})
    assert errors(browser) == []


CONTRAST = r"""
const parse = (c) => c.match(/[\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length === 3) return c; }
    return [255, 255, 255]; };
const poor = [];
for (const e of document.querySelectorAll('body *')) {
  if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.offsetParent || e.closest('noscript')) continue;
  const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
  if ((a + 0.05) / (b + 0.05) < 4.5) poor.push(`${e.tagName}.${e.className} ${e.textContent.trim()}`);
}
return poor;
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(park, browser, scheme):
    """WCAG 2, contrast (minimum): 4.5 to 1."""
    browser.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    try:
        show(browser, park)
        for kind in ("good", "warn", "bad"):  # also the states that this park is not in
            browser.run(f"document.getElementById('connection').className = 'pill pill-{kind}'")
            assert browser.run(CONTRAST) == []
    finally:
        browser.command("Emulation.setEmulatedMedia", features=[])


def test_the_keyboards_focus_is_visible(park, browser):
    show(browser, park)
    tab = {"type": "keyDown", "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
    seen = []
    for _ in range(4):
        browser.command("Input.dispatchKeyEvent", **tab)
        seen.append(browser.run("const e = document.activeElement; return [e.getAttribute('href'), getComputedStyle(e).outlineStyle]"))
    assert seen == [["#main", "solid"], ["/ops?lang=en", "solid"], ["/ops?lang=zh", "solid"], ["/ops?lang=en", "solid"]]
