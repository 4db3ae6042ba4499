"""A park of two sites: the overview is of both, the pages of energy and occupancy of the one that is chosen."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from datetime import timedelta
from decimal import Decimal

import pytest
from harness.stage import Park, Stage
from test_energy import IS_READ, amount, quarter_now, seen, table
from test_ops import errors

SECOND = """,
  { id = "harbour"; name = "港区"; name_en = "Harbour"; zone = "Asia/Shanghai"; region = "zhejiang"; }
"""


def two_sites(model: str) -> str:
    """The laboratories and their gateway stand elsewhere."""
    model = re.sub(r"(sites = \(\s*\{[^}]*\})", lambda found: found[1] + SECOND, model, count=1)
    return re.sub(r'\{[^{}]*id = "(?:b2|gw-b)";[^{}]*\}', lambda found: found[0].replace('site = "jiashan"', 'site = "harbour"'), model)


@pytest.fixture(scope="module")
def park(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("sites")) as stage:
        made = Park(stage, every=None, edit_park=two_sites)
        made.start_servers()
        end = quarter_now()
        for gateway, agent in made.agents.items():
            path = made.sim.write_history(stage.folder / f"{gateway}.csv", gateway, (end - timedelta(days=2)).isoformat(), (end + timedelta(seconds=1)).isoformat(), 900)
            done = agent.run("--replay", path)
            assert done.returncode == 0, done.stderr
        made.collector.wait_taken(60, "ledger", "space")
        yield made


@pytest.mark.parametrize(("lang", "name"), [("en", "Jiashan Science Park · Harbour"), ("zh", "嘉善科创园 · 港区")])
def test_every_page_names_the_sites_of_the_park(park, browser, lang, name):
    browser.size(1280)
    for path, element in (("/ops?", "a.brand"), ("/ops/alarms?", "a.brand"), ("/ops?view=screen&", "h1")):
        browser.open(f"{park.http_url}{path}lang={lang}")
        assert browser.run(f"return [document.querySelector('{element}').textContent.trim(), document.title.split(' · ').slice(1).join(' · ')]") == [name, name]
        assert browser.run("return document.documentElement.scrollWidth") <= 1280


def electricity(park, site: str, **asked) -> dict:
    with urllib.request.urlopen(f"{park.http_url}/api/v1/energy?{urllib.parse.urlencode({'site': site, 'by': 'carrier', 'step': 'all', **asked})}", timeout=20) as answer:
        return next(row for row in json.load(answer)["rows"] if row["carrier"] == "electricity")["values"][0]


def test_the_overview_is_of_all_sites(park, browser):
    def look() -> list[str]:
        browser.size(1280)
        browser.log()
        browser.open(f"{park.http_url}/ops?lang=en")
        browser.wait(IS_READ, 30)
        return browser.run("return ['today', 'against-yesterday'].map((id) => document.getElementById(id).textContent)")

    now, shown = seen(quarter_now, look)
    begin = now.replace(hour=0, minute=0)
    if now == begin:
        assert shown[0] == "–"
        return
    span = [{"from": (begin - back).isoformat(), "to": (now - back).isoformat()} for back in (timedelta(0), timedelta(days=1))]
    today, before = ([electricity(park, site, **one) for site in ("jiashan", "harbour")] for one in span)
    known = [Decimal(one["known"]) for one in today if one["covered"]]
    is_whole = None not in [one["amount"] for one in today]
    assert f"{amount(str(sum(Decimal(one['amount']) for one in before)))} kWh" in shown[1]
    assert shown[0] == (f"{'' if is_whole else '≥ '}{amount(str(sum(known)))}" if known else "–")
    assert errors(browser) == []


# At 14:05 of the first site it is 07:05 of the second; each that has meters takes 10 kWh in each quarter hour.
IN_BERLIN = """const [parse, ask] = [JSON.parse, window.fetch];
JSON.parse = (said) => { const event = parse(said); if (event?.sites) { event.as_of = '2026-01-14T14:05:00+08:00'; event.sites[1].zone = 'Europe/Berlin'; } return event; };
window.fetch = async (url, how) => {
  if (!String(url).includes('/api/v1/energy')) return ask(url, how);
  const asked = new URL(url).searchParams;
  const values = [];
  for (let at = Date.parse(asked.get('from')); at < Date.parse(asked.get('to')); at += 900000) values.push({ start: new Date(at).toISOString(), amount: '10.000' });
  return { ok: true, json: async () => ({ rows: asked.get('site') === '%s' ? [] : [{ carrier: 'electricity', values }] }) };
};"""


@pytest.mark.parametrize(("without", "end", "power"), [("", "07:00", "80.00"), ("harbour", "14:00", "40.00")])
def test_the_course_of_the_park_ends_where_one_site_that_has_meters_is(park, browser, without, end, power):
    script = browser.command("Page.addScriptToEvaluateOnNewDocument", source=IN_BERLIN % without)["identifier"]
    try:
        browser.open(f"{park.http_url}/ops?lang=en")
        browser.wait("document.getElementById('against-yesterday').textContent !== ''", 30)
        rows = table(browser, "load")
    finally:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
    assert len(rows) == 96 and rows == [[at, power if at < end else "–", power] for at, *_ in rows]


@pytest.mark.parametrize(("page", "thing"), [("energy", "#parts"), ("occupancy", "#spaces")])
def test_the_site_that_is_chosen_is_what_the_page_is_of(park, browser, page, thing):
    rows = f"[...document.querySelectorAll('{thing} tbody tr')].map((row) => row.dataset.id)"
    browser.log()
    browser.open(f"{park.http_url}/ops/{page}?lang=en&length=day")
    browser.wait("document.body.dataset.drawn !== undefined", 30)
    assert browser.run("return [...document.getElementById('site').options].map((option) => option.textContent)") == ["Jiashan Science Park", "Harbour"]
    first = browser.run(f"return {rows}")
    browser.run("const site = document.getElementById('site'); site.value = 'harbour'; site.dispatchEvent(new Event('change'))")
    browser.wait("location.search.includes('site=harbour') && document.body.dataset.drawn !== undefined", 30)
    second = browser.run(f"return {rows}")
    assert first and second and not set(first) & set(second)
    assert browser.run("return document.getElementById('site').value") == "harbour" and browser.run("return document.documentElement.scrollWidth") <= 1280
    assert errors(browser) == []
