"""The operators' page of instruments: board, days, hours and sessions are the API's."""

from __future__ import annotations

import json
import urllib.request
from datetime import timedelta

import pytest
from test_energy import seen, today
from test_ops import TAGS, TEXTS, errors, name, wait_equal

BOARD = """return Object.fromEntries([...document.querySelectorAll('#instruments tbody tr')].map((row) =>
    [row.dataset.id, [row.querySelector('a').textContent, row.dataset.status, row.cells[2].textContent, row.cells[3].textContent, row.cells[5].textContent]]))"""


def api(park, path: str) -> dict:
    with urllib.request.urlopen(f"{park.http_url}/api/v1/{path}", timeout=20) as answer:
        return json.load(answer)


def show(browser, park, query: str, width: int = 1280) -> None:
    browser.log()
    browser.size(width)
    browser.open(f"{park.http_url}/ops/instruments?{query}")
    browser.wait("document.getElementById('shown').hidden === false", 30)


@pytest.mark.parametrize("lang", TAGS)
def test_the_board_is_the_apis(park, browser, lang):
    def expected() -> dict:
        texts = TEXTS[lang]
        return {i["id"]: [name(i, lang), i["status"], texts[f"why_{i['reason']}"], texts[f"activity_{i['activity']}"] if i["activity"] else "–",
                          i["next_free"][5:16].replace("T", " ") if i["next_free"] else "–"] for i in api(park, "instruments?limit=500")["instruments"]}

    show(browser, park, f"lang={lang}")
    assert wait_equal(lambda: browser.run(BOARD), expected, 60)
    assert errors(browser) == []


def test_one_is_found_and_its_day_hours_and_sessions_are_the_apis(park, browser):
    def parts() -> list[dict]:
        return api(park, f"instruments/sem/hours?period={today():%Y-%m}")["parts"]

    def look() -> tuple[list[dict], list[dict]]:
        before = parts()
        show(browser, park, "lang=en&id=sem")
        browser.wait("document.getElementById('detail').dataset.drawn !== undefined", 30)
        return before, parts()

    _, (before, after) = seen(today, look)
    browser.run("document.querySelector('#hours details').open = true")
    browser.wait("document.querySelectorAll('#hours tbody tr').length > 0")
    shown = browser.run("return [...document.querySelectorAll('#hours tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))")
    assert [row[0] for row in shown] == [TEXTS["en"][f"part_{part['part']}"] for part in before]
    for row, first, last in zip(shown, before, after):  # the page looked between our two looks
        low, high = sorted(round(part["ms"] / 3600000, 2) for part in (first, last))
        assert low - 0.005 <= float(row[1]) <= high + 0.005, (row, first, last)
    sessions = api(park, "sessions?instrument=sem&limit=20")["sessions"]
    assert browser.run("return document.querySelectorAll('#sessions tbody tr').length") == len(sessions)
    assert browser.run("return document.querySelectorAll('#week .day-bar').length") == 7
    assert errors(browser) == []


def test_search_and_filter_leave_what_fits(park, browser):
    show(browser, park, "lang=en")
    browser.wait("document.querySelectorAll('#instruments tbody tr').length > 1")
    browser.run("const q = document.getElementById('q'); q.value = 'SEM'; q.dispatchEvent(new Event('input'))")
    assert list(browser.run(BOARD)) == ["sem"]
    browser.run("const q = document.getElementById('q'); q.value = '<b>nothing'; q.dispatchEvent(new Event('input'))")
    assert browser.run(BOARD) == {}
    assert browser.run("return document.getElementById('more').textContent") == TEXTS["en"]["public_no_match"]
    browser.run("const q = document.getElementById('q'); q.value = ''; const s = document.getElementById('status'); s.value = 'OUT_OF_SERVICE'; s.dispatchEvent(new Event('change'))")
    out = [i["id"] for i in api(park, "instruments?limit=500")["instruments"] if i["status"] == "OUT_OF_SERVICE"]
    assert sorted(browser.run(BOARD)) == sorted(out)


def test_nothing_of_one_stands_under_the_name_of_another(park, browser):
    show(browser, park, "lang=en&id=sem")
    browser.wait("document.getElementById('detail').dataset.drawn !== undefined", 30)
    # What is asked of xrd is answered when the test says so, and what the page made of it is counted.
    browser.run("""window.told = 0; const ask = window.fetch; const isLate = new Promise((resolve) => (window.release = resolve));
        window.fetch = async (url, how) => { const answer = await ask(url, how); const json = answer.json.bind(answer);
          if (/xrd/.test(url)) answer.json = () => isLate.then(json).finally(() => setTimeout(() => window.told++));
          return answer; };""")
    click = "document.querySelector('#instruments tr[data-id=%s] a').click()"
    look = "return ['detail-title', 'effective', 'rates', 'week'].map((id) => document.getElementById(id).innerText).concat(document.getElementById('no-sessions').hidden, document.querySelectorAll('#sessions tbody tr').length, document.querySelector('#hours .csv').download.slice(0, 10))"
    shown = browser.run(look)
    browser.run(click % "xrd")
    assert browser.run(look)[1:6] == ["–", "", "", True, 0]
    browser.run(click % "sem")
    browser.wait("(document.getElementById('detail').dataset.drawn ?? '').startsWith('sem ')")
    browser.run("release()")
    browser.wait("told === 3")
    assert browser.run(look)[0] == shown[0] and browser.run(look)[-1] == "hours-sem-"
    assert errors(browser) == []


# What is asked for and matches is answered 503, or only when it is let go, and edited; later(ms): the browser's clock goes on.
ANSWERS = """window.ask = window.fetch; Object.assign(window, { fails: null, holds: null, held: [], edit: null, told: 0 });
    window.fetch = async (url, how) => { const [path, edits, isHeld] = [new URL(url, location).pathname, edit, holds];
      if (fails?.test(path)) return new Response('{"error": {"code": "busy", "message": "not now"}}', { status: 503 });
      const answer = await ask(url, how);
      if (isHeld?.test(path)) await new Promise((go) => held.push(go));
      const said = await answer.json();
      answer.json = async () => { setTimeout(() => told++); return edits ? edits(said) : said; };
      return answer; };
    const clock = performance.now.bind(performance); let aheadMs = 0; performance.now = () => clock() + aheadMs; window.later = (ms) => { aheadMs += ms; };"""
PROBLEMS = "Object.fromEntries(['problem', 'week-problem', 'hours-problem', 'sessions-problem'].map((id) => [id, document.getElementById(id).textContent]).filter(([, said]) => said))"


def test_what_cannot_be_read_is_said_where_it_would_stand_and_by_itself(park, browser):
    show(browser, park, "lang=en&id=sem")
    browser.wait("document.getElementById('detail').dataset.drawn && document.querySelector('#instruments .day-bar')", 30)
    browser.run(ANSWERS + "fails = /hours$/; later(61000)")
    wait_equal(lambda: browser.run(f"return {PROBLEMS}"), lambda: {"hours-problem": "not now"})
    browser.run("window.boards = 0; edit = (said) => { if (said.instruments) setTimeout(() => boards++); return said; }; later(6000)")
    browser.wait("boards > 0", 30)  # which could be read, and does not take that away
    assert browser.run(f"return {PROBLEMS}") == {"hours-problem": "not now"}
    browser.run("fails = /(hours|instruments)$/")
    wait_equal(lambda: browser.run(f"return {PROBLEMS}"), lambda: {"hours-problem": "not now", "problem": "not now"})
    browser.run("fails = /timeline$/; later(61000)")
    wait_equal(lambda: browser.run(f"return {PROBLEMS}"), lambda: {"week-problem": "not now"})
    assert browser.run("return document.querySelectorAll('#instruments .day-bar').length") > 0
    browser.run("later(121000)")
    browser.wait("document.querySelectorAll('#instruments .day-bar').length === 0")
    assert set(browser.run("return [...document.querySelectorAll('#instruments .wide .mark-warn')].map((mark) => mark.textContent)")) <= {f"▲ {TEXTS['en']['timeline_unknown']}"}
    browser.run("fails = null; later(61000)")
    browser.wait(f"document.querySelector('#instruments .day-bar') && Object.keys({PROBLEMS}).length === 0")
    assert errors(browser) == []


def test_an_older_board_does_not_replace_a_newer_one(park, browser):
    show(browser, park, "lang=en")
    look = "return document.querySelectorAll('#instruments tbody tr').length"
    assert browser.run(look) > 1
    browser.run(ANSWERS + "holds = /instruments$/; later(6000)")
    browser.wait("held.length === 1", 30)
    browser.run("holds = null; edit = (said) => (said.instruments ? { ...said, instruments: said.instruments.slice(0, 1) } : said); later(6000)")
    browser.wait("document.querySelectorAll('#instruments tbody tr').length === 1", 30)
    browser.run("window.fetch = () => new Promise(() => {})")
    browser.run("told = 0; held[0]()")
    browser.wait("told === 1")
    assert browser.run(look) == 1


def test_at_a_new_day_an_open_page_shows_it(park, browser):
    show(browser, park, "lang=en&id=sem")
    browser.wait("document.getElementById('detail').dataset.drawn && document.querySelector('#instruments .day-bar')", 30)
    browser.run("""window.asked = []; const ask = window.fetch; window.fetch = (url, how) => { window.asked.push(String(url)); return ask(url, how); };
        const parse = JSON.parse; JSON.parse = (text) => { const said = parse(text);
          if (said?.as_of) said.as_of = new Date(Date.parse(said.as_of) + 86400000).toISOString(); return said; }""")
    browser.wait("asked.filter((url) => url.includes('/timeline')).length > 1", 20)  # its week, and each bar in sight
    _, tomorrow = seen(today, lambda: browser.wait("document.querySelector('#week .day-name').textContent === '%s' && document.querySelector('#week .day-name').textContent" % f"{today() + timedelta(days=1):%m-%d}"))
    assert tomorrow == f"{today() + timedelta(days=1):%m-%d}"
    assert [entry for entry in errors(browser) if "/hours?period=" not in entry["message"]] == []  # a month that is not there yet for the collector


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize("width", [1920, 1280, 390])
def test_it_fits_every_screen_in_both_languages(park, browser, lang, width):
    show(browser, park, f"lang={lang}&id=sem", width)
    browser.wait("document.getElementById('detail').dataset.drawn !== undefined", 30)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    body = browser.run("return document.body.innerText")
    assert "{" not in body and "undefined" not in body and "NaN" not in body
    assert errors(browser) == []


def test_an_id_that_is_none_is_said_on_a_page(park, browser):
    browser.open(f"{park.http_url}/ops/instruments?lang=en&id=%3Cscript%3E")
    assert "“id”" in browser.run("return document.querySelector('main .card').textContent")
    browser.run("document.querySelector('main .card a').click()")
    browser.wait("document.getElementById('shown')?.hidden === false")
    assert browser.run("return document.getElementById('detail').hidden") is True


@pytest.mark.parametrize(("typed", "found"), [("electron microscope", ["sem", "tem"]), ("X-ray", ["xrd"]), ("0", []), ("30", [])])
def test_a_visitor_finds_instruments_of_the_park_by_what_they_are_called(park, browser, typed, found):
    browser.open(f"{park.http_url}/?lang=en")
    browser.run("document.getElementById('q').value = arguments[0]; document.querySelector('form button').click()", typed)
    browser.wait("location.search.includes('q=') && document.readyState === 'complete'")
    assert browser.run("return [...document.querySelectorAll('main [data-id]')].map((one) => one.dataset.id)") == found
