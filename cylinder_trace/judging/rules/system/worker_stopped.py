"""Finds jobs of the worker that do not run, or do not succeed (定时任务停顿).

Why it matters: while nothing judges and nothing sends, no alert means nothing.
Example: the sweep was due at nine and has not ended by ten.
Source: threshold worker_stopped.late_min. A worker that stopped altogether finds nothing: every page says that instead.
"""

from collections.abc import Iterator

from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.scan import MINUTE_MS
from cylinder_trace.judging.system_rule import SystemRule, SystemState, about, local

WATCHING = "watching"
"""The job that looks."""


def find(state: SystemState, reference: Reference) -> Iterator[Finding]:
    late_ms = reference.number("worker_stopped.late_min", state.at_ms) * MINUTE_MS
    watched = [job.succeeded_ms or 0 for job in state.jobs if job.name == WATCHING]
    if any(state.at_ms - last_ms > late_ms for last_ms in watched):
        return  # the whole worker was away and has just come back: its jobs are about to run
    for job in state.jobs:
        is_late = state.at_ms - job.due_ms > late_ms
        fails_long = job.is_failing and state.at_ms - (job.succeeded_ms or 0) > late_ms
        if is_late or fails_long:
            last = local(job.succeeded_ms) if job.succeeded_ms else None
            since_ms = job.succeeded_ms or job.due_ms
            yield about(RULE.name, job.name, since_ms, job=job.name, due=local(job.due_ms), last=last)


RULE = SystemRule(
    name="worker_stopped",
    severity=1,
    laws=(),
    find=find,
    words=Wording(
        title=("定时任务停顿", "A job stands still"),
        fact=(
            "定时任务 {job} 应于 {due} 运行，未能成功；上次成功：{last}。",
            "The job {job} was due at {due} and has not succeeded; its last success: {last}.",
        ),
        remedy=(
            "查看 /health 与 worker 的日志，排除故障后重启 worker。",
            "Look at /health and at the worker's log, mend what fails, and start the worker again.",
        ),
        innocent=(
            "积压很多，一轮尚未跑完；数据库正在维护。",
            "A large backlog is still being worked through, or the database is being maintained.",
        ),
        settles=("worker 日志中该任务的最后一行。", "The last line about the job in the worker's log."),
    ),
)
