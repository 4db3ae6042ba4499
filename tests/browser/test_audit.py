"""From a number of the audit report down to its readings, and the forms on which exceptions are settled, as people see them: Chromium, both languages,
a desk and a phone, with scripts off. Numbers are held against /api/v1/energy here, too."""

from __future__ import annotations

import json
import urllib.request

import pytest
from harness.parkmon import new_collector
from harness.process import run, wait_until
from harness.stage import Stage
from publisher import Publisher
from test_ops import TAGS, TEXTS, errors

BEGIN = 1_772_380_200_000  # 2026-03-01T23:50:00+08:00
PARK = """
sites = ({ id = "s1"; name = "嘉善<b>科创园"; name_en = "Jiashan <b>Park"; zone = "Asia/Shanghai"; });
buildings = ({ id = "b1"; name = "1号楼"; name_en = "Building 1"; site = "s1"; });
gateways = ({ id = "gw-a"; name = "x"; name_en = "x"; site = "s1"; building = "b1"; });
meters = (
  { id = "main"; name = "园区总表 <i>"; name_en = "Park, main meter <i>"; building = "b1"; carrier = "electricity";
    segments = ({ serial = "1"; from = "2026-01-01T00:00:00Z"; point = "gw-a/main"; resolution = 10; max_rate = 100000; }); });
"""


class House:
    def __init__(self, stage):
        park = stage.folder / "park.cfg"
        park.write_text(PARK)
        broker = stage.broker("gw-a")
        self.collector = stage.start(new_collector(stage.folder / "collector", broker, stage.influx(), park, http_settings='access = "token";'))
        self.url = self.collector.http_url
        self.tokens = {"auditor": self.token("auditor", "--role", "auditor"), "operator": self.token("anna", "--role", "operator", "--scope", "decisions")}
        self.collector.wait_connected()
        agent = Publisher(broker, "gw-a")
        lines = []
        for i in range(300):  # more than a day, every 7.5 min and a bit; since 05:50 of the second another meter
            count = 100_000 + 250 * i if i < 240 else 7_000 + 250 * i
            lines.append(f"register,point=main value={count}i {BEGIN + i * 450_123}")
        agent.send(1, lines)
        agent.wait_ack(1)
        agent.close()
        wait_until(lambda: self.ask("/api/v1/exceptions", "operator")["exceptions"] != [], 60, "the exception is there")

    def token(self, name: str, *words: str) -> str:
        done = run([self.collector.program, "token", "add", "--config", self.collector.settings, "--name", name, *words])
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def ask(self, path: str, who: str) -> dict:
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.tokens[who]}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("audit")) as stage:
        yield House(stage)


def enter(house, page, who: str, path: str) -> None:
    page.open(f"{house.url}{path}")
    page.run("document.getElementById('token').value = arguments[0]; document.querySelector('form').requestSubmit()", house.tokens[who])
    page.wait("document.getElementById('token') === null && document.readyState === 'complete'")
    page.log()  # the page to sign in on came in place of that one, with 401


def text(page) -> str:
    return page.run("return document.body.innerText")


def follow(page, end: str) -> None:
    """The first link that ends so, language aside."""
    found = page.run("const a = [...document.querySelectorAll('main a')].find(a => a.pathname.endsWith(arguments[0])); if (a) a.click(); return a ? a.href : null", end)
    assert found, end
    page.wait(f"location.href === {json.dumps(found)} && document.readyState === 'complete'")


def rows(page, table: str) -> list[list[str]]:
    return page.run("return [...document.querySelectorAll('#' + arguments[0] + ' tbody tr')].map(r => [...r.cells].map(c => c.innerText.replaceAll(',', '')))", table)


def fits(page, is_refused: bool = False) -> None:
    width = page.run("return window.innerWidth")
    assert page.run("return document.documentElement.scrollWidth") <= width
    wide = page.run("return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > window.innerWidth + 1 && getComputedStyle(e).position !== 'absolute')"
                    ".map(e => e.outerHTML.slice(0, 80))")
    assert wide == []
    assert [entry for entry in errors(page) if not (is_refused and "status of 400" in entry["message"])] == []


def test_down_from_a_total_every_number_is_the_api_s(house, page):
    enter(house, page, "auditor", "/audit/s1/2026-03?lang=en")
    page.open(f"{house.url}/audit/s1/2026-03?lang=en")
    follow(page, "/2026-03/total/electricity/site/s1")
    follow(page, "/2026-03/meter/main")
    days = house.ask("/api/v1/energy?by=meter&step=1d&from=2026-03&to=2026-04", "auditor")["rows"][0]["values"]
    shown = rows(page, "drill_days")[:-1]
    assert [row[3] for row in shown] == [day["amount"] or "–" for day in days] and any(row[3] != "–" for row in shown)
    follow(page, "/meter/main/2026-03-02")
    quarters = house.ask("/api/v1/energy?by=meter&step=15m&from=2026-03-02&to=2026-03-03", "auditor")["rows"][0]["values"]
    shown = rows(page, "drill_quarters")[:-1]
    assert [row[2] for row in shown] == [quarter["amount"] or "–" for quarter in quarters]
    assert sum(row[2] != "–" for row in shown) > 50
    follow(page, "/meter/main/2026-03-02T04:00:00Z")
    quarter = next(q for q in quarters if q["start"] == "2026-03-02T12:00:00.000+08:00")
    assert rows(page, "drill_total")[0][2] == quarter["amount"]
    assert {row[3] for row in rows(page, "drill_readings")} >= {"124250", "124500"}  # the readings of 11:57:41 and 12:05:12
    assert "<i>" in text(page) and "<b>" in text(page), "markup in names is text"
    assert errors(page) == []


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_every_screen_in_both_languages(house, page, lang, width):
    page.size(width)
    enter(house, page, "auditor", f"/audit/s1/2026-03?lang={lang}")
    for path in ("", "/total/electricity/tenant", "/carrier/electricity", "/meter/main", "/meter/main/2026-03-02", "/meter/main/2026-03-02T04:00:00Z", "/meter/main/2026-03-02T21:45:00Z"):
        page.open(f"{house.url}/audit/s1/2026-03{path}?lang={lang}")
        assert page.run("return document.documentElement.lang") == TAGS[lang]
        fits(page)
    page.command("Network.clearBrowserCookies")
    enter(house, page, "operator", f"/ops/exceptions?lang={lang}")
    for path in ("exceptions?", "decide?kind=replacement&meter=main&", "decide?kind=energy&", "decide?kind=undo&undo=1&", "reading?"):
        page.open(f"{house.url}/ops/{path}lang={lang}")
        assert page.run("return document.documentElement.lang") == TAGS[lang] and "{{" not in page.run("return document.documentElement.outerHTML")
        fits(page)


def press(page, step: str, **values: str) -> None:
    page.run("const [values, step] = arguments; for (const [k, v] of Object.entries(values)) document.getElementById(k).value = v;"
             "document.querySelector('button[value=' + step + ']').click()", values, step)


def test_an_exception_is_settled_and_the_decision_undone_without_a_script(house, page):
    enter(house, page, "operator", "/ops/exceptions?lang=zh")
    page.open(f"{house.url}/ops/exceptions?lang=zh")
    assert TEXTS["zh"]["exceptions_heading"] in text(page)
    page.run("[...document.querySelectorAll('a')].find(a => a.search.includes('kind=replacement') && a.search.includes('meter=main')).click()")
    page.wait("document.getElementById('serial') !== null")
    press(page, "preview", at="2026-03-03 05:46", end="x", start="66.875")
    page.wait("document.querySelector('.wrong') !== null")
    assert TEXTS["zh"]["wrong_quantity"] in text(page)
    press(page, "preview", end="159.875")
    page.wait("document.querySelector('.effect') !== null")
    assert TEXTS["zh"]["effect_heading"] in text(page) and "2026-03-03" in text(page)
    assert house.ask("/api/v1/decisions", "operator")["decisions"] == []
    fits(page, is_refused=True)  # what was refused is a 400, of which the browser tells
    press(page, "confirm", why="工单 <17>")
    page.wait("location.pathname === '/ops/exceptions' && document.readyState === 'complete'")
    assert TEXTS["zh"]["exceptions_none"] in text(page) and "工单 <17>" in text(page)
    assert house.ask("/api/v1/exceptions", "operator")["exceptions"] == []
    page.run("[...document.querySelectorAll('a')].find(a => a.search.includes('kind=undo')).click()")
    page.wait("document.getElementById('undo') !== null")
    press(page, "preview")
    page.wait("document.querySelector('.effect') !== null")
    press(page, "confirm", why="x")
    page.wait("location.pathname === '/ops/exceptions' && document.readyState === 'complete'")
    assert len(house.ask("/api/v1/exceptions", "operator")["exceptions"]) == 1
    assert errors(page) == []
