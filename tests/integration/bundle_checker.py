"""An evidence bundle worked out again by nobody's code of the program: zip, csv and hashlib of Python, the park file read here, and the slow
model of the ledger (tests/oracle). Written from CONTRIBUTING.md, "Evidence bundles". As a program: python3 bundle_checker.py FILE"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import sys
import zipfile
from dataclasses import dataclass
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oracle.decisions import Decisions, Replaced, Stated  # noqa: E402
from oracle.ledger import Meter  # noqa: E402
from oracle.register import Segment  # noqa: E402

QUARTER_MS = 900_000
BASE_UNITS = {"kWh": 1000, "MJ": 1_000_000, "m3": 1000}  # Wh, J, L
TOKEN = re.compile(r'\s+|#[^\n]*|//[^\n]*|/\*.*?\*/|"(?P<text>(?:[^"\\]|\\.)*)"|(?P<word>[^\s"=:;,(){}\[\]]+)|(?P<sign>[=:;,(){}\[\]])', re.S)


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


class Libconfig:
    """The little of libconfig that a park file has."""

    def __init__(self, text: str):
        self.tokens = [found for found in TOKEN.finditer(text) if found.lastgroup]
        self.at = 0

    def next(self) -> str:
        return self.tokens[self.at].group() if self.at < len(self.tokens) else ""

    def take(self, sign: str) -> bool:
        if self.next() != sign:
            return False
        self.at += 1
        return True

    def group(self, end: str = "") -> dict:
        found = {}
        while not (self.at == len(self.tokens) if end == "" else self.take(end)):
            name = self.next()
            self.at += 1
            assert self.take("=") or self.take(":"), name
            found[name] = self.value()
            while self.take(";") or self.take(","):
                pass
        return found

    def value(self):
        for begin, end in (("(", ")"), ("[", "]")):
            if self.take(begin):
                items = []
                while not self.take(end):
                    items.append(self.value())
                    self.take(",")
                return items
        if self.take("{"):
            return self.group("}")
        token = self.tokens[self.at]
        self.at += 1
        if token.lastgroup == "text":
            text = re.sub(r"\\(.)", r"\1", token.group("text"))
            while self.at < len(self.tokens) and self.tokens[self.at].lastgroup == "text":  # parts of one
                text += self.value()
            return text
        word = token.group()
        return word == "true" if word in ("true", "false") else int(word.rstrip("L"))


@dataclass
class Bundle:
    parts: dict[str, bytes]
    hash: str
    about: dict[str, str]

    def rows(self, name: str) -> list[dict[str, str]]:
        text = self.parts[name].decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))


def read(path: Path) -> Bundle:
    """Every part is what the manifest says, and no part beside them."""
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    manifest = parts.pop("manifest.txt")
    lines = manifest.decode().splitlines()
    assert lines[0] == "parkmon evidence 1"
    named = {}
    for line in lines[6:]:
        word, digest, size, name = line.split(" ", 3)
        assert word == "part" and len(parts[name]) == int(size) and hashlib.sha256(parts[name]).hexdigest() == digest, name
        named[name] = digest
    assert set(named) == set(parts)
    return Bundle(parts, hashlib.sha256(manifest).hexdigest(), dict(line.split(" ", 1) for line in lines[1:6]))


def published(bundle: Bundle) -> list[dict[str, str]]:
    """The quarter hours of all meters, each with the meter whose part has it."""
    found = []
    for name in bundle.parts:
        if name.startswith("quarters/"):
            found += [{"meter": name.removeprefix("quarters/").removesuffix(".csv"), **row} for row in bundle.rows(name)]
    return found


def segments_of(meter: dict) -> list[Segment]:
    found = []
    for segment in meter["segments"]:
        ratio = Fraction(segment.get("ct", "1")) * Fraction(segment.get("pt", "1")) if segment.get("registers") == "secondary" else Fraction(1)
        found.append(Segment(ms(segment["from"]), ms(segment["until"]) if "until" in segment else None, segment.get("start"), segment.get("end"),
                             segment.get("modulus"), segment.get("resolution", 1), segment["max_rate"], ratio.numerator, ratio.denominator))
    return sorted(found, key=lambda one: one.from_ms)


def decisions_of(rows: list[dict[str, str]], meter: str) -> Decisions:
    undone = {row["undoes"] for row in rows}
    mine = [row for row in rows if row["meter"] == meter and row["kind"] != "undo" and row["id"] not in undone]

    def replaced(row: dict[str, str]) -> Replaced:
        return Replaced(ms(row["from"]), int(row["end"]), int(row["start"]), int(row["modulus"]) or None, int(row["resolution"]), int(row["max_rate"]),
                        int(row["p"]), int(row["q"]))

    return Decisions(
        frozenset(ms(time) for row in mine if row["kind"] == "outlier" for time in row["times"].split()),
        tuple(replaced(row) for row in mine if row["kind"] in ("reset", "replacement")),
        tuple(Stated(ms(row["from"]), ms(row["until"]), int(row["energy"])) for row in mine if row["kind"] == "energy"),
        tuple((ms(row["from"]), int(row["register"])) for row in mine if row["kind"] == "reading"))


def quarters(bundle: Bundle) -> dict[str, dict[int, tuple[int | None, str]]]:
    """What the slow model makes of the readings: by meter and begin, where anything was published."""
    park = Libconfig(bundle.parts["model/park.cfg"].decode()).group()
    decisions = bundle.rows("decisions.csv")
    found = {}
    for meter in park["meters"]:
        name = f"quarters/{meter['id']}.csv"
        times = [ms(row["start"]) for row in bundle.rows(name)] if name in bundle.parts else []
        if not times:
            continue
        readings = [(ms(row["time"]), int(row["register"])) for row in bundle.rows(f"readings/{meter['id']}.csv")]
        slow = Meter(segments_of(meter), readings, round(Fraction(str(meter.get("max_gap", 1200))) * 1000), decisions_of(decisions, meter["id"]))
        found[meter["id"]] = {quarter.start_ms: (quarter.amount, quarter.quality) for quarter in slow.quarters(min(times), max(times) + QUARTER_MS)}
    return found


def differences(bundle: Bundle) -> list[str]:
    """Each published quarter hour against the slow model, and each meter's amount in the report against the sum of them."""
    found, wrong = quarters(bundle), []
    known: dict[str, int] = {}
    for row in published(bundle):
        amount = int(row["amount"]) if row["amount"] else None
        if found[row["meter"]].get(ms(row["start"])) != (amount, row["quality"]):
            wrong.append(f"meter {row['meter']}, {row['start']}: published {amount} {row['quality']}, found {found[row['meter']].get(ms(row['start']))}")
        known[row["meter"]] = known.get(row["meter"], 0) + (amount or 0)
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for row in bundle.rows("report.csv"):
        cells.setdefault((row["table"], row["row"]), {})[row["column"]] = row["value"]
    totals = {cell["id"]: (cell.get("amount", cell.get("known")), cell["unit"]) for (table, _), cell in cells.items() if table == "meters"}
    assert set(known) <= set(totals)
    for meter, (total, unit) in totals.items():
        if Fraction(total or 0) * BASE_UNITS[unit] != known.get(meter, 0):
            wrong.append(f"meter {meter}: the report has {total} {unit}, its quarter hours {known.get(meter, 0)} base units")
    return wrong


# ---- what was booked (CONTRIBUTING.md, K3, K8; the seal's text and the runs of versions as closing_seal.h and closing.h have them) ----

ELSEWHERE, ABSENT, WAITING, FIRST = range(4)
FIGURES = ("quarters", "known", "unknown_s", "estimated", "estimated_s", "manual", "manual_s", "waiting_s", "absent_s")


def month_number(text: str) -> int:
    year, month = map(int, text.split("-"))
    return 12 * (year - 1970) + month - 1


def plain(text: str) -> str:
    """Without the sign that keeps a spreadsheet from reckoning."""
    return text[1:] if len(text) > 1 and text[0] == "'" else text


def sealed(name: str, value: str) -> str:
    return f"{name} {len(value.encode())}:{value}" if value else f"{name} -"


def seal_of(closing: dict[str, str], overrides: list[dict[str, str]], booked: list[dict[str, str]]) -> str:
    number = closing["closing"]
    lines = ["parkmon closing 1", f"closing {number}", f"previous {closing['previous']}", sealed("site", closing["site"])]
    lines += [sealed("month", str(month_number(closing["month"]))), *(sealed(name, str(ms(closing[name]))) for name in ("from", "until", "closed"))]
    lines += [sealed("token", closing["token"]), *(sealed(name, plain(closing[name])) for name in ("who", "why")),
              sealed("model", closing["model"]), sealed("journal", closing["journal"])]
    for row in sorted((row for row in overrides if row["closing"] == number), key=lambda row: plain(row["name"]).encode()):
        lines += [sealed("override", plain(row["name"])), sealed("what", plain(row["what"])), *(sealed(name, row[name]) for name in ("figure", "bound")),
                  sealed("why", plain(row["why"]))]
    for row in sorted((row for row in booked if row["closing"] == number), key=lambda row: (plain(row["meter"]).encode(), month_number(row["month"]))):
        figures = " ".join([plain(row["meter"]), str(month_number(row["month"])), *(row[name] for name in FIGURES)])
        lines += [sealed("booked", figures), sealed("versions", row["versions"])]
    return hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()


def codes_of(packed: bytes) -> list[int]:
    numbers, at, shift = [0], 0, 0
    for at, byte in enumerate(packed):
        numbers[-1] |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80 and at + 1 < len(packed):
            numbers.append(0)
        if byte < 0x80:
            shift = 0
    return [code for run, code in zip(numbers[::2], numbers[1::2], strict=True) for _ in range(run)]


def booked_figures(codes: list[int], from_ms: int, versions: dict[tuple[int, int], tuple[int, str]]) -> tuple[int, ...]:
    """FIGURES, of quarter hours by begin and version. KeyError: a version is not here."""
    named = [versions[from_ms + i * QUARTER_MS, code - FIRST + 1] for i, code in enumerate(codes) if code >= FIRST]

    def total(quality: str) -> tuple[int, int]:
        amounts = [amount for amount, found in named if found == quality]
        return sum(amounts), 900 * len(amounts)
    return (len(named), sum(amount for amount, _ in named), total("unknown")[1], *total("estimated"), *total("manual"), 900 * codes.count(WAITING),
            900 * codes.count(ABSENT))


def versions_of(bundle: Bundle, meter: str) -> dict[tuple[int, int], tuple[int, str]]:
    """Those that were decided once have version 1, and are what is published; of the others each version stands beside."""
    rows = bundle.rows(f"versions/{meter}.csv") if f"versions/{meter}.csv" in bundle.parts else []
    again = {row["start"] for row in rows}
    rows += [{**row, "version": "1"} for row in bundle.rows(f"quarters/{meter}.csv") if row["start"] not in again]
    return {(ms(row["start"]), int(row["version"])): (int(row["amount"] or 0), row["quality"]) for row in rows}


def closing_differences(bundle: Bundle) -> tuple[list[str], list[str]]:
    """What is wrong; and the bookings of which the quarter hours are not here."""
    closings, overrides, booked = (bundle.rows(name) for name in ("closings.csv", "overrides.csv", "booked.csv"))
    wrong, elsewhere = [], []
    for before, one in zip([None, *closings], closings):
        number = one["closing"]
        if seal_of(one, overrides, booked) != one["seal"]:
            wrong.append(f"closing {number}: its seal does not recompute")
        if before and month_number(one["month"]) != month_number(before["month"]) + 1:
            wrong.append(f"closing {number}: a month before it is missing")
        if before and int(number) == int(before["closing"]) + 1 and one["previous"] != before["seal"]:
            wrong.append(f"closing {number}: the seal before it is another")
    wrong += [f"closing {number} is missing" for number in {row["closing"] for row in overrides + booked} - {one["closing"] for one in closings}]
    told: dict[str, dict[str, str]] = {}
    for row in bundle.rows("report.csv"):
        if row["table"] == "closings":
            told.setdefault(row["row"], {})[row["column"]] = row["value"]
    reported = sorted((row["period"], row["seal"]) for row in told.values())
    if reported != [(one["month"], one["seal"]) for one in closings]:
        wrong.append(f"the report has the closings {reported}")
    spans = {one["month"]: ms(one["from"]) for one in closings}
    for row in booked:
        place = f"closing {row['closing']}, meter {row['meter']}, month {row['month']}"
        if row["month"] not in spans or f"quarters/{row['meter']}.csv" not in bundle.parts:
            elsewhere.append(place)
            continue
        try:
            found = booked_figures(codes_of(bytes.fromhex(row["versions"])), spans[row["month"]], versions_of(bundle, row["meter"]))
        except KeyError as missing:
            wrong.append(f"{place}: {missing} is not here")
            continue
        if found != tuple(int(row[name]) for name in FIGURES):
            wrong.append(f"{place}: booked are {[row[name] for name in FIGURES]}, its versions give {found}")
    published_of = {(row["meter"], row["start"]): (row["amount"], row["quality"]) for row in published(bundle)}
    for name in bundle.parts:
        if name.startswith("versions/"):
            meter = name.removeprefix("versions/").removesuffix(".csv")
            last = {row["start"]: (row["amount"], row["quality"]) for row in bundle.rows(name)}
            wrong += [f"meter {meter}, {start}: its last version is not what is published" for start in last if published_of.get((meter, start)) != last[start]]
    return wrong, elsewhere


if __name__ == "__main__":
    given = read(Path(sys.argv[1]))
    told, unheld = closing_differences(given)
    told += differences(given)
    print("".join(f"{place}: its quarter hours are not here\n" for place in unheld), end="")
    print("\n".join(told) or f"all comes out, at {datetime.now(timezone.utc):%Y-%m-%d}")
    sys.exit(bool(told))
