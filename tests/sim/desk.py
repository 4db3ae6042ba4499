"""Who uses the instruments: what the card readers beside them tell, and the bookings as another program exports them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

from sim.calendar import MINUTE, day_start, draw, key_of, local_day

OWNER = "91330421SIM000001A"  # of all instruments
COMPANIES = {"acme-bio": "91330421SIM000002B", "yun-optics": "91330421SIM000003C"}
PURPOSES = ("research", "testing", "teaching")
BEFORE, AFTER = 6, 4  # minutes from logging in to a run, and from its end to logging out
GRID = 15  # minutes of a booking
NO_SHOW = (18 * 60, 19 * 60)


@dataclass(frozen=True)
class Event:
    time_ms: int
    instrument: str
    id: str
    action: str  # open, close
    user: str = ""  # class
    organisation: str = ""
    purpose: str = ""

    def json(self) -> dict:
        """As a card reader says it."""
        event = {"event": self.id, "instrument": self.instrument, "action": self.action}
        if self.action == "open":
            event |= {"class": self.user, "organisation": self.organisation, "purpose": self.purpose}
        return event

    def wire(self) -> str:
        """The state on the wire."""
        more = f" class={self.user} organisation={self.organisation} purpose={self.purpose}" if self.action == "open" else ""
        return f"{self.action} event={self.id}{more}"


def point(instrument: str) -> str:
    return f"b2.{instrument}.session"


def events(seed: int, entry, from_ms: int, to_ms: int) -> Iterator[Event]:
    """Of one instrument, in [from, to), in order: users log in some minutes before a run and out after it."""
    key = key_of(seed, f"{entry.id}/users")
    for day in range(local_day(from_ms), local_day(to_ms) + 1):
        for n, (first, last) in enumerate(entry.model.runs(day)):
            number = day * 8 + n
            chance = draw(key, number) % 100
            if chance < 58:
                user, organisation = "internal", OWNER
            elif chance < 92:
                user, organisation = "external", list(COMPANIES.values())[chance % 2]
            else:
                user, organisation = "training", OWNER
            opened = Event(day_start(day) + (first - BEFORE) * MINUTE, entry.id, f"{entry.id}-{number}-in", "open", user, organisation,
                           PURPOSES[chance % len(PURPOSES)])
            closed = Event(day_start(day) + (last + AFTER) * MINUTE, entry.id, f"{entry.id}-{number}-out", "close")
            yield from (event for event in (opened, closed) if from_ms <= event.time_ms < to_ms)


def bookings(seed: int, entry, from_ms: int, to_ms: int) -> Iterator[tuple[int, int]]:
    """Most sessions were booked; and on some evenings somebody booked who never came."""
    key = key_of(seed, f"{entry.id}/bookings")
    for day in range(local_day(from_ms), local_day(to_ms) + 1):
        runs = entry.model.runs(day)
        for n, (first, last) in enumerate(runs):
            if draw(key, day * 8 + n) % 100 < 70:
                begin, end = (first - BEFORE) // GRID * GRID, -(-(last + AFTER) // GRID) * GRID
                yield day_start(day) + begin * MINUTE, day_start(day) + end * MINUTE
        if runs and runs[-1][1] + GRID < NO_SHOW[0] and draw(key, day * 8 + 7) % 100 < 15:
            yield tuple(day_start(day) + minute * MINUTE for minute in NO_SHOW)


def calendar(seed: int, entry, from_ms: int, to_ms: int) -> str:
    """RFC 5545, as a booking program exports it."""
    def utc(time_ms: int) -> str:
        return datetime.fromtimestamp(time_ms / 1000, timezone.utc).strftime("%Y%m%dT%H%M%SZ")

    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//simulated park//bookings//EN"]
    for begin, end in bookings(seed, entry, from_ms, to_ms):
        lines += ["BEGIN:VEVENT", f"UID:{entry.id}-{begin}@sim", f"DTSTAMP:{utc(from_ms)}", f"DTSTART:{utc(begin)}", f"DTEND:{utc(end)}",
                  "SUMMARY:booked", "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])
