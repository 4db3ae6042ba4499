"""One reading's whole way: what the simulated park answered, by its own log, is what InfluxDB holds, reading by reading."""

from __future__ import annotations

import sys
import time

from harness.process import wait_until
from harness.servers import SOURCE

sys.path.insert(0, str(SOURCE / "tests"))
from sim import answers  # noqa: E402

MEASUREMENTS = ("register", "gauge", "state")


def by_point(log) -> dict[tuple[str, str, str], list]:
    """(measurement, gateway, point) -> the values that the devices answered, in order."""
    found: dict[tuple[str, str, str], list] = {}
    for answer in answers.read(log):
        found.setdefault((answer.kind, answer.gateway, answer.point), []).append((answer.time_ms, answer.value))
    # A state is sent when it changes (and now and then, more seldom than this test lasts).
    return {key: answers.changes(values) if key[0] == "state" else values for key, values in found.items()}


def in_store(influx) -> dict[tuple[str, str, str], list]:
    return {(measurement, *key): readings for measurement in MEASUREMENTS for key, readings in influx.raw(measurement).items()}


def test_the_store_holds_each_answer_of_the_park_once_and_in_order(park):
    started = time.monotonic()
    # Some polls of every device, so that registers move and states change.
    wait_until(lambda: time.monotonic() - started > 6, 10, "six seconds of polling")
    park.stop_agents()
    park.sim.stop()
    expected = by_point(park.sim.log_of_answers)
    assert len(expected) > 40 and {key[0] for key in expected} == set(MEASUREMENTS)

    park.collector.wait_settled()
    found = in_store(park.influx)
    assert sorted(found) == sorted(expected)
    for key, answered in expected.items():
        stored = found[key]
        assert [value for _, value in stored] == [value for _, value in answered], key
        times = [time_ms for time_ms, _ in stored]
        assert all(earlier < later for earlier, later in zip(times, times[1:])), key
        # The time is that of the answer, as the agent got it: after it was logged, and soon.
        assert all(0 <= stored_ms - answered_ms < 2000 for stored_ms, (answered_ms, _) in zip(times, answered)), key


def test_an_agent_and_a_collector_end_in_order_on_sigterm(park):
    for agent in park.agents.values():
        agent.stop(expect=0)
    park.collector.stop(expect=0)
    for program in (*park.agents.values(), park.collector):
        assert "Sanitizer" not in program.log()
        assert "ERROR" not in program.log(), program.log_tail()
