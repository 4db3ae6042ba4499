"""Instruments by HTTP, of a running collector: what the API says is what is published, whatever is asked."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from harness.process import wait_until
from icalendar import Calendar
from test_board import House

LIST = "/api/v1/instruments"


@pytest.fixture
def house(stage):
    return House(stage)


def get(house, path: str, headers: dict[str, str] | None = None):
    return urlopen(Request(f"http://127.0.0.1:{house.collector.port}{path}", headers=headers or {}), timeout=10)


def ask(house, path: str) -> dict:
    with get(house, path) as answer:
        return json.load(answer)


def all_told(house) -> None:
    """sem runs, laser stands by and its water is on, nobody is at xrd."""
    house.power("sem", 100)
    house.power("laser", 15)
    house.state("water", "on")
    house.state("xrd", "close event=1")
    house.wait("sem", "IN_USE", "running")
    house.wait("laser", "AVAILABLE", "free")
    house.wait("booked", "RESERVED", "reserved")
    house.wait("ahead", "AVAILABLE", "free")


def timeless(answer: dict) -> dict:
    """Without what grows older by itself, for which alone nothing is published."""
    kept = {key: value for key, value in answer.items() if key not in ("as_of", "sources", "next_free", "resources")}
    next_free = answer.get("next_free")
    resources = [{key: value for key, value in resource.items() if key != "last"} for resource in answer.get("resources", [])]
    return {**kept, "next_free": "now" if next_free and next_free == answer["as_of"] else next_free, "resources": resources}


def test_the_api_says_what_is_published(house):
    all_told(house)
    for instrument in ("sem", "laser", "booked", "ahead"):
        def is_same():
            return timeless(ask(house, f"{LIST}/{instrument}")) == timeless(house.answer(instrument))

        wait_until(is_same, 20, f"API and topic agree on {instrument}")
    listed = ask(house, LIST)
    assert [item["id"] for item in listed["instruments"]] == ["sem", "xrd", "laser", "booked", "ahead"]
    assert listed["count"] == 5 and listed["next"] is None
    free = {item["id"] for item in ask(house, f"{LIST}?available=now")["instruments"]}
    assert {"laser", "ahead"} <= free and not {"sem", "booked"} & free
    with get(house, f"{LIST}/sem") as answer:
        tag = answer.headers["ETag"]
        assert answer.headers["Cache-Control"] == "public, max-age=1" and tag
    with pytest.raises(HTTPError) as refused:
        get(house, f"{LIST}/nothing")
    assert refused.value.code == 404 and json.load(refused.value)["error"]["code"] == "unknown_instrument"


def test_the_next_time_in_common_is_between_the_bookings(house):
    all_told(house)
    for length, after in (("1h", 1), ("90m", 3)):  # booked to +1 h, ahead from +2 h to +3 h
        slot = ask(house, f"{LIST}?ids=ahead,booked&length={length}")["slot"]
        assert slot["found"] == "slot" and datetime.fromisoformat(slot["begin"]) == house.now + timedelta(hours=after), slot
    slot = ask(house, f"{LIST}?ids=ahead,sem&length=1h")["slot"]  # who is at it has not said when he goes
    assert (slot["found"], slot["begin"], slot["of"]) == ("not_known", None, "sem")


def test_a_feed_has_the_bookings_and_nobodys_name(house):
    all_told(house)
    for instrument, from_h, until_h in (("booked", -1, 1), ("ahead", 2, 3)):
        with get(house, f"{LIST}/{instrument}.ics") as answer:
            raw, tag = answer.read(), answer.headers["ETag"]
        events = Calendar.from_ical(raw).walk("VEVENT")
        assert [(event["DTSTART"].dt, event["DTEND"].dt) for event in events] == [
            (house.now + timedelta(hours=from_h), house.now + timedelta(hours=until_h))]
        assert b"Dr." not in raw and tag
    with get(house, f"{LIST}/sem.ics") as answer:
        assert not Calendar.from_ical(answer.read()).walk("VEVENT")


def test_a_timeline_has_what_was_and_what_is_ahead(house):
    all_told(house)
    with pytest.raises(HTTPError) as refused:
        get(house, f"{LIST}/ahead/timeline?from=yesterday")
    assert refused.value.code == 400
    begin, end = ((house.now + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ") for hours in (-2, 5))
    for instrument in ("ahead", "booked", "sem"):
        line = ask(house, f"{LIST}/{instrument}/timeline?from={begin}&until={end}")
        as_of = datetime.fromisoformat(line["as_of"])
        spans = [(datetime.fromisoformat(span["from"]), datetime.fromisoformat(span["until"]), span["state"]) for span in line["spans"]]
        assert spans[0][0] == house.now - timedelta(hours=2) and spans[-1][1] == house.now + timedelta(hours=5)
        for before, after in zip(spans, spans[1:]):
            assert before[1] == after[0] and before[2] != after[2]

        def state_at(time: datetime) -> str:
            return next(state for begins, ends, state in spans if begins <= time < ends)

        ahead = [state_at(as_of + timedelta(minutes=minutes)) for minutes in (30, 90, 150, 240)]
        assert ahead == {"ahead": ["free", "free", "reserved", "free"], "booked": ["reserved", "free", "free", "free"],
                         "sem": ["unknown"] * 4}[instrument], (instrument, ahead)
        if instrument == "sem":  # it ran a moment ago, and told nothing before it was switched on
            assert state_at(as_of - timedelta(seconds=1)) == "in_use" and spans[0][2] == "unknown"
