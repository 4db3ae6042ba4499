"""Outages as operators tell them: Chromium on a running collector, also with JavaScript off, both languages, a desk's and a phone's width."""

from __future__ import annotations

import pytest
from harness.stage import Stage
from test_login import PAGES, fill_in, text  # noqa: F401
from test_ops import TAGS, TEXTS, errors
from test_outages import PARK, Outages


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("outages")) as stage:
        found = Outages(stage, PARK)
        found.start()
        found.operator = found.token("operator", "--role", "operator")
        found.anna = found.token("anna", "--role", "operator", "--scope", "outages")
        found.url = found.collector.http_url
        yield found


def sign_in(house, browser) -> None:
    browser.open(f"{house.url}/login?lang=en")
    fill_in(browser, house.anna)
    browser.wait("location.pathname !== '/login'")


def choose(browser, **values: str) -> None:
    browser.run("for (const [name, value] of Object.entries(arguments[0])) document.querySelector(`[name=${name}]`).value = value", values)


def press(browser) -> None:
    browser.run("document.querySelector('form.decide button').click()")


def follow(browser, words: str) -> None:
    browser.run("document.querySelector(`a[href*='${arguments[0]}']`).click()", words)
    browser.wait("location.pathname === '/ops/outage'")


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize("width", [1280, 390])
def test_an_operator_reports_and_closes_a_breakdown(house, page, lang, width):
    texts, name = TEXTS[lang], {"en": "Diffractometer", "zh": "衍射仪"}[lang]
    sign_in(house, page)
    page.size(width)
    page.open(f"{house.url}/ops/outages?lang={lang}")
    assert page.run("return document.documentElement.lang") == TAGS[lang]
    assert texts["outages_none"] in text(page)
    follow(page, "kind=broken")
    assert texts["outage_new_broken"] in text(page) and page.run("return document.documentElement.scrollWidth") <= width
    choose(page, target="instrument:xrd", category="fault", note="smoke <b>")
    press(page)
    page.wait("location.pathname === '/ops/outages'")
    shown = text(page)
    assert texts["outage_done"] in shown and name in shown and "smoke <b>" in shown
    assert page.run("return document.documentElement.scrollWidth") <= width
    one = house.listed("?state=standing")[0]
    assert (one["instrument"], one["note"], one["opened_by"]) == ("xrd", "smoke <b>", "anna")
    follow(page, "act=close")
    choose(page, note="out", until="2020-01-01 00:00")
    press(page)
    page.wait("document.querySelector('.wrong') !== null")
    assert texts["refused_order"] in text(page) and page.run("return document.documentElement.scrollWidth") <= width
    choose(page, until="")
    press(page)
    page.wait("location.pathname === '/ops/outages'")
    assert texts["outages_none"] in text(page) and house.find(one["id"])["state"] == "over"
    assert [error for error in errors(page) if "422" not in str(error)] == []
