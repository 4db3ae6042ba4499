"""Energy as people see it: every figure is the API's, in any period and way to part it."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from harness.process import wait_until
from harness.servers import SOURCE
from harness.stage import Park, Stage
from sim.calendar import is_workday

WEB = Path(__file__).resolve().parents[2] / "dashboards/web"
TEXTS = {lang: json.loads((WEB / file).read_text()) for lang, file in (("zh", "zh-CN.json"), ("en", "en.json"))}
QUARTER = timedelta(minutes=15)
SITE = timezone(timedelta(hours=8))
QUIET = timedelta(hours=4)  # the quiet hour of spaces: before it nobody knows how many the doors missed the day before


def quarter_now() -> datetime:
    now = datetime.now(timezone.utc)
    return now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0).astimezone(SITE)


def today() -> date:
    return datetime.now(SITE).date()


def seen(clock: Callable, look: Callable):
    """What the clock says, and what a look brings: a look before and after which it says the same, for pages have clocks of their own."""
    while True:
        before, found = clock(), look()
        if clock() == before:
            return before, found


def last_workday(end: datetime) -> date:
    """The last day of which all is known at `end` and on which people came: days of weekends and holidays may be empty."""
    day = (end.astimezone(SITE) - QUIET).date() - timedelta(days=1)
    while not is_workday((day - date(1970, 1, 1)).days):
        day -= timedelta(days=1)
    return day


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A park whose last ten days came through the real path, or more where holidays are long: all of `workday`, and the day before. Nothing of it moves."""
    with Stage(tmp_path_factory.mktemp("energy")) as stage:
        rates = "".join(f'{name} = "{SOURCE}/config/{name}.cfg"; ' for name in ("factors", "tariffs"))
        park = Park(stage, every=None, more=rates)
        park.start_servers()
        end = quarter_now()
        workday = last_workday(end)
        begin = datetime.combine(min(end.date() - timedelta(days=9), workday - timedelta(days=1)), time(), SITE)
        for gateway, agent in park.agents.items():
            path = park.sim.write_history(stage.folder / f"{gateway}.csv", gateway, begin.isoformat(), (end + timedelta(seconds=1)).isoformat(), 900)
            done = agent.run("--replay", path)
            assert done.returncode == 0, done.stderr
        park.collector.wait_taken(60, "ledger", "space")
        yield SimpleNamespace(http_url=park.http_url, end=end, begin=begin, workday=workday)


def api(park, **asked) -> dict:
    with urllib.request.urlopen(f"{park.http_url}/api/v1/energy?{urllib.parse.urlencode({'site': 'jiashan', **asked})}", timeout=20) as answer:
        return json.load(answer)


def costs(park, period: str) -> dict:
    with urllib.request.urlopen(f"{park.http_url}/api/v1/costs?site=jiashan&period={period}", timeout=20) as answer:
        return {(row["by"], row["id"] or "", row["carrier"]): row for row in json.load(answer)["rows"]}


def result(row: dict | None, kind: str) -> str:
    if row is None or row[kind] is None or row[kind]["known"] is None:
        return "–"
    places, unit = {"cost": (2, "yuan"), "kgco2": (None, "kg CO2")}[kind]
    return f"{'≥ ' if row[kind]['amount'] is None else ''}{amount(row[kind]['known'], places)} {unit}"


def amount(decimal: str, places: int | None = None) -> str:
    """To a tenth; what is less than one to the thousandth, a litre or watt-hour."""
    if places is None:
        places = 3 if 0 < abs(Decimal(decimal)) < 1 else 1
    return f"{Decimal(decimal).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,}"


def show(browser, park, query: str, width: int = 1280) -> None:
    browser.log()
    browser.size(width)
    browser.open(f"{park.http_url}/ops/energy?{query}")
    browser.wait("document.body.dataset.drawn !== undefined", 30)


PARTS = """return Object.fromEntries([...document.querySelectorAll('#parts tbody tr')].map((row) =>
    [row.dataset.id, [1, 3, 5, 6].map((i) => row.cells[i].firstElementChild.textContent)]))"""
SHARES = "return [...document.querySelectorAll('#parts tbody tr')].map((row) => [row.cells[0].firstElementChild.textContent, row.cells[2].firstElementChild.textContent])"


def table(browser, chart: str) -> list[list[str]]:
    browser.run(f"document.querySelector('#{chart} details').open = true")
    browser.wait(f"document.querySelectorAll('#{chart} tbody tr').length > 0")
    rows = browser.run(f"return [...document.querySelectorAll('#{chart} tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))")
    return [[label, *map(ungrouped, cells)] for label, *cells in rows]


def ungrouped(shown: str) -> str:
    """A figure, its thousands grouped, as the API writes it."""
    assert not re.search(r"\d{4}[.]|^\d{4,}$|[.]\d{4}", shown), shown
    return shown.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+([.]\d{1,3})?", shown) else shown


def test_little_is_not_shown_as_nothing(history, browser):
    show(browser, history, "lang=en&length=day")
    expected = {"0": "0.0", "0.000": "0.0", "0.0425": "0.043", "-0.25": "−0.250", "0.9996": "1.000", "1.04": "1.0", "1286.65": "1,286.7", "-0.0001": "0.000"}
    assert browser.run("return import('/assets/format.js').then(({ amount }) => arguments[0].map((decimal) => amount(decimal)))", list(expected)) == list(expected.values())
    shares = {"0": "0.0 %", "0.5": "50.0 %", "9.9996": "1,000.0 %", "33.328": "3,332.8 %"}
    assert browser.run("return import('/assets/format.js').then(({ percent }) => arguments[0].map((share) => percent(Number(share))))", list(shares)) == list(shares.values())
    figures = {"0": "0", "999.5": "999.5", "1487.980": "1,487.980", "714747.1875": "714,747.188", "-1000": "−1,000", "2026-11-30": "2026-11-30", "12.5 %": "12.5 %"}
    assert browser.run("return import('/assets/format.js').then(({ figure }) => arguments[0].map((value) => figure(value)))", list(figures)) == list(figures.values())


@pytest.mark.parametrize("by", ["building", "tenant", "item", "meter", "carrier"])
def test_every_number_is_the_apis(history, browser, by):
    day = (history.end.astimezone(SITE) - timedelta(days=1)).date()
    before = day - timedelta(days=1)
    show(browser, history, f"lang=en&length=day&from={day}&by={by}&carrier=electricity")
    span = {"from": str(day), "to": str(day + timedelta(days=1))}
    of = "groups" if by == "meter" else "parts"
    whole = next(row for row in api(history, by="carrier", step="all", **span)["rows"] if row["id"] == "electricity")
    assert browser.run("return document.getElementById('total').textContent") == amount(whole["values"][0]["amount"])
    rows = {(row["kind"], row["id"] or "", row["carrier"]): row["values"][0]["amount"] for row in api(history, by=by, of=of, step="all", **span)["rows"]}
    earlier = {(row["kind"], row["id"] or "", row["carrier"]): row["values"][0]["amount"]
               for row in api(history, by=by, of=of, step="all", **{"from": str(before), "to": str(day)})["rows"]}
    units = {"electricity": "kWh", "heat": "MJ", "cooling": "MJ", "water": "m³", "gas": "m³"}
    came_to = costs(history, str(day))
    expected = {" ".join(key): [f"{amount(value)} {units[key[2]]}", f"{amount(earlier[key])} {units[key[2]]}", *(result(came_to.get((by, *key[1:])), kind) for kind in ("cost", "kgco2"))] for key, value in rows.items()
                if key[0] != "gap" and (by == "carrier" or key[2] == "electricity")}
    assert expected and browser.run(PARTS) == expected
    assert came_to["carrier", "electricity", "electricity"]["kgco2"]["amount"] is not None
    if by == "carrier":
        said = browser.run("return document.getElementById('costs-why').textContent")
        assert [said.count(TEXTS["en"][why].split("{carrier}")[1].split("{day}")[0]) for why in ("why_no_prices", "why_no_tariff", "why_no_factor")] == [1, 1, 1]
        assert all(said.count(TEXTS["en"][f"carrier_{carrier}"]) == (1 if carrier == "electricity" else 2) for carrier in {key[2] for key in rows})
    steps = [row for row in api(history, by="carrier" if by == "meter" else by, of="parts", step="1h", **span)["rows"] if row["carrier"] == "electricity"]
    assert table(browser, "course") == [[value["start"][5:16].replace("T", " "), *(row["values"][i]["amount"] for row in steps)]
                                        for i, value in enumerate(steps[0]["values"])]
    assert [entry for entry in browser.log() if entry["level"] in ("SEVERE", "WARNING")] == []


@pytest.mark.parametrize("by", ["building", "tenant", "item"])
@pytest.mark.parametrize("lang", TEXTS)
def test_rows_shares_and_stacks_have_each_kilowatt_hour_once(history, browser, by, lang):
    """Held against the registers of the meters that nothing feeds."""
    day = (history.end.astimezone(SITE) - timedelta(days=1)).date()
    span = {"from": str(day), "to": str(day + timedelta(days=1))}
    show(browser, history, f"lang={lang}&length=day&from={day}&by={by}&carrier=electricity")
    with urllib.request.urlopen(f"{history.http_url}/api/v1/park", timeout=20) as answer:
        tops = {meter["id"] for meter in json.load(answer)["meters"] if meter["carrier"] == "electricity" and meter.get("parent") is None}
    mains = [row["values"] for row in api(history, by="meter", step="1h", **span)["rows"] if row["kind"] == "meter" and row["id"] in tops]
    hours = [sum(Decimal(value["amount"]) for value in values) for values in zip(*mains, strict=True)]
    assert len(mains) >= 2 and [sum(map(Decimal, row[1:])) for row in table(browser, "course")] == hours
    drawn = browser.run(DRAWN_CELLS % "course")
    assert [sum(column) for column in zip(*drawn, strict=True)] == pytest.approx([float(hour) for hour in hours])
    shares = browser.run(SHARES)
    assert len(shares) == len(drawn) > 1
    values = [Decimal(row["values"][0]["amount"]) for row in api(history, by=by, of="parts", step="all", **span)["rows"] if row["carrier"] == "electricity"]
    assert sum(values) == sum(hours)
    assert [float(share.rstrip(" %")) for _, share in shares] == pytest.approx([float(100 * value / sum(values)) for value in values], abs=0.051)
    names = {"tenant": {"zh": "未分配租户", "en": "No tenant"}}
    assert by not in names or shares[-1][0] == names[by][lang]
    assert browser.run("return document.getElementById('costs-why').textContent") == (
        TEXTS[lang]["why_no_prices"].replace("{carrier}", TEXTS[lang]["carrier_electricity"]).replace("{day}", str(day)))


def test_of_meters_only_those_that_feed_no_other_have_a_share(history, browser):
    day = (history.end.astimezone(SITE) - timedelta(days=1)).date()
    show(browser, history, f"lang=en&length=day&from={day}&by=meter&carrier=electricity")
    rows = api(history, by="meter", step="all", **{"from": str(day), "to": str(day + timedelta(days=1))})["rows"]
    feeds = {row["id"] for row in rows if row["kind"] == "gap"}
    shown = browser.run("return [...document.querySelectorAll('#parts tbody tr')].map((row) => [row.dataset.id, row.cells[2].firstElementChild.textContent])")
    assert feeds and {key.split()[1] for key, share in shown if share == "–"} == feeds | {row["id"] for row in rows if row["kind"] == "virtual" and row["carrier"] == "electricity"}
    assert sum(float(share.rstrip(" %")) for _, share in shown if share != "–") < 100


def test_of_a_day_under_way_at_least_is_said_only_where_something_that_is_over_is_missing(history, browser):
    def look() -> list[str]:
        day = (quarter_now() - timedelta(seconds=1)).date()
        show(browser, history, f"lang=en&length=day&from={day}&carrier=electricity")
        return browser.run("return [document.getElementById('costs').textContent, document.getElementById('coverage').textContent]")

    end, (came_to, coverage) = seen(quarter_now, look)
    is_whole = end == history.end
    assert "kg CO2" in came_to and ("≥" in came_to) == (not is_whole)
    assert (coverage == TEXTS["en"]["energy_whole"]) == is_whole


def test_a_part_is_shown_by_the_hour_and_in_the_order_of_its_load(history, browser):
    day = (history.end.astimezone(SITE) - timedelta(days=3)).date()
    show(browser, history, f"lang=en&length=day&from={day}&by=meter&carrier=electricity&id=b2-hvac")
    values = api(history, by="meter", id="b2-hvac", step="1h", **{"from": str(day), "to": str(day + timedelta(days=1))})["rows"][0]["values"]
    assert browser.run("return document.getElementById('detail-title').textContent") == "Air handling and fume hoods"
    assert table(browser, "heat") == [[value["start"][:16].replace("T", " "), value["amount"]] for value in values]
    loads = sorted((value["amount"] for value in values), key=Decimal, reverse=True)
    assert table(browser, "load-duration") == [[str(i + 1), load] for i, load in enumerate(loads)]


# What a chart was given, by series.
DRAWN_CELLS = """return import('/assets/echarts.js').then((echarts) =>
    echarts.getInstanceByDom(document.querySelector('#%s .canvas')).getOption().series.map((series) => series.data.map((cell) => cell?.value ?? cell)))"""


def csv(browser, chart: str, folder: Path, name: str) -> list[str]:
    """The lines of what the chart's link brings."""
    browser.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    browser.run(f"document.querySelector('#{chart} details').open = true; document.querySelector('#{chart} .csv').click()")
    wait_until(lambda: (folder / name).exists() and (folder / name).read_bytes(), 15, "the file is there, and written")
    text = (folder / name).read_bytes().decode("utf-8-sig")
    assert text.endswith("\r\n")
    return text.split("\r\n")[:-1]


@pytest.mark.parametrize("lang", TEXTS)
def test_the_calendar_has_each_day_of_the_year_and_none_that_is_not_known_as_nought(history, browser, tmp_path, lang):
    year = (history.end.astimezone(SITE) - timedelta(days=1)).year

    def look() -> None:
        show(browser, history, f"lang={lang}&length=year&from={year}-06-15&by=meter&carrier=electricity&id=b2-hvac")
        browser.wait(f"document.getElementById('calendar').dataset.drawn === '{year}'", 30)

    day, _ = seen(today, look)
    values = api(history, by="meter", id="b2-hvac", step="1d", **{"from": str(year), "to": str(year + 1)})["rows"][0]["values"]
    begun = [value for value in values if value["start"][:10] <= str(day)]
    known = [value for value in begun if value["amount"] is not None]
    assert len(values) in (365, 366) and len(begun) == min(len(values), (day - date(year, 1, 1)).days + 1)
    assert 1 <= len(known) <= (day - history.begin.date()).days
    assert table(browser, "calendar") == [[value["start"][:10], value["amount"] or "–", value["known"] or "–", TEXTS[lang][f"energy_{value['quality']}"]] for value in begun]
    drawn, unknown = browser.run(DRAWN_CELLS % "calendar")
    assert drawn == [[value["start"][:10], float(value["amount"])] for value in known]
    assert [cell[0] for cell in unknown] == [value["start"][:10] for value in begun if value["amount"] is None]
    assert csv(browser, "calendar", tmp_path, f"days-{year}.csv")[1:] == [f'{value["start"][:10]},{value["amount"] or ""},{value["known"] or ""},{TEXTS[lang]["energy_" + value["quality"]]}' for value in begun]
    assert browser.log() == []


REFUSES_YEARS = """const asked = window.fetch;
window.fetch = (url, options) => (/step=1d&from=\\d{4}&/.test(url) ? Promise.resolve(new Response('{"error": {"code": "too_much", "message": "a shorter period"}}', {status: 400}))
    : asked(url, options));"""


def test_a_year_that_is_more_than_one_answer_holds_is_said_and_leaves_the_rest(history, browser):
    """As with very many meters."""
    refusal = browser.command("Page.addScriptToEvaluateOnNewDocument", source=REFUSES_YEARS)["identifier"]
    try:
        day = (history.end.astimezone(SITE) - timedelta(days=1)).date()
        show(browser, history, f"lang=en&length=day&from={day}&carrier=electricity")
        browser.wait("document.getElementById('calendar-problem').textContent === 'a shorter period'")
        assert browser.run("return document.getElementById('problem').textContent") == ""
        assert len(table(browser, "heat")) == 24
    finally:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=refusal)


# What is asked for and matches is not answered; the next presses ask.
FAILS = """window.ask = window.fetch; window.fetch = (url, how) => (/%s/.test(url) ? Promise.resolve(new Response('{"error": {"code": "busy", "message": "not now"}}', {status: 503})) : ask(url, how))"""
CHARTED = "return [...document.querySelectorAll('.chart')].filter((chart) => !chart.closest('[hidden]') && chart.querySelector('.csv[href]') && chart.firstElementChild.style.visibility === '').map((chart) => chart.id)"


def test_no_chart_of_what_was_asked_for_before_stands_below_another_period(history, browser):
    day = (history.end.astimezone(SITE) - timedelta(days=1)).date()
    show(browser, history, f"lang=en&length=day&from={day}&by=meter&carrier=electricity&id=b2-hvac")
    browser.wait("document.getElementById('calendar').dataset.drawn !== undefined", 30)
    assert browser.run(CHARTED) == ["course", "flow", "calendar", "heat", "load-duration"]
    browser.run(FAILS % "id=b2-hvac|by=meter&step=all")
    browser.run("document.getElementById('earlier').click()")
    browser.wait("document.getElementById('problem').textContent === 'not now'")
    assert browser.run(CHARTED) == ["course", *(["calendar"] if (day - timedelta(days=1)).year == day.year else [])]
    browser.run("const from = document.getElementById('from'); from.value = '2001-01-01'; from.dispatchEvent(new Event('change', { bubbles: true }))")
    browser.wait(f"document.getElementById('coverage').textContent === '{TEXTS['en']['energy_none']}'")
    assert browser.run(CHARTED) == []


HEADS = "return ['shown', 'detail'].map((id) => document.getElementById(id).checkVisibility())"


@pytest.mark.parametrize(("press", "heads", "charts"), [
    ("earlier", [False, False], []), ("week", [False, False], []), ("from=2999-12-30", [False, False], []), ("carrier=water", [False, False], []), ("by=tenant", [False, False], []),
    ("against=year", [False, False], []), ("row", [True, False], ["course", "flow"])])
def test_where_a_question_has_no_answer_nothing_of_another_stands_below_it(history, browser, press, heads, charts):
    day = (history.end.astimezone(SITE) - timedelta(days=1)).date()
    show(browser, history, f"lang=en&length=day&from={day}&by=meter&carrier=electricity&id=b2-hvac")
    browser.wait("document.getElementById('calendar').dataset.drawn !== undefined", 30)
    all_charts = browser.run(CHARTED)
    browser.run(FAILS % "energy")
    id, _, value = press.partition("=")
    if press == "row":
        browser.run("document.querySelector('#parts tr:not([data-id*=\"b2-hvac\"]) a').click()")
    else:
        browser.run(PRESSED, id, value or None)
    said = TEXTS["en"]["not_begun"] if id == "from" else "not now"
    browser.wait(f"document.getElementById('problem').textContent === {json.dumps(said)}")
    assert browser.run(HEADS) == heads and browser.run(CHARTED) == charts
    browser.run("window.fetch = ask; history.back()")
    browser.wait(f"document.getElementById('problem').textContent === '' && document.querySelector('#heat .canvas').checkVisibility() && {json.dumps(str(day))} === document.getElementById('from').value")
    wait_until(lambda: browser.run(CHARTED) == all_charts, 30, "all is drawn again")


def test_what_flows_from_a_meter_is_what_is_behind_it_and_the_gap(history, browser):
    day = (history.end.astimezone(SITE) - timedelta(days=1)).date()
    show(browser, history, f"lang=en&length=day&from={day}&carrier=electricity")
    sums: dict[str, Decimal] = {}
    for source, _, value in table(browser, "flow"):
        sums[source] = sums.get(source, Decimal(0)) + Decimal(value)
    rows = api(history, by="meter", step="all", **{"from": str(day), "to": str(day + timedelta(days=1))})["rows"]
    mains = {row["id"]: Decimal(row["values"][0]["amount"]) for row in rows if row["kind"] == "meter" and row["id"] in ("b1-main", "b2-main")}
    assert sums == {"Main incomer · Research building": mains["b1-main"], "Main incomer · Laboratory building": mains["b2-main"]}


# Of the texts in the flow: how many there are, those that are shortened, not within it, or upon each other; the lines of each name, and how many have one.
FLOW_TEXTS = """return import('/assets/echarts.js').then(({ getInstanceByDom }) => {
    const chart = getInstanceByDom(document.querySelector('#flow .canvas'));
    const texts = chart.getZr().storage.getDisplayList().filter((item) => item.type === 'tspan').map((item) => {
      const box = item.getBoundingRect().clone();
      if (item.transform) box.applyTransform(item.transform);
      return { text: item.style.text, left: box.x, top: box.y, right: box.x + box.width, bottom: box.y + box.height };
    });
    const cut = texts.filter((one) => one.left < 0 || one.top < 0 || one.right > chart.getWidth() || one.bottom > chart.getHeight());
    const upon = texts.filter((one) => texts.some((other) => other !== one && one.left < other.right && other.left < one.right && one.top + 3 < other.bottom && other.top + 3 < one.bottom));
    const lines = new Map();
    for (const item of chart.getZr().storage.getDisplayList()) if (item.type === 'tspan') lines.set(item.parent, [...(lines.get(item.parent) ?? []), item.style.text]);
    return { count: texts.length, shortened: texts.filter((one) => one.text.includes('…')), cut, upon, lines: [...lines.values()], nodes: chart.getOption().series[0].data.length };
  });"""
# Names as people give them, and as nobody does; those of the demo's meters become these, at odd turns with some behind one another.
LONG_NAMES = ["building room cleanroom water north laboratory feeder transformer", "Incoming supply of the second transformer room, north laboratory building, emergency side",
              "A", "Hauptverteilungstransformatorenstationsüberwachungszählereinrichtung", "一号实验楼北侧洁净室空调机组冷冻水循环泵配电柜总进线电度表", "研究楼 B2 层 HVAC 空调机组与排风柜 incomer/feeder-17", "i i i i " * 12,
              "transformer transformer cleanroom cleanroom laboratory laboratory building building"]
RENAMED = """const json = Response.prototype.json, names = %s, turn = %d;
Response.prototype.json = async function () {
  const said = await json.call(this);
  if (this.url.endsWith('/api/v1/park')) said.meters.forEach((meter, i) => {
    meter.name = meter.name_en = `${i} ${names[(i + turn) %% names.length]}`;
    if (turn %% 2 && i %% 3 && meter.parent && said.meters[i - 1].parent) meter.parent = said.meters[i - 1].id;
  });
  return said;
};"""


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_names_of_the_flow_are_whole_and_apart(history, browser, lang):
    day = (history.end.astimezone(SITE) - timedelta(days=1)).date()
    counts = []
    for width in (1280, 390):
        browser.size(width)
        show(browser, history, f"lang={lang}&length=day&from={day}&carrier=electricity", width=width)
        found = browser.run(FLOW_TEXTS)
        assert (found["shortened"], found["cut"], found["upon"]) == ([], [], []), (width, found)
        counts.append(found["count"])
    assert 10 < counts[0] <= counts[1] and (lang == "zh" or counts[0] < counts[1]), counts  # on a phone some stand in lines


@pytest.mark.parametrize("turn", range(4))
def test_long_names_of_the_flow_are_in_lines_and_apart(history, browser, turn):
    day = (history.end.astimezone(SITE) - timedelta(days=1)).date()
    with urllib.request.urlopen(f"{history.http_url}/api/v1/park", timeout=20) as answer:
        said = json.load(answer)
    buildings = {building["id"]: building["name_en"] for building in said["buildings"]}
    names = [f"{i} {LONG_NAMES[(i + turn) % len(LONG_NAMES)]}" for i in range(len(said["meters"]))]
    wholes = ["".join(whole.split()) for name, meter in zip(names, said["meters"], strict=True)
              for whole in (name if meter.get("parent") else f"{name} · {buildings[meter['building']]}", TEXTS["en"]["gap_of"].replace("{name}", name))]
    script = browser.command("Page.addScriptToEvaluateOnNewDocument", source=RENAMED % (json.dumps(LONG_NAMES), turn))["identifier"]
    try:
        for width in (1280, 800, 390):
            if width == 800:  # while it stands
                browser.size(width)
                browser.wait("document.querySelector('#flow .canvas').clientWidth < 800")
                wait_until(lambda: browser.run(FLOW_TEXTS)["upon"] == [], 15, "names are apart")
            else:
                show(browser, history, f"lang=en&length=day&from={day}&carrier=electricity", width=width)
            found = browser.run(FLOW_TEXTS)
            assert (found["cut"], found["upon"]) == ([], []), (width, found)
            assert len(found["lines"]) == found["nodes"] > 10
            for lines in found["lines"]:
                shown, is_short = "".join("".join(lines).removesuffix("…").split()), lines[-1].endswith("…")
                assert (len(lines) == 4 and any(whole.startswith(shown) for whole in wholes)) if is_short else (len(lines) <= 4 and shown in wholes), (lines, wholes)
    finally:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script)


def test_the_controls_are_the_address_and_the_way_back_works(history, browser):
    show(browser, history, "lang=zh&length=day&carrier=electricity")
    first = browser.run("return document.getElementById('from').value")
    browser.run("document.getElementById('earlier').click()")
    browser.wait("document.body.dataset.drawn === '2'")
    day = (datetime.fromisoformat(first) - timedelta(days=1)).date()
    assert f"from={day}" in browser.run("return location.search") and "lang=zh" in browser.run("return location.search")
    browser.run("history.back()")
    browser.wait(f"document.getElementById('from').value === '{first}'")


PRESSED = """const [id, value] = arguments; const element = document.getElementById(id) ?? document.querySelector(`button[value=${id}]`);
    if (value === null) element.click(); else { element.value = value; element.dispatchEvent(new Event('change', { bubbles: true })); }"""


@pytest.mark.parametrize(("page", "presses"), [
    ("energy", ["by=tenant", "row", "by=item", "row", "by=meter", "row", "carrier=water", "by=carrier", "against=nothing", "week", "year", "earlier", "earlier", "day", "later", "from=2999-12-31", "later", "from=2000-01-01",
                "earlier", "custom", "to=2000-03-01", "earlier", "later", "from=2001-05-05", "from=0202-05-05", "to=2999-12-31", "to=", "month", "custom", "year", "earlier"]),
    ("occupancy", ["row", "day", "week", "earlier", "frequency", "from=2000-01-01", "earlier", "custom", "to=2000-02-01", "earlier", "to=2026-01-01", "from=2999-12-31", "later"]),
])
def test_whatever_the_controls_write_into_the_address_the_server_takes(history, browser, page, presses):
    browser.open(f"{history.http_url}/ops/{page}?lang=en&length=month")
    browser.wait("document.body.dataset.drawn !== undefined", 30)
    seen = set()
    for press in presses:
        id, _, value = press.partition("=")
        if press == "row":
            browser.wait("document.querySelector('tbody a')")
            browser.run("[...document.querySelectorAll('tbody a')].at(-1).click()")
        else:
            browser.run(PRESSED, id, value if "=" in press else None)
        at = browser.run("return location.pathname + location.search")
        seen.add(at)
        with urllib.request.urlopen(history.http_url + at, timeout=20) as answer:
            assert answer.status == 200
    assert len(seen) > len(presses) / 2


def test_a_period_that_is_too_long_is_said_beside_its_days_and_changes_nothing(history, browser):
    show(browser, history, "lang=en&length=custom&from=2026-01-01&to=2026-01-02")
    before = browser.run("return location.search")
    browser.run(PRESSED, "from", "2015-01-01")
    assert browser.run("return document.getElementById('from').validationMessage") == TEXTS["en"]["period_too_long"].replace("{days}", "3699")
    assert browser.run("return location.search") == before
    browser.run(PRESSED, "from", "2026-01-02")
    assert browser.run("return document.getElementById('from').validationMessage") == "" and "from=2026-01-02" in browser.run("return location.search")


def test_a_wrong_address_is_answered_and_nothing_of_it_is_markup(history, browser):
    browser.log()
    browser.open(f"{history.http_url}/ops/energy?lang=en&length=day&from=2999-01-01")
    browser.wait("document.getElementById('problem').textContent !== ''")
    assert browser.run("return document.getElementById('problem').textContent") == TEXTS["en"]["not_begun"]
    assert [entry for entry in browser.log() if entry["level"] in ("SEVERE", "WARNING")] == []
    browser.open(f"{history.http_url}/ops/energy?lang=en&by=x&from=nonsense&length=%3Cb%3E&id=%22%3E%3Cscript%3E")
    assert "“length”" in browser.run("return document.querySelector('main .card').textContent")
    assert browser.run("return document.querySelectorAll('main b, main script').length") == 0
    browser.run("document.querySelector('main .card a').click()")
    browser.wait("document.body.dataset.drawn !== undefined", 30)
    assert browser.run("return location.pathname + location.search") == "/ops/energy?lang=en"


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("width", [1920, 1280, 390])
def test_it_fits_every_screen_in_both_languages(history, browser, lang, width):
    show(browser, history, f"lang={lang}&length=week&by=meter", width)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    body = browser.run("return document.body.innerText")
    assert TEXTS[lang]["parts"] in body and "{" not in body and "undefined" not in body and "NaN" not in body
    assert [entry for entry in browser.log() if entry["level"] in ("SEVERE", "WARNING")] == []


# The collector's clock, which the test sets, and what the page asks for and keeps. goOn(ms): the browser's clock goes on, and an event comes.
CLOCKED = """window.at = '%s'; window.asked = []; window.kept = 0;
let aheadMs = 0, stream = null, said = null; const [now, Stream] = [performance.now.bind(performance), EventSource];
performance.now = () => now() + aheadMs;
window.EventSource = class extends Stream { constructor(url) { super(url); stream = this; this.addEventListener('live', ({ data }) => { said = data; }); } };
window.goOn = (ms) => { aheadMs += ms; if (said !== null) stream.dispatchEvent(new MessageEvent('live', { data: said })); };
const set = (said) => (said?.as_of ? { ...said, as_of: window.at, ...(said.made && { made: window.at }) } : said);
const [parse, json, ask, make, revoke] = [JSON.parse, Response.prototype.json, window.fetch, URL.createObjectURL, URL.revokeObjectURL];
JSON.parse = (...given) => set(parse(...given));
Response.prototype.json = async function () { return set(await json.call(this)); };
window.fetch = (url, how) => { if (/energy|occupancy/.test(url) && /\\/api\\//.test(url)) window.asked.push(String(url)); return ask(url, how); };
URL.createObjectURL = (of) => { window.kept += 1; return make.call(URL, of); };
URL.revokeObjectURL = (url) => { if (url) window.kept -= 1; revoke.call(URL, url); };"""
TICKS = "window.ticks = 0; window.asked = []; clearInterval(window.ticking); window.ticking = setInterval(() => { window.ticks += 1; }, 1000)"  # the page looks at the clock as often
HIDDEN = "Object.defineProperty(document, 'hidden', { configurable: true, get: () => %s })"


@pytest.fixture
def clocked(history, browser):
    """Opens a page at a time of the park that the test sets (`at`)."""
    scripts = []

    def open_at(at: datetime, path: str) -> None:
        scripts.append(browser.command("Page.addScriptToEvaluateOnNewDocument", source=CLOCKED % at.isoformat())["identifier"])
        browser.log()
        browser.size(1280, 600)
        browser.open(f"{history.http_url}{path}")
        browser.wait("document.body.dataset.drawn !== undefined", 30)

    yield open_at
    for script in scripts:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script)


def test_a_period_under_way_is_read_again_as_it_goes_on_and_nothing_else_of_the_page_moves(history, browser, clocked):
    first = (history.end.astimezone(SITE) - timedelta(days=2)).date()
    last = (history.end.astimezone(SITE) - timedelta(seconds=1)).date()

    def total(end: datetime) -> str:
        rows = api(history, by="carrier", step="all", **{"from": str(first), "to": end.isoformat()})["rows"]
        return amount(next(row for row in rows if row["id"] == "electricity")["values"][0]["amount"])

    clocked(history.end - timedelta(minutes=40), f"/ops/energy?lang=en&length=custom&from={first}&to={last}&by=building&carrier=electricity")
    shown = "document.getElementById('total').textContent === '%s'"
    assert browser.run("return " + shown % total(history.end - timedelta(minutes=45)))
    browser.wait("document.getElementById('calendar').dataset.drawn", 30)
    browser.run("document.querySelector('#heat details').open = true")
    browser.wait("document.querySelectorAll('#heat tbody tr').length > 30")
    browser.run("""const from = document.getElementById('from'); from.focus(); from.value = ''; scrollTo(0, 200);
        document.querySelector('#heat .scroll').scrollTop = 150;
        return import('/assets/echarts.js').then((echarts) => echarts.getInstanceByDom(document.querySelector('#course .canvas')).dispatchAction({ type: 'legendUnSelect', name: 'Laboratory building' }))""")
    state = """const chart = (await import('/assets/echarts.js')).getInstanceByDom(document.querySelector('#course .canvas'));
        return [document.activeElement.id, document.getElementById('from').value, scrollY, document.querySelector('#heat .scroll').scrollTop, location.href,
                chart.getOption().legend[0].selected['Laboratory building'], document.querySelectorAll('*').length - document.querySelectorAll('#heat tr *, #heat tr').length, window.kept]"""
    before = browser.run(f"return (async () => {{ {state} }})()")
    assert before[0] == "from" and before[2:4] == [200, 150] and before[5] is False
    for minutes in (-10, 5):
        browser.run(f"window.asked = []; window.at = '{(history.end + timedelta(minutes=minutes)).isoformat()}'; document.body.dataset.drawn = ''; delete document.getElementById('calendar').dataset.drawn; goOn(0)")
        browser.wait(shown % total(history.end + timedelta(minutes=minutes // 15 * 15)) + " && document.body.dataset.drawn && document.getElementById('calendar').dataset.drawn", 60)
    assert browser.run(f"return (async () => {{ {state} }})()") == before
    browser.run(TICKS)
    browser.wait("ticks >= 3")
    assert browser.run("return asked") == []  # until the next quarter hour
    browser.run(HIDDEN % "true" + f"; {TICKS}; window.at = '{(history.end + timedelta(minutes=20)).isoformat()}'; goOn(0)")
    browser.wait("ticks >= 3")
    assert browser.run("return asked") == []
    browser.run(HIDDEN % "false")
    browser.wait("asked.length > 0", 60)
    assert errors_of(browser) == []


def test_what_cannot_be_read_again_stands_and_is_asked_for_later(history, browser, clocked):
    day = (history.end.astimezone(SITE) - timedelta(days=1)).date()
    clocked(history.end - timedelta(minutes=40), f"/ops/energy?lang=en&length=custom&from={day}&to={history.end:%Y-%m-%d}&carrier=electricity")
    total = browser.run("return document.getElementById('total').textContent")
    browser.run(FAILS % "v1.energy" + f"; window.at = '{(history.end + timedelta(minutes=5)).isoformat()}'; goOn(0)")
    browser.wait("document.getElementById('problem').textContent === 'not now'", 60)
    assert browser.run("return [document.getElementById('total').textContent, document.getElementById('shown').hidden]") == [total, False]
    browser.run("window.fetch = ask; goOn(61000)")
    browser.wait(f"document.getElementById('problem').textContent === '' && document.getElementById('total').textContent !== '{total}'", 60)


@pytest.mark.parametrize("page", ["energy", "occupancy"])
def test_a_page_whose_address_names_no_day_is_of_the_present_one(history, browser, clocked, page):
    clocked(history.end - timedelta(days=1), f"/ops/{page}?lang=en&length=day")
    days = [str((history.end.astimezone(SITE) - timedelta(days=back, seconds=1)).date()) for back in (1, 0)]
    assert browser.run("return document.getElementById('from').value") == days[0]
    browser.run(f"window.at = '{history.end.isoformat()}'; goOn(0)")
    browser.wait(f"document.getElementById('from').value === '{days[1]}'", 60)
    browser.wait("document.getElementById('shown').hidden === false")


@pytest.mark.parametrize("page", ["energy", "occupancy"])
def test_what_is_over_is_not_asked_for_again(history, browser, clocked, page):
    """But for the people of the last quarter hour, which spaces have beside any period, and where somebody looks."""
    day = (history.end.astimezone(SITE) - timedelta(days=2)).date()
    clocked(history.end + timedelta(minutes=2), f"/ops/{page}?lang=en&length=day&from={day}")
    browser.wait("document.querySelectorAll('#calendar').length === 0 || document.getElementById('calendar').dataset.drawn", 30)
    browser.run(f"{TICKS}; goOn(80000)")
    browser.wait("ticks >= 3")
    assert browser.run("return asked") == []
    later = history.end + timedelta(minutes=62)
    browser.run(HIDDEN % ("true" if page == "occupancy" else "false") + f"; {TICKS}; window.at = '{later.isoformat()}'; goOn(61000)")
    browser.wait("ticks >= 3")
    assert browser.run("return asked") == []
    if page == "occupancy":
        browser.run("document.getElementById('from').value = ''; " + HIDDEN % "false")
        browser.wait("asked.length > 0", 60)
        browser.run("window.ticks = 0; goOn(80000)")
        browser.wait("ticks >= 3")
        asked, = [dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query)) for url in browser.run("return asked")]
        assert datetime.fromisoformat(asked["to"]) == history.end + timedelta(hours=1)
        assert browser.run("return document.getElementById('from').value") == ""  # somebody types in it


def test_an_answer_on_people_that_takes_long_is_drawn(history, browser, clocked):
    day = (history.end.astimezone(SITE) - timedelta(days=1)).date()
    clocked(history.end - timedelta(minutes=40), f"/ops/occupancy?lang=en&length=custom&from={day}&to={history.end:%Y-%m-%d}")
    browser.run(f"""window.held = []; window.ask = window.fetch; window.at = '{(history.end + timedelta(minutes=2)).isoformat()}';
        window.fetch = (url, how) => (/v1.occupancy/.test(url) ? new Promise((resolve) => held.push(() => resolve(ask(url, how)))) : ask(url, how)); goOn(0)""")
    browser.wait("held.length > 0", 60)
    browser.run(f"{TICKS}; window.at = '{(history.end + timedelta(minutes=17)).isoformat()}'; goOn(100000)")
    browser.wait("ticks >= 3")
    assert browser.run("return held.length") == 2  # of the period, and of the last quarter hour
    browser.run("window.fetch = ask; delete document.body.dataset.drawn; held.forEach((answer) => answer())")
    browser.wait("document.body.dataset.drawn !== undefined", 30)
    assert errors_of(browser) == []


def errors_of(browser) -> list[dict]:
    return [entry for entry in browser.log() if entry["level"] in ("SEVERE", "WARNING")]


OVERVIEW = "return ['today', 'today-text', 'against-yesterday', 'against-week'].map((id) => document.getElementById(id).textContent)"
JUST_BEGUN = ["–", TEXTS["en"]["today_begun"], "", ""]
NOTHING_YET = ["–", "", "", ""]
IS_READ = "document.getElementById('today-text').textContent + document.getElementById('against-yesterday').textContent !== ''"


def show_overview(browser, park) -> None:
    browser.open(f"{park.http_url}/ops?lang=en")
    browser.wait(IS_READ, 30)


def test_the_overview_has_todays_energy_and_its_course(history, browser):
    """Of what is over: where a quarter hour has ended since the history did, today is not known whole."""
    browser.size(1280)
    end, _ = seen(quarter_now, lambda: show_overview(browser, history))
    begin = end.replace(hour=0, minute=0)

    def electricity(step: str, back: timedelta = timedelta(0), what: str = "amount") -> list[str | None]:
        if begin == end:  # midnight: nothing of the day is over
            return []
        rows = api(history, by="carrier", step=step, **{"from": (begin - back).isoformat(), "to": (end - back).isoformat()})["rows"]
        return [value[what] for value in next(row for row in rows if row["id"] == "electricity")["values"]]

    so_far, before, week = (next(iter(electricity("1d", timedelta(days=days))), None) for days in (0, 1, 7))
    shown = browser.run(OVERVIEW)
    if begin == end:
        assert shown == JUST_BEGUN
    elif so_far is None:
        known = electricity("1d", what="known")[0] if electricity("1d", what="covered")[0] else None
        assert end > history.end and shown == ["–" if known is None else f"≥ {amount(known)}", TEXTS["en"]["today_part"], f"yesterday by now {amount(before)} kWh", f"a week ago by now {amount(week)} kWh"]
    else:
        assert shown[0] == amount(so_far) and shown[1] == "" and f"{amount(before)} kWh" in shown[2] and f"{amount(week)} kWh" in shown[3]
    quarters = electricity("15m")
    rows = table(browser, "load")
    assert [row[1] for row in rows[:len(quarters)]] == ["–" if value is None else f"{4 * Decimal(value):.2f}" for value in quarters]
    assert any(row[1] != "–" for row in rows) or begin >= history.end
    assert all(row[1] == "–" for row in rows[len(quarters):])


# The collector's clock, as pages read it: from an answer and from an event.
CLOCK = """const set = (said) => (said?.as_of ? { ...said, as_of: '%s' } : said);
const [parse, json] = [JSON.parse, Response.prototype.json];
JSON.parse = (...given) => set(parse(...given));
Response.prototype.json = async function () { return set(await json.call(this)); };"""


def test_in_the_first_quarter_hour_of_a_week_the_one_that_is_over_is_shown_and_nothing_of_the_day(history, browser):
    end = quarter_now()
    monday = datetime.combine(end.date() - timedelta(days=end.weekday()), time(), SITE)
    script = browser.command("Page.addScriptToEvaluateOnNewDocument", source=CLOCK % (monday + timedelta(minutes=14)).isoformat())["identifier"]
    try:
        show_overview(browser, history)
        assert browser.run(OVERVIEW) == JUST_BEGUN
        show(browser, history, "lang=en&length=week&carrier=electricity")
        assert browser.run("return [document.getElementById('from').value, document.getElementById('problem').textContent]") == [str(monday.date() - timedelta(days=7)), ""]
        browser.open(f"{history.http_url}/ops/occupancy?lang=en")
        browser.wait("document.body.dataset.drawn !== undefined", 30)
        assert browser.run("return document.getElementById('from').value") == str(monday.date() - timedelta(days=7))
    finally:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script)


# A day in June; what the energy of the park is, each time that it is asked for.
SAID = """let sinceMs = 0; window.later = (ms) => { sinceMs += ms; };
const [parse, now, ask] = [JSON.parse, performance.now.bind(performance), window.fetch];
performance.now = () => now() + sinceMs;
Object.assign(window, { day: 10, amount: '5', holds: false, fails: false, held: [] });
JSON.parse = (said) => { const event = parse(said); return event?.as_of ? { ...event, as_of: `2026-06-${day}T12:05:00+08:00` } : event; };
window.fetch = (url, how) => {
  if (!String(url).includes('/api/v1/energy')) return ask(url, how);
  const said = { rows: [{ carrier: 'electricity', values: [{ start: `2026-06-${day}T00:00:00+08:00`, amount }] }] };
  const answer = { ok: !fails, status: fails ? 503 : 200, json: async () => said };
  return holds ? new Promise((done) => held.push(() => done(answer))) : Promise.resolve(answer);
};"""
# A park in Berlin whose energy of each quarter hour is the number of quarters since `zero`, by an instant in 2026.
BERLIN = """const [parse, ask] = [JSON.parse, window.fetch];
const [now, zero] = [Date.parse('%s'), Date.parse('%s')];
JSON.parse = (said) => { const event = parse(said); return event?.as_of ? { ...event, as_of: '%s', sites: [{ ...event.sites[0], zone: 'Europe/Berlin' }] } : event; };
window.fetch = (url, how) => {
  if (!String(url).includes('/api/v1/energy')) return ask(url, how);
  const asked = new URL(url).searchParams; const [from, to] = ['from', 'to'].map((name) => Date.parse(asked.get(name)));
  const starts = asked.get('step') === 'all' ? [from] : Array.from({ length: (to - from) / 900000 }, (_, n) => from + n * 900000);
  const values = starts.map((at) => ({ start: new Date(at).toISOString(), amount: String((at - zero) / 900000) }));
  return Promise.resolve({ ok: true, status: 200, json: async () => ({ rows: [{ carrier: 'electricity', values }] }) });
};"""
IS_TODAY = "document.getElementById('today').textContent === '%s'"


@pytest.fixture
def overview(history, browser):
    script = browser.command("Page.addScriptToEvaluateOnNewDocument", source=SAID)["identifier"]
    try:
        browser.open(f"{history.http_url}/ops?lang=en")
        browser.wait(IS_TODAY % "5.0", 30)
        yield browser
    finally:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script)


@pytest.mark.parametrize(("day", "hours", "hours_before"), [("2026-10-25", 25, 24), ("2026-10-26", 24, 25), ("2026-03-29", 23, 24), ("2026-03-30", 24, 23), ("2026-06-10", 24, 24)])
def test_the_course_of_a_day_has_each_of_its_hours_once_and_in_order(history, browser, tmp_path, day, hours, hours_before):
    """Where clocks are set an hour is there twice, or not at all."""
    zone = ZoneInfo("Europe/Berlin")
    begin = datetime.fromisoformat(day).replace(tzinfo=zone).astimezone(timezone.utc)
    zero = begin - timedelta(hours=hours_before)
    last = begin + timedelta(hours=hours) - timedelta(minutes=1)  # the last quarter hour is not over

    def clock(at: datetime) -> str:
        return f"{at.astimezone(zone):%H:%M}"

    def load(at: datetime) -> str:
        return f"{4 * ((at - zero) // QUARTER):.2f}"

    before: dict[str, list[str]] = {}
    for n in range(4 * hours_before):
        before.setdefault(clock(zero + n * QUARTER), []).append(load(zero + n * QUARTER))
    starts = [begin + n * QUARTER for n in range(4 * hours)]
    expected = [[clock(at), load(at) if at != starts[-1] else "–", before[clock(at)].pop(0) if before.get(clock(at)) else "–"] for at in starts]
    script = browser.command("Page.addScriptToEvaluateOnNewDocument", source=BERLIN % (last.isoformat(), zero.isoformat(), last.isoformat()))["identifier"]
    try:
        browser.size(1280)
        browser.log()
        browser.open(f"{history.http_url}/ops?lang=en")
        browser.wait("document.querySelector('#load .csv[href]') && document.querySelector('#load canvas')", 30)
        assert table(browser, "load") == expected
        assert csv(browser, "load", tmp_path, "load.csv")[1:] == [",".join(row).replace("–", "") for row in expected]
        drawn = browser.run(DRAWN_CELLS % "load")
        assert drawn == [[None if row[i] == "–" else row[i] for row in expected] for i in (1, 2)]
        assert browser.log() == []
    finally:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script)


# By the day that is asked for, counted back from today (10 June): the amount, what is known of it, and of how many quarter hours.
OF_DAYS = """const [parse, ask] = [JSON.parse, window.fetch];
const of = %s;
JSON.parse = (said) => { const event = parse(said); return event?.as_of ? { ...event, as_of: '2026-06-10T12:05:00+08:00' } : event; };
window.fetch = (url, how) => {
  if (!String(url).includes('/api/v1/energy')) return ask(url, how);
  const from = new URL(url).searchParams.get('from');
  const [amount, known, covered] = of[Math.round((Date.parse('2026-06-10T00:00:00+08:00') - Date.parse(from)) / 86400000)];
  return Promise.resolve({ ok: true, status: 200, json: async () => ({ rows: [{ carrier: 'electricity', values: [{ start: from, amount, known, covered }] }] }) });
};"""
WHOLE, HOLE, NOTHING = ["406.9", "406.9", 48], [None, "402.5", 47], [None, "0.000", 0]


@pytest.mark.parametrize("lang", TEXTS)
@pytest.mark.parametrize("path", ["/ops?", "/ops?view=screen&"])
@pytest.mark.parametrize(("today", "yesterday", "shown", "said", "against"), [
    (WHOLE, WHOLE, "406.9", "", None), (HOLE, WHOLE, "≥ 402.5", "today_part", "against_yesterday_alone"), (NOTHING, WHOLE, "–", "today_part", "against_yesterday_alone"),
    (WHOLE, HOLE, "406.9", "", "against_yesterday_unknown"), (HOLE, HOLE, "≥ 402.5", "today_part", "against_yesterday_unknown"), (WHOLE, ["0.000", "0.000", 48], "406.9", "", "against_yesterday_alone")])
def test_a_hole_is_said_of_the_day_that_has_it_and_what_is_known_of_today_is_shown(history, browser, lang, path, today, yesterday, shown, said, against):
    texts = TEXTS[lang]
    script = browser.command("Page.addScriptToEvaluateOnNewDocument", source=OF_DAYS % json.dumps({0: today, 1: yesterday, 7: WHOLE}))["identifier"]
    try:
        browser.open(f"{history.http_url}{path}lang={lang}")
        browser.wait("document.getElementById('against-week').textContent !== ''", 30)
        of_today, text, of_yesterday, of_week = browser.run(OVERVIEW)
    finally:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
    assert (of_today, text) == (shown, texts[said] if said else "")
    assert of_yesterday == texts[against].format(amount=amount(yesterday[0] or "0")) if against else "406.9" in of_yesterday and "0.0 %" in of_yesterday
    assert of_week == texts["against_week_alone"].format(amount="406.9") if today[0] is None else "0.0 %" in of_week


def test_on_the_overview_an_answer_that_comes_after_a_later_one_is_dropped(overview):
    overview.run("holds = true; amount = '7'; later(60000)")
    overview.wait("held.length === 5", 40)
    overview.run("holds = false; amount = '9'; later(60000)")
    overview.wait(IS_TODAY % "9.0", 40)
    overview.run("held.forEach((come) => come())")
    assert overview.run("return " + IS_TODAY % "9.0")


def test_after_midnight_yesterdays_energy_does_not_stand_as_todays(overview):
    overview.run("holds = true; later(60000)")
    overview.wait("held.length === 5", 40)
    assert "load" in overview.run(CHARTED)
    overview.run("holds = false; fails = true; day = 11")
    overview.wait(IS_TODAY % "–", 40)
    assert overview.run(OVERVIEW) == NOTHING_YET and "load" not in overview.run(CHARTED)
    overview.run("held.forEach((come) => come())")
    assert overview.run(OVERVIEW) == NOTHING_YET
    overview.run("fails = false; amount = '3'; later(60000)")
    overview.wait(IS_TODAY % "3.0", 40)
    assert "load" in overview.run(CHARTED)
