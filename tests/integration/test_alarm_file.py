"""The file of alarms: each mistake is one sentence with its file and line, at a start, at a check and at a reload, where it changes nothing."""

from __future__ import annotations

import os
import signal

import pytest
from alarm_house import Alarms, Receiver, hook, park, wait_events
from harness.process import run, wait_until
from harness.stage import Stage

GOOD = '{ id = "power"; kind = "threshold"; on = ("meter:main"); above = "1000"; for = 0; clear_for = 0; }'
# What is written in line 3, and what is said of it.
MISTAKES = [
    ('{ id = "x"; kind = "smoke"; }', 'rules[0].kind: "smoke" is not known; expected one of no_data, threshold, base_load, water, balance, left_running, clock, disk, loss, health'),
    ('{ id = "x"; kind = "disk"; colour = "red"; }', "rules[0].colour: unknown key; expected one of id, kind, severity, on, above, clear, for, clear_for"),
    (f"{GOOD}, {GOOD}", 'rules[1].id: "power" is the id of another rule, in line 3; expected one of its own'),
    ('{ id = "x"; kind = "clock"; for = -5; }', "rules[0].for: -5 s is out of range; expected 0 to 86400 s"),
    ('{ id = "x"; kind = "no_data"; for = 0; }', "rules[0].for: 0 s is out of range; expected 1 to 2678400 s"),
    ('{ id = "x"; kind = "clock"; for = "long"; }', "rules[0].for: is a string; expected a number of seconds"),
    ('{ id = "x"; kind = "threshold"; above = "2"; clear = "3"; for = 0; clear_for = 0; }', 'rules[0].clear: "3" lies beyond the limit at which it fires; expected "2", or a number that is lower'),
    ('{ id = "x"; kind = "clock"; on = ("meter:main"); }', 'rules[0].on: "meter:main": the kind clock does not watch a meter; expected "gateway", "collector"'),
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A collector that runs with one rule, which fired."""
    with Stage(tmp_path_factory.mktemp("alarms")) as stage:
        receiver = Receiver()
        found = Alarms(stage, park(), GOOD, hook(receiver), "repeat = 3600;")
        found.receiver = receiver
        found.begin()
        found.gauge("main.p", 2000)
        found.wait_standing("power", True)
        yield found
        receiver.close()


@pytest.mark.parametrize(("written", "said"), MISTAKES, ids=[said.split(":")[0] + str(i) for i, (_, said) in enumerate(MISTAKES)])
def test_a_mistake_is_one_sentence_and_a_reload_with_it_keeps_what_was(desk, written, said):
    before = len(desk.collector.log())
    desk.reload(written, hook(desk.receiver), "repeat = 3600;")
    line = f"{desk.rules_file}:3: {said}"
    wait_until(lambda: "everything stays as it is" in desk.collector.log()[before:], 20, "the reload is refused")
    logged = desk.collector.log()[before:]
    assert logged.count(str(desk.rules_file) + ":") == 1 and line in logged
    checked = run([desk.collector.program, "--config", desk.collector.settings, "--check"])
    assert checked.returncode == 78 and checked.stderr.splitlines() == [line]
    assert [one["state"] for one in desk.of("power")] == ["standing"] and len(desk.listed()) == 1
    assert desk.receiver.events("power") == ["fired"]


def test_receivers_that_cannot_be_are_refused_as_well(desk):
    receivers = f"""{hook(desk.receiver)}, {hook(desk.receiver)},
{{ id = "b"; kind = "pigeon"; }},
{{ id = "c"; kind = "webhook"; url = "http://127.0.0.1/"; timeout = -1; }},
{{ id = "d"; kind = "dingtalk"; url_file = "{desk.rules_file}.none"; }},
{{ id = "e"; kind = "webhook"; url = "https://127.0.0.1/"; ca_file = "none.pem"; }},
{{ id = "f"; kind = "webhook"; url = "https://127.0.0.1/"; ca_file = "{desk.rules_file}"; }}"""
    desk.write(GOOD, receivers)
    checked = run([desk.collector.program, "--config", desk.collector.settings, "--check"])
    assert checked.returncode == 78
    expected = ['6: receivers[1].id: "duty" is the id of another receiver, in line 6', '7: receivers[2].kind: "pigeon" is not known; expected one of webhook, dingtalk, wecom, mail',
                "8: receivers[3].timeout: -1 s is out of range; expected 1 to 60 s", "9: receivers[4].url_file: ",
                f"10: receivers[5].ca_file: {desk.rules_file.parent}/none.pem: ", f"11: receivers[6].ca_file: {desk.rules_file}: has no certificate; expected PEM"]
    lines = checked.stderr.splitlines()
    assert len(lines) == len(expected), lines
    assert all(line.startswith(f"{desk.rules_file}:{words}") for line, words in zip(lines, expected, strict=True)), lines


def test_mistakes_are_told_with_file_line_and_key_and_a_reload_with_one_changes_nothing(stage):
    receiver = Receiver()
    rules = '{ id = "power"; kind = "threshold"; on = ("meter:main"); above = "1000"; for = 0; clear_for = 0; }'
    house = Alarms(stage, park(), rules, hook(receiver), "repeat = 3600;")
    checked = run([house.collector.program, "--config", house.collector.settings, "--check"])
    assert checked.returncode == 0 and f"{house.rules_file}: good" in checked.stdout
    house.begin()
    house.gauge("main.p", 2000)
    house.wait_standing("power", True)
    house.reload('{ id = "power"; kind = "threshold"; on = ("meter:none"); above = "1000"; for = 0; clear_for = 0; }', hook(receiver))
    line = 'rules[0].on: "meter:none" is not in the park model; expected the id of a meter'
    wait_until(lambda: line in house.collector.log() and "everything stays as it is" in house.collector.log(), 20, "the mistake is told")
    checked = run([house.collector.program, "--config", house.collector.settings, "--check"])
    assert checked.returncode == 78 and f"{house.rules_file}:3: {line}" in checked.stderr
    assert house.wait_standing("power", True)["state"] == "standing"
    # A rule that is no more: what it fired is over, and says why.
    house.reload(rules.replace('"power"', '"other"'), hook(receiver), "repeat = 3600;")
    assert house.wait_standing("power", False)["gone"] is True
    house.wait_standing("other", True)
    over = wait_events(receiver, "power", ["fired", "cleared"])[-1]
    assert over["gone"] is True and "No longer watched" in over["text"]
    # Who is new is told of what stands.
    second = Receiver()
    house.reload(rules.replace('"power"', '"other"'), hook(receiver) + "," + hook(second, "second"), "repeat = 3600;")
    wait_events(second, "other", ["fired"])
    assert receiver.events("other") == ["fired"]
    receiver.close()
    second.close()


def test_a_file_without_rules_is_a_mistake_and_one_with_none_is_not(desk):
    before = len(desk.collector.log())
    desk.rules_file.write_text("repeat = 3600;\n")
    os.kill(desk.collector.pid, signal.SIGHUP)
    wait_until(lambda: "everything stays as it is" in desk.collector.log()[before:], 20, "the reload is refused")
    checked = run([desk.collector.program, "--config", desk.collector.settings, "--check"])
    assert checked.returncode == 78 and checked.stderr.startswith(f"{desk.rules_file}") and "rules: is missing; expected " in checked.stderr, checked.stderr
    assert [one["state"] for one in desk.of("power")] == ["standing"]
    desk.rules_file.write_text("rules = ();\n")
    assert run([desk.collector.program, "--config", desk.collector.settings, "--check"]).returncode == 0


def test_a_collector_begins_although_what_a_receiver_needs_is_not_there(stage):
    """After a restore, or on another machine: readings must not wait for somebody to write a secret."""
    duty, robot = Receiver(), Receiver()
    secret, program = stage.folder / "robot.url", stage.folder / "sendmail"
    receivers = f"""{hook(duty)},
{{ id = "robot"; kind = "wecom"; url_file = "{secret}"; }},
{{ id = "mail"; kind = "mail"; to = ("duty@park.example"); sendmail = "{program}"; }}"""
    house = Alarms(stage, park(), GOOD, receivers, "repeat = 3600;")
    checked = run([house.collector.program, "--config", house.collector.settings, "--check"])
    lines = checked.stderr.splitlines()
    assert checked.returncode == 78 and len(lines) == 2 and "receivers[1].url_file: " in lines[0] and "receivers[2].sendmail: " in lines[1], lines
    house.begin()
    for name, key, path in (("robot", "url_file", secret), ("mail", "sendmail", program)):
        line, = (line for line in house.collector.log().splitlines() if f"receiver {name} is told nothing until this is mended: {key}: {path}" in line)
        assert "; expected a " in line and "ERROR" in line.upper()
    house.gauge("main.p", 2000)
    wait_events(duty, "power", ["fired"])
    before = len(house.collector.log())
    house.reload(GOOD, receivers, "repeat = 3600;")
    wait_until(lambda: "everything stays as it is" in house.collector.log()[before:], 20, "a reload is strict")
    secret.write_text(robot.url + "\n")
    secret.chmod(0o600)
    box = stage.folder / "mail"
    program.write_text(f'#!/bin/sh\ncat > "{box}"\n')
    program.chmod(0o755)
    wait_until(lambda: robot.posts and box.exists(), 60, "they are told at a later attempt")
    duty.close()
    robot.close()
