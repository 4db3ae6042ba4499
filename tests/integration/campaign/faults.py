"""The kinds of fault. Each is a generator: it strikes, yields the seconds that the fault shall last, and heals.

A kind names what it needs for itself (`needs`): of a gateway "agent", "link", "clock" or "disk", of all "broker",
"collector", "store" or "database". Kinds with different needs overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from campaign.shim import CREATE, SYNC, TRUNCATE, WRITE


@dataclass(frozen=True)
class Kind:
    name: str
    needs: tuple[str, ...]
    act: Callable[["Case"], Iterator[float]]  # noqa: F821, campaign.run.Case
    is_of_gateway: bool
    seconds: float  # that it may last, about: the schedule's share of time
    allows_losses: bool = False


KINDS: dict[str, Kind] = {}


def kind(name: str, *needs: str, seconds: float = 1.0, of_gateway: bool = False):
    def add(act):
        KINDS[name] = Kind(name, needs, act, of_gateway, seconds)
        return act

    return add


# ---- killed ----


@kind("agent killed", "agent", of_gateway=True)
def agent_killed(c):
    c.kill(c.gateway)
    yield c.between(0.1, 1.0)
    c.launch(c.gateway)


@kind("agent loses power", "agent", of_gateway=True)
def agent_loses_power(c):
    yield from agent_killed(c)


@kind("collector killed", "collector")
def collector_killed(c):
    c.kill("collector")
    yield c.between(0.1, 1.5)
    c.launch("collector")


@kind("collector loses power", "collector")
def collector_loses_power(c):
    yield from collector_killed(c)


@kind("broker killed", "broker")
def broker_killed(c):
    """As shipped it keeps nothing on disk."""
    c.strike(kills="broker")
    yield c.between(0.1, 1.5)
    c.launch("broker")


@kind("store killed", "store")
def store_killed(c):
    c.strike(kills="store")
    yield c.between(0.2, 1.5)
    c.launch("store")


# ---- cut off ----


@kind("partition, short", "link", of_gateway=True)
def partition_short(c):
    yield from partition(c, c.between(0.3, 2.5))


@kind("partition, long", "link", of_gateway=True, seconds=10.0)
def partition_long(c):
    """Longer than the keep-alive: both sides give the connection up."""
    yield from partition(c, c.between(8.0, 12.0))


def partition(c, seconds: float):
    by = c.random.choice(("link", "filter"))
    c.strike()
    c.world.cut(c.gateway, by)
    yield seconds
    c.world.join(c.gateway, by)


@kind("broker's queue overflows", "broker", "collector", seconds=3.0)
def queue_overflows(c):
    """The broker drops the newest and answers success, while the collector stands still."""
    c.restart_broker(queue=2)
    yield c.between(2.0, 2.5)
    c.strike()
    with c.run.paused("collector"):
        dropped = c.run.broker_drops()
        for _ in range(12):
            yield 0.4
            if c.run.broker_drops() > dropped:
                c.run.note_overflow()
                break
        yield c.between(0.0, 1.0)
    c.run.world.set_broker_queue(16000)


# ---- the store misbehaves ----


def store_behaves(name: str, behaviours: tuple[str, ...], least: float, most: float) -> None:
    @kind(name, "store", seconds=most)
    def act(c):
        c.strike()
        c.world.proxy.behave(c.random.choice(behaviours))
        yield c.between(least, most)
        c.world.proxy.behave("pass")


store_behaves("store answers late", ("late",), 1.0, 2.5)
store_behaves("store answers 4xx", ("401", "404", "429", "too large"), 0.5, 1.5)
store_behaves("store answers 5xx", ("500", "503"), 0.5, 2.0)
store_behaves("store writes, answers 500", ("write and say 500",), 0.5, 2.0)
store_behaves("store writes a part, answers 400", ("partial",), 0.1, 0.4)
store_behaves("store closes in the middle", ("cut before", "cut after"), 0.5, 2.0)


@kind("store refuses one line", "store", "agent", of_gateway=True, seconds=1.5)
def store_refuses_a_line(c):
    c.strike()
    c.run.poison(c.gateway)
    yield c.between(1.5, 2.5)
    c.world.proxy.behave("pass")


# ---- disks ----


@kind("agent's disk full", "disk", of_gateway=True, seconds=3.0)
def agent_disk_full(c):
    yield from disk_full(c, c.gateway)


@kind("collector's disk full", "database", seconds=3.0)
def collector_disk_full(c):
    yield from disk_full(c, "collector")


def disk_full(c, name: str):
    with c.run.failing_disk(name, "disk full"):
        yield from c.plain(name)
        c.strike()
        c.world.disks[name].fill(c.random.choice((0, 8, 64)))
        yield c.between(1.0, 3.5)
        c.world.disks[name].free()
        yield 1.0


def system_calls_fail(name: str, of_gateway: bool, error: str, choices: tuple[int, ...], longest_s: float) -> None:
    @kind(name, "disk" if of_gateway else "database", of_gateway=of_gateway, seconds=2.0)
    def act(c):
        owner = c.gateway if of_gateway else "collector"
        with c.run.failing_disk(owner, error):
            yield from c.plain(owner)
            c.strike()
            control = c.world.controls[owner]
            control.fail(c.random.choice(choices), error, skip=c.random.choice((0, 0, 1, 2, 3, 5, 8, 13, 21)))
            yield c.between(0.3, longest_s)
            control.mend()
            c.run.note_failed_calls(name, control["failed"])
            yield 1.0


NO_SPACE = (WRITE, WRITE | CREATE, WRITE | CREATE | TRUNCATE)
BAD_DISK = (WRITE, SYNC, WRITE | SYNC, TRUNCATE | SYNC, CREATE | SYNC)
system_calls_fail("agent's calls fail, ENOSPC", True, "ENOSPC", NO_SPACE, 2.5)
system_calls_fail("agent's calls fail, EIO", True, "EIO", BAD_DISK, 1.0)
system_calls_fail("collector's calls fail, ENOSPC", False, "ENOSPC", NO_SPACE, 2.5)
system_calls_fail("collector's calls fail, EIO", False, "EIO", BAD_DISK, 1.0)


# ---- a gateway's clock ----

AHEAD, CONFLICT = "more than 5 min ahead of the collector's clock", "another value of this point and time is journalled"


@kind("clock steps forward", "clock", of_gateway=True, seconds=3.0)
def clock_forward(c):
    yield from clock_step(c, c.random.choice((1, 10, 60, 250, 3600, 6 * 3600)))


@kind("clock steps back", "clock", of_gateway=True, seconds=3.0)
def clock_back(c):
    yield from clock_step(c, -c.random.choice((1, 10, 60, 250, 3600, 6 * 3600)))


def clock_step(c, seconds: int):
    """And later the other way. Polls lie on the clock's grid, so that times of other readings may come again."""
    c.strike()
    c.run.allow_refusals(c.gateway, AHEAD, CONFLICT)
    c.run.set_clock(c.gateway, 1000 * seconds + c.random.choice((0, 0, 1, 137)))
    yield c.between(1.0, 4.0)
    c.run.set_clock(c.gateway)


@kind("clock not synchronised", "clock", of_gateway=True, seconds=3.0)
def clock_unsynchronised(c):
    c.strike()
    c.run.allow_refusals(c.gateway, AHEAD, CONFLICT)
    c.run.set_clock(c.gateway, c.random.choice((0, 1000, -86_400_000, -10 * 365 * 86_400_000)), is_unsynchronised=True)
    yield c.between(1.0, 4.0)
    c.run.set_clock(c.gateway)


# ---- restored from a copy ----


@kind("spool restored", "agent", of_gateway=True)
def spool_restored(c):
    """A copy of some strikes ago takes the place of the spool."""
    c.strike(kills=c.gateway)
    c.run.restore_spool(c.gateway)
    yield c.between(0.1, 0.5)
    c.launch(c.gateway)


@kind("database restored", "collector", "database")
def database_restored(c):
    """By park-collector restore, from a backup of the running collector."""
    c.strike(kills="collector")
    c.run.restore_database()
    yield c.between(0.1, 0.5)
    c.launch("collector")
