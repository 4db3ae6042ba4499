"""The laws of delivery, judged by what others hold: the devices' own log, copies of the spools, the store's own answer.

`judge` returns what is wrong, each with the exact readings; an empty list is a pass. It knows which faults struck and what
each of them allows, and nothing else may be missing, refused or named as loss.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from campaign.account import Batch, Database, Loss, Reading, Seen
from campaign.devices import DEVICES, POLLS_PER_STATE, STATES

NEAR_MS = 3000  # between an answer's time in the devices' log and the agent's
SHOWN = 8


@dataclass
class Allowed:
    """What the faults that struck a gateway explain."""

    gaps: list[tuple[int, int, str]] = field(default_factory=list)  # wall ms: answers of then may not have been committed
    taken: set[Reading] = field(default_factory=set)  # went with a spool or a database that was replaced by an older one
    posted: set[Reading] = field(default_factory=set)  # journalled in a database that was replaced: the store may have them
    redated: Counter[tuple] = field(default_factory=Counter)  # by kind, point and value: restored spools that had yet to date it
    losses: list[str] = field(default_factory=list)  # faults that let a loss be recorded
    refusals: list[str] = field(default_factory=list)  # how the reasons of the quarantine may begin
    clock: list[tuple[int, int, bool]] = field(default_factory=list)  # (wall ms, offset from then on, is synchronised)
    unsynchronised: list[tuple[int, int]] = field(default_factory=list)  # wall ms: when its clock was so
    starts: int = 0  # of its agent

    def offsets_at(self, time_ms: int, only_synchronised: bool = False) -> set[int]:
        """The offsets that the gateway's clock had about then. What a wrong clock dated, a later one may date that is
        synchronised, as it says: when it is cut."""
        found = {0} if not self.clock or time_ms - NEAR_MS < self.clock[0][0] else set()
        was_wrong = False
        for i, (since_ms, offset_ms, is_synchronised) in enumerate(self.clock):
            until_ms = self.clock[i + 1][0] if i + 1 < len(self.clock) else time_ms + NEAR_MS
            is_then = since_ms <= time_ms + NEAR_MS and time_ms - NEAR_MS <= until_ms
            was_wrong = was_wrong or (is_then and not is_synchronised)
            if (is_then and not only_synchronised) or (is_synchronised and (is_then or was_wrong)):
                found.add(offset_ms)
        return found


@dataclass
class Evidence:
    answers: dict[tuple[str, str], list[tuple[int, object]]]  # (gateway, point) -> [(ms, value)], in order
    seen: dict[str, Seen]
    database: Database
    store: dict[tuple[str, str, str], list[tuple[int, object]]]  # (kind, gateway, point) -> [(ms, value)]
    marked: set[tuple[str, str, str, int]]  # (kind, gateway, point, ms): what the store says a wrong clock dated
    allowed: dict[str, Allowed]
    due: dict[str, int] | None = None  # batches up to this seq must have arrived; None = all, cut or not
    answers_due_ms: int | None = None  # answers before this must be on disk; None = all


@dataclass
class Verdict:
    wrong: list[str] = field(default_factory=list)
    committed: int = 0
    delivered: int = 0
    lost: int = 0
    quarantined: int = 0
    taken: int = 0
    doubled: int = 0
    redated: int = 0
    uncommitted: int = 0
    longest_gap_ms: int = 0  # of answers that a kill cost


def show(readings: Iterable) -> str:
    listed = sorted(map(str, readings))
    return f"{len(listed)}: " + "; ".join(listed[:SHOWN]) + (" ..." if len(listed) > SHOWN else "")


def answered_number(kind: str, value) -> int:
    """Which poll of its device a register or gauge came from."""
    return value if kind == "register" else int(value - 0.5)


class Answers:
    """The devices' log by device and poll."""

    def __init__(self, log: dict[tuple[str, str], list[tuple[int, object]]], gateway: str):
        self.time_of: dict[str, dict[int, int]] = {}
        for device in DEVICES:
            said = log.get((gateway, device), [])
            self.time_of[device] = {int(value): time_ms for time_ms, value in said}
        self.times_of_state: dict[str, dict[str, list[int]]] = {}
        for device, times in self.time_of.items():
            by_text = self.times_of_state.setdefault(device, {})
            for n, time_ms in times.items():
                by_text.setdefault(STATES[n // POLLS_PER_STATE % len(STATES)], []).append(time_ms)

    def times(self, reading: Reading, allowed: Allowed) -> list[int]:
        """When this was said by the device, where that was about that time by the clock that the gateway had."""
        kind, point, time_ms, value = reading
        device = point.split(".")[0]
        if device not in self.time_of or (kind == "gauge" and value != int(value) + 0.5):
            return []
        if kind == "state":
            times = self.times_of_state[device].get(str(value), [])
        else:
            times = [self.time_of[device].get(answered_number(kind, value))]
        return [said_ms for said_ms in times if said_ms is not None and is_near(said_ms, time_ms, allowed)]

    def same_state(self, reading: Reading, others: Iterable[Reading], allowed: Allowed) -> Reading | None:
        """Another with this text that stands for the same change, by another clock."""
        device = reading[1].split(".")[0]
        for said_ms in self.times_of_state[device].get(str(reading[3]), []):
            if is_near(said_ms, reading[2], allowed):
                for other in others:
                    if is_near(said_ms, other[2], allowed):
                        return other
        return None


def is_near(said_ms: int, time_ms: int, allowed: Allowed, only_synchronised: bool = False) -> bool:
    return any(abs(time_ms - offset_ms - said_ms) <= NEAR_MS for offset_ms in allowed.offsets_at(said_ms, only_synchronised))


class Judge:
    """One gateway's readings."""

    def __init__(self, e: Evidence, gateway: str, verdict: Verdict):
        self.e, self.gateway, self.v = e, gateway, verdict
        self.allowed = e.allowed[gateway]
        self.seen = e.seen.get(gateway, Seen())
        self.answers = Answers(e.answers, gateway)
        self.batches: list[Batch] = e.database.journal.get(gateway, [])
        self.journal = [reading for batch in self.batches for reading in batch.series]
        self.in_journal = set(self.journal)
        self.in_settled = {reading for batch in self.batches if batch.id <= e.database.settled for reading in batch.series}
        self.quarantine = e.database.quarantine.get(gateway, {})
        self.losses = [loss for loss in e.database.losses if loss.gateway == gateway]
        self.store: list[Reading] = [(kind, point, time_ms, value) for (kind, owner, point), readings in e.store.items()
                                     if owner == gateway for time_ms, value in readings]
        self.in_store = set(self.store)
        self.states_by_text: dict[tuple, list[Reading]] = {}
        for reading in {*self.seen.cut, *self.journal}:
            if reading[0] == "state":
                self.states_by_text.setdefault((reading[1], reading[3]), []).append(reading)
        self.offsets: dict[int, set[int]] = {}
        self.dated = {self.without_time(reading): reading for reading in (*self.seen.cut, *self.journal)}

    def wrong(self, what: str, readings: Iterable = ()) -> None:
        readings = list(readings)
        self.v.wrong.append(f"{self.gateway}: {what}" + (f" ({show(readings)})" if readings else ""))

    @staticmethod
    def without_time(reading: Reading) -> tuple:
        kind, point, time_ms, value = reading
        return (kind, point, value) if kind != "state" else (kind, point, value, time_ms)

    def final(self, reading: Reading) -> Reading:
        """As it was cut: one that was taken while the clock was not synchronised may be dated only then."""
        if reading in self.seen.cut or reading in self.in_journal:
            return reading
        kind, point, time_ms, value = reading
        if kind != "state":
            return self.dated.get((kind, point, value), reading)
        return self.answers.same_state(reading, self.states_by_text.get((point, value), ()), self.allowed) or reading

    def judge(self) -> None:
        if self.seen.changed:
            self.wrong("batches changed after they were cut", self.seen.changed)
        self.judge_committed()
        self.judge_store()
        self.judge_journal()
        self.judge_clock()
        self.judge_order()
        self.judge_line()
        self.judge_quarantine()
        self.judge_losses()
        self.judge_missing()
        self.judge_states()

    # ---- every committed reading ends in exactly one place ----

    def is_due(self, reading: Reading, seq: int | None) -> bool:
        if self.e.due is None or reading in self.in_settled:
            return True
        return reading not in self.in_journal and seq is not None and seq <= self.e.due.get(self.gateway, 0)

    def judge_committed(self) -> None:
        lost, not_journalled, not_stored, twice = [], [], [], []
        left = [loss.readings for loss in self.losses]  # how many more each loss by count can explain
        for reading, seq in {**dict.fromkeys(self.seen.uncut), **self.seen.cut}.items():
            if seq is None:
                if self.final(reading) != reading:
                    continue  # counted as what it became
            if not self.is_due(reading, seq):
                continue
            self.v.committed += 1
            is_refused = reading in self.quarantine
            if reading in self.in_store and reading in self.in_journal:
                self.v.delivered += 1
                if is_refused and reading not in self.allowed.posted:
                    twice.append(reading)
            elif is_refused:
                self.v.quarantined += 1
                if reading in self.in_store and reading not in self.allowed.posted:
                    twice.append(reading)
            elif reading in self.allowed.taken:
                self.v.taken += 1
            elif self.is_named(reading, seq, left):
                self.v.lost += 1
            elif reading in self.in_journal:
                not_stored.append(reading)
            elif reading in self.in_store:
                not_journalled.append(reading)
            else:
                lost.append(reading)
        if lost:
            self.wrong("committed readings are lost", lost)
        if not_stored:
            self.wrong("journalled readings are not in the store", not_stored)
        if not_journalled:
            self.wrong("readings in the store are not in the journal", not_journalled)
        if twice:
            self.wrong("readings are in the store and in quarantine", twice)

    def is_named(self, reading: Reading, seq: int | None, left: list[int]) -> bool:
        """Is it covered by a recorded loss: its batch, or a count and a span of time?"""
        for i, loss in enumerate(self.losses):
            if loss.first_seq and seq is not None and loss.first_seq <= seq <= loss.last_seq:
                return True
            if not loss.first_seq and left[i] > 0 and loss.from_ms <= reading[2] <= loss.to_ms:
                left[i] -= 1
                return True
        return False

    # ---- the store holds what was answered, once ----

    def judge_store(self) -> None:
        invented = [reading for reading in self.store if not self.answers.times(reading, self.allowed)]
        if invented:
            self.wrong("the store holds what no device answered", invented)
        doubled = self.doubled(self.store)
        times = Counter((kind, point, time_ms) for kind, point, time_ms, _ in self.store)
        doubled += [f"{key} x {count} at one time" for key, count in times.items() if count > 1]
        self.v.doubled += len(doubled)
        if doubled:
            self.wrong("readings are doubled in the store", doubled)
        unjournalled = self.in_store - self.in_journal - set(self.seen.cut) - self.allowed.posted
        if unjournalled:
            self.wrong("the store holds readings that are in no journal", unjournalled)

    def doubled(self, readings: list[Reading]) -> list[str]:
        """What is there more than once. A time makes two of one only where a restored spool had yet to give it one."""
        counts = Counter((kind, point, value) for kind, point, _, value in readings if kind != "state")
        more = {key: count - 1 for key, count in counts.items() if count > 1}
        if readings is self.store:
            self.v.redated += sum(min(count, self.allowed.redated[key]) for key, count in more.items())
        return [f"{key} x {count + 1}" for key, count in more.items() if count > self.allowed.redated[key]]

    def judge_journal(self) -> None:
        counts = Counter((kind, point, time_ms) for kind, point, time_ms, _ in self.journal)
        doubled = [key for key, count in counts.items() if count > 1]
        doubled += self.doubled(self.journal)
        self.v.doubled += len(doubled)
        if doubled:
            self.wrong("readings are doubled in the journal", doubled)
        settled = self.e.database.settled
        unsettled = [reading for batch in self.batches if batch.id <= settled for reading in batch.series
                     if reading not in self.in_store and reading not in self.quarantine]
        if unsettled:
            self.wrong("the collector takes readings for settled that the store does not hold", unsettled)

    def judge_clock(self) -> None:
        """A wrong clock is marked, and only a wrong one."""
        unmarked, marked, changed = [], [], []
        for batch in self.batches:
            for reading in batch.series:
                times = self.answers.times(reading, self.allowed)
                if not times:
                    continue  # told by judge_store, once it is there
                if reading not in batch.marked and all(self.is_wrongly_dated(reading, said_ms) for said_ms in times):
                    unmarked.append(reading)
                if reading in batch.marked and not any(self.may_be_wrong(said_ms) for said_ms in times):
                    marked.append(reading)
                kind, point, time_ms, _ = reading
                is_marked_there = (kind, self.gateway, point, time_ms) in self.e.marked
                if reading in self.in_store and reading not in self.allowed.posted and is_marked_there != (reading in batch.marked):
                    changed.append(reading)
        if unmarked:
            self.wrong("readings of a clock that was not synchronised do not say so", unmarked)
        if marked:
            self.wrong("readings of a right clock say that it was wrong", marked)
        if changed:
            self.wrong("the store and the journal disagree about the clock", changed)

    def is_wrongly_dated(self, reading: Reading, said_ms: int) -> bool:
        """Taken while the clock was not synchronised; and not dated by one that was, or cut before there was one."""
        for since_ms, until_ms in self.allowed.unsynchronised:
            if since_ms < said_ms < until_ms:
                is_cut_before = self.seen.cut_by_ms.get(reading, until_ms) < until_ms
                return is_cut_before or not is_near(said_ms, reading[2], self.allowed, only_synchronised=True)
        return False

    def may_be_wrong(self, said_ms: int) -> bool:
        return any(since_ms - NEAR_MS <= said_ms <= until_ms + NEAR_MS for since_ms, until_ms in self.allowed.unsynchronised)

    def judge_order(self) -> None:
        """In order of arrival every register and gauge only counts up."""
        newest: dict[tuple[str, str], int] = {}
        for reading in self.journal:
            kind, point, _, value = reading
            if kind == "state" or (kind, point, value) in self.allowed.redated:
                continue
            n = answered_number(kind, value)
            if n <= newest.get((kind, point), 0):
                self.wrong(f"a reading is out of order, after {newest[kind, point]}", [reading])
                return
            newest[kind, point] = n

    def judge_line(self) -> None:
        """Without holes: each batch follows the mark of its line, or a recorded loss lies between."""
        marks: dict[int, int] = {}
        for batch in self.batches:
            mark = marks.get(batch.epoch)
            if mark is None and batch.prev and batch.prev[0] in marks:
                mark = min(batch.prev[1], marks[batch.prev[0]])
            if mark is None:
                mark = batch.first - 1
            if batch.seq <= mark:
                self.wrong(f"batch {batch.seq} of epoch {batch.epoch:016x} is journalled after {mark}")
            elif batch.seq > mark + 1 and not self.is_gap_named(mark + 1, batch.seq - 1):
                self.wrong(f"batches {mark + 1} to {batch.seq - 1} before epoch {batch.epoch:016x} are missing, without a loss")
            marks[batch.epoch] = batch.seq
        recorded = self.e.database.marks.get(self.gateway, {})
        for epoch, mark in marks.items():
            if recorded.get(epoch, 0) < mark:
                self.wrong(f"epoch {epoch:016x} is journalled up to {mark}, its mark is {recorded.get(epoch)}")
            elif recorded[epoch] > mark and not self.is_gap_named(mark + 1, recorded[epoch]):
                self.wrong(f"epoch {epoch:016x} is journalled up to {mark}, its mark is {recorded[epoch]}, without a loss")

    def is_gap_named(self, first: int, last: int) -> bool:
        return all(any(loss.first_seq <= seq <= loss.last_seq for loss in self.losses) for seq in range(first, last + 1))

    # ---- what is refused or lost is explained ----

    def judge_quarantine(self) -> None:
        strange = [f"{reading}: {reason}" for reading, reason in self.quarantine.items()
                   if not reason.startswith(tuple(self.allowed.refusals))]
        if strange:
            self.wrong("quarantine that no fault explains", strange)

    def judge_losses(self) -> None:
        strange: list[Loss] = [loss for loss in self.losses if not self.allowed.losses]
        if strange:
            self.wrong("losses are recorded that no fault explains", strange)
        claimed = sum(loss.readings for loss in self.losses if not loss.first_seq)
        if claimed > self.gone():
            self.wrong(f"losses of {claimed} readings are recorded, where only {self.gone()} are gone", self.losses)

    def gone(self) -> int:
        """Answers that are nowhere, and changes of state that may be among them."""
        found = Counter(reading[1] for reading in (*self.in_store, *self.quarantine) if reading[0] in ("register", "gauge"))
        gone = sum(max(0, len(times) - found[point]) for device, times in self.answers.time_of.items()
                   for point in (device, f"{device}.level"))
        return gone + gone // POLLS_PER_STATE + self.allowed.starts * len(DEVICES)

    # ---- what was answered and never committed ----

    def judge_missing(self) -> None:
        known: dict[str, set[int]] = {}
        for reading in (*self.seen.cut, *self.seen.uncut, *self.in_store, *self.in_journal, *self.quarantine, *self.allowed.taken):
            if reading[0] in ("register", "gauge"):
                known.setdefault(reading[1], set()).add(answered_number(reading[0], reading[3]))
        missing = []
        for device, times in self.answers.time_of.items():
            for n, time_ms in times.items():
                if self.e.answers_due_ms is not None and time_ms >= self.e.answers_due_ms:
                    continue
                for point in (device, f"{device}.level"):
                    if n in known.get(point, ()):
                        continue
                    self.v.uncommitted += 1
                    gap = next((gap for gap in self.allowed.gaps if gap[0] <= time_ms <= gap[1]), None)
                    if gap is None:
                        missing.append((point, n, time_ms))
                    else:
                        self.v.longest_gap_ms = max(self.v.longest_gap_ms, gap[1] - time_ms)
        if missing:
            self.wrong("answers are missing that no kill explains", missing)

    def judge_states(self) -> None:
        """A state whose polls all arrived has arrived itself; and at most once more for each start of the agent."""
        registers: dict[str, set[int]] = {}
        states: dict[str, dict[str, list[int]]] = {}
        for kind, point, time_ms, value in {*self.in_store, *self.quarantine}:
            if kind == "register":
                registers.setdefault(point, set()).add(value)
            elif kind == "state":
                states.setdefault(point.split(".")[0], {}).setdefault(value, []).append(time_ms)
        for device, numbers in registers.items():
            turns: dict[str, list[list[int]]] = {}  # by text: when it was said
            missing = []
            # All that was said: the store goes on while it is read, its registers before its states.
            for turn in range(max(self.answers.time_of[device]) // POLLS_PER_STATE + 1):
                text = STATES[turn % len(STATES)]
                polls = range(turn * POLLS_PER_STATE, (turn + 1) * POLLS_PER_STATE)
                said = [self.answers.time_of[device][n] for n in polls if n in self.answers.time_of[device]]
                turns.setdefault(text, []).append(said)
                is_whole = turn < max(numbers) // POLLS_PER_STATE and numbers.issuperset(polls)
                if is_whole and not any(self.is_of(said, time_ms) for time_ms in states.get(device, {}).get(text, [])):
                    missing.append((f"{device}.state", text, said[0]))
            if missing:
                self.wrong("changes of state are missing", missing)
            extra = sum(len(times) - self.matched(times, turns.get(text, [])) for text, times in states.get(device, {}).items())
            allowed = self.allowed.starts + sum(count for key, count in self.allowed.redated.items() if key[1] == f"{device}.state")
            if extra > allowed:
                self.wrong(f"{device}.state: {extra} states too many for {self.allowed.starts} starts")

    def is_of(self, said: list[int], time_ms: int) -> bool:
        return any(abs(time_ms - offset_ms - said_ms) <= NEAR_MS for said_ms in said for offset_ms in self.offsets_at(said_ms))

    def offsets_at(self, said_ms: int) -> set[int]:
        if said_ms not in self.offsets:
            self.offsets[said_ms] = self.allowed.offsets_at(said_ms)
        return self.offsets[said_ms]

    def matched(self, times: list[int], turns: list[list[int]]) -> int:
        """How many of the states can each stand for a turn of its own. A text comes again, and with a clock that was
        stepped a state may be near two of its turns."""
        owner: dict[int, int] = {}

        def find(time_ms: int, tried: set[int]) -> bool:
            for i, said in enumerate(turns):
                if i not in tried and self.is_of(said, time_ms):
                    tried.add(i)
                    if i not in owner or find(owner[i], tried):
                        owner[i] = time_ms
                        return True
            return False

        return sum(find(time_ms, set()) for time_ms in times)


def judge(e: Evidence) -> Verdict:
    verdict = Verdict()
    for gateway in e.allowed:
        Judge(e, gateway, verdict).judge()
    strangers = {owner for _, owner, _ in e.store} - set(e.allowed)
    if strangers:
        verdict.wrong.append(f"the store holds gateways that there are not: {sorted(strangers)}")
    return verdict
