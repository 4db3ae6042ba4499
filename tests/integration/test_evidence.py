"""Evidence bundles: written beside the real collector and where none runs, worked out again by the program alone and by a script that shares
nothing with it, and attacked."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import random
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import bundle_checker
import pytest
from harness.process import run, wait_until
from harness.stage import Stage
from test_ledger_books import batches, park_text
from test_verify_ledger import ENERGY, OUTLIER, Books, number

PERIOD = "2026-03"
SECOND = ("r5", "r18", "r9", "r7")  # of the second site, half an hour off a whole zone


class Two(Books):
    """Two sites, in two zones."""

    def __init__(self, stage):
        super().__init__(stage)
        text = park_text().replace('zone = "Asia/Shanghai"; }', 'zone = "Asia/Shanghai"; }, { id = "s2"; name = "y"; name_en = "y"; zone = "Asia/Kolkata"; }')
        text = text.replace('site = "s1"; });\ntenants', 'site = "s1"; }, { id = "b2"; name = "y"; name_en = "y"; site = "s2"; });\ntenants')
        for meter in SECOND:
            text = re.sub(rf'(id = "{meter}";[^{{]*building = )"b1"', r'\1"b2"', text)
        (stage.folder / "park.cfg").write_text(text)

    def evidence(self, output: Path, site: str = "s1", period: str = PERIOD):
        return run([self.collector.program, "evidence", "--config", self.collector.settings, "--site", site, "--period", period, "-o", output], 120)

    def check(self, bundle: Path):
        return run([self.collector.program, "verify", "--evidence", bundle], 120)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """All histories with two kills, decisions of which one is undone; then the collector has ended."""
    with Stage(tmp_path_factory.mktemp("evidence")) as stage:
        house = Two(stage).start()
        what = batches()
        house.publish(what, set(random.Random(5).sample(range(5, len(what)), 2)))
        house.wait_folded()
        house.folder = stage.folder
        house.beside = house.evidence(stage.folder / "beside.zip")
        house.collector.stop()
        for decision in (ENERGY, OUTLIER, ("outlier", "--meter", "r1", *OUTLIER[3:])):
            done = house.command("decide", decision[0], *decision[1:], "--why", "=1+1, \"as it was\"")
            assert done.returncode == 0, done.stderr
        assert house.command("decide", "undo", "3", "--why", "a slip").returncode == 0
        house.bundles = {}
        for site in ("s1", "s2"):
            house.bundles[site] = stage.folder / f"{site}.zip"
            done = house.evidence(house.bundles[site], site)
            assert (done.returncode, done.stderr) == (0, ""), done.stderr
            house.said = done.stdout
        house.whole = stage.folder / "whole.db"
        shutil.copy(house.database, house.whole)
        yield house


@pytest.mark.parametrize("site", ["s1", "s2"])
def test_the_program_alone_works_out_what_was_published(made, site):
    found = made.check(made.bundles[site])
    assert (found.returncode, found.stderr) == (0, "")
    bundle = bundle_checker.read(made.bundles[site])
    published, readings = len(bundle_checker.published(bundle)), sum(int(row["readings"]) for row in bundle.rows("meters.csv"))
    assert re.fullmatch(rf"site {site}, period {PERIOD}: {published} quarter hours and \d+ figures of the report come out of {readings} readings; "
                        rf"the bundle's hash is {bundle.hash}\n", found.stdout), found.stdout
    if site == "s2":
        assert made.said.endswith(f"its hash is {bundle.hash}\n")


@pytest.mark.parametrize("site", ["s1", "s2"])
def test_a_script_of_its_own_works_out_what_was_published(made, site):
    bundle = bundle_checker.read(made.bundles[site])
    assert {row["meter"] in SECOND for row in bundle.rows("meters.csv")} == {site == "s2"}
    published = bundle_checker.published(bundle)
    assert len(published) > 96 * 3 and {row["quality"] for row in published} >= {"measured", "estimated", "manual" if site == "s2" else "unknown"}
    assert bundle_checker.differences(bundle) == []


def test_a_bundle_says_who_decided_what_and_by_which_batch_a_reading_came(made):
    bundle = bundle_checker.read(made.bundles["s1"])
    decided = bundle.rows("decisions.csv")
    assert [(row["id"], row["meter"], row["kind"], row["undoes"]) for row in decided] == [
        ("2", "r2", "outlier", ""), ("3", "r1", "outlier", ""), ("4", "r1", "undo", "3")]
    assert decided[0]["why"] == "'=1+1, \"as it was\"" and decided[0]["who"]  # no formula in a spreadsheet
    batches_of = {row["batch"]: row for row in bundle.rows("batches.csv")}
    journal = {(str(i), gateway, f"{epoch & (1 << 64) - 1:016x}", str(seq)) for i, gateway, epoch, seq in made.query(
        "SELECT j.id, g.name, j.epoch, j.seq FROM journal j JOIN gateway g ON g.id = j.gateway")}
    readings = bundle.rows("readings/r1.csv")
    assert readings and {row["batch"] for row in readings} <= set(batches_of)
    assert {(row["batch"], row["gateway"], row["epoch"], row["seq"]) for row in batches_of.values()} <= journal
    assert bundle.parts["model/park.cfg"] == (made.folder / "park.cfg").read_bytes()


def test_the_same_state_gives_the_same_bytes_also_beside_a_running_collector(made):
    again = made.folder / "again.zip"
    assert made.evidence(again).returncode == 0
    assert again.read_bytes() == made.bundles["s1"].read_bytes()
    assert made.evidence(again).returncode == 64  # nothing is written over
    again.unlink()
    assert (made.beside.returncode, made.beside.stderr) == (0, "")
    assert made.check(made.folder / "beside.zip").returncode == 0


@pytest.mark.parametrize(("site", "day", "first", "last"), [
    ("s2", "2026-03-02", "2026-03-01T23:45:00.000Z", "2026-03-02T18:15:00.000Z"),
    ("s1", "2026-03-03", "2026-03-02T16:00:00.000Z", "2026-03-03T00:30:00.000Z")])
def test_a_day_of_the_sites_own_zone_has_the_readings_before_it_and_behind_that_it_takes(made, tmp_path, site, day, first, last):
    path = tmp_path / "day.zip"
    assert made.evidence(path, site, day).returncode == 0
    found = made.check(path)
    assert (found.returncode, found.stderr) == (0, "")
    bundle = bundle_checker.read(path)
    starts = {row["start"] for row in bundle_checker.published(bundle)}
    assert min(starts) == first and max(starts) == last
    assert bundle_checker.differences(bundle) == []
    assert min(row["time"] for row in bundle.rows(f"readings/{SECOND[0] if site == 's2' else 'r13'}.csv")) <= first


def origins(bundle: bundle_checker.Bundle) -> dict[str, tuple[str, str, str]]:
    """Batch to gateway, epoch and seq, wherever it stands."""
    rows = [row for name in bundle.parts if name == "batches.csv" or name.startswith("archived/") for row in bundle.rows(name)]
    found = {row["batch"]: (row["gateway"], row["epoch"], row["seq"]) for row in rows}
    assert all(found[row["batch"]] == (row["gateway"], row["epoch"], row["seq"]) for row in rows)
    return found


def test_readings_lead_to_their_batches_also_once_these_are_pruned(made, tmp_path):
    before = bundle_checker.read(made.bundles["s1"])
    used = {row["batch"] for name in before.parts if name.startswith("readings/") for row in before.rows(name) if row["batch"]}
    assert len(used) > 4 and used <= set(origins(before)) and not [name for name in before.parts if name.startswith("archived/")]
    half = sorted(map(int, used))[len(used) // 2]
    try:
        made.change(f"UPDATE journal SET received_ms = received_ms - 40 * 86400000 WHERE id < {half}")
        made.collector.start()
        wait_until(lambda: made.query(f"SELECT count(*) FROM journal WHERE id < {half}") == [(0,)], 90, "the older half is pruned")
        made.collector.stop()
        assert made.evidence(tmp_path / "x.zip").returncode == 0
        after = bundle_checker.read(tmp_path / "x.zip")
        assert after.parts["readings/r1.csv"] == before.parts["readings/r1.csv"]
        assert {batch: origin for batch, origin in origins(after).items() if batch in used} == {batch: origins(before)[batch] for batch in used}
        assert {row["batch"] for row in after.rows("archived/1.csv")} == {batch for batch in used if int(batch) < half}
        assert made.check(tmp_path / "x.zip").returncode == 0
    finally:
        made.collector.stop()
        shutil.copy(made.whole, made.database)


# ---- what somebody changed ----


def packed(parts: dict[str, bytes], path: Path) -> Path:
    """The form of lib/zip.h, written here: with zipfile a part would have flags and times of its own."""
    out, central = bytearray(), bytearray()
    for name, content in parts.items():
        deflater = zlib.compressobj(6, zlib.DEFLATED, -15)
        body = deflater.compress(content) + deflater.flush()
        common = struct.pack("<5H3I2H", 20, 0, 8, 0, 0x5A21, zlib.crc32(content), len(body), len(content), len(name), 0)
        central += b"PK\1\2" + struct.pack("<H", 20) + common + struct.pack("<3H2I", 0, 0, 0, 0, len(out)) + name.encode()
        out += b"PK\3\4" + common + name.encode() + body
    end = b"PK\5\6" + struct.pack("<4H2IH", 0, 0, len(parts), len(parts), len(central), len(out), 0)
    path.write_bytes(bytes(out) + bytes(central) + end)
    return path


def mended(source: Path, path: Path, change: Callable[[dict[str, bytes]], None], **said: str) -> Path:
    """The parts after a change, with a manifest that fits them, but for what it is told to say."""
    with zipfile.ZipFile(source) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    head = parts.pop("manifest.txt").decode().splitlines()[:6]
    head = [f"{word} {said.get(word, value)}" for word, value in (line.split(" ", 1) for line in head)]
    change(parts)
    lines = [*head, *(f"part {hashlib.sha256(content).hexdigest()} {len(content)} {name}" for name, content in parts.items())]
    return packed({**parts, "manifest.txt": ("\n".join(lines) + "\n").encode()}, path)


def with_rows(name: str, edit: Callable[[list[list[str]]], list[list[str]]]) -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        rows = list(csv.reader(io.StringIO(parts[name].decode("utf-8-sig"), newline="")))
        out = io.StringIO(newline="")
        csv.writer(out).writerows(edit(rows))
        parts[name] = b"\xef\xbb\xbf" + out.getvalue().encode()

    return change


def first_of(rows: list[list[str]], *words: str) -> list[str]:
    return next(row for row in rows if all(word in row for word in words))


def raised(*words: str, column: int, by: int = 1) -> Callable[[list[list[str]]], list[list[str]]]:
    def edit(rows: list[list[str]]) -> list[list[str]]:
        row = first_of(rows, *words)
        row[column] = str(int(row[column]) + by)
        return rows

    return edit


def without(*words: str) -> Callable[[list[list[str]]], list[list[str]]]:
    def edit(rows: list[list[str]]) -> list[list[str]]:
        rows.remove(first_of(rows, *words))
        return rows

    return edit


def with_another_total(rows: list[list[str]]) -> list[list[str]]:
    row = next(row for row in rows if row[0] == "meters" and row[2] == "known")
    row[3] = "1" + row[3]
    return rows


def reaching_back(rows: list[list[str]]) -> list[list[str]]:
    first_of(rows, "outlier")[3] = "2026-02-02T08:00:00.000Z"
    return rows


def about_the_same_with_one_between(rows: list[list[str]]) -> list[list[str]]:
    first, between, last = (f"2019-01-01T0{hour}:00:00.000Z" for hour in range(3))
    told = ["", "0", "2026-03-05T00:00:00.000Z", "", "x", "x"]
    return [*rows, ["10", "r1", "outlier", first, last, *[""] * 10, f"{first} {last}", *told],
            *([number, "r1", "reading", time, time, *[""] * 9, "1", "", *told] for number, time in (("11", between), ("12", last)))]


def by_hand(count: int) -> list[list[str]]:
    """Of a meter whose figures do not change by it: before its first segment."""
    return [[str(100 + i), "r1", "reading", *[f"2019-{1 + i // 1000:02}-01T{i // 60 % 24:02}:{i % 60:02}:{i // 1440 % 60:02}.000Z"] * 2, *[""] * 9, "1", "", "", "0",
             "2026-03-05T00:00:00.000Z", "", "x", "x"] for i in range(count)]


EIGHT = "2026-03-02T08:00:00.000Z"
CHANGED = {
    "nothing": (lambda parts: None, 0, ""),
    "a published quarter hour": (with_rows("quarters/r1.csv", raised(EIGHT, column=1)), 1,
                                 f"meter r1, quarter hour {EIGHT}: published is 10001 measured, the readings give 10000 measured"),
    "a published quarter hour left out": (with_rows("quarters/r1.csv", without(EIGHT)), 1,
                                          f"meter r1, quarter hour {EIGHT}: published is nothing, the readings give 10000 measured"),
    "a total": (with_rows("report.csv", with_another_total), 1, r"report, meters, row \d+, known: published is \S+, the readings give \S+"),
    "a reading": (with_rows("readings/r1.csv", raised(EIGHT, column=2, by=10)), 1,
                  f"meter r1, quarter hour {EIGHT}: published is 10000 measured, the readings give 9990 measured"),
    "a reading left out": (with_rows("readings/r1.csv", without(EIGHT)), 1,
                           f"meter r1, quarter hour {EIGHT}: published is 10000 measured, the readings give 10000 estimated"),
    "a decision left out": (with_rows("decisions.csv", without("2")), 1, "meter r2, quarter hour .*: published is .*, the readings give .*"),
    "the readings of a meter": (lambda parts: parts.pop("readings/r1.csv"), 1, f"meter r1, quarter hour {EIGHT}: published is 10000 measured, the readings give nothing"),
    "the park model": (lambda parts: parts.update({"model/park.cfg": parts["model/park.cfg"].replace(b"max_rate = 100000L", b"max_rate = 100001L")}), 1,
                       "the park model: version 1 was accepted with the hash [0-9a-f]{64}, what is here has [0-9a-f]{64}"),
    "a part that is missing": (lambda parts: parts.pop("decisions.csv"), 78, "decisions.csv is missing in its manifest"),
    "the quarter hours of a meter": (lambda parts: parts.pop("quarters/r1.csv"), 1,
                                     f"meter r1, quarter hour {EIGHT}: published is nothing, the readings give 10000 measured"),
    "quarter hours of no meter": (lambda parts: parts.update({"quarters/r0.csv": parts["quarters/r1.csv"]}), 78, "quarters/r0.csv is of no meter of its park model"),
    **{f"a part {name}": (lambda parts, name=name: parts.update({name: b"x"}), 78, f"{re.escape(name)} is no part of an evidence bundle$")
       for name in ("notes.txt", "report.html", "model/prices.cfg", "archived/x.csv", "archived/01.csv", "archived/1.csv.csv", "meters.csv/r1.csv", "x/quarters/r1.csv")},
    "a quarter hour twice": (with_rows("quarters/r1.csv", lambda rows: [*rows, rows[1]]), 78, r"quarters/r1.csv:\d+: no quarter hour of the period, or once more"),
    "a quarter hour of another day": (with_rows("quarters/r1.csv", lambda rows: [*rows, ["2026-05-01T00:00:00.000Z", "1", "measured"]]), 78,
                                      r"quarters/r1.csv:\d+: no quarter hour of the period"),
    "no park": (lambda parts: parts.update({"model/park.cfg": b"sites = ("}), 78, "its park model has mistakes for this program"),
    "text for a number": (with_rows("readings/r1.csv", lambda rows: [*rows[:1], [*rows[1][:2], "much", *rows[1][3:]], *rows[2:]]), 78,
                          "readings/r1.csv:2: no reading"),
    "another order": (with_rows("readings/r1.csv", lambda rows: [*rows[:1], rows[2], rows[1], *rows[3:]]), 78,
                      "readings/r1.csv:3: readings are not in order of time"),
    "a reading of the year 9999": (with_rows("readings/r1.csv", lambda rows: [*rows, ["9999-01-01T00:00:00.000Z", "1", "100960000", "0", ""]]), 78,
                                   r"readings/r1.csv:\d+: more than 60 years from the period"),
    "readings of the year 2100 alone": (with_rows("readings/r1.csv", lambda rows: [rows[0], ["2100-01-01T00:00:00.000Z", "1", "0", "0", ""]]), 78,
                                        "readings/r1.csv:2: more than 60 years from the period"),
    "an outlier beyond its times": (with_rows("decisions.csv", reaching_back), 78, r"decisions.csv:\d+: no decision"),
    "more decisions than a person takes": (with_rows("decisions.csv", lambda rows: [*rows, *by_hand(10_000)]), 0, ""),
    "one decision too many": (with_rows("decisions.csv", lambda rows: [*rows, *by_hand(10_001)]), 78, "decisions.csv: a meter has more than 10000 decisions in force"),
    "a decision of the year 9999": (with_rows("decisions.csv", lambda rows: [*rows, ["9", "r1", "reading", *["9999-01-01T00:00:00.000Z"] * 2, *[""] * 9, "1", "", "",
                                                                                    "0", "2026-03-02T00:00:00.000Z", "", "x", "x"]]), 78, r"decisions.csv:\d+: no decision"),
    "a quote without an end": (lambda parts: parts.update({"points.csv": parts["points.csv"] + b'9,r1,"x\r\n'}), 78, r"points.csv:\d+: a quote without an end"),
    "the same decision twice": (with_rows("decisions.csv", lambda rows: [*rows, rows[1]]), 78, r"decisions.csv:\d+: decisions are not in the order of their numbers"),
    "a decision about the same, and one between": (with_rows("decisions.csv", about_the_same_with_one_between), 78, "decisions.csv: 10 and 12 are about the same"),
    "a decision about the same": (with_rows("decisions.csv", lambda rows: [*rows, ["9", *rows[1][1:]]]), 78, "decisions.csv: 2 and 9 are about the same"),
}


@pytest.mark.parametrize("what", CHANGED)
def test_what_was_changed_with_its_hash_mended_is_found_all_the_same(made, tmp_path, what):
    change, code, told = CHANGED[what]
    found = made.check(mended(made.bundles["s1"], tmp_path / "changed.zip", change))
    assert found.returncode == code, found.stderr
    start = "" if code != 78 else re.escape(f"{tmp_path / 'changed.zip'}: ")
    assert code == 0 or re.search(f"^park-collector: {start}{told}", found.stderr, re.M), found.stderr
    assert (found.stdout == "") == (code != 0)


@pytest.mark.parametrize("reckoned", ["1970-01-01T00:00:00.000Z", "2026-03-31T15:59:59.999Z", "2026-03-31T16:00:00.001Z"])
def test_a_bundle_that_reckons_before_what_arrived_or_beyond_its_period_is_refused(made, tmp_path, reckoned):
    found = made.check(mended(made.bundles["s1"], tmp_path / "x.zip", lambda parts: None, reckoned=reckoned))
    assert (found.returncode, found.stdout) == (78, "")
    assert found.stderr.startswith(f"park-collector: {tmp_path / 'x.zip'}: manifest.txt: reckoned {reckoned} cannot be; expected no time after the period's end, "
                                   "2026-03-31T16:00:00.000Z, and none before as_of or that end")


def test_a_clock_behind_what_arrived_reckons_by_what_arrived(made, tmp_path):
    arrived = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=40)
    text = arrived.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    try:
        made.change(f"UPDATE journal SET received_ms = {int(arrived.timestamp()) * 1000} WHERE id = (SELECT max(id) FROM journal)")
        month = (arrived + timedelta(hours=8)).strftime("%Y-%m")  # of the site
        assert made.evidence(tmp_path / "x.zip", "s1", month).returncode == 0
        bundle = bundle_checker.read(tmp_path / "x.zip")
        assert (bundle.about["as_of"], bundle.about["reckoned"]) == (text, text)
        about = [row["value"] for row in bundle.rows("report.csv") if row["table"] == "about"]
        assert about[about.index("reckoned") + 1] == about[about.index("as_of") + 1] != ""
        found = made.check(tmp_path / "x.zip")
        assert (found.returncode, found.stderr) == (0, "")
    finally:
        shutil.copy(made.whole, made.database)


def test_a_changed_byte_and_a_cut_file_are_told_in_one_sentence(made, tmp_path):
    whole = made.bundles["s1"].read_bytes()
    draw = random.Random(23)
    spoilt = tmp_path / "spoilt.zip"
    for at in (*draw.sample(range(len(whole)), 40), 0, len(whole) - 1, len(whole) - 22):
        spoilt.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << draw.randrange(8)]) + whole[at + 1:])
        found = made.check(spoilt)
        if found.returncode == 0:  # a bit behind the end of a part's last byte says nothing
            assert bundle_checker.read(spoilt).parts == bundle_checker.read(made.bundles["s1"]).parts
            continue
        assert found.returncode == 78 and found.stderr.count("\n") == 1 and found.stderr.startswith(f"park-collector: {spoilt}: "), (at, found.stderr)
    for size in (1, 21, 22, len(whole) // 2, len(whole) - 1):
        spoilt.write_bytes(whole[:size])
        assert made.check(spoilt).returncode == 78
    with zipfile.ZipFile(made.bundles["s1"]) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    parts["readings/r1.csv"] += b"2026-03-04T00:00:00.000Z,1,1,0,1\r\n"
    found = made.check(packed(parts, spoilt))
    assert (found.returncode, found.stderr) == (78, f"park-collector: {spoilt}: readings/r1.csv is not what its manifest says: it was changed\n")
    assert "parts, and its manifest names" in made.check(packed({"more.csv": b"", **parts}, spoilt)).stderr
    names = list(parts)
    assert "has batches.csv where its manifest has model.csv" in made.check(packed({name: parts[name] for name in sorted(names[:-1]) + names[-1:]}, spoilt)).stderr


def test_what_is_no_bundle_is_told_in_one_sentence(made, tmp_path):
    empty, fifo, text, foreign, bomb, sparse = (tmp_path / name for name in ("empty", "fifo", "text", "foreign.zip", "bomb.zip", "sparse"))
    empty.touch()
    os.mkfifo(fifo)
    text.write_text("once upon a time " * 100)
    with zipfile.ZipFile(foreign, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.txt", "a")
    zeros = b"\0" * (1 << 20)
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = b"".join([deflater.compress(zeros) for _ in range(600)]) + deflater.flush()
    common = struct.pack("<5H3I2H", 20, 0, 8, 0, 0x5A21, 0, len(body), 600 << 20, 12, 0)
    bomb.write_bytes(b"PK\3\4" + common + b"manifest.txt" + body + (central := b"PK\1\2" + struct.pack("<H", 20) + common
                     + struct.pack("<3H2I", 0, 0, 0, 0, 0) + b"manifest.txt") + b"PK\5\6" + struct.pack("<4H2IH", 0, 0, 1, 1, len(central), 42 + len(body), 0))
    with sparse.open("wb") as file:
        file.truncate(5 << 30)
    for path, told in ((empty, "is empty"), (fifo, "is no file"), (tmp_path, "is no file"), (tmp_path / "none", "cannot be read: No such file or directory"),
                       (text, "is no zip file of ours, or it is cut short"), (foreign, "has a directory that is damaged, or of another form"),
                       (packed({"a.txt": b"a"}, tmp_path / "other.zip"), "has no manifest.txt as its last part: it is no evidence bundle"),
                       (bomb, "has a directory that is damaged, or of another form"), (sparse, "is larger than 4 GiB"),
                       (made.database, "is no zip file of ours, or it is cut short")):
        found = made.check(path)
        assert (found.returncode, found.stderr, found.stdout) == (78, f"park-collector: {path}: {told}\n", "")


@pytest.mark.parametrize(("words", "code", "told"), [
    (["--site", "nowhere"], 64, "--site nowhere is none of the park model that was accepted"),
    (["--period", "soon"], 64, "--period soon is no period; expected a day"),
    (["-o", "/nowhere/x.zip"], 74, "/nowhere/x.zip.part cannot be written: No such file or directory")])
def test_what_cannot_be_written_is_said_in_one_line_and_leaves_nothing(made, tmp_path, words, code, told):
    options = {"--site": "s1", "--period": PERIOD, "-o": str(tmp_path / "x.zip"), words[0]: words[1]}
    found = run([made.collector.program, "evidence", "--config", made.collector.settings, *(word for pair in options.items() for word in pair)], 60)
    assert found.returncode == code and found.stderr.startswith(f"park-collector: {told}") and found.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_books_that_were_changed_make_a_bundle_that_says_so(made, tmp_path):
    try:
        made.change(f"UPDATE ledger_quarter SET amount = amount + 1 WHERE meter = {number('r1')} AND start_ms = {bundle_checker.ms(EIGHT)}")
        done = made.evidence(tmp_path / "x.zip")
        assert (done.returncode, done.stderr) == (1, "park-collector: the books are not what their evidence gives; `verify` says where\n")
        found = made.check(tmp_path / "x.zip")
        assert found.returncode == 1 and CHANGED["a published quarter hour"][2] in found.stderr
        assert bundle_checker.differences(bundle_checker.read(tmp_path / "x.zip"))
    finally:
        shutil.copy(made.whole, made.database)
