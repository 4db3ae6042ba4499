"""The parts of an instrument's time by the words of collector/instrument/hours.h alone: every minute is asked by itself, and by Python's
zoneinfo what its clocks show. All times are whole minutes.

    oracle_hours.py SEED

Lines, in minutes since 1970:  case ZONE HAS_POWER HAS_SESSIONS BEGIN END KNOWN PREPARATION POST PAUSE GRACE OPEN...
                               broken|planned|booking|unseen FROM UNTIL EVIDENCE   session FROM UNTIL EVIDENCE USER TRAINING
                               activity FROM UNTIL STATE   row FROM UNTIL PART EVIDENCE   end
"""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

DAY = 1440
EVIDENCES = ["measured", "declared", "inferred", "manual", "imported"]
# Days on which the clocks are changed, and a common one.
PLACES = [("Asia/Shanghai", 1764547200), ("Europe/Berlin", 1774656000), ("Europe/Berlin", 1792800000), ("America/New_York", 1772841600),
          ("Australia/Lord_Howe", 1775260800)]
OPEN = {"": None, "08:00-18:00": (range(7), 480, 1080), "Mon-Fri 01:30-20:00": (range(5), 90, 1200), "Sun 00:00-24:00": ([6], 0, 1440)}


def draw_spans(r: random.Random, begin: int, most: int, longest: int) -> list[tuple[int, int, str]]:
    spans = [(start, start + r.randint(1, longest), r.choice(EVIDENCES)) for start in (begin + r.randint(-400, 2 * DAY) for _ in range(r.randint(0, most)))]
    return sorted(spans, key=lambda span: span[0])


def tile(r: random.Random, begin: int, end: int, states: list[str], longest: int) -> list[tuple[int, int, str]]:
    """One after the other, some with holes between; no two of a state side by side but for unknown."""
    out, at = [], begin
    while at < end:
        until = min(end, at + r.randint(1, r.choice([3, 20, longest])))
        state = r.choice(states)
        if state and not (out and out[-1][2] == state and out[-1][1] == at):
            out.append((at, until, state))
        at = until
    return out


class Case:
    def __init__(self, r: random.Random) -> None:
        self.zone_name, near = r.choice(PLACES)
        self.zone = ZoneInfo(self.zone_name)
        self.begin = near // 60 + r.randint(0, 300)
        self.end = self.begin + r.randint(0, 2 * DAY)
        self.known = self.end + r.choice([0, 5, 600])
        self.has_power, self.has_sessions = r.random() < 0.8, r.random() < 0.8
        self.preparation, self.post, self.pause, self.grace = (r.choice([0, 5, 10, 30]) for _ in range(4))
        self.hours = r.choice(list(OPEN))
        self.broken, self.planned = (draw_spans(r, self.begin, r.choice([0, 2]), 300) for _ in range(2))
        self.bookings = draw_spans(r, self.begin, 8, 240)
        self.unseen = draw_spans(r, self.begin, 2, 100) if self.has_sessions else []
        states = r.choice([["off", "standby", "running"], ["standby", "running"], ["standby", "running", "unknown", ""], ["off"]])
        self.activity = tile(r, self.begin - DAY, self.known, states, 300) if self.has_power else []
        sessions = tile(r, self.begin - 600, self.known, ["s", "", ""], 400) if self.has_sessions else []
        self.sessions = [(a, b, r.choice(EVIDENCES), r.choice(["unknown", "internal", "external"]), r.random() < 0.1) for a, b, _ in sessions]
        self.extra: set[int] = set()
        self.find_extra()

    def state(self, minute: int) -> str:
        return next((s for a, b, s in self.activity if a <= minute < b), "unknown")

    def find_extra(self) -> None:
        """Preparation, pauses and post-processing, minute by minute from the runs outward."""
        if not self.has_power:
            return
        for begin, end, *_ in self.sessions:
            states = {m: self.state(m) for m in range(begin, end)}
            running = [m for m in range(begin, end) if states[m] == "running"]
            if not running:
                continue
            first, last = running[0], running[-1]
            back = first - 1
            while back >= begin and first - back <= self.preparation and states[back] in ("off", "standby"):
                self.extra.add(back)
                back -= 1
            ahead = last + 1
            while ahead < end and ahead - last <= self.post and states[ahead] in ("off", "standby"):
                self.extra.add(ahead)
                ahead += 1
            for a, b in zip(running, running[1:], strict=False):
                between = range(a + 1, b)
                if 0 < len(between) <= self.pause and all(states[m] != "unknown" for m in between):
                    self.extra |= set(between)

    def no_show(self, booking: tuple[int, int, str]) -> bool:
        begin, end, _ = booking
        end = min(end, self.known)
        if self.known < begin + self.grace or not (self.has_power or self.has_sessions):
            return False
        for minute in range(begin, end):
            if any(a <= minute < b for a, b, *_ in self.sessions) or any(a <= minute < b for a, b, _ in self.unseen):
                return False
            if self.has_power and self.state(minute) in ("running", "unknown"):
                return False
        return True

    def is_open(self, minute: int) -> bool:
        if OPEN[self.hours] is None:
            return True
        clock = datetime.fromtimestamp(minute * 60, UTC).astimezone(self.zone)
        days, begin, end = OPEN[self.hours]
        return clock.weekday() in days and begin <= clock.hour * 60 + clock.minute < end

    def part(self, minute: int, absent: list[tuple[int, int, str]]) -> tuple[str, str]:
        def held(spans: list[tuple[int, int, str]]) -> str | None:
            return next((e for a, b, e in spans if a <= minute < b), None)
        for spans, name in ((self.broken, "broken"), (self.planned, "planned_outage")):
            if held(spans):
                return name, held(spans)
        session = next((s for s in self.sessions if s[0] <= minute < s[1]), None)
        if session and session[4]:
            return "training", session[2]
        state = self.state(minute)
        who = {"unknown": "unattributed"}.get(session[3], session[3]) if session else "unattributed"
        if self.has_power and state == "running":
            return who, "measured"
        if session and (minute in self.extra or not self.has_power):
            return who, session[2]
        if (self.has_power and state == "unknown") or held(self.unseen):
            return "unknown", "none"
        if session:
            return "idle", session[2]
        if held(absent):
            return "no_show", held(absent)
        if held(self.bookings):
            return ("reserved", held(self.bookings)) if self.has_power or self.has_sessions else ("unknown", "none")
        if not self.is_open(minute):
            return "closed", "declared"
        return "free", "measured" if self.has_power else "declared" if self.has_sessions else "imported"

    def show(self) -> None:
        print("case", self.zone_name, int(self.has_power), int(self.has_sessions), self.begin, self.end, self.known, self.preparation, self.post,
              self.pause, self.grace, self.hours or "-")
        for name, spans in (("broken", self.broken), ("planned", self.planned), ("booking", self.bookings), ("unseen", self.unseen), ("activity", self.activity)):
            for span in spans:
                print(name, *span)
        for begin, end, evidence, user, is_training in self.sessions:
            print("session", begin, end, evidence, user, int(is_training))
        absent = [booking for booking in self.bookings if self.no_show(booking)]
        rows: list[list] = []
        for minute in range(self.begin, self.end):
            found = self.part(minute, absent)
            if rows and rows[-1][2] == found:
                rows[-1][1] = minute + 1
            else:
                rows.append([minute, minute + 1, found])
        for begin, end, (part, evidence) in rows:
            print("row", begin, end, part, evidence)
        print("end")


if __name__ == "__main__":
    r = random.Random(int(sys.argv[1]))
    for _ in range(40):
        Case(r).show()
