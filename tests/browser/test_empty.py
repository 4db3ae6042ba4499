"""A park of which nothing is known yet, whose store cannot be reached: each page says so, and what it says of its own state covers nothing."""

from __future__ import annotations

import pytest
from harness.parkmon import Collector, write_collector_settings
from harness.process import free_port
from harness.stage import Stage
from test_ops import SHOWN, TAGS, TEXTS, errors

PARK = 'sites = ( { id = "s"; name = "一期"; name_en = "Site one"; zone = "Asia/Shanghai"; } );'


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("empty")) as stage:
        model, port = stage.folder / "park.cfg", free_port()
        model.write_text(PARK)
        settings = write_collector_settings(stage.folder / "collector.cfg", stage.broker(), f"http://127.0.0.1:{free_port()}", model, port)
        yield stage.start(Collector(settings, port)).http_url


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize(("view", "sentence"), [("energy", "meters_none"), ("meters", "meters_none"), ("occupancy", "spaces_none"), ("instruments", "instruments_none")])
def test_a_page_with_nothing_to_show_says_so(url, browser, lang, view, sentence):
    browser.log()
    browser.size(1280)
    browser.open(f"{url}/ops/{view}?lang={lang}")
    browser.wait(f"document.body.innerText.includes('{TEXTS[lang][sentence]}')")
    assert browser.run("return [...document.querySelectorAll('main :is(table, .chart, select)')].filter((e) => e.offsetParent && e.id !== 'status').map((e) => e.id)") == []
    assert errors(browser) == []


@pytest.mark.parametrize("width", [1920, 1280, 390])
def test_what_is_said_of_the_collector_covers_nothing(url, browser, width):
    browser.size(width)
    browser.open(f"{url}/ops?lang=en")
    browser.wait(f"{SHOWN} && !document.getElementById('health').hidden")
    link, title, health, first = browser.run("""return ['.wall-link a', 'h1', '#health', '#totals'].map((of) => { const b = document.querySelector(of).getBoundingClientRect(); return [b.top, b.bottom]; });""")
    assert link[0] >= title[0] - 10 and link[1] <= health[0] and health[1] <= first[0]


def test_the_first_hour_below_a_chart_without_figures_is_whole(url, browser):
    browser.size(1280)
    browser.open(f"{url}/ops?lang=en")
    browser.wait("document.querySelector('#load canvas')")
    left = browser.run("""return import('/assets/echarts.js').then(({ getInstanceByDom }) => {
        const [label] = getInstanceByDom(document.querySelector('#load .canvas')).getZr().storage.getDisplayList().filter((e) => e.style?.text === '00:00');
        const box = label.getBoundingRect().clone(); box.applyTransform(label.getComputedTransform()); return box.x; });""")
    assert left >= 0
