"""Calendars of bookings through the real collector: by URL and by file, what cannot be read, restarts and reloads."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from contextlib import closing
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from harness.parkmon import new_collector
from harness.process import run, wait_until
from publisher import Publisher
from test_versions import park

CONFIG = 78
LARGE = 50 * 1024 * 1024


def moment(minutes: float) -> datetime:
    """From now, on whole minutes: what a calendar can say."""
    return (datetime.now(timezone.utc) + timedelta(minutes=minutes)).replace(second=0, microsecond=0)


def event(uid: str, begin: datetime, end: datetime) -> str:
    return (f"BEGIN:VEVENT\r\nUID:{uid}\r\nSUMMARY:Prof. Nobody\r\nDTSTART:{begin:%Y%m%dT%H%M%SZ}\r\nDTEND:{end:%Y%m%dT%H%M%SZ}\r\n"
            "END:VEVENT\r\n")


def calendar(*events: str) -> str:
    return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n" + "".join(events) + "END:VCALENDAR\r\n"


def ms(time_: datetime) -> int:
    return int(time_.timestamp() * 1000)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_) -> None:
        pass

    def head(self, code: int, length: int | None, **headers: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "text/calendar; charset=utf-8")
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def do_GET(self) -> None:
        server: Server = self.server
        with server.lock:
            server.asked.append((self.path, self.headers.get("If-None-Match"), self.headers.get("Authorization")))
            text = server.texts.get(self.path)
        try:
            self.answer(server, text)
        except OSError:
            self.close_connection = True

    def answer(self, server: Server, text: str | None) -> None:
        if self.path == "/silent":
            server.is_over.wait(120)
        elif self.path == "/endless":
            self.head(200, None)
            self.wfile.write(b"BEGIN:VCALENDAR\r\n")
            while not server.is_over.is_set():
                self.wfile.write(b"X-MORE:" + b"x" * 65536 + b"\r\n")
        elif self.path == "/large":
            self.head(200, LARGE)
            for _ in range(LARGE // 65536):
                self.wfile.write(b"X" * 65536)
        elif text is None:
            self.head(404, 0)
        else:
            tag = f'"{hash(text) & 0xffffffff:x}"'
            same = self.headers.get("If-None-Match") == tag
            self.head(304 if same else 200, None if same else len(text), ETag=tag)
            self.wfile.write(b"" if same else text.encode())


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.texts: dict[str, str] = {}
        self.asked: list[tuple[str, str | None, str | None]] = []
        self.is_over = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_) -> None:
        pass

    def url(self, path: str) -> str:
        return f'url = "http://127.0.0.1:{self.server_address[1]}{path}";'

    def asked_of(self, path: str) -> list[tuple[str, str | None, str | None]]:
        with self.lock:
            return [one for one in self.asked if one[0] == path]

    def close(self) -> None:
        self.is_over.set()
        self.shutdown()
        self.server_close()


class House:
    def __init__(self, stage):
        self.stage = stage
        self.server = Server()
        self.park = stage.folder / "park.cfg"
        self.file = stage.folder / "lab.ics"
        self.folder = stage.folder / "collector"
        self.broker = stage.broker("gw-a")
        self.influx = stage.influx()
        self.collector = None

    def write_park(self, **calendars: str) -> None:
        """By id what each says beside its names; whole or not at all: one may be read right now."""
        rows = ",\n".join(f'{{ id = "{name}"; name = "x"; name_en = "x"; site = "s1"; {keys} }}' for name, keys in calendars.items())
        new = self.park.with_suffix(".new")
        new.write_text(park() + f"calendars = (\n{rows}\n);\n")
        new.replace(self.park)

    def write_file(self, text: str) -> None:
        new = self.file.with_suffix(".new")
        new.write_text(text)
        new.replace(self.file)

    def make(self) -> None:
        self.collector = self.stage.add(new_collector(self.folder, self.broker, self.influx, self.park))

    def start(self) -> None:
        if self.collector is None:
            self.make()
        self.collector.start()

    def reload(self) -> None:
        told = len(self.collector.log())
        os.kill(self.collector.pid, signal.SIGHUP)
        wait_until(lambda: re.search(r"version \d+ of the park model", self.collector.log()[told:]), 30, "the model is taken")

    def query(self, sql: str, *values) -> list[tuple]:
        with closing(sqlite3.connect(f"file:{self.folder / 'collector.db'}?mode=ro", uri=True)) as database:
            return database.execute(sql, values).fetchall()

    def bookings(self, name: str) -> list[tuple[int, int]]:
        return self.query("SELECT from_ms, until_ms FROM calendar_busy WHERE calendar = (SELECT id FROM calendar WHERE name = ?)"
                          " ORDER BY from_ms, until_ms", name)

    def state(self, name: str, column: str):
        rows = self.query(f"SELECT {column} FROM calendar WHERE name = ?", name)
        return rows[0][0] if rows else None

    def wait_bookings(self, name: str, *expected: tuple[datetime, datetime], seconds: float = 40) -> None:
        want = [(ms(begin), ms(end)) for begin, end in expected]
        wait_until(lambda: self.bookings(name) == want, seconds, f"the bookings of {name} are {want}")

    def token(self, *words: str) -> str:
        done = run([self.collector.program, "token", "add", "--config", self.collector.settings, "--role", "operator", "--name", "lab",
                    "--expires", "1d", *words])
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def told(self, name: str) -> dict:
        """What the API says of it."""
        (one,) = [one for one in self.collector.get_json("/api/v1/calendars")["calendars"] if one["id"] == name]
        return one

    def confirm(self, name: str, token: str, body: str) -> tuple[int, dict]:
        request = urllib.request.Request(f"{self.collector.http_url}/api/v1/calendars/{name}/confirm", body.encode(),
                                         {"Content-Type": "application/json", "Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def lines(self, name: str) -> list[str]:
        return [line for line in self.collector.log().splitlines() if f"calendar {name}:" in line]


@pytest.fixture
def house(stage):
    house = House(stage)
    yield house
    house.server.close()


def test_what_a_calendar_says_is_known_and_what_cannot_be_read_is_one_line(house):
    first, second = (moment(60), moment(120)), (moment(120), moment(150))
    house.server.texts["/good"] = calendar(event("a", *first), event("b", *second))
    house.write_file(calendar(event("f", *first)))
    large = house.file.with_name("large.ics")
    with large.open("wb") as file:
        file.write(b"BEGIN:VCALENDAR\r\n")
        file.truncate(LARGE)
    secret = house.file.with_name("secret.url")
    secret.write_text(f"http://127.0.0.1:{house.server.server_address[1]}/good?key=s3cret\n")
    secret.chmod(0o600)
    house.server.texts["/good?key=s3cret"] = calendar(event("s", *second))
    password = house.file.with_name("password")
    password.write_text("open sesame\n")
    password.chmod(0o600)
    house.server.texts["/user"] = calendar(event("u", *second))
    house.write_park(
        silent=house.server.url("/silent") + " every = 30;", endless=house.server.url("/endless"), large=house.server.url("/large"),
        gone=house.server.url("/gone"), good=house.server.url("/good") + " every = 30;", file=f'file = "{house.file}";',
        largefile=f'file = "{large}";', nofile=f'file = "{house.file}.none";', secret=f'url_file = "{secret}";',
        user=house.server.url("/user") + f' user = "lab"; password_file = "{password}";')
    begun = time.monotonic()
    house.start()
    # Two bookings back to back are two; nobody is named anywhere.
    house.wait_bookings("good", first, second)
    house.wait_bookings("file", first)
    house.wait_bookings("secret", second)
    house.wait_bookings("user", second)
    assert house.server.asked_of("/user")[0][2] == "Basic bGFiOm9wZW4gc2VzYW1l"
    assert b"Nobody" not in (house.folder / "collector.db").read_bytes()
    known_ms = house.state("good", "known_ms")
    # While one does not answer, readings are taken and acknowledged.
    house.collector.wait_connected()
    publisher = Publisher(house.broker, "gw-a")
    publisher.send(1, [f"register,point=m value=1i {int(time.time() * 1000)}"])
    publisher.wait_ack(1)
    publisher.close()
    for name, why in {"endless": "8388608 bytes", "large": "8388608 bytes", "largefile": "8388608 bytes", "gone": "code 404",
                      "nofile": "No such file"}.items():
        wait_until(lambda: house.state(name, "problem"), 40, f"what is wrong with {name} is known")
        assert why in house.state(name, "problem") and house.state(name, "known_ms") == 0 and not house.bookings(name)
        (line,) = house.lines(name)
        assert why in line and "WARN" in line
    assert house.told("good")["quality"] == "good" and house.told("good")["problem"] is None
    assert house.told("gone")["quality"] == "never_seen" and "404" in house.told("gone")["problem"] and house.told("gone")["known"] is None
    assert not house.lines("silent") and time.monotonic() - begun < 25, "that one is still waited for"
    # It is asked whether it changed, and has not.
    wait_until(lambda: len(house.server.asked_of("/good")) > 1, 45, "the calendar is asked again")
    assert [tag is not None for _, tag, _ in house.server.asked_of("/good")[:2]] == [False, True]
    wait_until(lambda: house.state("good", "known_ms") > known_ms, 10, "it is known anew")
    assert house.bookings("good") == [(ms(a), ms(b)) for a, b in (first, second)]
    wait_until(lambda: house.lines("silent"), 45, "the silent one is given up")
    assert len(house.lines("silent")) == 1 and "timed out" in house.lines("silent")[0]
    # In the log the host alone: the path may be a secret.
    assert "s3cret" not in house.collector.log() and "/gone" not in house.collector.log()
    begun = time.monotonic()
    house.collector.stop()
    assert time.monotonic() - begun < 15, "nobody waits for the silent one at the end"


def test_a_calendar_that_turns_empty_and_one_that_is_broken_off_take_nothing_away(house):
    booked = (moment(60), moment(120))
    other = (moment(200), moment(220))
    house.server.texts["/a"] = house.server.texts["/b"] = calendar(event("a", *booked))
    house.write_park(a=house.server.url("/a"), b=house.server.url("/b"))
    house.start()
    house.wait_bookings("a", booked)
    house.wait_bookings("b", booked)
    known_ms = house.state("a", "known_ms")
    house.collector.stop()
    house.server.texts["/a"] = calendar()
    house.server.texts["/b"] = calendar(event("b", *other))[:-len("END:VCALENDAR\r\n")]
    house.collector.start()
    house.wait_bookings("b", booked, other)
    wait_until(lambda: house.state("a", "emptied_ms"), 30, "the empty calendar is not believed")
    assert house.state("a", "known_ms") == known_ms and house.bookings("a") == [(ms(booked[0]), ms(booked[1]))]
    assert house.state("b", "is_cut") == 1
    assert "turned empty" in house.lines("a")[-1] and "not whole" in house.lines("b")[-1]
    assert house.told("a")["quality"] == "stale" and house.told("a")["emptied"] is not None
    assert house.told("b")["quality"] == "conflict" and house.told("b")["cut"] is True
    # The next model that names others has all of them read anew; what comes back is believed.
    house.server.texts["/a"] = calendar(event("a", *other))
    house.server.texts["/b"] = calendar(event("b", *other))
    house.write_park(a=house.server.url("/a"), b=house.server.url("/b"), c=house.server.url("/a"))
    house.reload()
    for name in "abc":
        house.wait_bookings(name, other)
    assert house.state("a", "emptied_ms") == 0 and house.state("b", "is_cut") == 0
    assert "is read again" in house.lines("a")[-1]


def test_that_a_calendar_is_empty_is_for_a_person_to_say(house):
    past, ahead = (moment(-30), moment(-10)), (moment(60), moment(120))
    house.server.texts["/a"] = calendar(event("a", *past), event("b", *ahead))
    house.server.texts["/b"] = calendar(event("b", *ahead))
    house.write_park(a=house.server.url("/a"), b=house.server.url("/b"))
    house.start()
    house.wait_bookings("a", past, ahead)
    house.wait_bookings("b", ahead)
    house.collector.kill()
    house.server.texts["/a"] = calendar()
    house.collector.start()
    wait_until(lambda: house.state("a", "emptied_ms"), 30, "the empty calendar is not believed")
    nobody, someone = house.token(), house.token("--scope", "outages")
    body = json.dumps({"why": "asked the office"})
    assert house.confirm("a", nobody, body)[0] == 403
    for wrong in ("{}", '{"why": 1}', '{"why": "x", "more": 1}'):
        assert house.confirm("a", someone, wrong)[0] == 400
    assert house.confirm("a", someone, '{"why": " "}')[0] == 422
    assert house.confirm("none", someone, body)[0] == 404
    status, answer = house.confirm("b", someone, body)
    assert status == 422 and "has not turned empty" in answer["error"]["message"]
    assert house.bookings("a") == [(ms(b), ms(e)) for b, e in (past, ahead)]
    assert house.confirm("a", someone, body) == (200, {"calendar": "a", "empty": True})
    assert house.bookings("a") == [(ms(past[0]), ms(past[1]))] and house.told("a")["quality"] == "good"
    assert house.query("SELECT action, object, who, note FROM change_log") == [("calendar confirm", "calendar a", "lab", "asked the office")]
    assert house.confirm("a", someone, body)[0] == 422


def test_the_last_known_bookings_survive_a_kill_and_calendars_come_and_go_by_reload(house):
    booked = (moment(60), moment(120))
    house.server.texts["/a"] = calendar(event("a", *booked))
    house.write_park(a=house.server.url("/a"))
    house.start()
    house.wait_bookings("a", booked)
    known_ms = house.state("a", "known_ms")
    house.collector.kill()
    del house.server.texts["/a"]
    house.collector.start()
    wait_until(lambda: house.state("a", "problem"), 30, "the server has it no more")
    assert house.bookings("a") == [(ms(booked[0]), ms(booked[1]))] and house.state("a", "known_ms") == known_ms
    house.write_file(calendar(event("f", *booked)))
    house.write_park(f=f'file = "{house.file}";')
    house.reload()
    house.wait_bookings("f", booked)
    asked = len(house.server.asked_of("/a"))
    later = (moment(300), moment(310))
    house.server.texts["/a"] = calendar(event("n", *later))
    house.write_park(a=house.server.url("/a") + " every = 60;", f=f'file = "{house.file}";')
    house.reload()
    wait_until(lambda: len(house.server.asked_of("/a")) > asked, 20, "it is read again")
    house.wait_bookings("a", later)


def test_secrets_that_cannot_be_read_are_mistakes_of_the_settings(house):
    missing = house.file.with_name("none.url")
    wrong = house.file.with_name("wrong.url")
    wrong.write_text("webcal://mail.example.cn/lab.ics\n")
    wrong.chmod(0o600)
    opened = house.file.with_name("opened.password")
    opened.write_text("x\n")
    opened.chmod(0o644)
    house.write_park(a=f'url_file = "{missing}";', b=f'url_file = "{wrong}";',
                     c=house.server.url("/a") + f' user = "u"; password_file = "{opened}";')
    house.make()
    done = house.collector.run("--check")
    assert done.returncode == CONFIG
    told = done.stderr.splitlines()
    assert len(told) == 3, done.stderr
    for line, words in zip(told, ((f"{missing}", "expected a file with the URL"), ("url_file", "https://host/path"), (f"{opened}", "password"))):
        assert line.startswith(f"{house.park}:") and all(word in line for word in words), line
    house.write_park()
    house.collector.start()
    house.write_park(a=f'url_file = "{missing}";')
    told = len(house.collector.log())
    os.kill(house.collector.pid, signal.SIGHUP)
    wait_until(lambda: "everything stays as it is" in house.collector.log()[told:], 20, "the reload is refused")
    assert str(missing) in house.collector.log()[told:]
