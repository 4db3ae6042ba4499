"""A dashboard: variables, links and the rest around its panels."""

from __future__ import annotations

from dataclasses import dataclass, field

from panels import SOURCE, arrange
from words import Text

DATASOURCE = "parkmon-influxdb"  # that of provisioning/datasources
SHORT = {"zh-CN": "zh", "en": "en"}
SCHEMA = 39  # Grafana 11; later ones migrate it


@dataclass
class Board:
    key: str
    title: Text
    about: Text
    panels: list[dict]
    variables: list[dict] = field(default_factory=list)
    since: str = "now-24h"
    refresh: str = "1m"

    def uid(self, language: str) -> str:
        return f"parkmon-{SHORT[language]}-{self.key}"

    def panel_id(self, key: str) -> int:
        return next(panel["id"] for panel in arrange(self.panels) if panel["key"] == key)


def variable(name: str, kind: str, label: Text, query: str | Text, current: dict | None, **more) -> dict:
    made = {"name": name, "type": kind, "label": label, "query": query, "hide": 0, "skipUrlSync": False, "options": []} | more
    return made if current is None else made | {"current": current}


def queried(name: str, label: Text, measurement: str, key: str, where: str = "", *, multi: bool = True, all_value: str | None = ".*",
            about: Text | None = None) -> dict:
    """The values of a tag. `all_value` None: "all" is each of those that are found, joined."""
    query = f'SHOW TAG VALUES FROM {measurement} WITH KEY = "{key}"' + (f" WHERE {where}" if where else "")
    current = {"selected": True, "text": ["All"], "value": ["$__all"]} if multi else None  # else the first one found
    more = {"datasource": SOURCE, "refresh": 2, "sort": 1, "regex": "", "multi": multi, "includeAll": multi}
    if multi and all_value is not None:
        more["allValue"] = all_value
    if about:
        more["description"] = about
    return variable(name, "query", label, query, current, **more)


def chosen(*names: str) -> str:
    """The tags as they are chosen by the variables of these names. Where "all" is chosen, what has no such tag is in it."""
    return " AND ".join(f'"{name}" =~ /^${{{name}:regex}}$/' for name in names)


DATA = variable("datasource", "datasource", Text("数据源", "Data source"), "influxdb",
                {"selected": True, "text": "Parkmon", "value": DATASOURCE}, refresh=1, regex="", multi=False, includeAll=False)
SITE = queried("site", Text("园区", "Site"), '"gateway"', "site")


def building(measurement: str = '"energy"') -> dict:
    return queried("building", Text("楼宇", "Building"), measurement, "building", chosen("site"))


# Meters below another are part of it. Of electricity those that count a part have the item codes 01A to 01D; the store does not know more
# of the tree.
MAIN = queried("main", Text("合计用表", "Meters of totals"), '"energy"', "meter", f'{chosen("site", "building")} AND "item" !~ /^01[A-D]/',
               all_value=None, about=Text("参与合计的表：默认是分项编码不属于 01A 至 01D 的表。位于另一块表之下而没有分项编码的表，以及计量上网电量的表，请在此取消选择。",
                                          "Those that are added up: unless chosen, all without an item code of 01A to 01D. Deselect what lies below another meter and has none, and what counts energy fed in."))


def step(chosen_step: str) -> dict:
    """Steps of sums are chosen: an interval that Grafana takes, say of 20 minutes, has now one and now two quarter hours in it."""
    words = {"15m": Text("15 分钟", "15 minutes"), "1h": Text("1 小时", "1 hour"), "1d": Text("1 天", "1 day")}
    options = [{"selected": value == chosen_step, "text": word, "value": value} for value, word in words.items()]
    query = Text(",".join(f"{word.zh} : {value}" for value, word in words.items()), ",".join(f"{word.en} : {value}" for value, word in words.items()))
    return variable("step", "custom", Text("步长", "Step"), query, options[[*words].index(chosen_step)], options=options, multi=False,
                    includeAll=False)


def zone(name: str) -> dict:
    """Days are the park's, not those of whoever looks."""
    return variable("zone", "textbox", Text("园区时区", "Time zone of the park"), name, {"selected": True, "text": name, "value": name},
                    options=[{"selected": True, "text": name, "value": name}])


def link(title: Text, url: str, icon: str, about: Text) -> dict:
    return {"type": "link", "title": title, "url": url, "icon": icon, "tooltip": about, "tags": [], "asDropdown": False, "includeVars": True,
            "keepTime": True, "targetBlank": False}


def links(board: Board, language: str) -> list[dict]:
    other = next(one for one in SHORT if one != language)
    siblings = {"type": "dashboards", "title": Text("园区监测", "Parkmon"), "url": "", "icon": "external link",
                "tooltip": Text("保留时间范围与所选变量", "Keeps the time and what is chosen"), "tags": [f"parkmon-{SHORT[language]}"],
                "asDropdown": False, "includeVars": True, "keepTime": True, "targetBlank": False}
    return [siblings, link(Text("English", "中文"), f"/d/{board.uid(other)}", "doc", Text("In English", "中文界面"))]


def to_meter(language: str) -> list[dict]:
    """From a series of a meter to its page."""
    return [{"title": Text("此表详情", "This meter"), "targetBlank": False,
             "url": f"/d/parkmon-{SHORT[language]}-meter?${{datasource:queryparam}}&${{site:queryparam}}&var-meter=${{__field.labels.meter}}&${{__url_time_range}}"}]


def made(board: Board, language: str, zone_name: str) -> dict:
    """Grafana's JSON, with texts of both languages in it (words.said)."""
    panels = []
    for panel in arrange(board.panels):
        del panel["key"]
        if panel.get("fieldConfig", {}).get("defaults", {}).get("links") == "meter":
            defaults = panel["fieldConfig"]["defaults"] | {"links": to_meter(language)}
            panel["fieldConfig"] = panel["fieldConfig"] | {"defaults": defaults}
        panels.append(panel)
    return {
        "uid": board.uid(language), "title": board.title, "description": board.about, "tags": ["parkmon", f"parkmon-{SHORT[language]}"],
        "schemaVersion": SCHEMA, "version": 1, "editable": True, "graphTooltip": 1, "timezone": zone_name, "weekStart": "monday",
        "fiscalYearStartMonth": 0, "liveNow": False, "refresh": board.refresh, "time": {"from": board.since, "to": "now"}, "timepicker": {},
        "annotations": {"list": []}, "links": links(board, language), "templating": {"list": [DATA, *board.variables, zone(zone_name)]},
        "panels": panels,
    }
