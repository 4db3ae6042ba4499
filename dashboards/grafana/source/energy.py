"""Energy of a park, by quarter hour, as the ledger has it. Rows of a quarter hour that is not known have no amount: unknown is not 0."""

from __future__ import annotations

from boards import MAIN, SITE, Board, building, chosen, step
from panels import COVERAGE, PLAIN, QUARTER, bar_gauge, bars, lines, section, stat, steps, target
from words import Text

YUAN = Text("suffix: 元", "suffix: yuan")
KGCE = "suffix: kgce"
MJ = "suffix: MJ"
# Where a store could not delete, a quarter hour that became unknown still has its former amount (CONTRIBUTING.md, "The time-series store").
KNOWN = "\"quality\" != 'unknown'"
ROWS = f' FROM "energy" WHERE $timeFilter AND {KNOWN} AND '
HERE = chosen("site", "building")
TOTALS = f'"meter" =~ /^${{main:regex}}$/ AND {HERE}'
ELECTRIC = f"\"carrier\" = 'electricity' AND {TOTALS}"
STEPS = "GROUP BY time(${step})"
IN_ZONE = "fill(none) tz('${zone}')"
AN_HOUR = 3_600_000
PICTURE = Text("只用于观察：可审计的数字见报表。", "To look at: figures that can be audited are those of the report.")


def total(field: str, where: str) -> str:
    return f'SELECT sum("{field}"){ROWS}{where}'


def each(field: str, where: str, *tags: str) -> str:
    return total(field, where) + " GROUP BY " + ", ".join(f'"{tag}"' for tag in tags)


def by_step(field: str, where: str, *tags: str) -> str:
    return total(field, where) + f" {STEPS}" + "".join(f', "{tag}"' for tag in tags) + f" {IN_ZONE}"


def mean_power(where: str, factor: str = "* 4") -> str:
    """Of the quarter hours in an interval; an amount of a quarter hour is a fourth of an hour's."""
    return f'SELECT mean("amount") {factor}{ROWS}{where} GROUP BY time($__interval), "meter" fill(none)'


def extreme_power(which: str) -> str:
    return (f'SELECT {which}("kw") FROM (SELECT sum("amount") * 4 AS "kw"{ROWS}{ELECTRIC} '
            "GROUP BY time(15m) fill(none)) WHERE $timeFilter")


# Of the chosen time, not of the rows: of a meter that is silent there are none.
A_QUARTER_OF_IT = "* 900000 / (${__to} - ${__from})"


def covered(where: str, tags: str = "") -> str:
    return f'SELECT sum("coverage") {A_QUARTER_OF_IT} FROM "energy" WHERE $timeFilter AND {where}{tags}'


COVERED_ALL = (f'SELECT mean("share") FROM (SELECT sum("coverage") {A_QUARTER_OF_IT} AS "share" FROM "energy" WHERE $timeFilter AND {HERE} '
               'GROUP BY "meter") WHERE $timeFilter')
UNKNOWN = f'SELECT count("coverage") - count("amount") FROM "energy" WHERE $timeFilter AND {HERE}'

POWER = lines(
    "power", Text("用电功率", "Electric power"),
    Text("合计用表每刻钟的平均功率。缺口处不连线：其间的值未知。", "Mean of each quarter hour of the meters of totals. A gap is not joined: nobody knows what was between."),
    [target(mean_power(ELECTRIC), "$tag_meter")], "kwatt", gap_ms=AN_HOUR, interval=QUARTER, links="meter", low=0)
TOTAL = stat("total", Text("用电量", "Electricity"), Text("所选时段内合计用表之和，仅含已知部分。", "Sum of the meters of totals in the chosen time, of what is known of it. ") + PICTURE,
             [target(total("amount", ELECTRIC), Text("用电量", "Electricity"))], "kwatth", thresholds=PLAIN)
MEASURED = Text("实测时间占比", "Measured")
ABOUT_MEASURED = Text("所选时段中实测或人工抄录的时间；最近一小时内的刻钟可能尚未写入。重点用能单位要求不低于 90%。",
                      "Of the chosen time what is measured or read by hand; quarter hours of the last hour may not be in yet. 90 % is what key energy users owe.")
COVERAGE_NOW = stat("coverage", MEASURED, Text("各表平均：", "Mean of all meters: ") + ABOUT_MEASURED,
                    [target(COVERED_ALL, MEASURED)], "percentunit", thresholds=COVERAGE, low=0, high=1, decimals=1)
COST = stat("cost", Text("费用", "Cost"), Text("合计用表各能源费用之和，按各刻钟所在时段的电价。", "Of all carriers of the meters of totals, at the price of each quarter hour. ") + PICTURE,
            [target(total("cost", TOTALS), Text("费用", "Cost"))], YUAN, thresholds=PLAIN, decimals=0)
CO2 = stat("co2", Text("二氧化碳", "CO2"), Text("合计用表，按园区所在区域的电网排放因子；不是 CO2e。", "Of the meters of totals, by the factor of the grid of their region; it is not CO2e. ") + PICTURE,
           [target(total("kgco2", TOTALS), "CO2")], "masskg", thresholds=PLAIN)
BY_BUILDING = bars("buildings", Text("各楼宇用电", "Electricity by building"), Text("合计用表，按所选步长。", "Of the meters of totals, by the chosen step."),
                   [target(by_step("amount", ELECTRIC, "building"), "$tag_building")], "kwatth", interval=QUARTER)


def others() -> list[dict]:
    """Carriers other than electricity, each in its own unit."""
    found = []
    for key, title, where, unit in (
            ("heat", Text("供热与供冷", "Heat and cooling"), "\"carrier\" =~ /^(heat|cooling)$/", MJ),
            ("water", Text("用水", "Water"), "\"carrier\" = 'water'", "m3"),
            ("gas", Text("燃气", "Gas"), "\"carrier\" = 'gas'", "m3")):
        found.append(bars(key, title, Text("合计用表，按所选步长。", "Of the meters of totals, by the chosen step."),
                          [target(by_step("amount", f"{where} AND {TOTALS}", "meter"), "$tag_meter")], unit, size=(8, 8), interval=QUARTER,
                          links="meter"))
    return found


def coal(key: str, field: str, name: Text) -> dict:
    return stat(key, Text("标准煤（", "Coal equivalent (") + name + Text("）", ")"),
                Text("合计用表。当量值与等价值不可混用。", "Of the meters of totals. The calorific and the equivalent basis are never mixed."),
                [target(total(field, TOTALS), name)], KGCE, size=(3, 4), thresholds=PLAIN, decimals=0)


def resized(panel: dict, *size: int) -> dict:
    return panel | {"size": size}


BOARD = Board(
    "energy", Text("Parkmon · 能源", "Parkmon · Energy"), Text("分能源、楼宇、租户、分项与时间的用量、费用与碳排放。", "Amounts, cost and CO2 by carrier, building, tenant, item and time. ") + PICTURE,
    [
        resized(TOTAL, 4, 4),
        stat("peak", Text("最高功率", "Highest power"), Text("各刻钟合计平均功率的最大值。", "The highest mean of a quarter hour of all meters of totals together."),
             [target(extreme_power("max"), Text("最高", "Highest"))], "kwatt", size=(3, 4), thresholds=PLAIN),
        stat("base", Text("最低功率", "Lowest power"), Text("各刻钟合计平均功率的最小值，即基础负荷；最近一刻钟若有表尚未上报会偏低。", "The lowest mean of a quarter hour, the base load; low where a meter of the last one is not in yet."),
             [target(extreme_power("min"), Text("最低", "Lowest"))], "kwatt", size=(3, 4), thresholds=PLAIN),
        resized(COST, 4, 4), resized(CO2, 4, 4),
        coal("calorific", "kgce_calorific", Text("当量", "calorific")), coal("equivalent", "kgce_equivalent", Text("等价", "equivalent")),
        resized(POWER, 24, 8),
        bars("meters", Text("各合计用表用电", "Electricity by meter"), Text("点击序列可查看该表详情。", "Click a series to see its meter."),
             [target(by_step("amount", ELECTRIC, "meter"), "$tag_meter")], "kwatth", interval=QUARTER, links="meter"),
        BY_BUILDING,
        bar_gauge("items", Text("用电分项", "Electricity by item"),
            Text("住建部分项编码：01A 照明插座，01B 空调，01C 动力，01D 特殊用电。", "Item codes of the ministry: 01A lighting and sockets, 01B HVAC, 01C power, 01D special."),
            [target(each("amount", f"\"carrier\" = 'electricity' AND \"item\" =~ /^01[A-D]/ AND {HERE}", "item"), "$tag_item")], "kwatth"),
        bar_gauge("tenants", Text("各租户用电", "Electricity by tenant"), Text("有租户归属的表。", "Of the meters that have a tenant."),
                  [target(each("amount", f"\"carrier\" = 'electricity' AND \"tenant\" != '' AND {HERE}", "tenant"), "$tag_tenant")], "kwatth"),
        bars("costs", Text("费用", "Cost"), Text("合计用表，按所选步长。", "Of the meters of totals, by the chosen step."),
             [target(by_step("cost", TOTALS, "carrier"), "$tag_carrier")], YUAN, size=(8, 8), interval=QUARTER),
        section(Text("其他能源", "Other carriers")), *others(),
        section(Text("数据质量", "Quality of the data")),
        resized(COVERAGE_NOW, 4, 8),
        bar_gauge("covered", Text("各表实测时间占比", "Measured by meter"), ABOUT_MEASURED,
                  [target(covered(HERE, ' GROUP BY "meter"'), "$tag_meter")], "percentunit", size=(10, 8), thresholds=COVERAGE, high=1, decimals=1, links="meter"),
        bar_gauge("unknown", Text("各表未知刻钟", "Unknown quarter hours by meter"), Text("其用量未知（不是 0），等待读数或裁定。", "Their amount is not known (it is not 0): a reading or a decision is awaited."),
                  [target(f'{UNKNOWN} GROUP BY "meter"', "$tag_meter")], "none", size=(10, 8), thresholds=steps((None, "green"), (1, "orange"), (8, "red")), links="meter"),
    ],
    [SITE, building(), MAIN, step("1h")], since="now-7d", refresh="5m")
