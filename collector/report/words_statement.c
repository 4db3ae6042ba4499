/* The words of a statement of instruments (collector/statement/). */
#include "collector/report/words_private.h"

const char *const words_statement[][3] = {
    {"statement_title", "共享仪器机时与服务月报", "Statement of shared instruments"},
    {"instruments", "仪器汇总", "Instruments"},
    {"hours_parts", "机时构成", "What the time went to"},
    {"organisations", "使用单位汇总", "Organisations"},
    {"instrument_organisations", "各仪器使用单位", "Organisations by instrument"},
    {"records", "使用记录", "Records of use"},
    {"outages", "故障与维护", "Faults and maintenance"},
    {"cross_check", "使用记录与传感器比对", "Records against the sensor"},

    {"maker_model", "厂商型号", "Maker and model"},
    {"category", "仪器类别", "Category"},
    {"owner", "管理单位", "Managed by"},
    {"owner_code", "管理单位法人代码", "Its code"},
    {"sharing", "开放共享", "Shared"},
    {"is_shared", "是", "Yes"},
    {"is_not_shared", "否", "No"},
    {"rated_year_h", "年额定机时 h", "Rated, h a year"},
    {"rated_h", "本期额定机时 h", "Rated in the period, h"},
    {"effective_h", "有效机时 h", "Effective, h"},
    {"internal_h", "对内机时 h", "Internal, h"},
    {"external_h", "对外机时 h", "External, h"},
    {"unattributed_h", "未归属机时 h", "Of nobody known, h"},
    {"unknown_share", "未知占本期 %", "Not known, %"},
    {"bookings_unknown_h", "预约情况未知 h", "Bookings not known, h"},
    {"unknown_limit", "未知占比上限 %", "Not known at most, for rates, %"},
    {"utilisation", "机时利用率 %", "Utilisation, %"},
    {"sharing_rate", "开放共享率 %", "Sharing rate, %"},
    {"measured_share", "有效机时中实测占比 %", "Effective, of it measured, %"},
    {"sessions", "使用次数", "Sessions"},
    {"internal_sessions", "对内次数", "Internal"},
    {"external_sessions", "对外次数", "External"},
    {"trainings", "培训次数", "For training"},
    {"services", "维保次数", "For maintenance"},
    {"external_share", "外部用户次数占比 %", "Of external users, %"},
    {"organisation_count", "使用单位数", "Organisations"},
    {"external_organisation_count", "外部单位数", "External organisations"},
    {"energy_kwh", "用电量 kWh", "Energy, kWh"},
    {"energy_known_kwh", "其中已知 kWh", "Known part, kWh"},
    {"energy_quality", "电量数据质量", "Quality of energy"},
    {"no_meter", "无专用电表", "No meter of its own"},

    {"hours_part", "类别", "Part"},
    {"seconds", "时长 s", "Time, s"},
    {"seconds_known", "其中已知 s", "Known of it, s"},
    {"hours", "时长 h", "Time, h"},
    {"part_share", "占本期 %", "Of the period, %"},
    {"measured_s", "实测 s", "Measured, s"},
    {"declared_s", "申报 s", "Declared, s"},
    {"inferred_s", "推断 s", "Inferred, s"},
    {"manual_s", "人工登记 s", "Entered by a person, s"},
    {"imported_s", "外部导入 s", "Imported, s"},
    {"not_known_s", "无依据 s", "Not known, s"},
    {"broken", "故障停机", "Out of service"},
    {"planned_outage", "计划停机与维护", "Planned outage, maintenance"},
    {"training", "培训", "Training"},
    {"internal", "有效机时：对内", "Effective: internal"},
    {"external", "有效机时：对外", "Effective: external"},
    {"unattributed", "有效机时：未归属", "Effective: of nobody known"},
    {"idle", "占用空转", "Idle in a session"},
    {"no_show", "预约未到", "Booked, nobody came"},
    {"reserved", "预约未用", "Booked, not used then"},
    {"closed", "非开放时间", "Closed"},
    {"free", "开放空闲", "Free"},

    {"organisation", "单位代码", "Organisation, code"},
    {"user", "用户属性", "User"},
    {"user_unknown", "未知", "Not known"},
    {"user_internal", "内部", "Internal"},
    {"user_external", "外部", "External"},
    {"instrument_count", "使用仪器数", "Instruments"},
    {"session_h", "占用时长 h", "In sessions, h"},
    {"training_h", "培训 h", "Training, h"},
    {"idle_h", "空转 h", "Idle, h"},
    {"unknown_hours", "未知 h", "Not known, h"},
    {"sessions_kwh", "使用期间电量 kWh", "Energy in sessions, kWh"},
    {"sessions_known_kwh", "使用期间电量：其中已知 kWh", "Energy in sessions: known part, kWh"},
    {"unknown_energies", "电量未知的次数", "Sessions of unknown energy"},

    {"session", "记录号", "Record"},
    {"opened", "开始", "Opened"},
    {"closed_at_time", "结束", "Closed"},
    {"class", "用途类别", "Class"},
    {"class_training", "培训", "Training"},
    {"class_service", "维保", "Maintenance"},
    {"purpose", "使用内容", "Purpose"},
    {"session_kwh", "用电量 kWh", "Energy, kWh"},
    {"session_end", "结束方式", "How it ended"},
    {"end_open", "尚未结束", "Still open"},
    {"end_closed", "按登记结束", "As it was told"},
    {"end_next", "由下一次开始而结束", "Where the next was opened"},
    {"end_forgotten", "未登记结束，系推断", "Nobody closed it: inferred"},
    {"end_unopened", "只有结束登记", "A close alone"},
    {"declared", "申报", "Declared"},
    {"inferred", "推断", "Inferred"},
    {"by_person", "人工登记", "Entered by a person"},
    {"imported", "外部导入", "Imported"},
    {"none", "无", "None"},

    {"outage", "停机号", "Outage"},
    {"outage_kind", "性质", "Kind"},
    {"outage_broken", "故障", "Out of service"},
    {"outage_planned", "计划停机", "Planned outage"},
    {"outage_problem", "带病可用", "Problem, in service"},
    {"outage_target", "对象类型", "Of"},
    {"target_id", "对象编号", "Its id"},
    {"target_instrument", "仪器", "Instrument"},
    {"target_resource", "公用条件", "Resource"},
    {"target_space", "房间", "Space"},
    {"outage_h", "本期时长 h", "In the period, h"},
    {"outage_category", "原因类别", "Category"},

    {"record_s", "使用记录时长 s", "Sessions, s"},
    {"run_s", "传感器运行时长 s", "Running by the sensor, s"},
    {"run_in_records_s", "其中有使用记录 s", "Of it in sessions, s"},
    {"run_outside_s", "其中无使用记录 s", "Of it outside, s"},
    {"run_recorded_share", "运行有记录占比 %", "Recorded, %"},

    {"statement_parts",
        "本期每一毫秒只归入一类，按表中次序首先符合者计；各类相加恰为本期时长，各类的依据相加恰为该类时长。以"
        "秒（三位小数）所"
        "列者为精确值，小时与百分数仅供阅读。期间未满者只计已过时间。",
        "Every millisecond of the period is in exactly one part, the first that fits in the order of the "
        "table; the parts add "
        "up to the period, and the evidence of a part to the part. Seconds with three decimals are exact; "
        "hours and per cent "
        "are rounded, for people. Of a period that is not over, what has passed counts."},
    {"statement_effective",
        "有效机时 = 运行 + 使用时段内首次运行前的准备与末次运行后的处理（各有上限）+ "
        "不超过上限的两次运行间歇；空转与未知均不计"
        "入（B：一个公开来源）。对内与对外依使用者所属法人单位划分，与收费无关。培训、故障与维护另列，不计入"
        "有效机时。",
        "Effective hours are what it ran, and inside a session preparation before the first run and "
        "post-processing after the "
        "last, up to their caps, and pauses up to theirs; what is idle or not known is none (B: one public "
        "source). Internal "
        "and external go by the user's legal entity, not by the price. Training, faults and maintenance "
        "stand apart and are "
        "not effective."},
    {"statement_rates",
        "机时利用率 = 有效机时 / 本期额定机时；额定机时按年（通用仪器 1400 h，专用 800 "
        "h：A）依时长分摊，各期之和等于全年。开放共享率 = 对外机时 / "
        "有效机时。未知部分占本期超过首表所列上限者，"
        "不列利用率与共享率，只列已知机时与未知时长。2025 年单价 50 万元以上仪器的全国平均为有效 1599 "
        "h、对外 273 "
        "h（B），供对照。",
        "Utilisation = effective / rated; the rated hours of the year (1400 of a general instrument, 800 of "
        "a special one: A) are shared out by time, so that periods add up to the year. Sharing rate = "
        "external "
        "/ effective. Where what is not known is more of the period than the limit in the first table, "
        "neither "
        "rate is told: the hours that are known, and those that are not, stand there alone. For comparison, "
        "the national means of 2025 for instruments of 500 000 yuan and more: 1599 h effective, 273 h "
        "external (B)."},
    {"statement_bookings",
        "预约日历只回溯读取 35 "
        "天，且可能多日未能读取：本期内预约情况未知的时长单列。有未知者，预约未到与预约未用不"
        "列数值（不是零），其已知部分另列，各类的已知部分相加恰为本期；该时段内的空闲与非开放时间可能曾被预约"
        "。既无功率又无使用记录的仪器，被预约的时间计为未知，凡取决于使用者不列数值。",
        "A calendar tells of bookings 35 days back, and may not have been read for longer: for how long in "
        "the "
        "period bookings are not known is told. Where that is so, what was booked and nobody came, and what "
        "was "
        "booked and not used, have no figure, which is not 0; what is known of them stands beside, and what "
        "is "
        "known of all parts adds up to the period. Time that is free or closed then may have been booked. "
        "Where neither power nor sessions tell of use, time that was booked is unknown, and what depends on "
        "use "
        "has no figure."},
    {"statement_evidence",
        "依据：实测为功率传感器所见；申报为使用者刷卡或登记；推断为未登记结束的使用，按最长时限或末次运行结束"
        "；人工登记为工作人员"
        "所录；外部导入为预约日历。",
        "Evidence: measured, by the sensor of power; declared, by the user at a card reader or kiosk; "
        "inferred, where nobody "
        "closed a session: it ends after the longest time allowed, or with its last run; entered by a "
        "person, such as outages; "
        "imported, from the calendar of bookings."},
    {"statement_energy",
        "仪器用电量为其专用电表各刻钟之和。单次使用的电量为结束与开始时表底之差，表底在相邻两次读数间按直线取"
        "值、向下取整；"
        "两端相邻读数的间隔均不超过该次使用时长的十分之一者为实测，否则为估算；其间有异常或缺读数者为未知，不"
        "是零。单位所用各次中有未知者（含无专用电表者），其电量合计不列，已知部分另列。",
        "Energy of an instrument is the sum of the quarter hours of its own meter. Energy of a session is "
        "the register at its "
        "end less that at its begin, linear between two readings and rounded down; measured where the "
        "readings beside both "
        "ends are at most a tenth of the session apart, else estimated; unknown, and not 0, where an "
        "exception or a missing "
        "reading lies inside. Where that of one of an organisation's sessions is unknown, as without a meter "
        "of its own, it has no sum; what is known of it stands beside."},
    {"statement_records",
        "使用次数计在开始所在的期间，时长计在其所在的期间。维保不是使用：单列次数，不计入对内、对外次数、外部"
        "用户"
        "次数占比与使用单位数，其时间计入计划停机与维护。单位以代码列示，不含个人姓名。",
        "Sessions are counted in the period in which they were opened, their time in that in which it lies. "
        "Maintenance is no use: it is counted beside, among neither internal nor external sessions, the "
        "share "
        "of external users or the organisations, and its time is planned outage. Organisations are told by "
        "their codes; no person is named."},
    {"statement_outages",
        "故障与维护列出本期内涉及该仪器、其必需的公用条件及其所在房间者，由人登记，类别与说明必填。传感器报告"
        "的公用条件中断计入机"
        "时构成，不在此列。",
        "Faults and maintenance are those that people told in the period of the instrument, of what it "
        "requires and of its "
        "space; a category and a note are mandatory. Resources that a sensor told to be down are in the "
        "parts, not in this "
        "list."},
    {"statement_sensor", "传感器只看仪器关机、待机与使用中三种状态，不控制仪器，不采集其数据。",
        "The sensor does not control the instrument and collects no data of it: it only sees off, standby, "
        "in use."},
};
const size_t words_statement_count = sizeof words_statement / sizeof words_statement[0];
