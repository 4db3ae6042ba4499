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
from test_energy import amount, quarter_now, seen
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


def electricity(park, site: str, **asked) -> str | None:
    with urllib.request.urlopen(f"{park.http_url}/api/v1/energy?{urllib.parse.urlencode({'site': site, 'by': 'carrier', 'step': 'all', **asked})}", timeout=20) as answer:
        return next(row for row in json.load(answer)["rows"] if row["carrier"] == "electricity")["values"][0]["amount"]


def test_the_overview_is_of_all_sites(park, browser):
    def look() -> list[str]:
        browser.size(1280)
        browser.log()
        browser.open(f"{park.http_url}/ops?lang=en")
        browser.wait("document.getElementById('against-yesterday').textContent !== ''", 30)
        return browser.run("return ['today', 'against-yesterday'].map((id) => document.getElementById(id).textContent)")

    now, shown = seen(quarter_now, look)
    begin = now.replace(hour=0, minute=0)
    if now == begin:
        assert shown[0] == "–"
        return
    span = [{"from": (begin - back).isoformat(), "to": (now - back).isoformat()} for back in (timedelta(0), timedelta(days=1))]
    today, before = ([electricity(park, site, **one) for site in ("jiashan", "harbour")] for one in span)
    assert None not in before and f"{amount(str(sum(map(Decimal, before))))} kWh" in shown[1] or None in today
    assert shown[0] == ("–" if None in today else amount(str(sum(map(Decimal, today)))))
    assert errors(browser) == []


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
