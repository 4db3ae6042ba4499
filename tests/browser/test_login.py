"""Signing in and out as people do it: Chromium on a running collector that lets nobody in without a token, also with JavaScript off."""

from __future__ import annotations

import pytest
from harness.parkmon import new_collector
from harness.process import run
from harness.stage import Stage
from test_ops import TAGS, TEXTS, errors

PAGES = ["with scripts", "without scripts"]
PARK = """
sites = ( { id = "s1"; name = "x"; name_en = "x"; zone = "Asia/Shanghai"; } );
buildings = ( { id = "b1"; name = "x"; name_en = "x"; site = "s1"; } );
"""


class House:
    def __init__(self, stage):
        park = stage.folder / "park.cfg"
        park.write_text(PARK)
        self.collector = stage.start(new_collector(stage.folder / "collector", stage.broker(), stage.influx(), park,
                                                   http_settings='access = "token";'))
        self.url = self.collector.http_url

    def token(self, *words: str) -> str:
        done = run([self.collector.program, "token", words[0], "--config", self.collector.settings, *words[1:]])
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("house")) as stage:
        yield House(stage)


def text(browser) -> str:
    return browser.run("return document.body.innerText")


def fill_in(browser, token: str) -> None:
    browser.run("document.getElementById('token').value = arguments[0]; document.querySelector('form').requestSubmit()", token)


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_every_screen_in_both_languages(house, page, lang, width):
    page.size(width)
    page.open(f"{house.url}/login?lang={lang}")
    assert page.run("return document.documentElement.lang") == TAGS[lang]
    assert page.run("return document.documentElement.scrollWidth") <= width
    shown = text(page)
    assert TEXTS[lang]["login_heading"] in shown and TEXTS[lang]["login_help"] in shown
    assert "{{" not in page.run("return document.documentElement.outerHTML")
    assert page.run("return getComputedStyle(document.querySelector('.message')).display") == "none"
    assert errors(page) == []


def test_in_by_a_token_and_out_again(house, page):
    token = house.token("add", "--role", "operator", "--name", "控制室 <b>")
    page.open(f"{house.url}/ops?lang=en")
    assert TEXTS["en"]["login_needed"] in text(page)
    fill_in(page, "park_1_" + "0" * 64)
    page.wait("document.querySelector('.message') !== null && document.querySelector('.message').innerText.includes('not good')")
    fill_in(page, token)
    page.wait("location.pathname === '/ops' && document.getElementById('totals') !== null")
    assert page.run("return document.cookie") == "", "a script could read the session"
    page.open(f"{house.url}/login?lang=zh")
    assert "控制室 <b>" in text(page) and TEXTS["zh"]["login_signed_in"] in text(page)
    page.run("document.querySelector('form').requestSubmit()")
    page.wait("document.getElementById('token') !== null")
    page.open(f"{house.url}/ops?lang=zh")
    assert TEXTS["zh"]["login_needed"] in text(page)


def test_whose_token_does_not_allow_a_page_is_told_so_and_can_leave(house, page):
    token = house.token("add", "--role", "auditor", "--name", "audit")
    page.open(f"{house.url}/ops?lang=en")
    fill_in(page, token)
    page.wait("document.querySelector('form[action=\"/logout\"]') !== null")
    shown = text(page)
    assert TEXTS["en"]["login_forbidden"] in shown and TEXTS["en"]["role_auditor"] in shown
    assert page.run("return document.querySelector('.sign-in a').pathname") == "/api/v1/changes"
    page.run("document.querySelector('form').requestSubmit()")
    page.wait("document.getElementById('token') !== null")


def test_an_open_page_asks_to_sign_in_when_its_token_is_revoked(house, browser):
    browser.command("Network.clearBrowserCookies")
    token = house.token("add", "--role", "operator", "--name", "guest")
    browser.open(f"{house.url}/login?next=/ops")
    fill_in(browser, token)
    browser.wait("location.pathname === '/ops' && document.getElementById('main').hidden === false")
    house.token("revoke", token.split("_")[1])
    browser.wait("location.pathname === '/login'", 60)
    browser.log()


def test_the_wall_comes_back_by_itself_when_the_collector_was_away(house, browser):
    """Killed, as by a power cut: the wall is a page of the collector that goes on, not one to sign in on."""
    browser.command("Network.clearBrowserCookies")
    token = house.token("add", "--role", "operator", "--name", "wall", "--expires", "400d")
    browser.size(1920, 1080)
    browser.open(f"{house.url}/ops?view=screen&lang=zh")
    wall = browser.run("return location.pathname + location.search")
    browser.run("document.getElementById('keep').click()")
    fill_in(browser, token)
    shown = "document.getElementById('connection')?.dataset.state"
    browser.wait(f"{shown} === 'open'")
    assert browser.run("return location.pathname + location.search") == wall
    browser.run("window.isTheSame = true")
    house.collector.kill()
    browser.wait(f"{shown} === 'lost'")
    last = browser.run("return document.getElementById('as-of').dateTime")
    house.collector.start()
    browser.wait(f"{shown} === 'open' && document.getElementById('as-of').dateTime > '{last}'", 60)
    assert browser.run("return [location.pathname + location.search, document.documentElement.lang, window.isTheSame]") == [wall, "zh-CN", True]
    browser.open(f"{house.url}{wall}")
    browser.wait(f"{shown} === 'open'")

    # When its token is revoked it asks to sign in, in its language, and then is the wall again.
    house.token("revoke", token.split("_")[1])
    browser.wait("location.pathname === '/login'", 60)
    assert TEXTS["zh"]["login_keep"] in text(browser)
    fill_in(browser, house.token("add", "--role", "operator", "--name", "wall"))
    browser.wait(f"{shown} === 'open'")
    assert browser.run("return location.pathname + location.search") == wall
    browser.size(1280)
    browser.log()
