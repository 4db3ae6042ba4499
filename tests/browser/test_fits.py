"""Nothing is cut off, and no name is markup: every page, both languages, on a wall, a desk and a phone, in a park whose names are as long as names get."""

from __future__ import annotations

import json
import re
import urllib.request
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from harness.process import run, wait_until
from harness.servers import SOURCE
from harness.stage import Park, Stage
from test_login import fill_in
from test_ops import READ, SHOWN, TAGS, TEXTS, UNREADABLE, errors

SITE = timezone(timedelta(hours=8))
LONG = 60   # characters of a name
NOTE = 500  # of what is said of an alarm
# Markup in it is text.
TAIL = {"zh": "（含<i>温湿度与振动控制的超净实验平台、配套空压与冷却水系统，由嘉善科创园公共测试中心统一管理并对外开放共享使用）", "en": " of the <i>shared cleanroom platform with vibrationcontrol and cooling"}
DAYS = 3
# All of it fires at once, whose ids are as long as ids get: the limits of power by the first reading, the silence while no agent runs.
RULES = f"""rules = (
  {{ id = "{'a-rule-' * 4}abcd"; kind = "threshold"; severity = "critical"; on = ("meter:*"); above = "0"; for = 0; }},
  {{ id = "gap"; kind = "balance"; }},
  {{ id = "quiet"; kind = "no_data"; on = ("gateway:*"); for = 1; clear_for = 1; }} );
"""


def long_names(model: str) -> str:
    """Each name and other text for people is as long as that; and of the mains' meters nothing may be left unexplained."""
    model = re.sub(r'(id = "b[12]-main";)', r'\1 balance_limit = "0.0001";', model)
    def longer(found: re.Match) -> str:
        lang = "en" if found[1].endswith("_en") else "zh"
        return f'{found[1]} = "{(found[2] + TAIL[lang])[:LONG]}"'

    return re.sub(r'\b((?:name|owner|location|training|charges)(?:_en)?|contact|model) = "([^"]*)"', longer, model)


def broken_history(path) -> None:
    """The air handling's register of the last hours is another's: an open exception."""
    lines = path.read_text().splitlines(keepends=True)
    last = [i for i, line in enumerate(lines) if line.startswith("b2.hvac,")][-16:]
    for i in last:
        point, value, time = lines[i].split(",")
        lines[i] = f"{point},{int(value) // 2},{time}"
    path.write_text("".join(lines))


class House:
    def __init__(self, stage: Stage):
        rates = "".join(f'{name} = "{SOURCE}/config/{name}.cfg"; ' for name in ("factors", "tariffs"))
        rules = stage.folder / "alarms.cfg"
        rules.write_text(RULES)
        park = Park(stage, more=f'{rates}alarms = "{rules}";', edit_park=long_names)
        park.start_servers()
        end = datetime.now(timezone.utc).replace(second=0, microsecond=0)
        self.begin = (end.astimezone(SITE) - timedelta(days=DAYS)).replace(hour=0, minute=0)
        for gateway, agent in park.agents.items():
            path = park.sim.write_history(stage.folder / f"{gateway}.csv", gateway, self.begin.isoformat(), end.isoformat(), 900)
            if gateway == "gw-b":
                broken_history(path)
            done = agent.run("--replay", path)
            assert done.returncode == 0, done.stderr
        self.collector, self.url = park.collector, park.http_url
        self.tokens = {"auditor": self.command("token", "add", "--name", "ann", "--role", "auditor").strip(),
                       "operator": self.command("token", "add", "--name", "bo", "--role", "operator", "--scope", "decisions,readings,outages,alarms").strip()}
        note = TAIL["en"][:40]
        for kind, target in (("repair", "sem"), ("maintenance", "xrd")):
            self.command("outage", "open", "--instrument", target, "--category", kind, "--note", f"{note} {target}")
        self.collector.wait_taken(60, "ledger", "space")
        wait_until(lambda: sum(one["kind"] == "no_data" for one in self.alarms("standing")) == len(park.agents), 60, "every gateway is silent")
        for agent in park.agents.values():
            agent.start()
        wait_until(lambda: any(one["kind"] == "threshold" for one in self.alarms("standing")) and any(one["state"] == "cleared" for one in self.alarms("all")), 60, "some is over, some stands")
        wait_until(lambda: any(one["kind"] == "balance" for one in self.alarms("standing")), 60, "a day has a gap: of it is told from midnight to midnight")
        first = next(one["id"] for one in self.alarms("standing") if one["kind"] == "threshold")
        self.acknowledge(first, f"<i>{TAIL['en'] * 9}"[:NOTE])
        self.day = f"{self.begin + timedelta(days=1):%Y-%m-%d}"
        self.month = self.day[:7]

    def alarms(self, state: str) -> list[dict]:
        with urllib.request.urlopen(f"{self.url}/api/v1/alarms?state={state}", timeout=10) as answer:
            return json.load(answer)["alarms"]

    def acknowledge(self, number: int, note: str) -> None:
        head = {"Authorization": f"Bearer {self.tokens['operator']}", "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/api/v1/alarms/{number}/ack", json.dumps({"note": note}).encode(), head), timeout=10) as answer:
            assert answer.status == 200

    def command(self, *words: str) -> str:
        done = run([self.collector.program, *words[:2], "--config", self.collector.settings, *words[2:]])
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("fits")) as stage:
        yield House(stage)


LOADED = "document.readyState === 'complete'"
DRAWN = "document.body.dataset.drawn !== undefined"
# Who looks, where ({month} and {day} are filled in), and when it is complete.
VIEWS = [
    (None, "/", LOADED), (None, "/?available=now&length=2h", LOADED), (None, "/instruments/sem", LOADED), (None, "/instruments/sem/label", LOADED),
    (None, "/login", LOADED), ("operator", "/login", LOADED), (None, "/?building=no-such", LOADED),
    (None, "/ops", f"{SHOWN} && document.querySelectorAll('#open li').length === 4"),
    (None, "/ops?view=screen", f"{SHOWN} && document.querySelectorAll('#board li').length > 0"),
    (None, "/ops/energy?length=day&from={day}&by=meter", f"{DRAWN} && document.getElementById('calendar').dataset.drawn"),
    (None, "/ops/energy?length=year&by=tenant", f"{DRAWN} && document.getElementById('calendar').dataset.drawn"),
    (None, "/ops/meters", SHOWN), (None, "/ops/occupancy?length=day&from={day}", DRAWN), (None, "/ops/occupancy?length=month", DRAWN),
    (None, "/ops/instruments?id=sem", "document.getElementById('detail').dataset.drawn !== undefined"), (None, "/ops/gateways", SHOWN),
    ("operator", "/ops/exceptions", LOADED), ("operator", "/ops/outages", LOADED), (None, "/ops/alarms", LOADED), ("operator", "/ops/alarms", LOADED),
    ("operator", "/ops/decide?kind=energy&meter=b2-hvac", LOADED),
    ("operator", "/ops/decide?kind=replacement", LOADED), ("operator", "/ops/reading", LOADED), ("operator", "/ops/outage?act=open&kind=broken", LOADED),
    ("operator", "/ops/outage?act=close&id=1", LOADED),
    ("auditor", "/audit/jiashan/{month}", LOADED), ("auditor", "/audit/jiashan/{month}/building/b2", LOADED),
    ("auditor", "/audit/jiashan/{month}/meter/b2-hvac", LOADED), ("auditor", "/audit/jiashan/{month}/meter/b2-hvac/{day}", LOADED),
]

SIZES = [(1920, 1080), (1280, 900), (390, 844)]
# A phone across and a small one, where tables are wide and words are long.
MORE = {"/ops/energy?length=day": [(844, 390), (320, 640)], "/ops/occupancy?length=month": [(844, 390), (320, 640)], "/ops/instruments?id=sem": [(320, 640)]}

# Every text that is seen, of which a part is not: beyond the window's sides or its card's, or outside of what holds it and hides or shortens the rest.
# What can be scrolled to is seen; so is not what is there for those who listen. Nor is any squeezed into lines of a letter or two.
CUT = """
const [seen, cut] = [new Map(), []];
const boxOf = (e) => { if (!seen.has(e)) { const s = getComputedStyle(e); const b = e.getBoundingClientRect();
    seen.set(e, { b, x: s.overflowX, y: s.overflowY, tiny: b.width <= 2 || b.height <= 2, gone: s.visibility === 'hidden' }); } return seen.get(e); };
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node; (node = walker.nextNode());) {
  const holder = node.parentElement;
  if (!node.data.trim() || holder.closest('script, noscript, style, canvas, option, .skip') || boxOf(holder).gone) continue;
  const range = document.createRange();
  range.selectNodeContents(node);
  const rects = [...range.getClientRects()].filter((r) => r.width >= 1 && r.height >= 1);
  const lines = new Set(rects.map((r) => Math.round(r.top))).size;
  for (const r of rects) {
    let [how, scrolls] = ['', false];
    for (let e = holder; e && e !== document.body && !how; e = e.parentElement) {
      const { b, x, y, tiny } = boxOf(e);
      if (tiny && x !== 'visible') { how = 'unseen'; break; }
      if (/auto|scroll/.test(x + y)) { scrolls = true; break; }
      if (x !== 'visible' && (r.left < b.left - 2 || r.right > b.right + 2)) how = 'side';
      if (y !== 'visible' && (r.top < b.top - 3 || r.bottom > b.bottom + 3)) how = 'height';
    }
    if (!how && !scrolls && (r.left < -1 || r.right > innerWidth + 1)) how = 'window';
    const card = holder.closest('.card, td, th');
    if (!how && !scrolls && card && boxOf(card).b.width && (r.right > boxOf(card).b.right + 1 || r.left < boxOf(card).b.left - 1)) how = 'card';
    if (!how && getComputedStyle(document.body).overflowY === 'hidden' && r.bottom > innerHeight + 1) how = 'below';
    if (!how && lines > 1 && node.data.trim().length < 2.5 * lines) how = 'squeezed';
    if (how && how !== 'unseen') { cut.push([how, holder.tagName, holder.className, holder.id, node.data.trim().slice(0, 60)]); break; }
  }
}
for (const e of document.querySelectorAll('input, select, button, textarea'))
  if (e.offsetParent && !e.closest('.hidden') && (e.scrollWidth > e.clientWidth + 1 || e.getBoundingClientRect().right > innerWidth + 1)) cut.push(['field', e.tagName, e.className, e.id || e.name, e.value]);
return cut;
"""


@pytest.fixture(scope="module")
def visitor(house, browser):
    """Signs in, and out, as a page needs it."""
    state = SimpleNamespace(who=None)

    def become(who: str | None) -> None:
        if who == state.who:
            return
        browser.command("Network.clearBrowserCookies")
        if who:
            browser.open(f"{house.url}/login?lang=en")
            fill_in(browser, house.tokens[who])
            browser.wait("location.pathname !== '/login' || document.getElementById('token') === null")
        state.who = who

    yield become
    browser.command("Network.clearBrowserCookies")


@pytest.mark.parametrize(("who", "path", "is_complete"), VIEWS, ids=[f"{who or 'anyone'} {path}" for who, path, _ in VIEWS])
def test_nothing_is_cut_off_and_nothing_leaves_the_host(house, browser, visitor, who, path, is_complete):
    visitor(who)
    path = path.format(month=house.month, day=house.day)
    found = {}
    for lang in TAGS:
        for width, height in [*SIZES, *(MORE.get(path.split("&")[0], ()) if lang == "en" else ())]:
            browser.size(width, height)
            browser.log()
            browser.open(f"{house.url}{path}{'&' if '?' in path else '?'}lang={lang}")
            browser.wait(is_complete, 30)
            browser.run("for (const details of document.querySelectorAll('details')) details.open = true")
            assert browser.run("return document.documentElement.lang") == TAGS[lang]
            wide = browser.run("return document.documentElement.scrollWidth")
            faults = [*browser.run(CUT), *([["page", wide]] if wide > width else []), *(["console", entry["message"]] for entry in errors(browser) if "no-such" not in path or "status of 400" not in entry["message"])]
            faults += [["left", url] for url in browser.requests() if urlsplit(url).scheme not in ("blob", "data") and urlsplit(url).netloc != urlsplit(house.url).netloc]
            faults += [["markup"]] * browser.run("return document.querySelectorAll('i').length")
            if not path.startswith(("/login", "/?building=no-such")) and "<i>" not in browser.run("return document.title + document.body.innerText"):
                faults.append(["no name"])
            if faults:
                found[lang, width] = faults
    assert not found, "\n".join(f"{lang} {width}: {fault}" for (lang, width), faults in found.items() for fault in faults)


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize(("path", "sizes"), [("/ops?", SIZES), ("/ops?view=screen&", SIZES[:1]), ("/ops/instruments?", SIZES), ("/ops/gateways?", SIZES)])
def test_what_is_said_to_be_old_cuts_nothing_off(house, browser, visitor, lang, path, sizes):
    visitor(None)
    for width, height in sizes:
        browser.size(width, height)
        browser.open(f"{house.url}{path}lang={lang}")
        browser.wait(f"{SHOWN} && {READ[path]}", 30)
        browser.run(UNREADABLE + "later(121000)")
        browser.wait("[...document.querySelectorAll('[data-age]')].every((mark) => mark.textContent)", 30)
        assert browser.run(CUT) == []
        assert browser.run("return document.documentElement.scrollWidth") <= width
        assert "screen" not in path or browser.run("return document.documentElement.scrollHeight") == height


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize(("path", "sizes"), [("/ops?", SIZES), ("/ops?view=screen&", SIZES[:1]), ("/ops/instruments?", SIZES), ("/ops/gateways?", SIZES)])
def test_what_cannot_be_read_cuts_nothing_off(house, browser, visitor, lang, path, sizes):
    visitor(None)
    script = browser.command("Page.addScriptToEvaluateOnNewDocument", source=UNREADABLE)["identifier"]
    try:
        for width, height in sizes:
            browser.size(width, height)
            browser.open(f"{house.url}{path}lang={lang}")
            browser.wait(f"[...document.querySelectorAll('[data-age]')].every((mark) => mark.textContent === '▲ {TEXTS[lang]['unread']}')", 30)
            assert browser.run(CUT) == []
            assert browser.run("return document.documentElement.scrollWidth") <= width
            assert "screen" not in path or browser.run("return document.documentElement.scrollHeight") == height
    finally:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script)


def test_a_label_of_long_names_prints_whole_on_its_sheet(house, browser, visitor):
    visitor(None)
    browser.command("Emulation.setEmulatedMedia", media="print")
    try:
        browser.size(1280)
        browser.open(f"{house.url}/instruments/sem/label?lang=zh")
        assert browser.run("const e = document.querySelector('.label'); return [e.scrollHeight - e.clientHeight, e.scrollWidth - e.clientWidth]") == [0, 0]
        assert browser.run(CUT) == []
        assert browser.run("return document.querySelector('.label').innerText.length") > 5 * LONG
    finally:
        browser.command("Emulation.setEmulatedMedia", media="")


def test_the_wall_shows_whole_lines_and_counts_the_rest(house, browser, visitor):
    visitor(None)
    browser.size(1920, 1080)
    browser.open(f"{house.url}/ops?view=screen&lang=en")
    browser.wait("document.querySelectorAll('#board li').length > 0", 30)
    for height in (1080, 800):
        browser.size(1920, height)
        browser.wait("document.querySelector('#board').scrollHeight <= document.querySelector('#board').clientHeight")
        shown, rest = browser.run("return [[...document.querySelectorAll('#board li')].filter((item) => !item.hidden).length, document.getElementById('board-rest').textContent]")
        assert 1 <= shown <= 8 and rest == ("" if shown == 8 else TEXTS["en"]["board_rest"].replace("{n}", str(8 - shown)))
    assert shown < 8


def test_what_is_cut_off_is_found(house, browser, visitor):
    """The check itself: shortened, hidden below, beyond the window, in a field; and not what is only for those who listen."""
    visitor(None)
    browser.size(1280)
    browser.open(f"{house.url}/login?lang=en")
    assert browser.run(CUT) == []
    browser.run("""document.querySelector('main').insertAdjacentHTML('beforeend', `<p id="a">${'long '.repeat(90)}</p><div id="b"><p>one</p><p>two</p></div><p id="c">far</p>
        <p class="hidden">only heard</p><div id="d"><p>${'scrolled to '.repeat(90)}</p></div><input id="e" value="${'long '.repeat(30)}">`);
        const style = (id, values) => Object.assign(document.getElementById(id).style, values);
        style('a', { overflow: 'hidden', whiteSpace: 'nowrap', textOverflow: 'ellipsis', width: '200px' });
        style('b', { overflow: 'hidden', height: '20px' });
        style('c', { position: 'absolute', left: '1270px', whiteSpace: 'nowrap' });
        style('d', { overflow: 'auto', whiteSpace: 'nowrap', width: '200px' });
        style('e', { width: '100px' });""")
    assert {(how, id) for how, _, _, id, _ in browser.run(CUT)} == {("side", "a"), ("height", ""), ("window", "c"), ("field", "e")}
