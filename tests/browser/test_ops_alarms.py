"""Alarms as operators see and acknowledge them: Chromium on a running collector, also with JavaScript off, both languages, a wall's, a desk's and a phone's width."""

from __future__ import annotations

import pytest
from alarm_house import Alarms, park
from harness.stage import Stage
from test_login import PAGES, fill_in, text  # noqa: F401
from test_ops import LATER, TAGS, TEXTS, errors, wait_equal

RULES = """
  { id = "power"; kind = "threshold"; severity = "critical"; on = ("meter:main"); above = "300000"; clear = "250000"; for = 0; clear_for = 0; },
  { id = "more"; kind = "threshold"; on = ("meter:main"); above = "350000"; for = 0; clear_for = 0; },
  { id = "quiet"; kind = "no_data"; on = ("gateway:gw-b"); for = 2; }
"""
ICONS = {"good": "✓", "quiet": "○", "warn": "▲", "bad": "✕"}
WORDS = {"en": ("critical", "Beyond its limit", "Meter main", "310 kW", "No data"), "zh": ("严重", "越限", "表main", "310 kW", "长时间无数据")}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("alarms")) as stage:
        found = Alarms(stage, park(), RULES, "", "repeat = 3600;")
        found.begin()
        found.url = found.collector.http_url
        yield found


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize("width", [1920, 1280, 390])
def test_an_operator_acknowledges_what_stands(house, page, lang, width):
    texts = TEXTS[lang]
    house.gauge("main.p", 310_000)
    alarm = house.wait_standing("power", True)
    house.wait_standing("quiet", True)
    page.open(f"{house.url}/login?lang=en")
    fill_in(page, house.anna)
    page.wait("location.pathname !== '/login'")
    page.size(width)
    page.open(f"{house.url}/ops/alarms?lang={lang}")
    assert page.run("return document.documentElement.lang") == TAGS[lang]
    shown = text(page)
    assert all(word in shown for word in WORDS[lang])
    assert page.run("return document.querySelector('.rail [aria-current=page]').getAttribute('href')") == f"/ops/alarms?lang={lang}"
    assert page.run("return document.documentElement.scrollWidth") <= width
    page.run("""const row = [...document.querySelectorAll('tbody tr')].find((one) => one.firstElementChild.textContent === arguments[0]);
                row.querySelector('[name=note]').value = 'on my way <b>'; row.querySelector('button').click()""", str(alarm["id"]))
    page.wait("location.search.includes('done=')")
    shown = text(page)
    assert f"{texts['alarm_done']} {alarm['id']}".replace("： ", "：") in shown and "on my way <b>" in shown
    assert page.run("return document.documentElement.scrollWidth") <= width
    found = house.wait_standing("power", True)
    assert (found["id"], found["acked_by"], found["ack_note"]) == (alarm["id"], "anna <b>", "on my way <b>")
    assert errors(page) == []
    house.gauge("main.p", 1)
    house.wait_standing_none("power")


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize("view", ["/ops?", "/ops?view=screen&"])
def test_the_overview_and_the_wall_count_what_stands_as_the_api_does(house, browser, view, lang):
    def shown() -> tuple[str, str, str]:
        return tuple(browser.run("""const [item] = document.querySelectorAll('#open li');
                                    return item ? [item.textContent, item.className, item.querySelector('a').getAttribute('href')] : [];"""))

    def expected() -> tuple[str, str, str]:
        standing = house.listed("?state=standing")
        assert house.ask("GET", "/api/v1/summary", house.operator)[1]["alarms"]["standing"] == len(standing)
        eyes = [one["severity"] for one in standing if one["acked_by"] is None]
        worst = "bad" if "critical" in eyes else "warn" if eyes else "quiet" if standing else "good"
        said = TEXTS[lang]["alarms_acked" if len(eyes) < len(standing) else "alarms_now"].replace("{n}", str(len(standing))).replace("{acked}", str(len(standing) - len(eyes)))
        return f"{ICONS[worst]} {said}", f"mark-{worst}", f"/ops/alarms?lang={lang}"

    house.gauge("main.p", 1)
    house.wait_standing_none("power")
    house.wait_standing("quiet", True)
    browser.log()
    browser.size(1920, 1080)
    browser.open(f"{house.url}{view}lang={lang}")
    browser.wait("document.querySelectorAll('#open li').length > 0")
    browser.run(LATER % 0)
    assert wait_equal(shown, expected, 40)[1] == "mark-warn"
    house.gauge("main.p", 310_000)
    alarm = house.wait_standing("power", True)
    browser.run("later(15000)")
    assert wait_equal(shown, expected, 40)[1] == "mark-bad"  # by itself
    assert house.ask("POST", f"/api/v1/alarms/{alarm['id']}/ack", house.anna, {"note": ""})[0] == 200
    browser.run("later(15000)")
    assert wait_equal(shown, expected, 40)[1] == "mark-warn"
    assert "2" in shown()[0] and "1" in shown()[0]
    assert browser.run("return document.documentElement.scrollWidth") <= 1920
    assert errors(browser) == []


OFF = """const ask = window.fetch; window.fetch = async (url, how) => { const answer = await ask(url, how), json = answer.json.bind(answer);
  if (/summary/.test(url)) answer.json = async () => { const said = await json(); return { ...said, alarms: { ...said.alarms, off: true, standing: 0, critical: 0 } }; };
  return answer; };"""


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize("view", ["/ops?", "/ops?view=screen&"])
def test_alarms_that_are_off_are_not_shown_as_well(house, browser, view, lang):
    script = browser.command("Page.addScriptToEvaluateOnNewDocument", source=OFF)["identifier"]
    try:
        browser.size(1920, 1080)
        browser.open(f"{house.url}{view}lang={lang}")
        browser.wait("document.querySelectorAll('#open li').length > 0")
        said, mark = browser.run("const [item] = document.querySelectorAll('#open li'); return [item.textContent, item.className]")
        assert TEXTS[lang]["alarms_now_off"].replace("{n}", "0") in said and mark == "mark-warn"
    finally:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script)


def open_alarms(house, browser, lang: str = "en") -> None:
    """As who may acknowledge."""
    browser.command("Network.clearBrowserCookies")
    browser.open(f"{house.url}/login?lang={lang}")
    fill_in(browser, house.anna)
    browser.wait("location.pathname !== '/login'")
    browser.open(f"{house.url}/ops/alarms?lang={lang}")


def test_a_page_that_stands_open_follows_and_leaves_what_is_being_typed(house, browser):
    house.gauge("main.p", 1)
    house.wait_standing_none("power")
    browser.size(1280)
    browser.log()
    open_alarms(house, browser)
    browser.wait("document.getElementById('connection').dataset.state === 'open' && document.getElementById('as-of').textContent !== '–'")
    standing = "[...document.querySelector('#lists table tbody').rows].map((row) => row.cells[0].textContent)"
    house.gauge("main.p", 310_000)
    alarm = house.wait_standing("power", True)
    browser.wait(f"{standing}.includes('{alarm['id']}')", 30)
    browser.run("window.note = document.querySelector('#lists [name=note]'); note.focus(); note.value = 'on my w'")
    house.gauge("main.p", 1)
    house.wait_standing_none("power")
    browser.run("window.asked = 0; const fetched = window.fetch; window.fetch = (...what) => { asked++; return fetched(...what); }")
    browser.wait("asked >= 2", 40)
    assert browser.run(f"return note.isConnected && {standing}.includes('{alarm['id']}')")
    assert wait_equal(lambda: browser.run(AGE), lambda: browser.run(AGE_OF_OLD))
    browser.run("note.value = ''; note.blur()")
    browser.wait(f"!{standing}.includes('{alarm['id']}')", 30)
    wait_equal(lambda: browser.run(AGE), lambda: browser.run(AGE_OF_NEW))
    assert errors(browser) == []


# What a page of lists says of when it is, in the header and beside the list; and what it has to say.
AGE = "return ['as-of', 'lists-age'].map((id) => document.getElementById(id).textContent)"
AGE_OF = "const [, day, time] = /^(.{10})T(.{8})/.exec(document.getElementById('lists').dataset.asOf); return [`${day} ${time}`, %s]"
AGE_OF_OLD = AGE_OF % f"'▲ {TEXTS['en']['old']}'.replace('{{time}}', `${{day}} ${{time}}`)"
AGE_OF_NEW = AGE_OF % f"`{TEXTS['en']['as_of']} ${{time}}`"


def test_a_list_that_cannot_be_read_says_of_when_it_is(house, browser):
    open_alarms(house, browser)
    browser.wait("document.getElementById('connection').dataset.state === 'open'")
    old = browser.run("window.ask = fetch; window.fetch = () => Promise.resolve(new Response('', { status: 503 })); return document.getElementById('lists').dataset.asOf")
    browser.wait(f"document.getElementById('lists-age').textContent.startsWith('▲')", 40)
    assert browser.run(AGE) == browser.run(AGE_OF_OLD)
    house.gauge("main.p", 2)  # the stream goes on
    browser.run("window.events = 0; new EventSource('/api/v1/stream').addEventListener('live', () => { events++; })")
    browser.wait("events > 1", 60)
    assert browser.run(AGE) == browser.run(AGE_OF_OLD) and browser.run("return document.getElementById('lists').dataset.asOf") == old
    browser.run("window.fetch = ask")
    browser.wait(f"document.getElementById('lists').dataset.asOf !== '{old}'", 40)
    assert wait_equal(lambda: browser.run(AGE), lambda: browser.run(AGE_OF_NEW))


def test_a_list_is_renewed_below_the_focus_of_a_button_which_stays(house, browser):
    house.gauge("main.p", 1)
    house.wait_standing_none("power")
    quiet = house.wait_standing("quiet", True)
    open_alarms(house, browser)
    name = f"{TEXTS['en']['alarm_ack']} {quiet['id']}"
    browser.run("[...document.querySelectorAll('#lists button')].find((one) => one.getAttribute('aria-label') === arguments[0]).focus()", name)
    house.gauge("main.p", 310_000)
    alarm = house.wait_standing("power", True)
    browser.wait(f"[...document.querySelectorAll('#lists tbody td:first-child')].some((cell) => cell.textContent === '{alarm['id']}')", 40)
    assert browser.run("return document.activeElement.getAttribute('aria-label')") == name
    house.gauge("main.p", 1)
    house.wait_standing_none("power")


@pytest.mark.parametrize("lang", TAGS)
def test_the_name_of_an_alarms_meter_leads_to_its_energy_of_that_day(house, browser, lang):
    house.gauge("main.p", 310_000)
    alarm = house.wait_standing("power", True)
    browser.size(1280)
    browser.log()
    open_alarms(house, browser, lang)
    browser.run("[...document.querySelectorAll('#lists tbody tr')].find((row) => row.cells[0].textContent === arguments[0]).querySelector('th a').click()", str(alarm["id"]))
    browser.wait("location.pathname === '/ops/energy' && document.getElementById('detail')?.checkVisibility()", 40)
    assert browser.run("return [document.getElementById('detail-title').textContent, document.getElementById('from').value, document.documentElement.lang]") == [
        alarm["target"]["name" if lang == "zh" else "name_en"], alarm["fired"][:10], TAGS[lang]]
    assert errors(browser) == []
    house.gauge("main.p", 1)
    house.wait_standing_none("power")


def test_of_two_alarms_of_one_meter_the_focus_stays_at_its_own(house, browser):
    house.gauge("main.p", 360_000)
    alarms = [house.wait_standing(rule, True)["id"] for rule in ("power", "more")]
    open_alarms(house, browser)
    last = browser.run("""window.of = [...document.querySelectorAll('#lists tbody th a')].filter((one) => one.textContent === 'Meter main' && arguments[0].includes(Number(one.closest('tr').cells[0].textContent))).at(-1);
                          of.focus(); return of.closest('tr').cells[0].textContent""", alarms)
    house.gauge("main.p", 1)
    house.wait_standing_none("more")
    browser.wait("!of.isConnected", 40)
    assert browser.run("return document.activeElement.closest('tr')?.cells[0].textContent") == last
    house.wait_standing_none("power")


def test_a_refused_acknowledgement_says_of_which_alarm_keeps_the_note_and_the_language(house, browser):
    house.gauge("main.p", 310_000)
    alarm = house.wait_standing("power", True)
    open_alarms(house, browser, "zh")
    assert house.ask("POST", f"/api/v1/alarms/{alarm['id']}/ack", house.anna, {"note": "quicker"})[0] == 200
    browser.run("""const form = [...document.querySelectorAll('form.ack')].find((one) => one.elements.id.value === arguments[0]);
                   form.elements.note.value = '在路上 <b>'; form.requestSubmit()""", str(alarm["id"]))
    browser.wait("document.querySelector('.message') !== null && document.getElementById('connection').dataset.state === 'open'")
    said = browser.run("return document.querySelector('.message').textContent")
    assert said.startswith(f"{alarm['id']} · 越限 · ") and "表main（main）：" in said and said.endswith(f"{TEXTS['zh']['alarm_note_untaken']}在路上 <b>")
    first = browser.run("return document.getElementById('lists').dataset.asOf")
    house.gauge("main.p", 1)
    house.wait_standing_none("power")
    browser.wait(f"document.getElementById('lists').dataset.asOf !== '{first}' && [...document.querySelectorAll('#lists table')][1].innerText.includes('quicker')", 40)
    assert browser.run("return document.querySelector('#lists h2').textContent") == TEXTS["zh"]["alarms_standing"]
    assert [entry for entry in errors(browser) if "422" not in entry["message"]] == []


def test_a_note_names_its_alarm_and_escape_gives_it_up_and_lets_the_list_go_on(house, browser):
    house.gauge("main.p", 1)
    house.wait_standing_none("power")
    quiet = house.wait_standing("quiet", True)
    open_alarms(house, browser)
    browser.wait("document.getElementById('connection').dataset.state === 'open'")
    browser.run("document.querySelector('#lists [name=note]').focus()")
    browser.command("Input.insertText", text="on my w")
    assert browser.run("return [document.activeElement.getAttribute('aria-label'), document.activeElement.value]") == [f"{TEXTS['en']['alarm_note']} {quiet['id']} B", "on my w"]
    house.gauge("main.p", 310_000)
    alarm = house.wait_standing("power", True)
    for kind in ("keyDown", "keyUp"):
        browser.command("Input.dispatchKeyEvent", type=kind, key="Escape", code="Escape", windowsVirtualKeyCode=27)
    assert browser.run("return document.activeElement.getAttribute('aria-label')") == f"{TEXTS['en']['alarm_ack']} {quiet['id']}"
    browser.wait(f"[...document.querySelectorAll('#lists tbody td:first-child')].some((cell) => cell.textContent === '{alarm['id']}')", 40)
    assert browser.run("return [...document.querySelectorAll('#lists [name=note]')].every((note) => note.value === '')")
    house.gauge("main.p", 1)
    house.wait_standing_none("power")


def test_on_paper_a_list_of_alarms_has_their_severity_and_nothing_to_press(house, browser):
    house.wait_standing("quiet", True)
    browser.command("Network.clearBrowserCookies")
    browser.open(f"{house.url}/ops/alarms?lang=en")
    browser.command("Emulation.setEmulatedMedia", media="print")
    try:
        assert browser.run("return document.querySelector('#lists tbody tr').cells[1].innerText") == "warning"
        assert browser.run("return ['#connection', '.rail', '.languages'].map((one) => document.querySelector(one).offsetParent)") == [None] * 3
    finally:
        browser.command("Emulation.setEmulatedMedia", media="")
