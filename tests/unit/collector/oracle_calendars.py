"""What the calendars of tests/unit/collector/calendars come to, by python3-icalendar (lines and values), dateutil (rules)
and zoneinfo: one line for each file that says X-PARKMON-PYTHON:yes, its name and the merged busy spans in ms of UTC."""

from __future__ import annotations

import sys
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from dateutil.rrule import rruleset, rrulestr
from icalendar import Calendar

HORIZON = (datetime(2026, 10, 1, tzinfo=timezone.utc), datetime(2027, 4, 15, tzinfo=timezone.utc))


def zone_of(prop, site: ZoneInfo):
    name = prop.params.get("TZID")
    return ZoneInfo(name) if name else site


def wall(value, zone):
    """The wall clock's time, and the zone in which it is meant."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time()), zone
    if value.tzinfo is not None and value.utcoffset() == timedelta(0) and str(value.tzinfo) == "UTC":
        return value.replace(tzinfo=None), timezone.utc
    return value.replace(tzinfo=None), zone


def instant(local: datetime, zone) -> datetime:
    return local.replace(tzinfo=zone).astimezone(timezone.utc)


def dates(event, name: str, site: ZoneInfo):
    found = event.get(name, [])
    for prop in found if isinstance(found, list) else [found]:
        for one in prop.dts:
            yield instant(*wall(one.dt, zone_of(prop, site)))


def occurrences(event, site: ZoneInfo, taken_away: set):
    start, zone = wall(event["DTSTART"].dt, zone_of(event["DTSTART"], site))
    rules = rruleset()
    rules.rdate(start)
    if "RRULE" in event:
        rule = event["RRULE"]
        until = rule.pop("UNTIL", [None])[0]
        if until is not None:
            local = until.astimezone(zone).replace(tzinfo=None) if isinstance(until, datetime) else \
                datetime.combine(until, time())
            rule["UNTIL"] = [local]
        rules.rrule(rrulestr(rule.to_ical().decode(), dtstart=start))
    for at in rules.between(datetime(1990, 1, 1), datetime(2027, 5, 1), inc=True):
        if instant(at, zone) in taken_away:
            continue
        if "DURATION" in event:
            end = instant(at, zone) + event["DURATION"].dt
        elif "DTEND" in event:
            end_wall, end_zone = wall(event["DTEND"].dt, zone_of(event["DTEND"], site))
            end = instant(end_wall + (at - start), end_zone)
        else:
            is_day = not isinstance(event["DTSTART"].dt, datetime)
            end = instant(at + timedelta(days=1), zone) if is_day else instant(at, zone)
        yield instant(at, zone), end


def busy(text: str, site: ZoneInfo):
    events = [part for part in Calendar.from_ical(text).walk("VEVENT")]
    spans = []
    for event in events:
        if event.get("STATUS") == "CANCELLED" or event.get("TRANSP") == "TRANSPARENT":
            continue
        taken_away = set(dates(event, "EXDATE", site))
        if "RECURRENCE-ID" not in event:
            for other in events:
                if "RECURRENCE-ID" in other and other["UID"] == event["UID"]:
                    prop = other["RECURRENCE-ID"]
                    taken_away.add(instant(*wall(prop.dt, zone_of(prop, site))))
        spans += occurrences(event, site, taken_away)
    merged = []
    for begin, end in sorted((max(begin, HORIZON[0]), min(end, HORIZON[1])) for begin, end in spans):
        if begin >= end:
            continue
        if merged and begin <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([begin, end])
    return merged


def main() -> None:
    for path in sorted(Path(__file__).with_name("calendars").glob("*.ics")):
        text = path.read_text()
        said = dict(line.split(":", 1) for line in text.splitlines() if line.startswith("X-PARKMON-"))
        if said["X-PARKMON-PYTHON"] != "yes":
            continue
        spans = busy(text, ZoneInfo(said["X-PARKMON-SITE"]))
        words = [str(int(at.timestamp() * 1000)) for span in spans for at in span]
        print(" ".join([path.name, *words]))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
