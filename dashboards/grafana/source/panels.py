"""Panels of Grafana's classic schema. Each has a key, by which alarms find it; `arrange` numbers and places them.

Queries are InfluxQL as InfluxDB 1.6 understands it. Their format is always `time_series`: for raw queries with tags Grafana's
`table` loses columns. `alias` names a series in the legend.
"""

from __future__ import annotations

from words import Text

SOURCE = {"type": "influxdb", "uid": "${datasource}"}
NO_DATA = Text("无数据", "No data")
WIDTH = 24
QUARTER = "15m"  # no interval below that of the rows


def target(query: str, alias: str | Text = "") -> dict:
    return {"datasource": SOURCE, "rawQuery": True, "query": query, "resultFormat": "time_series", "alias": alias}


def steps(*parts: tuple[float | None, str]) -> dict:
    """(from where on, colour), the first from None on."""
    return {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in parts]}


GREEN = steps((None, "green"))
COVERAGE = steps((None, "red"), (0.9, "yellow"), (0.95, "green"))  # 90 %: completeness that key units owe
ANY_IS_BAD = steps((None, "green"), (1, "red"))
PLAIN = steps((None, "blue"))


def panel(key: str, kind: str, title: Text, about: Text, targets: list[dict], unit: str | Text, options: dict, *, size: tuple[int, int],
          thresholds: dict = GREEN, mappings: list | None = None, color: str = "thresholds", custom: dict | None = None,
          overrides: list | None = None, interval: str | None = None, low: float | None = None, high: float | None = None,
          decimals: int | None = None, links: list | None = None, nothing: Text = NO_DATA, shift: str | None = None, since: str | None = None) -> dict:
    """`size`: columns of 24 and rows of 30 pixels. `nothing`: said where there is no value. `shift`: asked for so much earlier. `since`: of so long, whatever is chosen."""
    defaults = {"unit": unit, "noValue": nothing, "color": {"mode": color}, "thresholds": thresholds, "mappings": mappings or []}
    for name, value in (("min", low), ("max", high), ("decimals", decimals), ("links", links), ("custom", custom)):
        if value is not None:
            defaults[name] = value
    made = {"key": key, "type": kind, "title": title, "description": about, "datasource": SOURCE, "size": size,
            "targets": [one | {"refId": chr(ord("A") + i)} for i, one in enumerate(targets)],
            "fieldConfig": {"defaults": defaults, "overrides": overrides or []}, "options": options}
    if interval:
        made["interval"] = interval
    if shift:
        made["timeShift"] = shift
    if since:
        made |= {"timeFrom": since, "hideTimeOverride": False}
    return made


def reduced(how: str = "lastNotNull", fields: str = "") -> dict:
    return {"calcs": [how], "fields": fields, "values": False}


LEGEND = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
NO_LEGEND = LEGEND | {"showLegend": False}
TOOLTIP = {"mode": "multi", "sort": "desc"}
TEXTS = "/^(?!Time$).+$/"  # a stat takes numbers only, unless it is told which fields


def stat(key, title, about, targets, unit, *, size=(4, 4), background=False, names=False, texts=False, color="thresholds", **more) -> dict:
    options = {"reduceOptions": reduced(fields=TEXTS if texts else ""), "colorMode": "background" if background else "value", "graphMode": "none",
               "justifyMode": "auto", "orientation": "auto", "textMode": "value_and_name" if names else "auto", "wideLayout": True,
               "showPercentChange": False, "percentChangeColorMode": "standard"}
    return panel(key, "stat", title, about, targets, unit, options, size=size, color=color, **more)


def bar_gauge(key, title, about, targets, unit, *, size=(8, 8), **more) -> dict:
    options = {"reduceOptions": reduced(), "displayMode": "basic", "orientation": "horizontal", "showUnfilled": True, "valueMode": "color",
               "namePlacement": "auto", "sizing": "auto", "minVizWidth": 8, "minVizHeight": 16, "maxVizHeight": 300,
               "legend": NO_LEGEND}
    return panel(key, "bargauge", title, about, targets, unit, options, size=size, **{"thresholds": PLAIN, "low": 0} | more)


def drawn(how: str, **more) -> dict:
    return {"drawStyle": how, "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": 70 if how == "bars" else 8, "gradientMode": "none",
            "showPoints": "never", "pointSize": 4, "axisPlacement": "auto", "axisLabel": "", "axisColorMode": "text",
            "scaleDistribution": {"type": "linear"}, "hideFrom": {"tooltip": False, "viz": False, "legend": False},
            "stacking": {"mode": "none", "group": "A"}, "thresholdsStyle": {"mode": "off"}, "spanNulls": False, "insertNulls": False} | more


def lines(key, title, about, targets, unit, *, gap_ms: int, size=(12, 8), limit=False, **more) -> dict:
    """What lies further apart than `gap_ms` is not joined: nobody knows what was between. `limit`: the thresholds are shown."""
    custom = drawn("line", insertNulls=gap_ms, **({"thresholdsStyle": {"mode": "dashed"}} if limit else {}))
    return panel(key, "timeseries", title, about, targets, unit, {"legend": LEGEND, "tooltip": TOOLTIP}, size=size, color="palette-classic-by-name",
                 custom=custom, **more)


def bars(key, title, about, targets, unit, *, size=(12, 8), stacked=True, color="palette-classic-by-name", **more) -> dict:
    custom = drawn("bars", stacking={"mode": "normal" if stacked else "none", "group": "A"})
    return panel(key, "timeseries", title, about, targets, unit, {"legend": LEGEND, "tooltip": TOOLTIP}, size=size,
                 color=color, custom=custom, **more)


HIDE = {"tooltip": False, "viz": False, "legend": False}


def timeline(key, title, about, targets, mappings, *, size=(24, 8), unit="string", **more) -> dict:
    """Stretches of states, each until the next one."""
    options = {"mergeValues": True, "showValue": "auto", "alignValue": "left", "rowHeight": 0.8, "legend": NO_LEGEND, "tooltip": TOOLTIP}
    custom = {"lineWidth": 0, "fillOpacity": 70, "hideFrom": HIDE}
    return panel(key, "state-timeline", title, about, targets, unit, options, size=size, mappings=mappings, custom=custom, **more)


def history(key, title, about, targets, unit, *, size=(24, 8), **more) -> dict:
    """A cell for each step, coloured by its value: a heat map with a row for each series."""
    options = {"showValue": "never", "rowHeight": 0.9, "colWidth": 1, "legend": NO_LEGEND, "tooltip": TOOLTIP | {"mode": "single"}}
    custom = {"lineWidth": 0, "fillOpacity": 85, "hideFrom": HIDE}
    return panel(key, "status-history", title, about, targets, unit, options, size=size, custom=custom, color="continuous-YlRd", **more)


def alarms(key, title, about, *, size=(8, 8)) -> dict:
    """Of the rules in provisioning/alerting."""
    options = {"alertInstanceLabelFilter": '{product="parkmon"}', "alertName": "", "dashboardAlerts": False, "groupBy": [],
               "groupMode": "default", "maxItems": 20, "sortOrder": 1, "viewMode": "list",
               "stateFilter": {"error": True, "firing": True, "noData": True, "normal": False, "pending": True}}
    return {"key": key, "type": "alertlist", "title": title, "description": about, "size": size, "options": options,
            "fieldConfig": {"defaults": {}, "overrides": []}}


def section(title: Text) -> dict:
    return {"key": "", "type": "row", "title": title, "collapsed": False, "panels": [], "size": (WIDTH, 1)}


def arrange(panels: list[dict]) -> list[dict]:
    """From left to right, as many beside each other as there is room for; a line is as high as its highest."""
    placed, x, y, line = [], 0, 0, 0
    for number, made in enumerate(panels, 1):
        made = dict(made)
        width, height = made.pop("size")
        if x + width > WIDTH:
            x, y, line = 0, y + line, 0
        placed.append({"id": number} | made | {"gridPos": {"x": x, "y": y, "w": width, "h": height}})
        x, line = x + width, max(line, height)
    return placed
