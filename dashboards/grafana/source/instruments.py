"""Shared instruments: what can be had, what they do, and what their time went to."""

from __future__ import annotations

from boards import SITE, Board, building, chosen, queried, step
from gateways import WRITING_NOW
from panels import PLAIN, QUARTER, bar_gauge, bars, stat, steps, target, timeline
from states import ACTIVITY, REASON, STATUS
from words import Text

HERE = chosen("site", "building")
CHOSEN = f'{HERE} AND {chosen("instrument")}'
ROWS = f' FROM "instrument" WHERE $timeFilter AND {CHOSEN} AND {chosen("category")}'
LONG = "30d"  # a row is written on each change: one that has not changed for longer is not shown
# collector/timesheet_line.c; every quarter hour is whole in them
PARTS = {"internal_s": Text("有效机时：对内", "Effective: internal"), "external_s": Text("有效机时：对外", "Effective: external"),
         "unattributed_s": Text("有效机时：未归属", "Effective: of nobody known"), "training_s": Text("培训", "Training"),
         "idle_s": Text("占用空转", "Idle in a session"), "no_show_s": Text("预约未到", "Booked, nobody came"),
         "reserved_s": Text("预约未用", "Booked, not used then"), "free_s": Text("开放空闲", "Free"), "closed_s": Text("非开放时间", "Closed"),
         "planned_outage_s": Text("计划停机与维护", "Planned outage, maintenance"), "broken_s": Text("故障停机", "Out of service"),
         "unknown_s": Text("未知", "Not known")}
EFFECTIVE = 'sum("internal_s") + sum("external_s") + sum("unattributed_s")'


def newest(field: str, where: str) -> list[dict]:
    return [target(f'SELECT last("{field}") FROM "availability" WHERE $timeFilter AND {where} GROUP BY "instrument"', "$tag_instrument")]


def changes(field: str) -> list[dict]:
    """Also those of before, so that it is known what was when the chosen time began."""
    return [target(f'SELECT "{field}" FROM "availability" WHERE time >= ${{__from}}ms - {LONG} AND time <= ${{__to}}ms AND {CHOSEN} GROUP BY "instrument"',
                   "$tag_instrument")]


def share(of: str) -> str:
    return f'SELECT ({of}) / count("free_s") / 900{ROWS} GROUP BY "instrument"'


STATUS_NOW = stat("status", Text("仪器现在的状态", "Instruments now"),
                  Text("能否使用；30 天内没有变化的不显示。未知不等于可用。", "Whether each can be had; one that has not changed for 30 days is not shown. Not known is not free."),
                  newest("status", HERE), "string", size=(12, 8), mappings=STATUS, background=True, names=True, texts=True, since=LONG)

BOARD = Board(
    "instruments", Text("Parkmon · 共享仪器", "Parkmon · Instruments"),
    Text("状态、活动与机时构成。", "What can be had, what runs, and what the time went to."),
    [
        WRITING_NOW,
        STATUS_NOW | {"targets": [newest("status", CHOSEN)[0] | {"refId": "A"}]},
        stat("reason", Text("原因", "Why"), Text("现在状态的原因。", "Of what is now."), newest("reason", CHOSEN), "string", size=(12, 8), mappings=REASON, names=True,
             texts=True, since=LONG, thresholds=PLAIN),
        timeline("statuses", Text("状态", "Availability"), Text("所选时段内的变化。", "As it changed in the chosen time."), changes("status"), STATUS),
        timeline("activities", Text("活动", "Activity"), Text("由功率判断。", "By the power."), changes("activity"), ACTIVITY),
        bars("parts", Text("机时构成", "What the time went to"), Text("按所选步长；各部分之和等于总时间。", "By the chosen step; the parts add up to the whole time."),
             [target(f'SELECT sum("{field}"){ROWS} GROUP BY time(${{step}}) fill(none) tz(\'${{zone}}\')', name) for field, name in PARTS.items()], "s",
             size=(24, 10), interval=QUARTER),
        bar_gauge("effective", Text("有效机时占比", "Effective time"), Text("有效机时占所选时段全部时间的比例；额定机时的利用率见机时报表。", "Of all the time that was chosen; the utilisation of rated hours is in the statement."),
                  [target(share(EFFECTIVE), "$tag_instrument")], "percentunit", high=1, decimals=1),
        bar_gauge("lost", Text("空转与预约未到", "Idle and no-show"), Text("占用而未运行的时间，与预约而无人到场的时间。", "Taken and not running, and booked while nobody came."),
                  [target(f'SELECT sum("idle_s"){ROWS} GROUP BY "instrument"', Text("$tag_instrument 空转", "$tag_instrument idle")),
                   target(f'SELECT sum("no_show_s"){ROWS} GROUP BY "instrument"', Text("$tag_instrument 预约未到", "$tag_instrument no-show"))], "s",
                  thresholds=steps((None, "green"), (3600, "yellow"), (14400, "red"))),
        bar_gauge("unknown", Text("未知时间占比", "Time not known"), Text("没有可信来源的时间。", "No source could be believed."),
                  [target(share('sum("unknown_s")'), "$tag_instrument")], "percentunit", high=1, decimals=1,
                  thresholds=steps((None, "green"), (0.05, "yellow"), (0.2, "red"))),
        bars("energy", Text("仪器用电", "Energy of instruments"), Text("有专用电表的仪器，按所选步长。", "Of those with a meter of their own, by the chosen step."),
             [target(f'SELECT sum("energy"){ROWS} GROUP BY time(${{step}}), "instrument" fill(none) tz(\'${{zone}}\')', "$tag_instrument")], "kwatth",
             size=(24, 8), interval=QUARTER),
    ],
    [SITE, building('"instrument"'), queried("category", Text("类别", "Category"), '"instrument"', "category", HERE),
     queried("instrument", Text("仪器", "Instrument"), '"instrument"', "instrument", f'{HERE} AND {chosen("category")}'), step("1d")], since="now-7d")
