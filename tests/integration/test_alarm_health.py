"""Alarms of the collector's own health, through the real programs: what it is told by dies, and receivers hear of it, whatever else cannot be judged."""

from __future__ import annotations

import re
from html import unescape

import pytest
from alarm_house import Alarms, Receiver, hook, park, wait_events
from campaign import shim
from harness.parkmon import release_folder
from harness.process import wait_until
from harness.stage import Stage
from publisher import Publisher
from test_ops_forms import TEXTS

RULES = """
  { id = "ill"; kind = "health"; severity = "critical"; for = 2; clear_for = 1; },
  { id = "down"; kind = "health"; on = ("collector"); level = "failing"; for = 1; clear_for = 0; },
  { id = "quiet"; kind = "no_data"; on = ("gateway:gw-b"); for = 3600; }
"""
NO_NUMBERS = {"value": None, "fired_value": None, "now_value": None, "limit": None, "unit": "", "reason": None, "period": None, "below": False}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("health")) as stage:
        receiver = Receiver()
        found = Alarms(stage, park(), RULES, hook(receiver), "repeat = 3600;")
        found.receiver = receiver
        found.begin()
        yield found
        receiver.close()


def codes(house) -> list[str]:
    """Of the collector itself."""
    return [one["code"] for one in house.collector.get_json("/api/v1/live")["health"]["reasons"] if not re.match("gateway|alarm_receivers|losses", one["code"])]


def falls_ill(house, code: str, bounce, mend) -> None:
    """It is said once, over a kill of the collector, and once that it is over."""
    house.receiver.posts.clear()
    before = {one["id"] for one in house.of("ill")}
    fired = wait_until(lambda: next((one for one in house.of("ill") if one["id"] not in before), None), 60, f"it fires: {codes(house)}", 0.2)
    assert codes(house) == [code] == fired["reasons"]
    assert fired["target"] == {"kind": "collector", "id": "", "name": None, "name_en": None}
    said, = wait_events(house.receiver, "ill", ["fired"])
    assert said["reasons"] == [code] and {key: said[key] for key in NO_NUMBERS} == NO_NUMBERS
    words = TEXTS["en"][f"reason_{code}"]
    assert f"[critical] Alarm: Collector is not well ({words}) · collector main · since " in said["text"]
    bounce()
    wait_until(lambda: code in codes(house), 60, f"it says {code} again", 0.2)
    for language in ("zh", "en"):
        page = house.collector.get(f"/ops/alarms?lang={language}")[1]
        assert TEXTS[language][f"reason_{code}"] in page and re.search(r'<th scope="row">[^<]+<span class="id">', page)  # it has no page to lead to
    summary = house.collector.get_json("/api/v1/summary")["alarms"]
    assert (summary["standing"], summary["critical"], summary["off"]) == (1, 1, False)
    mend()
    wait_until(lambda: all(one["state"] == "cleared" for one in house.of("ill")), 60, "it is over", 0.2)
    told = wait_events(house.receiver, "ill", ["fired", "cleared"])
    assert told[-1]["reasons"] == [code] and f"[critical] Cleared: Collector is not well ({words})" in told[-1]["text"]
    assert {one["id"] for one in house.of("ill")} - before == {fired["id"]}
    assert house.of("down") == []


def test_the_broker_dies_and_one_message_says_so_and_one_that_it_is_back(house):
    def bounce() -> None:
        house.collector.kill()
        house.collector.start()

    wait_until(lambda: codes(house) == [], 30, "it is well")
    house.broker.kill()
    falls_ill(house, "broker_disconnected", bounce, house.broker.start)


def test_the_store_dies_and_one_message_says_so_and_one_that_it_is_back(house):
    def bounce() -> None:
        house.bounce()
        house.gauge("t", 2)  # for a store that never answered in this life

    wait_until(lambda: codes(house) == [], 30, "it is well")
    house.agent = Publisher(house.broker, "gw-a")  # the broker may be another
    house.influx.kill()
    house.gauge("t", 1)
    falls_ill(house, "store_unavailable", bounce, house.influx.start)


def test_by_a_clock_that_was_ahead_alarms_are_said_to_be_off_and_that_is_an_alarm(stage):
    """What the kernel says is played by the campaign's library, which no build with sanitizers can be given."""
    control = shim.Control(stage.folder / "control", shim.build(stage.folder))
    receiver = Receiver()
    house = Alarms(stage, park(), RULES, hook(receiver), "repeat = 3600;", clock="kernel", build=release_folder())
    house.collector.environment = control.environment
    house.begin()
    wait_until(lambda: codes(house) == [], 30, "it is well")
    control.set(is_unsynchronised=1, clock_offset_ms=86_400_000)
    house.gauge("main.p", 1)
    control.set(clock_offset_ms=0)
    control.set(is_unsynchronised=0)
    fired = house.wait_standing("ill", True)
    wait_until(lambda: codes(house) == ["collector_clock", "alarms_off"], 30, "the clock is behind what arrived")
    assert set(fired["reasons"]) == {"collector_clock", "alarms_off"}
    wait_events(receiver, "ill", ["fired"])
    assert house.collector.get_json("/api/v1/summary")["alarms"]["off"] is True
    for language in ("zh", "en"):
        assert TEXTS[language]["reason_alarms_off"] in unescape(house.collector.get(f"/ops/alarms?lang={language}")[1])
    receiver.close()
