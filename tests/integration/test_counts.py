"""Somebody counts the people in a space: over HTTP, with a number as JSON has it or as a form sends it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

import pytest
from harness.parkmon import new_collector
from harness.process import run
from test_versions import park

HALL = """
spaces = ( { id = "hall"; name = "厅"; name_en = "Hall"; building = "b1";
  doors = ( { id = "d"; name = "门"; name_en = "Door"; in = "gw-a/d.in"; out = "gw-a/d.out"; } ); },
  { id = "room"; name = "室"; name_en = "Room"; building = "b1"; } );
"""


@pytest.fixture
def house(stage):
    file = stage.folder / "park.cfg"
    file.write_text(park() + HALL)
    return stage.start(new_collector(stage.folder / "collector", stage.broker("gw-a"), stage.influx(), file))


def token(collector, *words: str) -> str:
    done = run([collector.program, "token", "add", "--config", collector.settings, "--role", "operator", "--name", "porter", *words])
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def say(collector, secret: str, body: dict) -> tuple[int, str]:
    request = urllib.request.Request(f"{collector.http_url}/api/v1/counts", json.dumps(body).encode(),
                                     {"Content-Type": "application/json", "Authorization": f"Bearer {secret}"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_count_is_taken_noted_and_refused_in_one_sentence(house):
    porter, reader = token(house, "--scope", "readings"), token(house)
    for minutes, persons in ((2, 7), (1, "8")):
        at = datetime.now(timezone.utc) - timedelta(minutes=minutes)
        status, text = say(house, porter, {"space": "hall", "persons": persons, "at": at.isoformat(timespec="seconds"), "note": "evening round"})
        assert status == 201, text
    for body, why in (({"space": "hall", "persons": 1.5}, "persons"), ({"space": "hall", "persons": -1}, "persons"), ({"space": "hall"}, "persons"),
                      ({"space": "hall", "persons": True}, "persons"), ({"space": "nowhere", "persons": 1}, "nowhere"),
                      ({"space": "room", "persons": 1}, "room"), ({"space": "hall", "persons": 1, "name": "x"}, "name")):
        status, text = say(house, porter, body)
        assert status in (400, 404, 422) and why in json.loads(text)["error"]["message"], (body, status, text)
    assert say(house, reader, {"space": "hall", "persons": 1})[0] == 403
