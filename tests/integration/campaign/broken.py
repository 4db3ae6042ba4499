"""Can the oracle fail? Evidence of a good run is broken in one place at a time; each time it must say so.

What is changed stands for a link that lies: a store that forgets or doubles, a journal that lacks a line, a loss or a refusal
that nothing explains.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

from campaign.account import Loss
from campaign.oracle import Evidence, judge

BREAKS: dict[str, tuple[Callable[[Evidence, str], None], str]] = {}


def breaks(expected: str):
    def add(change):
        BREAKS[change.__name__.replace("_", " ")] = change, expected
        return change

    return add


def register(e: Evidence, gateway: str) -> list:
    return e.store["register", gateway, "m1"]


@breaks("not in the store")
def a_reading_is_not_in_the_store(e, gateway):
    del register(e, gateway)[4]


@breaks("not in the store")
def a_value_in_the_store_is_another(e, gateway):
    time_ms, value = register(e, gateway)[4]
    register(e, gateway)[4] = time_ms, value + 1


@breaks("no device answered")
def the_store_holds_what_was_never_answered(e, gateway):
    register(e, gateway).append((register(e, gateway)[-1][0] + 1000, 10**5))


@breaks("doubled in the store")
def a_reading_is_in_the_store_at_two_times(e, gateway):
    time_ms, value = register(e, gateway)[4]
    register(e, gateway).append((time_ms + 1, value))


@breaks("no device answered")
def a_reading_in_the_store_is_an_hour_off(e, gateway):
    time_ms, value = register(e, gateway)[4]
    register(e, gateway)[4] = time_ms + 3_600_000, value


@breaks("not in the journal")
def a_line_is_not_in_the_journal(e, gateway):
    batch = next(batch for batch in e.database.journal[gateway] if len(batch.series) > 2)
    del batch.series[0]


@breaks("are missing, without a loss")
def a_batch_is_not_in_the_journal(e, gateway):
    del e.database.journal[gateway][4]


@breaks("is journalled after")
def a_batch_is_journalled_twice(e, gateway):
    batches = e.database.journal[gateway]
    batches.insert(5, batches[4])


@breaks("doubled in the journal")
def a_line_is_journalled_twice(e, gateway):
    batches = [batch for batch in e.database.journal[gateway] if batch.series]
    batches[-1].series.append(batches[2].series[0])


@breaks("do not say so")
def a_wrong_clock_is_not_marked(e, gateway):
    e.allowed[gateway].unsynchronised.append((0, 1 << 62))


@breaks("say that it was wrong")
def a_right_clock_is_marked(e, gateway):
    batch = next(batch for batch in e.database.journal[gateway] if batch.series)
    batch.marked.add(batch.series[0])


@breaks("disagree about the clock")
def the_store_marks_another_reading(e, gateway):
    kind, point, time_ms, _ = next(batch for batch in e.database.journal[gateway] if batch.series).series[0]
    e.marked.add((kind, gateway, point, time_ms))


@breaks("its mark is")
def a_mark_is_ahead_of_the_journal(e, gateway):
    epoch = e.database.journal[gateway][-1].epoch
    e.database.marks[gateway][epoch] += 1


@breaks("losses are recorded that no fault explains")
def a_loss_without_a_fault(e, gateway):
    e.allowed[gateway].losses.clear()
    e.database.losses.append(Loss(gateway, 0, 0, 1, 1, 2, "made up", False))


@breaks("quarantine that no fault explains")
def a_refusal_without_a_fault(e, gateway):
    e.database.quarantine.setdefault(gateway, {})["gauge", "m1.level", 1, 1.5] = "made up"


@breaks("answers are missing that no kill explains")
def an_answer_was_never_committed(e, gateway):
    said = e.answers[gateway, "m1"]
    gaps = e.allowed[gateway].gaps
    time_ms = next(ms for ms, _ in said if not any(first <= ms <= last for first, last, _ in gaps))
    said.append((time_ms, 10**5))


@breaks("changes of state are missing")
def a_change_of_state_is_gone(e, gateway):
    e.store["state", gateway, "m1.state"].clear()


@breaks("committed readings are lost")
def a_reading_is_nowhere(e, gateway):
    reading = next(reading for reading in e.seen[gateway].cut if reading[0] == "register" and reading[1] == "m1"
                   and reading not in e.allowed[gateway].taken and reading[2:] in e.store["register", gateway, "m1"])
    e.store["register", gateway, "m1"].remove(reading[2:])
    for batch in e.database.journal[gateway]:
        if reading in batch.series:
            batch.series.remove(reading)


def undetected(evidence: Evidence, gateway: str) -> list[str]:
    """The breaks that the oracle does not report as it should."""
    missed = []
    for name, (change, expected) in BREAKS.items():
        broken = copy.deepcopy(evidence)
        change(broken, gateway)
        wrong = judge(broken).wrong
        if not any(expected in line and line.startswith(gateway) for line in wrong):
            missed.append(f"{name}: expected \"... {expected} ...\", the oracle says {wrong or 'nothing'}")
    return missed
