"""Alert rules of Grafana, for who uses those instead of, or beside, the collector's own alarms. Each takes one number of each series and
holds it against a limit.

In a rule the data source cannot be a variable. Grafana expands `$` in provisioned texts, differently by version, so there is none but
in models (queries and expressions), which it leaves as they are: templates name `.Labels` and `.Values`.
"""

from __future__ import annotations

from dataclasses import dataclass

from boards import DATASOURCE, Board
from energy import KNOWN
from words import Text

EXPRESSION = "__expr__"
MINUTE, HOUR, DAY = 60, 3600, 86400
# Rows of a quarter hour are written when it is over, and those of energy when the next reading is in.
SETTLED = HOUR


@dataclass
class Alarm:
    """It fires where the number is beyond `limit`, in the direction of `is` (gt, lt), for so long."""

    key: str
    title: Text
    about: Text  # {labels} and {value} are filled in
    query: str
    limit: float
    severity: str = "warning"
    is_beyond: str = "gt"
    lasts: str = "10m"
    of: tuple[int, int] = (HOUR, 0)  # seconds before now: from, to
    labels: tuple[str, ...] = ()
    no_data: str = "OK"
    shown: tuple[str, str] = ("overview", "alarms")  # dashboard, panel
    given: str = ""  # and only where the number of this query, in the last 10 minutes, of whatever has part of the same tags, is above 0


FROM_GATEWAY = ' FROM "gateway" WHERE $timeFilter'
FROM_ENERGY = ' FROM "energy" WHERE $timeFilter'
FROM_OCCUPANCY = ' FROM "occupancy" WHERE $timeFilter'
FROM_INSTRUMENT = ' FROM "instrument" WHERE $timeFilter'
BY_GATEWAY = ' GROUP BY "site", "gateway"'
BY_METER = ' GROUP BY "site", "building", "meter"'
BY_INSTRUMENT = ' GROUP BY "site", "building", "instrument"'
A_DAY = (DAY + SETTLED, SETTLED)
# Where each of its quarter hours must be there.
A_WHOLE_DAY = (DAY + 3 * HOUR, 3 * HOUR)
QUARTERS = 96
GATEWAY, METER, INSTRUMENT = ("site", "gateway"), ("site", "building", "meter"), ("site", "building", "instrument")

GROUPS = [
    (Text("传输", "Delivery"), "1m", [
        Alarm("silent", Text("数据库没有新数据", "The store gets nothing"), Text("10 分钟内没有任何网关的分钟行：采集器停止，或数据库不可用。", "No minute row of any gateway for 10 minutes: the collector stands, or the store is not available."),
              f'SELECT count("lost"){FROM_GATEWAY} GROUP BY "site"', 1, "critical", "lt", "2m", (10 * MINUTE, 0), ("site",), "Alerting", ("gateways", "minutes")),
        Alarm("offline", Text("网关离线", "Gateway offline"), Text("网关 {labels} 离线。其数据保留在网关上，恢复后补传。", "Gateway {labels} is offline. It keeps its readings and sends them when it is back."),
              f'SELECT last("online"){FROM_GATEWAY}{BY_GATEWAY}', 1, "critical", "lt", "5m", (10 * MINUTE, 0), GATEWAY, shown=("gateways", "presence")),
        Alarm("lag", Text("数据滞后", "Readings are late"), Text("网关 {labels} 的最新读数在 {value} 秒之前。", "The newest reading of gateway {labels} is {value} s old."),
              f'SELECT last("lag_s"){FROM_GATEWAY}{BY_GATEWAY}', 900, of=(10 * MINUTE, 0), labels=GATEWAY, shown=("gateways", "lags")),
        Alarm("waiting", Text("待传批次积压", "Batches wait"), Text("网关 {labels} 在 30 分钟内始终有不少于 {value} 个批次待确认。", "Gateway {labels} had {value} batches or more that are not acknowledged for 30 minutes."),
              f'SELECT min("spooled"){FROM_GATEWAY}{BY_GATEWAY}', 100, of=(30 * MINUTE, 0), labels=GATEWAY, shown=("gateways", "waiting")),
        Alarm("loss", Text("数据丢失", "Readings were lost"), Text("网关 {labels} 一小时内新增 {value} 条丢失记录，见 /ops 页面。", "{value} records of losses were added for gateway {labels} within an hour; see the page /ops."),
              f'SELECT max("lost") - min("lost"){FROM_GATEWAY}{BY_GATEWAY}', 0, "critical", lasts="0s", labels=GATEWAY, shown=("gateways", "losses")),
    ]),
    (Text("能源", "Energy"), "5m", [
        Alarm("ledger", Text("没有新的能耗数据", "No new energy"), Text("三小时内没有写入任何刻钟的能耗。", "Energy of no quarter hour was written for three hours."),
              f'SELECT count("coverage"){FROM_ENERGY} GROUP BY "site"', 1, "critical", "lt", "15m", (3 * HOUR, 0), ("site",), "Alerting", ("gateways", "derived")),
        # Two hours without any are told within half an hour: the last span may just have begun. Of who was silent for two days nothing is there.
        # Where the gateway is offline, or the collector stands, that is told instead.
        Alarm("meter", Text("表没有读数", "A meter is silent"), Text("网关 {labels} 的表底数至少半小时没有读数，而网关在线。", "There was no register of {labels} for half an hour or more, and its gateway is online."),
              'SELECT count("value") FROM "raw"."register" WHERE $timeFilter GROUP BY time(2h), "site", "gateway", "point" fill(0)', 1, is_beyond="lt", lasts="30m", of=(2 * DAY, 0),
              labels=("site", "gateway", "point"), given=f'SELECT min("online"){FROM_GATEWAY} GROUP BY "gateway"', shown=("gateways", "readings")),
        Alarm("coverage", Text("实测数据不足", "Too little is measured"), Text("计量表 {labels} 一天内实测的刻钟占比为 {value}，低于 0.9。", "Of the quarter hours of a day {value} are measured at meter {labels}, below 0.9."),
              f'SELECT mean("coverage"){FROM_ENERGY}{BY_METER}', 0.9, is_beyond="lt", lasts="30m", of=A_DAY, labels=METER, shown=("energy", "covered")),
        Alarm("water", Text("用水不停", "Water never stops"), Text("计量表 {labels} 一天内每刻钟都有水流过（每刻钟均已知），最少 {value} m³：可能漏水。", "Water flowed through meter {labels} in every quarter hour of a day, each of which is known, at least {value} m³: is there a leak?"),
              f"SELECT \"least\" FROM (SELECT min(\"amount\") AS \"least\", count(\"amount\") AS \"known\"{FROM_ENERGY} AND {KNOWN} AND \"carrier\" = 'water'{BY_METER})"
              f' WHERE $timeFilter AND "known" >= {QUARTERS}{BY_METER}', 0.05, lasts="30m", of=A_WHOLE_DAY, labels=METER, shown=("energy", "water")),
        Alarm("base", Text("基础负荷过高", "The base load is high"), Text("计量表 {labels} 一天内的最低负荷为平均负荷的 {value} 倍：夜间有设备未关。", "The lowest load of a day at meter {labels} is {value} of its mean: what runs at night?"),
              f"SELECT min(\"amount\") / mean(\"amount\"){FROM_ENERGY} AND {KNOWN} AND \"carrier\" = 'electricity' AND \"item\" = '01000'{BY_METER}", 0.8, lasts="30m", of=A_DAY, labels=METER,
              shown=("energy", "base")),
    ]),
    (Text("空间与仪器", "Spaces and instruments"), "5m", [
        Alarm("crowded", Text("空间超员", "Too many people"), Text("空间 {labels} 的人数为容量的 {value} 倍。", "Space {labels} has {value} of the people that it is made for."),
              f'SELECT max("max") / max("capacity"){FROM_OCCUPANCY} AND "source" !~ /^(binary|co2|wifi):/ GROUP BY "site", "building", "space", "source"', 1, lasts="0s",
              labels=("site", "building", "space", "source"), shown=("occupancy", "use")),
        Alarm("unobserved", Text("空间无人计数", "A space is not watched"), Text("空间 {labels} 一天内只有 {value} 的时间被观测。", "Of the time of a day {value} was observed at space {labels}."),
              f'SELECT sum("observed_s") / count("observed_s") / 900{FROM_OCCUPANCY} GROUP BY "site", "building", "space", "source"', 0.5, is_beyond="lt", lasts="30m", of=A_DAY,
              labels=("site", "building", "space", "source"), shown=("occupancy", "observed")),
        Alarm("idle", Text("仪器占用空转", "An instrument is taken and idle"), Text("仪器 {labels} 8 小时内占用而未运行 {value} 秒：可能忘记结束登记。", "Instrument {labels} was taken and did not run for {value} s of 8 hours: was its session forgotten?"),
              f'SELECT sum("idle_s"){FROM_INSTRUMENT}{BY_INSTRUMENT}', 4 * HOUR, of=(8 * HOUR, 0), labels=INSTRUMENT, shown=("instruments", "lost")),
        Alarm("running", Text("仪器无人登记而运行", "An instrument runs for nobody"), Text("仪器 {labels} 12 小时内在没有登记的情况下运行 {value} 秒。", "Instrument {labels} ran for {value} s of 12 hours while nobody had signed on."),
              f'SELECT sum("unattributed_s"){FROM_INSTRUMENT}{BY_INSTRUMENT}', 6 * HOUR, of=(12 * HOUR, 0), labels=INSTRUMENT, shown=("instruments", "parts")),
        Alarm("unknown", Text("仪器状态未知", "Nothing is known of an instrument"), Text("仪器 {labels} 一天内有 {value} 秒状态未知：数据源中断。", "For {value} s of a day nothing was known of instrument {labels}: a source is silent."),
              f'SELECT sum("unknown_s"){FROM_INSTRUMENT}{BY_INSTRUMENT}', 12 * HOUR, of=A_DAY, labels=INSTRUMENT, shown=("instruments", "unknown")),
    ]),
]
FOLDER = Text("Parkmon 告警", "Parkmon alarms")


def filled(alarm: Alarm, text: str) -> str:
    labels = " · ".join(f"{{{{ .Labels.{name} }}}}" for name in alarm.labels)
    return text.replace("{labels}", labels).replace("{value}", '{{ printf "%.3g" .Values.B.Value }}')


def expression(ref: str, kind: str, of: str, **more) -> dict:
    model = {"refId": ref, "type": kind, "expression": of, "datasource": {"type": EXPRESSION, "uid": EXPRESSION}} | more
    return {"refId": ref, "relativeTimeRange": {"from": 0, "to": 0}, "datasourceUid": EXPRESSION, "model": model}


def asked(ref: str, query: str, of: tuple[int, int]) -> dict:
    since, until = of
    model = {"refId": ref, "query": query, "rawQuery": True, "resultFormat": "time_series", "intervalMs": 60000, "maxDataPoints": 43200,
             "datasource": {"type": "influxdb", "uid": DATASOURCE}}
    return {"refId": ref, "relativeTimeRange": {"from": since, "to": until}, "datasourceUid": DATASOURCE, "model": model}


def last(ref: str, of: str) -> dict:
    return expression(ref, "reduce", of, reducer="last", settings={"mode": "dropNN"})


def judged(alarm: Alarm) -> list[dict]:
    if not alarm.given:
        return [expression("C", "threshold", "B", conditions=[{"evaluator": {"type": alarm.is_beyond, "params": [alarm.limit]}}])]
    sign = {"gt": ">", "lt": "<"}[alarm.is_beyond]
    return [asked("D", alarm.given, (10 * MINUTE, 0)), last("E", "D"), expression("C", "math", f"$B {sign} {alarm.limit} && $E > 0")]


def rule(alarm: Alarm, boards: dict[str, Board]) -> dict:
    board, panel = alarm.shown
    # Grafana links to one panel; people are told in both languages.
    return {
        "uid": f"parkmon-{alarm.key}", "title": alarm.title.both(), "condition": "C",
        "dashboardUid": boards[board].uid("zh-CN"), "panelId": boards[board].panel_id(panel),
        "for": alarm.lasts, "noDataState": alarm.no_data, "execErrState": "Error", "isPaused": False,
        "labels": {"product": "parkmon", "severity": alarm.severity},
        "annotations": {"summary": alarm.title.both(), "description": filled(alarm, alarm.about.both()),
                        "description_zh": filled(alarm, alarm.about.zh), "description_en": filled(alarm, alarm.about.en)},
        "data": [asked("A", alarm.query, alarm.of), last("B", "A"), *judged(alarm)],
    }


def provisioned(boards: dict[str, Board]) -> dict:
    return {"apiVersion": 1, "groups": [
        {"orgId": 1, "name": f"{name.zh} {name.en}", "folder": f"{FOLDER.zh} {FOLDER.en}", "interval": interval,
         "rules": [rule(alarm, boards) for alarm in alarms]} for name, interval, alarms in GROUPS]}
