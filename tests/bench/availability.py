"""What a question for an instrument waits for its answer, in a park of many, while pages are open all over it."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.request import urlopen

import load
from figures import Figure
from harness.parkmon import new_collector, release_folder
from harness.process import wait_until
from publisher import Mqtt

STREAMS = 400
PER_SECOND = 500
GATEWAYS = 10
CALENDARS = 20
BOOKINGS = 60  # of each calendar
PERIOD_S = 10
METERS = 50    # what the events tell of

CATEGORY = '{{ id = "c{0}"; name = "类别{0}"; name_en = "Category {0}"; }}'
CALENDAR = '{{ id = "k{0}"; name = "预约{0}"; name_en = "Bookings {0}"; site = "site"; file = "{1}"; every = 300; }}'
INSTRUMENT = ('{{ id = "i{0:04}"; name = "仪器{0}"; name_en = "Instrument {0}"; building = "b1"; category = "c{1}"; model = "Model {1}-{0}"; '
              'owner = "实验室{1}"; owner_en = "Laboratory {1}"; owner_code = "91330421MA{1:04}"; contact = "8{0:04}"; location = "{1}号楼 {0}室"; '
              'location_en = "Building {1}, room {0}"; booking_url = "https://lab.example.cn/{0}"; terms = "须预约"; terms_en = "By booking only"; '
              'power = "gw-{2}/i{0:04}.power"; power_period = 10; off_w = 10; standby_w = 20; exit_w = 30; enter_w = 40; enter_s = 10; exit_s = 300; '
              'off_means = "available"; open = "Mon-Sun 00:00-24:00"; calendar = "k{3}"; }}')


def point(number: int) -> str:
    return f"i{number:04}.power"


def write_calendar(path: Path, number: int) -> None:
    begin = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0) + timedelta(hours=2 + number)
    events = []
    for i in range(BOOKINGS):
        at = begin + timedelta(hours=5 * i)
        events.append(f"BEGIN:VEVENT\r\nUID:{number}-{i}@bench\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:{at:%Y%m%dT%H%M%SZ}\r\n"
                      f"DTEND:{at + timedelta(hours=2):%Y%m%dT%H%M%SZ}\r\nSUMMARY:x\r\nEND:VEVENT\r\n")
    path.write_bytes(("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN\r\n" + "".join(events) + "END:VCALENDAR\r\n").encode())


def write_park(folder: Path, instruments: int) -> Path:
    path = load.write_park(folder / "park.cfg", [f"gw-{i}" for i in range(GATEWAYS)],
                           ", ".join(load.METER.format(0, i, f"m{i}") for i in range(METERS)))
    calendars = [folder / f"k{i}.ics" for i in range(CALENDARS)]
    for i, calendar in enumerate(calendars):
        write_calendar(calendar, i)
    lists = {"categories": [CATEGORY.format(i) for i in range(10)],
             "calendars": [CALENDAR.format(i, calendar) for i, calendar in enumerate(calendars)],
             "instruments": [INSTRUMENT.format(i, i % 10, i % GATEWAYS, i % CALENDARS) for i in range(instruments)]}
    with path.open("a") as file:
        for name, items in lists.items():
            file.write(f"{name} = (\n{(',' + chr(10)).join(items)}\n);\n")
    return path


class Feed:
    """Every instrument tells its power each period, as agents do, by a thread of its own until the end."""

    def __init__(self, broker, instruments: int):
        self.instruments = instruments
        self.clients = [Mqtt(broker.port, f"park-gw-{i}", f"gw-{i}", broker.password_file(f"gw-{i}").read_text().strip()) for i in range(GATEWAYS)]
        self.seq = 0
        self.ended = threading.Event()
        self.failed: Exception | None = None
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.tell()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        for client in self.clients:
            client.close()

    def tell(self) -> None:
        self.seq += 1
        now_ms = int(time.time() * 1000)
        for number, client in enumerate(self.clients):
            lines = [f"gauge,point={point(i)} value={15 + (i * 7 + self.seq) % 5 / 10} {now_ms}" for i in range(number, self.instruments, GATEWAYS)]
            head = f"#park1 epoch={load.EPOCH:016x} seq={self.seq} first={self.seq}"  # what the collector was not there for is gone
            client.publish(f"park/v1/gw/gw-{number}/up", "\n".join([head, *lines, ""]).encode())
            client.flush()

    def _run(self) -> None:
        try:
            while not self.ended.wait(PERIOD_S):
                self.tell()
        except Exception as failure:  # the row shall not stand
            self.failed = failure


def ask(port: int, path: str) -> dict:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return json.load(answer)


def known(port: int) -> int:
    """How many instruments are answered by fresh sources: none is UNKNOWN."""
    statuses, after = [], ""
    while after is not None:
        page = ask(port, f"/api/v1/instruments?limit=500{after and '&after=' + after}")
        statuses += [item["status"] for item in page["instruments"]]
        after = page["next"]
    return sum(status != "UNKNOWN" for status in statuses)


def run_client(port: int, streams: int, seconds: int, paths: list[str]) -> dict:
    done = subprocess.run([release_folder() / "tests/bench/bench_availability", str(port), str(streams), str(PER_SECOND), str(seconds), *paths],
                          capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        raise AssertionError(done.stderr.strip() or f"bench_availability ended with {done.returncode}")
    return json.loads(done.stdout)


def has_no_streams(port: int) -> bool:
    """Those of the client before were noticed to be gone."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return b"\nparkmon_streams 0\n" in answer.read()


def run_reference(seconds: int, size: int) -> dict:
    server = subprocess.Popen([release_folder() / "tests/bench/bench_availability", "--serve", str(size)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        return run_client(int(server.stdout.readline()), 0, seconds, ["/"])
    finally:
        server.stdin.close()
        server.wait(10)
        server.stdout.close()


def questions(instruments: int) -> list[str]:
    """Of ten, seven for one instrument, and each of the others for a list: what is free now, a search, a time in common."""
    paths = []
    for i in range(200):
        paths += [f"/api/v1/instruments/i{(i * 7919 + k * 104729) % instruments:04}" for k in range(7)]
        paths += [f"/api/v1/instruments?available=now&category=c{i % 10}&limit=20", f"/api/v1/instruments?q=model+{i % 10}+{i % 97}&limit=20",
                  f"/api/v1/instruments?ids=i{i:04},i{(i + 1) % instruments:04}&length=2h"]
    return paths


def measure(stage, size) -> list[Figure]:
    instruments, seconds, rounds = (200, 3, 1) if size.readings < 1_000_000 else (2000, 15, 3)
    broker = stage.broker(*(f"gw-{i}" for i in range(GATEWAYS)))
    collector = stage.add(new_collector(stage.folder / "collector", broker, stage.influx(), write_park(stage.folder, instruments), build=release_folder()))
    collector.start()
    with Feed(broker, instruments) as feed:
        wait_until(lambda: known(collector.port) == instruments, 60, "every instrument is known")
        one, mixed, reference = [], [], []
        for _ in range(rounds):
            for runs, paths in ((one, [path for path in questions(instruments) if "?" not in path]), (mixed, questions(instruments))):
                wait_until(lambda: has_no_streams(collector.port), 60, "the streams of before are gone")
                runs.append(run_client(collector.port, STREAMS, seconds, paths))
            reference.append(run_reference(seconds, one[-1]["mean_bytes"]))
        assert feed.failed is None, feed.failed
        assert known(collector.port) == instruments, "an instrument was not fresh at the end"
    p99s = sorted(run["p99_ms"] for run in one)
    middle = one[[run["p99_ms"] for run in one].index(p99s[len(p99s) // 2])]
    beside = sorted(run["p99_ms"] for run in reference)[len(reference) // 2]
    lists = sorted(run["p99_ms"] for run in mixed)
    about = f"{instruments} instruments, {STREAMS} event streams, {PER_SECOND} requests/s"
    sent = rounds * seconds * PER_SECOND
    bare = f"the same client and a server of the same {middle['mean_bytes']} bytes: p99 {beside:.2f} ms"
    return [Figure("availability", f"availability answer, {about}, p99", "ms", middle["p99_ms"], bar=5, aim=2, reference=bare,
                   note=f"half in {middle['p50_ms']:.2f} ms, all but one of a thousand in {middle['p999_ms']:.2f}, the slowest {middle['max_ms']:.1f}; "
                        f"{middle['events']} events went out meanwhile; every instrument is fresh and has {BOOKINGS} bookings",
                   runs=[run["p99_ms"] for run in one], sent=sent, stored=sum(run["requests"] for run in one)),
            Figure("availability", "the same, three of ten for lists: free now, a search, a time in common", "ms", lists[len(lists) // 2], bar=5, aim=2,
                   reference=bare, runs=[run["p99_ms"] for run in mixed], sent=sent, stored=sum(run["requests"] for run in mixed))]
