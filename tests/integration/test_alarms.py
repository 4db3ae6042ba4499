"""Alarms through the real programs, with a receiver that is local: each kind fires once and clears once, and a kill between changes nothing; a receiver
that is dead and one that hangs cost nothing to the others. What must be said, and when, is written here from config/alarms.cfg and the README."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import json
import os
import re
import signal
import socket
import threading
import time
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from harness.parkmon import new_collector
from harness.process import run, wait_until
from harness.stage import Stage
from publisher import Publisher
from test_decisions import House
from test_ops_forms import TEXTS, Person

ZONE = timezone(timedelta(hours=8))
NOW = datetime.now(ZONE)
# Opening hours that are not now: five hours that begin in eight, or began sixteen ago.
OPENS = (NOW.hour + 8) % 24
CLOSED_NOW = f"{OPENS:02}:00-{OPENS + 1:02}:00"
ALWAYS = """
sites = ({ id = "s1"; name = "x"; name_en = "x"; zone = "Asia/Shanghai"; });
buildings = ({ id = "b1"; name = "x"; name_en = "x"; site = "s1"; });
gateways = ({ id = "gw-a"; name = "甲"; name_en = "A <1>"; site = "s1"; building = "b1"; },
            { id = "gw-b"; name = "乙"; name_en = "B"; site = "s1"; building = "b1"; });
categories = ({ id = "c1"; name = "x"; name_en = "x"; });
"""
SEGMENT = 'segments = ({{ serial = "{0}"; from = "2026-01-01T00:00:00Z"; point = "gw-a/{0}"; resolution = 1; max_rate = 10000000; }});'


def park(limit: str = "0.05") -> str:
    meters = "".join(f'{{ id = "{name}"; name = "表{name}"; name_en = "Meter {name}"; building = "b1"; {more} {SEGMENT.format(name)} }},\n' for name, more in (
        ("main", f'carrier = "electricity"; power = "gw-a/main.p"; balance_limit = "{limit}";'),
        ("part", 'carrier = "electricity"; parent = "main";'), ("tap", 'carrier = "water";')))
    return ALWAYS + f"""
meters = ({meters.rstrip()[:-1]});
instruments = ({{ id = "xrd"; name = "衍射仪"; name_en = "Diffractometer"; building = "b1"; category = "c1"; owner = "o"; owner_en = "o"; owner_code = "9"; contact = "8";
  open = "{CLOSED_NOW}"; power = "gw-a/xrd"; off_w = 10; standby_w = 20; exit_w = 30; enter_w = 40; enter_s = 1; exit_s = 1; off_means = "available"; }});
"""


class Receiver:
    """Takes what is posted, answers as it is told, and keeps it in the order in which it came."""

    def __init__(self, port: int = 0):
        self.posts: list[tuple[float, str, dict]] = []
        self.answer, self.body = 200, {"errcode": 0, "errmsg": "ok"}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if outer.answer == 200:
                    outer.posts.append((time.monotonic(), self.path, said))
                text = json.dumps(outer.body).encode()
                self.send_response(outer.answer)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def told(self, rule: str) -> list[dict]:
        return [said for _, _, said in self.posts if said.get("rule") == rule]

    def events(self, rule: str) -> list[str]:
        """Each message once, by its id: at least once is promised."""
        found = {said["id"]: said["event"] for said in self.told(rule)}
        return list(found.values())

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Hole:
    """Takes connections, and never says a word."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/hang"
        self.taken: list[socket.socket] = []
        threading.Thread(target=self.take, daemon=True).start()

    def take(self) -> None:
        try:
            while True:
                self.taken.append(self.socket.accept()[0])
        except OSError:
            pass

    def close(self) -> None:
        self.socket.close()
        for one in self.taken:
            one.close()


class Alarms(House):
    def __init__(self, stage, written: str, rules: str, receivers: str, more: str = ""):
        self.rules_file = stage.folder / "alarms.cfg"
        self.write(rules, receivers, more)
        self.broker = stage.broker("gw-a")
        self.influx = stage.influx()
        self.park = stage.folder / "park.cfg"
        self.park.write_text(written)
        self.collector = stage.add(new_collector(stage.folder / "collector", self.broker, self.influx, self.park,
                                                 more=f'clock = "trusted"; alarms = "{self.rules_file}";'))
        self.database = stage.folder / "collector/collector.db"
        self.seq = 0

    def write(self, rules: str, receivers: str, more: str = "") -> None:
        new = self.rules_file.with_suffix(".new")
        new.write_text(f"{more}\nrules = (\n{rules}\n);\nreceivers = (\n{receivers}\n);\n")
        new.replace(self.rules_file)

    def reload(self, *arguments: str) -> None:
        self.write(*arguments)
        os.kill(self.collector.pid, signal.SIGHUP)

    def begin(self) -> None:
        self.start()
        self.agent = Publisher(self.broker, "gw-a")
        self.operator = self.token("operator", "--role", "operator")
        self.auditor = self.token("auditor", "--role", "auditor")
        self.anna = self.token("anna <b>", "--role", "operator", "--scope", "alarms")

    def send(self, *lines: str, more: str = "") -> None:
        self.seq += 1
        self.agent.send(self.seq, list(lines), more=more)
        self.agent.wait_ack(self.seq)

    def gauge(self, point: str, value: float) -> None:
        self.send(f"gauge,point={point} value={value} {int(time.time() * 1000)}")

    def state(self, clock: str) -> None:
        self.agent.mqtt.publish("park/v1/gw/gw-a/state", json.dumps({"state": "online", "since": 1, "version": "1", "clock": clock, "points": {}}).encode())
        self.agent.mqtt.flush()

    def listed(self, query: str = "") -> list[dict]:
        status, found = self.ask("GET", f"/api/v1/alarms{query}", self.operator)
        assert status == 200, found
        return found["alarms"]

    def of(self, rule: str) -> list[dict]:
        return [one for one in self.listed() if one["rule"] == rule]

    def wait_standing(self, rule: str, is_standing: bool, seconds: float = 30.0) -> dict:
        def found():
            return next((one for one in self.of(rule) if (one["state"] == "standing") == is_standing), None)
        return wait_until(found, seconds, f"{rule} {'stands' if is_standing else 'is over'}: {self.of(rule)}")

    def wait_standing_none(self, rule: str) -> None:
        wait_until(lambda: all(one["state"] == "cleared" for one in self.of(rule)), 30, f"no alarm of {rule} stands")


def wait_events(receiver: Receiver, rule: str, events: list[str], seconds: float = 30.0) -> list[dict]:
    wait_until(lambda: receiver.events(rule) == events, seconds, f"{rule}: {events}")
    return receiver.told(rule)


def hook(receiver, name: str = "duty", seconds: int = 2) -> str:
    return f'{{ id = "{name}"; kind = "webhook"; url = "{receiver.url}"; language = "en"; timeout = {seconds}; }}'


# ---- what is live ----

LIVE = """
  { id = "power"; kind = "threshold"; severity = "critical"; on = ("meter:main"); above = "300000"; clear = "250000.5"; },
  { id = "cold"; kind = "threshold"; on = ("point:gw-a/freezer"); below = "-70"; clear = "-65"; for = 2; },
  { id = "silent"; kind = "no_data"; on = ("point:gw-a/beat"); for = 3; },
  { id = "quiet"; kind = "no_data"; on = ("gateway:gw-b"); for = 2; },
  { id = "lost"; kind = "loss"; on = ("gateway:gw-a"); clear_for = 4; },
  { id = "time"; kind = "clock"; on = ("gateway:gw-a"); for = 0; clear_for = 0; },
  { id = "left"; kind = "left_running"; on = ("instrument:xrd"); when = "closed"; for = 0; clear_for = 0; }
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("alarms")) as stage:
        receiver = Receiver()
        found = Alarms(stage, park(), LIVE, hook(receiver), "repeat = 3600;")
        found.receiver = receiver
        found.begin()
        yield found
        receiver.close()


def test_power_beyond_its_limit_fires_once_and_clears_once_with_a_kill_between(live):
    live.gauge("main.p", 299_999)
    live.gauge("main.p", 300_250.5)
    fired = live.wait_standing("power", True)
    said, = wait_events(live.receiver, "power", ["fired"])
    assert {key: said[key] for key in ("event", "number", "collector", "alarm", "kind", "severity", "target", "value", "limit", "unit", "cleared")} == {
        "event": "fired", "number": 1, "collector": "main", "alarm": fired["id"], "kind": "threshold", "severity": "critical",
        "target": {"kind": "meter", "id": "main", "name": "表main", "name_en": "Meter main"}, "value": 300250.5, "limit": 300000.0, "unit": "W", "cleared": None}
    assert "[critical] Alarm: Beyond its limit · meter Meter main (main) · value 300250.5 W · limit 300000 W · since " in said["text"]
    assert said["fired"] == fired["fired"] and said["fired"].endswith("+08:00")
    live.collector.kill()
    live.start()
    live.gauge("main.p", 280_000)  # between the limits: it stands
    live.gauge("main.p", 310_000)
    live.gauge("main.p", 250_000)
    cleared = live.wait_standing("power", False)
    told = wait_events(live.receiver, "power", ["fired", "cleared"])
    assert len(live.of("power")) == 1 and cleared["id"] == fired["id"] and cleared["fired"] == fired["fired"]
    assert told[-1]["cleared"] == cleared["cleared"] and "[critical] Cleared: Beyond its limit" in told[-1]["text"]
    live.collector.kill()
    live.start()
    live.gauge("main.p", 310_000)
    second = live.wait_standing("power", True)
    assert second["id"] > fired["id"]
    wait_events(live.receiver, "power", ["fired", "cleared", "fired"])
    live.gauge("main.p", 1)
    wait_events(live.receiver, "power", ["fired", "cleared", "fired", "cleared"])


def test_a_gauge_below_its_limit_fires_when_it_has_lasted(live):
    live.gauge("freezer", -71)
    live.gauge("freezer", -60)  # it did not last
    live.gauge("freezer", -71.25)
    begun = time.time()
    fired = live.wait_standing("cold", True)
    assert datetime.fromisoformat(fired["fired"]).timestamp() - begun > 1.0 and fired["value"] == -71.25 and fired["below"] and fired["unit"] == ""
    live.gauge("freezer", -64.5)
    live.wait_standing("cold", False)
    assert len(live.of("cold")) == 1
    wait_events(live.receiver, "cold", ["fired", "cleared"])


def test_a_point_that_falls_silent_fires_and_clears_when_it_is_heard(live):
    live.gauge("beat", 1)
    fired = live.wait_standing("silent", True)
    assert datetime.fromisoformat(fired["fired"]) - datetime.fromisoformat(fired["since"]) >= timedelta(seconds=3)
    live.collector.kill()
    live.start()
    assert live.wait_standing("silent", True)["id"] == fired["id"]  # nobody knows yet: it neither clears nor fires
    live.gauge("beat", 2)
    live.wait_standing("silent", False)
    wait_until(lambda: live.receiver.events("silent")[:2] == ["fired", "cleared"], 20, "both are told")
    # It falls silent again: another alarm.
    assert live.wait_standing("silent", True)["id"] != fired["id"]


def test_a_gateway_of_which_nothing_was_ever_heard_fires(live):
    fired = live.wait_standing("quiet", True)
    assert fired["value"] is None and fired["target"] == {"kind": "gateway", "id": "gw-b", "name": "乙", "name_en": "B"}


def test_a_loss_fires_and_clears_when_no_other_follows(live):
    live.send(f"gauge,point=x value=1 {int(time.time() * 1000)}", more=f" dropped=3 from={int(time.time() * 1000) - 9000} to={int(time.time() * 1000) - 8000}")
    assert live.wait_standing("lost", True)["value"] == 1.0
    live.wait_standing("lost", False)
    wait_events(live.receiver, "lost", ["fired", "cleared"])


def test_a_gateways_clock_fires_and_clears(live):
    live.state("synchronised")
    live.state("unsynchronised")
    live.wait_standing("time", True)
    live.state("synchronised")
    live.wait_standing("time", False)
    wait_events(live.receiver, "time", ["fired", "cleared"])


def test_an_instrument_that_runs_after_hours_fires_and_clears(live):
    def reads(watts: float, is_standing: bool) -> bool:
        live.gauge("xrd", watts)
        return any((one["state"] == "standing") == is_standing for one in live.of("left"))
    # Readings as a meter's would come, until it is so.
    wait_until(lambda: reads(500, True), 30, "it is left running", 0.5)
    wait_until(lambda: reads(0, False), 30, "it is not any more", 0.5)
    assert len(live.of("left")) == 1
    wait_events(live.receiver, "left", ["fired", "cleared"])


# ---- what people do ----

def test_an_alarm_is_acknowledged_once_and_logged(live):
    live.gauge("main.p", 400_000)
    alarm = live.wait_standing("power", True)
    before = live.ask("GET", "/api/v1/summary", live.operator)[1]["alarms"]
    status, said = live.ask("POST", f"/api/v1/alarms/{alarm['id']}/ack", live.anna, {"note": "on my way <b>"})
    assert status == 200 and (said["alarm"]["acked_by"], said["alarm"]["ack_note"], said["alarm"]["state"]) == ("anna <b>", "on my way <b>", "standing")
    change = live.ask("GET", "/api/v1/changes", live.auditor)[1]["changes"][0]
    assert (change["action"], change["who"], change["object"], change["note"]) == (
        "alarm ack", "anna <b>", f"alarm {alarm['id']}, rule power, meter main", "on my way <b>")
    after = live.ask("GET", "/api/v1/summary", live.operator)[1]["alarms"]
    assert after["standing"] == before["standing"] and after["unacked"] == before["unacked"] - 1
    assert after["standing"] == len(live.listed("?state=standing")) and after["critical"] == 1
    status, said = live.ask("POST", f"/api/v1/alarms/{alarm['id']}/ack", live.anna, {})
    assert status == 422 and "was acknowledged at" in said["error"]["message"]
    live.gauge("main.p", 1)
    wait_until(lambda: live.listed("?state=standing") == [one for one in live.listed() if one["state"] == "standing" and one["id"] != alarm["id"]], 20, "it is over")
    status, said = live.ask("POST", f"/api/v1/alarms/{alarm['id']}/ack", live.anna, {})
    assert status == 422 and "is over since" in said["error"]["message"]


@pytest.mark.parametrize(("path", "body", "code", "words"), [
    ("/api/v1/alarms/999999/ack", {}, 404, "there is no alarm 999999"), ("/api/v1/alarms/x1/ack", {}, 404, "there is no alarm x1"),
    ("/api/v1/alarms/1/ack", {"why": "x"}, 400, "why: unknown here"), ("/api/v1/alarms/1/ack", {"note": 3}, 400, "note: expected a text"),
    ("/api/v1/alarms/1/ack", {"note": "x" * 501}, 400, "note: expected at most 500 bytes"),
    ("/api/v1/alarms/1/ack", {"note": "a\nb"}, 400, "without control characters")])
def test_what_is_wrong_with_an_acknowledgement_is_said_and_changes_nothing(live, path, body, code, words):
    live.wait_standing("quiet", True)
    before = live.query("SELECT * FROM alarm WHERE acked_ms IS NOT NULL"), live.query("SELECT * FROM change_log")
    status, said = live.ask("POST", path, live.anna, body)
    assert status == code and words in said["error"]["message"]
    assert (live.query("SELECT * FROM alarm WHERE acked_ms IS NOT NULL"), live.query("SELECT * FROM change_log")) == before


@pytest.mark.parametrize(("query", "words"), [("?state=open", 'state: unknown value "open"'), ("?limit=0", "limit"), ("?limit=1001", "limit"), ("?before=0", "before"),
                                              ("?colour=red", "colour")])
def test_a_bad_parameter_is_refused(live, query, words):
    status, said = live.ask("GET", f"/api/v1/alarms{query}", live.operator)
    assert status == 400 and words in said["error"]["message"]


def test_the_list_is_paged_from_the_newest(live):
    live.wait_standing("quiet", True)
    every = live.listed()
    assert [one["id"] for one in every] == sorted((one["id"] for one in every), reverse=True)
    found, query = [], "?limit=1"
    while True:
        page = live.ask("GET", f"/api/v1/alarms{query}", live.operator)[1]
        found += page["alarms"]
        if page["next_before"] is None:
            break
        query = f"?limit=1&before={page['next_before']}"
    assert found == every


def test_the_page_shows_what_stands_and_takes_an_acknowledgement(live):
    live.gauge("main.p", 500_000)
    alarm = live.wait_standing("power", True)
    for lang, words in (("en", ("Beyond its limit", "Meter main", "500000 W", "critical", "No data", "B")), ("zh", ("越限", "表main", "500000 W", "严重", "长时间无数据", "乙"))):
        person = Person(live, live.anna)
        status, _, text = person.send("GET", f"/ops/alarms?lang={lang}")
        assert status == 200 and all(word in text for word in words), text
        assert TEXTS[lang]["alarms_standing"] in text
    csrf = re.search(r'name="csrf" value="([^"]+)"', text)[1]
    status, _, text = person.send("POST", "/ops/alarms", urlencode({"csrf": "wrong", "lang": "en", "id": alarm["id"], "note": "x"}))
    assert status == 403
    status, headers, _ = person.send("POST", "/ops/alarms", urlencode({"csrf": csrf, "lang": "en", "id": alarm["id"], "note": "seen <i>"}))
    assert status == 303 and headers["Location"] == f"/ops/alarms?done={alarm['id']}&lang=en"
    assert live.wait_standing("power", True)["ack_note"] == "seen <i>"
    status, _, text = person.send("GET", headers["Location"])
    assert status == 200 and "seen &lt;i&gt;" in text and "seen <i>" not in text and f"{TEXTS['en']['alarm_done']} {alarm['id']}" in text
    status, _, text = person.send("POST", "/ops/alarms", urlencode({"csrf": csrf, "lang": "en", "id": alarm["id"], "note": "x"}))
    assert status == 422 and TEXTS["en"]["alarm_refused"] in text
    live.gauge("main.p", 1)
    live.wait_standing("power", False)
    status, _, text = Person(live, live.operator).send("GET", "/ops/alarms?lang=en")  # has not the scope
    assert status == 200 and TEXTS["en"]["needs_alarms"] in text and 'action="/ops/alarms"' not in text


# ---- nights, days, disks ----

BOOKS = """
  {{ id = "base"; kind = "base_load"; on = ("meter:main"); night = "00:00-02:00"; above = "{base}"; }},
  {{ id = "water"; kind = "water"; on = ("meter:*"); night = "00:00-02:00"; above = "{water}"; }},
  {{ id = "gap"; kind = "balance"; clear = 90; }},
  {{ id = "full"; kind = "disk"; above = {full}; clear = {full}; for = 0; clear_for = 0; }}
"""


def test_nights_days_and_disks_fire_once_and_clear_once(stage):
    """The night and the day before now: main draws 4 kWh a quarter hour, part 1 kWh, and water runs at 30 L in the lowest quarter hour."""
    receiver = Receiver()
    house = Alarms(stage, park(), BOOKS.format(base=15_999, water=29, full=1), hook(receiver), "repeat = 3600;")
    house.begin()
    end = int(time.time()) // 900 * 900
    first = end - 60 * 3600
    lines = {name: [] for name in ("main", "part", "tap")}
    counts = dict.fromkeys(lines, 1_000_000)
    for at in range(first, end + 1, 900):
        for name in lines:
            lines[name].append(f"register,point={name} value={counts[name]}i {at * 1000}")
        counts["main"] += 4000
        counts["part"] += 1000
        counts["tap"] += 30 if datetime.fromtimestamp(at, ZONE).hour == 1 else 45
    house.send(*(line for each in lines.values() for line in each))
    assert house.wait_standing("base", True)["value"] == 16000.0
    assert house.wait_standing("water", True)["value"] == 30.0
    assert house.wait_standing("gap", True)["value"] == 1500.0  # 75 % of what main drew, where 5 % are allowed
    house.wait_standing("full", True)
    house.collector.kill()
    house.start()
    assert sorted(one["rule"] for one in house.listed()) == ["base", "full", "gap", "water"]
    # Limits that the same night, day and disk keep.
    house.park.write_text(park("0.9"))
    status = house.command("decide", "model", "--who", "x", "--why", "x")
    house.reload(BOOKS.format(base=16_000, water=30, full=99), hook(receiver), "repeat = 3600;")
    for rule in ("base", "water", "full"):
        house.wait_standing(rule, False)
    house.wait_standing("gap", False)
    assert status.returncode in (0, 1), status.stderr
    for rule in ("base", "water", "gap", "full"):
        wait_events(receiver, rule, ["fired", "cleared"])
        assert len(house.of(rule)) == 1
    receiver.close()


# ---- who is told ----

def test_what_stands_is_told_again_at_growing_intervals_until_somebody_takes_note(stage):
    receiver = Receiver()
    house = Alarms(stage, park(), '{ id = "power"; kind = "threshold"; on = ("meter:main"); above = "1000"; }', hook(receiver), "repeat = 1; repeat_max = 3;")
    house.begin()
    house.gauge("main.p", 2000)
    wait_until(lambda: len(receiver.told("power")) >= 5, 40, "five messages")
    times = [at for at, _, _ in receiver.posts][:5]
    gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert gaps[0] >= 0.9 and gaps[1] >= 1.9 and gaps[2] >= 2.9 and gaps[3] >= 2.9  # 1, 2, then at most 3
    assert [said["number"] for said in receiver.told("power")][:5] == [1, 2, 3, 4, 5]
    assert receiver.events("power")[:3] == ["fired", "standing", "standing"]
    alarm = house.wait_standing("power", True)
    assert house.ask("POST", f"/api/v1/alarms/{alarm['id']}/ack", house.anna, {})[0] == 200
    house.gauge("main.p", 2000)
    count = len(receiver.posts)  # one may have been under way
    house.gauge("main.p", 0)
    wait_until(lambda: receiver.events("power")[-1] == "cleared", 20, "one line on recovery")
    assert len(receiver.posts) <= count + 2 and receiver.events("power").count("cleared") == 1
    receiver.close()


def test_receivers_that_are_dead_or_hang_cost_nothing_to_others_nor_to_the_core(stage):
    duty, failing, hole = Receiver(), Receiver(), Hole()
    dead = Receiver()
    port = dead.port
    dead.close()
    failing.answer = 500
    receivers = ", ".join([hook(hole, "hole", 60), hook(dead, "dead"), hook(failing, "failing"), hook(duty)])
    house = Alarms(stage, park(), '{ id = "power"; kind = "threshold"; on = ("meter:main"); above = "1000"; }', receivers, "repeat = 3600;")
    house.begin()
    for round_ in range(3):
        for watts, event in ((2000, "fired"), (0, "cleared")):
            begun = time.monotonic()
            house.gauge("main.p", watts)
            wait_until(lambda event=event, round_=round_: duty.events("power").count(event) == round_ + 1, 10, f"{event} is told")
            assert time.monotonic() - begun < 8
    assert failing.posts == [] and hole.taken
    assert "receiver dead did not take a message" in house.collector.log() and "receiver failing did not take a message" in house.collector.log()
    # Whoever comes back is told what he missed: that it fired, or is over.
    failing.answer = 200
    back = Receiver(port)
    wait_until(lambda: back.events("power").count("cleared") == 3 and failing.events("power").count("cleared") == 3, 60, "they are told")
    begun = time.monotonic()
    house.collector.stop()
    assert time.monotonic() - begun < 10
    for one in (duty, failing, hole, back):
        one.close()


def test_robots_are_told_with_their_secrets_from_files_which_are_nowhere_else(stage):
    ding, wecom = Receiver(), Receiver()
    secrets = {"ding.url": f"http://127.0.0.1:{ding.port}/robot/send?access_token=tok123secret", "ding.key": "SECkey456secret",
               "wecom.url": f"http://127.0.0.1:{wecom.port}/cgi-bin/webhook/send?key=key789secret"}
    for name, text in secrets.items():
        (stage.folder / name).write_text(text + "\n")
        (stage.folder / name).chmod(0o600)
    receivers = f"""{{ id = "ding"; kind = "dingtalk"; url_file = "{stage.folder}/ding.url"; secret_file = "{stage.folder}/ding.key"; }},
                    {{ id = "wecom"; kind = "wecom"; url_file = "{stage.folder}/wecom.url"; language = "en"; }}"""
    house = Alarms(stage, park(), '{ id = "power"; kind = "threshold"; on = ("meter:main"); above = "1000"; }', receivers, "repeat = 3600;")
    wecom.body = {"errcode": 45009, "errmsg": "api freq out of limit"}
    house.begin()
    house.gauge("main.p", 2000)
    wait_until(lambda: ding.posts and wecom.posts, 20, "both are told")
    _, path, said = ding.posts[0]
    query = {name: values[0] for name, values in parse_qs(urlsplit(path).query, strict_parsing=True).items()}
    expected = base64.b64encode(hmac.new(b"SECkey456secret", f"{query['timestamp']}\nSECkey456secret".encode(), hashlib.sha256).digest()).decode()
    assert urlsplit(path).path == "/robot/send" and query["access_token"] == "tok123secret" and query["sign"] == expected
    assert abs(int(query["timestamp"]) / 1000 - time.time()) < 60
    assert said["msgtype"] == "text" and said["text"]["content"].startswith("【警告】告警：越限 · 计量表 表main (main) · 数值 2000 W · 限值 1000 W")
    # A robot that says no with 200 has not taken it: the same again.
    wait_until(lambda: "errcode 45009" in house.collector.log(), 20, "the refusal is told")
    wecom.body = {"errcode": 0, "errmsg": "ok"}
    wait_until(lambda: len(wecom.posts) >= 2, 40, "it is tried again")
    assert wecom.posts[0][1] == "/cgi-bin/webhook/send?key=key789secret" and wecom.posts[0][2] == wecom.posts[1][2]
    status, found = house.ask("GET", "/api/v1/alarms", house.operator)
    assert status == 200
    for text in (house.collector.log(), json.dumps(found), house.collector.get("/metrics")[1], house.collector.get("/readyz")[1]):
        assert not any(secret in text for secret in ("tok123secret", "SECkey456secret", "key789secret"))
    ding.close()
    wecom.close()


def test_mail_goes_through_sendmail_without_a_shell(stage):
    box, program = stage.folder / "box", stage.folder / "send mail; touch evil"
    box.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > "{box}/arguments"\ncat > "{box}/mail.$$"\nmv "{box}/mail.$$" "{box}/mail-$$"\n')
    program.chmod(0o755)
    receivers = f'{{ id = "mail"; kind = "mail"; to = ("duty@park.example", "boss@park.example"); from = "parkmon@park.example"; sendmail = "{program}"; }}'
    house = Alarms(stage, park(), '{ id = "power"; kind = "threshold"; on = ("meter:main"); above = "1000"; }', receivers, "repeat = 3600;")
    house.begin()
    house.gauge("main.p", 2000)
    path, = wait_until(lambda: list(box.glob("mail-*")), 20, "a mail")
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert mail["To"] == "duty@park.example, boss@park.example" and mail["From"] == "parkmon@park.example" and mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_content().strip()
    assert mail["Subject"] == text and text.startswith("【警告】告警：越限 · 计量表 表main (main)")
    assert (box / "arguments").read_text() == "-t|-i|" and not list(stage.folder.rglob("evil"))
    house.gauge("main.p", 0)
    wait_until(lambda: len(list(box.glob("mail-*"))) == 2, 20, "the recovery")


# ---- the file ----

def test_mistakes_are_told_with_file_line_and_key_and_a_reload_with_one_changes_nothing(stage):
    receiver = Receiver()
    rules = '{ id = "power"; kind = "threshold"; on = ("meter:main"); above = "1000"; }'
    house = Alarms(stage, park(), rules, hook(receiver), "repeat = 3600;")
    checked = run([house.collector.program, "--config", house.collector.settings, "--check"])
    assert checked.returncode == 0 and f"{house.rules_file}: good" in checked.stdout
    house.begin()
    house.gauge("main.p", 2000)
    house.wait_standing("power", True)
    house.reload('{ id = "power"; kind = "threshold"; on = ("meter:none"); above = "1000"; }', hook(receiver))
    line = 'rules[0].on: "meter:none" is not in the park model; expected the id of a meter'
    wait_until(lambda: line in house.collector.log() and "everything stays as it is" in house.collector.log(), 20, "the mistake is told")
    checked = run([house.collector.program, "--config", house.collector.settings, "--check"])
    assert checked.returncode == 78 and f"{house.rules_file}:3: {line}" in checked.stderr
    assert house.wait_standing("power", True)["state"] == "standing"
    # A rule that is no more: what it fired is over, and says why.
    house.reload(rules.replace('"power"', '"other"'), hook(receiver), "repeat = 3600;")
    assert house.wait_standing("power", False)["gone"] is True
    house.wait_standing("other", True)
    wait_events(receiver, "power", ["fired", "cleared"])
    # Who is new is told of what stands.
    second = Receiver()
    house.reload(rules.replace('"power"', '"other"'), hook(receiver) + "," + hook(second, "second"), "repeat = 3600;")
    wait_events(second, "other", ["fired"])
    assert receiver.events("other") == ["fired"]
    receiver.close()
    second.close()
