"""Grafana's files by themselves: they are what their source makes, and say to people what they show, in both languages."""

from __future__ import annotations

import itertools
import json
import re
import sys

import grafana
import pytest
from harness.parkmon import build_folder
from harness.process import run
from harness.servers import SOURCE

BOARDS = {(language, key): grafana.load(language, key) for language in grafana.LANGUAGES for key in grafana.KEYS}
NAMES = [*BOARDS]
IDS = [f"{language}-{key}" for language, key in NAMES]
MAKER = [sys.executable, SOURCE / "dashboards/grafana/source"]
HAN = re.compile(r"[\u4e00-\u9fff]")
EACH_BOARD = pytest.mark.parametrize("name", NAMES, ids=IDS)
CHOICES = ("datasource", "site", "building", "main", "tenant", "meter", "gateway", "point", "space", "source", "category", "instrument", "step", "zone")
UNITS = {"none", "string", "s", "watt", "kwatt", "kwatth", "m3", "masskg", "percentunit"}  # ids of Grafana's; the others are texts that follow
RAW = ('"raw"."register"', '"raw"."gauge"', '"raw"."state"')


def targets(board: dict) -> list[tuple[dict, dict]]:
    return [(panel, target) for panel in grafana.panels(board) for target in panel["targets"]]


# ---- one source ----

def test_the_files_are_what_their_source_makes(tmp_path):
    checked = run([*MAKER, "--check"])
    assert checked.returncode == 0, checked.stderr
    assert run([*MAKER, "-o", tmp_path]).returncode == 0
    made = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert made == {*(f"{language}/{key}.json" for language, key in NAMES), "provisioning/alerting/parkmon.yaml"}


def test_a_file_that_somebody_changed_by_hand_is_named(tmp_path):
    assert run([*MAKER, "-o", tmp_path]).returncode == 0
    board = tmp_path / "en/energy.json"
    board.write_text(board.read_text(encoding="utf-8").replace("Electricity", "Power", 1), encoding="utf-8")
    (tmp_path / "en/old.json").write_text("{}")
    checked = run([*MAKER, "-o", tmp_path, "--check"])
    assert checked.returncode == 1
    assert [line.split(":")[0] for line in checked.stderr.splitlines()] == ["en/energy.json", "en/old.json"]


def test_a_park_elsewhere_makes_its_own(tmp_path):
    assert run([*MAKER, "-o", tmp_path, "--zone", "Europe/Berlin"]).returncode == 0
    board = json.loads((tmp_path / "en/energy.json").read_text(encoding="utf-8"))
    assert board["timezone"] == "Europe/Berlin"
    assert grafana.variables(board, "textbox")[0]["current"]["value"] == "Europe/Berlin"
    assert run([*MAKER, "--no-such-option"]).returncode == 64


# ---- both languages ----

# By the last key: what is a text, and what is else not the same.
WORDS = {"title", "description", "label", "text", "alias", "noValue", "tooltip", "unit"}
BY_LANGUAGE = {"uid", "url", "tags", "query"}


def differences(one, other, path=()) -> list[tuple]:
    """(path, value, value), where they are not the same; fails where they are not built alike."""
    assert type(one) is type(other), path
    if isinstance(one, dict):
        assert [*one] == [*other], path
        return [found for key in one for found in differences(one[key], other[key], (*path, key))]
    if isinstance(one, list):
        assert len(one) == len(other), path
        return [found for i, pair in enumerate(zip(one, other)) for found in differences(*pair, (*path, i))]
    return [(path, one, other)] if one != other else []


@pytest.mark.parametrize("key", grafana.KEYS)
def test_both_languages_show_the_same(key):
    found = differences(BOARDS["zh-CN", key], BOARDS["en", key])
    for path, zh, en in found:
        if path[:2] == ("links", 1):  # to the other language, in that
            continue
        name = next(part for part in reversed(path) if isinstance(part, str))
        assert name in WORDS | BY_LANGUAGE, (path, zh, en)
        if name == "query":  # of a choice: its words, never what is asked
            assert path[:2] == ("templating", "list") and re.sub(r"[^,]+ : ", "", zh) == re.sub(r"[^,]+ : ", "", en), path
        elif name in WORDS:
            assert HAN.search(zh) and not HAN.search(en), (path, zh, en)
        else:
            assert zh.replace("parkmon-zh", "parkmon-en") == en, (path, zh, en)


@EACH_BOARD
def test_every_text_is_in_the_language(name):
    language, board = name[0], BOARDS[name]
    texts = [(board["title"].replace("Parkmon", ""), board["description"])]
    texts += [(panel["title"], panel.get("description")) for panel in board["panels"]]
    texts += [(variable["label"], None) for variable in grafana.variables(board)]
    neutral = re.compile(r"CO2")
    for text in itertools.chain.from_iterable(texts):
        if text is not None and not neutral.fullmatch(text):
            assert bool(HAN.search(text)) == (language == "zh-CN"), text


# ---- what an operator needs of each panel ----

def test_uids_are_fixed_and_nobody_elses():
    assert {board["uid"] for board in BOARDS.values()} == {f"parkmon-{short}-{key}" for short in ("zh", "en") for key in grafana.KEYS}
    assert all(len(board["uid"]) <= 40 and "id" not in board for board in BOARDS.values())


@EACH_BOARD
def test_every_panel_says_what_it_shows(name):
    board = BOARDS[name]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in board["panels"]:
        if panel["type"] == "row":
            continue
        assert panel["title"] and len(panel["description"]) >= 4 and panel["description"] != panel["title"], panel["title"]
        if panel["type"] == "alertlist":
            continue
        defaults = panel["fieldConfig"]["defaults"]
        for unit in [defaults["unit"], *(p["value"] for o in panel["fieldConfig"]["overrides"] for p in o["properties"] if p["id"] == "unit")]:
            assert unit in UNITS or re.fullmatch(r"suffix: \S.*", unit), (panel["title"], unit)
        assert defaults["noValue"] and defaults["thresholds"]["steps"][0]["value"] is None, panel["title"]
        values = [step["value"] for step in defaults["thresholds"]["steps"][1:]]
        assert values == sorted(values), panel["title"]


@EACH_BOARD
def test_panels_lie_in_the_grid_and_not_upon_each_other(name):
    cells: set[tuple[int, int]] = set()
    for panel in BOARDS[name]["panels"]:
        at = panel["gridPos"]
        own = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert own and at["x"] + at["w"] <= 24 and not own & cells, panel["title"]
        cells |= own


@EACH_BOARD
def test_every_query_asks_the_chosen_source_for_the_chosen_time(name):
    board = BOARDS[name]
    assert targets(board)
    for panel, target in targets(board):
        assert target["rawQuery"] is True and target["resultFormat"] == "time_series", panel["title"]
        assert target["datasource"]["uid"] == panel["datasource"]["uid"] == "${datasource}", panel["title"]
        query = target["query"]
        # In each SELECT: an inner one without it reads all that was ever written.
        bounded = query.count("$timeFilter") + query.count("time >= ${__from}ms")
        assert bounded == len(re.findall(r"\bSELECT\b", query)) == len(re.findall(r"\bWHERE\b", query)), query
        assert "now()" not in query, query
        assert "site" in query or "meter" in query, query


@EACH_BOARD
def test_sums_are_by_whole_steps_of_the_parks_days(name):
    """The traps of InfluxDB 1.6 and of Grafana's intervals: a sum by 20 minutes has now one and now two quarter hours in it; days are those
    of UTC unless a zone is said; an interval without rows is filled unless that is said; `spread` and `difference` lose what
    lies between two intervals."""
    for panel, target in targets(BOARDS[name]):
        query = target["query"]
        assert "spread(" not in query and "difference(" not in query and "elapsed(" not in query, query
        if "GROUP BY time(" not in query:
            continue
        assert "fill(" in query, query
        steps = re.findall(r"GROUP BY time\(([^)]+)\)", query)
        is_sum = "sum(" in query
        assert all(step in ({"${step}", "15m"} if is_sum else {"${step}", "$__interval"}) for step in steps), query
        assert ("${step}" in steps) == ("tz('${zone}')" in query), query
        is_raw = any(raw in query for raw in RAW)
        is_by_minute = '"gateway"' in re.findall(r"FROM (\S+)", query) or is_raw
        if "$__interval" in query and not is_raw:
            assert panel["interval"] == ("1m" if is_by_minute else "15m"), panel["title"]


@pytest.mark.parametrize("name", [*NAMES, None], ids=[*IDS, "alerts"])
def test_an_amount_that_became_unknown_is_left_out_by_its_quality(name):
    """A store that cannot delete keeps it beside that (CONTRIBUTING.md)."""
    queries = [part["model"]["query"] for rule in grafana.rules() for part in rule["data"] if "query" in part["model"]] if name is None else [target["query"] for _, target in targets(BOARDS[name])]
    for query in queries:
        if re.search(r'(sum|mean|min|max|last)\("(amount|cost|kg\w+)"\)', query):
            assert query.count("\"quality\" != 'unknown'") == query.count('FROM "energy"') == 1, query


@EACH_BOARD
def test_every_variable_that_is_named_is_there_and_is_used(name):
    board = BOARDS[name]
    there = [variable["name"] for variable in grafana.variables(board)]
    assert len(set(there)) == len(there) and set(there) <= set(CHOICES)
    [source] = grafana.variables(board, "datasource")
    assert source["name"] == "datasource" and source["query"] == "influxdb" and source["current"]["value"] == grafana.provisioned("datasources")["datasources"][0]["uid"]
    named = set()
    for text in re.findall(r"\$\{(\w+)(?::\w+)?\}", json.dumps([board["panels"], board["templating"]])):
        named.add(text)
    named -= {"__from", "__to", "__url_time_range", "datasource"}
    assert named <= set(there), f"not there: {named - set(there)}"
    assert not set(there) - named - {"datasource", "zone"}, f"not used: {set(there) - named}"
    for variable in grafana.variables(board, "query"):
        assert variable["datasource"]["uid"] == "${datasource}" and variable["refresh"] == 2, variable["name"]
        before = there[:there.index(variable["name"])]
        assert set(re.findall(r"\$\{(\w+):regex\}", variable["query"])) <= set(before), variable["name"]
    assert board["timezone"] == grafana.variables(board, "textbox")[0]["current"]["value"] == "Asia/Shanghai"


@EACH_BOARD
def test_links_lead_somewhere_and_keep_time_and_choices(name):
    language, key = name
    board = BOARDS[name]
    uids = {board["uid"]: board for board in BOARDS.values()}
    siblings, other = board["links"]
    assert siblings["type"] == "dashboards" and {uid for uid, one in uids.items() if set(siblings["tags"]) <= set(one["tags"])} == {
        f"parkmon-{'zh' if language == 'zh-CN' else 'en'}-{key}" for key in grafana.KEYS}
    assert uids[other["url"].removeprefix("/d/")] == BOARDS["en" if language == "zh-CN" else "zh-CN", key]
    assert all(link["includeVars"] and link["keepTime"] and not link["targetBlank"] for link in board["links"])
    for panel in board["panels"]:
        for link in panel.get("fieldConfig", {}).get("defaults", {}).get("links", []):
            path, _, query = link["url"].partition("?")
            meter = uids[path.removeprefix("/d/")]
            assert meter is BOARDS[language, "meter"] and "${__url_time_range}" in query and "${datasource:queryparam}" in query
            assert set(re.findall(r"var-(\w+)=", query)) <= {variable["name"] for variable in grafana.variables(meter)}
            assert all('"meter"' in target["query"].partition("GROUP BY")[2] for target in panel["targets"]), panel["title"]


# ---- states ----

def names_in(path: str, pattern: str) -> set[str]:
    found = set(re.findall(r'"(\w+)"', re.search(pattern, (SOURCE / path).read_text(), re.DOTALL)[1]))
    assert len(found) >= 4, path
    return found


STATES = {
    "status": names_in("collector/instrument/availability.c", r"availability_statuses\[\] = \{(.*?)\}"),
    "reason": set(re.findall(r'X\(\w+, "(\w+)"', (SOURCE / "collector/instrument/availability.c").read_text())),
    "activity": names_in("collector/instrument/activity.c", r"activity_names\[\] = \{(.*?)\}"),
    "quality": names_in("collector/ledger/quality.h", r"QUALITY_NAMES (.*?)\n\n"),
    "online": {"0", "1"},
}


@EACH_BOARD
def test_every_state_has_a_word_and_a_colour(name):
    for panel, target in targets(BOARDS[name]):
        field = re.match(r'SELECT (?:last\(|min\()?"(\w+)"', target["query"])
        mappings = panel["fieldConfig"]["defaults"]["mappings"]
        if field is None or field[1] not in STATES:
            assert all(mapping["type"] == "range" and mapping["options"]["result"]["text"] and mapping["options"]["result"]["color"] for mapping in mappings)
            continue
        [mapping] = mappings
        assert set(mapping["options"]) == STATES[field[1]], panel["title"]
        texts = [option["text"] for option in mapping["options"].values()]
        assert all(texts) and len(set(texts)) == len(texts), panel["title"]
        if field[1] != "reason":
            assert all(option.get("color") for option in mapping["options"].values()), panel["title"]


@pytest.mark.parametrize("key", ["overview", "instruments"])
def test_where_states_stand_it_is_said_whether_a_change_would_be_seen(key):
    for language in grafana.LANGUAGES:
        first = BOARDS[language, key]["panels"][0]
        assert grafana.span_ms(first["timeFrom"]) == 600_000 and first["gridPos"]["y"] == 0
        assert first["fieldConfig"]["defaults"]["noValue"].startswith("✕") and first["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] == "red"


def test_the_parts_of_an_instruments_time_are_all_there():
    written = set(re.findall(r'\] = "(\w+_s)"', (SOURCE / "collector/timesheet_line.c").read_text()))
    assert len(written) == 12
    panel = next(panel for panel in BOARDS["en", "instruments"]["panels"] if panel["title"] == "What the time went to")
    assert {re.match(r'SELECT sum\("(\w+)"\)', target["query"])[1] for target in panel["targets"]} == written


# ---- provisioning ----

def test_alert_rules_are_whole_and_speak_both_languages():
    rules = grafana.rules()
    sources = {source["uid"] for source in grafana.provisioned("datasources")["datasources"]}
    panels = {(board["uid"], panel["id"]) for board in BOARDS.values() for panel in board["panels"]}
    assert len(rules) >= 10 and len({rule["uid"] for rule in rules}) == len({rule["title"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["uid"].startswith("parkmon-") and len(rule["uid"]) <= 40
        assert (rule["dashboardUid"], rule["panelId"]) in panels, rule["uid"]
        assert rule["noDataState"] in ("OK", "Alerting") and rule["execErrState"] == "Error" and re.fullmatch(r"\d+[sm]", rule["for"])
        assert rule["labels"] == {"product": "parkmon", "severity": rule["labels"]["severity"]} and rule["labels"]["severity"] in ("warning", "critical")
        said = rule["annotations"]
        assert HAN.search(said["description_zh"]) and not HAN.search(said["description_en"]), rule["uid"]
        assert said["description"] == f"{said['description_zh']} / {said['description_en']}" and said["summary"] == rule["title"]
        zh, _, en = rule["title"].partition(" / ")
        assert HAN.search(zh) and en and not HAN.search(en), rule["title"]
        # Both name what it is about, by tags that the query groups by.
        query = rule["data"][0]["model"]["query"]
        labels = re.findall(r"\.Labels\.(\w+)", said["description_zh"])
        assert labels == re.findall(r"\.Labels\.(\w+)", said["description_en"])
        assert set(labels) <= set(re.findall(r'"(\w+)"', query.partition("GROUP BY")[2])), rule["uid"]
        for text in (part["model"]["query"] for part in rule["data"] if "query" in part["model"]):
            assert text.count("$timeFilter") == text.count("SELECT") and "${" not in text and "tz(" not in text, rule["uid"]
        assert {part["datasourceUid"] for part in rule["data"]} == {"__expr__"} | sources, rule["uid"]
        assert [part["refId"] for part in rule["data"]] == [part["model"]["refId"] for part in rule["data"]] and len({part["refId"] for part in rule["data"]}) == len(rule["data"])


def test_nothing_in_a_rule_but_models_is_expanded_by_grafana():
    """It takes `$x` in provisioned texts for a variable of its environment; models of queries and expressions alone stay as they are."""
    def texts(value, path=()):
        if isinstance(value, dict):
            return [found for key, item in value.items() for found in texts(item, (*path, key))]
        if isinstance(value, list):
            return [found for item in value for found in texts(item, path)]
        return [(path, value)] if isinstance(value, str) else []

    found = [(path, text) for part in ("alerting", "dashboards", "datasources") for path, text in texts(grafana.provisioned(part)) if "$" in text]
    assert found and all(path[-2:] in (("model", "query"), ("model", "expression")) for path, _ in found), found


def test_what_is_installed_says_where_it_lies(tmp_path):
    done = run(["cmake", "--install", build_folder(), "--prefix", tmp_path / "usr"], 300)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "usr/share/parkmon/grafana"
    assert not (folder / "source").exists()
    providers = grafana.provisioned("dashboards", folder)["providers"]
    assert all(len({provider[key] for provider in providers}) == len(providers) == 2 for key in ("name", "folder", "folderUid"))
    for provider, language in zip(providers, grafana.LANGUAGES):
        assert provider["options"]["path"] == str(folder / language)
        assert sorted(path.stem for path in (folder / language).iterdir()) == sorted(grafana.KEYS)
    for part in ("alerting", "datasources"):
        assert grafana.provisioned(part, folder) == grafana.provisioned(part)
    # As it is in the sources it suits a package.
    assert {provider["options"]["path"] for provider in grafana.provisioned("dashboards")["providers"]} == {
        f"/usr/share/parkmon/grafana/{language}" for language in grafana.LANGUAGES}
