"""How full the spaces are, as people see it: every figure is the API's."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from datetime import datetime, time, timedelta, timezone

import pytest
from harness.process import wait_until
from test_energy import CHARTED, DRAWN_CELLS, FAILS, HEADS, SITE, history, quarter_now, seen  # noqa: F401 (a fixture)
from test_ops import TAGS, TEXTS, errors, name

RANKS = ["doors", "count:", "binary:", "co2:", "wifi:"]


def api(park, **asked) -> list[dict]:
    with urllib.request.urlopen(f"{park.http_url}/api/v1/occupancy?{urllib.parse.urlencode({'site': 'jiashan', **asked})}", timeout=20) as answer:
        return json.load(answer)["spaces"]


def show(browser, park, query: str, width: int = 1280) -> None:
    browser.log()
    browser.size(width)
    browser.open(f"{park.http_url}/ops/occupancy?{query}")
    browser.wait("document.body.dataset.drawn !== undefined", 30)


def best(space: dict) -> dict | None:
    told = [source for source in space["sources"] if any(value["observed_s"] > 0 for value in source["values"]) and source["source"] not in ("live", "corrected")]
    return min(told, key=lambda s: next(i for i, word in enumerate(RANKS) if s["source"].startswith(word)), default=None)


def said(source: str, value: dict, lang: str) -> str:
    """What a value is of."""
    if value["observed_s"] == 0:
        return "–"
    if source != "doors":
        return TEXTS[lang][f"occupancy_{source.split(':')[0]}"]
    since = value["uncorrected_from"] or ""
    key = ("corrected" if value["uncorrected_s"] == 0 else "uncorrected" if value["uncorrected_s"] == value["observed_s"] else "until" if since else "partly")
    return TEXTS[lang][f"occupancy_{key}"].replace("{until}", since[:16].replace("T", " "))


def percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def near(shown: str, expected: str) -> bool:
    """Equal, but for how a half is rounded."""
    if "–" in (shown, expected):
        return shown == expected
    return abs(float(shown.removesuffix(" %")) - float(expected.removesuffix(" %"))) < 0.101


@pytest.mark.parametrize("lang", TAGS)
def test_every_number_is_the_apis(history, browser, lang):  # noqa: F811
    day = history.workday
    show(browser, history, f"lang={lang}&length=day&from={day}&space=b1-hall")
    span = {"from": str(day), "to": str(day + timedelta(days=1))}
    rows = browser.run("return Object.fromEntries([...document.querySelectorAll('#spaces tbody tr')].map((row) =>"
                       "[row.dataset.id, [...row.cells].map((cell) => cell.firstElementChild.textContent)]))")
    spaces = {space["space"]: space for space in api(history, step="all", **span)}
    assert set(rows) == set(spaces) and len(spaces) > 3
    for id, space in spaces.items():
        source = best(space)
        assert source, f"nothing is known of {id}"
        value, row = source["values"][0], rows[id]
        assert row[0] == name({**space, "id": id}, lang)
        assert near(row[4], f"{value['mean']:.1f}"), (id, row)
        assert near(row[5], percent(value["open"]["frequency"])) and near(row[6], percent(value["open"]["utilisation"])), (id, row)
        assert near(row[7], percent(value["observed_s"] / 86400)), (id, row)
        assert row[8] == said(source["source"], value, lang)
    browser.run("document.querySelector('#course details').open = true")
    browser.wait("document.querySelectorAll('#course tbody tr').length > 0")
    shown = browser.run("return [...document.querySelectorAll('#course tbody tr')].map((row) => row.cells[1].textContent)")
    values = best(api(history, step="15m", space="b1-hall", **span)[0])["values"]
    assert [float(text) if text != "–" else None for text in shown] == [pytest.approx(v["mean"], abs=0.0051) if v["mean"] is not None else None for v in values]
    assert len(shown) == 96 and any(text not in ("–", "0.00") for text in shown)
    assert browser.run("return document.querySelector('#course canvas').clientWidth === document.querySelector('#course .canvas').clientWidth")
    assert errors(browser) == []


def by_quarter(space: dict) -> list[tuple[dict, bool]]:
    """Of the sources of doors each quarter hour once, corrected where that observed as much, and whether it is not corrected."""
    live, corrected = ([s["values"] for s in space["sources"] if s["source"] == name][0] for name in ("live", "corrected"))
    return [(ours, True) if ours["observed_s"] > better["observed_s"] else (better, False) for ours, better in zip(live, corrected, strict=True)]


def over(values: list[dict], figure: str) -> float:
    return sum(value[figure] * value["observed_s"] for value in values if value["observed_s"] > 0) / sum(value["observed_s"] for value in values)


@pytest.mark.parametrize("lang", TAGS)
def test_what_doors_counted_since_the_last_correction_is_shown_and_named(history, browser, lang):  # noqa: F811
    """Each quarter hour once: the sums of both sources."""
    today = (history.end - timedelta(seconds=1)).astimezone(SITE).date()
    begin = today - timedelta(days=1)  # of it a part at least is corrected
    end, _ = seen(quarter_now, lambda: show(browser, history, f"lang={lang}&length=custom&from={begin}&to={today}&space=b1-hall"))
    end = min(end, datetime.combine(today + timedelta(days=1), time(), SITE))
    [space] = api(history, step="15m", space="b1-hall", **{"from": str(begin), "to": end.isoformat()})
    quarters = by_quarter(space)
    values = [value for value, _ in quarters]
    live = [value["start"] for value, is_live in quarters if is_live]
    last = max(value["start"] for value, is_live in quarters if value["observed_s"] and not is_live)
    since = min((start for start in live if start > last), default=None)
    assert (since is None) == (history.end.time() == time(4)), "all is corrected in the quiet hour alone"
    until = since and since[:16].replace("T", " ")
    row = browser.run("return [...document.querySelector('#spaces tr[data-id=b1-hall]').cells].map((cell) => cell.firstElementChild.textContent)")
    open_values = [value["open"] for value in values]
    assert near(row[4], f"{over(values, 'mean'):.1f}") and near(row[5], percent(over(open_values, "frequency"))) and near(row[6], percent(over(open_values, "utilisation")))
    assert near(row[7], percent(sum(value["observed_s"] for value in values) / 900 / len(values)))
    assert row[8] == (TEXTS[lang]["occupancy_until"].replace("{until}", until) if until else TEXTS[lang]["occupancy_corrected"])
    assert browser.run("return document.getElementById('uncorrected').textContent") == (TEXTS[lang]["not_corrected_from"].replace("{from}", until) if until else "")
    hours: dict[str, list[tuple[dict, bool]]] = {}
    for value, is_live in quarters:
        hours.setdefault(value["start"][:13], []).append((value, is_live))
    browser.run("document.querySelector('#course details').open = true")
    browser.wait("document.querySelectorAll('#course tbody tr').length > 0")
    shown = browser.run("return [...document.querySelectorAll('#course tbody tr')].map((row) => row.cells[1].textContent)")
    means = [over([value for value, _ in parts], "mean") if any(value["observed_s"] for value, _ in parts) else None for parts in hours.values()]
    assert [None if text == "–" else float(text) for text in shown] == [None if mean is None else pytest.approx(mean, abs=0.0051) for mean in means]
    whole, pale = [*browser.run(DRAWN_CELLS % "course"), []][:2]
    is_pale = [any(is_live and value["observed_s"] for value, is_live in parts) for parts in hours.values()]
    drawn = [[i for i, value in enumerate(line) if value is not None] for line in (whole, pale)]
    assert drawn[0] == [i for i, mean in enumerate(means) if mean is not None and not is_pale[i]]
    assert drawn[1] == [i for i, mean in enumerate(means) if mean is not None and (is_pale[i] or any(is_pale[i + 1:i + 2]))]
    assert errors(browser) == []


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize("width", [1920, 1280, 390])
def test_it_fits_every_screen_in_both_languages(history, browser, lang, width):  # noqa: F811
    show(browser, history, f"lang={lang}&length=week", width)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    body = browser.run("return document.body.innerText")
    assert TEXTS[lang]["view_occupancy"] in body and "{" not in body and "undefined" not in body and "NaN" not in body
    assert errors(browser) == []


def test_the_heat_map_is_the_mean_of_each_hour_of_the_week(history, browser):  # noqa: F811
    begin = (history.end.astimezone(SITE) - timedelta(days=8)).date()
    end = (history.end.astimezone(SITE) - timedelta(days=1)).date()
    show(browser, history, f"lang=en&length=custom&from={begin}&to={end - timedelta(days=1)}&space=b1-hall")
    values = best(api(history, step="1h", space="b1-hall", **{"from": str(begin), "to": str(end)})[0])["values"]
    sums: dict[str, list[float]] = {}
    for value in values:
        if value["mean"] is None:
            continue
        at = datetime.fromisoformat(value["start"]).astimezone(timezone(timedelta(hours=8)))
        sum = sums.setdefault(f"{at:%a %H}:00", [0.0, 0.0])
        sum[0] += value["mean"] * value["observed_s"]
        sum[1] += value["observed_s"]
    browser.run("document.querySelector('#heat details').open = true")
    browser.wait("document.querySelectorAll('#heat tbody tr').length > 0")
    shown = dict(browser.run("return [...document.querySelectorAll('#heat tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))"))
    assert {key: float(text) for key, text in shown.items()} == {key: pytest.approx(people / seconds, abs=0.0051) for key, (people, seconds) in sums.items()}


@pytest.mark.parametrize("press", ["#earlier", "[value=frequency]"])
def test_no_chart_of_what_was_asked_for_before_stands_below_something_else(history, browser, press):  # noqa: F811
    show(browser, history, f"lang=en&length=day&from={history.workday}&space=b1-hall")
    assert browser.run(CHARTED) == ["across", "course", "heat"]
    browser.run(FAILS % "step=(1h|15m)")
    browser.run(f"document.querySelector('{press}').click()")
    browser.wait("document.getElementById('problem').textContent === 'not now'")
    assert browser.run(CHARTED) == ([] if press == "#earlier" else ["course", "heat"])


@pytest.mark.parametrize(("press", "heads", "charts"), [
    ("#earlier", [False, False], []), ("[value=week]", [False, False], []), ("[value=frequency]", [True, True], ["course", "heat"]), ("#spaces tr[data-id=b1-r205] a", [True, True], ["across"])])
def test_where_a_question_has_no_answer_nothing_of_another_stands_below_it(history, browser, press, heads, charts):  # noqa: F811
    show(browser, history, f"lang=en&length=day&from={history.workday}&space=b1-hall")
    title = browser.run("return document.getElementById('detail-title').textContent")
    browser.run(FAILS % "occupancy")
    browser.run(f"document.querySelector('{press}').click()")
    browser.wait("document.getElementById('problem').textContent === 'not now'")
    assert browser.run(HEADS) == heads and browser.run(CHARTED) == charts
    assert (browser.run("return document.getElementById('detail-title').textContent") == title) == ("r205" not in press)
    assert browser.run("return document.querySelector('[value=frequency]').getAttribute('aria-pressed')") == str("frequency" in press).lower()
    browser.run("window.fetch = ask; history.back()")
    wait_until(lambda: browser.run(CHARTED) == ["across", "course", "heat"], 30, "all is drawn again")
    browser.run("const from = document.getElementById('from'); from.value = '2999-12-30'; from.dispatchEvent(new Event('change', { bubbles: true }))")
    browser.wait(f"document.getElementById('problem').textContent === '{TEXTS['en']['not_begun']}'")
    assert browser.run(HEADS) == [False, False]


def state(used: dict, measure: str) -> str:
    """In words of the catalogue, or the share."""
    return ("used_closed" if used["open_s"] == 0 else "used_unknown" if used["frequency"] is None else
            "used_uncounted" if used[measure] is None else percent(used[measure]))


@pytest.mark.parametrize("measure", ["utilisation", "frequency"])
@pytest.mark.parametrize("length", ["day", "custom"])
@pytest.mark.parametrize("lang", TAGS)
def test_the_map_of_all_spaces_is_the_apis_and_says_what_is_unknown(history, browser, lang, length, measure):  # noqa: F811
    end = history.workday
    begin = end if length == "day" else history.begin.date() - timedelta(days=3)  # longer than anything is known
    show(browser, history, f"lang={lang}&length={length}&from={begin}&to={end}&measure={measure}")
    span = {"from": str(begin), "to": str(end + timedelta(days=1))}
    stepped = {space["space"]: space for space in api(history, step="1h" if length == "day" else "1d", **span)}
    wanted, known, unknown = [], [], []
    for y, space in enumerate(api(history, step="all", **span)):
        source = best(space)["source"]
        for x, value in enumerate(next(s for s in stepped[space["space"]]["sources"] if s["source"] == source)["values"]):
            used = value["open"]
            word = state(used, measure)
            wanted.append([name({**space, "id": space["space"]}, lang), value["start"][:16].replace("T", " "), TEXTS[lang].get(word, word),
                           percent(used["observed_s"] / used["open_s"]) if used["open_s"] else "–", said(source, value, lang)])
            if word in ("used_unknown", "used_uncounted"):
                unknown.append([x, y])
            elif word != "used_closed":
                known.append([x, y, pytest.approx(used[measure])])
    browser.run("document.querySelector('#across details').open = true")
    browser.wait("document.querySelectorAll('#across tbody tr').length > 0")
    shown = browser.run("return [...document.querySelectorAll('#across tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))")
    assert len(shown) == len(wanted) and known
    for row, expected in zip(shown, wanted):
        assert row[:2] == expected[:2] and all(a == b if b[-1] != "%" else near(a, b) for a, b in zip(row[2:], expected[2:])), (row, expected)
    drawn, hatched = browser.run(DRAWN_CELLS % "across")
    assert drawn == known and [cell[:2] for cell in hatched] == unknown
    assert bool(unknown) == (length == "custom")
    assert errors(browser) == []


def test_a_course_is_of_the_space_whose_name_stands_above_it(history, browser):  # noqa: F811
    show(browser, history, f"lang=zh&length=day&from={history.workday}&space=b1-hall")
    look = "return [document.getElementById('detail-title').textContent, document.querySelector('#course tbody').textContent]"
    browser.run("document.querySelector('#course details').open = true")
    browser.wait("document.querySelectorAll('#course tbody tr').length === 96")
    shown = browser.run(look)
    assert TEXTS["zh"]["course_people"] in browser.run("return document.getElementById('detail').innerText") and TEXTS["zh"]["course"] not in browser.run("return document.body.innerText")
    # The course of another is answered when the test says so, and what the page made of it is counted.
    browser.run("""[window.asked, window.told] = [0, 0]; const ask = window.fetch; const isLate = new Promise((resolve) => (window.release = resolve));
        window.fetch = async (url, how) => { const answer = await ask(url, how); const json = answer.json.bind(answer);
          if (/space=b1-r205/.test(url)) answer.json = () => (window.asked++, isLate.then(json).finally(() => setTimeout(() => window.told++)));
          return answer; };""")
    browser.run("document.querySelector('#spaces tr[data-id=b1-r205] a').click()")
    browser.wait("asked === 1")
    browser.run("delete document.body.dataset.drawn; document.querySelector('#spaces tr[data-id=b1-hall] a').click()")
    browser.wait("document.body.dataset.drawn !== undefined")
    browser.run("release()")
    browser.wait("told === 1")
    assert browser.run(look) == shown
    assert errors(browser) == []


@pytest.mark.parametrize("view", ["energy", "occupancy"])
def test_on_paper_is_what_was_asked_for_and_nothing_to_press(history, browser, view):  # noqa: F811
    day = str(history.workday)
    browser.command("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    try:
        browser.size(1031)  # A4 across, within its margins
        browser.open(f"{history.http_url}/ops/{view}?lang=en&length=day&from={day}")
        browser.wait("document.body.dataset.drawn !== undefined", 30)
        shown = browser.run("return [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() && e.getClientRects().length).map((e) => e.tagName)")
        assert not {"NAV", "BUTTON", "SELECT", "INPUT", "SUMMARY", "FORM"} & set(shown)
        assert {"H1", "TABLE", "CANVAS"} <= set(shown) and day in browser.run("return document.body.innerText")
        assert browser.run("return document.documentElement.scrollWidth") <= 1031
        assert browser.run("return getComputedStyle(document.querySelector('.list td')).color") == "rgb(22, 33, 31)"
        words = "const range = document.createRange(); return [...document.querySelectorAll('.list span')].flatMap((e) => [...(e.firstChild?.data ?? '').matchAll(/[A-Za-z]+/g)].filter((word) => {" \
                "range.setStart(e.firstChild, word.index); range.setEnd(e.firstChild, word.index + word[0].length); return range.getClientRects().length > 1; }).map(([word]) => word))"
        assert browser.run(words) == []
    finally:
        browser.command("Emulation.setEmulatedMedia", media="", features=[])


# Of each chart the boxes of the canvases that are seen, and of `heat` the colour where its highest cell is.
ON_PAPER = """return import('/assets/echarts.js').then(({ getInstanceByDom }) => {
  const seen = (chart) => [...chart.querySelectorAll('canvas')].filter((canvas) => canvas.getClientRects().length);
  const boxes = [...document.querySelectorAll('.canvas')].filter((chart) => chart.checkVisibility()).map((chart) => seen(chart).map((canvas) => { const { left, top, width, height } = canvas.getBoundingClientRect(); return [left, top, width, height]; }));
  const heat = document.querySelector('#heat .canvas'), drawn = getInstanceByDom(heat);
  const [x, y] = [...drawn.getOption().series[0].data].sort((a, b) => b[2] - a[2])[0];
  const at = drawn.convertToPixel({ seriesIndex: 0 }, [x, y]), picture = seen(heat)[0], ratio = picture.width / drawn.getWidth();
  return [boxes, [...picture.getContext('2d').getImageData(Math.round(at[0] * ratio), Math.round(at[1] * ratio), 1, 1).data]];
});"""


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("view", ["energy", "occupancy"])
def test_on_paper_each_chart_is_one_picture_in_the_colours_of_the_day(history, browser, view, width):  # noqa: F811
    day = str(history.workday)
    browser.command("Emulation.setEmulatedMedia", media="screen", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    try:
        browser.size(width)
        browser.open(f"{history.http_url}/ops/{view}?lang=en&length=day&from={day}&space=b1-hall")
        browser.wait("document.body.dataset.drawn !== undefined", 30)
        if view == "energy":
            browser.wait("document.getElementById('calendar').dataset.drawn !== undefined", 30)
        charts = browser.run(CHARTED)
        browser.command("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        browser.size(1031)  # A4 across, within its margins
        browser.wait("matchMedia('print').matches && document.querySelectorAll('.canvas > canvas').length > 0")
        boxes, colour = browser.run(ON_PAPER)
        assert len(boxes) == len(charts) > 2 and [len(seen) for seen in boxes] == [1] * len(boxes)
        assert all(left >= 0 and left + wide <= 1031 and 50 < height < 600 for [(left, _, wide, height)] in boxes)
        assert colour == [15, 107, 107, 255]
        browser.command("Emulation.setEmulatedMedia", media="screen", features=[])
        browser.size(width)
        browser.wait("document.querySelectorAll('.canvas > canvas').length === 0")
        assert browser.run(CHARTED) == charts
        browser.run("dispatchEvent(new Event('beforeprint'))")  # that of a browser which tells no media before it copies the page
        assert len(browser.run("return [...document.querySelectorAll('.canvas > canvas')].map((picture) => picture.width)")) == len(charts)
        browser.run("dispatchEvent(new Event('afterprint'))")
        assert browser.run("return document.querySelectorAll('.canvas > canvas').length") == 0
    finally:
        browser.command("Emulation.setEmulatedMedia", media="", features=[])
