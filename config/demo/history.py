"""Two months of the simulated park, and what went wrong in the older one, as it does in a park: a wrong reading, a meter that was
replaced, one that nobody read while it was, and readings that come weeks late. Nothing here knows what the collector makes of it; what the registers
really counted is the simulator's own account.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sim.park import SITE, Meter, Park

ZONE = ZoneInfo(SITE["zone"])
# Registers each quarter hour, the instruments' power each five minutes; of the last week everything, each five minutes.
STEP_S, LAST_STEP_S, POWER_STEP_S = 900, 300, 300
LAST = timedelta(days=7)
SETTLED = timedelta(days=10)  # the younger month has at least so many days

WRONG, REPLACED, UNREAD, LATE = "b1-f2", "b1-lift", "b1-pump", "b2-hvac"
OLD_REGISTER = 5_000_000  # Wh that the meters before had counted more


def month_before(first: datetime) -> datetime:
    return (first - timedelta(days=1)).replace(day=1)


def milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)


class Row(NamedTuple):
    point: str
    value: str
    time_ms: int


@dataclass
class History:
    """`months`: the first moments of the older one, of the younger one, and what follows on that. Times are the site's."""

    park: Park
    until: datetime

    def __post_init__(self):
        second = (self.until - SETTLED).astimezone(ZONE).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        self.months = [month_before(second), second, (second + timedelta(days=32)).replace(day=1)]
        self.meters = {meter.id: meter for meter in self.park.meters}
        self.replaced_at = self.at(12, "10:06")
        self.unread = (self.at(20, "02:00"), self.at(20, "07:15"))
        self.late = (second - timedelta(hours=4), second + timedelta(hours=6))

    @property
    def since(self) -> datetime:
        return self.months[0]

    @property
    def names(self) -> list[str]:
        return [f"{first:%Y-%m}" for first in self.months[:2]]

    def at(self, day: int, clock: str) -> datetime:
        hours, minutes = clock.split(":")
        return self.since.replace(day=day, hour=int(hours), minute=int(minutes))

    def parts(self, gateway: str) -> list[tuple]:
        """What the gateway read: (from, until, seconds from reading to reading, more for the simulator)."""
        recent, power = self.until - LAST, rf"b2\.({'|'.join(entry.id for entry in self.park.instruments)})\.power"
        parts = [(self.since, recent, STEP_S, "--kind", "register"), (recent, self.until, LAST_STEP_S, "--only", rf"(?!{power}$).*")]
        return [*parts, (self.since, self.until, POWER_STEP_S, "--only", power)] if gateway == "gw-b" else parts

    def register(self, meter: str, time: datetime) -> int:
        """What it really read, in base units."""
        return self.meters[meter].register.value(milliseconds(time))

    def counted(self, meter: Meter, month: int) -> int:
        """Really, in that month."""
        first, last = (meter.register.value(milliseconds(time)) for time in self.months[month:month + 2])
        modulus = meter.register.format.modulus()
        return (last - first) % modulus if modulus else last - first

    def faults(self) -> list[tuple[str, datetime, datetime, Callable[[int], int] | None]]:
        """What went wrong: (point, from, until, what its register reads instead; None: it is not read)."""

        def wire(meter: str) -> str:
            return self.meters[meter].register.wire

        def more(value: int) -> int:
            return value + OLD_REGISTER

        a_minute_later = self.unread[0] + timedelta(minutes=1)
        return [(wire(WRONG), self.at(8, "11:00"), self.at(8, "11:01"), lambda _: 0),
                (wire(REPLACED), self.since, self.replaced_at, more),
                (wire(UNREAD), self.since, a_minute_later, more),
                (wire(UNREAD), a_minute_later, self.unread[1], None)]

    def spoil(self, rows: Iterable[Row]) -> list[Row]:
        faults = [(point, milliseconds(since), milliseconds(until), change) for point, since, until, change in self.faults()]
        found = []
        for row in rows:
            for point, since, until, change in faults:
                if point == row.point and since <= row.time_ms < until:
                    row = None if change is None else row._replace(value=str(change(int(row.value))))
                    break
            if row is not None:
                found.append(row)
        return found

    def is_late(self, row: Row) -> bool:
        since, until = map(milliseconds, self.late)
        return row.point == self.meters[LATE].register.wire and since < row.time_ms < until

    def decisions(self) -> list[dict]:
        """What a person knows of it, as POST /api/v1/decisions takes it."""
        at_lift = self.register(REPLACED, self.replaced_at)
        since, until = self.unread
        return [{"kind": "replacement", "meter": REPLACED, "at": self.replaced_at.isoformat(), "end": at_lift + OLD_REGISTER, "start": at_lift,
                 "serial": "SN-90000001", "why": "protocol of the electrician"},
                {"kind": "energy", "meter": UNREAD, "from": since.isoformat(), "until": until.isoformat(),
                 "energy": self.register(UNREAD, until) - self.register(UNREAD, since), "why": "replaced unread; by the pump's own hours"}]


def read_rows(path: Path) -> list[Row]:
    with open(path, newline="") as file:
        return [Row(row["point"], row["value"], int(row["time"])) for row in csv.DictReader(file)]


def write_rows(path: Path, rows: Iterable[Row]) -> int:
    """Returns how many."""
    rows = list(rows)
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Row._fields[:2] + ("time",))
        writer.writerows(rows)
    return len(rows)


def unit(meter: Meter) -> int:
    """Base units in one of what is shown: kWh, MJ, m3."""
    return 10**6 if meter.carrier in ("heat", "cooling") else 1000
