"""The Grafana dashboard: every query that it holds, asked as Grafana would ask it."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
DASHBOARD = json.loads((SOURCE / "dashboards/grafana/park-overview.json").read_text())
PANELS = DASHBOARD["panels"]
VARIABLES = DASHBOARD["templating"]["list"]
QUERIES = [(panel["title"], target["query"]) for panel in PANELS for target in panel["targets"]]
QUERIES += [(f"variable {variable['name']}", variable["query"]) for variable in VARIABLES if variable["type"] == "query"]


def as_asked(query: str, values: dict[str, str]) -> str:
    """What Grafana sends: its macros and variables replaced, "All" by its pattern."""
    since = int((time.time() - 3600) * 1000)
    query = query.replace("$timeFilter", f"time >= {since}ms").replace("$__interval", "1s")
    for name, value in values.items():
        query = re.sub(rf"\${name}\b", value.replace("\\", r"\\"), query)
    assert "$" not in re.sub(r"\$(?=/)", "", query), f"something is left to replace: {query}"
    return query


def rows_of(park, query: str) -> list[list]:
    """The rows of all series."""
    return [row for series in park.influx.query(query) for row in series["values"]]


@pytest.mark.parametrize(("title", "query"), QUERIES, ids=[title.split(" / ")[-1] for title, _ in QUERIES])
def test_every_query_finds_rows(filled_store, title, query):
    values = {variable["name"]: variable["allValue"] for variable in VARIABLES if variable["type"] == "query"}
    assert rows_of(filled_store, as_asked(query, values)), query


def test_a_chosen_site_and_building_narrow_the_panels(filled_store):
    choices = {}
    for variable in VARIABLES:
        if variable["type"] == "query":
            choices[variable["name"]] = rows_of(filled_store, as_asked(variable["query"], {"site": ".*"}))[0][1]
    query = next(query for title, query in QUERIES if "Last registers" in title)
    assert rows_of(filled_store, as_asked(query, choices))
    assert not rows_of(filled_store, as_asked(query, choices | {"building": "no-such-building"}))


def test_the_dashboard_is_portable_and_explains_itself():
    assert DASHBOARD["uid"] and "id" not in DASHBOARD
    assert [v["query"] for v in VARIABLES if v["type"] == "datasource"] == ["influxdb"]
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for panel in PANELS:
        assert panel["title"] and panel["description"], panel["id"]
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}", panel["title"]
            assert target["rawQuery"] and "$timeFilter" in target["query"], panel["title"]
