"""One run of the campaign: strikes by the schedule, judges at checkpoints and at the end, prints the table.

    python3 -m campaign.run [--seed N] [--faults N] [--checkpoint N] [--only KIND]... --folder DIR [--json FILE]

in tests/integration, with PARKMON_RELEASE naming the release build. It needs leave to make namespaces and to mount.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]
from campaign import broken, copies, oracle  # noqa: E402
from campaign.account import Account, Database, Look, now_ms, read_marks  # noqa: E402
from campaign.devices import GATEWAYS  # noqa: E402
from campaign.faults import KINDS, Kind  # noqa: E402
from campaign.report import Report, Strike  # noqa: E402
from campaign.schedule import Draw, draw  # noqa: E402
from campaign.world import COMMIT_S, World  # noqa: E402
from evidence import KINDS as READING_KINDS  # noqa: E402
from harness.process import Failure, wait_until  # noqa: E402
from harness.stage import Stage  # noqa: E402
from sim import answers  # noqa: E402

SLACK_S = 1.0  # from an answer to the begin of its commit interval, and for the commit itself, on a busy machine
DRAIN_S = 90.0
STOP_S = 60.0  # a thread that waits for a busy disk stops when that is over
EXIT_IO = 74
LATE_END_S = 15.0  # from a disk's recovery to the end of a program that met its failure, on a busy machine
FOR_EVER = 1 << 62
INSIDE = "PARKMON_CAMPAIGN_INSIDE"


def is_stopped(pid: int) -> bool:
    """All of its threads."""
    try:
        return all(Path(f"/proc/{pid}/task/{task}/stat").read_text().rsplit(")", 1)[1].split()[0] in "TtZX"
                   for task in os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return True


class Case:
    """A fault that is under way."""

    def __init__(self, run: "Run", drawn: Draw):
        self.run, self.drawn = run, drawn
        self.world = run.world
        self.kind: Kind = KINDS[drawn.kind]
        self.gateway = drawn.gateway
        self.random = random.Random(drawn.seed)
        self.acting: Iterator[float] = self.kind.act(self)
        self.due = 0.0
        owner = f"{self.gateway}/" if self.kind.is_of_gateway else ""
        alone = ("broker", "collector", "store", "database")
        self.needs = {need if need in alone else owner + need for need in self.kind.needs}

    def between(self, least: float, most: float) -> float:
        return self.random.uniform(least, most)

    def strike(self, kills: str | None = None, label: str | None = None) -> None:
        self.run.strike(self, kills, label or self.kind.name)

    def kill(self, name: str) -> None:
        """An agent or the collector: killed, or out of power, as was decided when it was started."""
        who = "collector" if name == "collector" else "agent"
        self.strike(name, f"{who} loses power" if self.world.holds_writes(name) else f"{who} killed")

    def launch(self, name: str) -> None:
        """Draws whether its next kill will be a loss of power, and which share of sectors is then not held back."""
        self.run.launch(name, holds_writes=self.random.random() < 0.5, through_percent=self.random.choice((0, 0, 30, 70)),
                        seed=self.random.getrandbits(31))

    def restart_broker(self, queue: int) -> None:
        self.world.kill("broker")
        self.world.set_broker_queue(queue)
        self.launch("broker")

    def plain(self, name: str) -> Iterator[float]:
        """What follows needs a program that writes to its disk at once: if need be it is struck for that."""
        own = "collector" if name == "collector" else f"{name}/agent"
        while any(own in other.needs for other in self.run.active if other is not self):
            yield 0.1
        if name in self.world.should_run and self.world.holds_writes(name):
            self.needs.add(own)
            self.kill(name)
            yield 0.2
            self.run.launch(name)
            yield self.between(0.0, 2.0)
            self.needs.discard(own)


class Run:
    def __init__(self, stage: Stage, seed: int, drawn: list[Draw], checkpoint_every: int):
        self.seed, self.schedule, self.checkpoint_every = seed, drawn, checkpoint_every
        self.world = World(stage)
        self.account = Account(stage.folder / "copies")
        self.copies = copies.Copies(self)
        self.allowed = {name: oracle.Allowed(starts=1) for name in GATEWAYS}
        self.active: list[Case] = []
        self.report = Report(seed)
        self.paused_names: Counter[str] = Counter()
        self.joined_at: dict[str, float] = {}
        self.failing: dict[str, int] = {}  # disks, since when (wall ms)
        self.failed: dict[str, tuple[int, float]] = {}  # the same, over: until then (monotonic) its program may end for it
        self.relaunch_at: dict[str, float] = {}
        self.copies.back_up()

    # ---- what faults call ----

    def launch(self, name: str, **how) -> None:
        self.world.launch(name, **how)
        self.failed.pop(name, None)
        if self.paused_names[name]:
            self.world.programs[name].pause()
        if name in self.allowed:
            self.allowed[name].starts += 1

    def allow_refusals(self, gateway: str, *reasons: str) -> None:
        self.allowed[gateway].refusals += reasons

    def set_clock(self, gateway: str, offset_ms: int = 0, is_unsynchronised: bool = False) -> None:
        allowed, control = self.allowed[gateway], self.world.controls[gateway]
        if control["is_unsynchronised"]:
            allowed.unsynchronised[-1] = allowed.unsynchronised[-1][0], now_ms()
        # Wrong and taken for right: not even for an instant.
        control.set(**{"is_unsynchronised": 1, "clock_offset_ms": offset_ms} if is_unsynchronised else
                    {"clock_offset_ms": offset_ms, "is_unsynchronised": 0})
        if is_unsynchronised:
            allowed.unsynchronised.append((now_ms(), FOR_EVER))
        allowed.clock.append((now_ms(), offset_ms, not is_unsynchronised))

    @contextmanager
    def failing_disk(self, name: str, why: str):
        """Meanwhile readings may wait in memory, and the program may end by itself, saying that its disk fails."""
        self.failing[name] = now_ms()
        if name in self.allowed and why in ("disk full", "ENOSPC"):
            self.allowed[name].losses.append(why)
        try:
            yield
        finally:
            self.failed[name] = self.failing.pop(name), time.monotonic() + LATE_END_S

    def note_failed_calls(self, name: str, count: int) -> None:
        self.report.failed_calls[name] += count

    def broker_drops(self) -> int:
        """How often the broker said that a queue overflows."""
        return self.world.broker.log().count("being dropped for client")

    def note_overflow(self) -> None:
        self.report.overflows += 1

    def poison(self, gateway: str) -> None:
        """From now on the store never takes the next register but some of the gateway's first device."""
        said = answers.expected(self.world.devices.log_of_answers, gateway)["m1"]
        n = said[-1][1] + 4
        self.world.proxy.behave("refuse a line", rf"(?m)^register,[^\n]*gateway={gateway},point=m1[, ][^\n]*value={n}i ")
        self.allowed[gateway].refusals.append("answered 400: unable to parse: the campaign refuses this line")

    def restore_spool(self, gateway: str) -> None:
        self.copies.restore_spool(gateway)

    def restore_database(self) -> None:
        self.copies.restore_database()

    @contextmanager
    def paused(self, *names: str):
        """Stands still meanwhile; may be nested."""
        names = [name for name in names if self.world.programs[name].is_running]
        for name in names:
            self.paused_names[name] += 1
            if self.paused_names[name] == 1:
                self.world.programs[name].pause()
        for name in names:
            wait_until(lambda: is_stopped(self.world.programs[name].pid), STOP_S, f"{name} stands still", poll=0.001)
        try:
            yield
        finally:
            for name in names:
                self.paused_names[name] -= 1
                if self.paused_names[name] == 0 and self.world.programs[name].is_running:
                    self.world.programs[name].resume()

    # ---- a strike ----

    def look(self, gateways) -> tuple[dict[str, Look], dict[str, int]]:
        """The spools as they are, and the collector's marks. All of them stand still, or are dead."""
        looks = {name: self.copies.look(name) for name in gateways}
        copy = self.copies.copy_database()
        marks = read_marks(copy)
        self.account.forget(copy)
        return looks, marks

    def strike(self, case: Case, kills: str | None, label: str) -> None:
        gateways = [case.gateway] if case.kind.is_of_gateway else list(GATEWAYS)
        is_running = self.world.collector.is_running and not self.paused_names["collector"] and "collector" not in self.failing
        if self.copies.is_backup_due() and is_running:
            self.copies.back_up()
        began_ms = now_ms()
        with self.paused("collector", *gateways):
            looks, marks = self.look(gateways)
            in_flight = {name: max(0, look.last - marks.get(name, 0)) for name, look in looks.items()}
            phase = self.phase(case, looks, in_flight)
            if kills is not None:
                self.world.kill(kills)
                self.relaunch_at.pop(kills, None)
        if kills in self.allowed:
            self.note_end(kills, began_ms, now_ms(), label)
        self.report.add(Strike(case.drawn.position, label, phase, case.gateway if case.kind.is_of_gateway else "all",
                               sum(in_flight.values()), now_ms()))

    def note_end(self, gateway: str, began_ms: int, ended_ms: int, why: str) -> None:
        """What was answered in the commit interval before is not on disk, nor what was being answered."""
        began_ms = min(began_ms, self.failing.get(gateway, began_ms))
        self.allowed[gateway].gaps.append((began_ms - round(1000 * (COMMIT_S + SLACK_S)), ended_ms + 500, why))

    def phase(self, case: Case, looks: dict[str, Look], in_flight: dict[str, int]) -> str:
        """What was going on when it struck."""
        world = self.world
        names = [*looks, *{"broker", "collector", "store"} & {need for need in case.needs}]
        if any(name in world.should_run and world.age_s(name) < 1.0 for name in names):
            return "at start"
        if not world.influx.is_running or world.proxy.behaviour != "pass":
            return "store outage"
        if not world.broker.is_running or not world.collector.is_running:
            return "broker or collector down"
        if any(other is not case and other.kind.name.startswith("partition") for other in self.active):
            return "partition"
        if any(in_flight[name] >= 8 or len(look.uncut) > 60 for name, look in looks.items()):
            return "backlog draining"
        if any(world.age_s(name) < 4.0 for name in ("broker", "collector", *looks)):
            return "after reconnect"
        return "in flight" if any(in_flight.values()) else "at rest"

    # ---- the schedule ----

    def advance(self, until: float) -> None:
        """Lets time pass, and faults go on that are due."""
        while True:
            self.watch()
            now = time.monotonic()
            due = min((case.due for case in self.active), default=until)
            if now < min(due, until):
                time.sleep(min(due, until) - now if min(due, until) - now < 0.1 else 0.1)
                continue
            for case in [case for case in self.active if case.due <= now]:
                self.step(case)
            if now >= until:
                return

    def step(self, case: Case) -> None:
        try:
            case.due = time.monotonic() + next(case.acting)
        except StopIteration:
            self.active.remove(case)

    def failing_since_ms(self, name: str) -> int | None:
        since_ms, until = self.failed.get(name, (0, 0.0))
        return self.failing.get(name, since_ms if time.monotonic() < until else None)

    def watch(self) -> None:
        """Whoever ends by itself has failed, unless its disk did; then it is started again, as a service is."""
        now = time.monotonic()
        for name in list(self.world.should_run):
            program = self.world.programs[name]
            if program.is_running:
                continue
            self.world.should_run.discard(name)
            failing_since_ms = self.failing_since_ms(name)
            if failing_since_ms is None or program.process.poll() != EXIT_IO:
                raise Failure(f"{name} ended by itself with {program.describe_end()}\n{program.log_tail()}")
            self.report.ended_by_disk[name] += 1
            if name in self.allowed:
                self.note_end(name, failing_since_ms, now_ms(), "its disk fails")
            self.failed.pop(name, None)
            self.relaunch_at[name] = now + 0.3
        for name in [name for name, at in self.relaunch_at.items() if at <= now]:
            del self.relaunch_at[name]
            if name not in self.world.should_run and not self.world.programs[name].is_running:
                self.launch(name)

    def begin(self, drawn: Draw) -> None:
        case = Case(self, drawn)
        self.advance(time.monotonic() + drawn.gap_s)
        while any(case.needs & other.needs for other in self.active):
            self.advance(min(other.due for other in self.active if case.needs & other.needs) + 0.001)
        is_collector_free = not any("collector" in other.needs for other in self.active)
        self.active.append(case)
        if drawn.pause_s and is_collector_free:
            with self.paused("collector"):
                self.advance_others(case, drawn.pause_s)
                self.step(case)
        else:
            self.step(case)

    def advance_others(self, case: Case, seconds: float) -> None:
        case.due = float("inf")
        self.advance(time.monotonic() + seconds)

    def strikes(self) -> None:
        for drawn in self.schedule:
            self.begin(drawn)
            if (drawn.position + 1) % self.checkpoint_every == 0 and drawn is not self.schedule[-1]:
                self.checkpoint()
        self.finish()

    def lie(self) -> None:
        """The store says of a few writes that it has them, and has not."""
        self.world.proxy.behave("swallow")
        self.advance(time.monotonic() + 0.5)
        self.world.proxy.behave("pass")

    # ---- judging ----

    def calm(self) -> None:
        """All faults heal, all programs run."""
        while self.active or self.relaunch_at:
            self.advance(min((case.due for case in self.active), default=time.monotonic() + 0.1))
        for program in self.world.programs.values():
            program.wait_ready()

    def database(self) -> Database:
        with self.paused("collector"):
            return self.copies.database()

    def marks_and_settled(self) -> tuple[dict[str, int], int, int]:
        """The collector's marks, how far the store has come, and the newest journal id."""
        with self.paused("collector"):
            copy = self.copies.copy_database()
        marks = read_marks(copy)
        settled, newest = copies.positions(copy)
        self.account.forget(copy)
        return marks, settled, newest

    def wait_delivered(self, due: dict[str, int], what: str) -> None:
        newest_due = 0

        def is_delivered() -> bool:
            nonlocal newest_due
            self.watch()
            marks, settled, newest = self.marks_and_settled()
            if not newest_due and all(marks.get(name, 0) >= seq for name, seq in due.items()):
                newest_due = newest
            return newest_due > 0 and settled >= newest_due

        wait_until(is_delivered, DRAIN_S, f"{what}: all is delivered up to {due}", poll=0.2)

    def stored(self, where: str = "") -> dict:
        return {(kind, *key): readings for kind in READING_KINDS for key, readings in self.world.influx.raw(kind, where=where).items()}

    def judge(self, due: dict[str, int] | None, answers_due_ms: int | None) -> None:
        settled = self.database().settled
        store = self.stored()
        marked = {(kind, gateway, point, time_ms) for (kind, gateway, point), readings in self.stored(" WHERE quality = 'clock'").items()
                  for time_ms, _ in readings}
        database = self.database()
        database.settled = settled
        said = answers.expected(self.world.devices.log_of_answers)
        log = {tuple(name.split("/", 1)): values for name, values in said.items()}
        self.evidence = oracle.Evidence(log, self.account.seen, database, store, marked, self.allowed, due, answers_due_ms)
        self.report.verdict = oracle.judge(self.evidence)
        self.report.losses = [str(loss) for loss in database.losses]

    def checkpoint(self) -> None:
        began = time.monotonic()
        self.calm()
        with self.paused("collector", *GATEWAYS):
            answers_due_ms = now_ms() - round(1000 * (COMMIT_S + SLACK_S))
            looks, _ = self.look(GATEWAYS)
        due = {name: look.last for name, look in looks.items()}
        self.wait_delivered(due, "checkpoint")
        self.judge(due, answers_due_ms)
        self.report.checkpoint(time.monotonic() - began)
        if self.report.verdict.wrong:
            raise Failure("the laws are broken")

    def finish(self) -> None:
        """The devices fall silent; everything that is in a spool must get through."""
        self.calm()
        self.world.devices.stop()

        def is_empty() -> bool:
            self.watch()
            with self.paused("collector", *GATEWAYS):
                looks, marks = self.look(GATEWAYS)
            return all(not look.uncut and marks.get(name, 0) >= look.last for name, look in looks.items())

        wait_until(is_empty, DRAIN_S, "the end: all spools are delivered", poll=0.2)
        for name in GATEWAYS:
            self.world.should_run.discard(name)
            self.world.agents[name].stop()
        looks = {name: self.copies.look(name, all_again=True) for name in GATEWAYS}
        self.wait_delivered({name: look.last for name, look in looks.items()}, "the end")
        self.judge(None, None)
        self.world.should_run.discard("collector")
        self.world.collector.stop()


def parse(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="campaign.run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--checkpoint", type=int, default=100, help="judge after so many faults")
    parser.add_argument("--only", action="append", choices=sorted(KINDS))
    parser.add_argument("--folder", type=Path, required=True, help="for everything that the run leaves; must not exist")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--break-evidence", action="store_true", help="afterwards: does the oracle see each way to break it?")
    parser.add_argument("--lie", action="store_true", help="the store swallows some writes: the run must fail")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    options = parse(words)
    if os.environ.get(INSIDE) is None:
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, "-m", "campaign.run", *(words or sys.argv[1:])])
    options.folder.mkdir(parents=True)
    drawn = draw(options.seed, options.faults, options.only)
    with Stage(options.folder.resolve()) as stage:
        run = Run(stage, options.seed, drawn, options.checkpoint)
        try:
            if options.break_evidence or options.lie:
                run.advance(time.monotonic() + 4.0)
            if options.lie:
                run.lie()
            run.strikes()
        except Failure as failure:
            run.report.failure = str(failure)
        if options.break_evidence and run.report.is_good():
            run.report.verdict.wrong += broken.undetected(run.evidence, GATEWAYS[0])
    print(run.report.text())
    if options.json:
        options.json.write_text(json.dumps(run.report.as_json(), indent=1) + "\n")
    return 0 if run.report.is_good() else 1


if __name__ == "__main__":
    sys.exit(main())
