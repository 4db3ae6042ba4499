"""A gateway with many meters that falls silent is one message, whatever rules there are, also over a kill; through the real programs, with a receiver that
counts. What must be said is written here from the README."""

from __future__ import annotations

import os
import signal
import time

from alarm_house import ALWAYS, SEGMENT, Alarms, Receiver, hook, wait_events
from harness.process import wait_until

METERS = [f"m{i}" for i in range(200)]
PARK = ALWAYS + "meters = (" + ",\n".join(f'{{ id = "{name}"; name = "x"; name_en = "x"; building = "b1"; carrier = "water"; {SEGMENT.format(name)} }}' for name in METERS) + ");"
# Meters are less patient than their gateway: they would be first.
METER = '{ id = "meter"; kind = "no_data"; on = ("meter:*", "point:gw-a/probe"); for = %d; }'
GATEWAY = '{ id = "gateway"; kind = "no_data"; severity = "critical"; on = ("gateway:gw-a"); for = %d; }'
BUSY = 60  # while the test speaks, which may take it a while


def test_a_silent_gateway_of_many_meters_is_one_message(stage):
    receiver = Receiver()

    def rules(*patience: int) -> tuple[str, str, str]:
        return ",\n".join(rule % seconds for rule, seconds in zip((METER, GATEWAY), patience, strict=False)), hook(receiver), "repeat = 3600;"

    house = Alarms(stage, PARK, *rules(2, BUSY))
    house.begin()

    def speak(*but: str) -> None:
        now = int(time.time() * 1000)
        house.send(f"gauge,point=probe value=1 {now}", *(f"register,point={name} value=7i {now}" for name in METERS if name not in but))

    def speaks_until(is_so, what: str, *but: str) -> None:
        wait_until(lambda: speak(*but) or is_so(), 60, what, 0.3)

    def states(rule: str) -> list[tuple[str, str]]:
        return [(one["target"]["id"], one["state"]) for one in reversed(house.of(rule))]

    for _ in range(3):
        speak()
    house.reload(*rules(2, 5))
    house.wait_standing("gateway", True)
    house.write(*rules(2, BUSY))
    house.bounce()
    assert states("gateway") == [("gw-a", "standing")] and states("meter") == []
    # It is back, but one meter is not: that one alone, after its time.
    speaks_until(lambda: states("gateway") == [("gw-a", "cleared")], "the gateway is back", "m7")
    speaks_until(lambda: states("meter") == [("m7", "standing")], "the one that stayed silent is told", "m7")
    speaks_until(lambda: states("meter") == [("m7", "cleared")], "it is heard")
    # Nobody watches gateways: the rule of the meters tells of it, once.
    house.reload(*rules(2))
    wait_until(lambda: states("meter") == [("m7", "cleared"), ("gw-a", "standing")], 60, "the gateway is told by the rule of its meters")
    house.write(*rules(BUSY))
    house.bounce()
    speaks_until(lambda: states("meter") == [("m7", "cleared"), ("gw-a", "cleared")], "it is back")
    expected = [("gateway", "gw-a", "fired"), ("gateway", "gw-a", "cleared"), ("meter", "m7", "fired"), ("meter", "m7", "cleared"), ("meter", "gw-a", "fired"),
                ("meter", "gw-a", "cleared")]
    wait_until(lambda: len({said["id"] for _, _, said in receiver.posts}) >= len(expected), 30, "all is told")
    told = {said["id"]: (said["rule"], said["target"]["id"], said["event"]) for _, _, said in receiver.posts}
    assert list(told.values()) == expected
    receiver.close()


def test_a_collector_that_stood_still_tells_of_no_silence(stage):
    receiver = Receiver()
    house = Alarms(stage, ALWAYS, '{ id = "gateway"; kind = "no_data"; on = ("gateway:gw-a"); for = 6; }', hook(receiver), "repeat = 3600;")
    house.begin()

    def speak(seconds: int) -> None:
        for _ in range(seconds):
            house.seq += 1
            house.agent.send(house.seq, [f"gauge,point=probe value=1 {int(time.time() * 1000)}"])
            time.sleep(1)  # a word a second

    speak(2)
    house.agent.wait_ack(house.seq)
    os.kill(house.collector.pid, signal.SIGSTOP)
    speak(10)
    os.kill(house.collector.pid, signal.SIGCONT)
    speak(3)
    house.agent.wait_ack(house.seq)
    assert house.of("gateway") == []
    house.wait_standing("gateway", True)  # it listens
    wait_events(receiver, "gateway", ["fired"])
    receiver.close()
