"""The alarms that need more than a reading: people in a space, an instrument that runs without a session, and the collector's own clock. Each fires once and
clears once, with a kill between, through the real programs."""

from __future__ import annotations

import time
from datetime import datetime, timezone

from alarm_house import Alarms, Receiver, hook, park, wait_events
from campaign import shim
from harness.parkmon import release_folder
from harness.process import wait_until
from test_ops_forms import Person

QUARTER_S = 900


def begin(stage, rules: str, **options) -> tuple[Alarms, Receiver]:
    receiver = Receiver()
    house = Alarms(stage, park(), rules, hook(receiver), "repeat = 3600;", **options)
    house.begin()
    return house, receiver


def test_people_above_a_number_fire_and_clear(stage):
    """By quarter hours that are over: a door that nobody passes, and what persons counted."""
    house, receiver = begin(stage, '{ id = "crowd"; kind = "threshold"; on = ("space:hall"); above = "40"; clear = "38.5"; for = 0; clear_for = 0; }')
    porter = house.token("porter", "--role", "operator", "--scope", "readings")
    now = int(time.time())
    quarter = now // QUARTER_S * QUARTER_S
    read = range(quarter - 4 * QUARTER_S, now, 60)

    def pass_nobody(*times: float) -> None:
        house.send(*(f"register,point=d.{way} value={count}i {int(at * 1000)}" for at in times for way, count in (("in", 700), ("out", 600))))

    def count(persons: int, at: int) -> None:
        said = {"space": "hall", "persons": persons, "at": datetime.fromtimestamp(at, timezone.utc).isoformat()}
        status, answer = house.ask("POST", "/api/v1/counts", porter, said)
        assert status == 201, answer

    def is_so(is_standing: bool) -> bool:
        pass_nobody(time.time())  # as a door does: so a quarter hour that ends meanwhile is observed to its end
        return any((one["state"] == "standing") == is_standing for one in house.of("crowd"))

    pass_nobody(*read)
    count(41, quarter - 3 * QUARTER_S)
    wait_until(lambda: is_so(True), 60, "too many people", 0.5)
    fired, = house.of("crowd")
    assert (fired["value"], fired["limit"], fired["unit"], fired["target"]["name_en"]) == (41.0, 40.0, "1", "Hall")
    leads = f'<a href="/ops/occupancy?length=day&amp;from={fired["fired"][:10]}&amp;site=s1&amp;space=hall&amp;lang=en">Hall</a>'
    assert leads in Person(house, house.operator).send("GET", "/ops/alarms?lang=en")[2]
    house.bounce()
    count(39, quarter - QUARTER_S // 2)  # between the limits: it stands
    wait_until(lambda: is_so(True), 60, "it stands", 0.5)
    count(38, quarter - QUARTER_S // 4)
    wait_until(lambda: is_so(False), 60, "people have gone", 0.5)
    assert [one["id"] for one in house.of("crowd")] == [fired["id"]]
    wait_events(receiver, "crowd", ["fired", "cleared"])
    receiver.close()


def test_an_instrument_that_runs_without_a_session_fires_and_a_session_clears_it(stage):
    house, receiver = begin(stage, '{ id = "alone"; kind = "left_running"; on = ("instrument:sem"); when = "no_session"; for = 0; clear_for = 0; }')

    def reads(watts: float, session: str, is_standing: bool) -> bool:
        now = int(time.time() * 1000)
        house.send(f"gauge,point=sem value={watts} {now}", *([f'state,point=sem.s value="{session}" {now}'] if session else []))
        return any((one["state"] == "standing") == is_standing for one in house.of("alone"))

    # Nobody knows of sessions: it does not fire.
    wait_until(lambda: reads(500, "", False) or house.collector.get_json("/api/v1/instruments/sem")["activity"] == "running", 30, "it runs", 0.5)
    for _ in range(3):
        reads(500, "", True)
        time.sleep(0.5)
    assert house.of("alone") == []
    wait_until(lambda: reads(500, "close event=k0", True), 30, "it runs without a session", 0.5)
    fired, = house.of("alone")
    house.bounce()
    for _ in range(3):
        reads(500, "close event=k0", True)
    assert [one["state"] for one in house.of("alone")] == ["standing"]
    wait_until(lambda: reads(500, "open event=k1 class=internal", False), 30, "somebody opened a session", 0.5)
    assert [one["id"] for one in house.of("alone")] == [fired["id"]]
    wait_events(receiver, "alone", ["fired", "cleared"])
    receiver.close()


def test_the_collectors_own_clock_fires_and_clears(stage):
    """What the kernel says is played by the campaign's library, which no build with sanitizers can be given."""
    control = shim.Control(stage.folder / "control", shim.build(stage.folder))
    receiver = Receiver()
    rules = '{ id = "time"; kind = "clock"; on = ("collector"); for = 0; clear_for = 0; }'
    house = Alarms(stage, park(), rules, hook(receiver), "repeat = 3600;", clock="kernel", build=release_folder())
    house.collector.environment = control.environment
    house.begin()
    assert house.of("time") == []
    control.set(is_unsynchronised=1)
    fired = house.wait_standing("time", True)
    assert fired["target"] == {"kind": "collector", "id": "", "name": None, "name_en": None}
    house.bounce()
    assert house.wait_standing("time", True)["id"] == fired["id"]
    control.set(is_unsynchronised=0)
    assert house.wait_standing("time", False)["id"] == fired["id"]
    wait_events(receiver, "time", ["fired", "cleared"])
    assert len(house.of("time")) == 1
    receiver.close()
