"""Gateways and the way of readings: is everybody there, does anything wait, was anything lost?"""

from __future__ import annotations

from boards import SITE, Board, chosen, queried
from panels import ANY_IS_BAD, PLAIN, bar_gauge, bars, lines, section, stat, steps, target, timeline
from states import ONLINE, WRITING
from words import Text

ROWS = f' FROM "gateway" WHERE $timeFilter AND {chosen("site", "gateway")}'
EACH = 'GROUP BY "gateway"'
NAME = "$tag_gateway"
LATE = steps((None, "green"), (120, "yellow"), (900, "red"))
WAITING = steps((None, "green"), (16, "yellow"), (100, "red"))  # 16 is the window: so many may be on their way at any time
MINUTE = "1m"
FRESH = "10m"  # a row is written each minute: what is older is not now


def now(key: str, title: Text, about: Text, field: str, unit, thresholds, **more) -> dict:
    return bar_gauge(key, title, about, [target(f'SELECT last("{field}"){ROWS} {EACH}', NAME)], unit, size=(6, 8), thresholds=thresholds, since=FRESH, **more)


def drawn(key: str, title: Text, about: Text, how: str, unit, thresholds) -> dict:
    return lines(key, title, about, [target(f"SELECT {how}{ROWS} GROUP BY time($__interval), \"gateway\" fill(none)", NAME)], unit, gap_ms=300_000,
                 limit=True, thresholds=thresholds, interval=MINUTE, low=0)


def rate(measurement: str, field: str, policy: str, name: str | Text, tag: str, where: str) -> dict:
    return target(f'SELECT count("{field}") FROM {policy}"{measurement}" WHERE $timeFilter AND {where} GROUP BY time($__interval){tag} fill(none)', name)


RAW = '"raw".'
BY_GATEWAY = ', "gateway"'
OF_GATEWAY = chosen("site", "gateway")

ONLINE_NOW = stat("online", Text("网关在线", "Gateways"), Text("按最近一分钟；10 分钟内没有数据的不显示。", "By the last minute; where nothing came for 10 minutes nothing is shown."),
                  [target('SELECT last("online") FROM "gateway" WHERE $timeFilter AND ' + chosen("site") + f" {EACH}", NAME)], "none", size=(6, 8),
                  mappings=ONLINE, background=True, names=True, thresholds=steps((None, "red"), (1, "green")), since=FRESH)
# States that change seldom are as old as their last change: this says whether a change would be seen at all.
WRITING_NOW = stat("writing", Text("采集器", "Collector"), Text("采集器每分钟写入数据；10 分钟内没有数据时，页面上的状态可能已经过时。", "The collector writes each minute; where nothing came for 10 minutes, states that are shown may be old."),
                   [target('SELECT count("lost") FROM "gateway" WHERE $timeFilter AND ' + chosen("site") + ' GROUP BY "site"', "$tag_site")], "none", size=(24, 3),
                   mappings=WRITING, background=True, names=True, thresholds=steps((None, "red"), (1, "green")), since=FRESH,
                   nothing=Text("✕ 10 分钟没有数据：显示的状态可能已过时", "✕ Nothing for 10 minutes: what is shown may be old"))

BOARD = Board(
    "gateways", Text("Parkmon · 网关与传输", "Parkmon · Gateways and delivery"),
    Text("网关是否在线、数据滞后、待传批次与丢失；数据库收到多少行。", "Whether gateways are online, how late readings are, what waits and what was lost; and how many rows the store gets."),
    [
        ONLINE_NOW | {"targets": [target(f'SELECT last("online"){ROWS} {EACH}', NAME) | {"refId": "A"}]},
        now("lag", Text("数据滞后", "Lag"), Text("最新读数距今的时间。", "Since the newest reading."), "lag_s", "s", LATE),
        now("spooled", Text("待传批次", "Batches waiting"), Text("网关上尚未得到确认的批次。", "On the gateway, not acknowledged yet."), "spooled", "none", WAITING, decimals=0),
        now("lost", Text("丢失记录", "Losses"), Text("有记录以来网关不得不放弃的数据，逐条具名，见 /ops 页面。", "What gateways had to give up since there are records; each is named on the page /ops."), "lost",
            "none", ANY_IS_BAD, decimals=0),
        timeline("presence", Text("在线", "Online"), Text("每段时间内曾经离线即显示离线。", "Offline where it was for a part of a stretch."),
                 [target(f'SELECT min("online"){ROWS} GROUP BY time($__interval), "gateway" fill(none)', NAME)], ONLINE, size=(24, 5), unit="none", interval=MINUTE),
        drawn("lags", Text("数据滞后", "Lag"), Text("各时段最大值；超过 15 分钟告警。", "The highest of each interval; above 15 minutes there is an alarm."), 'max("lag_s")', "s", LATE),
        drawn("waiting", Text("待传批次", "Batches waiting"), Text("各时段最大值。", "The highest of each interval."), 'max("spooled")', "none", WAITING),
        bars("losses", Text("新增丢失", "New losses"), Text("各时段内增加的丢失记录。", "Records of losses that were added."),
             [target(f'SELECT max("lost") - min("lost"){ROWS} GROUP BY time($__interval), "gateway" fill(none)', NAME)], "none", interval=MINUTE, decimals=0),
        bars("minutes", Text("采集器的分钟行", "Minute rows of the collector"), Text("采集器每分钟为每个网关写一行；缺少即采集器停止或数据库没有收到。", "The collector writes one a minute for each gateway; where they are missing it stood, or the store did not get them."),
             [target(f'SELECT count("lost"){ROWS} GROUP BY time($__interval), "gateway" fill(0)', NAME)], "none", interval=MINUTE, decimals=0),
        section(Text("数据库收到的行", "Rows that the store got")),
        bars("readings", Text("原始读数", "Raw readings"), Text("表底、模拟量与状态，每个时段的个数。", "Registers, gauges and states, how many in each interval."),
             [rate("register", "value", RAW, Text("$tag_gateway 表底", "$tag_gateway registers"), BY_GATEWAY, OF_GATEWAY),
              rate("gauge", "value", RAW, Text("$tag_gateway 模拟量", "$tag_gateway gauges"), BY_GATEWAY, OF_GATEWAY),
              rate("state", "value", RAW, Text("$tag_gateway 状态", "$tag_gateway states"), BY_GATEWAY, OF_GATEWAY)], "none", interval=MINUTE, decimals=0),
        bars("derived", Text("派生数据", "Derived rows"), Text("每刻钟的能耗、空间与仪器行。", "Of energy, spaces and instruments, by quarter hour."),
             [rate("energy", "coverage", "", Text("能耗", "Energy"), "", chosen("site")), rate("occupancy", "observed_s", "", Text("空间", "Spaces"), "", chosen("site")),
              rate("instrument", "free_s", "", Text("仪器", "Instruments"), "", chosen("site"))], "none", interval="15m", decimals=0),
        stat("series", Text("测点", "Points"), Text("所选时段内有读数的测点个数。", "How many points had a reading in the chosen time."),
             [target(f'SELECT count("n") FROM (SELECT count("value") AS "n" FROM "raw"."register" WHERE $timeFilter AND {OF_GATEWAY} '
                     'GROUP BY "gateway", "point") WHERE $timeFilter GROUP BY "gateway"', Text("$tag_gateway 表底", "$tag_gateway registers")),
              target(f'SELECT count("n") FROM (SELECT count("value") AS "n" FROM "raw"."gauge" WHERE $timeFilter AND {OF_GATEWAY} '
                     'GROUP BY "gateway", "point") WHERE $timeFilter GROUP BY "gateway"', Text("$tag_gateway 模拟量", "$tag_gateway gauges"))], "none", size=(24, 4), names=True, thresholds=PLAIN),
    ],
    [SITE, queried("gateway", Text("网关", "Gateway"), '"gateway"', "gateway", chosen("site"))], since="now-6h", refresh="30s")
