"""What Grafana does with our dashboards and alert rules before their queries are sent; written from its documentation, not from what
makes the dashboards."""

from __future__ import annotations

import copy
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path

import yaml
from harness.servers import SOURCE, Influx

FOLDER = SOURCE / "dashboards/grafana"
LANGUAGES = ("zh-CN", "en")
KEYS = ("overview", "energy", "meter", "occupancy", "instruments", "gateways")
UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def load(language: str, key: str) -> dict:
    return json.loads((FOLDER / language / f"{key}.json").read_text(encoding="utf-8"))


def provisioned(part: str, folder: Path = FOLDER) -> dict:
    return yaml.safe_load((folder / "provisioning" / part / "parkmon.yaml").read_text(encoding="utf-8"))


def rules() -> list[dict]:
    return [rule for group in provisioned("alerting")["groups"] for rule in group["rules"]]


def variables(board: dict, kind: str | None = None) -> list[dict]:
    return [variable for variable in board["templating"]["list"] if kind in (None, variable["type"])]


def panels(board: dict) -> list[dict]:
    """Those that ask something."""
    return [panel for panel in board["panels"] if "targets" in panel]


def span_ms(text: str) -> int:
    number, unit = re.fullmatch(r"(?:now-)?(\d+)([smhd])", text).groups()
    return int(number) * UNITS_MS[unit]


@dataclass
class Range:
    from_ms: int
    to_ms: int

    @classmethod
    def of(cls, board: dict, panel: dict | None = None) -> "Range":
        """The board's own, or what the panel has instead of it."""
        now = int(time.time() * 1000)
        panel = panel or {}
        since = now - span_ms(panel.get("timeFrom", board["time"]["from"]))
        shift = span_ms(panel["timeShift"]) if "timeShift" in panel else 0
        return cls(since - shift, now - shift)


def escaped(value: str) -> str:
    return re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", value)


class Asking:
    """A dashboard as somebody looks at it who chose all there is. `values` by variable: one, a list, or "all"."""

    def __init__(self, board: dict, influx: Influx):
        self.board = board
        self.influx = influx
        self.values: dict[str, object] = {}
        self.options: dict[str, list[str]] = {}
        self.all_values = {variable["name"]: variable.get("allValue") for variable in variables(board)}
        for variable in variables(board):
            name = variable["name"]
            if variable["type"] == "query":
                self.options[name] = self.find_options(variable["query"])
                self.values[name] = "all" if variable["includeAll"] else self.options[name][0]
            else:
                self.values[name] = variable["current"]["value"]

    def but(self, **chosen: object) -> "Asking":
        """The same with other choices; the lists of others stay as they are."""
        other = copy.copy(self)
        other.values = self.values | chosen
        return other

    def find_options(self, query: str) -> list[str]:
        rows = [row for series in self.influx.query(self.replaced(query, Range(0, 0))) for row in series["values"]]
        return sorted({row[1] for row in rows})

    def shown(self, name: str, form: str | None) -> str:
        value = self.values[name]
        if value == "all":
            if self.all_values[name] is not None:
                return self.all_values[name]
            value = self.options[name]
        values = value if isinstance(value, list) else [value]
        if form == "regex":
            return escaped(values[0]) if len(values) == 1 else f"({'|'.join(map(escaped, values))})"
        assert form is None and len(values) == 1, f"{name} is not one value"
        return values[0]

    def replaced(self, query: str, span: Range, interval: str = "15m") -> str:
        query = query.replace("$timeFilter", f"time >= {span.from_ms}ms and time <= {span.to_ms}ms").replace("$__interval", interval)
        query = query.replace("${__from}", str(span.from_ms)).replace("${__to}", str(span.to_ms))
        query = re.sub(r"\$\{(\w+)(?::(\w+))?\}", lambda found: self.shown(found[1], found[2]), query)
        assert "$" not in re.sub(r"\$(?=/)", "", query), f"something is left to replace: {query}"
        return query

    def ask(self, panel: dict, target: dict, span: Range | None = None) -> list[dict]:
        """The series that have a value."""
        span = span or Range.of(self.board, panel)
        found = self.influx.query(self.replaced(target["query"], span, panel.get("interval", "10s")))
        return [series for series in found if any(value is not None for row in series["values"] for value in row[1:])]


def named(series: dict, alias: str) -> str:
    """A series' name in the legend: `$tag_x` is a tag of it, where it has that."""
    return re.sub(r"\$tag_(\w+)", lambda found: series.get("tags", {}).get(found[1], found[0]), alias)


Labels = tuple[tuple[str, str], ...]


def asked(influx: Influx, part: dict, database: str, now_ms: int) -> dict[Labels, list[float]]:
    times = part["relativeTimeRange"]
    text = part["model"]["query"].replace("$timeFilter", f"time >= {now_ms - times['from'] * 1000}ms and time <= {now_ms - times['to'] * 1000}ms")
    assert "$" not in text
    return {tuple(sorted(series.get("tags", {}).items())): [row[1] for row in series["values"] if row[1] is not None] for series in influx.query(text, database)}


def joined(left: dict[Labels, float], right: dict[Labels, float]) -> list[tuple[Labels, float, float]]:
    """Those whose labels are the same, or of one among the other's; a lone one of each side in any case, and then without labels."""
    found = [(max(ours, theirs, key=len), left[ours], right[theirs]) for ours in left for theirs in right if set(ours) <= set(theirs) or set(theirs) <= set(ours)]
    if not found and len(left) == len(right) == 1:
        return [((), *left.values(), *right.values())]
    return found


def fires(influx: Influx, rule: dict, database: str, now_ms: int) -> dict[Labels, bool]:
    """By the series' tags: is the number beyond the limit? Only the expressions that our rules have."""
    series: dict[str, dict[Labels, list[float]]] = {}
    numbers: dict[str, dict[Labels, float]] = {}
    compare = {"gt": lambda value, limit: value > limit, "lt": lambda value, limit: value < limit}
    for part in rule["data"]:
        model, ref = part["model"], part["refId"]
        kind = model.get("type")
        if kind is None:
            series[ref] = asked(influx, part, database, now_ms)
        elif kind == "reduce":
            assert (model["reducer"], model["settings"]) == ("last", {"mode": "dropNN"})
            numbers[ref] = {labels: values[-1] for labels, values in series[model["expression"]].items() if values}
        elif kind == "threshold":
            [condition] = model["conditions"]
            [limit] = condition["evaluator"]["params"]
            numbers[ref] = {labels: compare[condition["evaluator"]["type"]](value, limit) for labels, value in numbers[model["expression"]].items()}
        else:
            assert kind == "math"
            first, is_first, one, second, is_second, other = re.fullmatch(r"\$(\w) ([<>]) (\d+) && \$(\w) ([<>]) (\d+)", model["expression"]).groups()
            words = {"<": "lt", ">": "gt"}
            numbers[ref] = {labels: compare[words[is_first]](ours, int(one)) and compare[words[is_second]](theirs, int(other))
                            for labels, ours, theirs in joined(numbers[first], numbers[second])}
    return {labels: bool(value) for labels, value in numbers[rule["condition"]].items()}
