"""From readings, card readers, calendars and outages through the real programs to answers: retained, in the store, and over a restart."""

from __future__ import annotations

import json
import sqlite3
import time
from datetime import datetime, timedelta, timezone

import pytest
from harness.parkmon import new_collector
from harness.process import wait_until
from harness.servers import READER_USER
from publisher import Mqtt, Publisher

NAMED = 'name = "x"; name_en = "x"; '
WHOSE = 'building = "b1"; category = "c"; owner = "o"; owner_en = "o"; owner_code = "OWN"; contact = "8"; '
LEVELS = ('off_w = 10; standby_w = 20; exit_w = 30; enter_w = 40; enter_s = 1; exit_s = 60; off_means = "available"; '
          'power_period = 10; ')
TOPIC = "park/v1/public/instruments/"


def park(folder) -> str:
    return f"""
sites = ( {{ id = "s1"; {NAMED} zone = "Asia/Shanghai"; }} );
buildings = ( {{ id = "b1"; {NAMED} site = "s1"; }} );
gateways = ( {{ id = "gw-a"; {NAMED} site = "s1"; building = "b1"; }} );
categories = ( {{ id = "c"; {NAMED} }} );
resources = ( {{ id = "water"; {NAMED} building = "b1"; kind = "chilled_water"; point = "gw-a/water"; up = ("on"); down = ("off");
    period = 40; }} );
calendars = ( {{ id = "now"; {NAMED} site = "s1"; file = "{folder}/now.ics"; every = 30; }},
    {{ id = "later"; {NAMED} site = "s1"; file = "{folder}/later.ics"; every = 30; }} );
instruments = (
  {{ id = "sem"; {NAMED} {WHOSE} {LEVELS} power = "gw-a/sem"; }},
  {{ id = "xrd"; {NAMED} {WHOSE} session = "gw-a/xrd"; }},
  {{ id = "laser"; {NAMED} {WHOSE} {LEVELS} power = "gw-a/laser"; requires = ("water"); }},
  {{ id = "booked"; {NAMED} {WHOSE} calendar = "now"; }},
  {{ id = "ahead"; {NAMED} {WHOSE} calendar = "later"; }}
);
"""


class House:
    """Broker, store and collector with some instruments, one booked now and one in two hours; one gateway that tells of them, and a reader of what is public."""

    def __init__(self, stage):
        self.stage = stage
        self.broker = stage.broker("gw-a")
        self.influx = stage.influx()
        self.now = datetime.now(timezone.utc).replace(microsecond=0)
        self.book("now", -1, 1)
        self.book("later", 2, 3)
        self.park = stage.folder / "park.cfg"
        self.park.write_text(park(stage.folder))
        self.collector = stage.add(new_collector(stage.folder / "collector", self.broker, self.influx, self.park))
        self.collector.start()
        self.collector.wait_connected()
        self.agent = Publisher(self.broker, "gw-a")
        self.seq = 0
        password = self.broker.password_file(READER_USER).read_text().strip()
        self.reader = Mqtt(self.broker.port, "reader", READER_USER, password)
        self.reader.subscribe(TOPIC + "#")

    def book(self, calendar: str, from_h: int, until_h: int) -> None:
        begin, end = [(self.now + timedelta(hours=h)).strftime("%Y%m%dT%H%M%SZ") for h in (from_h, until_h)]
        (self.stage.folder / f"{calendar}.ics").write_text(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
            f"SUMMARY:Dr. Name\r\nDTSTART:{begin}\r\nDTEND:{end}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")

    def tell(self, *lines: str) -> None:
        self.seq += 1
        self.agent.send(self.seq, list(lines))
        self.agent.wait_ack(self.seq)

    def power(self, point: str, watts: float, since_s: float = 20, until_s: float = 0) -> None:
        """Each ten seconds, from so long ago on."""
        now = int(time.time() * 1000)
        ages = range(int(since_s * 1000), int(until_s * 1000) - 1, -10000)
        self.tell(*[f"gauge,point={point} value={watts} {now - age}" for age in ages])

    def state(self, point: str, word: str, age_s: float = 0) -> None:
        self.tell(f'state,point={point} value="{word}" {int((time.time() - age_s) * 1000)}')

    def answer(self, instrument: str) -> dict:
        """The newest that was published; {} = none, or it was taken back."""
        while True:
            before = len(self.reader.received)
            self.reader.poll(0.02)
            if len(self.reader.received) == before:
                break
        said = [payload for topic, payload, _ in self.reader.received if topic == TOPIC + instrument]
        return json.loads(said[-1]) if said and said[-1] else {}

    def wait(self, instrument: str, status: str, reason: str, seconds: float = 20.0) -> dict:
        def is_so():
            answer = self.answer(instrument)
            return (answer.get("status"), answer.get("reason")) == (status, reason)

        try:
            wait_until(is_so, seconds, f"{instrument} is {status} ({reason})")
        except Exception as failure:
            raise AssertionError(f"{failure}; it is {self.answer(instrument)}") from failure
        return self.answer(instrument)

    def query(self, sql: str) -> list[tuple]:
        with sqlite3.connect(f"file:{self.collector.settings.with_suffix('.db')}?mode=ro", uri=True) as database:
            return database.execute(sql).fetchall()

    def stored(self, instrument: str) -> list[tuple[str, str, str]]:
        rows = self.influx.rows(f"SELECT status, reason, activity FROM availability WHERE instrument = '{instrument}'")
        return [(row["status"], row["reason"], row["activity"]) for row in rows]


@pytest.fixture
def house(stage):
    return House(stage)


def test_an_instrument_that_runs_is_in_use_and_one_that_falls_silent_unknown(house):
    house.wait("sem", "UNKNOWN", "stale")  # it never told
    house.power("sem", 15, until_s=10)
    answer = house.wait("sem", "AVAILABLE", "free")
    assert (answer["activity"], answer["sources"]["power"]["quality"]) == ("standby", "good")
    assert answer["next_free"] == answer["as_of"]
    house.tell(*[f"gauge,point=sem value=100 {int(time.time() * 1000) - age}" for age in (3000, 0)])
    answer = house.wait("sem", "IN_USE", "running")
    assert answer["activity"] == "running" and answer["free_until"] is None and answer["next_free"] is None
    wait_until(lambda: house.stored("sem") == [("UNKNOWN", "stale", "unknown"), ("AVAILABLE", "free", "standby"),
                                               ("IN_USE", "running", "running")], 30, "each change is in the store")
    assert house.influx.rows("SHOW TAG KEYS FROM availability") == [
        {"tagKey": "building"}, {"tagKey": "instrument"}, {"tagKey": "site"}]

    # The other one was heard long ago: within seconds that is too long.
    house.power("laser", 15, since_s=132, until_s=102)
    house.state("water", "on")
    house.wait("laser", "AVAILABLE", "free")
    answer = house.wait("laser", "UNKNOWN", "stale", seconds=40)
    assert answer["activity"] == "unknown" and answer["sources"]["power"]["quality"] == "stale"
    assert answer["free_until"] is None and answer["next_free"] is None


def test_a_card_readers_session_takes_it_and_gives_it_back_across_a_restart(house):
    house.state("xrd", "close event=k0", age_s=5)
    house.wait("xrd", "AVAILABLE", "free")
    house.state("xrd", "open event=k1 class=external organisation=OTHER purpose=research")
    taken = house.wait("xrd", "IN_USE", "session")
    assert "OTHER" not in json.dumps(taken) and "k1" not in json.dumps(taken)
    house.collector.restart()
    house.collector.wait_connected()
    house.reader.received.clear()
    again = house.wait("xrd", "IN_USE", "session")
    assert again["since"] == taken["since"]
    assert datetime.fromisoformat(again["as_of"]) > datetime.fromisoformat(taken["as_of"])
    house.state("xrd", "close event=k2")
    house.wait("xrd", "AVAILABLE", "free")
    assert house.query("SELECT status FROM availability_now WHERE instrument = 'xrd'") == [("AVAILABLE",)]


def test_a_resource_that_failed_stays_down_until_a_fresh_word(house):
    house.power("laser", 15)
    house.state("water", "on", age_s=3)
    house.wait("laser", "AVAILABLE", "free")
    house.state("water", "off", age_s=2)
    down = house.wait("laser", "OUT_OF_SERVICE", "resource_down")
    assert [(r["id"], r["state"]) for r in down["resources"]] == [("water", "down")]
    # "on" from an hour before, which arrives now, is no word of now.
    seq_before = house.seq
    house.state("water", "on", age_s=3600)
    assert house.seq == seq_before + 1
    house.collector.restart()
    house.collector.wait_connected()
    house.reader.received.clear()
    assert house.wait("laser", "OUT_OF_SERVICE", "resource_down")["since"] == down["since"]
    house.state("water", "on")
    house.wait("laser", "AVAILABLE", "free")


def test_a_booking_takes_it_and_a_calendar_that_is_gone_frees_nothing(house):
    answer = house.wait("booked", "RESERVED", "reserved")
    assert datetime.fromisoformat(answer["next_free"]) == house.now + timedelta(hours=1)
    assert "Name" not in json.dumps(answer)
    answer = house.wait("ahead", "AVAILABLE", "free")
    assert datetime.fromisoformat(answer["free_until"]) == house.now + timedelta(hours=2)

    # Both are gone, and were read last as long ago as a collector was off.
    house.collector.stop()
    for calendar in ("now", "later"):
        (house.stage.folder / f"{calendar}.ics").unlink()
    with sqlite3.connect(house.collector.settings.with_suffix(".db")) as database:
        database.execute("UPDATE calendar SET known_ms = known_ms - 1800000")
    house.reader.received.clear()
    house.collector.start()
    answer = house.wait("ahead", "UNKNOWN", "stale")
    assert (answer["sources"]["calendar"]["quality"], answer["free_until"], answer["next_free"]) == ("stale", None, None)
    answer = house.wait("booked", "RESERVED", "reserved")
    assert (answer["sources"]["calendar"]["quality"], answer["next_free"]) == ("stale", None)


def test_what_leaves_the_model_is_retained_no_more(house):
    house.wait("sem", "UNKNOWN", "stale")
    text = house.park.read_text()
    begin, end = text.index('{ id = "sem"'), text.index('{ id = "xrd"')
    house.park.write_text(text[:begin] + text[end:])
    house.collector.stop()
    done = house.collector.run("decide", "model", "--why=it was sold")
    assert done.returncode == 0, done.stderr
    house.collector.start()
    wait_until(lambda: house.answer("sem") == {}, 20, "the retained answer is taken back")
    assert house.query("SELECT count(*) FROM availability_now WHERE instrument = 'sem'") == [(0,)]


def test_only_the_collector_may_say_what_is_public(house):
    house.wait("xrd", "UNKNOWN", "stale")
    house.agent.mqtt.publish(TOPIC + "xrd", b'{"status":"AVAILABLE"}', retain=True)
    house.agent.mqtt.flush()
    assert house.agent.mqtt.denied == 1
    house.reader.publish(TOPIC + "xrd", b'{"status":"AVAILABLE"}', retain=True)
    house.reader.flush()
    assert house.reader.denied == 1
    assert house.answer("xrd")["status"] == "UNKNOWN"
