"""Into the store, from the broker and from the journal alone: the collector against one curl that posts the same bytes over
one kept connection."""

from __future__ import annotations

import json
import shutil
import statistics
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from figures import Figure
from harness.parkmon import Collector, new_collector, release_folder
from harness.process import Program, free_port, wait_until
from harness.servers import find_program
from load import Load, Sender, accepted, check_stored, wait_subscribed, write_park

LINES_A_BODY = 5000
POLICY = "raw"
SECONDS = 120


class Recorder(ThreadingHTTPServer):
    """Answers as a store that has everything already, and keeps each body that is written to it as a file."""

    daemon_threads = True

    def __init__(self, folder: Path):
        folder.mkdir()
        self.folder = folder
        self.bodies: list[Path] = []
        super().__init__(("127.0.0.1", 0), Recording)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


class Recording(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/write"):
            path = self.server.folder / f"{len(self.server.bodies):05d}"
            path.write_bytes(body)
            self.server.bodies.append(path)
            self.send_response(204)
            self.end_headers()
            return
        answer = json.dumps({"results": [{"series": [{"columns": ["name", "duration"], "values": [[POLICY, "0s"]]}]}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_) -> None:
        pass


def fill_journal(stage, broker, load: Load) -> Path:
    """The database of a collector that has journalled the load, and whose store was never there."""
    folder = stage.folder / "filled"
    nobody = type("Nobody", (), {"url": f"http://127.0.0.1:{free_port()}"})
    collector = stage.start(new_collector(folder, broker, nobody, stage.folder / "park.cfg", build=release_folder()))
    wait_subscribed(collector)
    sender = Sender(broker, load)
    sender.send(None, SECONDS)
    sender.close()
    wait_until(lambda: collector.metric("parkmon_readings_total") == load.readings, 10, "every reading is counted")
    collector.stop()
    return folder / "collector.db"


class Bench:
    def __init__(self, stage, load: Load):
        self.stage = stage
        self.load = load
        self.influx = stage.influx()
        self.broker = stage.broker(*load.gateways)
        write_park(stage.folder / "park.cfg", load.gateways)
        self.journal = fill_journal(stage, self.broker, load)
        self.rounds = 0

    def new_collector(self, folder: Path, store_url: str, database: str) -> Collector:
        store = type("Store", (), {"url": store_url})
        collector = self.stage.add(new_collector(folder, self.broker, store, self.stage.folder / "park.cfg",
                                                 build=release_folder(), store_settings=f"body_lines = {LINES_A_BODY};"))
        settings = collector.settings.read_text().replace('database = "parkmon"', f'database = "{database}"')
        collector.settings.write_text(settings)
        return collector

    def finish(self, collector: Collector, began: float) -> float:
        """How long it took until the store had everything."""
        wait_until(lambda: accepted(collector) >= self.load.readings, SECONDS, "the store has the whole load", poll=0.05)
        took = time.monotonic() - began
        collector.stop()
        self.stage.programs.remove(collector)
        shutil.rmtree(collector.folder)
        return took

    def from_broker(self, database: str) -> float:
        """From the first batch that is published, by a collector that has nothing yet."""
        collector = self.new_collector(self.stage.folder / f"round-{database}", self.influx.url, database)
        collector.start()
        wait_subscribed(collector)
        sender = Sender(self.broker, self.load)
        began = time.monotonic()
        sender.send(None, SECONDS)
        took = self.finish(collector, began)
        sender.close()
        return took

    def from_journal(self, store_url: str, database: str) -> float:
        """From the start of a collector that finds its journal full."""
        folder = self.stage.folder / f"round-{database}"
        folder.mkdir()
        for suffix in ("", "-wal"):
            source = self.journal.with_name(self.journal.name + suffix)
            if source.exists():
                shutil.copy(source, folder / source.name)
        collector = self.new_collector(folder, store_url, database)
        began = time.monotonic()
        collector.start()
        return self.finish(collector, began)

    def record(self) -> list[Path]:
        """The bodies that the collector posts."""
        recorder = Recorder(self.stage.folder / "bodies")
        self.from_journal(recorder.url, "recorded")
        recorder.shutdown()
        recorder.server_close()
        return recorder.bodies

    def curl(self, bodies: list[Path], database: str) -> float:
        self.influx.query(f'CREATE DATABASE "{database}"')
        self.influx.query(f'CREATE RETENTION POLICY "{POLICY}" ON "{database}" DURATION INF REPLICATION 1')
        requests = [f'url = "{self.influx.url}/write?precision=ms&db={database}&rp={POLICY}"\ndata-binary = "@{body}"\n'
                    'header = "Content-Type: text/plain; charset=utf-8"\nheader = "Expect:"\nsilent\nshow-error\n'
                    'write-out = "%{http_code} %{num_connects}\\n"\n' for body in bodies]
        config = self.stage.folder / "curl.cfg"
        config.write_text("next\n".join(requests))
        curl = self.stage.add(Program(f"curl-{database}", self.stage.folder, [find_program("curl"), "--config", config]))
        began = time.monotonic()
        curl.launch()
        code = curl.wait(SECONDS)
        took = time.monotonic() - began
        self.stage.programs.remove(curl)
        answers = [line.split() for line in curl.log().splitlines()]
        assert code == 0 and len(answers) == len(bodies) and {answer[0] for answer in answers} == {"204"}, curl.log_tail(5)
        assert sum(int(answer[1]) for answer in answers) == 1, "curl did not keep its connection"
        return took


def measure(stage, size) -> list[Figure]:
    load = Load(size.readings, 5000)
    bench = Bench(stage, load)
    bodies = bench.record()
    ways = {"broker": bench.from_broker, "journal": lambda name: bench.from_journal(bench.influx.url, name),
            "curl": lambda name: bench.curl(bodies, name)}
    took: dict[str, list[float]] = {way: [] for way in ways}
    held = []
    for i in range(size.rounds):
        # By turns, and each in each place: the store gets slower or faster with what it did before.
        order = list(ways)[i % 3:] + list(ways)[:i % 3]
        for way in order:
            took[way].append(ways[way](f"{way}_{i}"))
            held.append(check_stored(bench.influx, f"{way}_{i}", load.readings, load.register_sum))
    rate = {way: load.readings / statistics.median(times) for way, times in took.items()}

    def figure(way: str, name: str, bar: float | None, aim: float | None, note: str) -> Figure:
        ratios = [reference / own * 100 for own, reference in zip(took[way], took["curl"])]
        return Figure("store", f"collector, {name}, share of one curl's rate", "%", statistics.median(ratios), bar, aim, True,
                      f"one curl, {len(bodies)} same bodies: {rate['curl']:,.0f} readings/s (ours {rate[way]:,.0f})", note,
                      runs=ratios, sent=load.readings, stored=min(held))

    return [figure("broker", "broker to store", 70, 90, f"median of {size.rounds} rounds by turns; its senders and the broker beside it"),
            figure("journal", "journal to store alone", None, None, "from the start of the program")]
