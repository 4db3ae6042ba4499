"""The shipped broker settings and rules, against a real mosquitto: who may write and read what, and the limits."""

from __future__ import annotations

import subprocess

import pytest
from harness.process import run, wait_until
from harness.servers import COLLECTOR_USER, READER_USER
from publisher import Mqtt

UP = "park/v1/gw/{}/up"
STATE = "park/v1/gw/{}/state"
ACK = "park/v1/gw/{}/ack"
PUBLIC = "park/v1/public/instruments/sem1"


@pytest.fixture
def broker(stage):
    return stage.broker("gw-a", "gw-b")


def is_heard(broker, writer: str, reader: str, topic: str, *question: str) -> bool:
    """Whether what `writer` publishes reaches `reader`. What each may do without doubt closes the question: the reader's own
    subscription below ends it, so a message that does not come is not waited for."""
    sentinel = {COLLECTOR_USER: STATE.format("gw-a"), READER_USER: PUBLIC}.get(reader, ACK.format(reader))
    sender = {COLLECTOR_USER: "gw-a"}.get(reader, COLLECTOR_USER)
    # Line by line also into a pipe; -W bounds it.
    listen = ["stdbuf", "-oL", *broker.client("mosquitto_sub", reader, "-W", "20", "-t", topic, "-t", sentinel,
                                              "-q", "1", "-d", "-F", "%t %l")]
    with subprocess.Popen(listen, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as heard:
        try:
            lines = []
            for line in heard.stdout:
                lines.append(line)
                if "Subscribed (mid:" in line:
                    break
            run(broker.client("mosquitto_pub", writer, "-t", topic, "-q", "1", *(question or ("-m", "question"))), 10)
            assert run(broker.client("mosquitto_pub", sender, "-t", sentinel, "-m", "e", "-q", "1"), 10).returncode == 0
            for line in heard.stdout:
                if line == f"{sentinel} 1\n":
                    return False
                if line.startswith(f"{topic} "):
                    return True
            raise AssertionError("the listener ended early: " + "".join(lines))
        finally:
            heard.kill()


@pytest.mark.parametrize("writer, reader, topic", [
    ("gw-a", COLLECTOR_USER, UP.format("gw-a")),
    ("gw-a", COLLECTOR_USER, STATE.format("gw-a")),
    (COLLECTOR_USER, "gw-a", ACK.format("gw-a")),
    (COLLECTOR_USER, READER_USER, PUBLIC),
])
def test_each_may_do_its_work(broker, writer, reader, topic):
    assert is_heard(broker, writer, reader, topic)


@pytest.mark.parametrize("writer, reader, topic", [
    ("gw-a", COLLECTOR_USER, UP.format("gw-b")),
    ("gw-a", COLLECTOR_USER, STATE.format("gw-b")),
    ("gw-a", "gw-b", ACK.format("gw-b")),
    ("gw-a", READER_USER, PUBLIC),
    (READER_USER, COLLECTOR_USER, UP.format("gw-a")),
    ("gw-a", READER_USER, UP.format("gw-a")),
    (COLLECTOR_USER, "gw-b", ACK.format("gw-a")),
    ("gw-a", "gw-b", STATE.format("gw-a")),
])
def test_nobody_may_do_anothers(broker, writer, reader, topic):
    assert not is_heard(broker, writer, reader, topic)


def own(broker, user: str, client_id: str) -> Mqtt:
    return Mqtt(broker.port, client_id, user, broker.password_file(user).read_text().strip())


def test_a_gateway_gives_itself_no_acknowledgement(broker):
    gateway = own(broker, "gw-a", "park-gw-a")
    gateway.publish(ACK.format("gw-a"), b"x")
    gateway.flush()
    assert gateway.denied == 1


def test_a_client_id_belongs_to_its_user(broker):
    """Who connects with another's id ends nothing but an earlier connection of his own."""
    gateway, other = own(broker, "gw-a", "park-gw-a"), own(broker, "gw-b", "park-gw-a")
    gateway.subscribe(ACK.format("gw-a"))
    other.subscribe(ACK.format("gw-b"))
    own(broker, "gw-b", "any")
    wait_until(lambda: "Client gw-b already connected, closing old connection" in broker.log(), 5, "the second connection of gw-b")
    gateway.publish(STATE.format("gw-a"), b"{}")
    gateway.flush()
    with pytest.raises((AssertionError, OSError), match="closed the connection|reset"):
        other.wait(lambda: False, "anything", 5)


def test_nobody_comes_in_without_a_password(broker):
    for words in ([], ["-u", "gw-a"], ["-u", "gw-a", "-P", "guess"]):
        tried = run(["mosquitto_pub", "-V", "5", "-h", "127.0.0.1", "-p", str(broker.port), *words, "-t",
                     UP.format("gw-a"), "-m", "x", "-q", "1"], 10)
        assert tried.returncode != 0, words


def test_a_batch_of_the_largest_size_passes_and_more_than_the_limit_does_not(broker, tmp_path):
    def passes(size: int) -> bool:
        (tmp_path / "payload").write_bytes(b"x" * size)
        return is_heard(broker, "gw-a", COLLECTOR_USER, UP.format("gw-a"), "-f", str(tmp_path / "payload"))

    assert passes(256 * 1024)
    assert not passes(1024 * 1024)


def test_the_broker_keeps_no_database(broker):
    state = broker.client("mosquitto_pub", "gw-a", "-t", STATE.format("gw-a"), "-m", "{}", "-q", "1", "-r")
    assert run(state, 10).returncode == 0
    broker.stop()
    assert not list(broker.folder.glob("*.db"))
    broker.start()
    wait_until(broker.is_ready, 5, "the broker listens again")
