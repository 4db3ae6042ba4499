"""Alarms through the real programs, with a receiver that is local: each kind fires once and clears once, and a kill between changes nothing; what people do
with them. What must be said, and when, is written here from config/alarms.cfg and the README."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from alarm_house import SEGMENT, ZONE, Alarms, Receiver, hook, park, wait_events
from harness.process import wait_until
from harness.stage import Stage
from test_ops_forms import TEXTS, Person

# ---- what is live ----

LIVE = """
  { id = "power"; kind = "threshold"; severity = "critical"; on = ("meter:main"); above = "300000"; clear = "250000.5"; for = 0; clear_for = 0; },
  { id = "cold"; kind = "threshold"; on = ("point:gw-a/freezer"); below = "-70"; clear = "-65"; for = 2; clear_for = 0; },
  { id = "silent"; kind = "no_data"; on = ("point:gw-a/beat"); for = 3; },
  { id = "quiet"; kind = "no_data"; on = ("gateway:gw-b"); for = 2; },
  { id = "gone"; kind = "no_data"; on = ("gateway:gw-a"); for = 86400; },
  { id = "lost"; kind = "loss"; on = ("gateway:gw-a"); clear_for = 6; },
  { id = "time"; kind = "clock"; on = ("gateway:gw-a"); for = 0; clear_for = 0; },
  { id = "left"; kind = "left_running"; on = ("instrument:xrd"); when = "closed"; for = 0; clear_for = 0; }
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("alarms")) as stage:
        receiver = Receiver()
        found = Alarms(stage, park(), LIVE, hook(receiver), "repeat = 3600;")
        found.receiver = receiver
        found.begin()
        yield found
        receiver.close()


def test_power_beyond_its_limit_fires_once_and_clears_once_with_a_kill_between(live):
    live.gauge("main.p", 299_999)
    live.gauge("main.p", 300_250.5)
    fired = live.wait_standing("power", True)
    said, = wait_events(live.receiver, "power", ["fired"])
    assert {key: said[key] for key in ("event", "number", "collector", "alarm", "kind", "severity", "target", "value", "limit", "unit", "cleared")} == {
        "event": "fired", "number": 1, "collector": "main", "alarm": fired["id"], "kind": "threshold", "severity": "critical",
        "target": {"kind": "meter", "id": "main", "name": "表main", "name_en": "Meter main", "at": "x", "at_en": "x"}, "value": 300250.5, "limit": 300000.0, "unit": "W", "cleared": None}
    assert "[critical] Alarm: Beyond its limit · meter Meter main (main) · x · value 300.3 kW · limit 300 kW · since " in said["text"]
    assert said["fired"] == fired["fired"] and said["fired"].endswith("+08:00")
    live.bounce()
    live.gauge("main.p", 280_000)  # between the limits: it stands
    live.gauge("main.p", 310_000)
    live.gauge("main.p", 250_000)
    cleared = live.wait_standing("power", False)
    told = wait_events(live.receiver, "power", ["fired", "cleared"])
    assert len(live.of("power")) == 1 and cleared["id"] == fired["id"] and cleared["fired"] == fired["fired"]
    assert told[-1]["cleared"] == cleared["cleared"] and "[critical] Cleared: Beyond its limit" in told[-1]["text"]
    live.bounce()
    live.gauge("main.p", 310_000)
    second = live.wait_standing("power", True)
    assert second["id"] > fired["id"]
    wait_events(live.receiver, "power", ["fired", "cleared", "fired"])
    live.gauge("main.p", 1)
    wait_events(live.receiver, "power", ["fired", "cleared", "fired", "cleared"])


def test_a_gauge_below_its_limit_fires_when_it_has_lasted(live):
    for _ in range(20):
        live.wait_standing_none("cold")
        known, begun = len(live.of("cold")), time.time()
        live.gauge("freezer", -71)
        live.gauge("freezer", -60)
        if time.time() - begun < 2:  # it did not last
            break
    else:
        pytest.fail("this machine is too slow to see a gauge for less than 2 s")
    begun = time.time()
    live.gauge("freezer", -71.25)
    fired = live.wait_standing("cold", True)
    since, at = (datetime.fromisoformat(fired[key]) for key in ("since", "fired"))
    assert since.timestamp() >= begun and at - since >= timedelta(seconds=2) and fired["value"] == -71.25 and fired["below"] and fired["unit"] == ""
    live.gauge("freezer", -64.5)
    live.wait_standing_none("cold")
    assert len(live.of("cold")) == known + 1
    wait_until(lambda: list({said["id"]: said["event"] for said in live.receiver.told("cold") if said["alarm"] == fired["id"]}.values()) == ["fired", "cleared"], 30, "both are told")


def wait_silent(house) -> dict:
    """The gateway of the point goes on: else nobody knew of it."""
    def found():
        house.gauge("other", 1)
        return next((one for one in house.of("silent") if one["state"] == "standing"), None)
    return wait_until(found, 30, "silent stands", 0.3)


def test_a_point_that_falls_silent_fires_and_clears_when_it_is_heard(live):
    live.gauge("beat", 1)
    fired = wait_silent(live)
    assert datetime.fromisoformat(fired["fired"]) - datetime.fromisoformat(fired["since"]) >= timedelta(seconds=3)
    live.bounce()
    assert live.wait_standing("silent", True)["id"] == fired["id"]  # nobody knows yet: it neither clears nor fires
    live.gauge("beat", 2)
    live.wait_standing("silent", False)
    wait_until(lambda: live.receiver.events("silent")[:2] == ["fired", "cleared"], 20, "both are told")
    # It falls silent again: another alarm.
    assert wait_silent(live)["id"] != fired["id"]


def test_a_gateway_of_which_nothing_was_ever_heard_fires(live):
    fired = live.wait_standing("quiet", True)
    assert fired["value"] is None and fired["target"] == {"kind": "gateway", "id": "gw-b", "name": "乙", "name_en": "B"}


def test_a_loss_fires_and_clears_when_no_other_follows(live):
    live.send(f"gauge,point=x value=1 {int(time.time() * 1000)}", more=f" dropped=3 from={int(time.time() * 1000) - 9000} to={int(time.time() * 1000) - 8000}")
    assert live.wait_standing("lost", True)["value"] == 1.0
    live.bounce()
    live.wait_standing("lost", False)
    wait_events(live.receiver, "lost", ["fired", "cleared"])


def test_a_gateways_clock_fires_and_clears(live):
    live.state("synchronised")
    live.state("unsynchronised")
    fired = live.wait_standing("time", True)
    live.bounce()
    live.state("unsynchronised")
    assert live.wait_standing("time", True)["id"] == fired["id"]
    live.state("synchronised")
    live.wait_standing("time", False)
    wait_events(live.receiver, "time", ["fired", "cleared"])


def test_an_instrument_that_runs_after_hours_fires_and_clears(live):
    def reads(watts: float, is_standing: bool) -> bool:
        live.gauge("xrd", watts)
        return any((one["state"] == "standing") == is_standing for one in live.of("left"))
    # Readings as a meter's would come, until it is so.
    wait_until(lambda: reads(500, True), 30, "it is left running", 0.5)
    live.bounce()
    wait_until(lambda: reads(0, False), 30, "it is not any more", 0.5)
    assert len(live.of("left")) == 1
    wait_events(live.receiver, "left", ["fired", "cleared"])


# ---- what people do ----

def test_an_alarm_is_acknowledged_once_and_logged(live):
    live.wait_standing("quiet", True)
    wait_silent(live)
    live.gauge("main.p", 400_000)
    alarm = live.wait_standing("power", True)
    before = live.ask("GET", "/api/v1/summary", live.operator)[1]["alarms"]
    status, said = live.ask("POST", f"/api/v1/alarms/{alarm['id']}/ack", live.anna, {"note": "on my way <b>"})
    assert status == 200 and (said["alarm"]["acked_by"], said["alarm"]["ack_note"], said["alarm"]["state"]) == ("anna <b>", "on my way <b>", "standing")
    change = live.ask("GET", "/api/v1/changes", live.auditor)[1]["changes"][0]
    assert (change["action"], change["who"], change["object"], change["note"]) == (
        "alarm ack", "anna <b>", f"alarm {alarm['id']}, rule power, meter main", "on my way <b>")
    after = live.ask("GET", "/api/v1/summary", live.operator)[1]["alarms"]
    assert after["standing"] == before["standing"] and after["unacked"] == before["unacked"] - 1
    standing = live.listed("?state=standing")
    assert after["standing"] == len(standing) and after["critical"] == 1
    metrics = live.collector.get("/metrics")[1]
    for one in {(one["kind"], one["severity"]) for one in standing}:
        count = sum((other["kind"], other["severity"]) == one for other in standing)
        assert f'\nparkmon_alarms_standing{{kind="{one[0]}",severity="{one[1]}"}} {count}\n' in metrics
    assert live.collector.metric("parkmon_alarms_standing") == after["standing"] and live.collector.metric("parkmon_alarms_unacknowledged") == after["unacked"]
    status, said = live.ask("POST", f"/api/v1/alarms/{alarm['id']}/ack", live.anna, {})
    assert status == 422 and "was acknowledged at" in said["error"]["message"]
    live.gauge("main.p", 1)
    wait_until(lambda: live.listed("?state=standing") == [one for one in live.listed() if one["state"] == "standing" and one["id"] != alarm["id"]], 20, "it is over")
    over = live.listed("?state=over")
    assert alarm["id"] in [one["id"] for one in over] and over == [one for one in live.listed() if one["state"] == "cleared"]
    status, said = live.ask("POST", f"/api/v1/alarms/{alarm['id']}/ack", live.anna, {})
    assert status == 422 and "is over since" in said["error"]["message"]


@pytest.mark.parametrize(("path", "body", "code", "words"), [
    ("/api/v1/alarms/999999/ack", {}, 404, "there is no alarm 999999"), ("/api/v1/alarms/x1/ack", {}, 404, "there is no alarm x1"),
    ("/api/v1/alarms/1/ack", {"why": "x"}, 400, "why: unknown here; expected note, news"),
    *(("/api/v1/alarms/1/ack", {"news": news}, 400, "news: expected that of the alarm as it was seen, a whole number") for news in (-1, "0", 0.5, None, True)),
    ("/api/v1/alarms/1/ack", {"note": 3}, 400, "note: expected a text"),
    ("/api/v1/alarms/1/ack", {"note": "备" * 501}, 400, "note: expected at most 500 characters"),
    ("/api/v1/alarms/1/ack", {"note": "a\nb"}, 400, "none of them a control character")])
def test_what_is_wrong_with_an_acknowledgement_is_said_and_changes_nothing(live, path, body, code, words):
    live.wait_standing("quiet", True)
    before = live.query("SELECT * FROM alarm WHERE acked_ms IS NOT NULL"), live.query("SELECT * FROM change_log")
    status, said = live.ask("POST", path, live.anna, body)
    assert status == code and words in said["error"]["message"]
    assert (live.query("SELECT * FROM alarm WHERE acked_ms IS NOT NULL"), live.query("SELECT * FROM change_log")) == before


@pytest.mark.parametrize(("query", "words"), [("?state=open", 'state: unknown value "open"'), ("?limit=0", "limit"), ("?limit=1001", "limit"), ("?before=0", "before"),
                                              ("?colour=red", "colour")])
def test_a_bad_parameter_is_refused(live, query, words):
    status, said = live.ask("GET", f"/api/v1/alarms{query}", live.operator)
    assert status == 400 and words in said["error"]["message"]


def test_the_list_is_paged_from_the_newest(live):
    live.wait_standing("quiet", True)
    every = live.listed()
    assert [one["id"] for one in every] == sorted((one["id"] for one in every), reverse=True)
    found, query = [], "?limit=1"
    while True:
        page = live.ask("GET", f"/api/v1/alarms{query}", live.operator)[1]
        found += page["alarms"]
        if page["next_before"] is None:
            break
        query = f"?limit=1&before={page['next_before']}"
    assert found == every


def test_those_that_stand_are_listed_the_gravest_first_on_the_page_as_by_the_api(live):
    live.gauge("main.p", 0)
    live.wait_standing_none("power")
    live.gauge("main.p", 500_000)
    live.wait_standing("power", True)  # critical
    wait_until(lambda: live.gauge("freezer", -75.0) or any(one["state"] == "standing" for one in live.of("cold")), 30, "a newer one that is milder", 0.5)
    listed = [one for one in live.listed("?state=standing")]
    ranks = [("critical", "warning", "info").index(one["severity"]) for one in listed]
    assert ranks == sorted(ranks) and len(set(ranks)) > 1 and [one["id"] for one in listed] != sorted((one["id"] for one in listed), reverse=True)
    text = Person(live, live.anna).send("GET", "/ops/alarms?lang=en")[2]
    shown = text.split(TEXTS["en"]["alarms_over"])[0]
    assert [int(number) for number in re.findall(r"<td[^>]*>(\d+)</td>", shown)] == [one["id"] for one in listed]


def test_the_page_shows_what_stands_and_takes_an_acknowledgement(live):
    live.gauge("main.p", 500_000)
    alarm = live.wait_standing("power", True)
    live.wait_standing("quiet", True)
    for lang, words in (("en", ("Beyond its limit", "Meter main", "500 kW", "critical", "No data", "B")), ("zh", ("越限", "表main", "500 kW", "严重", "长时间无数据", "乙"))):
        person = Person(live, live.anna)
        status, _, text = person.send("GET", f"/ops/alarms?lang={lang}")
        assert status == 200 and all(word in text for word in words), text
        assert TEXTS[lang]["alarms_standing"] in text
    csrf = re.search(r'name="csrf" value="([^"]+)"', text)[1]
    status, _, text = person.send("POST", "/ops/alarms", urlencode({"csrf": "wrong", "lang": "en", "id": alarm["id"], "note": "x"}))
    assert status == 403
    # As many characters as the field takes, and none that it does not; what is refused is said in the reader's language, and stays typed.
    long = ("已看到 <i>" * 63)[:500]
    for lang, note in (("en", "备" * 501), ("zh", "é" * 501)):
        status, _, text = person.send("POST", "/ops/alarms", urlencode({"csrf": csrf, "lang": lang, "id": alarm["id"], "note": note}))
        assert status == 400 and TEXTS[lang]["alarm_bad_note"] in text and f'value="{note}"' in text and text.count(' value="' + note[:3]) == 1
    assert 'maxlength="500"' in text
    status, headers, _ = person.send("POST", "/ops/alarms", urlencode({"csrf": csrf, "lang": "en", "id": alarm["id"], "note": long}))
    assert status == 303 and headers["Location"] == f"/ops/alarms?done={alarm['id']}&lang=en"
    assert live.wait_standing("power", True)["ack_note"] == long
    status, _, text = person.send("GET", headers["Location"])
    assert status == 200 and "已看到 &lt;i&gt;" in text and "已看到 <i>" not in text and f"{TEXTS['en']['alarm_done']} {alarm['id']}" in text
    status, _, text = person.send("POST", "/ops/alarms", urlencode({"csrf": csrf, "lang": "en", "id": alarm["id"], "note": "x"}))
    acked = live.wait_standing("power", True)["acked"]
    said = f"{alarm['id']} · Beyond its limit · meter Meter main (main): {TEXTS['en']['alarm_is_acked']} anna &lt;b&gt;, {acked[:10]} {acked[11:16]}"
    assert status == 422 and f"{said} · {TEXTS['en']['alarm_note_untaken']} x<" in text
    live.gauge("main.p", 1)
    live.wait_standing_none("power")
    cleared = next(one["cleared"] for one in live.of("power") if one["id"] == alarm["id"])
    status, _, text = person.send("POST", "/ops/alarms", urlencode({"csrf": csrf, "lang": "zh", "id": alarm["id"], "note": ""}))
    assert status == 422 and f"{alarm['id']} · 越限 · 计量表 表main（main）：{TEXTS['zh']['alarm_is_over']} {cleared[:10]} {cleared[11:16]}<" in text and "expected" not in text
    status, _, text = person.send("POST", "/ops/alarms", urlencode({"csrf": csrf, "lang": "zh", "id": 999999, "note": "x"}))
    assert status == 404 and f"{TEXTS['zh']['alarm_unknown']}999999" in text
    # In an address that somebody made up: nothing was done, and markup is none.
    for done, code, said in (("7", 404, f"{TEXTS['en']['alarm_unknown']} 999999"), ("%3Cb%3E7", 400, "done")):
        status, _, text = person.send("POST", f"/ops/alarms?lang=en&done={done}", urlencode({"csrf": csrf, "lang": "en", "id": 999999, "note": "x"}))
        assert status == code and said in text and TEXTS["en"]["alarm_done"] not in text and "<b>" not in text
    status, _, text = Person(live, live.operator).send("GET", "/ops/alarms?lang=en")  # has not the scope
    assert status == 200 and TEXTS["en"]["needs_alarms"] in text and 'action="/ops/alarms"' not in text


# A row: its number, where what it is of leads to, and what is said of it.
ROW = re.compile(r'<tr><td[^>]*>(\d+)</td>.*?<th scope="row">(?:<a href="([^"]*)">)?(.*?)(?:</a>)?<span class="id">.*?<td class="note"[^>]*><span>(.*?)<span class="id">')


def shown(text: str) -> dict[int, tuple[str, str, str]]:
    return {int(number): (unescape(href), unescape(name), re.sub("<[^>]*>", "", said)) for number, href, name, said in ROW.findall(text)}


def test_what_an_alarm_is_of_leads_to_its_page_and_its_value_is_named_for_what_it_is(live):
    live.gauge("main.p", 420_000)
    live.wait_standing("power", True)
    live.wait_standing("quiet", True)
    wait_until(lambda: live.gauge("freezer", -75.0) or any(one["state"] == "standing" for one in live.of("cold")), 30, "it is too cold", 0.5)
    wait_until(lambda: live.gauge("xrd", 500) or any(one["state"] == "standing" for one in live.of("left")), 30, "it is left running", 0.5)
    live.gauge("beat", 1)
    silent = wait_silent(live)
    alarms = live.listed("?limit=50")
    for lang, (then, since) in (("en", ("when it fired: {}", "silent since {}")), ("zh", ("触发时：{}", "始于 {}"))):
        person = Person(live, live.operator)
        rows = shown(person.send("GET", f"/ops/alarms?lang={lang}")[2])
        for one in alarms:
            kind, day = one["target"]["kind"], one["fired"][:10]
            href, name, said = rows[one["id"]]
            assert href == {"meter": f"/ops/energy?length=day&from={day}&site=s1&carrier=electricity&by=meter&id=main&lang={lang}", "instrument": f"/ops/instruments?id=xrd&lang={lang}",
                            "point": f"/ops/gateways?lang={lang}", "gateway": f"/ops/gateways?lang={lang}"}[kind]
            assert name == (one["target"]["name" if lang == "zh" else "name_en"] or one["target"]["id"])
            assert (then.split("{")[0] in said) == (one["kind"] == "threshold")
        assert {one["target"]["kind"] for one in alarms} == {"meter", "instrument", "point", "gateway"}
        for href in {href for href, _, _ in rows.values()}:
            assert person.send("GET", href)[0] == 200, href
        at = silent["since"]
        assert since.format(f"{at[:10]} {at[11:19].removesuffix(':00')}") in rows[silent["id"]][2]
        power = next(one for one in alarms if one["rule"] == "power" and one["state"] == "standing")
        assert then.format("420 kW") in rows[power["id"]][2]
    live.gauge("main.p", 1)
    live.gauge("freezer", -60)
    wait_until(lambda: live.gauge("xrd", 0) or all(one["state"] == "cleared" for one in live.of("left")), 30, "it is off", 0.5)


# ---- nothing is watched ----

def test_where_no_rules_are_set_up_the_page_and_the_summary_say_so(stage):
    receiver = Receiver()
    house = Alarms(stage, park(), "", hook(receiver))
    house.begin()

    def rules() -> int:
        status, said = house.ask("GET", "/api/v1/summary", house.operator)
        return said["alarms"]["rules"] if status == 200 else -1

    person = Person(house, house.operator)
    wait_until(lambda: rules() == 0, 20, "there are no rules")
    for lang in ("en", "zh"):
        status, _, text = person.send("GET", f"/ops/alarms?lang={lang}")
        assert status == 200 and TEXTS[lang]["alarms_unset_how"] in text and TEXTS[lang]["alarms_none"] not in text
    house.reload('{ id = "power"; kind = "threshold"; on = ("meter:main"); above = "1000"; }', hook(receiver))
    wait_until(lambda: rules() == 1, 20, "there is one")
    status, _, text = person.send("GET", "/ops/alarms?lang=en")
    assert status == 200 and TEXTS["en"]["alarms_unset_how"] not in text and TEXTS["en"]["alarms_none"] in text
    receiver.close()


# ---- nights, days, disks ----

BOOKS = """
  {{ id = "base"; kind = "base_load"; on = ("meter:main"); night = "00:00-02:00"; above = "{base}"; }},
  {{ id = "heat"; kind = "base_load"; on = ("meter:warm"); night = "00:00-02:00"; above = "{heat}"; }},
  {{ id = "water"; kind = "water"; on = ("meter:*"); night = "00:00-02:00"; above = "{water}"; }},
  {{ id = "gap"; kind = "balance"; clear = 90; }},
  {{ id = "full"; kind = "disk"; above = {full}; clear = {full}; for = 0; clear_for = 0; }}
"""


def heated(limit: str) -> str:
    """J are counted: 900 kJ a quarter hour are 1000 W."""
    return park(limit).replace("meters = (", f"""meters = ({{ id = "warm"; name = "暖"; name_en = "Warm"; building = "b1"; carrier = "heat"; {SEGMENT.format("warm")} }},
""", 1)


def test_nights_days_and_disks_fire_once_and_clear_once(stage):
    """The night and the day before now: main draws 4 kWh a quarter hour, part 1 kWh, and water runs at 30 L in the lowest quarter hour."""
    receiver = Receiver()
    house = Alarms(stage, heated("0.05"), BOOKS.format(base=15_999, heat=999, water=29, full=1), hook(receiver), "repeat = 3600;")
    house.begin()
    counts = dict.fromkeys(("main", "part", "tap", "warm"), 1_000_000)
    next_at = int(time.time()) // 900 * 900 - 60 * 3600

    def read() -> None:
        """Each quarter hour up to now, so that a night or a day that ends meanwhile is known to its end."""
        nonlocal next_at
        lines = []
        for at in range(next_at, int(time.time()) + 1, 900):
            lines += (f"register,point={name} value={count}i {at * 1000}" for name, count in counts.items())
            counts["main"] += 4000
            counts["part"] += 1000
            counts["warm"] += 900_000
            counts["tap"] += 30 if datetime.fromtimestamp(at, ZONE).hour == 1 else 45
            next_at = at + 900
        if lines:
            house.send(*lines)

    def wait(rule: str, is_standing: bool) -> dict:
        def found() -> dict | None:
            read()
            return next((one for one in house.of(rule) if (one["state"] == "standing") == is_standing), None)
        return wait_until(found, 30, f"{rule} {'stands' if is_standing else 'is over'}")

    base = wait("base", True)
    night = [datetime.fromisoformat(base["period"][end]) for end in ("from", "until")]
    assert base["value"] == 16000.0 and night[0].utcoffset() == timedelta(hours=8) and (night[0].hour, night[1] - night[0]) == (0, timedelta(hours=2))
    assert night[1] <= datetime.fromisoformat(base["since"]) < night[1] + timedelta(days=1)
    said, = wait_events(receiver, "base", ["fired"])
    assert said["period"] == base["period"] and f" · value 16 kW ({night[0]:%Y-%m-%d} 00:00 – 02:00) · limit 16 kW" in said["text"]
    heat = wait("heat", True)
    assert (heat["value"], heat["limit"], heat["unit"]) == (1000.0, 999.0, "W")
    assert " · value 1 kW (" in (said := wait_events(receiver, "heat", ["fired"])[0]["text"]) and " 00:00 – 02:00) · limit 999 W · " in said
    assert wait("water", True)["value"] == 30.0
    gap = wait("gap", True)
    assert gap["value"] == 1500.0  # 75 % of what main drew, where 5 % are allowed
    day = [datetime.fromisoformat(gap["period"][end]) for end in ("from", "until")]
    assert (day[0].hour, day[1] - day[0]) == (0, timedelta(days=1)) and day[1] <= datetime.fromisoformat(gap["since"]) < day[1] + timedelta(days=1)
    full = wait("full", True)
    assert full["reason"] in ("database", "disk") and full["period"] is None
    assert " · collector main · " in wait_events(receiver, "full", ["fired"])[0]["text"]
    house.bounce()
    assert sorted(one["rule"] for one in house.listed()) == ["base", "full", "gap", "heat", "water"]
    # Limits that the same night, day and disk keep.
    house.park.write_text(heated("0.9"))
    status = house.command("decide", "model", "--who", "x", "--why", "x")
    house.reload(BOOKS.format(base=16_000, heat=1000, water=30, full=99), hook(receiver), "repeat = 3600;")
    for rule in ("base", "heat", "water", "full", "gap"):
        wait(rule, False)
    assert status.returncode in (0, 1), status.stderr
    for rule in ("base", "heat", "water", "gap", "full"):
        wait_events(receiver, rule, ["fired", "cleared"])
        assert len(house.of(rule)) == 1
    receiver.close()
