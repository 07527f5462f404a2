"""The words of the figures of the closed loop."""

WORDS: dict[str, tuple[str, str]] = {
    "figures": ("监管指标", "Figures"),
    "figures.by_district": ("按辖区", "By district"),
    "figures.by_rule": ("按规则", "By rule"),
    "figures.by_day": ("每日新增预警（红色为仍未结）", "Alerts opened each day (red: still open)"),
    "figures.none": ("这段时间没有预警、指令或抽查。", "No alert, directive or draw in this period."),
    "figures.meaning": ("各项指标如何计算", "How each figure is reckoned"),
    "figures.cohort": (
        "只统计这段时间内开始的：新出现的预警、下达的指令、抽取的检查；其后的办理情况计到现在为止。",
        "Only what began in the period: alerts opened, directives issued, visits drawn; what became of them counts until now.",
    ),
    "figures.workbook": ("下载 XLSX", "Download XLSX"),
    "figures.period_wrong": (
        "请给出起止日期，不超过 {most} 天，且不早于起始日。",
        "Give a first and a last day, at most {most} days apart and in order.",
    ),
    "figures.elsewhere": ("不在任何辖区", "In no district"),
    "from_day": ("起", "From"),
    "to_day": ("止", "Through"),
    "show": ("查看", "Show"),
    "of_n": ("{part} / {n}", "{part} of {n}"),
    "hours": ("{n} 小时", "{n} h"),
    "days": ("{n} 天", "{n} d"),
    "figure.alerts": ("预警", "Alerts"),
    "figure.open": ("未结", "Open"),
    "figure.withdrawn": ("撤回", "Withdrawn"),
    "figure.unsettled": ("未能判定", "Left unsettled"),
    "figure.directives": ("指令", "Directives"),
    "figure.closure": ("闭环率", "Closed"),
    "figure.rectification": ("整改率", "Rectified"),
    "figure.on_time": ("按期整改率", "Rectified on time"),
    "figure.recheck_on_time": ("按期复查率", "Re-checked on time"),
    "figure.execution": ("检查计划完成率", "Visits carried out"),
    "figure.false_alarms": ("误报率", "False alarms"),
    "figure.load": ("每千瓶每日预警", "Alerts a day per 1,000 cylinders"),
    "step.acknowledge": ("签收用时", "To acknowledgement"),
    "step.issue": ("下达用时", "To the directive"),
    "step.rectify": ("整改用时", "To the report"),
    "step.recheck": ("复查用时", "To the re-check"),
    "step.close": ("办结用时", "To the end"),
    "means.closure": (
        "除已撤回者外，预警中已消除或由人员关闭的比例。",
        "Of the alerts, without those withdrawn, how many ended by themselves or were closed by a person.",
    ),
    "means.rectification": (
        "除申诉成立者外，指令中复查合格结案的比例；要求 100%。",
        "Of the directives, without those ended by an upheld appeal, how many are closed by a passed re-check; to be 100 %.",
    ),
    "means.on_time": (
        "已报整改或已到期的指令中，从未超过整改期限的比例。",
        "Of the directives reported or past their deadline, how many never missed a deadline.",
    ),
    "means.recheck_on_time": (
        "已复查或复查已到期的整改报告中，在 10 个工作日期限内复查的比例（第57号令第二十九条）。",
        "Of the reports re-checked or due to be, how many were re-checked within ten working days (Order 57 art. 29).",
    ),
    "means.execution": (
        "抽取的检查中已到站检查的比例；要求 100%。",
        "Of the visits that were drawn, how many were carried out; to be 100 %.",
    ),
    "means.false_alarms": (
        "只按人员记录的定性计算：已定性的预警中定为误报的比例，未能判定的不计。撤回不等于误报。",
        (
            "From recorded verdicts only: of the alerts with a verdict, without those left unsettled, how many a person said were"
            " false. A withdrawn alert is no false alarm."
        ),
    ),
    "means.load": (
        "新增预警数除以现有气瓶数（千只）再除以天数。",
        "Alerts opened, for each 1,000 cylinders on record now, and for each day.",
    ),
    "means.steps": (
        "用时均为中位数，括号内为统计的件数：签收与办结自预警出现起算，下达自其首个预警出现起算，整改自下达起算，复查自报送起算。",
        (
            "Times are medians, with their number in brackets: to acknowledgement and end from the alert's opening, to the"
            " directive from its first alert, to the report from the directive, to the re-check from the report."
        ),
    ),
}
