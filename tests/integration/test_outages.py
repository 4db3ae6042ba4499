"""Outages that people tell: over HTTP, by the command with a collector and without one, and by the forms; each act once, in the log of changes, and
whatever is wrong said in one sentence and nothing changed. What must come out is written here, from collector/instrument/outage.h and the README."""

from __future__ import annotations

import json
import os
import pwd
import time
from datetime import datetime, timedelta, timezone
from functools import cache
from urllib.parse import urlencode

import pytest
from harness.process import run, wait_until
from harness.stage import Stage
from publisher import Publisher
from test_decisions import House
from test_ops_forms import TEXTS, Page, Person

PARK = """
sites = ({ id = "s1"; name = "x"; name_en = "x"; zone = "Asia/Shanghai"; });
buildings = ({ id = "b1"; name = "x"; name_en = "x"; site = "s1"; });
gateways = ({ id = "gw-a"; name = "x"; name_en = "x"; site = "s1"; building = "b1"; });
categories = ({ id = "c1"; name = "x"; name_en = "x"; });
spaces = ({ id = "lab"; name = "实验室"; name_en = "Lab"; building = "b1"; });
resources = ({ id = "gas"; name = "氮气"; name_en = "Nitrogen <N2>"; building = "b1"; kind = "gas"; point = "gw-a/gas"; up = ("on"); down = ("off"); });
instruments = (
  { id = "xrd"; name = "衍射仪"; name_en = "Diffractometer"; building = "b1"; space = "lab"; category = "c1"; owner = "o"; owner_en = "o"; owner_code = "9";
    contact = "8"; session = "gw-a/x"; requires = ("gas"); },
  { id = "sem"; name = "电镜"; name_en = "Microscope"; building = "b1"; space = "lab"; category = "c1"; owner = "o"; owner_en = "o"; owner_code = "9";
    contact = "8"; session = "gw-a/s"; uses = ("gas"); });
"""
ZONE = timezone(timedelta(hours=8))
BROKEN = {"kind": "broken", "instrument": "xrd", "category": "fault", "note": "the tube is dead"}


@cache
def begin() -> datetime:
    """Of these tests; the run may have begun an hour ago."""
    return datetime.now(ZONE).replace(second=0, microsecond=0)


def at(hours: float) -> str:
    """So many hours from the begin of the tests, as the API tells it."""
    return (begin() + timedelta(hours=hours)).isoformat(timespec="milliseconds")


def typed(hours: float) -> str:
    return at(hours).replace("T", " ")[:16]


class Outages(House):
    def tables(self) -> dict[str, list]:
        return {name: self.query(f"SELECT * FROM {name}") for name in ("outage", "change_log")}

    def post(self, expected: int, path: str = "", **body):
        status, found = self.ask("POST", "/api/v1/outages" + path, self.anna, body)
        assert status == expected, found
        return found["outage"] if status < 300 else found["error"]

    def listed(self, query: str = "") -> list[dict]:
        status, found = self.ask("GET", "/api/v1/outages" + query, self.operator)
        assert status == 200, found
        return found["outages"]

    def find(self, number: int) -> dict:
        return next(one for one in self.listed() if one["id"] == number)

    def changes(self) -> list[dict]:
        status, found = self.ask("GET", "/api/v1/changes", self.auditor)
        assert status == 200
        return [one for one in found["changes"] if one["action"].startswith("outage ")]

    def clear(self) -> None:
        """So that each test stands alone."""
        for one in self.listed():
            if one["state"] != "cancelled":
                self.post(200, f"/{one['id']}/cancel", note="the end of a test")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("outages")) as stage:
        found = Outages(stage, PARK)
        found.start()
        found.auditor = found.token("auditor", "--role", "auditor")
        found.operator = found.token("operator", "--role", "operator")
        found.anna = found.token("anna <b>", "--role", "operator", "--scope", "outages")
        yield found


@pytest.fixture
def house(whole):
    whole.clear()
    return whole


# ---- over HTTP ----

def test_what_breaks_is_opened_worded_anew_and_closed_and_each_act_is_logged(house):
    opened = house.post(201, **BROKEN)
    number = opened["id"]
    assert {key: opened[key] for key in ("kind", "state", "instrument", "resource", "space", "until", "category", "note", "concerns", "opened_by", "closed",
                                         "closed_by", "closed_note")} == {
        "kind": "broken", "state": "now", "instrument": "xrd", "resource": None, "space": None, "until": None, "category": "fault", "note": "the tube is dead",
        "concerns": ["xrd"], "opened_by": "anna <b>", "closed": None, "closed_by": None, "closed_note": None}
    assert opened["from"] == opened["opened"] and abs(datetime.fromisoformat(opened["from"]) - datetime.now(ZONE)) < timedelta(minutes=1)
    assert opened["from"].endswith("+08:00")
    changed = house.post(200, f"/{number}/change", category="consumables", note="a new tube is ordered", **{"from": at(-5)})
    assert (changed["category"], changed["note"], changed["from"], changed["state"]) == ("consumables", "a new tube is ordered", at(-5), "now")
    until = at(-0.5)
    closed = house.post(200, f"/{number}/close", note="a new tube", until=until)
    assert (closed["state"], closed["until"], closed["closed_by"], closed["closed_note"], closed["note"]) == ("over", until, "anna <b>", "a new tube",
                                                                                                              "a new tube is ordered")
    assert house.find(number) == closed and house.listed("?state=standing") == []
    told = house.changes()[:3]
    assert [(one["action"], one["who"], one["object"], one["note"]) for one in told] == [
        (f"outage {act}", "anna <b>", f"instrument xrd, outage {number}", note)
        for act, note in (("close", "a new tube"), ("change", "a new tube is ordered"), ("open", "the tube is dead"))]
    assert told[2]["before"] is None and told[2]["after"].endswith("until -, fault: the tube is dead")
    assert told[1]["before"] == told[2]["after"] and told[0]["before"] == told[1]["after"] and "until -" not in told[0]["after"]


def test_what_is_planned_is_moved_and_called_off(house):
    planned = house.post(201, kind="planned", resource="gas", category="maintenance", note="new bottles", **{"from": at(2)}, until=at(4))
    assert (planned["state"], planned["resource"], planned["concerns"]) == ("ahead", "gas", ["xrd"])  # sem does without
    begun = house.post(201, kind="planned", space="lab", category="safety", note="a drill", **{"from": at(-1)}, until=at(1))
    assert (begun["state"], begun["space"], begun["concerns"]) == ("now", "lab", ["xrd", "sem"])
    moved = house.post(200, f"/{planned['id']}/change", **{"from": at(30)}, until=at(31))
    assert (moved["from"], moved["until"], moved["note"]) == (at(30), at(31), "new bottles")
    assert [one["id"] for one in house.listed("?state=standing")] == [begun["id"], planned["id"]]
    assert not {begun["id"], planned["id"]} & {one["id"] for one in house.listed("?state=over")}
    assert house.post(200, f"/{planned['id']}/cancel", note="not needed")["state"] == "cancelled"
    ended = house.post(200, f"/{begun['id']}/close", note="went well")
    assert ended["state"] == "over" and ended["from"] == begun["from"]
    assert house.listed("?state=standing") == []
    over = house.listed("?state=over")
    assert {begun["id"], planned["id"]} <= {one["id"] for one in over} and over == [one for one in house.listed() if one["state"] not in ("now", "ahead")]
    first = house.listed("?limit=1")
    assert [one["id"] for one in first] == [begun["id"]] and [one["id"] for one in house.listed(f"?limit=1&before={begun['id']}")] == [planned["id"]]


def test_what_was_told_is_there_after_a_kill(house):
    number = house.post(201, **BROKEN)["id"]
    before = house.find(number)
    house.collector.kill()
    house.start()
    assert house.find(number) == before and house.listed("?state=standing") == [before]


@pytest.mark.parametrize(("body", "code", "words"), [
    ({}, 400, "kind: is missing; expected broken, planned or problem"),
    ({**BROKEN, "kind": "dead"}, 400, 'kind: "dead" is unknown'),
    ({**BROKEN, "kind": 3}, 400, "kind: expected a text"),
    ({**BROKEN, "colour": "red"}, 400, "colour: unknown here"),
    ({**BROKEN, "category": "weather"}, 400, 'category: "weather" is unknown; expected one of fault, repair,'),
    ({**BROKEN, "from": "yesterday"}, 400, 'from: "yesterday" is no time'),
    ({**BROKEN, "from": "2026-03-02 18:06"}, 400, "is no time"),
    ({**BROKEN, "space": "lab"}, 400, "space: one of instrument, resource and space is given already"),
    ({"kind": "broken", "category": "fault", "note": "x"}, 400, "instrument: is missing"),
    ({**BROKEN, "instrument": "xrf"}, 422, "xrf: no instrument of the park model"),
    ({**BROKEN, "instrument": "x" * 5000}, 422, "no instrument of the park model"),
    ({**BROKEN, "note": " "}, 422, "note is missing"),
    ({**BROKEN, "note": "x" * 501}, 422, "note is missing, or not a text of 1 to 500 bytes"),
    ({**BROKEN, "note": "a\nb"}, 422, "note is missing, or not a text"),
    ({k: v for k, v in BROKEN.items() if k != "note"}, 422, "note is missing"),
    ({k: v for k, v in BROKEN.items() if k != "category"}, 422, "category is missing"),
    ({**BROKEN, "from": "2999-01-01T00:00:00Z"}, 422, "is in the future; expected when it began"),
    ({**BROKEN, "from": "2001-01-01T00:00:00.123456789Z"}, 422, "from 2001-01-01T00:00:00.123Z is more than 366 days ago"),
    ({**BROKEN, "from": "1970-01-01T00:00:00Z"}, 422, "from 1970-01-01T00:00:00.000Z is before 2000-01-01T00:00:00.000Z; expected a later time"),
    ({**BROKEN, "from": "2026-01-01T00:00:00.1234567890Z"}, 400, "is no time"),
    ({**BROKEN, "kind": "planned"}, 422, "from is missing"),
    ({**BROKEN, "kind": "planned", "from": "2998-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z"}, 422, "more than five years ahead"),
    ({"kind": "problem", "space": "lab", "category": "other", "note": "x"}, 422, "a problem is of a space")])
def test_what_is_wrong_is_one_sentence_and_changes_nothing(house, body, code, words):
    before = house.tables()
    status, found = house.ask("POST", "/api/v1/outages", house.anna, body)
    assert status == code and words in found["error"]["message"] and "\n" not in found["error"]["message"], found
    assert found["error"]["code"] == ("refused" if code == 422 else "bad_outage")
    assert house.tables() == before


def test_what_cannot_be_done_with_it_is_refused_and_changes_nothing(house):
    number = house.post(201, **BROKEN)["id"]
    before = house.tables()
    assert f"instrument xrd has outage {number} (broken)" in house.post(422, **BROKEN)["message"]
    for path, body, code, words in (
            ("/0/close", {"note": "x"}, 404, "there is no outage 0"), ("/999/cancel", {"note": "x"}, 404, "there is no outage 999"),
            ("/x/change", {"note": "x"}, 404, "there is no outage x"), (f"/{number}/close", {}, 422, "note is missing"),
            (f"/{number}/close", {"note": "x", "from": at(-1)}, 400, "from: unknown here"),
            (f"/{number}/close", {"note": "x", "until": at(-1)}, 422, "is before it began"),
            (f"/{number}/close", {"note": "x", "until": at(1)}, 422, "is in the future"),
            (f"/{number}/change", {}, 422, "is so already"), (f"/{number}/change", {"until": at(-1)}, 422, "is not over"),
            (f"/{number}/change", {"kind": "planned"}, 400, "kind: unknown here"), (f"/{number}/cancel", {"note": "x", "until": at(-1)}, 400, "until: unknown")):
        assert words in house.post(code, path, **body)["message"], (path, body)
    assert house.ask("POST", f"/api/v1/outages/{number}/reopen", house.anna, {"note": "x"})[0] == 404
    assert house.ask("GET", "/api/v1/outages?state=now", house.operator)[0] == 400
    assert house.tables() == before


def test_only_a_token_with_the_scope_writes_and_a_cookie_only_from_a_page_of_ours(house):
    others = [house.token("x", "--role", role, "--scope", "decisions,sessions") for role in ("public", "operator", "auditor")]
    before = house.tables()
    for token in (*others, house.operator, house.auditor):
        assert house.ask("POST", "/api/v1/outages", token, BROKEN)[0] == 403
    assert house.ask("POST", "/api/v1/outages", "park_1_" + "0" * 64, BROKEN)[0] == 401
    assert house.ask("GET", "/api/v1/outages", house.auditor)[0] == 200
    anna = Person(house, house.anna)
    for more in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
        status, _, text = anna.send("POST", "/api/v1/outages", json.dumps(BROKEN), **{"Content-Type": "application/json", **more})
        assert status == 403, text
    assert house.tables() == before


def test_a_resource_that_its_point_told_to_be_down_is_there_again_when_a_person_says_so(house):
    def status() -> str:
        return house.ask("GET", "/api/v1/instruments/xrd", house.operator)[1]["status"]

    agent = Publisher(house.broker, "gw-a")
    agent.send(1, [f'state,point=gas value="off" {round(time.time() * 1000) - 1000}'])
    agent.wait_ack(1)
    agent.close()
    wait_until(lambda: status() == "OUT_OF_SERVICE", 20, "the instrument is out with what it requires")
    number = house.post(201, kind="broken", resource="gas", category="supply", note="the sensor is right")["id"]
    house.post(200, f"/{number}/close", note="the sensor hangs, there is gas")
    wait_until(lambda: status() == "UNKNOWN", 20, "it is out no more; nobody tells of its sessions")
    house.collector.kill()
    house.start()
    wait_until(lambda: status() == "UNKNOWN", 20, "a person's word outlasts a kill")


# ---- by the command ----

def outage(house, act: str, *words: str, expected: int = 0) -> str:
    """What it prints, or says is wrong. The number of an outage stands behind the act."""
    number = [] if act in ("open", "list") else [words[0]]
    done = run([house.collector.program, "outage", act, *number, "--config", house.collector.settings, *words[len(number):]])
    assert done.returncode == expected, (done.stdout, done.stderr)
    return done.stdout if expected == 0 else done.stderr


@pytest.mark.parametrize("is_running", [True, False])
def test_the_command_does_the_same_with_a_collector_and_without_one(house, is_running):
    if not is_running:
        house.collector.stop()
    user = pwd.getpwuid(os.getuid()).pw_name
    printed = outage(house, "open", "--space", "lab", "--category", "conditions", "--note", "28 degrees", "--who", "bo")
    number = printed.split()[1]
    assert printed.startswith(f"outage {number}  now  broken space lab, from ") and printed.endswith(f", conditions: 28 degrees (bo (user {user}))\n")
    assert outage(house, "list") == printed
    assert "has outage" in outage(house, "open", "--space", "lab", "--category", "conditions", "--note", "28 degrees", expected=65)
    assert "safety: 30 degrees" in outage(house, "change", number, "--category", "safety", "--note", "30 degrees")
    assert f"outage {number}  over  " in outage(house, "close", number, "--note", "cooled down")
    assert "is over since" in outage(house, "close", number, "--note", "again", expected=65)
    assert "there is no outage 999" in outage(house, "cancel", "999", "--note", "x", expected=65)
    assert outage(house, "list") == "" and f"outage {number}  over" in outage(house, "list", "--all")
    planned = outage(house, "open", "--resource", "gas", "--kind", "planned", "--from", at(1), "--until", at(2), "--category", "supply", "--note", "off").split()[1]
    assert f"outage {planned}  cancelled  cancelled: planned resource gas" in outage(house, "cancel", planned, "--note", "on")
    if not is_running:
        house.start()
    one = house.find(int(number))
    assert (one["space"], one["state"], one["note"], one["opened_by"], one["closed_by"]) == ("lab", "over", "30 degrees", f"bo (user {user})", f"user {user}")
    assert [(change["action"], change["token"]) for change in house.changes()[:5]] == [
        (f"outage {act}", None) for act in ("cancel", "open", "close", "change", "open")]


@pytest.mark.parametrize(("words", "said"), [
    (["open", "--instrument", "xrd", "--category", "weather", "--note", "x"], 'category: "weather" is unknown'),
    (["open", "--instrument", "xrd", "--kind", "dead", "--note", "x"], 'kind: "dead" is unknown'),
    (["open", "--instrument", "xrd", "--from", "now", "--note", "x"], 'from: "now" is no time'),
    (["open", "--category", "fault", "--note", "x"], "instrument: is missing"),
    (["open", "--instrument", "xrd", "--all"], "--all is of outage list"), (["close", "x", "--note", "x"], "the number of the outage is missing, or none: x"),
    (["close", "1", "--category", "fault", "--note", "x"], "category: unknown here"), (["list", "--note", "x"], "takes --config and --all alone"),
    (["reopen", "1"], "expected open, change, close, cancel or list, not reopen")])
def test_a_command_that_is_wrong_is_refused_before_anything_is_asked(house, words, said):
    before = house.tables()
    assert said in outage(house, *words, expected=64)
    assert house.tables() == before


# ---- the forms ----

@pytest.fixture
def anna(house):
    return Person(house, house.anna)


def submit(person: Person, page: Page, expected: int, **values: str):
    status, headers, text = person.send("POST", page.action, urlencode({**page.values, **values}))
    assert status == expected, text
    return headers["Location"] if status == 303 else Page(page.action, text)


def follow(person: Person, page: Page, *words: str) -> Page:
    found = [url for url in page.links if all(word in url for word in words)]
    assert len(found) == 1, (words, page.links)
    return person.open(found[0])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_breakdown_is_reported_changed_and_closed_from_the_page(house, anna, lang):
    texts, names = TEXTS[lang], {"en": ("Diffractometer", "Fault", "Repair"), "zh": ("衍射仪", "故障", "维修")}[lang]
    listed = anna.open(f"/ops/outages?lang={lang}")
    assert texts["outages_none"] in listed.text
    page = follow(anna, listed, "act=open", "kind=broken")
    assert texts["outage_new_broken"] in page.text
    note = "smoke <b>& \"fire\""
    where = submit(anna, page, 303, target="instrument:xrd", category="fault", note=note)
    number = house.listed("?state=standing")[0]["id"]
    assert where == f"/ops/outages?done={number}&lang={lang}"
    listed = anna.open(where)
    assert f"{texts['outage_done']} {number}".replace("： ", "：") in listed.text and names[0] in listed.text and names[1] in listed.text
    assert "smoke &lt;b&gt;&amp; &quot;fire&quot;" in listed.text and "anna &lt;b&gt;" in listed.text and "<b>" not in listed.text
    again = submit(anna, page, 422, target="instrument:xrd", category="fault", note=note)  # the button was pressed twice
    assert again.wrong == {"from": texts["refused_outage"]} and again.values["note"] == note and again.values["target"] == "instrument:xrd"
    page = follow(anna, listed, "act=change", f"id={number}")
    assert page.values["category"] == "fault" and page.values["note"] == note and "until" not in page.values
    submit(anna, page, 303, category="repair", **{"from": typed(-3)})
    assert (house.find(number)["from"], house.find(number)["category"]) == (at(-3), "repair")
    page = follow(anna, anna.open(f"/ops/outages?lang={lang}"), "act=change", f"id={number}")
    assert page.values["from"] == typed(-3)  # as a person types it, and the same time
    same = submit(anna, page, 422)
    assert texts["refused_same"] in same.text
    listed = anna.open(f"/ops/outages?lang={lang}")
    assert names[2] in listed.text
    page = follow(anna, listed, "act=close", f"id={number}")
    assert f"{names[0]}{'（xrd）' if lang == 'zh' else ' (xrd)'} · " in page.text and "smoke &lt;b&gt;" in page.text
    assert submit(anna, page, 400).wrong == {"note": texts["wrong_missing"]}
    submit(anna, page, 303, note="out", until=typed(-1))
    one = house.find(number)
    assert (one["state"], one["until"], one["closed_note"]) == ("over", at(-1), "out")
    listed = anna.open(f"/ops/outages?lang={lang}")
    assert texts["outages_none"] in listed.text and texts["outage_state_over"] in listed.text
    assert texts["refused_over"] in submit(anna, page, 422, note="out").text


def test_an_outage_is_planned_moved_and_called_off_from_the_page(house, anna):
    page = follow(anna, anna.open("/ops/outages?lang=en"), "act=open", "kind=planned")
    missing = submit(anna, page, 400, target="resource:gas", category="maintenance")
    assert missing.wrong == {"note": TEXTS["en"]["wrong_missing"], "from": TEXTS["en"]["wrong_missing"], "until": TEXTS["en"]["wrong_missing"]}
    submit(anna, missing, 303, note="bottles", **{"from": typed(5)}, until=typed(7))
    one = house.listed("?state=standing")[0]
    assert (one["from"], one["until"], one["resource"]) == (at(5), at(7), "gas")
    listed = anna.open("/ops/outages?lang=en")
    assert "Nitrogen &lt;N2&gt;" in listed.text and TEXTS["en"]["outage_concerns"] + " 1" in listed.text
    page = follow(anna, listed, "act=change", f"id={one['id']}")
    assert (page.values["from"], page.values["until"]) == (typed(5), typed(7))
    assert submit(anna, page, 422, until=typed(4)).wrong == {"until": TEXTS["en"]["refused_order"]}
    submit(anna, page, 303, **{"from": typed(6)})
    assert house.find(one["id"])["from"] == at(6)
    submit(anna, follow(anna, anna.open("/ops/outages?lang=en"), "act=cancel", f"id={one['id']}"), 303, note="no need")
    assert house.find(one["id"])["state"] == "cancelled"


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("kind", "filled", "code", "wrong"), [
    ("broken", {}, 400, {"target": "wrong_missing", "category": "wrong_missing", "note": "wrong_missing"}),
    ("broken", {"target": "instrument:nobody", "category": "fault", "note": "x", "from": "noon"}, 400, {"target": "wrong_target", "from": "wrong_time"}),
    ("broken", {"target": "instrument:xrd", "category": "weather", "note": "x"}, 400, {"category": "wrong_choice"}),
    ("broken", {"target": "instrument:xrd", "category": "fault", "note": "x" * 501}, 422, {"note": "wrong_text"}),
    ("broken", {"target": "instrument:xrd", "category": "fault", "note": "x", "from": "2999-01-01 00:00"}, 422, {"from": "refused_future"}),
    ("planned", {"target": "instrument:xrd", "category": "fault", "note": "x", "from": "2020-01-01 00:00", "until": "2020-01-02 00:00"}, 422,
     {"from": "refused_long_ago"})])
def test_what_is_wrong_is_said_beside_the_field_in_the_person_s_language(house, anna, lang, kind, filled, code, wrong):
    before = house.tables()
    page = anna.open(f"/ops/outage?act=open&kind={kind}&lang={lang}")
    found = submit(anna, page, code, **filled)
    assert found.wrong == {field: TEXTS[lang][key] for field, key in wrong.items()} and house.tables() == before


def test_without_scope_session_or_csrf_no_form_is_taken(house, anna):
    page = anna.open("/ops/outage?act=open&kind=broken&target=instrument:sem&lang=en")
    assert page.values["target"] == "instrument:sem"
    before = house.tables()
    filled = {**page.values, "category": "fault", "note": "x"}
    for values, more in (({**filled, "csrf": "0" * 64}, {}), ({k: v for k, v in filled.items() if k != "csrf"}, {}),
                         (filled, {"Sec-Fetch-Site": "cross-site"}), (filled, {"Origin": "http://evil.example"}), (filled, {"Cookie": ""})):
        status, _, text = anna.send("POST", page.action, urlencode(values), **more)
        assert status in (401, 403), text
    bo = Person(house, house.operator)
    looked = bo.open("/ops/outage?act=open&kind=broken&lang=en")
    assert TEXTS["en"]["needs_outages"] in looked.text and looked.buttons == []
    status, _, _ = bo.send("POST", looked.action, urlencode({**looked.values, "target": "instrument:sem", "category": "fault", "note": "x"}))
    assert status == 403 and house.tables() == before
    for path in ("/ops/outage?act=reopen", "/ops/outage?act=open&kind=dead", "/ops/outage?act=close&id=x", "/ops/outage?act=close&id=999"):
        assert anna.send("GET", path)[0] in (400, 404)
