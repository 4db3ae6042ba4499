"""One meter: what flowed through it, how well that is known, and what its device said."""

from __future__ import annotations

from boards import SITE, Board, building, chosen, queried, step
from energy import ABOUT_MEASURED, AN_HOUR, IN_ZONE, KGCE, MEASURED, MJ, ROWS, STEPS, YUAN, covered
from panels import COVERAGE, PLAIN, QUARTER, bar_gauge, bars, lines, section, stat, steps, target, timeline
from states import QUALITY
from words import Text

OF = chosen("meter")
# A meter has one carrier, so one of these finds something; each has its unit.
UNITS = (("electricity", "kwatth", "* 4", "kwatt"), ("(heat|cooling)", MJ, "/ 0.9", "kwatt"), ("(water|gas)", "m3", "* 4", "suffix: m³/h"))


def of_each_carrier(query: str, alias: str | Text) -> list[dict]:
    return [target(query.replace("CARRIER", f'"carrier" =~ /^{carrier}$/ AND {OF}').replace("FACTOR", factor), alias)
            for carrier, _, factor, _ in UNITS]


def in_unit(which: int) -> list[dict]:
    return [{"matcher": {"id": "byFrameRefID", "options": "ABC"[i]}, "properties": [{"id": "unit", "value": unit[which]}]}
            for i, unit in enumerate(UNITS)]


def single(key: str, title: Text, about: Text, field: str, unit, **more) -> dict:
    return stat(key, title, about, [target(f'SELECT sum("{field}"){ROWS}{OF}', title)], unit, thresholds=PLAIN, **more)


HERE = chosen("site", "building")
POINT = chosen("gateway", "point")

BOARD = Board(
    "meter", Text("Parkmon · 计量表详情", "Parkmon · Meter detail"),
    Text("一块表的用量、数据质量与原始读数。电以 kWh、热冷以 MJ、水与燃气以 m³ 计。", "Amounts of one meter, how well they are known, and raw readings. Electricity in kWh, heat and cooling in MJ, water and gas in m³."),
    [
        stat("amount", Text("用量", "Amount"), Text("所选时段内已知刻钟之和。", "Sum of the quarter hours that are known in the chosen time."),
             of_each_carrier(f'SELECT sum("amount"){ROWS}CARRIER', Text("用量", "Amount")), "none", thresholds=PLAIN,
             overrides=in_unit(1)),
        stat("coverage", MEASURED, ABOUT_MEASURED, [target(covered(OF), MEASURED)], "percentunit", thresholds=COVERAGE, low=0, high=1, decimals=1),
        stat("unknown", Text("未知刻钟", "Unknown quarter hours"), Text("其用量未知（不是 0），等待读数或裁定。", "Their amount is not known (it is not 0): a reading or a decision is awaited."),
             [target(f'SELECT count("coverage") - count("amount") FROM "energy" WHERE $timeFilter AND {OF}', Text("未知", "Unknown"))], "none",
             thresholds=steps((None, "green"), (1, "orange"), (8, "red"))),
        single("cost", Text("费用", "Cost"), Text("按各刻钟所在时段的价格。", "At the price of each quarter hour."), "cost", YUAN, decimals=2),
        single("co2", Text("二氧化碳", "CO2"), Text("按园区所在区域的排放因子；不是 CO2e。", "By the factor of the region; it is not CO2e."), "kgco2", "masskg"),
        single("coal", Text("标准煤（当量）", "Coal equivalent (calorific)"), Text("当量值，不可与等价值混用。", "Calorific, never mixed with the equivalent basis."), "kgce_calorific", KGCE),
        bars("amounts", Text("用量", "Amounts"), Text("按所选步长，仅含已知刻钟。", "By the chosen step, of the quarter hours that are known."),
             of_each_carrier(f'SELECT sum("amount"){ROWS}CARRIER {STEPS} {IN_ZONE}', "${meter}"), "none",
             size=(24, 8), interval=QUARTER, overrides=in_unit(1)),
        lines("power", Text("平均功率或流量", "Mean power or flow"), Text("由各刻钟用量得出；缺口处不连线。", "From the amounts of quarter hours; a gap is not joined."),
              of_each_carrier(f'SELECT mean("amount") FACTOR{ROWS}CARRIER GROUP BY time($__interval) fill(none)', "${meter}"), "none",
              size=(24, 7), gap_ms=AN_HOUR, interval=QUARTER, overrides=in_unit(3)),
        timeline("quality", Text("数据质量", "Quality"), Text("每刻钟的数据质量。", "Of each quarter hour."),
                 [target(f'SELECT "quality" FROM "energy" WHERE $timeFilter AND {OF}', "${meter}")], QUALITY, size=(24, 4)),
        section(Text("原始读数（按所选网关与测点）", "Raw readings (of the chosen gateway and points)")),
        lines("gauge", Text("功率", "Power"), Text("设备报告的瞬时功率，未经处理。", "As the device says it, as it came."),
              [target(f'SELECT mean("value") FROM "raw"."gauge" WHERE $timeFilter AND "point" =~ /power$/ AND {HERE} AND {POINT} '
                      'GROUP BY time($__interval), "gateway", "point" fill(none)', "$tag_gateway/$tag_point")], "watt", gap_ms=900_000),
        bar_gauge("register", Text("最近表底数", "Last registers"), Text("基本单位：电 Wh，热冷 J，水与燃气 L，计数为个数。", "In base units: electricity Wh, heat and cooling J, water and gas L, counts as counts."),
                  [target(f'SELECT last("value") FROM "raw"."register" WHERE $timeFilter AND {HERE} AND {POINT} GROUP BY "gateway", "point"', "$tag_gateway/$tag_point")],
                  "none", size=(12, 8)),
    ],
    [SITE, building(),
     queried("meter", Text("计量表", "Meter"), '"energy"', "meter", HERE, multi=False),
     queried("gateway", Text("网关", "Gateway"), '"raw"."register"', "gateway", HERE),
     queried("point", Text("测点", "Point"), '"raw"."register", "raw"."gauge"', "point", f'{HERE} AND {chosen("gateway")}'),
     step("15m")], since="now-2d", refresh="5m")
