"""Our own programs as children, and their settings files."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

from harness.process import Program, free_port, run, wait_until
from harness.servers import COLLECTOR_USER, SOURCE, Broker, Influx


def build_folder() -> Path:
    """Where the programs under test are: PARKMON_BUILD, by default the build with sanitizers."""
    return Path(os.environ.get("PARKMON_BUILD", SOURCE / "build/dev"))


def release_folder() -> Path:
    """The optimised build: for timing, for campaigns of faults, and for whatever a sanitizer cannot bear."""
    return Path(os.environ.get("PARKMON_RELEASE", SOURCE / "build/release"))


def write_agent_settings(path: Path, gateway: str, broker: Broker, buses: str, spool: Path | None = None,
                         spool_settings: str = "commit = 0.2; probe = 1.0;", more: str = 'clock = "trusted";',
                         host: str = "127.0.0.1", broker_settings: str = "") -> Path:
    """`buses` is the text between the parentheses. Tests trust the clock: in a container the kernel may call it
    unsynchronised."""
    path.write_text(
        f'gateway = "{gateway}";\n{more}\n'
        f'broker: {{ host = "{host}"; port = {broker.port}; '
        f'password_file = "{broker.password_file(gateway)}"; {broker_settings} }};\n'
        f'spool: {{ path = "{spool or path.with_suffix(".spool")}"; {spool_settings} }};\n'
        f"buses = (\n{buses}\n);\n")
    return path


def write_collector_settings(path: Path, broker: Broker, store_url: str, park: Path, http_port: int,
                             database: Path | None = None, store_settings: str = "",
                             more: str = 'clock = "trusted";', broker_settings: str = "",
                             http_settings: str = "") -> Path:
    path.write_text(
        f'id = "main";\npark = "{park}";\n{more}\n'
        f'broker: {{ host = "127.0.0.1"; port = {broker.port}; user = "{COLLECTOR_USER}"; '
        f'password_file = "{broker.password_file(COLLECTOR_USER)}"; {broker_settings} }};\n'
        f'database: {{ path = "{database or path.with_suffix(".db")}"; }};\n'
        f'store: {{ url = "{store_url}"; database = "parkmon"; raw_retention = 0; {store_settings} }};\n'
        f'http: {{ address = "127.0.0.1"; port = {http_port}; web = "{build_folder() / "pages"}"; '
        f'{http_settings} }};\n')
    return path


class Agent(Program):
    """park-agent with a settings file; ready when it is connected to its broker."""

    def __init__(self, settings: Path, broker: Broker, build: Path | None = None, name: str | None = None):
        self.settings = settings
        self.broker = broker
        self.program = (build or build_folder()) / "agent/park-agent"
        super().__init__(name or settings.stem, settings.parent, [self.program, "--config", settings])

    def is_ready(self) -> bool:
        return self.is_connected_to(self.broker.port)

    def replay(self, path: Path) -> Program:
        """`--replay FILE` as a program of its own, not started yet; it ends when everything is acknowledged."""
        return Program(f"{self.name}-replay", self.folder, [*self.command, "--replay", path])

    def run(self, *words: str, seconds: float = 120.0):
        """Runs the program to its end in another mode: --check, --once, --replay FILE."""
        return run([self.program, "--config", self.settings, *words], seconds)


class Collector(Program):
    """park-collector with a settings file; ready when /livez answers and the metrics are there, which is when the core has
    turned once. `is_healthy` is more: /readyz."""

    def __init__(self, settings: Path, http_port: int, build: Path | None = None, name: str = "collector"):
        self.settings = settings
        self.port = http_port
        self.http_url = f"http://127.0.0.1:{http_port}"
        self.program = (build or build_folder()) / "collector/park-collector"
        super().__init__(name, settings.parent, [self.program, "--config", settings])

    def get(self, path: str, seconds: float = 10.0) -> tuple[int, str]:
        """Status and text of an answer, whatever the status; (0, reason) where there is none."""
        try:
            with urllib.request.urlopen(self.http_url + path, timeout=seconds) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")
        except (urllib.error.URLError, socket.timeout, ConnectionError) as error:
            return 0, str(error)

    def get_json(self, path: str):
        status, text = self.get(path)
        assert status == 200, f"{path}: {status} {text}"
        return json.loads(text)

    def is_ready(self) -> bool:
        return (self.listens(self.port) and self.get("/livez", 2)[0] == 200
                and "parkmon_broker_connected" in self.get("/metrics", 2)[1])

    def is_healthy(self) -> bool:
        return self.get("/readyz", 5)[0] == 200

    def wait_healthy(self, seconds: float = 20.0) -> None:
        wait_until(self.is_healthy, seconds, "the collector's /readyz answers 200")

    def wait_connected(self) -> None:
        """Until the broker knows the collector: what is published before its first subscription reaches nobody."""
        # Before its first snapshot it tells nothing of the kind.
        wait_until(lambda: "\nparkmon_broker_connected 1\n" in self.get("/metrics")[1], 20, "the collector is connected")

    def run(self, *words: str, seconds: float = 60.0):
        """Runs the program to its end: --check, or a command such as status before the settings."""
        commands = [word for word in words if not word.startswith("-")]
        options = [word for word in words if word.startswith("-")]
        return run([self.program, *commands, "--config", self.settings, *options], seconds)

    def wait_settled(self, seconds: float = 30.0) -> None:
        """Until the store has settled every batch that the collector holds, by the database: the metrics lag behind it."""
        wait_until(self.is_settled, seconds, "the store has settled all batches")

    def is_settled(self) -> bool:
        with closing(sqlite3.connect(f"file:{self.settings.with_suffix('.db')}?mode=ro", uri=True)) as db:
            settled, held = db.execute("SELECT position, (SELECT coalesce(max(id), 0) FROM journal) FROM cursor"
                                       " WHERE name = 'raw'").fetchone()
        return settled >= held and self.metric("parkmon_store_backlog_batches") == 0

    def wait_taken(self, seconds: float, *cursors: str) -> None:
        """Until those that read the journal have taken every batch and reckoned what it says of spaces, by the database: the past that is asked for is all there."""
        wait_until(lambda: self.is_taken(cursors), seconds, f"{', '.join(cursors)} have taken the journal", poll=0.1)

    def is_taken(self, cursors: tuple[str, ...]) -> bool:
        with closing(sqlite3.connect(f"file:{self.settings.with_suffix('.db')}?mode=ro", uri=True)) as db:
            ready = db.execute("SELECT name FROM cursor WHERE position >= (SELECT coalesce(max(id), 0) FROM journal)").fetchall()
            return {*cursors} <= {name for name, in ready} and db.execute("SELECT count(*) FROM space_dirty").fetchone() == (0,)

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        values = [float(line.rsplit(" ", 1)[1]) for line in self.get("/metrics")[1].splitlines()
                  if line.split("{")[0].split(" ")[0] == name]
        assert values, f"/metrics has no {name}"
        return sum(values)


def new_collector(folder: Path, broker: Broker, influx: Influx, park: Path, **options) -> Collector:
    """A collector with settings of its own in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    build = options.pop("build", None)
    port = free_port()
    return Collector(write_collector_settings(folder / "collector.cfg", broker, influx.url, park, port, **options),
                     port, build)
