"""Reads the feed that is named, with python3-icalendar: begin and end of each event in ms, then its UID."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from icalendar import Calendar

OURS = {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "TRANSP", "CLASS", "X-MICROSOFT-CDO-BUSYSTATUS"}


def milliseconds(time: datetime) -> int:
    assert time.utcoffset().total_seconds() == 0
    return int(time.timestamp() * 1000)


def main() -> None:
    raw = Path(sys.argv[2]).read_bytes()
    assert raw.endswith(b"END:VCALENDAR\r\n") and raw.count(b"\n") == raw.count(b"\r\n"), "a line ends otherwise"
    assert all(len(line) <= 75 for line in raw.split(b"\r\n")), "a line is not folded"
    calendar = Calendar.from_ical(raw)
    assert not calendar.errors and calendar["VERSION"] == "2.0" and calendar["PRODID"] and calendar["METHOD"] == "PUBLISH"
    print("calendar", calendar["X-WR-CALNAME"])
    for event in calendar.walk("VEVENT"):
        assert not event.errors and set(event.keys()) <= OURS, event.keys()
        assert event["TRANSP"] == "OPAQUE" and event["DTSTAMP"].dt.year == 2026
        print(milliseconds(event["DTSTART"].dt), milliseconds(event["DTEND"].dt), event["UID"], event["SUMMARY"])
    sys.stdout.flush()


if __name__ == "__main__":
    main()
