"""The people at the instruments of the simulated park: their bookings, and what their card readers tell, past and live."""

from __future__ import annotations

import json
import socket
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

from harness.process import Failure
from history import Row, milliseconds
from sim.desk import Event, calendar, events, point
from sim.park import Park

AHEAD = timedelta(days=30)
SAY_S = 20  # within which a reader of cards is answered


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
