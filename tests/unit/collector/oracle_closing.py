"""What is booked of the months of two sites, quarter hour by quarter hour, from the words of collector/energy/closing.h alone.

    oracle_closing.py SEED

Lines, times in milliseconds:  park TEXT                          one history begins
                               row METER START VERSION AMOUNT|- QUALITY
                               close SITE MONTH NOW               followed by what it books:
                               pending SITE MONTH NOW             what the open month has beside its own:
                               base METER KNOWN UNKNOWN_S WAITING_S ABSENT_S WHOLE
                               entry METER MONTH KNOWN UNKNOWN_S WAITING_S ABSENT_S WHOLE
                               end
                               booked METER KNOWN UNKNOWN_S       of the meter, all that is booked of both sites
"""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

QUARTER = 900_000
HISTORIES = 8
ZONES = ("Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe", "UTC")
STARTS = ((2026, 2), (2026, 9), (2025, 12))
METERS = ("alone", "late", "moved", "new")
UNKNOWN = 3


def month_name(month: tuple[int, int]) -> str:
    return f"{month[0]}-{month[1]:02}"


def after(month: tuple[int, int], count: int = 1) -> tuple[int, int]:
    n = month[0] * 12 + month[1] - 1 + count
    return n // 12, n % 12 + 1


def begin(zone: ZoneInfo, month: tuple[int, int]) -> int:
    return int(datetime(*month, 1, tzinfo=zone).timestamp()) * 1000


def iso(time: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time)).strftime("%Y-%m-%dT%H:%M:%SZ")


class History:
    """`state` of a quarter hour: a number, "unknown", "waiting"; absent is no state at all, and elsewhere neither."""

    def __init__(self, seed: int) -> None:
        self.r = r = random.Random(seed)
        self.zones = {"s": ZoneInfo(r.choice(ZONES)), "t": ZoneInfo("UTC")}
        self.first = r.choice(STARTS)
        self.months = [after(self.first, i) for i in range(-1, 5)]
        low = begin(self.zones["s"], self.months[0]) // QUARTER * QUARTER
        # Installed within the month before the first that has data; `moved` goes from s to t within the second.
        self.installed = low + r.randrange(2000) * QUARTER
        self.moves = begin(self.zones["s"], after(self.first)) // QUARTER * QUARTER + r.randrange(100, 2500) * QUARTER
        self.rows: dict[tuple[str, int], list[tuple[int | None, int]]] = {}
        self.booked: dict[tuple[str, str, int], object] = {}
        self.seen: set[tuple[str, str, tuple[int, int]]] = set()
        self.next = {"s": self.first, "t": None}
        self.began = {"s": self.first, "t": None}

    def park(self) -> str:
        def meter(name: str, more: str = "") -> str:
            return (f'{{ id = "{name}"; name = "x"; name_en = "x"; building = "bs"; carrier = "electricity"; {more}'
                    f' segments = ({{ serial = "1"; from = "{iso(self.installed)}"; max_rate = 1000; }}); }}')
        moved = f'changes = ({{ from = "{iso(self.moves)}"; building = "bt"; }});'
        sites = ", ".join(f'{{ id = "{i}"; name = "x"; name_en = "x"; zone = "{z.key}"; }}' for i, z in self.zones.items())
        buildings = ", ".join(f'{{ id = "b{i}"; name = "x"; name_en = "x"; site = "{i}"; }}' for i in self.zones)
        meters = ", ".join(meter(m, moved if m == "moved" else "") for m in METERS)
        return f"sites = ({sites}); buildings = ({buildings}); meters = ({meters});"

    def site_of(self, meter: str, start: int) -> str:
        return "t" if meter == "moved" and start >= self.moves else "s"

    def state(self, meter: str, start: int) -> object:
        rows = self.rows.get((meter, start))
        if rows:
            return "unknown" if rows[-1][0] is None else rows[-1][0]
        return "waiting" if start + QUARTER > self.installed else None

    def quarters(self, site: str, meter: str, month: tuple[int, int]) -> list[int]:
        zone = self.zones[site]
        span = range(begin(zone, month), begin(zone, after(month)), QUARTER)
        return [q for q in span if self.site_of(meter, q) == site]

    def put(self, meter: str, start: int) -> None:
        rows = self.rows.setdefault((meter, start), [])
        if rows and self.r.random() < 0.3:
            amount, quality = None, UNKNOWN
        else:
            amount, quality = (None, UNKNOWN) if self.r.random() < 0.1 else (self.r.randrange(-50, 5000), self.r.randrange(3))
        if rows and rows[-1] == (amount, quality):
            return
        rows.append((amount, quality))
        print("row", meter, start, len(rows), "-" if amount is None else amount, quality)

    def put_some(self, months: list[tuple[int, int]], meters: tuple[str, ...]) -> None:
        meter, month = self.r.choice(meters), self.r.choice(months)
        site = self.r.choice("st") if meter == "moved" else "s"
        there = [q for q in self.quarters(site, meter, month) if q + QUARTER > self.installed]
        if there:
            at = self.r.randrange(len(there))
            for start in there[at:at + self.r.randrange(1, 40)]:
                self.put(meter, start)

    def entries(self, site: str, freeze: bool) -> None:
        """Of every month before the next that is open: what is another than what was booked."""
        for meter in METERS:
            for month in self.months:
                if self.next[site] is None or month >= self.next[site]:
                    continue
                quarters = self.quarters(site, meter, month)
                was_booked = (site, meter, month) in self.seen
                if not was_booked and not any((meter, q) in self.rows for q in quarters):
                    continue
                # With what was never booked, all that is due of the month comes at once.
                changed = [q for q in quarters if self.booked.get((site, meter, q)) != self.now(site, meter, q)]
                versions = any(self.versions(site, meter, q) for q in quarters)
                if not versions:
                    continue
                self.say("entry", meter, site, quarters, changed, f" {month_name(month)}", freeze, was_booked)
                if freeze:
                    self.seen.add((site, meter, month))

    def now(self, site: str, meter: str, start: int) -> object:
        return self.state(meter, start)

    def versions(self, site: str, meter: str, start: int) -> bool:
        """Is the latest version another than the one that was booked?"""
        return len(self.rows.get((meter, start), [])) != self.booked.get(("n", site, meter, start), 0)

    def say(self, kind: str, meter: str, site: str, quarters: list[int], changed: list[int], where: str, freeze: bool,
            was_booked: bool = False) -> None:
        known = unknown = waiting = absent = 0
        whole = True
        for q in quarters:
            old = self.booked.get((site, meter, q)) if was_booked else "nothing"
            new = self.state(meter, q)
            known += (new if isinstance(new, int) else 0) - (old if isinstance(old, int) else 0)
            unknown += 900 * ((new == "unknown") - (old == "unknown"))
            waiting += 900 * ((new == "waiting") - (old == "waiting"))
            absent += 900 * ((new is None) - (old is None))
            if kind == "base":
                whole = whole and (isinstance(new, int) or new is None)
            elif old != new and not (old == "nothing" and new is None):
                whole = whole and isinstance(new, int) and (isinstance(old, int) or old in (None, "nothing"))
            if freeze:
                self.booked[(site, meter, q)] = new
                self.booked[("n", site, meter, q)] = len(self.rows.get((meter, q), []))
        print(kind, meter + where, known, unknown, waiting, absent, int(whole))

    def close(self, site: str) -> None:
        month = self.next[site]
        now = begin(self.zones[site], after(month)) + self.r.randrange(86_400_000)
        print("close", site, month_name(month), now)
        for meter in METERS:
            quarters = self.quarters(site, meter, month)
            if any(self.state(meter, q) is not None for q in quarters):
                self.say("base", meter, site, quarters, [], "", True)
                self.seen.add((site, meter, month))
        self.entries(site, True)
        print("end")
        self.next[site] = after(month)

    def run(self) -> None:
        print("park", self.park())
        self.put_some([self.first], ("alone",))
        for q in self.quarters("s", "alone", self.first)[:50]:
            self.put("alone", q)
        for q in self.quarters("t", "moved", after(self.first))[-60:]:
            self.put("moved", q)
        self.next["t"] = min(datetime.fromtimestamp(s / 1000, UTC).timetuple()[:2] for m, s in self.rows if self.site_of(m, s) == "t")
        self.began["t"] = self.next["t"]
        last = self.months[-1]
        meters = METERS
        # The months of the first data must not change before they are closed, and the first month with data stays it.
        while any(n < last for n in self.next.values()):
            for _ in range(self.r.randrange(6)):
                lows = [m for m in self.months if m >= self.first]
                if self.next["s"] > self.first and self.next["t"] > self.began["t"]:
                    lows = self.months  # history from before
                if self.next["t"] == self.began["t"]:
                    self.put_some([m for m in lows if m >= self.began["t"]] or [last], ("alone", "late"))
                else:
                    self.put_some(lows, meters)
            open_sites = [s for s, n in self.next.items() if n < last]
            self.close(self.r.choice(open_sites))
            if self.r.random() < 0.4:
                site = self.r.choice("st")
                if self.next[site] != self.began[site]:
                    now = begin(self.zones[site], after(self.next[site], 2))
                    print("pending", site, month_name(self.next[site]), now)
                    self.entries(site, False)
                    print("end")
        for meter in METERS:
            known = sum(v for k, v in self.booked.items() if k[0] != "n" and k[1] == meter and isinstance(v, int))
            unknown = 900 * sum(v == "unknown" for k, v in self.booked.items() if k[0] != "n" and k[1] == meter)
            print("booked", meter, known, unknown)


def main() -> None:
    seed = int(sys.argv[1])
    for i in range(HISTORIES):
        History(seed * 1000 + i).run()


main()
