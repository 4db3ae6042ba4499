"""A broker whose rules lack a line: the agent says which, keeps everything, and delivers it when the line is there.

PARKMON_LONG=1 waits the minute after which a silent collector is told; else only what is told at once is looked at.
"""

from __future__ import annotations

import os
import signal

import evidence
import pytest
from harness.process import wait_until
from harness.stage import Park

GATEWAY = "gw-a"
IS_LONG = os.environ.get("PARKMON_LONG") == "1"


@pytest.fixture
def park(stage):
    made = Park(stage, every=0.5)
    made.start_servers()
    made.collector.wait_connected()
    return made


class Rules:
    """The broker's own, which it reads again when told."""

    def __init__(self, park):
        self.broker = park.broker
        self.path = park.broker.folder / "acl"
        self.whole = self.path.read_text()

    def set(self, text: str) -> None:
        self.path.write_text(text)
        self.broker.process.send_signal(signal.SIGHUP)

    def without(self, line: str) -> None:
        assert line in self.whole
        self.set(self.whole.replace(line, ""))


def spool(park) -> evidence.Spooled:
    return evidence.read_spool(park.agents[GATEWAY].settings.with_suffix(".spool"))


def finish(park) -> None:
    """With the rules whole, all that waited arrives; nothing of it is lost or doubled."""
    waiting = spool(park)
    held = waiting.readings
    wait_until(lambda: spool(park).mark > max(waiting.batches, default=0), 90, "what waited is acknowledged")
    park.agents[GATEWAY].stop()
    held |= spool(park).readings
    park.collector.wait_settled()
    found = [(kind, point, *reading) for kind in evidence.KINDS
             for (gateway, point), readings in park.influx.raw(kind).items() if gateway == GATEWAY for reading in readings]
    assert len(found) == len(set(found))
    assert held <= set(found)
    assert park.collector.metric("parkmon_losses_total") == 0


def test_an_agent_that_may_not_publish_names_the_topic_and_delivers_when_it_may(park):
    rules, agent = Rules(park), park.agents[GATEWAY]
    rules.without("pattern write park/v1/gw/%u/up")
    agent.start()
    wait_until(lambda: f"denies user {GATEWAY} to publish to park/v1/gw/{GATEWAY}/up; its access list must allow it"
               in agent.log(), 30, "the agent says so")
    wait_until(lambda: len(spool(park).readings) > 20, 30, "it polls on")
    assert spool(park).mark == 0
    assert agent.log().count("denies user") == 1
    rules.set(rules.whole)
    wait_until(lambda: f"lets user {GATEWAY} publish to park/v1/gw/{GATEWAY}/up again" in agent.log(), 60, "it is over")
    finish(park)


def test_an_agent_that_may_not_read_its_acknowledgements_says_so_after_a_minute(park):
    rules, agent = Rules(park), park.agents[GATEWAY]
    rules.without("pattern read park/v1/gw/%u/ack")
    agent.start()
    wait_until(lambda: park.collector.metric("parkmon_batches_total") >= 3, 30, "batches arrive at the collector")
    assert spool(park).mark == 0
    said = f"the collector is down, or read permission on park/v1/gw/{GATEWAY}/ack is missing"
    assert said not in agent.log()
    if IS_LONG:
        wait_until(lambda: said in agent.log(), 75, "the agent says what may be wrong")
    rules.set(rules.whole)
    agent.restart()  # mosquitto grants a subscription when it is made
    finish(park)
