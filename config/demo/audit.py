"""What people do with the demo's two months: they decide what went wrong with meters, and read the audit report. All of it over HTTP, as
people do; and what the report says is held against what the simulated registers really counted.
"""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from decimal import Decimal
from pathlib import Path

from harness.parkmon import Collector
from harness.process import Failure
from history import LATE, History, unit
from sim.park import SITE


class Auditor:
    """Whoever has the tokens: one to read, one to decide, to close and to tell outages, and one for who looks at the demo, which does
    whatever the pages of operators let be done. They are kept in files, as passwords are."""

    def __init__(self, collector: Collector, folder: Path):
        self.collector = collector
        self.reader_file, self.decider_file, self.operator_file = (folder / f"{name}.token" for name in ("auditor", "decider", "operator"))
        self._make(self.reader_file, "auditor")
        self._make(self.decider_file, "operator", "--scope", "decisions,closings,outages")
        self._make(self.operator_file, "operator", "--scope", "alarms,decisions,outages,readings")

    def _make(self, path: Path, role: str, *more: str) -> None:
        if path.exists():
            return
        done = subprocess.run([self.collector.program, "token", "add", "--config", self.collector.settings, "--role", role, "--name", f"demo {path.stem}", *more],
                              capture_output=True, text=True, timeout=30, check=False)
        if done.returncode != 0:
            raise Failure(f"no token: {done.stderr}")
        path.touch(mode=0o600)
        path.write_text(done.stdout)

    def ask(self, path: str, token_file: Path, body: dict | None = None):
        headers = {"Authorization": f"Bearer {token_file.read_text().strip()}"}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        request = urllib.request.Request(self.collector.http_url + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read(), parse_float=Decimal)
        except urllib.error.HTTPError as error:
            raise Failure(f"{path} answers {error.code}: {error.read().decode(errors='replace')[:300]}") from None
        except OSError as error:
            raise Failure(f"{path}: {error}") from None

    def exceptions(self) -> list[tuple[str, str, str]]:
        return sorted((one["meter"], one["from"], one["until"]) for one in self.ask("/api/v1/exceptions?limit=1000", self.reader_file)["exceptions"])

    def decide(self, history: History) -> int:
        """Of each exception that is open what a person knows of it. Returns how many there were."""
        decisions = history.decisions()
        found = self.exceptions()
        if [meter for meter, _, _ in found] != sorted(decision["meter"] for decision in decisions):
            raise Failure(f"open exceptions: {found}")
        for decision in decisions:
            self.ask("/api/v1/decisions", self.decider_file, decision)
        if rest := self.exceptions():
            raise Failure(f"open exceptions after all was decided: {rest}")
        return len(found)

    def close(self, history: History) -> dict[str, Decimal | None]:
        """The older month. Returns what is booked of each meter."""
        request = {"site": SITE["id"], "period": history.names[0], "why": "the bills are paid"}
        closed = self.ask("/api/v1/closings", self.decider_file, request)
        return {row["meter"]: row["amount"] and Decimal(row["amount"]) for row in closed["meters"]}

    def adjusted(self, history: History, booked: dict[str, Decimal | None]) -> Decimal:
        """What of the older month is metered now and was not booked: of the meter whose readings came late, and of no other; an entry of the
        younger month."""
        older, younger = history.names
        metered = self.metered(older)
        expected = {meter: metered[meter] - amount for meter, amount in booked.items() if metered[meter] != amount}
        entries = {row["id"]: row["difference"] for row in self.tables(younger)["adjusting_entries"]}
        if set(booked) != set(metered) or list(expected) != [LATE] or entries != expected:
            raise Failure(f"adjusting entries: {entries}; expected one of {LATE}, and {expected}")
        return entries[LATE]

    def tables(self, month: str) -> dict[str, list[dict]]:
        """Of the report."""
        return {table["id"]: table["rows"] for table in self.ask(self.report_path(month) + ".json", self.reader_file)["tables"]}

    def metered(self, month: str) -> dict[str, Decimal | None]:
        """By meter, as the report says it."""
        return {row["id"]: row["amount"] for row in self.tables(month)["meters"]}

    def report_path(self, period: str) -> str:
        return f"/audit/{SITE['id']}/{period}"

    def verify(self, history: History) -> int:
        """Each meter's total of the older month is what its register really counted, to the last unit. Returns how many meters there are."""
        month = history.names[0]
        reported = self.metered(month)
        for meter in history.park.meters:
            counted = Decimal(history.counted(meter, 0)) / unit(meter)
            if reported.get(meter.id) != counted:
                raise Failure(f"the report of {month} says {reported.get(meter.id)} of meter {meter.id}; its register counted {counted}")
        return len(reported)
