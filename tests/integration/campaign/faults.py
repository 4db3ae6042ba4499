"""The kinds of fault. Each is a generator: it strikes, yields the seconds that the fault shall last, and heals.

A kind names what it needs for itself (`needs`): of a gateway "agent", "link", "clock" or "disk", of all "broker",
"collector", "store" or "database". Kinds with different needs overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass


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
    c.strike(kills=c.gateway)
    yield c.between(0.1, 1.0)
    c.run.launch(c.gateway)


@kind("broker killed", "broker")
def broker_killed(c):
    c.strike(kills="broker")
    yield c.between(0.1, 1.5)
    c.run.launch("broker")


@kind("collector killed", "collector")
def collector_killed(c):
    c.strike(kills="collector")
    yield c.between(0.1, 1.5)
    c.run.launch("collector")


@kind("store killed", "store")
def store_killed(c):
    c.strike(kills="store")
    yield c.between(0.2, 1.5)
    c.run.launch("store")


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
    c.run.restart_broker(queue=2)
    yield c.between(2.0, 2.5)
    c.strike()
    with c.run.paused("collector"):
        dropped = c.run.broker_drops()
        yield c.between(1.5, 3.0)
        c.run.note_drops(c.run.broker_drops() - dropped)
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


# ---- restored from a copy ----


@kind("spool restored", "agent", of_gateway=True)
def spool_restored(c):
    """A copy of some strikes ago takes the place of the spool."""
    c.strike(kills=c.gateway)
    c.run.restore_spool(c.gateway)
    yield c.between(0.1, 0.5)
    c.run.launch(c.gateway)


@kind("database restored", "collector")
def database_restored(c):
    c.strike(kills="collector")
    c.run.restore_database()
    yield c.between(0.1, 0.5)
    c.run.launch("collector")
