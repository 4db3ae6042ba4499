"""The table of fault histories as sequences, with the answers that the document gives typed beside them.

kWh and minutes of the day here, as the document has them; Wh and milliseconds in what a Case hands out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from .register import DAY_MS, Segment

MINUTE_MS = 60_000
DAY = 1_772_409_600_000  # 2026-03-02 00:00 UTC
AHEAD_MS = 5 * MINUTE_MS
GAP_3 = ("05:45", "12:00")
EXCEPTIONS = {"open_exception", "limit", "confirm_meter"}

Sequence = dict[Fraction, Fraction]  # minute of the day -> kWh


def at(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def ms(minute: Fraction | int) -> int:
    return DAY + int(minute * MINUTE_MS)


def span(since: str, until: str) -> list[int]:
    """The quarters from one clock time up to, not including, another, as their starts in ms."""
    return [ms(minute) for minute in range(at(since), at(until), 15)]


def constant(kw: int) -> Callable[[Fraction], Fraction]:
    return lambda minute: Fraction(kw) * Fraction(minute) / 60


def feeder(used: Callable[[Fraction], Fraction] = constant(40), start: int = 100_000, times: Iterable = range(-15, 24 * 60 + 16, 15)) -> Sequence:
    """The base: what the register reads, where it reads `start` at 00:00."""
    return {Fraction(minute): start + used(Fraction(minute)) for minute in times}


def without(sequence: Sequence, since: str, until: str) -> Sequence:
    return {t: kwh for t, kwh in sequence.items() if not at(since) <= t < at(until)}


def replaced(sequence: Sequence, new_start: int) -> Sequence:
    """At 10:06, where the old meter reads 404 kWh more than at 00:00, a used meter takes its place."""
    return {t: kwh if t < at("10:06") else new_start + constant(40)(t - at("10:06")) for t, kwh in sequence.items()}


def changed(sequence: Sequence, change: dict[str, Fraction | int]) -> Sequence:
    return {**sequence, **{Fraction(at(clock)): Fraction(kwh) for clock, kwh in change.items()}}


@dataclass
class Case:
    """One row. Amounts in kWh; `known` is asked where `amount` is None; the quarters that are not measured are listed."""

    row: str
    what: str
    sequence: Sequence
    amount: Fraction | int | None
    known: Fraction | int | None = None
    estimated: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    events: dict[str, int] = field(default_factory=dict)
    exception: tuple[int, int] | None = None
    segments: list[Segment] | None = None
    resolution_wh: int = 10
    modulus_kwh: Fraction | int | None = None
    max_rate_kw: int = 100

    def meter(self) -> list[Segment]:
        return self.segments or [segment(self.resolution_wh, self.modulus_kwh, self.max_rate_kw)]

    def readings(self) -> list[tuple[int, int]]:
        """In order of time, cut to the register's resolution."""
        return [(ms(t), int(kwh * 1000 // self.resolution_wh) * self.resolution_wh) for t, kwh in sorted(self.sequence.items())]


def segment(resolution_wh: int = 10, modulus_kwh: Fraction | int | None = None, max_rate_kw: int = 100, **more) -> Segment:
    modulus = None if modulus_kwh is None else int(modulus_kwh * 1000)
    return Segment(DAY - DAY_MS, modulus=modulus, resolution=resolution_wh, max_rate=max_rate_kw * 1000, **more)


def wh(kwh: int) -> int:
    return kwh * 1000


def logged_replacement(new_start: int) -> list[Segment]:
    return [segment(until_ms=ms(at("10:06")), end=wh(100_404)),
            Segment(ms(at("10:06")), start=wh(new_start), resolution=10, max_rate=wh(100))]


def ratio_change() -> list[Segment]:
    return [segment(max_rate_kw=10_000, until_ms=ms(at("10:00")), end=wh(100_400), p=40),
            Segment(ms(at("10:00")), start=wh(100_400), resolution=10, max_rate=wh(10_000), p=60)]


def jitter(seconds: int) -> list[Fraction]:
    return [Fraction(minute) + Fraction(seconds if minute % 30 else -seconds, 60) for minute in range(-15, 24 * 60 + 16, 15)]


def late_load(minute: Fraction) -> Fraction:
    """Row 14: 10 kW until 08:00, 100 kW from then on."""
    return constant(10)(min(minute, Fraction(at("08:00")))) + constant(100)(max(minute - at("08:00"), Fraction(0)))


def day_load(minute: Fraction) -> Fraction:
    """Row 30: 130 kW for the day, above 1.2 x 100 kW; 40 kW before and after it."""
    inside = min(max(minute, Fraction(0)), Fraction(24 * 60))
    return constant(130)(inside) + constant(40)(minute - inside)


def refreshed(every: int) -> Sequence:
    """Row 22: polled every 60 s, the register moves every `every` minutes."""
    return {Fraction(minute): 100_000 + constant(40)(Fraction(minute // every * every)) for minute in range(-15, 24 * 60 + 16)}


BASE = feeder()
NEAR_MODULUS = {t: kwh % 1_000_000 for t, kwh in feeder(start=999_700).items()}
LOWER_15 = {t: kwh - 15 if t >= at("10:00") else kwh for t, kwh in BASE.items()}
LOWER_35 = {t: kwh - 35 if t >= at("10:00") else kwh for t, kwh in BASE.items()}
EVERY_10_S = [Fraction(tick, 6) for tick in range(-15 * 6, (24 * 60 + 15) * 6 + 1)]

CASES = [
    Case("1", "nothing", BASE, 960),
    Case("2", "80 kW instead of 40", feeder(constant(80)), 1920),
    Case("3", "no readings from 06:00 up to, not including, 12:00", without(BASE, "06:00", "12:00"), 960, estimated=span(*GAP_3)),
    Case("4", "modulus 1 000 000, rolls over at 07:30", NEAR_MODULUS, 960, events={"rollover": 1}, modulus_kwh=1_000_000),
    Case("5", "replaced at 10:06, logged", replaced(BASE, 12_000), 960, segments=logged_replacement(12_000)),
    Case("6", "as 5, new start 250 000", replaced(BASE, 250_000), 960, segments=logged_replacement(250_000)),
    Case("7", "as 5, never logged", replaced(BASE, 12_000), None, 950, unknown=span("10:00", "10:15"), events={"open_exception": 1},
         exception=(at("10:00"), at("10:15"))),
    Case("8", "as 6, never logged", replaced(BASE, 250_000), None, 950, unknown=span("10:00", "10:15"), events={"limit": 1},
         exception=(at("10:00"), at("10:15"))),
    Case("9", "the reading at 10:00 is 0", changed(BASE, {"10:00": 0}), 960, estimated=span("09:45", "10:15"), events={"outlier": 1}),
    Case("10", "the reading at 10:00 is 1 000 too high", changed(BASE, {"10:00": 101_400}), 960, estimated=span("09:45", "10:15"),
         events={"outlier": 1}),
    Case("11", "as 10 at 08:00 and at 12:00", changed(BASE, {"08:00": 101_320, "12:00": 101_480}), 960,
         estimated=span("07:45", "08:15") + span("11:45", "12:15"), events={"outlier": 2}),
    Case("12", "from 10:00 on 15 kWh lower", LOWER_15, None, 940, unknown=span("09:30", "10:00"), events={"open_exception": 1},
         exception=(at("09:30"), at("10:00"))),
    Case("12b", "from 10:00 on 35 kWh lower", LOWER_35, None, 950, unknown=span("09:45", "10:00"), events={"open_exception": 1},
         exception=(at("09:45"), at("10:00"))),
    Case("13", "readings at :07, :22, :37, :52", feeder(times=range(-8, 24 * 60 + 8, 15)), 960),
    Case("13b", "the poll jitters by 2 s", feeder(times=jitter(2)), 960),
    Case("14", "hourly at :50; 10 kW until 08:00, then 100 kW", feeder(late_load, times=range(-10, 24 * 60 + 51, 60)), 1680,
         estimated=span("00:00", "24:00")),
    Case("16", "the last reading is at 18:00", {t: kwh for t, kwh in BASE.items() if t <= at("18:00")}, None, 720, unknown=span("18:00", "24:00")),
    Case("18", "CT 40 before and 60 from 10:00, registers logged", BASE, 400 * 40 + 560 * 60, segments=ratio_change()),
    Case("19", "two zeros, 10:00 and 10:15", changed(BASE, {"10:00": 0, "10:15": 0}), 960, estimated=span("09:45", "10:30"), events={"outlier": 2}),
    Case("20", "a dead slave answers 0 from 06:00 up to 12:00", {t: Fraction(0) if at("06:00") <= t < at("12:00") else kwh for t, kwh in BASE.items()},
         960, estimated=span(*GAP_3), events={"outlier": 24}),
    Case("21", "the 05:45 value until 11:45, the truth at 12:00",
         {t: BASE[Fraction(at("05:45"))] if at("05:45") <= t < at("12:00") else kwh for t, kwh in BASE.items()}, 960,
         estimated=span(*GAP_3), events={"frozen": 1}),
    Case("22", "polled every 60 s, refreshed every 15 min", refreshed(15), 960, events={"frozen": 98}),
    Case("23", "resolution 1 kWh, polled every 10 s", feeder(times=EVERY_10_S), 960, resolution_wh=1000),
    Case("24", "idle; one reading 0.01 kWh lower than the one before", changed(feeder(constant(0)), {"10:00": Fraction(9_999_999, 100)}), 0),
    Case("25", "rollover inside the gap of 3", without(NEAR_MODULUS, "06:00", "12:00"), 960, estimated=span(*GAP_3), events={"rollover": 1},
         modulus_kwh=1_000_000),
    Case("26", "unlogged replacement inside the gap of 3", without(replaced(BASE, 12_000), "06:00", "12:00"), None, 710, unknown=span(*GAP_3),
         events={"open_exception": 1}, exception=(at("05:45"), at("12:00"))),
    Case("27", "the reading at 24:00 is 0 and is the last", changed({t: kwh for t, kwh in BASE.items() if t < at("24:15")}, {"24:00": 0}), None, 950,
         unknown=span("23:45", "24:00"), events={"held": 1}),
    Case("30", "130 kW for the day", feeder(day_load), None, 0, unknown=span("00:00", "24:00"), events={"limit": 1}, exception=(0, at("24:00"))),
]
BY_ROW = {case.row: case for case in CASES}

GAP_28 = (ms(at("02:00")), ms(at("82:00")))
ROW_28 = Case("28", "modulus 6 553.6 kWh, 90 kW, 80 h without readings",
              {t: kwh % Fraction(65_536, 10) for t, kwh in feeder(constant(90), start=1000, times=range(-15, 90 * 60, 15)).items()
               if not at("02:00") < t < at("82:00")}, None, modulus_kwh=Fraction(65_536, 10))

PARENT_17 = BY_ROW["1"]
CHILD_17 = Case("17", "child 25 kW with the gap of 3", without(feeder(constant(25)), "06:00", "12:00"), 600, estimated=span(*GAP_3))


def batches_15() -> list[list[tuple[int, int]]]:
    """Row 15: what arrived up to and with 20:00, then what was missing in one batch, then the rest of the day."""
    every = BY_ROW["1"].readings()
    missing = [reading for reading in every if ms(at("06:00")) <= reading[0] < ms(at("12:00"))]
    rest = [reading for reading in every if reading not in missing]
    return [[reading for reading in rest if reading[0] <= ms(at("20:00"))], missing, [reading for reading in rest if reading[0] > ms(at("20:00"))]]


def row_29() -> list[tuple[int, int, int]]:
    """(received, time, count): the readings of row 1, each received 1 s later, and at 10:00 one that is stamped a year ahead."""
    received = [(t + 1000, t, count) for t, count in BY_ROW["1"].readings()]
    return sorted([*received, (ms(at("10:00")) + 1000, ms(at("10:00")) + 365 * DAY_MS, wh(100_400))])


def in_time(received: Iterable[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """D5: what is more than 5 min ahead of the collector's clock is quarantined before it reaches a ledger."""
    return [(t, count) for now, t, count in received if t <= now + AHEAD_MS]


def daily(*registers_kwh: int) -> list[tuple[int, int]]:
    """The other vectors: a register a day."""
    return [(DAY + day * DAY_MS, wh(register)) for day, register in enumerate(registers_kwh)]
