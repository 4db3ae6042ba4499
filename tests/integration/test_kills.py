"""SIGKILL of each program once, with unacknowledged batches in flight: everything committed to a spool is in the store, once."""

from __future__ import annotations

import sys
from pathlib import Path

import evidence
import pytest
from harness.process import wait_until
from harness.servers import SOURCE
from harness.stage import Park

sys.path.insert(0, str(SOURCE / "tests"))
from sim import answers  # noqa: E402

GATEWAY = "gw-a"


READINGS_MIN = 50  # of the spool at the kill: fewer would prove little


@pytest.fixture
def park(stage):
    """The sanitizers' build polled five times a second."""
    return Park(stage, every=0.2).start()


def spool_path(park) -> Path:
    return park.agents[GATEWAY].settings.with_suffix(".spool")


def database_path(park) -> Path:
    return park.collector.settings.with_suffix(".db")


def spool_now(park, name: str) -> evidence.Spooled:
    """The spool as it is on disk; its agent must not run meanwhile."""
    return evidence.read_spool(evidence.copy_database(spool_path(park), park.folder / name))


def wait_delivering(park) -> None:
    wait_until(lambda: evidence.read_marks(database_path(park)).get(GATEWAY, 0) >= 5, 30, "five batches are acknowledged")


def wait_in_flight(park) -> None:
    """With the collector stopped, batches are cut and published and nothing acknowledges them."""
    park.collector.pause()
    mark = evidence.read_marks(database_path(park))[GATEWAY]

    def is_in_flight() -> bool:
        spooled = evidence.read_spool(spool_path(park))
        return max(spooled.batches, default=0) >= mark + 4 and len(spooled.readings) > READINGS_MIN
    wait_until(is_in_flight, 30, "four batches are in flight")


def assert_in_flight(spooled: evidence.Spooled, park) -> None:
    mark = evidence.read_marks(database_path(park))[GATEWAY]
    assert max(spooled.batches) >= mark + 4, "the kill must strike with unacknowledged batches in flight"


def finish(park) -> None:
    """Lets everything through, then ends the sources."""
    marks = evidence.read_marks(database_path(park))
    wait_until(lambda: all(evidence.read_marks(database_path(park)).get(gateway, 0) >= marks.get(gateway, 0) + 5
                           for gateway in park.agents), 60, "every agent delivers again")
    park.stop_agents()
    park.sim.stop()
    park.collector.wait_settled()


def in_store(park) -> dict[tuple[str, str], list[tuple[int, evidence.Value]]]:
    """(kind, point) of the gateway -> its readings."""
    return {(kind, point): readings for kind in evidence.KINDS
            for (gateway, point), readings in park.influx.raw(kind).items() if gateway == GATEWAY}


def assert_delivered_once(park, spooled: evidence.Spooled, may_lack: bool = False) -> None:
    """`may_lack`: the agent was killed, so answers of its last commit interval may be gone."""
    found = in_store(park)
    held = {(*key, time_ms, value) for key, readings in found.items() for time_ms, value in readings}
    assert len(spooled.readings) > READINGS_MIN
    assert spooled.readings <= held, f"lost: {sorted(map(str, spooled.readings - held))[:5]}"

    # Once: the store's readings are the simulator's answers, each at most once, in their order.
    answered = answers.expected(park.sim.log_of_answers, GATEWAY)
    for (kind, point), readings in found.items():
        said = answers.changes(answered[point]) if kind == "state" else answered[point]
        values, expected = [value for _, value in readings], [value for _, value in said]
        if kind == "state":
            values = [value for _, value in answers.changes(readings)]
        if may_lack or kind == "state":
            assert is_subsequence(values, expected), point
            # At most a commit interval (0.2 s) and a start of the program are missing.
            assert len(expected) - len(values) <= 20, point
        else:
            assert values == expected, point

    for gateway, seqs in evidence.read_journal(database_path(park)).items():
        assert seqs == list(range(1, len(seqs) + 1)), f"{gateway}: the journal has each batch once and in order"
    assert park.collector.metric("parkmon_losses_total") == 0
    assert park.collector.metric("parkmon_quarantined_total") == 0


def is_subsequence(short: list, long: list) -> bool:
    rest = iter(long)
    return all(value in rest for value in short)


def test_the_agent_killed(park):
    wait_delivering(park)
    wait_in_flight(park)
    agent = park.agents[GATEWAY]
    agent.kill()
    spooled = spool_now(park, "at-the-kill")
    assert_in_flight(spooled, park)
    park.collector.resume()
    agent.start()
    finish(park)
    assert_delivered_once(park, spooled, may_lack=True)


def strike(park, victim=None) -> evidence.Spooled:
    """Kills the victim while the agent stands still, so that its spool can be read as it is at that instant."""
    agent = park.agents[GATEWAY]
    agent.pause()
    if victim is not None:
        victim.kill()
    spooled = spool_now(park, "at-the-kill")
    assert_in_flight(spooled, park)
    agent.resume()
    return spooled


def test_the_broker_killed(park):
    wait_delivering(park)
    wait_in_flight(park)
    spooled = strike(park, park.broker)
    park.collector.resume()
    park.broker.start()
    finish(park)
    assert_delivered_once(park, spooled)


def test_the_collector_killed(park):
    wait_delivering(park)
    wait_in_flight(park)
    spooled = strike(park, park.collector)
    park.collector.start()
    finish(park)
    assert_delivered_once(park, spooled)


def test_the_store_killed(park):
    wait_delivering(park)
    park.influx.kill()
    wait_in_flight(park)
    spooled = strike(park)
    park.collector.resume()
    wait_until(lambda: park.collector.metric("parkmon_store_backlog_batches") >= 5, 30, "batches wait for the store")
    park.influx.start()
    finish(park)
    assert_delivered_once(park, spooled)
