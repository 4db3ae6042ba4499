"""Source session: card readers and kiosks tell events on a unix socket and at a broker, and are answered when they are on disk."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest
from harness.parkmon import Agent
from harness.process import wait_until
from test_sources import LocalBroker, journalled, park, wait_for, write_settings  # noqa: F401 (a fixture)

POINT = "lab2.sem3.session"


class Kiosk:
    """Says a line, and reads the answer."""

    def __init__(self, path: Path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rw", encoding="utf-8", newline="\n")

    def say(self, event: object) -> dict:
        self.file.write((event if isinstance(event, str) else json.dumps(event)) + "\n")
        self.file.flush()
        return json.loads(self.file.readline())


def opening(event: str, **more: str) -> dict:
    return {"event": event, "instrument": "sem3", "action": "open", "class": "external", **more}


def closing_of(event: str) -> dict:
    return {"event": event, "instrument": "sem3", "action": "close"}


def session_source(park, more: str = "", reader: str = "") -> str:
    """`reader`: of sem3."""
    return (f'{{ name = "m"; source = "session"; socket = "{park.folder}/sessions.sock"; {more} purposes = ["research"];\n'
            f'  instruments = ( {{ name = "sem3"; point = "{POINT}"; {reader} }},\n'
            f'    {{ name = "xrd"; point = "lab2.xrd.session"; }} ); }}')


def start_agent(park, more: str = "", reader: str = "") -> Agent:
    agent = park.stage.add(Agent(write_settings(park, session_source(park, more, reader)), park.broker))
    agent.start()
    return agent


def kiosk(park) -> Kiosk:
    return Kiosk(park.folder / "sessions.sock")


def ids_of(readings: list[tuple[str, int]]) -> list[str]:
    return [value.split()[1].removeprefix("event=") for value, _ in readings]


def in_spool(park) -> list[str]:
    """States on the gateway's disk, in batches or not, by another eye than the agent's."""
    with closing(sqlite3.connect(f"file:{park.folder}/gw-a.spool?mode=ro", uri=True)) as db:
        lines = [value for (value,) in db.execute("SELECT value FROM record WHERE kind = 2 ORDER BY id")]
        bodies = [bytes(body).decode() for (body,) in db.execute("SELECT body FROM batch ORDER BY seq")]
    return [line.split('"')[1] for body in bodies for line in body.splitlines() if line.startswith("state")] + lines


def test_a_session_within_one_second_is_there_twice_told_once(park):  # noqa: F811
    start_agent(park)
    one = kiosk(park)
    assert one.say(opening("a", organisation="91330421MA2B", purpose="research")) == {"event": "a", "result": "taken"}
    assert one.say(closing_of("b")) == {"event": "b", "result": "taken"}
    assert one.say(closing_of("b")) == {"event": "b", "result": "known"}
    readings = wait_for(park, POINT, 2)
    assert [value for value, _ in readings] == [
        "open event=a class=external organisation=91330421MA2B purpose=research", "close event=b"]
    assert 0 < readings[1][1] - readings[0][1] < 1000


def test_what_is_answered_is_on_disk(park):  # noqa: F811
    park.broker.stop()  # nothing leaves the gateway
    agent = park.stage.add(Agent(write_settings(park, session_source(park)), park.broker))
    agent.launch()
    wait_until(lambda: (park.folder / "sessions.sock").exists(), 20, "the socket is there")
    one, taken = kiosk(park), []
    for n in range(30):
        event = opening(f"e{n}") if n % 2 == 0 else closing_of(f"e{n}")
        assert one.say(event)["result"] == "taken"
        taken.append(f"event=e{n}")
        assert [text.split()[1] for text in in_spool(park)] == taken


def test_events_are_told_once_through_kills_at_any_moment(park):  # noqa: F811
    """A kiosk repeats an event until it is answered, whatever happens to the agent."""
    agent = start_agent(park)
    path, events = park.folder / "sessions.sock", [f"e{n}" for n in range(60)]
    answered: list[str] = []
    allowed = threading.Semaphore(0)  # some at a time, so that each kill finds events under way

    def kiosk_works():
        for n, event in enumerate(events):
            allowed.acquire()
            while True:
                try:
                    one = Kiosk(path)
                    answer = one.say(opening(event) if n % 2 == 0 else closing_of(event))
                    one.socket.close()
                    if answer["result"] in ("taken", "known"):
                        answered.append(event)
                        break
                except (OSError, ValueError):
                    continue

    worker = threading.Thread(target=kiosk_works, daemon=True)
    worker.start()
    for kills in range(8):
        seen = len(answered)
        allowed.release(7)
        wait_until(lambda: len(answered) > seen + kills % 3, 60, "the kiosk goes on", poll=0.001)
        agent.kill()
        agent.start()
    allowed.release(len(events))
    worker.join(120)
    assert answered == events
    # After a start the state of before is sent again: the same event, which changes nothing, and no sign that all are there.
    wait_until(lambda: set(events) <= set(ids_of(journalled(park, POINT))), 30, "each event is in the store")
    told = journalled(park, POINT)
    ids = ids_of(told)
    firsts = [event for n, event in enumerate(ids) if event not in ids[:n]]
    assert firsts == events
    assert all(event == ids[n - 1] for n, event in enumerate(ids) if event in ids[:n])
    times = [at for _, at in told]
    assert times == sorted(set(times))


def test_a_restart_knows_the_events_and_sends_the_state_again(park):  # noqa: F811
    agent = start_agent(park)
    assert kiosk(park).say(opening("a"))["result"] == "taken"
    agent.stop()
    agent.start()
    assert kiosk(park).say(opening("a"))["result"] == "known"
    assert [value for value, _ in wait_for(park, POINT, 2)] == ["open event=a class=external"] * 2


def test_a_reader_that_keeps_alive_and_is_silent_is_told_once_and_not_vouched_for_by_a_start(park):  # noqa: F811
    agent = start_agent(park, reader="alive = 1;")
    assert kiosk(park).say(opening("a"))["result"] == "taken"
    silent, back = "m/sem3: nothing heard for 1 s; nothing of it is sent again until it is", "m/sem3: heard again"
    wait_until(lambda: silent in agent.log(), 20, "it is told to be silent")
    assert back not in agent.log()
    agent.stop()
    agent.start()
    wait_until(lambda: agent.log().count(silent) == 2, 20, "it is silent after the start, too")
    assert kiosk(park).say({**opening("x"), "instrument": "xrd"})["result"] == "taken"
    wait_for(park, "lab2.xrd.session", 1)
    assert len(journalled(park, POINT)) == 1
    assert kiosk(park).say(opening("a"))["result"] == "known"
    assert [value for value, _ in wait_for(park, POINT, 2)] == ["open event=a class=external"] * 2
    assert agent.log().count(back) == 1


def test_while_the_readers_broker_is_away_the_agent_vouches_for_none_that_speaks_on_events(park):  # noqa: F811
    agent = start_agent(park, f'topic = "kiosk/s"; broker: {{ port = {park.local.port}; retry = 1; }};')
    assert kiosk(park).say(opening("a"))["result"] == "taken"
    agent.stop()
    park.local.stop()
    agent.start()
    assert kiosk(park).say({**opening("x"), "instrument": "xrd"})["result"] == "taken"
    wait_for(park, "lab2.xrd.session", 1)
    assert len(journalled(park, POINT)) == 1
    park.local.start()
    assert [value for value, _ in wait_for(park, POINT, 2)] == ["open event=a class=external"] * 2


def test_what_may_not_be_said_is_refused_in_one_sentence(park):  # noqa: F811
    agent = start_agent(park)
    one = kiosk(park)
    for said, why in ((opening("a", name="Zhang San"), '"name" is not known; expected event, instrument, action, class, '
                       'organisation and purpose'),
                      ({**opening("a"), "instrument": "tem"}, 'instrument "tem" is not known here'),
                      ({**opening("a"), "class": "vip"}, 'class "vip" is not known; expected internal, external, training or '
                       'service')):
        assert one.say(said) == {"event": "a", "result": "refused", "why": why}
    assert one.say("{")["result"] == "refused"
    assert one.say("x" * 3000)["why"] == "3000 bytes are too many; expected at most 1024"
    assert one.say(opening("b"))["result"] == "taken"
    assert one.say(opening("c"))["result"] == "taken"
    assert "Zhang" not in agent.log()
    assert agent.log().count("opens a session while one is open") == 1
    assert [value.split()[1] for value, _ in wait_for(park, POINT, 2)] == ["event=b", "event=c"]


def test_a_client_that_floods_or_hangs_harms_no_other(park):  # noqa: F811
    agent = start_agent(park)
    path = park.folder / "sessions.sock"
    hanging = [Kiosk(path) for _ in range(10)]
    for one in hanging:
        one.file.write('{"event":')
        one.file.flush()
    flood = socket.socket(socket.AF_UNIX)
    flood.connect(str(path))
    flood.settimeout(5)
    with pytest.raises(OSError):
        for _ in range(1000):
            flood.sendall(b"y" * 4096)
    assert kiosk(park).say(opening("a"))["result"] == "taken"
    many = []
    for _ in range(60):
        one = socket.socket(socket.AF_UNIX)
        one.connect(str(path))
        many.append(one)
    for one in many + [one.socket for one in hanging]:
        one.close()
    wait_until(lambda: kiosk_answers(park), 10, "there is room again")
    assert agent.is_running


def kiosk_answers(park) -> bool:
    try:
        return kiosk(park).say(closing_of("z"))["result"] in ("taken", "known")
    except (OSError, ValueError):
        return False


def test_events_at_a_broker_are_answered_there(park):  # noqa: F811
    park.local.publish("kiosk/s", opening("old"), retain=True)
    agent = start_agent(park, f'topic = "kiosk/s"; broker: {{ port = {park.local.port}; retry = 1; }};')
    wait_until(lambda: "connected as park-gw-a-m" in agent.log(), 20, "it listens")
    ear = subprocess.Popen(["mosquitto_sub", "-V", "5", "-q", "1", "-h", "127.0.0.1", "-p", str(park.local.port), "-t",
                            "kiosk/s/answer", "-C", "3"], stdout=subprocess.PIPE, text=True)
    wait_until(lambda: park.local.log().count("as auto-") >= 2, 20, "somebody listens for answers")
    park.local.publish("kiosk/s", opening("a"), opening("a"), "rubbish")
    answers = [json.loads(line) for line in ear.communicate(timeout=30)[0].splitlines()]
    assert [answer["result"] for answer in answers] == ["taken", "known", "refused"]
    assert [value for value, _ in wait_for(park, POINT, 1)] == ["open event=a class=external"]


def test_a_second_agent_does_not_take_the_socket(park):  # noqa: F811
    start_agent(park)
    settings = write_settings(park, session_source(park), "gw-b")
    second = Agent(settings, park.broker)
    second.launch()
    assert second.wait(30) == 69
    assert "sessions.sock is in use by another process" in second.log()
    assert kiosk(park).say(opening("a"))["result"] == "taken"
