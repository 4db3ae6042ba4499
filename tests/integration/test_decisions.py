"""What persons decide of meters, through the real collector: previewed, taken, listed, undone, over HTTP and by the command, with a kill between.

Rows 7 and 12 of the table of faults: an unlogged replacement, and a counter that was set back. What must come out is typed from that table.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pwd
import sqlite3
import sys
from contextlib import closing

import pytest
from harness.parkmon import new_collector
from harness.process import run, wait_until
from harness.servers import SOURCE
from harness.stage import Stage
from publisher import Publisher

sys.path.insert(0, str(SOURCE / "tests"))

from oracle.faults import BY_ROW, DAY, DAY_MS, ms, wh  # noqa: E402

PARK = """
sites = ({ id = "s1"; name = "x"; name_en = "x"; zone = "Asia/Shanghai"; });
buildings = ({ id = "b1"; name = "x"; name_en = "x"; site = "s1"; });
gateways = ({ id = "gw-a"; name = "x"; name_en = "x"; site = "s1"; building = "b1"; });
meters = (
  { id = "feeder"; name = "x"; name_en = "x"; building = "b1"; carrier = "electricity";
    segments = ({ serial = "1"; from = "2026-01-01T00:00:00Z"; point = "gw-a/r7"; resolution = 10; max_rate = 100000; }); },
  { id = "counter"; name = "x"; name_en = "x"; building = "b1"; carrier = "electricity";
    segments = ({ serial = "2"; from = "2026-01-01T00:00:00Z"; point = "gw-a/r12"; resolution = 10; max_rate = 100000; }); },
  { id = "water"; name = "x"; name_en = "x"; building = "b1"; carrier = "water"; profile = false;
    segments = ({ serial = "3"; from = "2026-01-01T00:00:00Z"; max_rate = 1000; }); });
"""
FEEDER = {"meter": "feeder", "from": "2026-03-02T10:00:00Z", "until": "2026-03-02T10:15:00Z", "why": "bridged by hand"}
ENERGY = {**FEEDER, "kind": "energy", "energy": 9876}
REPLACEMENT = {"meter": "feeder", "kind": "replacement", "at": "2026-03-02T10:06:00Z", "end": wh(100_404), "start": wh(12_000), "serial": "4711",
               "why": "protocol 17"}


class House:
    def __init__(self, stage, written: str = PARK):
        self.broker = stage.broker("gw-a")
        self.influx = stage.influx()
        park = stage.folder / "park.cfg"
        park.write_text(written)
        self.collector = stage.add(new_collector(stage.folder / "collector", self.broker, self.influx, park))
        self.database = stage.folder / "collector/collector.db"

    def start(self) -> None:
        self.collector.start()
        wait_until(lambda: "\nparkmon_broker_connected 1\n" in self.collector.get("/metrics")[1], 20, "the collector is connected")

    def query(self, sql: str) -> list[tuple]:
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()

    def publish(self) -> None:
        agent = Publisher(self.broker, "gw-a")
        for seq, row in enumerate(("7", "12"), 1):
            agent.send(seq, [f"register,point=r{row} value={count}i {time_ms}" for time_ms, count in BY_ROW[row].readings()])
        agent.wait_ack(2)
        agent.close()
        wait_until(lambda: self.query("SELECT position >= (SELECT max(id) FROM journal) FROM cursor WHERE name = 'ledger'") == [(1,)], 30,
                   "the ledger has folded the journal")

    def command(self, *words: str):
        return run([self.collector.program, *words[:2], "--config", self.collector.settings, *words[2:]])

    def token(self, name: str, *more: str) -> str:
        done = self.command("token", "add", "--name", name, *more)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def ask(self, method: str, path: str, token: str, body=None, kind: str = "application/json", **headers: str):
        connection = http.client.HTTPConnection("127.0.0.1", self.collector.port, timeout=30)
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # what is too large is refused before all of it is sent
            connection.request(method, path, text, {"Authorization": f"Bearer {token}", **({"Content-Type": kind} if text is not None else {}), **headers})
        answer = connection.getresponse()
        found = json.loads(answer.read())
        connection.close()
        return answer.status, found

    def known(self, meter: str) -> int:
        return self.query("SELECT coalesce(sum(amount), 0) FROM ledger_quarter AS q JOIN ledger_meter ON id = meter WHERE name = '" + meter + "' AND version ="
                          " (SELECT max(version) FROM ledger_quarter WHERE meter = q.meter AND start_ms = q.start_ms)"
                          f" AND start_ms >= {DAY} AND start_ms < {DAY + DAY_MS}")[0][0]

    def tables(self) -> dict[str, list]:
        names = self.query(r"SELECT name FROM sqlite_master WHERE type = 'table' AND (name LIKE 'ledger\_%' ESCAPE '\' OR name = 'change_log')")
        return {name: self.query(f"SELECT * FROM {name}") for name, in names}

    def exceptions(self, token: str) -> list[tuple]:
        return [(one["meter"], one["from"], one["until"]) for one in self.ask("GET", "/api/v1/exceptions", token)[1]["exceptions"]]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("decisions")) as stage:
        found = House(stage)
        found.start()
        found.publish()
        found.auditor = found.token("auditor", "--role", "auditor")
        found.operator = found.token("operator", "--role", "operator")
        found.decider = found.token("anna", "--role", "operator", "--scope", "decisions")
        found.reader = found.token("bert", "--role", "public", "--scope", "readings")
        yield found


def test_a_preview_says_what_would_change_and_changes_nothing(house):
    before = house.tables()
    status, answer = house.ask("POST", "/api/v1/decisions?preview=1", house.decider, ENERGY)
    assert status == 200, answer
    assert answer == {
        "decision": None, "preview": True, "meter": "feeder", "quarter_count": 1, "closed_count": 0,
        "quarters": [{"start": "2026-03-02T18:00:00.000+08:00", "before": {"amount": None, "quality": "unknown"},
                      "after": {"amount": 9876, "quality": "manual"}}],
        "days": [{"day": "2026-03-02", "quarters": 1, "before": {"known": 0, "unknown_s": 900}, "after": {"known": 9876, "unknown_s": 0}}],
        "events": [{"kind": "open_exception", "change": "withdrawn", "from": "2026-03-02T18:00:00.000+08:00", "until": "2026-03-02T18:15:00.000+08:00"},
                   {"kind": "stated", "change": "opened", "from": "2026-03-02T18:00:00.000+08:00", "until": "2026-03-02T18:15:00.000+08:00"}]}
    assert house.tables() == before


def test_a_decision_is_taken_listed_and_undone(house):
    was_open = house.exceptions(house.operator)
    assert [meter for meter, _, _ in was_open].count("feeder") == 1 and house.known("feeder") == wh(950)
    status, taken = house.ask("POST", "/api/v1/decisions", house.decider, ENERGY)
    assert status == 201 and taken["decision"] > 0
    assert house.known("feeder") == wh(950) + 9876
    assert [meter for meter, _, _ in house.exceptions(house.operator)] == ["counter"]
    wait_until(lambda: [row["quality"] for row in house.influx.rows(f"SELECT * FROM energy WHERE meter = 'feeder' AND time = {ms(600)}ms")] == ["manual"], 30,
               "the store has what was decided")
    listed = house.ask("GET", "/api/v1/decisions", house.auditor)[1]["decisions"][0]
    assert {key: listed[key] for key in ("id", "meter", "kind", "state", "energy", "who", "why", "undone_by")} == {
        "id": taken["decision"], "meter": "feeder", "kind": "energy", "state": "in_force", "energy": 9876, "who": "anna", "why": "bridged by hand",
        "undone_by": None}
    changes = house.ask("GET", "/api/v1/changes", house.auditor)[1]["changes"]
    assert [(one["who"], one["action"]) for one in changes][:2] == [("anna", "decide energy"), (changes[1]["who"], "token add")]
    status, undone = house.ask("POST", "/api/v1/decisions", house.decider, {"kind": "undo", "undo": taken["decision"], "why": "a slip of the pen"})
    assert status == 201, undone
    assert house.exceptions(house.operator) == was_open and house.known("feeder") == wh(950)
    assert [one["state"] for one in house.ask("GET", "/api/v1/decisions", house.auditor)[1]["decisions"]][:2] == ["done", "undone"]


def test_a_replacement_and_a_reset_are_one_request_each_and_outlive_a_kill(house):
    reset = {"meter": "counter", "kind": "reset", "at": "2026-03-02T10:00:00Z", "end": wh(100_400), "start": wh(100_385), "why": "restored from a save"}
    for decision in (REPLACEMENT, reset):
        status, answer = house.ask("POST", "/api/v1/decisions", house.decider, decision)
        assert status == 201, answer
    assert house.exceptions(house.operator) == [] and house.known("feeder") == house.known("counter") == wh(960)
    before = house.tables()
    house.collector.kill()
    house.start()
    assert house.tables() == before


def test_a_reading_by_hand(house):
    for at, register in (("2026-03-02T00:00:00Z", 5000), ("2026-03-03T00:00:00Z", 5960)):
        status, answer = house.ask("POST", "/api/v1/readings", house.reader, {"meter": "water", "at": at, "register": register, "why": "round of the caretaker"})
        assert status == 201, answer
    assert answer["quarter_count"] == 96 and house.known("water") == 960
    status, answer = house.ask("POST", "/api/v1/readings", house.reader, {"meter": "water", "at": "2026-03-04T00:00:00Z", "register": 5000, "why": "x"})
    assert (status, answer["error"]["code"]) == (422, "refused")
    assert answer["error"]["message"].startswith("5000 at 2026-03-04T00:00:00.000Z is below the last reading of meter water, 5960")


@pytest.mark.parametrize(("body", "status", "words"), [
    ("{", 400, "the body is no JSON object"), ("[]", 400, "the body is no JSON object"), ('{"why": 1, "why": 2}', 400, "the body is no JSON object"),
    ("{}", 400, "kind is none of"), ({**ENERGY, "kind": "reading"}, 400, "/api/v1/readings"), ({**ENERGY, "joules": 1}, 400, "joules: unknown here"),
    ({**ENERGY, "energy": 1.5}, 400, "energy: expected a text, a whole number"), ({**ENERGY, "from": "yesterday"}, 400, "from: \"yesterday\" is not a time"),
    ({**ENERGY, "why": 5}, 400, "why: expected a text"), ({**ENERGY, "meter": True}, 400, "meter: expected a text"), ({**ENERGY, "from": 1}, 400, "from: expected a text"),
    ({**ENERGY, "why": " "}, 400, "why is not a text"), ({**ENERGY, "serial": "x"}, 400, "serial does not go with energy"),
    ({key: value for key, value in ENERGY.items() if key != "why"}, 400, "why is missing"), (ENERGY, 422, "is about this already"),
    ({**ENERGY, "meter": "nobody"}, 422, "nobody: no meter"), ({"kind": "undo", "undo": 999, "why": "x"}, 422, "there is no decision 999"),
    ('{"why": "' + "x" * 70000 + '"}', 413, "at most 65536 bytes")])
def test_bad_input_is_refused_in_one_sentence_and_changes_nothing(house, body, status, words):
    before = house.tables()
    answered, answer = house.ask("POST", "/api/v1/decisions", house.decider, body)
    assert answered == status and words in answer["error"]["message"], answer
    assert house.tables() == before


def test_only_json_of_a_program_or_our_own_page_is_taken(house):
    assert house.ask("POST", "/api/v1/decisions", house.decider, "kind=undo", "application/x-www-form-urlencoded")[0] == 415
    status, answer = house.ask("POST", "/api/v1/decisions", house.decider, ENERGY, Origin="http://evil.example")
    assert (status, answer["error"]["code"]) == (403, "cross_site")
    assert house.ask("POST", "/api/v1/decisions", house.reader, ENERGY)[0] == 403
    assert house.ask("POST", "/api/v1/readings", house.decider, {})[0] == 403


def test_the_command_decides_where_no_collector_runs(house):
    undo = ("decide", "undo", "3", "--why", "to be entered again")
    beside = house.command(*undo, "--preview", "--who", "Carla")
    assert beside.returncode == 0 and "2026-03-02T10:00:00.000Z  10000 measured -> unknown" in beside.stdout, beside.stderr
    listed = house.command("decide", "list")
    assert listed.returncode == 0 and "3  replacement  feeder  anna: protocol 17" in listed.stdout
    house.collector.stop()
    before = house.tables()
    preview = house.command(*undo, "--preview")
    assert preview.returncode == 0, preview.stderr
    assert "2026-03-02T10:00:00.000Z  10000 measured -> unknown" in preview.stdout and "preview: nothing was changed" in preview.stdout
    assert preview.stdout == beside.stdout
    assert house.tables() == before
    done = house.command(*undo)
    assert done.returncode == 0 and "1 quarter hours of meter feeder: known 10000 -> 0, unknown 0 s -> 900 s" in done.stdout, done.stderr
    assert house.known("feeder") == wh(950)
    again = house.command("decide", "replacement", "--meter", "feeder", "--at", "2026-03-02T18:06:00+08:00", "--end", str(wh(100_404)),
                          "--start", str(wh(12_000)), "--serial", "4711", "--why", "protocol 17", "--who", "Carla")
    assert again.returncode == 0, again.stderr
    assert house.known("feeder") == wh(960) and "Carla (user " in house.command("decide", "list").stdout
    missing = house.command("decide", "energy", "--meter", "feeder", "--why", "x")
    assert missing.returncode == 64 and missing.stderr == "park-collector: from is missing; expected with energy\n"
    for words in (("--meter", "feeder"), ("--who", "Dora"), ("--preview",)):
        refused = house.command("decide", "list", *words)
        assert refused.returncode == 64 and "decide list takes --config alone" in refused.stderr, refused.stderr
    refused = house.command("decide", "outlier", "--meter", "feeder", "--from", "2026-03-02T10:01:00Z", "--until", "2026-03-02T10:02:00Z", "--why", "x")
    assert refused.returncode == 65 and "has no reading from" in refused.stderr and "usage" not in refused.stderr
    house.start()
    assert house.known("feeder") == wh(960)


@pytest.mark.parametrize("words", [("decide", "energy", "--energy", "10000", "--energy", "5"), ("decide", "undo", "3", "--why", "x", "--why", "y"),
                                   ("decide", "reading", "--force", "--force"), ("decide", "model", "--why", "x", "--why", "y"),
                                   ("token", "list", "--role", "auditor", "--role", "operator"), ("verify", "--period", "2026-10", "--period", "2026-11")])
def test_an_option_that_is_given_twice_is_refused_by_name(house, words):
    done = run([house.collector.program, *words])
    assert done.returncode == 64 and f"park-collector: given twice: {words[-2] if words[-2][:2] == '--' else words[-1]}\n" in done.stderr, done.stderr


def test_help_of_decide_has_all_that_can_be_decided(house):
    done = run([house.collector.program, "decide", "--help"])
    assert done.returncode == 0
    for kind in ("model", "outlier", "reset", "replacement", "energy", "reading", "undo", "list"):
        assert f"park-collector decide {kind} " in done.stdout


def test_what_would_be_shown_in_another_order_than_it_is_kept_is_refused(house):
    status, answer = house.ask("POST", "/api/v1/decisions", house.decider, {**REPLACEMENT, "serial": "4711\u202e1174"})
    assert status == 400 and "serial is not a text" in answer["error"]["message"]


def test_beside_a_running_collector_the_command_decides_through_it(house):
    user = pwd.getpwuid(os.getuid()).pw_name
    socket = house.database.with_name("collector.db.socket")
    assert socket.stat().st_mode & 0o777 == 0o600
    undo = ("decide", "undo", str(max(house.query("SELECT id FROM ledger_decision"))[0]), "--why", "to be entered again")
    done = house.command(*undo)
    assert done.returncode == 0 and "1 quarter hours of meter feeder: known 10000 -> 0, unknown 0 s -> 900 s" in done.stdout, done.stderr
    assert house.known("feeder") == wh(950)
    again = house.command("decide", "energy", "--meter", "feeder", "--from", FEEDER["from"], "--until", FEEDER["until"], "--energy", "10000",
                          "--why", "bridged", "--who", "Carla")
    assert again.returncode == 0 and house.known("feeder") == wh(960), again.stderr
    newest = house.ask("GET", "/api/v1/decisions", house.auditor)[1]["decisions"][0]
    assert (newest["kind"], newest["who"]) == ("energy", f"Carla (user {user})")
    before = house.tables()
    refused = house.command("decide", "energy", "--meter", "feeder", "--from", FEEDER["from"], "--until", FEEDER["until"], "--energy", "1", "--why", "x")
    assert refused.returncode == 65 and "is about this already" in refused.stderr and house.tables() == before
    # What a killed one left is no collector; the next start replaces it.
    house.collector.kill()
    assert socket.exists()
    assert house.command(*undo, "--preview").returncode != 0
    house.start()
    assert house.command("decide", "undo", str(newest["id"]), "--why", "x", "--preview").returncode == 0


def test_a_restore_of_an_older_backup_names_the_decisions_that_it_would_lose(house, tmp_path):
    backup = tmp_path / "backup.db"
    assert run([house.collector.program, "backup", "--config", house.collector.settings, "-o", backup]).returncode == 0
    house_tables = house.tables()
    status, answer = house.ask("POST", "/api/v1/readings", house.reader,
                               {"meter": "water", "at": "2026-03-04T00:00:00Z", "register": 6000, "why": "round of the caretaker"})
    assert status == 201, answer
    logged = house.query("SELECT * FROM change_log ORDER BY id")
    house.collector.stop()
    before = house.tables()
    restore = [house.collector.program, "restore", "--config", house.collector.settings]
    refused = run([*restore, backup])
    assert refused.returncode == 65, refused.stderr
    assert f"  meter water, decision {answer['decision']}: reading, 2026-03-04T00:00:00.000Z 2026-03-04T00:00:00.000Z, by bert at " in refused.stdout
    assert "the backup lacks 1 decisions, closings or words of people of the database that is here" in refused.stderr and house.tables() == before
    done = run([*restore, "--drop-decisions", backup])
    assert done.returncode == 0 and "decision" in done.stdout, done.stderr
    assert house.tables()["ledger_decision"] == house_tables["ledger_decision"]
    now = house.query("SELECT * FROM change_log ORDER BY id")
    lost, gap = now[-2:]
    assert now[:-2] == logged and lost[4] == "restore" and lost[5] == f"meter water, decision {answer['decision']}" and "by bert at" in lost[6]
    assert gap[4:6] == ("restore", f"decisions {answer['decision']} to {answer['decision']}")
    # A number that a restore left out was not taken away.
    assert run([house.collector.program, "verify", "--config", house.collector.settings], 120).returncode == 0
    house.start()
    status, again = house.ask("POST", "/api/v1/readings", house.reader,
                              {"meter": "water", "at": "2026-03-04T00:00:00Z", "register": 6000, "why": "again, from the protocol"})
    assert status == 201 and again["decision"] == answer["decision"] + 1
