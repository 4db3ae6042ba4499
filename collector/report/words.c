#include "collector/report/words.h"

#include "collector/report/words_private.h"

#include <assert.h>
#include <string.h>

/* Tables. */
static const char *const titles[][3] = {
    {"report_title", "能源审计报告", "Energy audit report"},
    {"about", "报告说明", "About this report"},
    {"totals", "全园合计", "Site totals"},
    {"buildings", "按楼宇（扣除转供）", "By building, less what flows on to others"},
    {"tenants", "按租户（扣除转供）", "By tenant, less what flows on to others"},
    {"items", "按分项（扣除下级分项）", "By item, less what is measured under others"},
    {"meters", "按计量表", "By meter"},
    {"metered", "各组计量合计（不扣转供）与虚拟表",
        "Groups as metered, with nothing taken off, and virtual meters"},
    {"comparison", "环比与同比", "Against earlier periods"},
    {"curve", "负荷曲线", "Load curve"},
    {"profile", "平均日负荷", "Mean day"},
    {"demand", "最大需量与夜间基荷", "Maximum demand and base load at night"},
    {"balance", "计量平衡", "Balance of meters"},
    {"sufficiency", "数据充分性", "Data sufficiency"},
    {"baseline", "能源基准与数据", "Energy baselines and their data"},
    {"baseline_model", "基准模型", "Models of the baselines"},
    {"avoided_energy", "避免的能耗（对照基准）", "Avoided energy, against the baseline"},
    {"exceptions", "异常与处置", "Exceptions"},
    {"devices", "计量器具与更换记录", "Meters and the devices that were installed"},
    {"closings", "关账记录", "Closings"},
    {"overrides", "关账时的破例", "What was closed all the same"},
    {"booked", "各月入账数量", "What is booked, by month"},
    {"adjusting_entries", "调整分录", "Adjusting entries"},
    {"lines", "折标煤、碳排放与费用明细", "Coal equivalent, CO2 and cost, line by line"},
    {"meter_lines", "各表明细", "Lines of each meter"},
    {"factors", "所用系数、电价与依据", "Factors and prices, with their documents"},
    {"method", "方法说明", "Statement of method"},
};

/* Headings, and what the report says of itself. */
static const char *const headings[][3] = {
    {"what", "项目", "What"},
    {"value", "内容", "Value"},
    {"site_id", "园区编号", "Site id"},
    {"site", "园区", "Site"},
    {"period", "报告期", "Period"},
    {"zone", "时区", "Time zone"},
    {"region", "电网区域", "Grid region"},
    {"as_of", "账册所含数据到达时刻", "Data that arrived until"},
    {"reckoned", "统计时刻（本期未满）", "Reckoned at (not over yet)"},
    {"decided_until", "已定刻钟截至", "Quarter hours decided until"},
    {"model_version", "园区模型版本", "Version of the park model"},
    {"model_accepted", "模型接受时刻", "Accepted at"},
    {"model_hash", "模型摘要", "Hash of the model"},
    {"program", "程序", "Program"},
    {"command", "重现命令", "Reproduced by"},
    {"carrier", "能源种类", "Carrier"},
    {"id", "编号", "Id"},
    {"name", "名称", "Name"},
    {"unit", "单位", "Unit"},
    {"amount", "数量", "Amount"},
    {"by", "分组", "By"},
    {"left_out", "未计入的虚拟表", "Virtual meters left out"},
    {"known", "其中已知", "Known part"},
    {"unknown_h", "未知时长 h", "Unknown, h"},
    {"coverage", "覆盖率 %", "Coverage, %"},
    {"estimated_share", "估算占比 %", "Estimated, %"},
    {"manual_share", "手工占比 %", "Manual, %"},
    {"quality", "数据质量", "Quality"},
    {"per_m2", "每平方米", "Per m2"},
    {"per_head", "人均", "Per head"},
    {"tce_calorific", "标煤 当量值 tce", "tce, calorific value (当量)"},
    {"tce_equivalent", "标煤 等价值 tce", "tce, as generated (等价)"},
    {"tco2", "二氧化碳 tCO2", "tCO2"},
    {"tco2e", "足迹 tCO2e", "Footprint, tCO2e"},
    {"cost", "费用 元", "Cost, yuan"},
    {"kind", "类别", "Kind"},
    {"band", "时段", "Band"},
    {"rate", "系数或单价", "Factor or price"},
    {"rate_unit", "系数单位", "Its unit"},
    {"result", "结果", "Result"},
    {"known_result", "已知部分结果", "Result of the known part"},
    {"result_unit", "结果单位", "Its unit"},
    {"document", "依据文件", "Document"},
    {"confidence", "可信度", "Confidence"},
    {"why", "缺失原因", "Why there is none"},
    {"valid_from", "生效日", "Valid from"},
    {"valid_through", "截止日", "Valid through"},
    {"note", "备注", "Note"},
    {"part", "对象", "Of"},
    {"against", "对比", "Against"},
    {"earlier_period", "对比期", "Earlier period"},
    {"earlier_amount", "对比期数量", "Its amount"},
    {"earlier_coverage", "对比期覆盖率 %", "Its coverage, %"},
    {"difference", "差额", "Difference"},
    {"change", "变化 %", "Change, %"},
    {"comparable", "可比性", "Comparable"},
    {"from", "起", "From"},
    {"until", "止", "Until"},
    {"mean_kw", "平均功率 kW", "Mean power, kW"},
    {"time", "时刻", "Time"},
    {"workday_kw", "周一至周五 kW", "Monday to Friday, kW"},
    {"weekend_kw", "周六周日 kW", "Saturday and Sunday, kW"},
    {"demand_kw", "最大需量 kW", "Maximum demand, kW"},
    {"demand_at", "出现时刻", "Quarter hour from"},
    {"demand_whole", "是否确定", "Certain"},
    {"base_kw", "夜间基荷 kW", "Base load at night, kW"},
    {"base_coverage", "基荷覆盖率 %", "Its coverage, %"},
    {"children", "下级合计", "Sum of children"},
    {"gap", "差额", "Gap"},
    {"share", "差额占比 %", "Gap, %"},
    {"limit", "限值 %", "Limit, %"},
    {"verdict", "结论", "Verdict"},
    {"days", "应有天数", "Days"},
    {"missing_days", "缺失天数", "Missing"},
    {"zero_days", "其中零值", "Of these zero"},
    {"filled_days", "填补天数", "Filled"},
    {"allowed_days", "允许缺失", "Allowed missing"},
    {"event", "事件", "Event"},
    {"settled", "状态", "State"},
    {"building", "楼宇", "Building"},
    {"tenant", "租户", "Tenant"},
    {"item", "分项编码", "Item"},
    {"parent", "上级表", "Parent"},
    {"serial", "出厂编号", "Serial"},
    {"point", "采集点", "Point"},
    {"registers", "表底所属侧", "Registers"},
    {"ratio", "倍率", "Ratio"},
    {"start_register", "起始表底", "Start register"},
    {"end_register", "结束表底", "End register"},
    {"modulus", "翻转值", "Modulus"},
    {"resolution", "分辨率", "Resolution"},
    {"meter_id", "计量表", "Meter"},
    {"temperature", "室外温度点", "Outdoor temperature"},
    {"baseline_from", "基准期起", "Baseline from"},
    {"baseline_through", "基准期止", "Baseline through"},
    {"step", "数据步长", "Data by"},
    {"no_energy_days", "缺电量或能量", "Without energy"},
    {"no_temperature_days", "缺温度", "Without temperature"},
    {"occupancy", "计入人数的房间", "People in"},
    {"no_people_days", "缺人数", "Without people"},
    {"stated_share", "估算与手工占比 %", "Estimated and manual, %"},
    {"model", "模型", "Model"},
    {"periods", "建模点数", "Points"},
    {"base_load", "基础负荷（每日）", "Base load, a day"},
    {"heating_balance", "采暖平衡温度 ℃", "Balance temperature of heating, C"},
    {"heating_slope", "每采暖度日", "Per heating degree day"},
    {"heating_t", "采暖 t 值", "t of heating"},
    {"cooling_balance", "制冷平衡温度 ℃", "Balance temperature of cooling, C"},
    {"cooling_slope", "每制冷度日", "Per cooling degree day"},
    {"cooling_t", "制冷 t 值", "t of cooling"},
    {"people_slope", "每人（日均在室人数）", "Per person, mean of the day"},
    {"people_t", "人数 t 值", "t of people"},
    {"r2", "R2", "R2"},
    {"cv_rmse", "CV(RMSE) %", "CV(RMSE), %"},
    {"cv_rmse_limit", "其限值 %", "Its limit, %"},
    {"nmbe", "NMBE %", "NMBE, %"},
    {"nmbe_limit", "其限值 ±%", "Its limit, +-%"},
    {"outside_days", "超出基准期温度或人数范围的天数", "Days beyond the baseline's temperatures or people"},
    {"metered_energy", "计入各日的实测", "Metered on the days that count"},
    {"expected", "按基准应用", "Expected by the baseline"},
    {"avoided", "避免的能耗", "Avoided"},
    {"avoided_share", "占应用 %", "Of what was expected, %"},
    {"uncertainty", "不确定度 ±（68 %）", "Uncertainty, +- at 68 %"},
    {"closed_at", "关账时刻", "Closed at"},
    {"who", "经办", "By"},
    {"why_closed", "理由", "Reason given"},
    {"journal", "账册截至批次", "Books up to batch"},
    {"seal", "封存哈希", "Seal"},
    {"overridden", "破例项数", "Overridden"},
    {"stood_against", "不符项", "What stood against it"},
    {"finding", "当时情况", "As it was then"},
    {"month_state", "状态", "State"},
    {"month_metered", "本月计量", "Metered of the month"},
    {"month_known", "其中已知", "Known part"},
    {"adjusting", "调整分录", "Adjusting entries"},
    {"adjusting_known", "其中已知", "Known part"},
    {"booked_sum", "入账合计", "Booked"},
    {"booked_known", "其中已知", "Known part"},
    {"booked_in", "入账月份", "Booked in"},
    {"was_booked", "原入账", "Was booked"},
    {"was_known", "其中已知", "Known part"},
    {"now_metered", "现计量", "Metered now"},
    {"now_known", "其中已知", "Known part"},
    {"known_difference", "已知部分差额", "Difference of what is known"},
    {"rule", "条", "No."},
    {"text", "内容", "Text"},
};

/* Values. */
static const char *const values[][3] = {
    {"electricity", "电力", "Electricity"},
    {"heat", "热力", "Heat"},
    {"cooling", "冷量", "Cooling"},
    {"water", "水", "Water"},
    {"gas", "燃气", "Gas"},
    {"steam", "蒸汽", "Steam"},
    {"virtual", "虚拟表", "Virtual meter"},
    {"meter", "计量表", "Meter"},
    {"no_tenant", "未分配租户", "No tenant"},
    {"no_item", "未分项", "No item code"},
    {"measured", "实测", "Measured"},
    {"estimated", "含估算", "Partly estimated"},
    {"manual", "含手工", "Partly manual"},
    {"unknown", "未知", "Unknown"},
    {"waiting", "尚缺读数", "Awaits a reading"},
    {"future", "期间未满", "Not over yet"},
    {"absent", "未安装计量表", "No meter installed"},
    {"sharp", "尖峰", "Sharp"},
    {"peak", "高峰", "Peak"},
    {"flat", "平段", "Flat"},
    {"valley", "低谷", "Valley"},
    {"deep", "深谷", "Deep valley"},
    {"total", "合计", "Total"},
    {"schedule", "时段划分", "Hours of the bands"},
    {"period_before", "环比 上一期", "The period before"},
    {"year_before", "同比 上年同期", "A year before"},
    {"good", "可比", "Yes"},
    {"unknown_now", "本期数量未知", "No: unknown now"},
    {"unknown_then", "对比期数量未知", "No: unknown then"},
    {"coverage_now", "本期覆盖率低于 90 %", "No: coverage now below 90 %"},
    {"coverage_then", "对比期覆盖率低于 90 %", "No: coverage then below 90 %"},
    {"other_meters", "计量表不同", "No: not the same meters throughout"},
    {"no_period", "无对应时期", "No: there is no such period"},
    {"too_large", "超出范围", "No: out of range"},
    {"demand_certain", "确定", "Yes"},
    {"demand_at_least", "至少如此，有时段未知", "At least so much: some of it is unknown"},
    {"within", "限值内", "Within the limit"},
    {"above", "超限", "Above the limit"},
    {"sufficient", "充分", "Sufficient"},
    {"insufficient", "不充分", "Insufficient"},
    {"no_profile", "人工抄表，不适用", "Read by hand: does not apply"},
    {"outliers", "离群读数，已剔除", "Outliers, left out"},
    {"frozen", "冻结读数，已剔除", "Frozen readings, left out"},
    {"rollover", "表底翻转", "Rollover"},
    {"exception", "未决异常", "Open exception"},
    {"limit_exceeded", "超过最大速率", "More than the greatest rate"},
    {"confirm_meter", "长时中断后须核表", "Long gap: confirm the meter"},
    {"outside", "不属任何安装期的读数", "Reading of no installed device"},
    {"quarantined", "表底越界的读数", "Reading that its register cannot show"},
    {"stated_energy", "人工认定的用量", "Energy that a person stated"},
    {"other_event", "其他", "Other"},
    {"open", "未决", "Open"},
    {"by_rule", "按规则处理", "Settled by rule"},
    {"by_person", "人工决定", "Decided by a person"},
    {"month_closed", "已关账", "Closed"},
    {"month_open", "未关账", "Open"},
    {"primary", "一次侧", "Primary"},
    {"secondary", "二次侧", "Secondary"},
    {"by_day", "日", "Days"},
    {"by_month", "月", "Months"},
    {"model_mean", "均值", "Mean"},
    {"model_heating", "采暖度日", "Heating degree days"},
    {"model_cooling", "制冷度日", "Cooling degree days"},
    {"model_both", "采暖与制冷度日", "Heating and cooling degree days"},
    {"accepted", "接受", "Accepted"},
    {"days_missing", "不给出：缺失天数过多", "Refused: too many days are missing"},
    {"months_missing", "不给出：缺失月份过多", "Refused: too many months are missing"},
    {"no_weather", "不给出：度日过少或不变", "Refused: too few degree days, or always the same"},
    {"no_people", "不给出：人数不变", "Refused: there are always as many people"},
    {"people_behind", "暂不给出：人数尚在推算", "Refused so far: people are still being reckoned"},
    {"negative_coefficient", "不给出：系数为负", "Refused: a coefficient has the wrong sign"},
    {"insignificant", "不给出：系数不显著（t 小于 2）", "Refused: a slope is insignificant (t below 2)"},
    {"cv_rmse_above", "不给出：CV(RMSE) 超限", "Refused: CV(RMSE) is above its limit"},
    {"nmbe_beyond", "不给出：NMBE 超限", "Refused: NMBE is beyond its limit"},
    {"stated", "给出", "Stated"},
    {"no_model", "不给出：基准模型未被接受", "Refused: the model is not accepted"},
    {"before_reporting", "不给出：报告期尚未开始", "None: the reporting period has not begun"},
    {"too_short", "不给出：月模型不适用于不足 28 天",
        "Refused: a model of months says nothing of less than 28 days"},
    /* Of the HTML. */
    {"annex", "逐行数值见 XLSX、CSV 或 JSON。", "The numbers, row by row, are in the XLSX, CSV and JSON."},
    {"nothing", "无。", "None."},
    {"chart_part", "其中有未知时段，仅示已知部分", "a part is unknown: what is known is shown"},
};

static const char *const method[][3] = {
    {"method_amounts",
        "数量由累计表底得出：每刻钟的数量为其末与其始的累计值之差，按各表的一次侧基本单位取整数；不以瞬时功率"
        "积分。"
        "月、季、年按园区时区的整日合计；一日或一年的数量等于其各刻钟之和，分毫不差。",
        "Amounts come from cumulative registers: that of a quarter hour is the register at its end less that "
        "at its "
        "beginning, in whole base units of the primary side; power is not integrated. Days, months and years "
        "are those "
        "of the site's time zone, and the amount of a period is the sum of its quarter hours, exactly."},
    {"method_unknown",
        "未知不是零。有未决异常或缺读数的时段，该期数量为未知，仅另列已知部分与未知时长，不以已知部分代替。"
        "计量表安装前与拆除后不计量，其间合计为当时在装各表之和。",
        "What is not known is no 0. Where an exception is open or a reading is missing, the amount of the "
        "period "
        "is unknown; what is known and for how long it is not stand beside it, never in its place. Nothing "
        "flows "
        "through a meter before it is installed or after it is removed: a total is that of the meters that "
        "were there."},
    {"method_quality",
        "刻钟边界处有读数，或前后读数间隔不超过该表限值者为实测，否则为估算（线性内插）；手工抄录者为手工。"
        "覆盖率为实测与手工的刻钟数占应有刻钟数的比例，向下取整到 0.1 %。",
        "A boundary of a quarter hour is measured where a reading stands or its neighbours are no further "
        "apart than the "
        "meter's limit, else estimated (linear); entered by hand it is manual. Coverage is the measured and "
        "manual "
        "quarter hours among those that were due, rounded down to 0.1 %."},
    {"method_totals",
        "合计不重复计量：一组表的合计，计入流入该组的表，减去由该组流向组外的下级表。故各楼宇、各租户（含未分"
        "配）、"
        "各分项（含未分项）之和分别等于全园合计；某分项的数量不含其下另有分项的部分。"
        "其覆盖率按所涉各表均有覆盖的刻钟计。本报告以此为准，标煤、碳排放、费用与同比环比皆据此。"
        "“各组计量合计”仅供与表计及接口 /api/v1/energy 核对：为组内最上级各表之和，不扣转供，"
        "故各组不可再相加，其覆盖率按各表刻钟合计。分项编码名称依住建部分项能耗导则（A；04000 为 C）。"
        "反向（上网）表从其对应正向表计入之处扣除，不计电费。",
        "Nothing is added twice: of a group, meters through which it is fed count, and meters below them "
        "that measure "
        "for others are taken off. So the buildings, the tenants (with what has none) and the items (with "
        "what has none) "
        "each add up to the site's total; an item's amount leaves out what is measured below it under "
        "another item. These are the amounts of this report: coal equivalent, CO2, cost and comparisons rest "
        "on them. "
        "'Groups as metered' are for checking against meters and /api/v1/energy: each adds up its topmost "
        "meters and takes "
        "nothing off, so they are not to be added up, and their coverage counts the quarter hours of all "
        "their meters. "
        "Names of item codes are those of the ministry's guideline (A; of 04000 C). What flows back (export) "
        "is "
        "taken off wherever the register of what is drawn is added; it has no cost."},
    {"method_lines",
        "折标煤、碳排放与费用按行计算：每行为一块表、一个时段、一行系数或单价在本期的数量与系数之积，仅舍入一"
        "次"
        "（四舍五入，0.01 元或 1 "
        "g）；表的归属在期内变更的，变更前后分别计算；合计为各行舍入值之和。当量值与等价值、CO2 与 CO2e "
        "各自成列，从不相加或混用。"
        "可信度：A 多个独立公开来源一致，B 单一公开来源，C 一般知识，须核对原文。",
        "Coal equivalent, CO2 and cost are lines: of one meter, band, row of factors or prices and this "
        "period, an exact "
        "product rounded once, half away from zero, to 0.01 yuan or 1 g; where a meter belongs to another "
        "from some time on, once before and once after; totals add rounded lines. 当量 and "
        "等价, CO2 and "
        "CO2e stand apart and are never added. Confidence: A several independent public sources agree, B "
        "one, C general "
        "knowledge, to be checked."},
    {"method_demand",
        "最大需量为平均功率最高的一个整刻钟，并列者取最早。夜间基荷为本期每日 02:00 至 "
        "05:00（园区时间）各刻钟的平均功率，"
        "未知的刻钟不计入，其覆盖率另列；此为本系统的定义，并无标准。",
        "Maximum demand is the quarter hour of the clock with the highest mean power, the first of equals. "
        "Base load at "
        "night is the mean power of the quarter hours from 02:00 to 05:00 of every day, by the site's "
        "clocks; those that "
        "are unknown are left out, and its coverage says so. This definition is ours: no standard has one."},
    {"method_balance",
        "计量平衡的差额为上级表减其全部直接下级表；任一未知则差额未知。限值为各上级表所设，正负同等对待。",
        "The gap of a balance is the parent's amount less those of its children; unknown where any of them "
        "is. The limit "
        "is the one set for the parent, and holds in either sign."},
    {"method_sufficiency",
        "数据充分性依 CalTRACK Methods 2.0 第 2.2.1.2、2.2.1.3、2.2.1.4、2.2.2.1 条：365 天中至多缺 37 "
        "天（其他期间为十分之一，向上取整）；一日缺值不过半者以其余均值填补，过半者为缺失；电力零值日为缺失；"
        "全日皆由前后读数内插而得者，当日无读数，为缺失；其余内插与手工的刻钟计为有数据，其占比另列。"
        "填补仅用于判定，不计入任何数量。",
        "Data sufficiency is judged by CalTRACK Methods 2.0, 2.2.1.2, 2.2.1.3, 2.2.1.4 and 2.2.2.1: at most "
        "37 of 365 days missing (of other periods a tenth, rounded up); a day of which at most half is "
        "missing "
        "is filled with the mean of the rest, else it is missing; a day of electricity that comes to 0 is "
        "missing; a day that is interpolated as a whole has no reading and is missing; what is interpolated "
        "of "
        "other days counts as there, and its share stands beside. Filling serves this judgement alone and is "
        "in no amount."},
    {"method_comparison",
        "环比与同比只在两期数量均已知、覆盖率均不低于 90 %、且计量表全程相同时给出；否则列明原因。",
        "Earlier periods are compared only where both amounts are known, coverage is at least 90 % in both, "
        "and the same "
        "meters were there throughout; else the reason is given."},
    {"method_baseline",
        "能源基准（ISO 50006、IPMVP 方案 C）按 CalTRACK Methods 2.0 的日与账单方法（2.2、3.2 至 "
        "3.6）：日均能耗 = "
        "基础负荷 + 采暖系数 × 采暖度日 + 制冷系数 × "
        "制冷度日，度日由日平均气温（各小时均值，缺半数以上小时的日为缺失）"
        "与平衡温度得出；平衡温度在设定范围内逐度试算，取 R2 "
        "最高者；按月建模时各月以天数加权，缺十分之一以上天数的月不用。"
        "缺失日超过十分之一、系数符号不符、t 小于 2，或 CV(RMSE)、NMBE 超出 ASHRAE Guideline 14 限值（月 15 "
        "%、5 %；"
        "日取其小时限值 30 %、10 %，其无日限值；C：须核对原文）者不予接受，并列明原因；R2 "
        "仅列示，无限值。CV(RMSE) 的自由度为 n - p；"
        "含截距的最小二乘使 NMBE 为零。避免的能耗 = 按基准应用 - "
        "实测，仅计两者均完整的日：未知不是零，填补不计入。"
        "不确定度依 Guideline 14 附录 B（t = 1；C：须核对原文）。模型为统计，用浮点数；表底与金额从不。",
        "Energy baselines (ISO 50006, IPMVP option C) follow the daily and billing methods of CalTRACK "
        "Methods 2.0 (2.2, 3.2 "
        "to 3.6): energy a day = base load + slope x heating degree days + slope x cooling degree days, from "
        "daily means of "
        "the temperature (of hours; a day with more than half of them missing has none) and balance "
        "temperatures that are "
        "tried degree by degree in the range of the settings: the highest R2 counts. Months weigh as many "
        "days as they "
        "have, and count with 90 % of them. A model is refused, and the reason given, where more than a "
        "tenth of the days "
        "is missing, a coefficient has the wrong sign, t is below 2, or CV(RMSE) or NMBE is beyond ASHRAE "
        "Guideline 14 (15 % "
        "and 5 % by months; by days its 30 % and 10 % of hours, since it has none for days; C: to be "
        "checked). R2 is shown and "
        "has no limit. CV(RMSE) has n - p degrees of freedom; NMBE is 0 by least squares with a base load. "
        "Avoided = "
        "expected - metered, over the days that are wholly known in both: the unknown is no 0, and what is "
        "filled is not "
        "avoided. Uncertainty is by Guideline 14, annex B (t = 1; C: to be checked). A model is statistics "
        "and made with "
        "floating point; registers and money never are."},
    {"method_occupancy",
        "能源基准以人员为相关变量者（ISO 50006；IPMVP 之独立变量；CalTRACK 无此变量）：日均能耗另加 系数 × "
        "日均在室人数，"
        "人数为所列各房间之和，每房间恒取同一来源（区域人数计数，否则门口计数的修正序列）。任一房间当日被观测"
        "不足 90 "
        "% 者，该日为缺失并计数：未观测不是零。系数为正、t 不小于 2、CV(RMSE) 与 NMBE 的要求与其他变量相同。",
        "Where a baseline depends on people as well (ISO 50006: a relevant variable; IPMVP: an independent "
        "one; "
        "CalTRACK has none): energy a day has + slope x people, the mean of the day in the spaces that are "
        "named, "
        "together, of each by one source, always the same: the counter of the area, else the corrected "
        "series of "
        "its doors. A day on which less than 90 % of any of them was observed is missing, and counted: what "
        "is not "
        "observed is no 0. The slope is above 0, t at least 2, and CV(RMSE) and NMBE are judged as with the "
        "other "
        "variables."},
    {"method_books",
        "本报告取账册各刻钟的最新版本（按表计）；迟到的读数与裁定会形成新版本，旧版本仍保留。同一数据库、设置"
        "与报告期得到同一报告。",
        "The report takes the latest version of each quarter hour in the books, as metered; late readings "
        "and decisions "
        "make further versions, and the former ones stay. The same database, settings and period give the "
        "same report."},
    {"method_closing",
        "已关账月份的入账数量为关账时各刻钟所用版本之和，此后不变，亦不重开；迟到的读数与裁定使其变化者，以“"
        "现计量减原入账”"
        "作为调整分录记入当时未关账的首月。故各月入账之和等于现计量之和。原为未知或现为未知者，调整分录为未知"
        "，仅列已知部分。",
        "What is booked of a closed month are the versions of its quarter hours that the closing used: that "
        "stays, and "
        "it is never opened again. What late readings and decisions change of it is booked, as what is "
        "metered now "
        "less what was booked, in the first month that is open. So what is booked of all months adds up to "
        "what is "
        "metered now. Where one of the two is unknown so is the entry, with the known part beside."},
};

#define FIND(table) find(table, sizeof(table) / sizeof(table)[0], code, column)

static const char *find(const char *const (*words)[3], size_t count, const char *code, int column)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i][0], code) == 0)
            return words[i][column];
    return NULL;
}

const char *words_find(enum page_language language, const char *code)
{
    int column = language == PAGE_ZH ? 1 : 2;
    const char *word = FIND(headings);
    if (word == NULL)
        word = FIND(values);
    if (word == NULL)
        word = FIND(titles);
    if (word == NULL)
        word = FIND(method);
    if (word == NULL)
        word = find(words_drill, words_drill_count, code, column);
    if (word == NULL)
        word = find(words_statement, words_statement_count, code, column);
    return word;
}

const char *words_of(enum page_language language, const char *code)
{
    const char *word = words_find(language, code);
    assert(word != NULL);
    return word;
}
