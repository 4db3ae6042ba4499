"""SIGHUP: the park model is taken while readings come in; with a mistake, or a silent change of the past, everything stays."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import time
import urllib.request
from contextlib import closing

import pytest
from harness.parkmon import new_collector
from harness.process import run, wait_until
from publisher import Publisher
from test_versions import KEY, park


class House:
    def __init__(self, stage):
        self.stage = stage
        self.park = stage.folder / "park.cfg"
        self.park.write_text(park())
        self.broker = stage.broker("gw-a")
        self.influx = stage.influx()
        self.collector = stage.start(new_collector(stage.folder / "collector", self.broker, self.influx, self.park))
        wait_until(lambda: "\nparkmon_broker_connected 1\n" in self.collector.get("/metrics")[1], 20, "the collector is connected")
        self.database = stage.folder / "collector/collector.db"
        self.told = 0

    def query(self, sql: str) -> list[tuple]:
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()

    def numbers(self) -> list[int]:
        return [number for number, in self.query("SELECT number FROM model_version ORDER BY number")]

    def readings_in_books(self) -> int:
        """How many the packed evidence says that it has (collector/ledger/readings.h): a varint behind five bytes."""
        number = 0
        for packed, in self.query("SELECT readings FROM ledger_hour UNION ALL SELECT readings FROM ledger_latest"):
            at = 5
            number += packed[at] & 0x7f
            while packed[at] & 0x80:
                at += 1
                number += (packed[at] & 0x7f) << 7 * (at - 5)
        return number

    def reload(self, text: str | None = None) -> None:
        if text is not None:  # whole or not at all: one may be read right now
            new = self.park.with_suffix(".new")
            new.write_text(text)
            new.replace(self.park)
        self.told = len(self.collector.log())
        os.kill(self.collector.pid, signal.SIGHUP)

    def said(self) -> str:
        """What was logged since the last reload."""
        return self.collector.log()[self.told:]

    def wait_said(self, pattern: str, seconds: float = 20.0) -> str:
        wait_until(lambda: re.search(pattern, self.said(), re.MULTILINE), seconds, f"the log says {pattern}")
        return self.said()

    def building(self) -> str:
        return self.collector.get_json("/api/v1/live")["buildings"][0]["name_en"]


@pytest.fixture
def house(stage):
    return House(stage)


def named(name: str) -> str:
    return park().replace('id = "b1"; name = "x"; name_en = "x"', f'id = "b1"; name = "x"; name_en = "{name}"')


def test_reloads_under_a_publisher_lose_nothing_and_double_nothing(house):

    publisher = Publisher(house.broker, "gw-a")
    base_ms = int(time.time() * 1000) - 3_600_000
    count, each = 300, 20
    for seq in range(1, count + 1):
        publisher.send(seq, [f"register,point=m value={seq}i {base_ms + 1000 * seq}", f"gauge,point=g value={seq} {base_ms + 1000 * seq}"])
        if seq % each == 0:
            house.reload(named(f"round {seq}"))
            # Some come while another is under way.
            if seq % (3 * each) == 0:
                house.wait_said(r"version \d+ of the park model: 1 change")
        if seq % 50 == 0:
            publisher.send(seq, [f"register,point=m value={seq}i {base_ms + 1000 * seq}", f"gauge,point=g value={seq} {base_ms + 1000 * seq}"])
    publisher.wait_ack(count)
    assert not any(answer[2] for answer in publisher.answers()), "nothing was asked for again"
    house.wait_said(rf"now round {count}$")
    wait_until(lambda: house.building() == f"round {count}", 10, "the page shows the newest model")
    assert house.query("SELECT seq FROM journal ORDER BY id") == [(seq,) for seq in range(1, count + 1)]
    assert house.query("SELECT count(*) FROM quarantine") == [(0,)] and house.query("SELECT count(*) FROM loss") == [(0,)]
    house.collector.wait_settled()
    assert house.influx.count("register") == count and house.influx.count("gauge") == count
    numbers = house.numbers()
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 6
    # The ledger has each reading, once.
    wait_until(lambda: house.readings_in_books() == count, 20, "the books have every reading")
    publisher.close()


def test_a_stream_that_is_open_shows_the_new_model(house):
    with urllib.request.urlopen(house.collector.http_url + "/api/v1/stream", timeout=20) as stream:
        def next_name() -> str:
            for line in stream:
                if line.startswith(b"data: "):
                    return json.loads(line[6:])["buildings"][0]["name_en"]
            raise AssertionError("the stream ended")

        assert next_name() == "x"
        house.reload(named("new"))
        for _ in range(20):
            if next_name() == "new":
                return
        raise AssertionError("20 events later it shows the old name")


def test_a_new_meter_counts_at_once_on_the_page_and_in_the_store(house):
    publisher = Publisher(house.broker, "gw-a")
    publisher.send(1, [f"gauge,point=p value=4 {int(time.time() * 1000)}"])
    publisher.wait_ack(1)
    house.collector.wait_settled()
    assert [row["point"] for row in house.collector.get_json("/api/v1/unmapped")["points"]] == ["p"]
    house.reload(park(more=""",
  { id = "m2"; name = "x"; name_en = "x"; building = "b2"; carrier = "electricity"; power = "gw-a/p"; }""").replace(
        "buildings = (", 'buildings = ( { id = "b2"; name = "x"; name_en = "x"; site = "s1"; },'))
    house.wait_said(r"meters\[m2\]: is new$")
    wait_until(lambda: house.collector.get_json("/api/v1/unmapped")["points"] == [], 10, "its point is no longer unmapped")
    publisher.send(2, [f"gauge,point=p value=5 {int(time.time() * 1000)}"])
    publisher.wait_ack(2)
    wait_until(lambda: [meter["power"] and meter["power"]["value_w"] for meter in house.collector.get_json("/api/v1/live")["meters"]]
               == [None, 5], 10, "its power is on the page")
    house.collector.wait_settled()
    rows = house.influx.rows('SELECT value FROM "raw"."gauge" GROUP BY *')
    assert sorted((row["value"], row["building"]) for row in rows) == [(4, "b1"), (5, "b2")]
    publisher.close()


def test_with_a_mistake_everything_stays_and_each_is_said(house):
    house.reload(park("modulus = -1; colour = 5;", 'tenant = "nobody";'))
    said = house.wait_said("everything stays")
    assert re.search(rf" ERROR reload: {re.escape(str(house.park))}:7: meters\[0\]\.tenant: unknown tenant \"nobody\"; ", said)
    assert re.search(rf" ERROR reload: {re.escape(str(house.park))}:8: meters\[0\]\.segments\[0\]\.modulus: ", said)
    assert re.search(rf" ERROR reload: {re.escape(str(house.park))}:8: meters\[0\]\.segments\[0\]\.colour: unknown key; ", said)
    # Of what is no change of the past either.
    house.reload(named("wrong").replace('zone = "Asia/Shanghai";', 'zone = "Asia/Shanghai"; colour = 5;'))
    house.wait_said("everything stays")
    house.park.unlink()
    house.reload()
    house.wait_said("park.cfg: No such file or directory; expected a readable settings file")
    house.collector.settings.write_text("park = ;\n")
    house.reload()
    assert "collector.cfg:1: " in house.wait_said("everything stays")
    assert house.numbers() == [1] and house.building() == "x"
    house.collector.wait_healthy()


def test_comments_make_no_version(house):
    house.reload("# nothing\n" + park())
    house.wait_said("version 1 of the park model, unchanged$")
    assert house.numbers() == [1]


def test_a_silent_change_of_the_past_is_refused_and_a_decision_lets_it_in(house):
    changed = park('ct = "1000/5"; registers = "secondary";')
    house.reload(changed)
    said = house.wait_said("nobody decided that: version 1 stays")
    assert f" ERROR model: {house.park}:8: {KEY}.ct: was 1, now 200; this held in the past: " in said
    assert house.numbers() == [1]
    done = run([house.collector.program, "decide", "model", "--config", house.collector.settings, "--why", "protocol 17"], 60)
    assert done.returncode == 0, done.stderr
    # Only these files.
    house.reload(park('ct = "1000/4"; registers = "secondary";'))
    house.wait_said("nobody decided that: version 1 stays")
    house.reload(changed)
    house.wait_said(r"version 2 of the park model: 2 changes? in 1 places?, 2 of the past, decided by user \S+: protocol 17$")
    assert house.query("SELECT why FROM model_version WHERE number = 2") == [("protocol 17",)]
    listed = house.collector.get_json("/api/v1/versions")["versions"]
    kept = house.query("SELECT number, lower(hex(hash)), who, why FROM model_version ORDER BY number DESC")
    assert [(row["number"], row["hash"], row["who"], row["why"]) for row in listed] == kept
    assert house.collector.get_json("/readyz")["model_version"] == 2 == house.collector.metric("parkmon_model_version")
    # A restart reads the same.
    house.collector.restart()
    assert "version 2 of the park model, unchanged" in house.collector.log()


def test_what_cannot_be_changed_while_it_runs_is_named(house):
    settings = house.collector.settings
    before = settings.read_text()
    other = house.stage.folder / "other.cfg"
    other.write_text(named("other"))
    settings.write_text(before.replace(f"port = {house.broker.port};", "port = 1;").replace(str(house.park), str(other)).replace(
        'id = "main"', 'id = "second"'))
    house.reload()
    said = house.wait_said("version 2 of the park model")
    assert f"broker.port: was {house.broker.port}, now 1; counts from the next start on" in said
    assert "id: was main, now second; counts from the next start on" in said
    assert said.count("counts from the next start on") == 2
    wait_until(lambda: house.building() == "other", 10, "the other file is taken")
    house.collector.wait_healthy()
