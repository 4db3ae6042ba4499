"""A park whose sites have clocks of their own: each thing is told by the clocks of its place."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from alarm_house import ALWAYS, Alarms, park
from harness.stage import Stage
from test_energy import seen
from test_ops import TAGS, TEXTS, errors

BERLIN = ZoneInfo("Europe/Berlin")
RULES = '{ id = "quiet"; kind = "no_data"; on = ("gateway:gw-a", "gateway:gw-b"); for = 2; }'


def two_zones() -> str:
    """The microscope, gateway B and the meter of water stand in Berlin; the microscope is open from eight to ten there. A third site is empty."""
    model = park().replace(ALWAYS, ALWAYS.replace(
        'zone = "Asia/Shanghai"; });', 'zone = "Asia/Shanghai"; }, { id = "s2"; name = "柏林"; name_en = "Berlin"; zone = "Europe/Berlin"; }, { id = "s3"; name = "空"; name_en = "Empty"; zone = "Asia/Shanghai"; });').replace(
        'site = "s1"; });', 'site = "s1"; }, { id = "b2"; name = "楼"; name_en = "House"; site = "s2"; });', 1).replace(
        'name_en = "B"; site = "s1"; building = "b1"', 'name_en = "B"; site = "s2"; building = "b2"'))
    model = model.replace('name_en = "Meter tap"; building = "b1"', 'name_en = "Meter tap"; building = "b2"')
    return model.replace('name_en = "Microscope"; building = "b1";', 'name_en = "Microscope"; building = "b2"; open = "08:00-22:00";')


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("zones")) as stage:
        found = Alarms(stage, two_zones(), RULES, "", "repeat = 3600;")
        found.begin()
        found.url = found.collector.http_url
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
