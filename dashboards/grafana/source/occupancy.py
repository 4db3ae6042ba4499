"""How full spaces are. Sources stay apart: what a door counted (live, corrected by its anchors) is no area count, and neither is motion."""

from __future__ import annotations

from boards import SITE, Board, building, chosen, queried, step
from panels import COVERAGE, PLAIN, QUARTER, bar_gauge, bars, history, lines, stat, steps, target
from words import Text

FROM = ' FROM "occupancy" WHERE $timeFilter AND '
HERE = chosen("site", "building")
WHERE = f'{FROM}{HERE} AND {chosen("space", "source")}'
PEOPLE = '"source" =~ /^(live|corrected|count:.*)$/'  # of whom there is a number; the others only see that somebody is there
EACH = '"space", "source"'
NAME = "$tag_space · $tag_source"
FULL = steps((None, "green"), (0.8, "yellow"), (1, "red"))

NOW = '"source" =~ /^(live|count:.*)$/'  # corrected is what was, once the next anchor is known

LATEST = bar_gauge("latest", Text("空间内人数", "People in spaces"), Text("最近一刻钟的平均人数；两小时内没有数据的不显示。", "Mean of the latest quarter hour; what said nothing for two hours is not shown."),
                   [target(f'SELECT last("mean"){FROM}{NOW} AND {HERE} GROUP BY {EACH}', NAME)], "none", decimals=0, since="2h")

BOARD = Board(
    "occupancy", Text("Parkmon · 空间使用", "Parkmon · Occupancy"),
    Text("每刻钟的人数与使用率。live 为门口计数，corrected 为按基准校正后的计数，其余来源为各传感器。", "People and use of spaces by quarter hour. Live is what doors count, corrected the same by its anchors, the others are sensors."),
    [
        LATEST | {"size": (8, 8), "targets": [target(f'SELECT last("mean"){WHERE} AND {NOW} GROUP BY {EACH}', NAME) | {"refId": "A"}]},
        bar_gauge("peak", Text("最高人数", "Most people"), Text("所选时段内的最大值。", "The highest in the chosen time."),
                  [target(f'SELECT max("max"){WHERE} AND {PEOPLE} GROUP BY {EACH}', NAME)], "none", decimals=0),
        bar_gauge("occupied", Text("占用时间占比", "Time occupied"), Text("有人的时间占被观测时间的比例，不分是否开放。", "Of the time that was observed, open or not."),
                  [target(f'SELECT sum("occupied_s") / sum("observed_s"){WHERE} GROUP BY {EACH}', NAME)], "percentunit", high=1, decimals=0),
        lines("people", Text("人数", "People"), Text("平均人数。未被观测的时间不连线。", "Means. Where nothing was observed nothing is joined."),
              [target(f'SELECT mean("mean"){WHERE} AND {PEOPLE} GROUP BY time($__interval), {EACH} fill(none)', NAME)], "none", gap_ms=3_600_000,
              size=(24, 8), interval=QUARTER, low=0, decimals=0),
        history("use", Text("座位使用率", "Use of the capacity"), Text("平均人数与容量之比，按所选步长：颜色越深越满。", "People of the capacity, by the chosen step: the darker the fuller."),
                [target(f'SELECT mean("mean") / max("capacity"){WHERE} AND {PEOPLE} GROUP BY time(${{step}}), {EACH} fill(none) tz(\'${{zone}}\')', NAME)],
                "percentunit", thresholds=FULL, low=0, high=1, interval=QUARTER, size=(24, 9)),
        bars("passed", Text("进出人次", "Entries and exits"), Text("门口计数，按所选步长。", "What doors counted, by the chosen step."),
             [target(f'SELECT sum("entries") AS "entries"{WHERE} GROUP BY time(${{step}}), "space" fill(none) tz(\'${{zone}}\')', Text("$tag_space 进", "$tag_space in")),
              target(f'SELECT sum("exits") AS "exits"{WHERE} GROUP BY time(${{step}}), "space" fill(none) tz(\'${{zone}}\')', Text("$tag_space 出", "$tag_space out"))],
             "none", stacked=False, interval=QUARTER, decimals=0),
        bar_gauge("observed", Text("观测覆盖率", "Observed"), Text("被观测的时间占所选时段内各刻钟的比例：其余时间未知，不是没有人。", "Of the quarter hours in the chosen time: the rest is not known, which is not empty."),
                  [target(f'SELECT sum("observed_s") / count("observed_s") / 900{WHERE} GROUP BY {EACH}', NAME)], "percentunit", size=(8, 8), thresholds=COVERAGE,
                  high=1, decimals=0),
        stat("capacity", Text("容量", "Capacity"), Text("所选空间的容量，按园区模型。", "Of the chosen spaces, by the park model."),
             [target(f'SELECT last("capacity"){WHERE} GROUP BY "space"', "$tag_space")], "none", size=(4, 8), names=True, thresholds=PLAIN),
    ],
    [SITE, building('"occupancy"'), queried("space", Text("空间", "Space"), '"occupancy"', "space", HERE),
     queried("source", Text("来源", "Source"), '"occupancy"', "source", f'{HERE} AND {chosen("space")}'), step("1h")], since="now-7d", refresh="5m")
