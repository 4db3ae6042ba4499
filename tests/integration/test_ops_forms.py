"""The forms with which a person settles exceptions: filled in as a browser without scripts would, previewed, confirmed, undone; refused beside
the field, in the person's language; and nothing twice. Rows 7 and 12 of the table of faults, as in test_decisions.py."""

from __future__ import annotations

import http.client
import json
import re
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

import pytest
from harness.servers import SOURCE
from harness.stage import Stage
from test_decisions import House, wh
from test_report import report

TEXTS = {lang: json.loads((SOURCE / f"dashboards/web/{name}.json").read_text()) for lang, name in (("en", "en"), ("zh", "zh-CN"))}
FORM = "application/x-www-form-urlencoded"
MODULE = '<script type="module" src="/assets/lists.js"></script>'  # the only one that a page of lists has


class Page(HTMLParser):
    """What a browser has of a page: its links, the form's values, the buttons, and what is said to be wrong beside which field."""

    def __init__(self, url: str, text: str):
        super().__init__()
        self.url, self.text = url, text
        self.links: list[str] = []
        self.action, self.values, self.buttons = None, {}, []
        self.wrong: dict[str, str] = {}
        self.label, self.select, self.area, self.is_wrong = None, None, None, False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if tag == "a":
            self.links.append(urljoin(self.url, a["href"]))
        elif tag == "form":
            self.action = a["action"]
        elif tag == "label":
            self.label = a["for"]
        elif tag == "input" and (a.get("type") != "checkbox" or "checked" in a):
            self.values[a["name"]] = a.get("value", "on")
        elif tag == "select":
            self.select = a["name"]
        elif tag == "option" and "selected" in a:
            self.values[self.select] = a["value"]
        elif tag == "textarea":
            self.area = a["name"]
            self.values[self.area] = ""
        elif tag == "button":
            self.buttons.append(a.get("value"))
        self.is_wrong = tag == "p" and a.get("class") == "wrong"

    def handle_endtag(self, tag):
        self.area = None if tag == "textarea" else self.area
        self.is_wrong = False

    def handle_data(self, data):
        if self.area:
            self.values[self.area] += data
        if self.is_wrong:
            self.wrong[self.label] = data


class Person:
    """A browser with a session."""

    def __init__(self, house, token: str):
        self.house = house
        status, headers, _ = self.send("POST", "/login", urlencode({"token": token}))
        assert status == 303
        self.cookie = headers["Set-Cookie"].split(";")[0]

    def send(self, method: str, path: str, body: str | None = None, **more: str):
        connection = http.client.HTTPConnection("127.0.0.1", self.house.collector.port, timeout=30)
        headers = {**({"Cookie": self.cookie} if hasattr(self, "cookie") else {}), **({"Content-Type": FORM} if body is not None else {}), **more}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    def open(self, path: str) -> Page:
        status, headers, text = self.send("GET", path)
        assert status == 200, text
        assert "unsafe" not in headers["Content-Security-Policy"] and "<script" not in text.replace(MODULE, "") and "{{" not in text
        return Page(path, text)

    def submit(self, page: Page, step: str, expected: int, **values: str):
        assert step in page.buttons
        status, headers, text = self.send("POST", page.action, urlencode({**page.values, **values, "step": step}))
        assert status == expected, text
        return headers["Location"] if status == 303 else Page(page.action, text)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("forms")) as stage:
        found = House(stage)
        found.start()
        found.publish()
        found.operator = found.token("operator", "--role", "operator")
        yield found


@pytest.fixture(scope="module")
def anna(house):
    return Person(house, house.token("anna <b>", "--role", "operator", "--scope", "decisions"))


def link(page: Page, *words: str) -> str:
    found = [url for url in page.links if all(word in url for word in words)]
    assert len(found) == 1, (words, page.links)
    return found[0]


def state(house):
    return house.tables()


def test_an_exception_is_settled_from_the_list_and_the_decision_undone(house, anna):
    before = state(house)
    listed = anna.open("/ops/exceptions?lang=en")
    page = anna.open(link(listed, "kind=energy", "meter=feeder"))
    assert page.values["from"] == "2026-03-02T18:00:00.000+08:00" and page.values["until"] == "2026-03-02T18:15:00.000+08:00"
    assert page.values["meter"] == "feeder" and page.buttons == ["preview"]
    looked = anna.submit(page, "preview", 200, energy="9.876")
    assert "<td class=\"number\" data-title=\"kWh\">9.876</td>" in looked.text and ">2026-03-02</td>" in looked.text and state(house) == before
    missing = anna.submit(looked, "confirm", 400)
    assert missing.wrong == {"why": TEXTS["en"]["wrong_missing"]} and missing.values["energy"] == "9.876" and state(house) == before
    why = "bridged <b>by hand</b> & \"more\""
    assert anna.submit(looked, "confirm", 303, why=why).startswith("/ops/exceptions?done=")
    assert house.known("feeder") == wh(950) + 9876
    after = state(house)
    again = anna.submit(looked, "confirm", 422, why=why)  # the button was pressed twice
    assert TEXTS["en"]["refused_decided"] in again.text and state(house) == after
    listed = anna.open("/ops/exceptions?lang=en&done=1")
    assert "bridged &lt;b&gt;by hand&lt;/b&gt; &amp; &quot;more&quot;" in listed.text and "anna &lt;b&gt;" in listed.text and "<b>" not in listed.text
    undo = anna.open(link(listed, "kind=undo"))
    looked = anna.submit(undo, "preview", 200)
    assert state(house) == after
    anna.submit(looked, "confirm", 303, why="a slip of the pen")
    assert house.known("feeder") == wh(950)
    after = state(house)
    assert anna.submit(looked, "confirm", 422, why="a slip of the pen").wrong == {"undo": TEXTS["en"]["refused_undone"]} and state(house) == after


def test_a_replacement_is_one_form_in_the_clocks_and_units_of_the_site(house, anna):
    page = anna.open(link(anna.open("/ops/exceptions?lang=zh"), "kind=replacement", "meter=feeder"))
    assert f"{TEXTS['zh']['field_end']}（kWh）<" in page.text and "（kWh）</option>" in page.text
    filled = {"at": "2026-03-02 18:06", "end": "100404", "start": "12000", "serial": "4711"}
    looked = anna.submit(page, "preview", 200, **filled)
    assert TEXTS["zh"]["effect_heading"] in looked.text and looked.values["serial"] == "4711"
    anna.submit(looked, "confirm", 303, why="工单 17")
    assert house.known("feeder") == wh(960)
    rows = house.query("SELECT kind, from_ms, end_count, start_count, serial, why FROM ledger_decision ORDER BY id DESC LIMIT 1")
    assert rows == [(3, 1772445960000, wh(100_404), wh(12_000), "4711", "工单 17")]


def test_the_report_has_the_decision_and_the_device_that_it_made(house):
    done = report(house.collector.settings, "--site", "s1", "--period", "2026-03-02", "--format", "json", "--language", "en")
    assert done.returncode == 0, done.stderr
    tables = {table["id"]: table["rows"] for table in json.loads(done.stdout)["tables"]}
    devices = [(row["serial"], row["from"], row["until"], row["start_register"], row["end_register"]) for row in tables["devices"] if row["id"] == "feeder"]
    at = "2026-03-02T18:06:00+08:00"
    assert devices == [("1", "2026-01-01T08:00:00+08:00", at, None, wh(100_404)), ("4711", at, None, wh(12_000), None)]
    decisions = [(row["decided"], row["decision_state"], row["who"], row["reason"]) for row in tables["decisions"] if row["id"] == "feeder"]
    assert decisions[0] == ("decided_replacement", "state_in_force", "anna <b>", "工单 17")
    assert ("decided_energy", "state_undone", "anna <b>", "bridged <b>by hand</b> & \"more\"") in decisions


def test_a_register_that_was_set_back(house, anna):
    page = anna.open(link(anna.open("/ops/exceptions?lang=en"), "kind=reset", "meter=counter"))
    wrong = anna.submit(page, "preview", 422, at="2026-03-02 18:00", end="100400", start="1")
    assert wrong.wrong == {"start": TEXTS["en"]["refused_implausible"]} and "there would be an open exception" in wrong.text
    looked = anna.submit(wrong, "preview", 200, start="100385.00")
    anna.submit(looked, "confirm", 303, why="restored from a save")
    assert house.known("counter") == wh(960)


@pytest.mark.parametrize("kind", ["reset", "replacement"])
def test_what_is_not_plausible_is_taken_by_force_where_the_refusal_says_so(house, anna, kind):
    before = state(house)
    page = anna.open(f"/ops/decide?kind={kind}&meter=feeder&lang=en")
    refused = anna.submit(page, "preview", 422, at="2026-03-05 00:00", end="1", start="0")
    assert refused.wrong == {"end": TEXTS["en"]["refused_end"]} and "or force" in refused.text
    anna.submit(refused, "preview", 200, force="on")
    assert state(house) == before


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("kind", "filled", "wrong"), [
    ("replacement", {}, {"meter": "wrong_missing", "at": "wrong_missing", "end": "wrong_missing", "start": "wrong_missing"}),
    ("replacement", {"meter": "nobody", "at": "noon", "end": "1", "start": "2"}, {"meter": "wrong_meter", "at": "wrong_time"}),
    ("replacement", {"meter": "feeder", "at": "2026-02-30 10:00", "end": "1.2345", "start": "x", "ratio": "0/5", "modulus": "-"},
     {"at": "wrong_time", "end": "wrong_quantity", "start": "wrong_quantity", "ratio": "wrong_ratio", "modulus": "wrong_quantity"}),
    ("outlier", {"meter": "feeder", "from": "2026-03-02 18:00", "until": "2026-03-02 17:00"}, {"until": "refused_order"}),
    ("energy", {"meter": "feeder", "from": "2026-03-02 01:00", "until": "2026-03-02 02:00", "energy": "1"}, {"from": "refused_exception"}),
    ("undo", {"undo": "1.5"}, {"undo": "wrong_number"}), ("undo", {"undo": "999"}, {"undo": "refused_no_decision"})])
def test_what_is_wrong_is_said_beside_the_field_in_the_person_s_language(house, anna, lang, kind, filled, wrong):
    before = state(house)
    page = anna.open(f"/ops/decide?kind={kind}&lang={lang}")
    status, _, text = anna.send("POST", page.action, urlencode({**page.values, "why": "x", **filled, "step": "confirm"}))
    assert status in (400, 422) and Page("/ops/decide", text).wrong == {field: TEXTS[lang][key] for field, key in wrong.items()}, text
    assert state(house) == before


def test_a_reading_by_hand_needs_its_own_scope_and_no_more(house):
    bert = Person(house, house.token("bert", "--role", "public", "--scope", "readings"))
    page = bert.open("/ops/reading?lang=en")
    for at, register in (("2026-03-02 08:00", "5"), ("2026-03-03 08:00", "5.960")):
        looked = bert.submit(page, "preview", 200, meter="water", at=at, register=register)
        status, _, _ = bert.send("POST", page.action, urlencode({**looked.values, "why": "round", "step": "confirm"}))
        assert status == 303
    assert house.known("water") == 960
    below = bert.submit(page, "preview", 422, meter="water", at="2026-03-04 08:00", register="5")
    assert below.wrong == {"register": TEXTS["en"]["refused_below"]} and "5960" in below.text
    above = bert.submit(page, "preview", 422, meter="water", at="2026-03-04 08:00", register="500")
    assert above.wrong == {"register": TEXTS["en"]["refused_rate"]} and "or force" in above.text
    bert.submit(above, "preview", 200, force="on")
    assert bert.send("POST", "/ops/decide", "kind=reset")[0] == 403


def test_without_scope_session_or_csrf_nothing_is_taken(house, anna):
    before = state(house)
    guest = Person(house, house.operator)
    page = guest.open("/ops/decide?kind=reset&meter=counter&lang=en")
    assert page.buttons == [] and TEXTS["en"]["needs_decisions"] in page.text
    assert guest.send("POST", "/ops/decide", urlencode(page.values))[0] == 403
    page = anna.open("/ops/decide?kind=energy&meter=feeder&lang=en")
    for values, more in (({**page.values, "csrf": "0" * 64}, {}), ({k: v for k, v in page.values.items() if k != "csrf"}, {}),
                         (page.values, {"Origin": "http://evil.example"}), (page.values, {"Sec-Fetch-Site": "cross-site"})):
        assert anna.send("POST", "/ops/decide", urlencode({**values, "step": "confirm", "why": "x"}), **more)[0] == 403
    assert anna.send("GET", "/ops/decide?kind=reading")[0] == 400 and anna.send("GET", "/ops/decide")[0] == 302
    assert anna.send("POST", "/ops/decide", "a=%zz")[0] == 400
    assert state(house) == before


def test_markup_in_what_was_filled_in_is_text(house, anna):
    page = anna.open("/ops/decide?kind=replacement&lang=en&meter=feeder&serial=%22%3E%3Cscript%3E&at=%3Cb%3E")
    assert page.values["serial"] == '"><script>' and page.values["at"] == "<b>"
    wrong = anna.submit(page, "preview", 400, why='</textarea><script>')
    assert wrong.values["why"] == "</textarea><script>" and not re.search(r"<script", wrong.text)
