"""The people at the instruments of the simulated park: their bookings, and what their card readers tell, past and live."""

from __future__ import annotations

import json
import socket
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

from audit import Auditor
from harness.parkmon import Collector
from harness.process import Failure, wait_until
from history import ZONE, Row, milliseconds
from sim.calendar import MINUTE
from sim.desk import Event, bookings, calendar, events, point
from sim.instruments import RUNNING
from sim.park import Park

AHEAD = timedelta(days=30)
SAY_S = 20  # within which a reader of cards is answered
BROKEN, SERVICED = "raman", "afm"
OPEN_HOURS = range(8, 22)
SETTLES = 6 * MINUTE  # after which what began is surely seen
FREE = {"AVAILABLE", "AVAILABLE_SHORT", "AVAILABLE_DEGRADED"}


class Desk:
    def __init__(self, park: Park, folder: Path):
        self.park = park
        self.socket, self.calendars = folder / "desk.sock", folder / "calendars"
        self._ended = threading.Event()
        self._failure: str | None = None

    def write_calendars(self, since: datetime) -> None:
        self.calendars.mkdir(exist_ok=True)
        until = datetime.now(since.tzinfo) + AHEAD
        for entry in self.park.instruments:
            text = calendar(self.park.seed, entry, milliseconds(since), milliseconds(until))
            (self.calendars / f"{entry.id}.ics").write_text(text, encoding="utf-8", newline="")

    def events(self, from_ms: int, to_ms: int) -> list[Event]:
        found = [event for entry in self.park.instruments for event in events(self.park.seed, entry, from_ms, to_ms)]
        return sorted(found, key=lambda event: (event.time_ms, event.id))

    def history(self, since: datetime, until: datetime) -> list[Row]:
        return [Row(point(event.instrument), event.wire(), event.time_ms) for event in self.events(milliseconds(since), milliseconds(until))]

    def start(self, since: datetime) -> None:
        """From now on the card readers tell what happens, beginning with what each would have told last since then."""
        now_ms = int(time.time() * 1000)
        newest = {event.instrument: event for event in self.events(milliseconds(since), now_ms)}
        threading.Thread(target=self._tell, args=(list(newest.values()), now_ms), daemon=True).start()

    def stop(self) -> None:
        self._ended.set()

    def check(self) -> None:
        if self._failure:
            raise Failure(f"a card reader: {self._failure}")

    def _tell(self, due: list[Event], told_ms: int) -> None:
        try:
            while not self._ended.is_set():
                for event in due:
                    self._say(event)
                self._ended.wait(1)
                now_ms = int(time.time() * 1000)
                due, told_ms = self.events(told_ms, now_ms), now_ms
        except (OSError, ValueError, Failure) as error:
            self._failure = str(error)

    def _say(self, event: Event) -> None:
        with socket.socket(socket.AF_UNIX) as reader:
            reader.settimeout(SAY_S)
            reader.connect(str(self.socket))
            reader.sendall(json.dumps(event.json()).encode() + b"\n")
            answer = json.loads(reader.makefile().readline())
        if answer["result"] not in ("taken", "known"):
            raise Failure(f"{event.id} is answered with {answer}")

    def tell_outages(self, auditor: Auditor) -> None:
        """One instrument is broken, another will be serviced."""
        now = datetime.now(ZONE).replace(microsecond=0)
        morning = (now + timedelta(days=1)).replace(hour=9, minute=0, second=0)
        broken = {"instrument": BROKEN, "kind": "broken", "category": "fault", "note": "激光器更换中 / the laser is being replaced", "from": (now - timedelta(hours=30)).isoformat()}
        service = {"instrument": SERVICED, "kind": "planned", "category": "maintenance", "note": "年度保养 / yearly service",
                   "from": morning.isoformat(), "until": (morning + timedelta(hours=3)).isoformat()}
        for outage in (broken, service):
            auditor.ask("/api/v1/outages", auditor.decider_file, outage)

    def verify(self, collector: Collector) -> str:
        """The answer for each instrument is what the simulator's people and machines do. Returns how many of each there are."""
        answers: dict[str, str] = {}

        def is_right() -> bool:
            status, text = collector.get("/api/v1/instruments")
            found = json.loads(text)["instruments"] if status == 200 else []
            answers.update({one["id"]: one["status"] for one in found})
            wrong = [one["id"] for one in found if one["status"] not in self._expected(one["id"], datetime.fromisoformat(one["as_of"]))]
            return len(found) == len(self.park.instruments) and not wrong

        wait_until(is_right, 90, "the instruments' answers are what the simulator does", poll=0.5)
        return ", ".join(f"{list(answers.values()).count(status)} {status}" for status in sorted(set(answers.values())))

    def _expected(self, id: str, at: datetime) -> set[str]:
        """What may be answered of it then; where something has just begun or ended, also what was before."""
        if id == BROKEN:
            return {"OUT_OF_SERVICE"}
        entry = next(entry for entry in self.park.instruments if entry.id == id)
        now_ms, seed = milliseconds(at), self.park.seed

        def answers(time_ms: int) -> set[str]:
            told = [event for event in events(seed, entry, time_ms - 24 * 60 * MINUTE, time_ms)]
            if entry.model.state(time_ms) == RUNNING or (told and told[-1].action == "open"):
                return {"IN_USE"}
            if datetime.fromtimestamp(time_ms / 1000, ZONE).hour not in OPEN_HOURS:
                return {"CLOSED"}
            is_booked = any(begin <= time_ms < end for begin, end in bookings(seed, entry, time_ms - 24 * 60 * MINUTE, time_ms))
            return {"RESERVED"} if is_booked else FREE

        return answers(now_ms) | answers(now_ms - SETTLES) | answers(now_ms - SETTLES // 2)
