"""What gateways lost, and what of theirs was kept aside, as operators see it: each cell is what was sent, and the API's."""

from __future__ import annotations

import json
import urllib.request

import pytest
from harness.stage import Stage
from publisher import Publisher
from test_collector import House
from test_ops import SHOWN, TAGS, TEXTS, errors, wait_equal

SENT = 52  # bad lines; the page has the newest 50, and the others when somebody wants them
FROM_MS, TO_MS = 1772359200000, 1772362800500  # 2026-03-01, 18:00 and 19:00 in Shanghai
CELLS = "return [...document.querySelectorAll('#%s tbody tr')].map((row) => [...row.cells].map((cell) => cell.firstElementChild.textContent))"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("gateways")) as stage:
        yield House(stage).start()


def listed(house, name: str, limit: int = 50) -> list[dict]:
    with urllib.request.urlopen(f"{house.collector.http_url}/api/v1/{name}?limit={limit}", timeout=10) as answer:
        return json.load(answer)[name]


def when(time: str | None) -> str:
    return "–" if time is None else time[:19].replace("T", " ")


def show(house, browser, lang: str, width: int) -> None:
    browser.log()
    browser.size(width)
    browser.open(f"{house.collector.http_url}/ops/gateways?lang={lang}")
    browser.wait(SHOWN)


def test_where_there_is_none_the_page_says_so(house, browser):
    show(house, browser, "en", 1280)
    browser.wait("performance.getEntriesByType('resource').filter((one) => /losses|quarantine/.test(one.name)).length === 2")
    assert browser.run("return ['losses', 'no-losses', 'quarantine', 'no-quarantine'].map((id) => document.getElementById(id).checkVisibility())") == [False, True, False, True]


@pytest.fixture(scope="module")
def lost(house):
    """Of gw-a two batches and three readings before them, and one line of gw-b after another."""
    first, second = Publisher(house.broker, "gw-a"), Publisher(house.broker, "gw-b")
    first.send(1, [house.line(1)])
    first.wait_ack(1)
    first.send(4, [house.line(4)], first=4, more=f" dropped=3 from={FROM_MS} to={TO_MS}")
    first.wait_ack(4)
    second.send(1, [f"gauge,point=<i>{n} value=1 1" for n in range(SENT)])
    second.wait_ack(1)
    return house


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize("width", [1280, 390])
def test_what_was_lost_and_what_was_kept_aside_is_listed(lost, browser, lang, width):
    show(lost, browser, lang, width)
    losses, quarantine = listed(lost, "losses"), listed(lost, "quarantine")
    wait_equal(lambda: [browser.run(CELLS % name) for name in ("losses", "quarantine")], lambda: [
        [[when(one["recorded"]), one["gateway"], when(one["from"]), when(one["to"]), "–" if one["readings"] is None else str(one["readings"]), one["reason"]] for one in losses],
        [[when(one["recorded"]), one["gateway"], one["reason"]] for one in quarantine]])
    shown = browser.run(CELLS % "losses")
    assert [row[1:5] for row in shown] == [["gw-a", "2026-03-01 18:00:00", "2026-03-01 19:00:00", "3"], ["gw-a", "–", "–", "–"]] and all(row[5] for row in shown)
    assert {(row[1], bool(row[2])) for row in browser.run(CELLS % "quarantine")} == {("gw-b", True)} and len(quarantine) == 50 < SENT
    assert browser.run("return ['losses', 'no-losses', 'quarantine', 'no-quarantine'].map((id) => document.getElementById(id).checkVisibility())") == [True, False, True, False]
    assert browser.run("return document.querySelectorAll('main i').length") == 0
    assert TEXTS[lang]["losses_none"] not in browser.run("return document.body.innerText")
    assert browser.run("return document.documentElement.scrollWidth") <= width
    more = "return ['losses', 'quarantine'].map((name) => document.querySelector(`#more-${name} button`).checkVisibility())"
    assert browser.run(more) == [False, True] and TEXTS[lang]["list_newest"].format(n=50) in browser.run("return document.body.innerText")
    browser.run("document.querySelector('#more-quarantine button').click()")
    wait_equal(lambda: browser.run(CELLS % "quarantine"), lambda: [[when(one["recorded"]), one["gateway"], one["reason"]] for one in listed(lost, "quarantine", 1000)])
    assert len(browser.run(CELLS % "quarantine")) == SENT and browser.run(more) == [False, False]
    assert errors(browser) == []
