"""A park whose sites have clocks of their own: each thing is told by the clocks of its place."""

from __future__ import annotations

import json
import re
import urllib.request
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from alarm_house import ALWAYS, Alarms, park
from harness.process import wait_until
from harness.stage import Stage
from test_energy import seen
from test_login import fill_in
from test_ops import TAGS, TEXTS, errors

BERLIN = ZoneInfo("Europe/Berlin")
OFFSET = {"s1": "+08:00", "s2": f"{datetime.now(BERLIN):%z}"[:3] + ":00"}
RULES = '{ id = "quiet"; kind = "no_data"; on = ("gateway:gw-a", "gateway:gw-b"); for = 2; }'


def two_zones() -> str:
    """The microscope, gateway B and the meter of water stand in Berlin; the microscope is open from eight to ten there. A third site is empty."""
    model = park().replace(ALWAYS, ALWAYS.replace(
        'zone = "Asia/Shanghai"; });', 'zone = "Asia/Shanghai"; }, { id = "s2"; name = "柏林"; name_en = "Berlin"; zone = "Europe/Berlin"; }, { id = "s3"; name = "空"; name_en = "Empty"; zone = "Asia/Shanghai"; });').replace(
        'site = "s1"; });', 'site = "s1"; }, { id = "b2"; name = "楼"; name_en = "House"; site = "s2"; });', 1).replace(
        'name_en = "B"; site = "s1"; building = "b1"', 'name_en = "B"; site = "s2"; building = "b2"'))
    model = model.replace('name_en = "Meter tap"; building = "b1"', 'name_en = "Meter tap"; building = "b2"')
    return model.replace('name_en = "Microscope"; building = "b1";', 'name_en = "Microscope"; building = "b2"; open = "08:00-22:00";')


class House(Alarms):
    def wait_quiet(self, gateway: str) -> dict:
        return wait_until(lambda: next((one for one in self.of("quiet") if one["target"]["id"] == gateway and one["state"] == "standing"), None), 30, f"{gateway} is silent")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("zones")) as stage:
        found = House(stage, two_zones(), RULES, "", "repeat = 3600;")
        found.begin()
        found.url = found.collector.http_url
        found.bo = found.token("bo", "--role", "operator", "--scope", "decisions,readings,outages,alarms")
        for target in ("xrd", "sem"):
            status, said = found.ask("POST", "/api/v1/outages", found.bo, {"kind": "problem", "instrument": target, "category": "fault", "note": target})
            assert status == 201, said
        found.gauge("main.p", 1)
        found.seq += 3  # two batches never came
        found.agent.send(found.seq, ["gauge,point=main.p value=1 " + str(int(datetime.now().timestamp() * 1000))], first=found.seq)
        found.agent.wait_ack(found.seq)
        yield found


def share(day: date, at: datetime | str) -> float:
    """How far into a day of Berlin that is, in per cent: a day may have an hour more or less."""
    at = datetime.combine(day, time.fromisoformat(at), BERLIN) if isinstance(at, str) else at
    begin, end = (datetime.combine(one, time(), BERLIN).timestamp() for one in (day, day + timedelta(days=1)))
    return 100 * (at.timestamp() - begin) / (end - begin)


EDGES = "return [...document.querySelectorAll(arguments[0])].map((bar) => [...bar.querySelectorAll('.span-closed')].map((part) => [part.style.left, part.style.width].map(parseFloat)))"


def test_a_day_of_an_instrument_is_that_of_its_place(house, browser):
    def look() -> tuple[list[str], list[float], datetime]:
        browser.log()
        browser.size(1280)
        browser.open(f"{house.url}/ops/instruments?lang=en&id=sem")
        browser.wait("document.getElementById('detail').dataset.drawn && document.querySelector('tr[data-id=sem] .day-bar')", 30)
        names, marks = browser.run("""return [[...document.querySelectorAll('#week .day-name')].map((one) => one.textContent),
            [...document.querySelectorAll('tr[data-id=sem] .now, #week .now')].map((mark) => parseFloat(mark.style.left))]""")
        return names, marks, datetime.now(BERLIN)

    today, (shown, marks, now) = seen(lambda: datetime.now(BERLIN).date(), look)
    days = [today + timedelta(days=n) for n in range(7)]
    assert shown == [f"{day:%m-%d}" for day in days]
    for day, closed in list(zip(days, browser.run(EDGES, "#week .day-bar")))[1:]:  # what was before the collector ran nobody knows
        assert closed[0][0] == 0 and abs(closed[0][1] - share(day, "08:00")) < 0.01, (day, closed)
        assert abs(closed[-1][0] - share(day, "22:00")) < 0.01 and abs(sum(closed[-1]) - 100) < 0.01, (day, closed)
    assert len(marks) == 2 and all(abs(mark - share(today, now)) < 1 for mark in marks), marks
    assert errors(browser) == []


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize(("site", "carriers"), [("s1", ["electricity"]), ("s2", ["water"])])
def test_the_energy_of_a_site_is_of_what_it_has_meters_of(house, browser, lang, site, carriers):
    browser.log()
    for carrier in ("", "&carrier=electricity"):
        browser.open(f"{house.url}/ops/energy?lang={lang}&length=day&site={site}{carrier}")
        browser.wait("document.body.dataset.shown !== undefined || document.getElementById('problem').textContent !== ''", 30)
        assert browser.run("return [...document.getElementById('carrier').options].map((option) => option.value)") == carriers
        assert browser.run("return [document.getElementById('carrier').value, document.getElementById('span').textContent.includes(arguments[0])]", TEXTS[lang][f"carrier_{carriers[0]}"]) == [carriers[0], True]
    assert errors(browser) == []


def test_of_a_site_without_meters_that_is_said_and_another_can_be_chosen(house, browser):
    browser.log()
    browser.open(f"{house.url}/ops/energy?lang=en&site=s3")
    browser.wait("document.getElementById('connection').dataset.state === 'open'")
    assert browser.run("return document.getElementById('no-meters').innerText") == TEXTS["en"]["meters_none_here"]
    assert browser.run("return [...document.querySelectorAll('#controls :is(select, input, button)')].filter((one) => one.offsetParent).map((one) => one.id)") == ["site"]
    browser.run("const site = document.getElementById('site'); site.value = 's2'; site.dispatchEvent(new Event('change'))")
    browser.wait("document.body.dataset.shown !== undefined && location.search.includes('site=s2')")
    assert errors(browser) == []


def sign_in(house, browser) -> None:
    browser.command("Network.clearBrowserCookies")
    browser.open(f"{house.url}/login?lang=en")
    fill_in(browser, house.bo)
    browser.wait("location.pathname !== '/login'")


ROWS = "return [...document.querySelectorAll(arguments[0] + ' tbody tr')].map((row) => row.innerText.replace(/\\s+/g, ' '))"
TIMES = r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?(?: (\+\d\d:\d\d|UTC))?"


@pytest.mark.parametrize("width", [1920, 1280, 390])
def test_times_of_lists_and_forms_say_by_whose_clocks_they_are(house, browser, width):
    for gateway in ("gw-a", "gw-b"):
        house.wait_quiet(gateway)
    sign_in(house, browser)
    browser.size(width)
    browser.log()
    for path, table, words in (("alarms", "#lists", {"gw-a": "s1", "gw-b": "s2"}), ("outages", "#lists", {"xrd": "s1", "sem": "s2"}), ("gateways", "#losses", {"gw-a": "s1"})):
        browser.open(f"{house.url}/ops/{path}?lang=en")
        browser.wait(f"document.getElementById('connection').dataset.state === 'open' && document.querySelectorAll('{table} tbody tr').length >= {len(words)}")
        rows = browser.run(ROWS, table)
        for word, site in words.items():
            found = [re.findall(TIMES, row) for row in rows if word in row]
            assert found and all(times and set(times) == {OFFSET[site]} for times in found), (path, word, rows)
        assert re.fullmatch(TIMES, browser.wait("document.getElementById('as-of').textContent"))[1] == OFFSET["s1"]
        assert browser.run("return document.documentElement.scrollWidth") <= width, path
    for path in ("outage?act=open&kind=broken", "outage?act=open&kind=planned", "decide?kind=replacement", "reading?"):
        browser.open(f"{house.url}/ops/{path}&lang=en")
        said = browser.run("return document.querySelector('main').innerText")
        assert TEXTS["en"]["help_time_zones"].split(",")[0] in said and "Park time" not in said, path
    browser.open(f"{house.url}/ops/instruments?lang=en")
    browser.wait("document.querySelectorAll('#instruments tbody tr').length === 2")
    for id, said in browser.run("return [...document.querySelectorAll('#instruments tbody tr')].map((row) => [row.dataset.id, row.cells[5].textContent])"):
        assert said == "–" or said[-7:] in {"xrd": [" +08:00"], "sem": [" +01:00", " +02:00"]}[id], (id, said)  # it may lie beyond a change of clocks
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert errors(browser) == []


def test_who_was_quicker_is_said_by_the_clocks_of_the_place_and_which_those_are(house, browser):
    alarm = house.wait_quiet("gw-b")
    sign_in(house, browser)
    browser.open(f"{house.url}/ops/alarms?lang=en")
    assert house.ask("POST", f"/api/v1/alarms/{alarm['id']}/ack", house.bo, {"note": "quicker"})[0] == 200
    browser.run("[...document.querySelectorAll('form.ack')].find((one) => one.elements.id.value === arguments[0]).requestSubmit()", str(alarm["id"]))
    browser.wait("document.querySelector('.message') !== null")
    assert browser.run("return document.querySelector('.message').textContent").endswith(" " + OFFSET["s2"])
    row, = [row for row in browser.run(ROWS, "#lists") if "quicker" in row]
    assert re.findall(TIMES, row) == [OFFSET["s2"]] * 2


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize("path", ["/ops?", "/ops?view=screen&", "/ops/gateways?"])
def test_of_losses_the_records_are_counted_and_only_those_of_the_last_days_are_bad(house, browser, lang, path):
    with urllib.request.urlopen(f"{house.url}/api/v1/live", timeout=20) as answer:
        gateway = next(one for one in json.load(answer)["gateways"] if one["id"] == "gw-a")
    assert gateway["lost"] == 1 and abs(datetime.now(BERLIN) - datetime.fromisoformat(gateway["lost_newest"])) < timedelta(minutes=30)
    for days, kind in ((6, "mark-bad"), (8, "quiet")):
        at = (datetime.now(BERLIN) - timedelta(days=days)).isoformat()
        script = browser.command("Page.addScriptToEvaluateOnNewDocument", source=f"""const parse = JSON.parse; JSON.parse = (...given) => {{ const said = parse(...given);
            for (const one of said?.gateways ?? []) {{ one.online = true; if (one.lost) one.lost_newest = '{at}'; }} return said; }}""")["identifier"]
        try:
            browser.size(1280)
            browser.open(f"{house.url}{path}lang={lang}")
            browser.wait("document.getElementById('shown').hidden === false")
            if "gateways" in path:
                assert browser.run("return document.getElementById('gateways').tHead.rows[0].cells[5].textContent") == TEXTS[lang]["lost"]
                said, found = browser.run("const cell = document.querySelector('#gateways tr[data-id=gw-a]').cells[5].firstElementChild; return [cell.textContent, cell.className || 'quiet']")
                assert said == "1"
            else:
                said, found = browser.run("const line = document.getElementById('gateway-text'); return [line.textContent, line.className]")
                assert said == TEXTS[lang]["gateways_lost"].replace("{online}", "2").replace("{count}", "2").replace("{lost}", "1")
            assert found == kind, (days, said)
        finally:
            browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
