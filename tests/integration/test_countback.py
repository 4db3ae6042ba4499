"""The count-back: what the store lacks is found and posted again, what it holds too much is told, and nothing goes round in circles."""

from __future__ import annotations

import sqlite3

import pytest
from harness.process import free_port, wait_until
from publisher import Publisher
from swallow import Swallow
from test_collector import House, now_ms

HOUR_MS = 3600_000
TIMES = 360


class Counted(House):
    """Readings of a closed hour: 360 registers, 360 gauges and 60 states."""

    def __init__(self, stage):
        super().__init__(stage)
        self.hour_ms = now_ms() // HOUR_MS * HOUR_MS - 3 * HOUR_MS

    def send(self, agent: Publisher, seq: int = 1) -> None:
        lines = [f"register,point=m value={n}i {self.hour_ms + n * 10_000}" for n in range(TIMES)]
        lines += [f"gauge,point=m.p value={n}.5 {self.hour_ms + n * 10_000}" for n in range(TIMES)]
        lines += [f"state,point=s value=\"s{n}\" {self.hour_ms + n * 60_000}" for n in range(60)]
        agent.send(seq, lines)
        agent.wait_ack(seq)

    def metric(self, name: str) -> float:
        return self.collector.metric(f"parkmon_store_hours_{name}")

    def wait_counted(self, hours: int) -> None:
        wait_until(lambda: self.metric("counted_total") >= hours and not self.due(), 30, f"{hours} hours are counted", poll=0.2)

    def due(self) -> list[tuple]:
        return self.query("SELECT measurement, hour FROM hour WHERE touched > 0 AND measurement <> 'gateway'")

    def count(self, measurement: str) -> int:
        return self.influx.count(measurement)

    def reasons(self) -> str:
        return self.collector.get("/readyz")[1]

    def touch(self, agent: Publisher, seq: int) -> None:
        """A late reading of each kind makes the hour due again."""
        agent.send(seq, [f"register,point=late value={seq}i {self.hour_ms + seq}",
                         f"gauge,point=late.p value={seq} {self.hour_ms + seq}",
                         f"state,point=late.s value=\"{seq}\" {self.hour_ms + seq}"])
        agent.wait_ack(seq)


@pytest.fixture
def house(stage):
    return Counted(stage).start()


def test_an_hour_that_is_as_it_should_is_counted_once_and_a_late_reading_makes_it_due_again(house):
    agent = Publisher(house.broker, "gw-a")
    house.send(agent)
    house.wait_counted(3)
    assert house.query("SELECT count(*) FROM hour WHERE measurement <> 'gateway'") == [(0,)]
    house.touch(agent, 2)
    house.wait_counted(6)
    # Duplicates and what is quarantined are none of the store's.
    agent.send(3, [f"register,point=m value=0i {house.hour_ms}", f"register,point=m value=99i {house.hour_ms + 10_000}",
                   f"register,point=m value=1i {house.hour_ms + 1}"])
    agent.wait_ack(3)
    house.wait_counted(7)
    assert house.metric("mended_total") == 0 and house.metric("different") == 0
    assert "instead of" not in house.collector.log()


def test_a_point_that_was_deleted_behind_our_back_is_found_and_posted_again(house):
    agent = Publisher(house.broker, "gw-a")
    house.send(agent)
    house.wait_counted(3)
    before = house.stored()
    house.influx.query(f"DELETE FROM register WHERE time = {house.hour_ms + 70_000}ms")
    house.influx.query(f"DELETE FROM \"state\" WHERE time >= {house.hour_ms}ms AND time < {house.hour_ms + 600_000}ms")
    assert (house.count("register"), house.count("state")) == (359, 50)
    house.touch(agent, 2)
    house.wait_counted(6)
    assert (house.count("register"), house.count("gauge"), house.count("state")) == (361, 361, 61)
    assert {**before, ("gw-a", "late"): [(house.hour_ms + 2, 2)]} == house.stored()
    assert house.metric("mended_total") == 2
    log = house.collector.log()
    assert "the store holds 360 instead of 361; everything is posted again" in log
    assert "posted again, the store holds all 361 now" in log
    assert "store_differs" not in house.reasons()


def test_a_point_that_is_not_ours_is_told_and_posted_for_once_only(house):
    agent = Publisher(house.broker, "gw-a")
    house.send(agent)
    house.wait_counted(3)
    house.influx.write(f"register,gateway=gw-a,point=stranger value=1i {house.hour_ms + 5}", "raw")
    house.touch(agent, 2)
    wait_until(lambda: house.metric("different") == 1, 30, "the difference is told", poll=0.2)
    reasons = house.reasons()
    assert "store_differs" in reasons and "362 / 361" in reasons
    accepted = house.collector.metric("parkmon_store_lines_total")
    # Told once, and left alone.
    house.touch(agent, 3)
    wait_until(lambda: "363 / 362" in house.reasons(), 30, "it is judged anew when lines go there", poll=0.2)
    assert house.collector.log().count("also after posting again") == 2
    # Not the hour's 361 again; beside the three each minute has a row of its own.
    assert 3 <= house.collector.metric("parkmon_store_lines_total") - accepted < 20

    # It stands in the database; when someone has mended it, it is no reason any more.
    house.collector.restart()
    wait_until(lambda: "store_differs" in house.reasons(), 30, "the reason is there after a restart", poll=0.2)
    house.collector.stop()
    house.influx.query("DROP SERIES FROM register WHERE point = 'stranger'")
    house.collector.start()
    wait_until(lambda: "the store holds all 362 now" in house.collector.log(), 30, "the hour is well", poll=0.2)
    wait_until(lambda: "store_differs" not in house.reasons(), 30, "no reason is left", poll=0.2)


def test_a_write_that_was_swallowed_with_204_is_found_and_mended(stage):
    house = Counted(stage)
    proxy = stage.start(Swallow(stage.folder / "proxy", house.influx.port, free_port()))
    settings = house.collector.settings.read_text().replace(house.influx.url, proxy.url)
    house.collector.settings.write_text(settings)
    house.start()
    agent = Publisher(house.broker, "gw-a")
    house.send(agent)
    house.wait_counted(3)
    proxy.swallow(1)
    agent.send(2, [f"register,point=n value={n}i {house.hour_ms + n}" for n in range(500)])
    agent.wait_ack(2)
    house.wait_counted(4)
    assert proxy.swallowed() == 1
    assert house.count("register") == TIMES + 500
    assert house.metric("mended_total") == 1
    assert house.stored()[("gw-a", "n")] == [(house.hour_ms + n, n) for n in range(500)]


@pytest.mark.parametrize("is_running, what", [(True, "DATABASE parkmon"), (False, "DATABASE parkmon"),
                                              (True, "RETENTION POLICY raw ON parkmon")])
def test_a_database_that_was_dropped_is_filled_again_from_the_journal(house, is_running, what):
    agent = Publisher(house.broker, "gw-a")
    house.send(agent)
    agent.send(2, [f"register,point=m value={n}i {house.hour_ms - n * 40 * HOUR_MS}" for n in (1, 2)])
    agent.wait_ack(2)
    house.wait_counted(5)
    before = {kind: house.influx.raw(kind) for kind in ("register", "gauge", "state")}
    if not is_running:
        house.collector.stop()
    house.influx.query(f"DROP {what}")
    if is_running:
        agent.send(3, [f"register,point=n value=1i {house.hour_ms + HOUR_MS}"])
        agent.wait_ack(3)
        before["register"][("gw-a", "n")] = [(house.hour_ms + HOUR_MS, 1)]
    else:
        house.collector.start()
    wait_until(lambda: {kind: house.influx.raw(kind) for kind in before} == before, 60, "all is there again", poll=0.5)
    assert "was not there and is made anew: what it held is gone" in house.collector.log()
    wait_until(lambda: not house.due(), 60, "all is counted", poll=0.5)
    assert "store_differs" not in house.reasons()


def test_hours_that_are_not_over_or_beyond_retention_are_not_judged(stage):
    house = Counted(stage)
    settings = house.collector.settings.read_text().replace("raw_retention = 0", "raw_retention = 30")
    house.collector.settings.write_text(settings)
    house.start()
    agent = Publisher(house.broker, "gw-a")
    old_ms, now = now_ms() - 40 * 24 * HOUR_MS, now_ms()
    agent.send(1, [f"register,point=m value=1i {old_ms}", f"register,point=m value=2i {now}",
                   f"register,point=m value=3i {house.hour_ms}"])
    agent.wait_ack(1)
    wait_until(lambda: house.query("SELECT hour FROM hour WHERE measurement = 'register'") == [(now // HOUR_MS,)], 30,
               "only the hour that runs is left", poll=0.2)
    assert house.metric("counted_total") == 1 and "instead of" not in house.collector.log()


def test_rows_that_were_derived_stay_until_their_hour_is_counted(house):
    # Rows of the past are put into the outbox as the collector would have, had it run then.
    house.collector.stop()
    hour = house.hour_ms // HOUR_MS
    with sqlite3.connect(house.database) as database:
        for minute in range(60):
            time_ms = house.hour_ms + minute * 60_000
            database.execute("INSERT INTO outbox(series, time_ms, line) VALUES('gateway,gw-a', ?, ?)",
                             (time_ms, f"gateway,gateway=gw-a,site=s1 online=1i,lost=0i {time_ms}\n"))
    database.close()
    house.start()
    wait_until(lambda: house.query(f"SELECT counted FROM hour WHERE measurement = 'gateway' AND hour = {hour}") == [(60,)], 30,
               "the hour is counted", poll=0.2)
    assert house.query(f"SELECT count(*) FROM outbox WHERE time_ms < {house.hour_ms + HOUR_MS}") == [(0,)]
    assert len(house.influx.rows(f"SELECT online FROM gateway WHERE time < {house.hour_ms + HOUR_MS}ms")) == 60
    assert "instead of" not in house.collector.log()


def test_a_row_that_comes_weeks_after_its_hour_was_counted_is_no_difference(house):
    """How many rows were let go of an hour is forgotten 35 days before the newest: then only the late one is here, and the store holds all."""

    def put(hour_ms: int, minutes: range) -> None:
        house.collector.stop()
        with sqlite3.connect(house.database) as database:
            database.executemany("INSERT INTO outbox(series, time_ms, line) VALUES('gateway,gw-a', ?1, 'gateway,gateway=gw-a,site=s1 online=1i,lost=0i ' || ?1"
                                 " || char(10))", [(hour_ms + minute * 60_000,) for minute in minutes])
        database.close()
        house.start()

    def wait_counted(hour_ms: int, number: int) -> None:
        wait_until(lambda: house.query(f"SELECT touched, counted FROM hour WHERE measurement = 'gateway' AND hour = {hour_ms // HOUR_MS}") == [(0, number)], 30,
                   "the hour is counted", poll=0.2)

    old_ms = house.hour_ms - 50 * 24 * HOUR_MS
    put(old_ms, range(4))
    wait_counted(old_ms, 4)
    put(house.hour_ms, range(60))
    wait_counted(house.hour_ms, 60)
    assert house.query(f"SELECT count(*) FROM hour WHERE hour = {old_ms // HOUR_MS}") == [(0,)]
    put(old_ms, range(10, 11))
    wait_counted(old_ms, 5)
    assert "instead of" not in house.collector.log() and "store_differs" not in house.reasons()


def test_rows_that_a_collector_at_rest_could_not_count_for_a_day_are_nobody_elses(house):
    """It was switched off before the hour was over, for longer than rows are kept that wait to be counted."""
    agent = Publisher(house.broker, "gw-a")
    house.send(agent)
    house.wait_counted(3)
    house.collector.stop()
    hour_ms = house.hour_ms - 48 * HOUR_MS
    rows = [(hour_ms + minute * 60_000, f"gateway,gateway=gw-a,site=s1 online=1i,lost=0i {hour_ms + minute * 60_000}\n")
            for minute in range(30)]
    for _, line in rows:
        house.influx.write(line, "autogen")
    with sqlite3.connect(house.database) as database:
        database.executemany("INSERT INTO outbox(series, time_ms, line, sent_ms) VALUES('gateway,gw-a', ?1, ?2, ?1 + 1000)", rows)
        database.execute("INSERT INTO hour(measurement, hour, touched) VALUES('gateway', ?, 30)", (hour_ms // HOUR_MS,))
        # What waits for the store is posted first, and its result lets go what is old.
        database.execute("UPDATE cursor SET position = 0")
    database.close()
    house.start()
    wait_until(lambda: house.query(f"SELECT touched, counted FROM hour WHERE hour = {hour_ms // HOUR_MS}") == [(0, 30)], 30,
               "the hour is counted", poll=0.2)
    assert house.query(f"SELECT count(*) FROM outbox WHERE time_ms < {hour_ms + HOUR_MS}") == [(0,)]
    assert "instead of" not in house.collector.log() and "store_differs" not in house.reasons()


def test_answers_that_come_when_the_writer_has_given_up_double_nothing(stage):
    house = Counted(stage)
    proxy = stage.start(Swallow(stage.folder / "proxy", house.influx.port, free_port()))
    settings = house.collector.settings.read_text().replace(house.influx.url, proxy.url)
    house.collector.settings.write_text(settings.replace("raw_retention = 0;", "raw_retention = 0; timeout = 0.5;"))
    house.start()
    proxy.delay(2, 20)
    agent = Publisher(house.broker, "gw-a")
    house.send(agent)
    wait_until(lambda: "store_unavailable" in house.reasons(), 30, "the store does not answer in time", poll=0.1)
    house.collector.wait_settled()
    house.wait_counted(3)
    assert (house.count("register"), house.count("gauge"), house.count("state")) == (TIMES, TIMES, 60)
    assert house.stored()[("gw-a", "m")] == [(house.hour_ms + n * 10_000, n) for n in range(TIMES)]
    assert house.metric("mended_total") == 0 and house.query("SELECT count(*) FROM quarantine") == [(0,)]
