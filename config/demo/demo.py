"""Runs the demo's programs: see config/demo/run, which builds them first and starts this.

The launchers are those of the integration tests, so the demo starts what is tested, and in the same way.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timezone
from pathlib import Path

from audit import Auditor
from desk import Desk
from harness.process import Failure, Program, wait_until
from harness.servers import SOURCE
from harness.stage import Park, Stage
from history import LAST, LATE, History, read_rows, write_rows
from sim.park import SITE
from sim.park import Park as Registers

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EXIT_OK, EXIT_UNAVAILABLE = 0, 69
STANDSTILL_S = 90
SEED = 7
# Flat times what the schedule's note says. A site's own are those of its bill.
PRICES = """    prices = (
      { from = "2024-03-01"; unit = "yuan/kWh"; sharp = "1.2300"; peak = "1.1100"; flat = "0.6000"; valley = "0.2400"; deep = "0.1200";
        document = "demo prices, no bill (C)"; confidence = "C"; }
    );"""


class Ended(Exception):
    """A signal asks for the end."""


def say(text: str) -> None:
    print(f"demo: {text}", flush=True)


def on_signal(number: int, _frame) -> None:
    raise Ended(signal.Signals(number).name)


def lock(folder: Path) -> None:
    """One demo a folder. The lock is held until this process ends."""
    descriptor = os.open(folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failure(f"another demo uses {folder}; end it first, or keep another folder") from None


def write_tariffs(path: Path) -> Path:
    """The example's tariffs, with prices where it has none."""
    text, count = re.subn(r"^ *# prices = \((?:\n *#.*)*", PRICES, (SOURCE / "config/tariffs.cfg").read_text(), flags=re.MULTILINE)
    assert count == 1, "config/tariffs.cfg has one example of prices"
    path.write_text(text)
    return path


def progress(text: str) -> None:
    """One line that changes, on a terminal only."""
    if sys.stdout.isatty():
        print(f"\r\033[Kdemo: {text}", end="", flush=True)


def write_history(park: Park, folder: Path, history: History, desk: Desk) -> tuple[dict[str, Path], dict[str, Path]]:
    """By gateway: what its agent had to send, and what it sends weeks too late."""
    files, late = {}, {}
    for gateway in park.agents:
        rows = []
        for since, until, step_s, *more in history.parts(gateway):
            rows += history.spoil(read_rows(park.sim.write_history(folder / "part.csv", gateway, since.isoformat(), until.isoformat(), step_s, *more)))
        if gateway == "gw-b":
            rows += desk.history(history.since, history.until)
        files[gateway], late[gateway] = folder / f"{gateway}.csv", folder / f"{gateway}-late.csv"
        write_rows(files[gateway], (row for row in rows if not history.is_late(row)))
        if not write_rows(late[gateway], filter(history.is_late, rows)):
            del late[gateway]
    return files, late


def replay(park: Park, files: dict[str, Path]) -> int:
    """Through the real path: spool, batches, acknowledgements, ledger, store. Returns how many readings."""
    began = time.monotonic()
    before = int(park.collector.metric("parkmon_readings_total"))
    total = sum(sum(1 for _ in open(path)) - 1 for path in files.values())
    for gateway, path in files.items():
        program = park.stage.add(park.agents[gateway].replay(path))
        program.launch()
        watch_replay(park, program, before, total, began)
        park.stage.programs.remove(program)
    for name, what in (("parkmon_store_backlog_batches", "the history is in InfluxDB"), ("parkmon_ledger_backlog_batches", "the ledger has the history"),
                       ("parkmon_outbox_bytes", "its energy is in InfluxDB")):
        drain(park, name, what)
    return total


def drain(park: Park, name: str, what: str) -> None:
    """For as long as it becomes less: how long that takes is the machine's affair."""
    least, since = park.collector.metric(name), time.monotonic()
    while least > 0:
        progress(f"{what}: {least:.0f} to go")
        time.sleep(0.2)
        now, left = time.monotonic(), park.collector.metric(name)
        if left < least:
            least, since = left, now
        elif now - since > 120:
            raise Failure(f"for 120 s nothing went on: {what} ({name} is {left:.0f})")


def make_history(park: Park, desk: Desk) -> tuple[History, Auditor]:
    """Two months, and what people did with them. Kept data has its history already, up to when the demo ended last."""
    folder = park.folder / "history"
    folder.mkdir(exist_ok=True)
    done = folder / "done"
    auditor = Auditor(park.collector, folder)
    if done.exists():
        say("the history is there already")
        return History(Registers(SEED), datetime.fromisoformat(done.read_text())), auditor
    began = time.monotonic()
    # On the grid of the last week, and surely before the first live reading.
    now = datetime.now(timezone.utc)
    history = History(Registers(SEED), now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0))
    files, late = write_history(park, folder, history, desk)
    say(f"sending the history since {history.since:%Y-%m-%d}")
    total = replay(park, files)
    decided = auditor.decide(history)
    say(f"{decided} exceptions of meters in {history.names[0]} were decided")
    booked = auditor.close(history)
    say(f"{history.names[0]} is closed")
    total += replay(park, late)
    desk.tell_outages(auditor)
    entry = auditor.adjusted(history, booked)
    say(f"readings of {LATE} that came late are an adjusting entry of {entry} kWh of {history.names[0]}")
    say(f"two months of history are in InfluxDB ({total} readings, {time.monotonic() - began:.1f} s)")
    done.write_text(history.until.isoformat())
    return history, auditor


def watch_replay(park: Park, replay: Program, first: int, total: int, began: float) -> None:
    """Until it ends; a replay that stands still is a failure."""
    sent, moved_at = -1, time.monotonic()
    while replay.is_running:
        now = time.monotonic()
        before, sent = sent, int(park.collector.metric("parkmon_readings_total")) - first
        if sent != before:
            moved_at = now
        elif now - moved_at > STANDSTILL_S:
            raise Failure(f"{replay.name} stands still at {sent} of {total} readings; its log is {replay.log_path}")
        progress(f"history: {sent} of {total} readings, {now - began:.0f} s")
        try:
            replay.process.wait(0.5)
        except subprocess.TimeoutExpired:
            check_running(park, except_for=replay)
    progress("")
    if replay.process.returncode != 0:
        raise Failure(f"{replay.name} ended with {replay.describe_end()}; its log is {replay.log_path}\n{replay.log_tail(5)}")


def check_running(park: Park, except_for: Program | None = None) -> None:
    for program in park.stage.programs:
        if program is not except_for and program.process is not None and not program.is_running:
            raise Failure(f"{program.name} ended unexpectedly with {program.describe_end()}; its log is {program.log_path}\n"
                          f"{program.log_tail(5)}")


def verify(park: Park, since_ms: int) -> None:
    """Up means: ready, the page is served, and readings made since the start are on it and in InfluxDB."""
    park.collector.wait_healthy(60)
    for path in ("/", "/ops", "/api/v1/live"):
        status, text = park.collector.get(path)
        if status != 200:
            raise Failure(f"{park.http_url}{path} answers {status}: {text[:200]}")
    for gateway in park.agents:
        for measurement in ("register", "gauge"):
            def is_live():
                check_running(park)
                return park.influx.newest_ms(measurement, gateway) >= since_ms

            wait_until(is_live, 90, f"a new {measurement} of {gateway} is in InfluxDB", poll=0.3)


def verify_energy(park: Park, history: History, auditor: Auditor) -> None:
    """The history has become energy, nothing in it is without an explanation, and the report is right to the last unit."""
    rows = park.influx.rows('SELECT count(amount) FROM energy GROUP BY meter')
    least = (history.until - history.since).days * 95
    if len(rows) != len(history.park.meters) or any(row["count"] < least for row in rows):
        raise Failure(f"energy of the history is missing: {rows}")
    if park.collector.metric("parkmon_ledger_open_exceptions") > 0:
        raise Failure(f"open exceptions: {park.collector.get('/api/v1/exceptions')[1]}")
    if park.collector.metric("parkmon_store_hours_different") > 0:
        raise Failure(f"InfluxDB holds something else: {park.collector.get('/readyz')[1]}")
    costs = park.collector.get_json(f"/api/v1/costs?site={SITE['id']}&period={history.names[0]}")
    cost = next(row["cost"] for row in costs["rows"] if (row["by"], row["id"]) == ("carrier", "electricity"))
    if cost["amount"] is None:
        raise Failure(f"the cost of {history.names[0]} is not known: {cost}")
    say(f"the ledger has {int(sum(row['count'] for row in rows))} quarter hours of {len(rows)} meters")
    say(f"the report of {history.names[0]} says of {auditor.verify(history)} meters what their registers counted")


def print_addresses(park: Park, history: History, auditor: Auditor) -> None:
    print("\n".join([
        "",
        "The park is up.",
        f"  visitors      {park.http_url}/",
        f"  live page     {park.http_url}/ops",
        *(f"  audit report  {park.http_url}{auditor.report_path(name)}    {state}" for name, state in zip(history.names, ("closed", "open"))),
        f"                log in at {park.http_url}/login with the token in {auditor.reader_file}",
        f"  to act        alarms, exceptions, readings and outages: log in there with the token in {auditor.operator_file}",
        f"  health        {park.http_url}/readyz    metrics {park.http_url}/metrics",
        f"  InfluxDB      {park.influx.url}    database parkmon",
        f"  MQTT broker   127.0.0.1:{park.broker.port}    users and passwords: {park.broker.folder}/*.password",
        f"  meters        " + "    ".join(f"{gateway}: Modbus TCP 127.0.0.1:{port}" for gateway, port in park.sim.ports.items()),
        f"  data and logs {park.folder}",
        ""]), flush=True)


def stop_all(stage: Stage) -> None:
    """What was started, in the order in which readings flow, so that each can hand on what it has."""
    flow = {"agent": 0, "sim": 1, "collector": 2, "broker": 3, "influxdb": 4}
    running = [program for program in stage.programs if program.is_running]
    for program in sorted(running, key=lambda program: flow.get(program.name, 0)):
        try:
            program.stop(expect=None)
            say(f"ended {program.name} ({program.describe_end()})")
        except Failure as failure:
            say(f"{program.name} had to be killed: {str(failure).splitlines()[0]}")


def take_screenshots(park: Park, history: History, auditor: Auditor, folder: Path) -> None:
    from screenshots import take_all  # it needs a browser, which nothing else here does

    taken = take_all(park.http_url, history.names[0], auditor.reader_file.read_text().strip(), folder)
    say(f"{len(taken)} pictures are in {folder}")


def run(folder: Path, is_smoke: bool, pictures: Path | None) -> int:
    with Stage(folder) as stage:
        rates = f'factors = "{SOURCE}/config/factors.cfg"; tariffs = "{write_tariffs(folder.resolve() / "tariffs.cfg")}"; '
        rates += f'alarms = "{SOURCE}/config/demo/alarms.cfg"; '
        desk = Desk(Registers(SEED), folder)
        park = Park(stage, SEED, every=None, commit=1.0, more=rates, sim_options=("--desk", desk.socket, "--calendars", desk.calendars))
        try:
            for number in SIGNALS:
                signal.signal(number, on_signal)
            lock(folder)
            say(f"starting; data and logs are in {folder}")
            desk.write_calendars(datetime.now(timezone.utc) - LAST)
            park.start_servers()
            history, auditor = make_history(park, desk)
            since_ms = int(time.time() * 1000)
            for agent in park.agents.values():
                agent.start()
            desk.start(history.since)
            verify(park, since_ms)
            verify_energy(park, history, auditor)
            say(f"the answer for each instrument is right: {desk.verify(park.collector)}")
            print_addresses(park, history, auditor)
            if pictures:
                take_screenshots(park, history, auditor, pictures)
                return EXIT_OK
            if is_smoke:
                say("verified")
                return EXIT_OK
            say("Ctrl-C ends it")
            pause = threading.Event()
            while not pause.wait(0.5):
                check_running(park)
                desk.check()
        except Ended as ended:
            print(flush=True)
            say(f"{ended}: ending what was started")
            return EXIT_OK
        except (Failure, OSError) as failure:
            print(f"demo: {failure}", file=sys.stderr, flush=True)
            return EXIT_UNAVAILABLE
        finally:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            desk.stop()
            stop_all(stage)


def main() -> int:
    parser = argparse.ArgumentParser(prog="config/demo/run")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--screenshots", type=Path)
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="parkmon-demo-"))
    status = EXIT_UNAVAILABLE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = run(folder, options.smoke, options.screenshots)
    except OSError as error:
        print(f"demo: {error}", file=sys.stderr)
    if options.keep:
        say(f"kept: {folder}")
    elif status == EXIT_OK:
        shutil.rmtree(folder, ignore_errors=True)
        say(f"removed {folder}")
    else:
        say(f"the logs stay in {folder}")
    return status


if __name__ == "__main__":
    sys.exit(main())
