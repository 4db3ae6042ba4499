"""Whatever dashboards/openapi.yaml names, asked for wrongly: each parameter of each path, and each field of each body, with what it is not. The answer is 400, or 404
for an id in a path that is nobody's, one sentence that names it; never a failure of ours, and nothing is changed. The description is read, so that what is added to it is tried too."""

from __future__ import annotations

import http.client
import json
import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import pytest
import yaml
from harness.parkmon import new_collector
from harness.process import run, wait_until
from harness.servers import SOURCE
from harness.stage import Stage

MARKUP = "<script>alert(1)</script><img src=x>\"'&"
ESCAPED = MARKUP.replace("\"", "\\\"")
PARK = f"""
sites = ( {{ id = "s1"; name = "{ESCAPED}"; name_en = "{ESCAPED}"; zone = "Asia/Shanghai"; region = "zhejiang"; }} );
buildings = ( {{ id = "b1"; name = "{ESCAPED}"; name_en = "{ESCAPED}"; site = "s1"; area = 10; }} );
tenants = ( {{ id = "t1"; name = "{ESCAPED}"; name_en = "{ESCAPED}"; }} );
gateways = ( {{ id = "gw-a"; name = "{ESCAPED}"; name_en = "{ESCAPED}"; site = "s1"; building = "b1"; }} );
spaces = ( {{ id = "hall"; building = "b1"; name = "{ESCAPED}"; name_en = "{ESCAPED}"; capacity = 9;
    doors = ( {{ id = "d"; name = "x"; name_en = "x"; in = "gw-a/in"; out = "gw-a/out"; }} ); }} );
meters = ( {{ id = "m1"; name = "{ESCAPED}"; name_en = "{ESCAPED}"; building = "b1"; tenant = "t1"; carrier = "electricity"; item = "01000";
    segments = ( {{ serial = "1"; from = "2026-01-01T00:00:00Z"; point = "gw-a/m1"; resolution = 10; max_rate = 100000; }} ); }} );
resources = ( {{ id = "gas"; name = "{ESCAPED}"; name_en = "{ESCAPED}"; building = "b1"; kind = "gas"; point = "gw-a/gas"; up = ("on"); down = ("off"); period = 600; }} );
categories = ( {{ id = "c1"; name = "{ESCAPED}"; name_en = "{ESCAPED}"; }} );
instruments = ( {{ id = "i1"; name = "{ESCAPED}"; name_en = "{ESCAPED}"; building = "b1"; space = "hall"; category = "c1"; owner = "{ESCAPED}"; owner_en = "{ESCAPED}";
    owner_code = "OWN"; contact = "{ESCAPED}"; location = "{ESCAPED}"; location_en = "{ESCAPED}"; model = "{ESCAPED}"; session = "gw-a/i1"; requires = ("gas"); }} );
"""
API = yaml.safe_load((SOURCE / "dashboards/openapi.yaml").read_text())

# Of each name what stands for it in the path, and what goes along, so that only what is tried is wrong.
PATH_VALUES = {"id": "i1", "site": "s1", "period": "2026-10", "path": "meter/m1", "file": "ops.css"}
OF_RESOURCE, OF_OUTAGE = {"id": "gas"}, {"id": "1"}
ALONG = {
    "/api/v1/energy": {"from": "2026-10", "to": "2026-11"}, "/api/v1/occupancy": {"from": "2026-10", "to": "2026-11"},
    "/api/v1/public/occupancy": {"from": "2026-10", "to": "2026-11"}, "/api/v1/costs": {"period": "2026-10"}, "/api/v1/booked": {"site": "s1", "period": "2026-10"},
    "/api/v1/instruments/{id}/hours": {"period": "2026-10"}, "/ops/decide": {"kind": "reset"}, "/ops/outage": {"act": "open", "kind": "broken"},
}
LENGTH_GOES_WITH = {"available": "now"}

DAYS = ["2026-02-30", "2025-02-29", "2026-13", "2026-00", "2026-10-32", "2026-Q5", "2026-W40", "26-10", "yesterday", "2026-10-01 00:00", "2026/10/01", "-2026", "20261001", "2026-1"]
TIMES = [*DAYS, "2026-10-01T25:00:00Z", "2026-10-01T00:60:00Z", "2026-10-01T00:00:00", "2026-10-01T00:00:00+99:00", "2026-10-01T00:00Z", "1e9", "1700000000"]
NUMBERS = ["1.5", "1e3", "0x10", "-1", "+1", " 1", "1 ", "one", "９", "99999999999999999999", "NaN"]
NO_TEXT = ["%ff", "%c3%28", "%ed%a0%80", "a%01b", "%f8%88%80%80%80"]  # as they stand in an address
HUGE = "x" * 10_000


@dataclass(frozen=True)
class Case:
    method: str
    path: str
    where: str   # query or path
    name: str
    schema: tuple
    is_page: bool

    @property
    def known(self) -> dict:
        return dict(self.schema)


def parameters(operation: dict) -> list[dict]:
    return [API["components"]["parameters"][p["$ref"].split("/")[-1]] if "$ref" in p else p for p in operation.get("parameters", [])]


def is_page(path: str) -> bool:
    return not path.startswith("/api/")


def cases() -> list[Case]:
    found = []
    for path, operations in API["paths"].items():
        for method, operation in operations.items():
            for p in parameters(operation):
                schema = tuple((key, tuple(value) if isinstance(value, list) else value) for key, value in p["schema"].items())
                found.append(Case(method.upper(), path, p["in"], p["name"], schema, is_page(path)))
    return found


class House:
    def __init__(self, stage: Stage):
        model = stage.folder / "park.cfg"
        model.write_text(PARK)
        self.collector = stage.start(new_collector(stage.folder / "collector", stage.broker("gw-a"), stage.influx(), model, http_settings='access = "token";'))
        scopes = ("--scope", "decisions,readings,closings,outages,sessions")
        self.tokens = {role: self.command("token", "add", "--role", role, "--name", role, *more).strip()
                       for role, more in (("operator", scopes), ("auditor", scopes), ("public", scopes))}
        self.command("outage", "open", "--instrument", "i1", "--category", "repair", "--note", MARKUP)
        wait_until(lambda: self.ask("GET", "/api/v1/instruments")[0] == 200, 60, "the board is made")

    def command(self, *words: str) -> str:
        done = run([self.collector.program, *words[:2], "--config", self.collector.settings, *words[2:]])
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, method: str, target: str, body: bytes | None = None, kind: str = "application/json", role: str | None = None) -> tuple[int, str]:
        """Of whoever may."""
        role = role or ("auditor" if target.startswith(("/audit", "/api/v1/changes")) else "operator")
        connection = http.client.HTTPConnection("127.0.0.1", self.collector.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.tokens[role]}", **({"Content-Type": kind} if body is not None else {})}
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def changes(self) -> tuple[str, str]:
        return tuple(self.ask("GET", path, role="auditor")[1] for path in ("/api/v1/changes?limit=5", "/api/v1/outages"))


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("bad")) as stage:
        yield House(stage)
