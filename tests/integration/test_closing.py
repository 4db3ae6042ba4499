"""Months that are closed, through the real collector: previewed, refused, overridden by name, listed; what a decision changes of one is booked in the next, once.

The day is that of test_decisions.py, all that is metered of March 2026; what is expected is typed from the table of faults, and added up here.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import threading
import time
from decimal import Decimal

import pytest
from harness.process import run, wait_until
from harness.stage import Stage
from test_decisions import ENERGY, House, wh

MARCH = {"site": "s1", "period": "2026-03", "why": "the bills of March"}
NAMES = ["exception:feeder", "waiting:feeder", "coverage:feeder", "exception:counter", "waiting:counter", "coverage:counter", "coverage:water"]
METERED = wh(970)  # 98 quarter hours of 10 kWh, one of which is not known
OVERRIDES = [{"reason": name, "why": f"{name} is known"} for name in NAMES]


class Closed(House):
    def booked(self) -> dict[str, list]:
        return {name: self.query(f"SELECT * FROM {name}") for name in ("closing", "closing_override", "closing_meter", "closing_seal", "change_log", "ledger_quarter",
                                                                       "ledger_decision")}

    def sums(self, meter: str) -> tuple[int, int]:
        """All that is booked of the meter by the last row of each month, and all that is metered."""
        booked = self.query(f"SELECT coalesce(sum(known), 0) FROM closing_meter AS m JOIN ledger_meter ON id = meter WHERE name = '{meter}' AND closing ="
                            " (SELECT max(closing) FROM closing_meter WHERE meter = m.meter AND month = m.month)")[0][0]
        metered = self.query(f"SELECT coalesce(sum(amount), 0) FROM ledger_quarter AS q JOIN ledger_meter ON id = meter WHERE name = '{meter}' AND version ="
                             " (SELECT max(version) FROM ledger_quarter WHERE meter = q.meter AND start_ms = q.start_ms)")[0][0]
        return booked, metered

    def seals(self) -> list[str]:
        """As collector/energy/closing_seal.h says that they are made."""
        def line(name: str, value) -> str:
            return f"{name} -" if value is None else f"{name} {len(str(value).encode())}:{value}"

        seal, seals = "0" * 64, []
        for number, *head in self.query("SELECT id, site, month, from_ms, until_ms, closed_ms, token, who, why, model, journal FROM closing ORDER BY id"):
            lines = ["parkmon closing 1", f"closing {number}", f"previous {seal}"]
            names = ("site", "month", "from", "until", "closed", "token", "who", "why", "model", "journal")
            lines += [line(name, value) for name, value in zip(names, head, strict=True)]
            overrides = self.query(f"SELECT name, what, figure, bound, why FROM closing_override WHERE closing = {number}")
            for row in sorted(overrides, key=lambda row: row[0].encode()):
                lines += [line(name, value) for name, value in zip(("override", "what", "figure", "bound", "why"), row, strict=True)]
            booked = self.query("SELECT l.name, m.* FROM closing_meter AS m JOIN ledger_meter AS l ON l.id = m.meter WHERE closing = " f"{number}")
            for name, _, month, _, *amounts, versions in sorted(booked, key=lambda row: (row[0].encode(), row[2])):
                lines += [line("booked", " ".join([name, *map(str, [month, *amounts])])), line("versions", versions.hex())]
            seal = hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()
            seals.append(seal)
        return seals

    def closing(self, *words: str):
        return run([self.collector.program, "close", "--config", self.collector.settings, *words])

    def close(self, body, preview: bool = False):
        return self.ask("POST", "/api/v1/closings" + ("?preview=1" if preview else ""), self.closer, body)

    def close_march(self) -> None:
        """Unless it is closed."""
        if not self.booked()["closing"]:
            status, answer = self.close({**MARCH, "overrides": OVERRIDES})
            assert status == 201 and answer["closing"] == 1, answer


    def close_to_june(self) -> None:
        """Each month that is not closed yet, by the command."""
        self.close_march()
        for period in ("2026-04", "2026-05", "2026-06")[len(self.seals()) - 1:]:
            words = ("--site", "s1", "--period", period, "--why", "its bills")
            names = [line.split()[0] for line in self.closing(*words, "--preview").stdout.splitlines() if ":" in line.split()[0][:-1]]
            done = self.closing(*words, *(word for name in names for word in ("--override", name, "--why", "it was off")))
            assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("closing")) as stage:
        found = Closed(stage)
        found.start()
        found.publish()
        found.auditor = found.token("auditor", "--role", "auditor")
        found.decider = found.token("anna", "--role", "operator", "--scope", "decisions")
        found.closer = found.token("carla", "--role", "operator", "--scope", "closings")
        yield found


def test_a_preview_names_what_stands_against_it_and_changes_nothing(house):
    before = house.booked()
    status, answer = house.close(MARCH, preview=True)
    assert status == 200, answer
    assert [reason["reason"] for reason in answer["reasons"]] == NAMES
    assert answer["reasons"][0]["what"].startswith("meter feeder: 1 open exception, from 2026-03-02T10:00:00.000Z on; expected none")
    assert answer["reasons"][1]["what"].endswith(" on, for a reading at or after the end of the month; expected none")
    assert answer["reasons"][2]["what"] == "meter feeder: coverage 3.2 %; expected at least 90 %"
    assert answer["closing"] is None and "7 reasons stand against closing" in answer["refusal"]
    feeder = next(row for row in answer["meters"] if row["meter"] == "feeder")
    assert (feeder["amount"], feeder["known"], feeder["known_count"], feeder["unknown_s"]) == (None, "970.000", METERED, 900)
    assert answer["entries"] == [] and answer["until"] == "2026-04-01T00:00:00.000+08:00"
    assert house.booked() == before


@pytest.mark.parametrize(("body", "status", "words"), [
    ("[]", 400, "the body is no JSON object"), ({**MARCH, "period": "2026"}, 400, "period: expected a month, as 2026-10"),
    ({**MARCH, "period": "March"}, 400, "period: expected a month"), ({"period": "2026-03", "why": "x"}, 400, "site: expected the id of a site"),
    ({"site": "s1", "period": "2026-03"}, 400, "why: expected a text"), ({**MARCH, "force": True}, 400, "force: unknown here"),
    ({**MARCH, "overrides": ["x"]}, 400, "expected objects of reason and why"), ({**MARCH, "overrides": [{"reason": "x"}]}, 400, "of reason and why"),
    (MARCH, 422, "7 reasons stand against closing, the first exception:feeder (meter feeder: 1 open exception"),
    ({**MARCH, "overrides": OVERRIDES[1:]}, 422, "1 reason stands against closing, the first exception:feeder"),
    ({**MARCH, "overrides": [*OVERRIDES, {"reason": "balance:feeder", "why": "x"}]}, 422, "balance:feeder does not stand against this closing"),
    ({**MARCH, "overrides": [*OVERRIDES, OVERRIDES[0]]}, 422, "exception:feeder is overridden twice"),
    ({**MARCH, "overrides": [*OVERRIDES[:6], {"reason": NAMES[6], "why": " "}]}, 422, "why something is overridden is missing"),
    ({**MARCH, "why": ""}, 422, "why is missing"), ({**MARCH, "site": "s9"}, 422, "s9: no site of the park model"),
    ({**MARCH, "period": "2026-02"}, 422, "has nothing metered in 2026-02; expected 2026-03, its first month"),
    ({**MARCH, "period": "2026-04"}, 422, "2026-04 of site s1 cannot be closed before 2026-03 is"),
    ({**MARCH, "period": "2099-01"}, 422, "cannot be closed before 2026-03 is")])
def test_bad_input_is_refused_in_one_sentence_and_changes_nothing(house, body, status, words):
    before = house.booked()
    answered, answer = house.close(body)
    assert answered == status and words in answer["error"]["message"], answer
    assert house.booked() == before


def test_only_who_may_close_does(house):
    assert house.ask("POST", "/api/v1/closings", house.decider, MARCH)[0] == 403
    assert house.ask("POST", "/api/v1/closings", house.auditor, MARCH)[0] == 403
    assert house.ask("GET", "/api/v1/closings", house.auditor) == (200, {"closings": [], "next_before": None})


def test_a_kill_anywhere_leaves_it_closed_or_not(house):
    """Each time a little later, until it is done; a closing is never found without all of its rows."""
    for delay_ms in (0, 3, 6, 10, 15, 25, 60):
        def ask() -> None:
            with contextlib.suppress(Exception):
                house.close({**MARCH, "overrides": OVERRIDES})
        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(delay_ms / 1000)
        house.collector.kill()
        asking.join()
        found = house.booked()
        assert [len(found[name]) for name in ("closing", "closing_override", "closing_meter", "closing_seal")] in ([0, 0, 0, 0], [1, 7, 3, 1])
        assert sum(row[4] == "close" for row in found["change_log"]) == len(found["closing"])
        house.start()
        assert house.booked() == found
        if found["closing"]:
            break


def test_it_is_closed_once_listed_and_in_the_log(house):
    house.close_march()
    status, answer = house.close(MARCH)
    assert status == 422 and answer["error"]["message"].startswith("2026-03 of site s1 is closed already, and stays so")
    listed = house.ask("GET", "/api/v1/closings", house.auditor)[1]["closings"]
    assert [(one["site"], one["period"], one["who"], one["why"], one["model"]) for one in listed] == [("s1", "2026-03", "carla", "the bills of March", 1)]
    assert {one["reason"]: one["why"] for one in listed[0]["overrides"]} == {name: f"{name} is known" for name in NAMES}
    changes = house.ask("GET", "/api/v1/changes", house.auditor)[1]["changes"]
    assert [(one["who"], one["object"], one["after"]) for one in changes if one["action"] == "close"] == [
        ("carla", "site s1, 2026-03", f"seal {listed[0]['seal']}, 3 meters, 0 adjusting entries of earlier months, 7 overridden")]
    assert house.sums("feeder") == (METERED, METERED)
    assert [listed[0]["seal"]] == house.seals()


def test_a_month_with_as_many_overrides_as_there_may_be_is_asked_for_both_ways(house):
    house.close_march()
    many = [{"reason": f"coverage:m{i}", "why": "\u56e0" * 160} for i in range(5000)]
    status, answer = house.close({**MARCH, "period": "2026-04", "overrides": [*OVERRIDES, *many[7:]]})
    assert status == 422 and "exception:feeder does not stand against this closing" in answer["error"]["message"], answer
    words = [word for one in many for word in ("--override", one["reason"], "--why", one["why"][:60])]
    asked = house.closing("--site", "s1", "--period", "2026-04", "--why", "the bills of April", *words)
    assert asked.returncode == 65 and "coverage:m0 does not stand against this closing" in asked.stderr
    # Who may not close is not listened to for so long.
    assert house.ask("POST", "/api/v1/closings", house.decider, {**MARCH, "overrides": many[:1000]})[0] == 413
    status, answer = house.ask("POST", "/api/v1/closings", house.closer, "{}", **{"Content-Length": "6291457"})
    assert status == 413 and "at most 6291456 bytes" in answer["error"]["message"]
    assert house.close({**MARCH, "site period": "x"})[1]["error"]["message"] == "site period: unknown here"
    for words, told in ((["--site", "s1", "--site", "s1"], "an option is given twice"), (["list", "--why", "x"], "close list takes --config alone"),
                        (["--site", "s1", "--period", "2026-04", "--override", "coverage:m0", "--why", "x"], "--why is missing: the first, before any --override")):
        refused = house.closing(*words)
        assert refused.returncode == 64 and told in refused.stderr


def test_a_decision_about_a_closed_month_says_so_and_is_booked_in_the_next_once(house):
    status, preview = house.ask("POST", "/api/v1/decisions?preview=1", house.decider, ENERGY)
    assert status == 200 and (preview["quarter_count"], preview["closed_count"]) == (1, 1)
    assert house.ask("POST", "/api/v1/decisions", house.decider, ENERGY)[0] == 201
    assert house.sums("feeder") == (METERED, METERED + 9876)
    april = {**MARCH, "period": "2026-04", "why": "the bills of April"}
    _, preview = house.close(april, preview=True)
    overrides = [{"reason": one["reason"], "why": "no data"} for one in preview["reasons"]]
    status, answer = house.close({**april, "overrides": overrides})
    assert status == 201, answer
    assert [(one["meter"], one["period"], one["amount"], one["known_count"], one["unknown_s"]) for one in answer["entries"]] == [
        ("feeder", "2026-03", None, 9876, -900)]  # it was not known: so how much of it is new is not, but what is known of it is
    assert answer["entries"] == preview["entries"]
    assert house.sums("feeder") == (METERED + 9876, METERED + 9876)
    status, answer = house.close({**MARCH, "period": "2026-05", "why": "x"}, preview=True)
    assert status == 200 and answer["entries"] == []


def test_the_report_shows_what_is_booked_beside_what_is_metered(house):
    written = run([house.collector.program, "report", "--config", house.collector.settings, "--site", "s1", "--period", "2026", "--format", "json",
                   "--language", "en"])
    assert written.returncode == 0, written.stderr
    tables = {table["id"]: table["rows"] for table in json.loads(written.stdout, parse_float=Decimal)["tables"]}
    assert [(row["period"], row["who"], row["why_closed"], row["overridden"], row["seal"]) for row in tables["closings"]] == [
        ("2026-03", "carla", "the bills of March", 7, house.seals()[0]), ("2026-04", "carla", "the bills of April", 5, house.seals()[1])]
    assert {(row["period"], row["stood_against"], row["why_closed"]) for row in tables["overrides"]} >= {("2026-03", name, f"{name} is known") for name in NAMES}
    feeder = [row for row in tables["booked"] if row["id"] == "feeder"]
    names = ("period", "month_state", "month_metered", "month_known", "adjusting", "adjusting_known", "booked_sum", "booked_known")
    assert [tuple(row[name] for name in names) for row in feeder] == [
        ("2026-03", "month_closed", None, Decimal("970.000"), Decimal("0.000"), Decimal("0.000"), None, Decimal("970.000")),
        ("2026-04", "month_closed", None, Decimal("0.000"), None, Decimal("9.876"), None, Decimal("9.876")),
        ("2026-05", "month_open", None, Decimal("0.000"), Decimal("0.000"), Decimal("0.000"), None, Decimal("0.000"))]
    assert sum(int(row["booked_known"] * 1000) for row in feeder) == house.sums("feeder")[1]
    names = ("booked_in", "period", "id", "was_booked", "was_known", "now_metered", "now_known", "difference", "known_difference")
    assert [tuple(row[name] for name in names) for row in tables["adjusting_entries"]] == [
        ("2026-04", "2026-03", "feeder", None, Decimal("970.000"), None, Decimal("979.876"), None, Decimal("9.876"))]
    # As metered, the report says what it said before: the latest versions.
    assert {row["id"]: row["known"] for row in tables["meters"]}["feeder"] == Decimal("979.876")


def test_what_is_booked_of_a_month_is_asked_for(house):
    def booked(month: str, meter: str):
        status, answer = house.ask("GET", f"/api/v1/booked?site=s1&period={month}", house.auditor)
        assert status == 200, answer
        row = next((row for row in answer["meters"] if row["meter"] == meter), None)
        return answer, row
    march, row = booked("2026-03", "feeder")
    assert (march["state"], march["closing"], march["entries"]) == ("closed", 1, [])
    assert row["metered"] == row["booked"] == {"amount": None, "known": "970.000", "known_count": METERED, "unknown_s": 900 + (2976 - 98) * 900}
    april, row = booked("2026-04", "feeder")
    assert (april["state"], april["closing"], row["booked"]["known_count"]) == ("closed", 2, 9876)
    assert [(one["meter"], one["period"], one["before"]["known_count"], one["after"]["known_count"], one["entry"]["known_count"], one["entry"]["unknown_s"])
            for one in april["entries"]] == [("feeder", "2026-03", METERED, METERED + 9876, 9876, -900)]
    # An undo is another entry, of the month that is open; then it is decided again.
    decision = house.ask("GET", "/api/v1/decisions", house.auditor)[1]["decisions"][0]["id"]
    assert house.ask("POST", "/api/v1/decisions", house.decider, {"kind": "undo", "undo": decision, "why": "a slip"})[0] == 201
    may, row = booked("2026-05", "feeder")
    assert may["state"] == "open" and row["adjusting"] == {"amount": None, "known": "-9.876", "known_count": -9876, "unknown_s": 900}
    assert house.ask("POST", "/api/v1/decisions", house.decider, ENERGY)[0] == 201
    may, row = booked("2026-05", "feeder")
    assert may["entries"] == [] or [one["entry"]["known_count"] for one in may["entries"]] == [0]
    assert booked("2026-06", "feeder")[0]["state"] == "none" and booked("2026-02", "feeder")[1] is None
    for query, words in (("site=s1&period=2026", "period: expected a month"), ("site=s9&period=2026-03", "site: expected the id of a site"), ("", "site: expected")):
        status, answer = house.ask("GET", f"/api/v1/booked?{query}", house.auditor)
        assert status == 400 and words in answer["error"]["message"]


def test_the_command_closes_with_and_without_a_collector(house):
    def command(*words: str):
        return house.closing("--site", "s1", "--period", "2026-05", "--why", "the bills of May", *words)
    beside, beside_preview = command(), command("--preview")
    listed = house.closing("list")
    assert listed.returncode == 0 and "1  s1  2026-03  closed " in listed.stdout and "carla: the bills of March  (7 overridden)" in listed.stdout
    house.collector.stop()
    before = house.booked()
    refused = command()
    assert (beside.returncode, beside.stdout, beside.stderr) == (refused.returncode, refused.stdout, refused.stderr)
    assert refused.returncode == 65 and len(refused.stderr.strip().splitlines()) == 1 and "stand against closing" in refused.stderr, refused.stderr
    preview = command("--preview")
    assert preview.returncode == 0 and "coverage:feeder  meter feeder: coverage 0.0 %; expected at least 90 %" in preview.stdout, preview.stdout
    assert beside_preview.returncode == 0 and beside_preview.stdout == preview.stdout
    assert "it would be refused: 5 reasons" in preview.stdout and "preview: nothing was changed" in preview.stdout
    alone = command("--override", "coverage:feeder")
    assert alone.returncode == 64 and "--override coverage:feeder has no --why behind it" in alone.stderr, alone.stderr
    assert house.booked() == before
    names = [line.split()[0] for line in preview.stdout.splitlines() if line.startswith(("waiting:", "coverage:"))]
    done = command(*(word for name in names for word in ("--override", name, "--why", "it was off")), "--who", "Dora")
    assert done.returncode == 0 and done.stdout.rstrip().endswith(f"closing 3, seal {house.seals()[-1]}"), done.stderr
    listed = house.closing("list").stdout
    assert "Dora (user " in listed and all(f"  seal {seal}\n" in listed for seal in house.seals())
    missing = house.closing("--site", "s1")
    assert missing.returncode == 64 and "--site or --period is missing" in missing.stderr
    house.start()
    wait_until(lambda: len(house.ask("GET", "/api/v1/closings", house.auditor)[1]["closings"]) == 3, 20, "the collector lists it")
    next_month = [*("--site", "s1", "--period", "2026-06"), "--why", "the bills of June"]
    preview = house.closing(*next_month, "--preview")
    names = [line.split()[0] for line in preview.stdout.splitlines() if ":" in line.split()[0][:-1]]
    done = house.closing(*next_month, *(word for name in names for word in ("--override", name, "--why", "it was off")), "--who", "Dora")
    assert done.returncode == 0 and done.stdout.rstrip().endswith(f"closing 4, seal {house.seals()[-1]}"), done.stderr
    listed = house.ask("GET", "/api/v1/closings", house.auditor)[1]["closings"]
    assert listed[0]["period"] == "2026-06" and listed[0]["who"].startswith("Dora (user ")


def test_verify_finds_what_was_booked_otherwise(house):
    def verify():
        return run([house.collector.program, "verify", "--config", house.collector.settings], 120)

    house.close_to_june()
    house.collector.stop()
    sound = verify()
    assert (sound.returncode, sound.stderr) == (0, "")
    rows = house.query("SELECT count(*) FROM closing_meter")[0][0]
    assert f"closings: the seals of {len(house.seals())} recompute, the last is {house.seals()[-1]}\n" in sound.stdout
    assert f"closings: {rows} figures of meters and months are what the versions give that they name\n" in sound.stdout
    feeder = "(SELECT id FROM ledger_meter WHERE name = 'feeder')"
    eight = 1_772_409_600_000 + 8 * 3_600_000
    for change, told in (
            (f"UPDATE closing_meter SET known = known + 1 WHERE meter = {feeder} AND closing = 1",
             f"closing 1, meter feeder, month 2026-03: booked are {METERED + 1} known and 900 s unknown, the versions that it names give {METERED} and 900 s"),
            (f"UPDATE ledger_quarter SET amount = amount + 1 WHERE meter = {feeder} AND start_ms = {eight}",
             f"closing 1, meter feeder, month 2026-03: booked are {METERED} known and 900 s unknown, the versions that it names give {METERED + 1} and 900 s"),
            (f"UPDATE ledger_quarter SET version = 2 WHERE meter = {feeder} AND start_ms = {eight}",
             "closing 1, meter feeder, month 2026-03: version 1 of the quarter hour 2026-03-02T08:00:00.000Z of meter 1 was booked, and is not in the books")):
        kept = house.database.read_bytes()
        with contextlib.closing(sqlite3.connect(house.database)) as database:
            database.execute("DROP TRIGGER closing_meter_is_final")
            assert database.execute(change).rowcount > 0
            database.commit()
        found = verify()
        assert found.returncode == 1 and f"park-collector: {told}\n" in found.stderr, found.stderr
        house.database.write_bytes(kept)


def test_verify_finds_a_closing_that_was_changed_or_taken_away(house):
    def found(*changes: str) -> str:
        kept = house.database.read_bytes()
        with contextlib.closing(sqlite3.connect(house.database)) as database:
            for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'closing%'").fetchall():
                database.execute(f"DROP TRIGGER {name}")
            for change in changes:
                assert database.execute(change).rowcount > 0, change
            database.commit()
            if "UPDATE closing SET who" in changes[0]:  # and seals it again, so that the chain recomputes
                for number, seal in enumerate(house.seals(), 1):
                    database.execute("UPDATE closing_seal SET hash = ? WHERE closing = ?", (bytes.fromhex(seal), number))
                database.commit()
        done = run([house.collector.program, "verify", "--config", house.collector.settings], 120)
        house.database.write_bytes(kept)
        assert done.returncode == 1, done.stdout
        return done.stderr
    house.close_to_june()
    house.collector.stop()
    seals = house.seals()
    assert f"closing 2 (site s1, 2026-04) differs: sealed as {seals[1]}, what is there gives " in found("UPDATE closing_override SET why = 'x' WHERE closing = 2")
    assert "closing 1 (site s1, 2026-03) differs: sealed as" in found("DELETE FROM closing_override WHERE closing = 1 AND name = 'coverage:water'")
    told = found("UPDATE closing SET who = 'nobody' WHERE id = 4")
    assert "closing 4 (site s1, 2026-06): the log of changes has no entry of it as it stands there" in told and "differs: sealed" not in told
    told = found("UPDATE closing SET who = who WHERE id = 4", "UPDATE closing_meter SET known = known + 1 WHERE closing = 3")
    assert f"closing 3 (site s1, 2026-05) differs: by the log of changes its seal is {seals[2]}, what is there gives " in told
    told = found(*(f"DELETE FROM {table} WHERE closing = 4" for table in ("closing_seal", "closing_override", "closing_meter")), "DELETE FROM closing WHERE id = 4",
                 "UPDATE sqlite_sequence SET seq = 3 WHERE name = 'closing'")
    assert "site s1, 2026-06 was closed, by the log of changes, and is not" in told
    assert "closing 4 (site s1, 2026-06) has no seal, and one before it has" in found("DELETE FROM closing_seal WHERE closing = 4")


@pytest.mark.parametrize(("before", "after", "gone"), [('{ id = "feeder";', '{ id = "feeder2";', "meters[feeder]"), ('"s1"', '"s9"', "sites[s1]")])
def test_what_was_booked_stays_in_the_park_model(house, before, after, gone):
    house.close_march()
    house.collector.stop()
    park, kept = house.collector.settings.parent.parent / "park.cfg", house.tables()
    text = park.read_text()
    assert before in text
    park.write_text(text.replace(before, after))
    told = (f"park-collector: {gone} is booked in a closed month and not in the park model any more, which no decision allows: version 1 stays; "
            "expected it to stay there, a meter with a segment that ends (`until`)")
    settings = ("--config", house.collector.settings)
    for words in (("decide", "model", *settings, "--why", "another name"), (*settings, "--check", "--diff"), settings):
        done = run([house.collector.program, *words], 60)
        assert done.returncode in (65, 78) and done.stderr.splitlines()[-1].endswith(told.removeprefix("park-collector: ")), (words, done.stdout, done.stderr)
    park.write_text(text)
    assert house.tables() == kept
