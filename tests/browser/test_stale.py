"""What is of then and not of now says so: a gateway that is offline, a broker or a collector that is away."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from harness.process import wait_until
from relay import Relay
from test_ops import CUT_CARDS, LATER, SHOWN, SHOWN_FIGURES, TAGS, TEXTS, errors, expected_figures, live, show, wait_equal

GONE = "gw-b"


def wait_online(park, gateway: str, state: bool | None) -> dict:
    def found() -> dict | None:
        said = live(park)
        return said if next(one for one in said["gateways"] if one["id"] == gateway)["online"] is state else None

    return wait_until(found, 60, f"{gateway} is {state}")


def readings(said: dict) -> list[dict]:
    return [reading for meter in said["meters"] for reading in (meter["register"], meter["power"]) if reading is not None]


def test_nothing_of_a_gateway_that_is_offline_is_fresh(park):
    wait_online(park, GONE, True)
    wait_until(lambda: all(one["fresh"] for one in readings(live(park))) and live(park)["power"]["fresh"] == live(park)["power"]["meters"] > 0, 30, "all is fresh")
    park.agents[GONE].kill()
    said = wait_online(park, GONE, False)
    gone, others = ([one for one in readings(said) if (one["gateway"] == GONE) is is_gone] for is_gone in (True, False))
    assert gone and others and not any(one["fresh"] for one in gone) and all(one["fresh"] for one in others)
    assert min(one["age_ms"] for one in gone) < 60_000
    assert 0 < said["power"]["fresh"] < said["power"]["meters"] and 0 < said["coverage"]["fresh"] < said["coverage"]["meters"]
    park.agents[GONE].start()
    wait_online(park, GONE, True)
    wait_until(lambda: all(one["fresh"] for one in readings(live(park))), 30, "all is fresh again")


PILL = "return [document.getElementById('connection').className, document.getElementById('connection-text').textContent]"


def test_without_a_broker_nobody_knows_of_a_gateway(park, browser):
    count = len(live(park)["gateways"])
    park.broker.kill()
    try:
        for gateway in live(park)["gateways"]:
            wait_online(park, gateway["id"], None)
        for lang in TAGS:
            texts = TEXTS[lang]
            browser.log()
            browser.size(1280)
            browser.open(f"{park.http_url}/ops/gateways?lang={lang}")
            browser.wait(f"{SHOWN} && document.getElementById('connection').dataset.state === 'deaf'")
            assert browser.run(PILL) == ["pill pill-warn", texts["connected_deaf"]]
            assert browser.run("return [...document.querySelectorAll('#gateways tbody tr')].map((row) => row.cells[1].textContent)") == [f"▲ {texts['online_unknown']}"] * count
            for view, size in (("", (1280, 900)), ("view=screen&", (1920, 1080))):
                browser.size(*size)
                browser.open(f"{park.http_url}/ops?{view}lang={lang}")
                browser.wait(f"{SHOWN} && document.getElementById('connection').dataset.state === 'deaf'")
                lost = sum(one["lost"] for one in live(park)["gateways"])
                line = f"▲ {texts['gateways_unknown'].format(online=0, unknown=count, count=count, lost=lost)}"
                assert browser.run("return [document.getElementById('gateway-text').textContent, document.getElementById('gateway-text').className]") == [line, "mark-warn"]
            assert browser.run("return document.documentElement.scrollHeight") == 1080 and browser.run(CUT_CARDS) == []
            assert errors(browser) == []
    finally:
        park.broker.start()
    browser.wait("document.getElementById('connection').dataset.state === 'open'", 60)
    for gateway in live(park)["gateways"]:
        wait_online(park, gateway["id"], True)


STALE = """const band = document.getElementById('stale');
return { text: band.checkVisibility() ? band.textContent : '', px: parseFloat(getComputedStyle(band).fontSize), opacity: parseFloat(getComputedStyle(document.querySelector('#shown > :not(.wall-link)')).opacity),
    clock: document.getElementById('as-of').checkVisibility(), page: [document.documentElement.scrollWidth, document.documentElement.scrollHeight] }"""


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize(("path", "size", "px", "clock"), [("/ops?view=screen&", (1920, 1080), 48, False), ("/ops?", (1280, 900), 24, True), ("/ops?", (390, 844), 24, True), ("/ops/meters?", (390, 844), 24, True)])
def test_a_page_that_has_lost_the_collector_says_in_large_of_when_it_is(park, browser, lang, path, size, px, clock):
    with Relay(urlsplit(park.http_url).port) as relay:
        browser.size(*size)
        browser.open(f"http://127.0.0.1:{relay.port}{path}lang={lang}")
        browser.wait(f"{SHOWN} && document.getElementById('connection').dataset.state === 'open'")
        browser.run(LATER % 0)
        well = browser.run(STALE)
        assert (well["text"], well["opacity"], well["clock"]) == ("", 1, True)
        relay.cut()
        browser.wait("document.getElementById('connection').dataset.state === 'lost'")
        last = browser.run("return document.getElementById('as-of').textContent")
        at = datetime.fromisoformat(last[:19])
        times = {last[11:] if (at + timedelta(seconds=age)).date() == at.date() else last for age in (200, 230)}  # of yesterday with its day
        browser.run("later(200000)")
        browser.wait("document.getElementById('stale').checkVisibility()")
        found = browser.run(STALE)
        assert found["text"] in {f"▲ {TEXTS[lang]['as_of_lost'].format(time=time, age=TEXTS[lang]['minutes'].format(n=3))}" for time in times}
        assert found["px"] >= px and found["opacity"] <= 0.5 and found["clock"] is clock and found["page"][0] <= size[0]
        if "screen" in path:
            assert found["page"] == [1920, 1080] and browser.run(CUT_CARDS) == []
        relay.join()
        browser.wait("document.getElementById('connection').dataset.state === 'open' && !document.getElementById('stale').checkVisibility()", 60)
        again = browser.run(STALE)
        assert (again["text"], again["opacity"], again["clock"]) == ("", 1, True)
        browser.open("about:blank")
    browser.log()  # that the connection was refused is in the console, and rightly so


# The store is away, and what another program says of it is another thing at each event.
AWAY = """const parse = JSON.parse; let n = 0;
JSON.parse = (said) => { const event = parse(said); if (event?.health) event.health = { status: 'degraded', reasons: [
    { code: 'store_unavailable', message: `the time-series store is not available, everything is kept: http://10.0.0.7:8086: timed out after ${++n} ms`, detail: null },
    { code: 'gateways_offline', message: 'not online: gw-x', detail: 'gw-x' }] }; return event; };"""


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize("path", ["/ops?", "/ops?view=screen&", "/ops/energy?"])
def test_another_programs_words_are_not_on_the_page_and_the_banner_stands_still(park, browser, lang, path):
    script = browser.command("Page.addScriptToEvaluateOnNewDocument", source=AWAY)["identifier"]
    try:
        browser.open(f"{park.http_url}{path}lang={lang}")
        browser.wait("document.querySelectorAll('#reasons li').length === 2")
    finally:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
    browser.run("window.changes = 0; new MutationObserver((list) => { changes += list.length; }).observe(document.getElementById('health'), { childList: true, characterData: true, subtree: true })")
    first = browser.run("return document.querySelector('#reasons li').title")
    browser.wait(f"document.querySelector('#reasons li').title !== {json.dumps(first)}", 30)
    shown = browser.run("return [...document.querySelectorAll('#reasons li')].map((item) => item.textContent)")
    assert shown == [TEXTS[lang]["reason_store_unavailable"], TEXTS[lang]["reason_gateways_offline"] + TEXTS[lang]["reason_detail"].format(detail="gw-x")]
    assert browser.run("return changes") == 0 and "10.0.0.7" in first


@pytest.mark.parametrize("lang", TAGS)
def test_a_collector_that_does_not_answer_is_said_in_the_pages_language(park, browser, lang):
    with Relay(urlsplit(park.http_url).port) as relay:
        browser.open(f"http://127.0.0.1:{relay.port}/ops/energy?lang={lang}")
        browser.wait("document.body.dataset.drawn !== undefined", 30)
        relay.cut()
        browser.run("document.querySelector('.step-by button').click()")
        browser.wait("document.getElementById('problem').textContent !== ''")
        assert browser.run("return document.getElementById('problem').textContent") == TEXTS[lang]["no_answer"]
        browser.open("about:blank")
    browser.log()  # that the connection was refused is in the console, and rightly so


@pytest.fixture(scope="module")
def without(park):
    """The park while one of its gateways is gone: what it sent last is a moment old."""
    park.agents[GONE].kill()
    wait_online(park, GONE, False)
    yield park
    park.agents[GONE].start()
    wait_online(park, GONE, True)


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize(("query", "size"), [("?", (1280, 900)), ("?", (390, 844)), ("?view=screen&", (1920, 1080))])
def test_a_sum_without_it_is_at_least_that_and_says_of_how_many_meters(without, browser, lang, query, size):
    browser.log()
    browser.size(*size)
    browser.open(f"{without.http_url}/ops{query}lang={lang}")
    browser.wait(SHOWN)
    shown = wait_equal(lambda: browser.run(SHOWN_FIGURES["overview"]), lambda: expected_figures(live(without), "overview", lang))
    power = live(without)["power"]
    assert shown["total"].startswith("≥ ") and any(figure == "–" for _, figure in shown["buildings"].values())
    assert browser.run("return [document.getElementById('total-coverage').textContent, document.getElementById('total-power').className]") == [TEXTS[lang]["known_part"].format(**power), "part"]
    assert browser.run("return document.documentElement.scrollWidth") <= size[0]
    if "screen" in query:
        assert browser.run("return document.documentElement.scrollHeight") == 1080 and browser.run(CUT_CARDS) == []
    assert errors(browser) == []


@pytest.mark.parametrize("lang", TAGS)
def test_its_meters_say_why(without, browser, lang):
    show(browser, without, f"?lang={lang}", view="meters")
    of = {meter["id"]: {one["gateway"] for one in (meter["register"], meter["power"]) if one is not None} for meter in live(without)["meters"]}
    words = browser.run("return Object.fromEntries([...document.querySelectorAll('#meters tbody tr')].map((row) => [row.dataset.id, row.cells[6].textContent]))")
    assert {id: word for id, word in words.items() if GONE in of[id]} == {id: f"✕ {TEXTS[lang]['quality_offline']}" for id in of if GONE in of[id]} != {}
    assert {word for id, word in words.items() if of[id] and GONE not in of[id]} == {f"● {TEXTS[lang]['quality_good']}"}
