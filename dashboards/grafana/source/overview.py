"""What the park is doing now."""

from __future__ import annotations

from boards import MAIN, SITE, Board, building, step
from energy import BY_BUILDING, CO2, COST, COVERAGE_NOW, ELECTRIC, POWER, TOTAL, others, resized, total
from gateways import ONLINE_NOW, WRITING_NOW
from instruments import STATUS_NOW
from occupancy import LATEST
from panels import PLAIN, alarms, stat, target
from words import Text

def earlier(key: str, name: Text, shift: str) -> dict:
    return stat(key, name, Text("与所选时段等长，提前相应的时间；只含已知部分。", "As long as the chosen time, earlier by that; of what is known of it."),
                [target(total("amount", ELECTRIC), name)], "kwatth", thresholds=PLAIN, shift=shift)

BOARD = Board(
    "overview", Text("Parkmon · 园区总览", "Parkmon · Park overview"),
    Text("园区现在的能源、空间、仪器与网关，及未恢复的告警。", "Energy, spaces, instruments and gateways of the park now, and alarms that are not over."),
    [
        WRITING_NOW,
        resized(TOTAL, 4, 4), earlier("yesterday", Text("前一天同时段", "A day earlier"), "1d"), earlier("last_week", Text("上周同时段", "A week earlier"), "7d"),
        resized(COST, 4, 4), resized(CO2, 4, 4), resized(COVERAGE_NOW, 4, 4),
        resized(STATUS_NOW, 9, 8), resized(ONLINE_NOW, 6, 8),
        alarms("alarms", Text("未恢复的告警", "Alarms that are not over"), Text("来自随 Parkmon 配置的告警规则。", "Of the rules that come with Parkmon."), size=(9, 8)),
        resized(POWER, 15, 9), resized(LATEST, 9, 9),
        resized(BY_BUILDING, 24, 8), *others(),
    ],
    [SITE, building(), MAIN, step("1h")])
