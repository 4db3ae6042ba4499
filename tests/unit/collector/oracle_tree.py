"""What meters of random trees add up to, slowly, by what flows: each meter's own draw is an atom, a register reads the atoms
at and below it, and a group has each atom once. From the words of collector/energy/tree.h alone.

    oracle_tree.py SEED

Lines:  case NOW FROM UNTIL
        cfg TEXT                          a line of park.cfg
        row METER START AMOUNT|- QUALITY
        rows BY
        is KIND ID CARRIER LEFT_OUT|- AMOUNT|- KNOWN UNKNOWN_S WAITING_S FUTURE_S ABSENT_S DUE COVERED     the next row
        end
"""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime
from itertools import product

QUARTER = 900_000
START = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000)
COUNT = 6
CHANGE = 3  # from this quarter hour on tags may be others
CASES = 60
CARRIERS = ("electricity", "heat", "cooling", "water", "gas")
MEASURED, ESTIMATED, MANUAL, UNKNOWN, WAITING, FUTURE, ABSENT = range(7)
BYS = ("building", "tenant", "meter", "item", "carrier")


class Tags:
    """Of a meter while they are in force."""

    def __init__(self, building: str, tenant, item, parent):
        self.building, self.tenant, self.item, self.parent = building, tenant, item, parent


class Meter:
    def __init__(self, r: random.Random, name: str, earlier: list[Meter], buildings: dict[str, str]):
        def draw(building: str) -> Tags:
            fits = [other for other in earlier if other.carrier == self.carrier and other.site == buildings[building]]
            return Tags(building, r.choice((None, "t1", "t2")), r.choice((None, "01A00", "01B00")),
                        r.choice(fits) if fits and r.random() < 0.8 else None)
        self.name = name
        self.carrier = r.choice(CARRIERS[:2])
        before = draw(r.choice(list(buildings)))
        self.site = buildings[before.building]
        after = before if r.random() < 0.6 else draw(r.choice([b for b, site in buildings.items() if site == self.site]))
        self.tags = (before, after)  # until CHANGE, and from then on
        self.has_register = r.random() < 0.85
        self.first, self.last = r.choice(((0, COUNT), (0, COUNT), (0, COUNT), (2, COUNT), (0, 4)))  # it is installed in [first, last)
        self.off = r.choice((0, 0, 420))  # seconds: not on the quarter hour
        self.atoms = [r.choice((0, r.randrange(1000))) for _ in range(COUNT)]
        self.quarters: list[tuple[int, int]] = []  # known amount (else 0), state
        self.export_of: Meter | None = None
        self.exports: list[Meter] = []

    def make_export(self, r: random.Random) -> Meter:
        """Its second register: what flows back through it. It is in no tree."""
        other = Meter(r, self.name + "x", [], {self.tags[0].building: self.site})
        other.carrier, other.has_register, other.export_of = self.carrier, True, self
        other.tags = (Tags(self.tags[0].building, None, None, None),) * 2
        other.atoms = [0] * COUNT
        self.exports.append(other)
        return other

    def terms(self, sign: int, i: int) -> list[tuple[Meter, int]]:
        return [(self, sign), *((other, -sign) for other in self.exports if other.counts(i))]

    def key(self, by: str, i: int):
        return self.carrier if by == "carrier" else getattr(self.tags[i >= CHANGE], by)

    def counts(self, i: int) -> bool:
        return self.has_register and self.first <= i < self.last

    def above(self, i: int) -> list[Meter]:
        parent = self.tags[i >= CHANGE].parent
        return [] if parent is None else [parent, *parent.above(i)]


class Virtual:
    def __init__(self, name: str, building: str, tenant, item, plus: list[str], minus: list[str], terms):
        self.name, self.building, self.tenant, self.item = name, building, tenant, item
        self.plus, self.minus, self.terms = plus, minus, terms
        self.site, self.carrier = terms[0][0].site, terms[0][0].carrier

    def key(self, by: str, _i: int):
        return getattr(self, by)


def flow(meters: list[Meter], top: Meter, i: int) -> int:
    return sum(m.atoms[i] for m in meters if m is top or top in m.above(i))


def make_virtual(r: random.Random, name: str, meters: list[Meter], others: list[Virtual], buildings) -> Virtual | None:
    pool = [m for m in meters if m.has_register]
    if not pool:
        return None
    first = r.choice(pool)
    pool = [m for m in pool if m is not first and m.carrier == first.carrier and m.site == first.site]
    r.shuffle(pool)
    terms, plus, minus = [(first, 1)], [first.name], []
    for m in pool[:r.randrange(3)]:
        sign = r.choice((1, -1))
        (plus if sign > 0 else minus).append(m.name)
        terms.append((m, sign))
    for other in others:
        used = {m.name for m, _ in terms}
        if r.random() < 0.4 and other.site == first.site and other.carrier == first.carrier \
                and not used & {m.name for m, _ in other.terms}:
            sign = r.choice((1, -1))
            (plus if sign > 0 else minus).append(other.name)
            terms += [(m, sign * own) for m, own in other.terms]
    building = r.choice([b for b, site in buildings.items() if site == first.site])
    return Virtual(name, building, r.choice((None, "t1", "t2", "t2")), r.choice((None, "01B00")), plus, minus, terms)


def print_park(meters: list[Meter], virtuals: list[Virtual], buildings: dict[str, str]) -> None:
    def named(kind: str, more: str = "") -> str:
        return f'{{ id = "{kind}"; name = "n"; name_en = "N"; {more} }}'

    def listed(key: str, entries: list[str]) -> None:
        print(f"cfg {key} = (")
        for i, entry in enumerate(entries):
            print("cfg", entry + ("," if i + 1 < len(entries) else ""))
        print("cfg );")

    def optional(**keys) -> str:
        return " ".join(f'{key} = "{value}";' for key, value in keys.items() if value is not None)

    def names(members: list[str]) -> str:
        return "(" + ", ".join(f'"{m}"' for m in members) + ")"
    listed("sites", [named(s, 'zone = "Asia/Shanghai";') for s in ("s1", "s2")])
    listed("buildings", [named(b, f'site = "{s}";') for b, s in buildings.items()])
    listed("tenants", [named("t1"), named("t2")])
    listed("gateways", [named("gw", 'site = "s1";')])
    lines = []
    for m in meters:
        since = datetime.fromtimestamp((START + m.first * QUARTER) / 1000 + m.off, UTC).isoformat()
        end = datetime.fromtimestamp((START + m.last * QUARTER) / 1000 - m.off, UTC).isoformat()
        until = "" if m.last == COUNT else f' until = "{end}";'
        segment = f'segments = ( {{ serial = "1"; max_rate = 1; from = "{since}";{until} }} );'
        before, after = m.tags
        change = ""
        if after is not before:
            at = datetime.fromtimestamp((START + CHANGE * QUARTER) / 1000, UTC).isoformat()
            change = f'changes = ( {{ from = "{at}"; building = "{after.building}"; tenant = "{after.tenant or ""}"; ' \
                     f'item = "{after.item or ""}"; parent = "{after.parent.name if after.parent else ""}"; }} );'
        lines.append(named(m.name, optional(building=before.building, carrier=m.carrier, tenant=before.tenant, item=before.item,
                                            parent=before.parent and before.parent.name,
                                            export_of=m.export_of and m.export_of.name) + change
                           + (segment if m.has_register else f' power = "gw/{m.name}.power";')))
    listed("meters", lines)
    listed("virtual_meters", [named(v.name, optional(building=v.building, tenant=v.tenant, item=v.item)
                                    + f"plus = {names(v.plus)}; minus = {names(v.minus)};") for v in virtuals])


def combine(terms, i: int) -> tuple[int, int]:
    members = [(m.quarters[i], sign) for m, sign in terms]
    states = [state for (_, state), _ in members]
    state = states[0] if len(set(states)) == 1 else max(UNKNOWN if s == ABSENT else s for s in states)
    known = sum(sign * amount for (amount, _), sign in members)
    if state > MANUAL and any(sign < 0 for _, sign in members):
        known = 0
    return known, state


class Rows:
    """In the order in which they first come; each with its quarter hours, and what was left out."""

    def __init__(self):
        self.rows: dict[tuple[str, str, str], tuple[list, list[str]]] = {}

    def add(self, kind: str, name: str, carrier: str, terms, i: int) -> None:
        self.rows.setdefault((kind, name, carrier), ([], []))[0].append(combine(terms, i))

    def leave_out(self, kind: str, name: str, carrier: str, virtual: str) -> None:
        left_out = self.rows[kind, name, carrier][1]
        if virtual not in left_out:
            left_out.append(virtual)

    def print(self) -> None:
        for (kind, name, carrier), (quarters, left_out) in self.rows.items():
            print_row(kind, name, carrier, quarters, left_out)


def print_row(kind: str, name: str, carrier: str, quarters, left_out: list[str]) -> None:
    def seconds(*states: int) -> int:
        return 900 * sum(state in states for _, state in quarters)
    known = sum(amount for amount, _ in quarters)
    is_known = seconds(UNKNOWN, WAITING, FUTURE) == 0 and seconds(MEASURED, ESTIMATED, MANUAL) > 0
    print("is", kind, name, carrier, ",".join(left_out) or "-", known if is_known else "-",
          known, seconds(UNKNOWN), seconds(WAITING), seconds(FUTURE), seconds(ABSENT),
          seconds(MEASURED, ESTIMATED, MANUAL, UNKNOWN, WAITING) // 900, seconds(MEASURED, MANUAL) // 900)


def related(part, other, i: int) -> bool:
    return any(a is b or a in b.above(i) or b in a.above(i) for (a, _), (b, _) in product(part, other))


def add_groups(rows: Rows, by: str, meters: list[Meter], virtuals: list[Virtual], i: int) -> None:
    parts: dict[tuple[str, str], list] = {}
    for m in meters:
        same = [up for up in m.above(i) if up.counts(i) and up.key(by, i) == m.key(by, i)]
        if m.site == "s1" and m.counts(i) and m.export_of is None and m.key(by, i) is not None and not same:
            parts.setdefault((m.key(by, i), m.carrier), []).append(m.terms(1, i))
    # Each atom of the group is in exactly one of the meters that count.
    for (key, carrier), counted in parts.items():
        for m in (m for m in meters if m.export_of is None):
            inside = any(x.counts(i) and x.export_of is None and x.site == "s1" and x.carrier == carrier and x.key(by, i) == key
                         for x in (m, *m.above(i)))
            assert sum(m is p[0][0] or p[0][0] in m.above(i) for p in counted) == (1 if inside else 0)
    for (key, carrier), counted in parts.items():
        for part in counted:
            rows.add("group", key, carrier, part, i)
    for v in virtuals:
        if v.site != "s1" or v.key(by, i) is None:
            continue
        counted = parts.setdefault((v.key(by, i), v.carrier), [])
        if any(related(part, v.terms, i) for part in counted):
            rows.leave_out("group", v.key(by, i), v.carrier, v.name)
        else:
            counted.append(v.terms)
            rows.add("group", v.key(by, i), v.carrier, v.terms, i)


def add_meters(rows: Rows, meters: list[Meter], virtuals: list[Virtual], i: int) -> None:
    own = [m for m in meters if m.site == "s1" and m.has_register]
    for m in own:
        rows.add("meter", m.name, m.carrier, [(m, 1)], i)
    for v in virtuals:
        if v.site == "s1":
            rows.add("virtual", v.name, v.carrier, v.terms, i)
    for m in own:
        behind = [term for c in own if c.counts(i) and next((up for up in c.above(i) if up.counts(i)), None) is m
                  for term in c.terms(-1, i)]
        if behind and m.counts(i) and m.export_of is None:
            rows.add("gap", m.name, m.carrier, m.terms(1, i) + behind, i)


def case(r: random.Random) -> None:
    buildings = {"b1": "s1", "b2": "s1", "b3": r.choice(("s1", "s2"))}
    meters: list[Meter] = []
    for i in range(r.randrange(1, 14)):
        meters.append(Meter(r, f"m{i}", meters, buildings))
    meters += [m.make_export(r) for m in meters if m.has_register and r.random() < 0.15]
    virtuals: list[Virtual] = []
    for i in range(r.randrange(5)):
        v = make_virtual(r, f"v{i}", meters, virtuals, buildings)
        if v is not None:
            virtuals.append(v)
    now = START + r.choice((COUNT, COUNT, 4)) * QUARTER
    print("case", now, START, START + COUNT * QUARTER)
    print_park(meters, virtuals, buildings)
    trouble = r.choice((0, 0, 0.1, 0.3))
    back = {m: [r.randrange(500) if m.counts(i) else 0 for i in range(COUNT)] for m in meters if m.export_of}
    for m in meters:
        for i in range(COUNT):
            # What is drawn less what flows back is what flows.
            amount = back[m][i] if m.export_of else flow(meters, m, i) + sum(back[other][i] for other in m.exports)
            state = r.choice((MEASURED, MEASURED, ESTIMATED, MANUAL))
            if r.random() < trouble:
                amount, state = 0, r.choice((UNKNOWN, WAITING))
            if not m.first <= i < m.last:
                amount, state = 0, ABSENT
            elif START + (i + 1) * QUARTER > now:
                amount, state = 0, FUTURE
            m.quarters.append((amount, state))
            if m.has_register and state <= UNKNOWN:
                print("row", m.name, START + i * QUARTER, "-" if state == UNKNOWN else amount, state)
    for by in BYS:
        print("rows", BYS.index(by))
        rows = Rows()
        for i in range(COUNT):
            if by == "meter":
                add_meters(rows, meters, virtuals, i)
            else:
                add_groups(rows, by, meters, virtuals, i)
        rows.print()
    print("end")


def main() -> None:
    r = random.Random(int(sys.argv[1]))
    for _ in range(CASES):
        case(r)


main()
