"""What may follow what in a case, who may do it, and by when: from a directive to its end, which nobody reaches alone.

A district's directive to a station (特种设备安全监察指令) is closed by a re-check of another officer than its issuer, or by
an upheld appeal, and by nothing else. A city's letter to a district (三书一函) is closed by the city once it is answered.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import day_start_ms, local_day
from cylinder_trace.law.answers import Names
from cylinder_trace.law.calendar import add_working_days

State = Literal["draft", "issued", "reported", "failed", "answered", "closed", "dropped"]
Appeal = Literal["", "open", "upheld", "rejected"]
Part = Literal["district", "city", "above", "station", "clock"]

DIRECTIVE = "directive"
KINDS: dict[str, Names] = {
    DIRECTIVE: Names("特种设备安全监察指令", "Safety supervision directive"),
    "supervise": Names("挂牌督办通知书", "Notice of listed supervision"),
    "interview": Names("约谈通知书", "Notice of interview"),
    "rectify": Names("整改通知书", "Notice of rectification"),
    "remind": Names("提醒敦促函", "Letter of reminder"),
}
"""The papers: a district's to a station, and the four of the city to a district."""
LETTERS = tuple(kind for kind in KINDS if kind != DIRECTIVE)
LONGEST_TERM_DAYS = 365
LONGEST_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Case:
    """A case as far as it decides what may follow. `due_ms` is the deadline of whoever has to act now."""

    kind: str
    state: State
    district: str
    site_id: str | None = None
    issued_by: str | None = None
    appeal: Appeal = ""
    is_serious: bool = False
    is_escalated: bool = False
    due_ms: int | None = None
    is_due_noted: bool = False
    appeal_due_ms: int | None = None
    is_appeal_noted: bool = False
    closed_how: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a role as accounts have it, and of which district or site; the clock has the role `clock`."""

    username: str
    role: str
    scope_id: str = ""


CLOCK = Actor("", "clock")


@dataclass(frozen=True, slots=True)
class Deed:
    """One step that somebody wants to take. `due_day` is a day of `local_day`, where the step sets a deadline."""

    step: str
    actor: Actor
    at_ms: int
    why: str = ""
    due_day: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """From which states to which, by whom; `to` None leaves the state. A step `of_another` is not for the issuer."""

    names: Names
    origins: frozenset[State]
    to: State | None
    parts: frozenset[Part]
    why: Names | None = None
    sets_due: bool = False
    of_another: bool = False
    takes_files: bool = False


def _step(
    zh: str, en: str, origins: Iterable[State], to: State | None, parts: Iterable[Part], **more: object
) -> Step:
    return Step(Names(zh, en), frozenset(origins), to, frozenset(parts), **more)  # type: ignore[arg-type]


_REASON = Names("理由", "Reason")
_STATIONS_TURN: tuple[State, ...] = ("issued", "failed")
_RUNNING: tuple[State, ...] = ("issued", "failed", "reported")
_OFFICE: tuple[Part, ...] = ("district", "above")

STEPS: dict[str, dict[str, Step]] = {
    "directive": {
        "edit": _step("修改草稿", "Change the draft", ["draft"], None, ["district"], sets_due=True),
        "issue": _step("下达", "Issue", ["draft"], "issued", ["district"]),
        "drop": _step("撤销草稿", "Drop the draft", ["draft"], "dropped", ["district"], why=_REASON),
        "report": _step(
            "提交整改报告", "Send the rectification report", _STATIONS_TURN, "reported", ["station"],
            why=Names("整改情况", "What was done"), takes_files=True,
        ),
        "appeal": _step(
            "申诉", "Appeal", _RUNNING, None, ["station"],
            why=Names("申诉理由", "Why it is not as found"), takes_files=True,
        ),
        "pass": _step(
            "复查合格，结案", "Re-check passed: close", ["reported"], "closed", _OFFICE,
            why=Names("复查情况", "What the re-check found"), of_another=True, takes_files=True,
        ),
        "fail": _step(
            "复查不合格", "Re-check failed", ["reported"], "failed", _OFFICE,
            why=Names("复查情况", "What the re-check found"), sets_due=True, of_another=True, takes_files=True,
        ),
        "uphold": _step(
            "申诉成立，结案", "Uphold the appeal: close", _RUNNING, "closed", ["district", "city"],
            why=_REASON, of_another=True,
        ),
        "reject": _step(
            "驳回申诉", "Reject the appeal", _RUNNING, None, ["district", "city"], why=_REASON, of_another=True
        ),
        "extend": _step("延期", "Extend the deadline", _STATIONS_TURN, None, _OFFICE, why=_REASON, sets_due=True),
        "escalate": _step("上报市局", "Report to the city", _RUNNING, None, ["district"], why=_REASON),
        "late_report": _step("整改逾期", "Rectification overdue", _STATIONS_TURN, None, ["clock"]),
        "late_recheck": _step("复查逾期", "Re-check overdue", ["reported"], None, ["clock"]),
        "late_verdict": _step("申诉处理逾期", "Verdict on the appeal overdue", _RUNNING, None, ["clock"]),
    },
    "letter": {
        "edit": _step("修改草稿", "Change the draft", ["draft"], None, ["city"], sets_due=True),
        "issue": _step("发出", "Issue", ["draft"], "issued", ["city"]),
        "drop": _step("撤销草稿", "Drop the draft", ["draft"], "dropped", ["city"], why=_REASON),
        "answer": _step(
            "答复", "Answer", ["issued"], "answered", ["district"], why=Names("答复", "Answer"), takes_files=True
        ),
        "close": _step("办结", "Close", ["answered"], "closed", ["city"], why=_REASON),
        "send_back": _step(
            "退回", "Send back", ["answered"], "issued", ["city"], why=_REASON, sets_due=True
        ),
        "extend": _step("延期", "Extend the deadline", ["issued"], None, ["city"], why=_REASON, sets_due=True),
        "late_answer": _step("答复逾期", "Answer overdue", ["issued"], None, ["clock"]),
    },
}  # fmt: skip
"""By family of papers, every step there is."""

STATES: dict[str, Names] = {
    "draft": Names("草稿", "Draft"),
    "issued": Names("已下达，待整改", "Issued, to be rectified"),
    "reported": Names("已报整改，待复查", "Reported, to be re-checked"),
    "failed": Names("复查不合格，待整改", "Re-check failed, to be rectified"),
    "answered": Names("已答复，待办结", "Answered, to be closed"),
    "closed": Names("已结案", "Closed"),
    "dropped": Names("草稿已撤销", "Draft dropped"),
}
LETTER_ISSUED = Names("已发出，待答复", "Issued, to be answered")


class Refused(Exception):
    """A step that may not be taken now; `zh` and `en` say why. `word` tells programs which kind of no it is."""

    def __init__(self, word: str, zh: str, en: str) -> None:
        self.word, self.zh, self.en = word, zh, en
        super().__init__(en)


def family(kind: str) -> str:
    """Which steps hold for a paper."""
    return "directive" if kind == DIRECTIVE else "letter"


def open_to(case: Case, actor: Actor) -> list[str]:
    """The steps this person may take now, in the order people think of them."""
    return [step for step in STEPS[family(case.kind)] if _why_not(case, step, actor) is None]


def follow(case: Case, deed: Deed, reference: Reference) -> Case:
    """The case after a step. Raises Refused."""
    if refused := _why_not(case, deed.step, deed.actor) or _what_lacks(case, deed):
        raise refused
    step = STEPS[family(case.kind)][deed.step]
    after = replace(case, state=step.to or case.state)
    if step.sets_due and deed.due_day is not None:
        after = replace(after, due_ms=end_of_day_ms(deed.due_day), is_due_noted=False)
    match deed.step:
        case "issue":
            # A serious hazard is reported to the next level at once: Order 57 art. 30.
            return replace(after, issued_by=deed.actor.username, is_escalated=case.is_serious)
        case "report":
            return replace(after, due_ms=recheck_due_ms(reference, deed.at_ms), is_due_noted=False)
        case "appeal":
            due_ms = _in_working_days(reference, "appeal.verdict_within_working_days", deed.at_ms)
            return replace(after, appeal="open", appeal_due_ms=due_ms, is_appeal_noted=False)
        case "reject":
            return replace(after, appeal="rejected", appeal_due_ms=None)
        case "uphold":
            return _ended(replace(after, appeal="upheld"), "appeal")
        case "pass":
            return _ended(after, "recheck")
        case "answer":
            return replace(after, due_ms=None, is_due_noted=False)
        case "close":
            return _ended(after, "answer")
        case "drop":
            return _ended(after, "")
        case "escalate":
            return replace(after, is_escalated=True)
        case "late_report" | "late_recheck":
            return replace(after, is_due_noted=True, is_escalated=True)
        case "late_answer":
            return replace(after, is_due_noted=True)
        case "late_verdict":
            return replace(after, is_appeal_noted=True, is_escalated=True)
    return after


def overdue(case: Case, now_ms: int) -> str | None:
    """The step of the clock that is due: what somebody did not do in time and nobody noted yet."""
    if case.due_ms is not None and case.due_ms <= now_ms and not case.is_due_noted:
        if case.kind != DIRECTIVE:
            return "late_answer" if case.state == "issued" else None
        return {"issued": "late_report", "failed": "late_report", "reported": "late_recheck"}.get(case.state)
    if case.appeal == "open" and case.appeal_due_ms is not None and not case.is_appeal_noted:
        return "late_verdict" if case.appeal_due_ms <= now_ms else None
    return None


def wakes_ms(case: Case) -> int | None:
    """When `overdue` has something to say next, if nobody acts; None where there is no deadline to watch."""
    if case.state in {"draft", "closed", "dropped"}:
        return None
    deadlines = [case.due_ms] if not case.is_due_noted else []
    if case.appeal == "open" and not case.is_appeal_noted:
        deadlines.append(case.appeal_due_ms)
    return min((one for one in deadlines if one is not None), default=None)


def end_of_day_ms(day: int) -> int:
    """A deadline counts through its day: the first moment that is too late."""
    return day_start_ms(day + 1)


def last_day(due_ms: int) -> int:
    """The day through which a deadline counts."""
    return local_day(due_ms - 1)


def proposed_day(reference: Reference, now_ms: int) -> int:
    """The day a draft proposes for the rectification; the officer may set another."""
    days = reference.number("rectification.within_days", now_ms)
    return local_day(now_ms) + int(days)


def recheck_due_ms(reference: Reference, reported_ms: int) -> int:
    """By when a report has to be re-checked: Order 57 art. 29."""
    return _in_working_days(reference, "recheck.within_working_days", reported_ms)


def _in_working_days(reference: Reference, key: str, from_ms: int) -> int:
    days = int(reference.number(key, from_ms))
    return end_of_day_ms(add_working_days(reference.law, local_day(from_ms), days))


def _ended(case: Case, how: str) -> Case:
    return replace(case, closed_how=how, due_ms=None, appeal_due_ms=None)


def _why_not(case: Case, name: str, actor: Actor) -> Refused | None:
    step = STEPS[family(case.kind)].get(name)
    if step is None or not any(_plays(part, case, actor) for part in step.parts):
        return Refused("not_yours", "您不能办理这一步。", "This step is not yours to take.")
    if case.state not in step.origins:
        return Refused(
            "not_now",
            f"现为“{STATES[case.state].zh}”，不能“{step.names.zh}”。",
            f"It stands at '{STATES[case.state].en}'; '{step.names.en}' can not follow that.",
        )
    if step.of_another and actor.username == case.issued_by:
        return Refused(
            "of_another", "须由下达人以外的人员办理。", "Somebody other than the issuer has to do this."
        )
    if name in _ON_APPEAL and case.appeal != "open":
        return Refused("no_appeal", "没有待处理的申诉。", "No appeal is open.")
    if name in _NOT_DURING_APPEAL and case.appeal == "open":
        return Refused("appeal_open", "请先处理申诉。", "Decide on the appeal first.")
    if name == "escalate" and case.is_escalated:
        return Refused("not_now", "已上报市局。", "The city has it already.")
    return None


_ON_APPEAL = {"uphold", "reject", "late_verdict"}
_NOT_DURING_APPEAL = {"appeal", "pass"}


def _plays(part: Part, case: Case, actor: Actor) -> bool:
    if part == "district":
        return actor.role == "officer" and actor.scope_id == case.district
    if part == "station":
        return actor.role == "manager" and actor.scope_id == case.site_id
    if part == "clock":
        return actor.role == "clock"
    # The level above acts in a district's place only once a case has been reported to it.
    return actor.role == "city" and (part == "city" or case.is_escalated)


def _what_lacks(case: Case, deed: Deed) -> Refused | None:
    step = STEPS[family(case.kind)][deed.step]
    if step.why and not deed.why.strip():
        return Refused("why_missing", f"请填写{step.why.zh}。", f"Say: {step.why.en.lower()}.")
    if len(deed.why) > LONGEST_TEXT:
        return Refused("too_long", f"不得超过 {LONGEST_TEXT} 字。", f"At most {LONGEST_TEXT} characters.")
    today = local_day(deed.at_ms)
    if step.sets_due and (deed.due_day is None or not today <= deed.due_day <= today + LONGEST_TERM_DAYS):
        return Refused(
            "due_wrong",
            "期限应为今天起一年以内的一天。",
            "The deadline is a day from today on, within a year.",
        )
    if deed.step == "issue" and (case.due_ms is None or case.due_ms <= deed.at_ms):
        return Refused(
            "due_wrong", "草稿的期限已过，请先修改。", "The draft's deadline has passed; change it first."
        )
    return None
