"""What instruments and resources tell, from the broker to the rows: three real device-days, what thresholds make of them, and the same rows whatever is killed."""

from __future__ import annotations

import re
import sqlite3
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from harness.parkmon import new_collector
from harness.process import run, wait_until
from harness.stage import Stage
from publisher import Publisher
from test_decisions import House

DEVICES = {"printer": (20, 40, 60), "desktop": (20, 50, 100), "projector": (5, 20, 50)}  # off, exit, enter
FILES = {"printer": "printer_2011-12-26", "desktop": "desktop_2012-01-03", "projector": "projector_2012-01-19"}
INSTRUMENT = ('{{ id = "{0}"; name = "x"; name_en = "x"; building = "b1"; category = "c"; owner = "o"; owner_en = "o"; owner_code = "OWN"; contact = "8"; '
              'max_session = 7200; {1} }}')
POWER = 'power = "gw-a/{0}"; power_period = 10; off_w = {1}; standby_w = {2}; exit_w = {3}; enter_w = {4}; enter_s = 10; exit_s = 300; off_means = "available";'
PARK = """
sites = ( { id = "s1"; name = "x"; name_en = "x"; zone = "UTC"; } );
buildings = ( { id = "b1"; name = "x"; name_en = "x"; site = "s1"; } );
gateways = ( { id = "gw-a"; name = "x"; name_en = "x"; site = "s1"; } );
categories = ( { id = "c"; name = "x"; name_en = "x"; } );
resources = ( { id = "water"; name = "x"; name_en = "x"; building = "b1"; kind = "chilled_water"; point = "gw-a/water"; up = ("on"); down = ("off"); } );
instruments = ( """ + ", ".join([
    *(INSTRUMENT.format(name, POWER.format(name, off, off + 1, exit_, enter)) for name, (off, exit_, enter) in DEVICES.items()),
    INSTRUMENT.format("sem", 'session = "gw-a/sem";'), INSTRUMENT.format("afm", "shared = false;")]) + " );\n"
BATCH = 1000


def device_day(data: Path, name: str) -> list[tuple[int, int]]:
    """Milliseconds and watts, as they stand in the file: times repeat, and go back."""
    readings = []
    for line in (data / f"device-power/{FILES[name]}.csv").read_text().splitlines():
        at, watts, _ = line.split(";")
        day, month, year, hour, minute, second = map(int, re.split("[/ :]", at))
        readings.append((round(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp() * 1000), int(watts)))
    return readings


class Watched(House):
    def __init__(self, stage: Stage):
        self.broker = stage.broker("gw-a")
        self.influx = stage.influx()
        park = stage.folder / "park.cfg"
        park.write_text(PARK)
        self.collector = stage.add(new_collector(stage.folder / "collector", self.broker, self.influx, park))
        self.database = stage.folder / "collector/collector.db"
        self.seq = 0

    def add_tokens(self) -> None:
        self.teller = self.token("kiosk", "--role", "public", "--scope", "sessions")
        self.operator = self.token("anna", "--role", "operator", "--scope", "outages")

    def send(self, lines: list[str]) -> None:
        """Acknowledged, in batches of the journal."""
        agent = Publisher(self.broker, "gw-a")
        for at in range(0, len(lines), BATCH):
            self.seq += 1
            agent.send(self.seq, lines[at:at + BATCH])
            agent.wait_ack(self.seq, seconds=60)
        agent.close()

    def wait_taken(self) -> None:
        wait_until(lambda: self.query("SELECT position >= (SELECT max(id) FROM journal) FROM cursor WHERE name = 'watch'") == [(1,)], 60,
                   "the journal is taken")

    def thresholds(self, *words: str):
        return run([self.collector.program, "thresholds", "--config", self.collector.settings, "--instrument", *words])


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("watch")) as stage:
        found = Watched(stage)
        found.start()
        found.add_tokens()
        yield found


def row_of(done, name: str) -> dict[str, str]:
    """Of the table of what thresholds give."""
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    heads = next(line for line in lines if line.startswith("thresholds")).replace(", h", "_h").split()[1:]
    return dict(zip(heads, next(line for line in lines if line.startswith(name)).removeprefix(name).split(), strict=True))


def forward(readings: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without those whose time is not later than that of one before."""
    found: list[tuple[int, int]] = []
    for time_ms, watts in readings:
        if not found or time_ms > found[-1][0]:
            found.append((time_ms, watts))
    return found


@pytest.mark.parametrize(("name", "runs", "hours"), [("printer", 3, "0.31"), ("desktop", 1, "14.2"), ("projector", 1, "1.37")])
def test_real_device_days_run_as_often_as_they_did(house, data, name, runs, hours):
    readings = device_day(data, name)
    readings.append((readings[-1][0] + 3_600_000, 0))  # so that all of it is over
    lines = [f"gauge,point={name} value={watts} {time_ms}" for time_ms, watts in readings]
    house.send(lines)
    middle = len(lines) // 2
    house.send(lines[middle:middle + 50] + lines[100:150])  # again, and back
    house.wait_taken()
    (count, ran_ms), = house.query("SELECT count(*), sum(until_ms - from_ms) FROM activity_span JOIN instrument ON id = instrument"
                                   f" WHERE name = '{name}' AND state = 3")
    digits = len(hours.partition(".")[2])
    assert (count, f"{ran_ms / 3_600_000:.{digits}f}") == (runs, hours)
    done = house.thresholds(name)
    found = row_of(done, "park file")
    assert (int(found["runs"]), f"{ran_ms / 3_600_000:.2f}") == (runs, found["running_h"]), done.stdout
    counted = forward(readings)
    above = [watts >= DEVICES[name][2] for _, watts in counted]
    bare = sum(now and not before for before, now in zip([False, *above], above, strict=False))
    assert int(row_of(done, "enter_w bare")["runs"]) == bare, done.stdout  # the dwell does the work
    assert bare >= runs and (bare > 30 or name == "projector")
    assert sum(int(number) for number in re.findall(r"\.\. +\S+ +\S+ +(\d+)", done.stdout)) == len(counted)


def test_thresholds_that_are_given_are_tried_beside_those_of_the_park(house, data):
    house.send([f"gauge,point=printer value={watts} {time_ms}" for time_ms, watts in device_day(data, "printer")])
    house.wait_taken()
    before = house.query("SELECT count(*) FROM activity_span")
    done = house.thresholds("printer", "--enter-s", "0", "--exit-s", "0", "--exit-w", "59.999")
    assert int(row_of(done, "given")["runs"]) == 40 and int(row_of(done, "park file")["runs"]) == 3
    night = house.thresholds("printer", "--from", "2011-12-26T00:00:00Z", "--until", "2011-12-26T06:00:00+00:00")
    assert row_of(night, "park file")["runs"] == "0"
    none = house.thresholds("printer", "--from", "2020-01-01T00:00:00Z")
    assert (none.returncode, none.stdout) == (0, "instrument printer: the journal holds no power of gw-a/printer\n")
    assert house.query("SELECT count(*) FROM activity_span") == before


@pytest.mark.parametrize(("words", "code", "why"), [
    (["printer", "--exit-w", "70"], 78, "the thresholds are out of order: off_w 20, exit_w 70, enter_w 60; expected off_w < exit_w < enter_w"),
    (["nothing"], 78, "--instrument nothing is not in the park model; expected the id of one of its instruments"),
    (["sem"], 78, "instrument sem has no power in the park model; expected `power`, or a `meter` that has it"),
    (["printer", "--enter-w", "many"], 64, "no number from 0 on with at most three decimals: many"),
    (["printer", "--from", "yesterday"], 64, "--from is no time such as 2026-10-01T08:00:00+08:00: yesterday"),
    (["printer", "more"], 64, "one argument too many: more")])
def test_what_is_asked_wrongly_is_one_sentence(house, words, code, why):
    done = house.thresholds(*words)
    assert (done.returncode, done.stderr.splitlines()[0]) == (code, f"park-collector: {why}")
    assert done.stdout == ""


# ---- sessions ----

def event(number: int, action: str = "open", instrument: str = "afm", **more: str) -> dict[str, str]:
    kind = {"class": "external", "organisation": "9133", "purpose": "research"} if action == "open" else {}
    return {"event": f"k-{number}", "instrument": instrument, "action": action, **kind, **more}


def utc(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")


def read_ms(text: str | None) -> int | None:
    return None if text is None else round(datetime.fromisoformat(text).timestamp() * 1000)


def sessions(house: Watched, instrument: str) -> list[dict]:
    """Oldest first."""
    status, answer = house.ask("GET", f"/api/v1/sessions?instrument={instrument}", house.operator)
    assert status == 200, answer
    return answer["sessions"][::-1]


def told_tables(house: Watched) -> dict[str, list]:
    return {name: house.query(f"SELECT * FROM {name}") for name in ("instrument", "session", "session_unseen", "change_log")}


def test_a_session_is_told_by_http_as_a_card_reader_tells_it(house):
    begin_ms = round(time.time() * 1000)
    status, answer = house.ask("POST", "/api/v1/sessions", house.teller, event(1))
    assert (status, answer["event"], answer["result"], answer["note"]) == (201, "k-1", "taken", None), answer
    assert answer["session"] == {"session": answer["session"]["session"], "instrument": "afm", "state": "open", "opened": answer["session"]["opened"],
                                 "closed": None, "class": "external", "user": "external", "organisation": "9133", "purpose": "research",
                                 "open_event": "k-1", "close_event": None, "opened_evidence": "manual", "closed_evidence": None}
    assert begin_ms <= read_ms(answer["session"]["opened"]) <= round(time.time() * 1000)
    before = told_tables(house)
    assert house.ask("POST", "/api/v1/sessions", house.teller, event(1)) == (
        200, {"event": "k-1", "result": "known", "note": None, "session": None})
    assert told_tables(house) == before
    status, answer = house.ask("POST", "/api/v1/sessions", house.teller, event(2, organisation="OWN"))  # while one is open
    assert (status, answer["note"], answer["session"]["user"]) == (201, "was_open", "internal")
    status, answer = house.ask("POST", "/api/v1/sessions", house.teller, event(3, "close"))
    assert (status, answer["note"], answer["session"]["state"]) == (201, None, "closed")
    status, answer = house.ask("POST", "/api/v1/sessions", house.teller, event(4, "close"))  # none is open
    assert (status, answer["note"], answer["session"]["state"]) == (201, "none_open", "never_opened")
    listed = sessions(house, "afm")
    assert [(one["state"], one["open_event"], one["close_event"], one["closed_evidence"]) for one in listed] == [
        ("next_opened", "k-1", None, "inferred"), ("closed", "k-2", "k-3", "manual"), ("never_opened", None, "k-4", "manual")]
    assert listed[0]["closed"] == listed[1]["opened"] and listed[2]["opened"] is None
    log = [(row[3], row[4]) for row in told_tables(house)["change_log"]]
    assert log == [("kiosk", "session open"), ("kiosk", "session open"), ("kiosk", "session close"), ("kiosk", "session close")]
    status, page = house.ask("GET", "/api/v1/sessions?instrument=afm&limit=2", house.operator)
    status, rest = house.ask("GET", f"/api/v1/sessions?limit=1&before={page['next_before']}", house.operator)
    assert [one["close_event"] for one in page["sessions"] + rest["sessions"]] == ["k-4", "k-3", None]
    for words in ("event k-2 opens a session while one is open", "event k-4 closes a session that is not open"):
        assert house.collector.log().count(words) == 1


def test_an_event_may_have_happened_earlier_but_not_before_the_newest(house):
    now_ms = round(time.time() * 1000)
    old = {"instrument": "desktop", "event": "t-1"}
    assert house.ask("POST", "/api/v1/sessions", house.teller, event(0, **{**old, "time": utc(now_ms - 3_600_000)}))[0] == 201
    status, answer = house.ask("POST", "/api/v1/sessions", house.teller, event(0, "close", **{**old, "event": "t-2", "time": utc(now_ms - 3_600_001)}))
    assert (status, answer["error"]["message"]) == (422, "time is before the newest event of instrument desktop, which is of "
                                                    f"{utc(now_ms - 3_600_000).replace('+00:00', 'Z')}; expected it or a later one")
    status, answer = house.ask("POST", "/api/v1/sessions", house.teller, event(0, "close", **{**old, "event": "t-2", "time": utc(now_ms - 60_000)}))
    assert (status, read_ms(answer["session"]["closed"]) - read_ms(answer["session"]["opened"])) == (201, 3_540_000)


@pytest.mark.parametrize(("body", "status", "words"), [
    ("{}", 400, "event is missing"), (event(9, instrument="nothing"), 422, 'instrument "nothing" is not in the park model; expected the id of one of its instruments'),
    (event(9, instrument="No"), 400, "instrument is missing or no id"), (event(9, action="begin"), 400, "action is missing or not known"),
    (event(9, name="Wang"), 400, '"name" is not known; expected event, instrument, action, class, organisation, purpose and time'),
    (event(9, purpose="Prof. Wang"), 400, 'purpose "Prof. Wang" is no word'), (event(9, organisation="wang"), 400, 'organisation "wang" is no code'),
    ({**event(9), "class": "friend"}, 400, 'class "friend" is not known'), ({**event(9), "class": 1}, 400, 'class "1" is not known'),
    (event(9, time="yesterday"), 400, 'time "yesterday" is no time; expected RFC 3339'), (event(9, time="2099-01-01T00:00:00Z"), 422, "time is in the future"),
    (event(9, time="2020-01-01T00:00:00Z"), 422, "time is more than 31 days ago"), (event(9, event="a" * 41), 400, "is no id"), ("[]", 400, "no JSON object")])
def test_a_wrong_event_is_refused_in_one_sentence_and_changes_nothing(house, body, status, words):
    before = told_tables(house)
    answered, answer = house.ask("POST", "/api/v1/sessions", house.teller, body)
    assert answered == status and words in answer["error"]["message"], answer
    assert told_tables(house) == before


def test_only_who_may_tells_of_sessions(house):
    assert house.ask("POST", "/api/v1/sessions", house.operator, event(9))[0] == 403
    status, answer = house.ask("GET", "/api/v1/sessions?instrument=No", house.operator)
    assert (status, answer["error"]["message"]) == (400, 'instrument: there is no instrument "No"; expected the id of one')


def test_sessions_of_an_instrument_that_is_no_more_are_listed_and_of_nobody_refused(tmp_path):
    with Stage(tmp_path) as stage:
        house = Watched(stage)
        house.start()
        house.add_tokens()
        assert house.ask("POST", "/api/v1/sessions", house.teller, event(1))[0] == 201
        instrument = event(1)["instrument"]
        kept = sessions(house, instrument)
        house.collector.stop()
        park = stage.folder / "park.cfg"
        with_it = park.read_text()
        without = re.sub(rf', \{{ id = "{instrument}";[^}}]*\}}', "", with_it)
        assert without != with_it
        park.write_text(without)
        decided = run([house.collector.program, "decide", "model", "--config", house.collector.settings, "--why", "sold"])
        assert decided.returncode == 0, decided.stderr
        house.start()
        assert [one["session"] for one in sessions(house, instrument)] == [one["session"] for one in kept] and len(kept) == 1
        assert house.ask("GET", "/api/v1/sessions?instrument=no-such", house.operator)[0] == 400


def test_a_session_of_a_second_is_there_and_what_is_no_event_is_one_line(house):
    time_ms = round(time.time() * 1000) - 10_000
    house.send([f'state,point=sem value="open event=r-1 class=training" {time_ms}', f'state,point=sem value="close event=r-2" {time_ms + 700}',
                f'state,point=sem value="hello" {time_ms + 800}', f'state,point=sem value="hello again" {time_ms + 900}',
                f'state,point=water value="off" {time_ms}', f'state,point=water value="lukewarm" {time_ms + 1}'])
    house.wait_taken()
    one, = sessions(house, "sem")
    assert (read_ms(one["opened"]), read_ms(one["closed"])) == (time_ms, time_ms + 700)
    assert (one["state"], one["class"], one["user"], one["opened_evidence"]) == ("closed", "training", "unknown", "declared")
    assert house.query("SELECT name, session_ms FROM instrument WHERE name = 'sem'") == [("sem", time_ms + 700)]  # and its source ages
    assert house.query("SELECT from_ms, until_ms FROM resource_down") == [(time_ms, None)]
    assert house.collector.log().count("is no event of a session") == 1
    assert house.collector.log().count("is neither one of its `up` nor of its `down`") == 1


def test_a_person_says_that_what_is_down_is_up_again(house):
    since_ms = round(time.time() * 1000) - 5_000
    house.send([f'state,point=water value="off" {since_ms}'])
    house.wait_taken()

    def told() -> dict:
        return house.ask("GET", "/api/v1/resources", house.operator)[1]["resources"][0]

    assert (told()["id"], told()["down"]) == ("water", True)
    up = "/api/v1/resources/water/up"
    for body, status, words in (({}, 400, "why: is missing"), ({"why": " "}, 422, "why is missing, or not a text"), ({"why": "x", "by": "me"}, 400, "by: unknown")):
        answered, answer = house.ask("POST", up, house.operator, body)
        assert answered == status and words in answer["error"]["message"], answer
    assert house.ask("POST", up, house.teller, {"why": "x"})[0] == 403
    assert house.ask("POST", "/api/v1/resources/steam/up", house.operator, {"why": "x"})[0] == 404
    status, answer = house.ask("POST", up, house.operator, {"why": "the valve is open, I stood there"})
    assert (status, answer["down"]) == (200, False) and told() == answer, answer
    assert house.query("SELECT evidence, until_ms FROM resource_down ORDER BY from_ms DESC LIMIT 1") == [(1, read_ms(answer["since"]))]
    assert house.query("SELECT who, action, object, note FROM change_log ORDER BY id DESC LIMIT 1") == [
        ("anna", "resource up", "resource water", "the valve is open, I stood there")]
    status, answer = house.ask("POST", up, house.operator, {"why": "once more"})
    assert (status, answer["error"]["message"]) == (422, "resource water is not down; nothing is to be said of it")


def test_the_rows_are_the_same_wherever_it_is_killed(tmp_path, data):
    """Against the model that folds nothing."""
    off, exit_, enter = DEVICES["printer"]
    file = data / f"device-power/{FILES['printer']}.csv"
    oracle = run([sys.executable, Path(__file__).parents[1] / "unit/collector/oracle_activity.py", "1", f"{file}:{enter}:{exit_}:{off}"])
    expected = [(int(words[1]), int(words[2]), words[3]) for words in map(str.split, oracle.stdout.splitlines()) if words[0] == "span"]
    assert len(expected) > 3
    lines = [f"gauge,point=printer value={watts} {time_ms}" for time_ms, watts in device_day(data, "printer")]
    with Stage(tmp_path) as stage:
        house = Watched(stage)
        house.start()
        house.add_tokens()
        for number, at in enumerate(range(0, len(lines), 4000)):
            time_ms = 1_767_225_600_000 + number * 1000
            house.send(lines[at:at + 4000] + [f'state,point=sem value="{"close" if number % 2 else "open"} event=e{number}" {time_ms}'])
            if number % 2:
                assert house.ask("POST", "/api/v1/sessions", house.teller, event(number, "open" if number % 4 == 1 else "close"))[0] == 201
            house.collector.kill()
            house.start()
        house.wait_taken()
        closed = house.query("SELECT from_ms, until_ms, state FROM activity_span ORDER BY from_ms")
        names = ["unknown", "off", "standby", "running"]
        assert [(begin, end, names[state]) for begin, end, state in closed] == expected[:-1]  # the last is not over
        assert [(one["open_event"], one["close_event"], one["state"]) for one in sessions(house, "sem")] == [
            *((f"e{number}", f"e{number + 1}", "closed") for number in range(0, 8, 2)), ("e8", None, "forgotten")]
        assert [(one["open_event"], one["close_event"]) for one in sessions(house, "afm")] == [("k-1", "k-3"), ("k-5", "k-7")]
        house.collector.stop()
        verify = [house.collector.program, "verify", "--config", house.collector.settings]
        taken = run(verify)
        assert taken.returncode == 0 and re.search(r"^instruments: \d+ spans and sessions are what the journal says$", taken.stdout, re.M), taken.stderr
        with sqlite3.connect(house.database) as db:
            db.execute("UPDATE activity_span SET until_ms = until_ms + 1000 WHERE from_ms = (SELECT max(from_ms) FROM activity_span)")
        db.close()
        found = run(verify)
        assert found.returncode == 1 and re.fullmatch(
            r"park-collector: instrument printer, activity: the database says \w+ from \S+ until \S+, the journal gives \w+ from \S+ until \S+\n", found.stderr)
