"""Whatever dashboards/openapi.yaml names, asked for wrongly: each parameter of each path, and each field of each body, with what it is not. The answer is 400, or 404
for an id in a path that is nobody's, one sentence that names it; never a failure of ours, and nothing is changed. The description is read, so that what is added to it is tried too."""

from __future__ import annotations

import http.client
import json
import re
from dataclasses import dataclass, replace
from html import unescape
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

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
virtual_meters = ( {{ id = "v1"; name = "{ESCAPED}"; name_en = "{ESCAPED}"; building = "b1"; plus = ("m1"); }} );
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
    "/api/v1/public/occupancy": {"from": "2026-10", "to": "2026-11"}, "/api/v1/costs": {"site": "s1", "period": "2026-10"}, "/api/v1/booked": {"site": "s1", "period": "2026-10"},
    "/ops/energy": {"length": "custom", "from": "2026-10-05"}, "/ops/occupancy": {"length": "custom", "from": "2026-10-05"},
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
                found.append(Case(method.upper(), path, p["in"], p["name"], schema, is_page(path) and p["name"] != "format"))
    return found


class House:
    def __init__(self, stage: Stage):
        model = stage.folder / "park.cfg"
        model.write_text(PARK)
        rules = stage.folder / "alarms.cfg"  # nobody ever hears from the gateway
        rules.write_text('rules = ( { id = "quiet"; kind = "no_data"; on = ("gateway:gw-a"); for = 1; } );')
        self.collector = stage.start(new_collector(stage.folder / "collector", stage.broker("gw-a"), stage.influx(), model, http_settings='access = "token";', more=f'clock = "trusted"; alarms = "{rules}";'))
        scopes = ("--scope", "decisions,readings,closings,outages,sessions,alarms")
        self.tokens = {role: self.command("token", "add", "--role", role, "--name", role, *more).strip()
                       for role, more in (("operator", scopes), ("auditor", scopes), ("public", scopes))}
        wait_until(lambda: self.ask("GET", "/api/v1/instruments")[0] == 200, 60, "the board is made")
        wait_until(lambda: json.loads(self.ask("GET", "/api/v1/alarms?state=standing")[1])["alarms"], 60, "the gateway is silent")
        self.command("outage", "open", "--instrument", "i1", "--category", "repair", "--note", MARKUP)

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
        return tuple(self.ask("GET", path, role="auditor")[1] for path in ("/api/v1/changes?limit=5", "/api/v1/outages", "/api/v1/alarms"))


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("bad")) as stage:
        yield House(stage)


# ---- what is wrong of what kind ----

# Words that are searched for, or lead somewhere: any text is right.
FREE_TEXT = {"q", "model", "organisation"}
FILLED_IN = {("/ops/outage", "target")}  # a form that opens with what fits
MAY_BE_EMPTY = {"/", "/login"}  # forms that are sent as they are
MONTHS_OF = ("from", "to", "until", "period")


def wrong_values(case: Case) -> list[str]:
    known, others = case.known, ["", MARKUP, HUGE]
    if "enum" in known:
        return [*others, "no-such", f"{known['enum'][0]} ", f",{known['enum'][0]}"]
    if known["type"] == "integer":
        return [*others, *NUMBERS, str(known.get("minimum", 0) - 1), *([str(known["maximum"] + 1)] if "maximum" in known else [])]
    if case.is_page and case.name in ("from", "to"):
        return [*others, *TIMES, "2026", "2026-10", "2026-10-05T00:00:00Z", "1999-12-31", "3000-01-01", *(["2026-10-04"] if case.name == "to" else [])]
    if case.name in MONTHS_OF:
        return [*others, *(DAYS if case.name == "period" else TIMES)]
    if case.name == "length":
        return [*others, "0", "0h", "-1h", "1", "99999h", "h", "1h30"]
    return [*others, "no-such", "../x", "A" * 63, "A" * 64]


def target_of(case: Case, value: str | None = None, raw: str | None = None) -> str:
    """The address, with that value of what is tried; `raw` is encoded already."""
    values = {**PATH_VALUES, **(OF_RESOURCE if "resources" in case.path else OF_OUTAGE if "outages/" in case.path else {})}
    tried = raw if raw is not None else quote(value or "", safe="")
    path = re.sub(r"\{(\w+)\}", lambda found: tried if case.where == "path" and found[1] == case.name else values[found[1]], case.path)
    along = {name: kept for name, kept in ALONG.get(case.path, {}).items() if name != case.name}
    if case.path == "/api/v1/instruments" and case.name == "length":
        along = LENGTH_GOES_WITH
    if case.path == "/ops/outage" and case.name == "id":
        along = {"act": "close"}
    query = urlencode(along)
    if case.where == "query":
        query += ("&" if query else "") + f"{case.name}={tried}"
    return path + (f"?{query}" if query else "")


def sentence(text: str) -> str:
    """What an error says: one, with an end, and no markup of ours around it."""
    error = json.loads(text)["error"]
    assert set(error) == {"code", "message"} and re.fullmatch(r"[a-z_]+", error["code"]), text
    message = error["message"]
    assert 8 < len(message) <= 512 and "\n" not in message, text
    return message


def refusal(case: Case, text: str) -> str:
    """What is said of it: to people on a page, with what is expected and the way back."""
    if not case.is_page:
        return sentence(text)
    path = target_of(case).split("?")[0]
    assert text.lower().startswith("<!doctype html>") and MARKUP not in text and "<script" not in text and f'href="{path}?lang=' in text, text[:300]
    said = re.search(r'<p class="card"[^>]*>(.*?)</p>', text)[1]
    assert f"“{case.name}”" in said and any(words in said for words in EXPECTED), said
    return case.name


EXPECTED = [text.split("{}")[0] for name in ("en", "zh-CN") for key, text in json.loads((SOURCE / f"dashboards/web/{name}.json").read_text()).items() if key.startswith("expected_")]
QUERY = [case for case in cases() if case.where == "query"]
PATHS = [case for case in cases() if case.where == "path"]
NAMES = [f"{case.method} {case.path} {case.name}" for case in QUERY]


@pytest.mark.parametrize("case", QUERY, ids=NAMES)
def test_a_parameter_that_is_wrong_is_refused_by_its_name(house, case):
    body = b"{}" if case.method == "POST" else None
    if case.name not in FREE_TEXT:
        for value in wrong_values(case):
            status, text = house.ask(case.method, target_of(case, value), body)
            if (case.path, case.name) in FILLED_IN or (value == "" and case.path in MAY_BE_EMPTY and case.name != "lang"):  # a form that is sent as it is
                assert status in (200, 400, 404) and MARKUP not in text, (value, status, text[:200])
            else:
                assert status == 400 and case.name in refusal(case, text), (value, status, text[:300])
    for raw in (*NO_TEXT, "a%00b", "%00"):
        status, text = house.ask(case.method, target_of(case, raw=raw), body)
        assert status == 400 and refusal(replace(case, is_page=is_page(case.path)), text).startswith(case.name), (raw, status, text[:300])


@pytest.mark.parametrize("case", QUERY, ids=NAMES)
def test_a_parameter_given_twice_or_of_no_path_is_refused(house, case):
    body = b"{}" if case.method == "POST" else None
    value = str(case.known.get("enum", ["2026-10" if case.name in MONTHS_OF else 1])[0]) if case.name in MONTHS_OF or "enum" in case.known else "1"
    target = target_of(case, value)
    if is_page(case.path) and not case.path.startswith("/audit/"):
        status, text = house.ask(case.method, f"{target}&{case.name}={value}")
        assert status == 400 and case.name in refusal(case, text), (status, text[:300])
        alone, tracked = (house.ask(case.method, target + more) for more in ("", "&utm_source=a&utm_source=b"))  # what links carry is no business of a page
        assert alone[0] == tracked[0], (alone[0], tracked[0], tracked[1][:300])
        return
    for more, name in ((f"&{case.name}={value}", case.name), ("&no-such=1", "no-such"), ("&%3Cb%3E=1", "<b>"), (f"&{'n' * 9000}=1", "n" * 40)):
        status, text = house.ask(case.method, target + more, body)
        assert status == 400 and name in (refusal(case, text) if name == case.name else sentence(text)), (more[:40], status, text[:300])
    status, text = house.ask(case.method, target + "".join(f"&n{i}=1" for i in range(40)), body)
    assert status == 400 and sentence(text)


@pytest.mark.parametrize("case", PATHS, ids=[f"{case.method} {case.path} {case.name}" for case in PATHS])
def test_an_id_in_a_path_that_is_nobodys_is_not_found(house, case):
    body = b"{}" if case.method == "POST" else None
    is_period = case.name == "period"
    for value in [*(DAYS if is_period else []), "no-such", MARKUP, HUGE, "..", "%2e%2e", "A" * 64, "-1", "99999999999999999999"]:
        status, text = house.ask(case.method, target_of(case, value), body)
        assert status in ((400, 404) if is_period or case.method == "POST" or case.path.startswith("/audit/") else (404,)), (value[:40], status, text[:300])
        assert "<script>" not in text or text.startswith("{"), (value[:40], text[:300])
        if text.startswith("{"):
            assert sentence(text)
    for raw in (*NO_TEXT, "a%00b"):
        status, text = house.ask(case.method, target_of(case, raw=raw), body)
        assert status in (400, 404), (raw, status, text[:300])


# ---- what pages' scripts read ----

OF_PAGES = [
    ("/ops/energy", {}), ("/ops/energy", {"site": "s1", "length": "custom", "from": "2026-10-05", "to": "2026-10-05", "carrier": "gas", "by": "item", "against": "nothing", "id": "01000"}),
    *(("/ops/energy", {"by": by, "id": id}) for by, id in (("building", "b1"), ("tenant", "t1"), ("meter", "m1"), ("meter", "v1"), ("item", "01000"), ("carrier", "heat"))), ("/ops/energy", {"id": "b1"}),
    ("/ops/energy", {"length": "custom", "from": "2010-01-01", "to": "2020-02-17"}), ("/ops/energy", {"length": "year", "from": "2999-12-31"}),
    ("/ops/occupancy", {"length": "week", "from": "2000-01-01", "measure": "frequency", "space": "hall"}), ("/ops/instruments", {"id": "i1"}), ("/ops", {"view": "screen"}),
    ("/ops/exceptions", {"exceptions_before": "9", "decisions_before": "1700000000000", "done": "3"}), ("/ops/outages", {"before": "9", "done": "3"}), ("/ops/alarms", {"before": "9", "done": "3"}),
]
NOT_OF_PAGES = [
    *(("/ops/energy", {"by": by, "id": id}, "id") for by, id in (("building", "m1"), ("tenant", "b1"), ("meter", "b1"), ("item", "1"), ("carrier", "steam"))), ("/ops/energy", {"id": "m1"}, "id"),
    ("/ops/energy", {"length": "custom", "from": "2010-01-01", "to": "2020-02-18"}, "to"), ("/ops/energy", {"from": "2001-01-01", "to": "2999-12-31"}, "to"), ("/ops/energy", {"to": "2026-10-05"}, "to"),
    ("/ops/occupancy", {"from": "2026-10-05", "to": "2026-10-04"}, "to"), ("/ops/occupancy", {"length": "year"}, "length"), ("/ops/occupancy", {"from": "2026-02-29"}, "from"),
]


@pytest.mark.parametrize(("path", "asked"), OF_PAGES, ids=[f"{path}?{urlencode(asked)}" for path, asked in OF_PAGES])
def test_what_a_page_writes_into_its_address_is_taken_and_stays_in_the_other_language(house, path, asked):
    status, text = house.ask("GET", f"{path}?{urlencode(asked)}&lang=en")
    assert status == 200, text[:300]
    if asked.get("view") != "screen":  # a wall has no links
        links = [urlsplit(unescape(link)) for link in re.findall(r'href="([^"]*)"', text)]
        assert any(link.path == path and dict(parse_qsl(link.query)) == {**asked, "lang": "zh"} for link in links), text[:3000]


@pytest.mark.parametrize(("path", "asked", "name"), NOT_OF_PAGES, ids=[f"{path}?{urlencode(asked)}" for path, asked, _ in NOT_OF_PAGES])
def test_what_only_a_script_would_read_is_refused_in_the_visitors_language(house, path, asked, name):
    for lang, expected in (("en", "Expected: "), ("zh", "应为")):
        status, text = house.ask("GET", f"{path}?{urlencode(asked)}&lang={lang}")
        said = re.search(r'<p class="card"[^>]*>(.*?)</p>', text)[1]
        assert status == 400 and f"“{name}”" in said and expected in said, said
        if name == "to":
            assert " 3700 " in said


@pytest.mark.parametrize("path", ["/", "/login", "/ops/energy", "/api/v1/live"])
def test_a_value_that_is_no_text_is_refused_whatever_it_is_called(house, path):
    for query in ("=%00", "%3Cb%3E=%ff", f"{'n' * 5000}=%00", "a=%00&lang=zh&b=%ff"):
        status, text = house.ask("GET", f"{path}?{query}")
        assert status == 400 and (text.startswith("{") or "<b>" not in text) and "utf-8" in text.lower(), (query, status, text[:300])


# ---- spans ----

SPANS = [("/api/v1/energy", "from", "to"), ("/api/v1/occupancy", "from", "to"), ("/api/v1/public/occupancy", "from", "to"), ("/api/v1/instruments/i1/timeline", "from", "until")]


@pytest.mark.parametrize(("path", "first", "last"), SPANS, ids=[path for path, _, _ in SPANS])
def test_spans_that_end_before_they_begin_or_are_too_long_are_refused(house, path, first, last):
    at = "2026-10-{:02d}T00:00:00Z"
    for begin, end, named in ((at.format(2), at.format(1), last), (at.format(1), at.format(1), last), ("2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z", last),
                              ("0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", ""), ("9999-12-31T00:00:00Z", at.format(1), "")):
        status, text = house.ask("GET", f"{path}?{urlencode({first: begin, last: end})}")
        assert status == 400 and (named or ":") in sentence(text), (begin, end, status, text[:300])
        assert first in sentence(text) or last in sentence(text), text
    if path == "/api/v1/energy":
        status, text = house.ask("GET", f"{path}?from=2026&to=2027&step=15m")
        assert status == 400 and "step" in sentence(text)


# ---- bodies ----

# Of each path a body that is right but for what is tried.
BODIES = {
    "/api/v1/counts": {"space": "hall", "persons": 3}, "/api/v1/decisions": {"kind": "reset", "meter": "m1", "at": "2026-10-01T00:00:00Z", "end": 1, "start": 0, "why": "x"},
    "/api/v1/closings": {"site": "s1", "period": "2026-10", "why": "x"}, "/api/v1/outages": {"kind": "broken", "instrument": "i1", "category": "repair", "note": "x"},
    "/api/v1/outages/{id}/change": {"note": "x"}, "/api/v1/outages/{id}/close": {"note": "x"}, "/api/v1/outages/{id}/cancel": {"note": "x"},
    "/api/v1/readings": {"meter": "m1", "at": "2026-10-01T00:00:00Z", "register": 1, "why": "x"}, "/api/v1/calendars/{id}/confirm": {"why": "x"}, "/api/v1/resources/{id}/up": {"why": "x"},
    "/api/v1/alarms/{id}/ack": {"note": "x"},
    "/api/v1/sessions": {"event": "e1", "instrument": "i1", "action": "open", "class": "internal", "organisation": "OWN", "purpose": "research"},
}
POSTS = sorted(path for path, operations in API["paths"].items() if "application/json" in operations.get("post", {}).get("requestBody", {}).get("content", {}))


def fields(path: str) -> list[str]:
    schema = API["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    if "$ref" in schema:
        schema = API["components"]["schemas"][schema["$ref"].split("/")[-1]]
    return list(schema["properties"])


def address(path: str) -> str:
    filled = path.replace("{id}", "gas" if "resources" in path else "1")
    return filled + ("?preview=1" if any(p["name"] == "preview" for p in parameters(API["paths"][path]["post"])) else "")


@pytest.mark.parametrize("path", POSTS)
def test_a_body_with_a_field_that_is_wrong_is_refused_by_its_name_and_changes_nothing(house, path):
    before = house.changes()
    for name in fields(path):
        for value in ([], {}, [[]], {"a": 1}, 1.5, -1e300, "a\u0001b", *([] if name in ("why", "note", "purpose", "serial", "event") else [MARKUP, "no-such"]), *([HUGE] if name != "serial" else [])):
            if name == "event" and isinstance(value, float):
                continue  # readers number their events
            if name == "overrides" and value == []:
                continue  # none
            status, text = house.ask("POST", address(path), json.dumps({**BODIES[path], name: value}).encode())
            assert status in (400, 404, 413, 422), (name, str(value)[:40], status, text[:300])
            assert name in sentence(text) or status == 413 or (status == 404 and "{id}" in path), (name, str(value)[:40], status, text)
    for text_, named in (("{\"no-such\": 1}", "no-such"), ("[]", ""), ("null", ""), ("", ""), ("{", ""), ("{\"a\": 1, \"a\": 2}", ""), ("[" * 9000, ""), ("{}" * 2, "")):
        status, text = house.ask("POST", address(path), text_.encode())
        assert status in (400, 413) and sentence(text), (text_[:40], status, text[:300])
    for raw in (b"\xff\xfe", b"{\"why\": \"\xc3\x28\"}", b"{\"why\": \"\\u0000\"}", b"{\"why\": \"a\x00b\"}"):
        status, text = house.ask("POST", address(path), raw)
        assert status == 400 and sentence(text), (raw, status, text[:300])
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        status, text = house.ask("POST", address(path), b"{}", kind)
        assert status == 415 and sentence(text)
    assert house.changes() == before


def test_the_form_of_an_alarm_that_is_wrong_changes_nothing(house):
    before = house.changes()
    kind = "application/x-www-form-urlencoded"
    for form, code, named in (({"note": "x"}, 400, "id"), *(({"id": value, "note": "x"}, 400, "id") for value in ("", "no-such", MARKUP, *NUMBERS)), ({"id": "77", "note": "x"}, 404, "77"),
                              ({"id": "0"}, 404, "0"), ({"id": "1", "note": "x" * 501}, 400, "note"), ({"id": "1", "note": "a\u0001b"}, 400, "note"), ({"id": "1", "note": "a\u0000b"}, 400, "note"),
                              *(({"id": "1", "news": value}, 400, "news") for value in ("", "-1", "no-such", MARKUP))):
        status, text = house.ask("POST", "/ops/alarms", urlencode(form).encode(), kind)
        assert status == code and named in text and MARKUP not in text, (form, status, text[:300])
    for raw, named in ((b"id=1&note=%ff", "note"), (b"id=1&id=2", "id"), (b"id=1&note=%", "note"), (b"\xff", ""), (b"", "id")):
        status, text = house.ask("POST", "/ops/alarms", raw, kind)
        assert status == 400 and named in sentence(text), (raw, status, text[:300])
    assert house.ask("POST", "/ops/alarms", b"id=1", "text/plain")[0] == 415
    assert house.changes() == before


# ---- names ----

PAGES = ["/", "/instruments/i1", "/instruments/i1/label", "/ops", "/ops?view=screen", "/ops/energy", "/ops/meters", "/ops/occupancy", "/ops/instruments", "/ops/gateways",
         "/ops/exceptions", "/ops/outages", "/ops/alarms", "/ops/decide?kind=reset&meter=m1", "/ops/reading?meter=m1", "/ops/outage?act=open&kind=broken", "/ops/outage?act=close&id=1",
         "/audit/s1/2026-10", "/audit/s1/2026-10/building/b1", "/audit/s1/2026-10/meter/m1", "/audit/s1/2026-10/meter/m1/2026-10-05"]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_markup_in_names_is_text_on_every_page(house, path, lang):
    status, text = house.ask("GET", f"{path}{'&' if '?' in path else '?'}lang={lang}")
    assert status == 200 and text.lower().startswith("<!doctype html>"), text[:200]
    assert "<script>" not in text and "<img src=x" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x&gt;" in text
