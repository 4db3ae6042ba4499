"""What is booked of the months of two sites, quarter hour by quarter hour, from the words of collector/energy/closing.h alone.

    oracle_closing.py SEED

Lines, times in milliseconds:  park TEXT                          one history begins
                               row METER START VERSION AMOUNT|- QUALITY
                               close SITE MONTH NOW               followed by what it books:
                               pending SITE MONTH NOW             what the open month has beside its own:
                               base METER KNOWN UNKNOWN_S WAITING_S ABSENT_S WHOLE
                               entry METER MONTH KNOWN UNKNOWN_S WAITING_S ABSENT_S WHOLE
                               end
                               metered METER KNOWN UNKNOWN_S WAITING_S
                                                                  of the meter, all that is metered now of what is closed
                               model TEXT                         by decision its tags are others, also of what is closed
"""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

QUARTER = 900_000
HISTORIES = 5
ZONES = ("Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe", "UTC")
STARTS = ((2026, 2), (2026, 9), (2025, 12))
METERS = ("alone", "late", "moved", "new")
UNKNOWN = 3
ELSEWHERE = "elsewhere"


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
    """`state` of a quarter hour: a number, "unknown", "waiting"; absent is None, and elsewhere ELSEWHERE."""

    def __init__(self, seed: int) -> None:
        self.r = r = random.Random(seed)
        self.zones = {"s": ZoneInfo(r.choice(ZONES)), "t": ZoneInfo("UTC")}
        self.first = r.choice(STARTS)
        self.months = [after(self.first, i) for i in range(-1, 5)]
        low = begin(self.zones["s"], self.months[0]) // QUARTER * QUARTER
        # Installed within the month before the first that has data; `moved` goes from s to t within the second.
        self.installed = low + r.randrange(2000) * QUARTER
        moves = begin(self.zones["s"], after(self.first)) // QUARTER * QUARTER + r.randrange(100, 2500) * QUARTER
        # Of each meter, from when on it is on which site.
        self.moves = {m: [(0, "s")] for m in METERS}
        self.moves["moved"].append((moves, "t"))
        self.rows: dict[tuple[str, int], list[tuple[int | None, int]]] = {}
        self.booked: dict[tuple[str, str, int], object] = {}
        self.codes: dict[tuple[str, str, int], object] = {}
        self.seen: set[tuple[str, str, tuple[int, int]]] = set()
        self.next = {"s": self.first, "t": None}
        self.began = {"s": self.first, "t": None}

    def park(self) -> str:
        def meter(name: str) -> str:
            (_, site), *moves = self.moves[name]
            changes = ", ".join(f'{{ from = "{iso(at)}"; building = "b{to}"; }}' for at, to in moves)
            more = f"changes = ({changes});" if moves else ""
            return (f'{{ id = "{name}"; name = "x"; name_en = "x"; building = "b{site}"; carrier = "electricity"; {more}'
                    f' segments = ({{ serial = "1"; from = "{iso(self.installed)}"; max_rate = 1000; }}); }}')
        sites = ", ".join(f'{{ id = "{i}"; name = "x"; name_en = "x"; zone = "{z.key}"; }}' for i, z in self.zones.items())
        buildings = ", ".join(f'{{ id = "b{i}"; name = "x"; name_en = "x"; site = "{i}"; }}' for i in self.zones)
        meters = ", ".join(meter(m) for m in METERS)
        return f"sites = ({sites}); buildings = ({buildings}); meters = ({meters});"

    def site_of(self, meter: str, start: int) -> str:
        return [site for at, site in self.moves[meter] if at <= start][-1]

    def state(self, site: str, meter: str, start: int) -> object:
        if self.site_of(meter, start) != site:
            return ELSEWHERE
        rows = self.rows.get((meter, start))
        if rows:
            return "unknown" if rows[-1][0] is None else rows[-1][0]
        return "waiting" if start + QUARTER > self.installed else None

    def code(self, site: str, meter: str, start: int) -> object:
        """Which version is the latest, or why there is none."""
        state = self.state(site, meter, start)
        return state if state in (ELSEWHERE, "waiting", None) else len(self.rows[meter, start])

    def span(self, site: str, month: tuple[int, int]) -> range:
        zone = self.zones[site]
        return range(begin(zone, month), begin(zone, after(month)), QUARTER)

    def quarters(self, site: str, meter: str, month: tuple[int, int]) -> list[int]:
        return [q for q in self.span(site, month) if self.site_of(meter, q) == site]

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
            # Half of the time of what has rows: these are new versions, of months that are closed as well.
            again = [i for i, q in enumerate(there) if (meter, q) in self.rows]
            at = self.r.choice(again) if again and self.r.random() < 0.5 else self.r.randrange(len(there))
            for start in there[at:at + self.r.randrange(1, 40)]:
                self.put(meter, start)

    def closed_months(self, site: str, meter: str) -> list[tuple[int, int]]:
        """Those before the month that is open, from the first of which the meter has a quarter hour, or in which something of it
        was booked."""
        starts = [s for m, s in self.rows if m == meter]
        firsts = [month for _, m, month in self.seen if m == meter]
        if starts:
            local = datetime.fromtimestamp(min(starts) / 1000, self.zones[site])
            firsts.append((local.year, local.month))
        if self.next[site] is None or self.next[site] == self.began[site] or not firsts:
            return []
        return [m for m in self.months if min(firsts) <= m < self.next[site]]

    def entries(self, site: str, freeze: bool) -> None:
        """Of every month before the one that is open, or is just closed: what is another than what was booked."""
        for meter in METERS:
            for month in self.closed_months(site, meter):
                quarters, was_booked = self.span(site, month), (site, meter, month) in self.seen
                codes = [self.code(site, meter, q) for q in quarters]
                if was_booked:
                    is_other = any(self.codes[site, meter, q] != c for q, c in zip(quarters, codes, strict=True))
                else:
                    is_other = any(c not in (ELSEWHERE, None) for c in codes)
                if is_other:
                    self.say("entry", meter, site, quarters, f" {month_name(month)}", freeze, was_booked)
                    if freeze:
                        self.seen.add((site, meter, month))

    def tell_metered(self) -> None:
        for meter in METERS:
            states = [self.state(site, meter, q) for site in "st" for month in self.closed_months(site, meter)
                      for q in self.span(site, month)]
            print("metered", meter, sum(s for s in states if isinstance(s, int)),
                  *(900 * states.count(s) for s in ("unknown", "waiting")))

    def decide(self) -> None:
        """Some meter was on other sites, and from other days on, than the model said."""
        meter = self.r.choice(METERS)
        site, times = self.r.choice("st"), self.r.sample(range(1, 5 * 2900), self.r.randrange(3))
        low = begin(UTC, self.months[0]) // QUARTER * QUARTER
        moves = [(0, site)]
        for at in sorted(times):
            site = "t" if site == "s" else "s"
            moves.append((low + at * QUARTER, site))
        self.moves[meter] = moves
        print("model", self.park())

    def say(self, kind: str, meter: str, site: str, quarters: range, where: str, freeze: bool,
            was_booked: bool = False) -> None:
        known = unknown = waiting = absent = 0
        whole = True
        for q in quarters:
            old = self.booked[site, meter, q] if was_booked else ELSEWHERE
            new = self.state(site, meter, q)
            known += (new if isinstance(new, int) else 0) - (old if isinstance(old, int) else 0)
            unknown += 900 * ((new == "unknown") - (old == "unknown"))
            waiting += 900 * ((new == "waiting") - (old == "waiting"))
            absent += 900 * ((new is None) - (old is None))
            if kind == "base" or old != new:
                whole = whole and not {old, new} & {"unknown", "waiting"}
            if freeze:
                self.booked[site, meter, q] = new
                self.codes[site, meter, q] = self.code(site, meter, q)
        print(kind, meter + where, known, unknown, waiting, absent, int(whole))

    def close(self, site: str) -> None:
        month = self.next[site]
        now = begin(self.zones[site], after(month)) + self.r.randrange(86_400_000)
        print("close", site, month_name(month), now)
        for meter in METERS:
            quarters = self.span(site, month)
            if any(self.state(site, meter, q) not in (None, ELSEWHERE) for q in quarters):
                self.say("base", meter, site, quarters, "", True)
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
            if self.r.random() < 0.6:
                if all(self.next[site] != self.began[site] for site in "st"):
                    self.decide()
                for site in "st":
                    now = begin(self.zones[site], after(self.next[site], 2))
                    print("pending", site, month_name(self.next[site]), now)
                    self.entries(site, False)
                    print("end")
                self.tell_metered()


def main() -> None:
    seed = int(sys.argv[1])
    for i in range(HISTORIES):
        History(seed * 1000 + i).run()


main()
