"""Closings in evidence bundles: their seals and what they booked come out, by the program and by a script that shares nothing with it; and what
somebody changed of them is named, also with every hash of the manifest mended."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import bundle_checker
import pytest
from harness.process import run
from harness.stage import Stage
from test_closing import MARCH, NAMES, OVERRIDES, Closed
from test_decisions import ENERGY
from test_evidence import mended, raised, with_rows, without

YEAR = "2026"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """March is closed; a decision about it is booked in April, and undone in May, which is open."""
    with Stage(tmp_path_factory.mktemp("evidence-closings")) as stage:
        found = Closed(stage)
        found.start()
        found.publish()
        found.decider = found.token("anna", "--role", "operator", "--scope", "decisions")
        found.closer = found.token("carla", "--role", "operator", "--scope", "closings")
        status, answer = found.close({**MARCH, "why": "=the bills, \"of March\"", "overrides": OVERRIDES})
        assert status == 201, answer
        assert found.ask("POST", "/api/v1/decisions", found.decider, ENERGY)[0] == 201
        for month in ("2026-04", "2026-05"):
            body = {**MARCH, "period": month}
            _, preview = found.close(body, preview=True)
            status, answer = found.close({**body, "overrides": [{"reason": one["reason"], "why": "no data"} for one in preview["reasons"]]})
            assert status == 201, answer
        found.collector.stop()
        found.bundles = {}
        for period in ("2026-03", "2026-04", "2026-03-02", YEAR):
            found.bundles[period] = stage.folder / f"{period}.zip"
            done = run([found.collector.program, "evidence", "--config", found.collector.settings, "--site", "s1", "--period", period, "-o", found.bundles[period]], 120)
            assert (done.returncode, done.stderr) == (0, ""), done.stderr
        yield found


def check(house: Closed, bundle: Path):
    return run([house.collector.program, "verify", "--evidence", bundle], 120)


@pytest.mark.parametrize(("period", "closings", "held", "elsewhere"), [
    ("2026-03", [1], 3, []), ("2026-04", [2], 3, ["closing 2, meter feeder, month 2026-03"]), ("2026-03-02", [], 0, []), (YEAR, [1, 2, 3], 10, [])])
def test_what_was_booked_comes_out_and_what_is_not_here_is_said(house, period, closings, held, elsewhere):
    found, bundle = check(house, house.bundles[period]), bundle_checker.read(house.bundles[period])
    assert (found.returncode, found.stderr) == (0, ""), found.stderr
    seals = house.seals()
    assert [(row["closing"], row["seal"], row["previous"]) for row in bundle.rows("closings.csv")] == [
        (str(number), seals[number - 1], seals[number - 2] if number > 1 else "0" * 64) for number in closings]
    assert re.findall(r"^(closing .*): its quarter hours are not here; only the seal holds it$", found.stdout, re.M) == elsewhere
    told = f"closings: {len(closings)} seals recompute, the last is {seals[closings[-1] - 1] if closings else ''}; {held} figures are what the versions that they name give\n"
    assert (told in found.stdout) == bool(closings) and ("closings: " in found.stdout) == bool(closings), found.stdout
    assert bundle_checker.closing_differences(bundle) == ([], elsewhere) and bundle_checker.differences(bundle) == []


def test_a_bundle_says_who_closed_a_month_and_why_and_what_was_overridden(house):
    bundle = bundle_checker.read(house.bundles[YEAR])
    first = bundle.rows("closings.csv")[0]
    assert (first["site"], first["month"], first["who"], first["why"], first["model"]) == ("s1", "2026-03", "carla", "'=the bills, \"of March\"", "1")
    assert [(row["name"], row["why"]) for row in bundle.rows("overrides.csv") if row["closing"] == "1"] == [(name, f"{name} is known") for name in sorted(NAMES)]
    # The quarter hour of the decision: unknown as it was booked in March, and then what was decided.
    again = bundle.rows("versions/feeder.csv")
    assert [(row["version"], row["amount"], row["quality"]) for row in again] == [("1", "", "unknown"), ("2", "9876", "manual")]
    assert not bundle.parts.keys() & {"versions/counter.csv", "versions/water.csv"}


# ---- what somebody changed ----


def all_of(closing: str) -> Callable[[dict[str, bytes]], None]:
    """A closing goes, with all that was booked with it."""
    def change(parts: dict[str, bytes]) -> None:
        for name in ("closings.csv", "overrides.csv", "booked.csv"):
            with_rows(name, lambda rows: [row for row in rows if row[0] != closing])(parts)
    return change


def sealed_again(change: Callable[[dict[str, bytes]], None]) -> Callable[[dict[str, bytes]], None]:
    """The last closing's seal mended too, wherever it stands."""
    def both(parts: dict[str, bytes]) -> None:
        change(parts)
        bundle = bundle_checker.Bundle(parts, "", {})
        last = bundle.rows("closings.csv")[-1]
        seal = bundle_checker.seal_of(last, bundle.rows("overrides.csv"), bundle.rows("booked.csv"))
        for name in ("closings.csv", "report.csv"):
            parts[name] = parts[name].replace(last["seal"].encode(), seal.encode())
    return both


def another_reason(rows: list[list[str]]) -> list[list[str]]:
    next(row for row in rows if row[:2] == ["1", NAMES[0]])[5] = "a slip"
    return rows


def no_seal(rows: list[list[str]]) -> list[list[str]]:
    return [rows[0], *([*row[:11], "", ""] if row[0] == "2" else row for row in rows[1:])]


SEAL = r"closing {} \({}\) differs: sealed as [0-9a-f]{{64}}, what is here gives [0-9a-f]{{64}}"
FIRST, LAST = SEAL.format(1, "2026-03"), SEAL.format(3, "2026-05")
CHANGED = {
    "nothing": (lambda parts: None, 0, []),
    "a booked figure": (with_rows("booked.csv", raised("1", "feeder", column=4)), 1, [
        FIRST, "closing 1, meter feeder, month 2026-03: booked are 970001 known and 900 s unknown, the versions that it names give 970000 and 900 s"]),
    "a booked figure and its seal": (sealed_again(with_rows("booked.csv", raised("3", "feeder", column=4))), 1,
                                     [r"closing 3, meter feeder, month 2026-05: booked are 1 known and 0 s unknown, the versions that it names give 0 and 0 s"]),
    "a booked figure that is left out": (with_rows("booked.csv", without("1", "water")), 1, [FIRST]),
    "why something was overridden": (with_rows("overrides.csv", another_reason), 1, [FIRST, "report, overrides, row .*: published is .*, the readings give a slip"]),
    "an override that is left out": (with_rows("overrides.csv", without("1", NAMES[0])), 1, [FIRST, "report, closings, row .*, overridden: published is 7, the readings give 6"]),
    "who closed": (with_rows("closings.csv", lambda rows: [*rows[:3], [*rows[3][:7], "nobody", *rows[3][8:]]]), 1, [LAST]),
    "the seal": (with_rows("closings.csv", lambda rows: [*rows[:3], [*rows[3][:12], "0" * 64]]), 1, [LAST]),
    "the seal before it": (sealed_again(with_rows("closings.csv", lambda rows: [*rows[:3], [*rows[3][:11], "0" * 64, rows[3][12]]])), 1,
                           ["closing 3: the seal before it is another than that of closing 2"]),
    "a closing without a seal": (with_rows("closings.csv", no_seal), 1, ["closing 3: the seal before it is another than that of closing 2",
                                                                       r"report, closings, row .*, seal: published is [0-9a-f]{64}, the readings give nothing"]),
    "a closing alone": (with_rows("closings.csv", without("2", "2026-04")), 1, [
        r"overrides.csv:\d+: closing 2 is not in closings.csv", r"booked.csv:\d+: closing 2 is not in closings.csv", "closing 3 follows on 1, and the one of 2026-04 is not here"]),
    "a closing in the middle": (all_of("2"), 1, ["closing 3 follows on 1, and the one of 2026-04 is not here"]),
    "the last closing": (all_of("3"), 1, ["report, closings, row .*, period: published is 2026-05, the readings give nothing"]),
    "a version": (with_rows("versions/feeder.csv", raised("2", column=2)), 1, [
        "meter feeder, quarter hour .*: what is published is not its last version, 2", "closing 2, meter feeder, month 2026-03: booked are "]),
    "a version that is left out": (with_rows("versions/feeder.csv", lambda rows: [rows[0], rows[2]]), 1, [
        "closing 1, meter feeder, month 2026-03: version 1 of the quarter hour .* was booked, and is not here"]),
    "all versions": (lambda parts: parts.pop("versions/feeder.csv"), 1, [
        "closing 2, meter feeder, month 2026-03: version 2 of the quarter hour .* was booked, and is not here"]),
    "which versions": (with_rows("booked.csv", lambda rows: [rows[0], [*rows[1][:12], rows[1][12] + "0103"], *rows[2:]]), 1, [
        FIRST, "closing 1, meter counter, month 2026-03: what was booked of meter .* is damaged"]),
}
REFUSED = {
    "a part that is missing": (lambda parts: parts.pop("closings.csv"), "closings.csv is missing in its manifest"),
    "versions of no meter": (lambda parts: parts.update({"versions/x.csv": parts["versions/feeder.csv"]}), "versions/x.csv is of no meter of its park model"),
    "a closing of another site": (with_rows("closings.csv", lambda rows: [rows[0], [rows[1][0], "s2", *rows[1][2:]], *rows[2:]]),
                                  "closings.csv:2: no closing of the site and the period, or not in order"),
    "a closing of a hundred years": (with_rows("closings.csv", lambda rows: [rows[0], [*rows[1][:4], "2099-01-01T00:00:00.000Z", *rows[1][5:]], *rows[2:]]),
                                     "closings.csv:2: no closing of the site and the period, or not in order"),
    "half a seal": (with_rows("closings.csv", lambda rows: [rows[0], [*rows[1][:12], rows[1][12][:32]], *rows[2:]]),
                    "closings.csv:2: no closing of the site and the period, or not in order"),
    "a closing twice": (with_rows("closings.csv", lambda rows: [*rows[:2], *rows[1:]]), "closings.csv:3: no closing of the site and the period, or not in order"),
    "an override twice": (with_rows("overrides.csv", lambda rows: [*rows[:2], *rows[1:]]), "overrides.csv:3: what is here is here already, or cannot be"),
    "text for a figure": (with_rows("booked.csv", lambda rows: [rows[0], [*rows[1][:4], "much", *rows[1][5:]], *rows[2:]]), "booked.csv:2: nothing that was booked"),
    "text for versions": (with_rows("booked.csv", lambda rows: [rows[0], [*rows[1][:12], "xy"], *rows[2:]]), "booked.csv:2: versions are no hexadecimal digits"),
    "versions in another order": (with_rows("versions/feeder.csv", lambda rows: [rows[0], rows[2], rows[1]]),
                                  "versions/feeder.csv:3: no version of a quarter hour of the period, or not in order"),
}


@pytest.mark.parametrize("what", CHANGED)
def test_what_was_changed_of_closings_with_its_hash_mended_is_named(house, tmp_path, what):
    change, code, told = CHANGED[what]
    path = mended(house.bundles[YEAR], tmp_path / "changed.zip", change)
    found = check(house, path)
    assert found.returncode == code, found.stderr
    for line in told:
        assert re.search(f"^park-collector: (?:{line})", found.stderr, re.M), found.stderr
    wrong, _ = bundle_checker.closing_differences(bundle_checker.read(path))
    assert bool(wrong) == bool(told), wrong
    places = re.findall(r"^park-collector: (closing \d+, meter \w+, month \d+-\d+): ", found.stderr, re.M)
    assert set(places) == {line.split(": ")[0] for line in wrong if ", meter " in line and line.startswith("closing")}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_closing_is_told_in_one_sentence(house, tmp_path, what):
    change, told = REFUSED[what]
    path = mended(house.bundles[YEAR], tmp_path / "changed.zip", change)
    found = check(house, path)
    assert (found.returncode, found.stderr, found.stdout) == (78, f"park-collector: {path}: {told}\n", "")


def test_the_seal_of_a_bundle_is_that_of_the_log_of_changes(house):
    """Which whoever reads the log has noted."""
    seals = {row["month"]: row["seal"] for row in bundle_checker.read(house.bundles[YEAR]).rows("closings.csv")}
    logged = dict(house.query("SELECT substr(object, -7), substr(after, 6, 64) FROM change_log WHERE action = 'close'"))
    assert seals == logged and all(len(seal) == 2 * hashlib.sha256().digest_size for seal in seals.values())
