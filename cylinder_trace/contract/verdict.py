"""May I fill this one? The question a gun asks and the answer it gets."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cylinder_trace.contract.code import LONGEST_LABEL
from cylinder_trace.contract.fields import Id, Medium, Moment

Decision = Literal["PASS", "ASK", "STOP"]
"""PASS 可以充装; ASK 请核实 (a person must look first); STOP 禁止充装."""


class FillCheckRequest(BaseModel):
    """A rehearsal of a fill: nothing is recorded by asking."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cylinder_code: str = Field(min_length=1, max_length=LONGEST_LABEL, description="as scanned")
    site_id: Id
    operator_id: Id
    medium: Medium
    gun_id: Id | None = Field(
        default=None, description="the gun it hangs on; then a check before the fill must be on record"
    )
    at: Moment | None = Field(default=None, description="when it is to be filled; now if absent")


class Reason(BaseModel):
    """One rule's word: which rule, which fact, what to do, which law."""

    model_config = ConfigDict(frozen=True)

    rule: str
    title_zh: str
    title_en: str
    fact_zh: str
    fact_en: str
    remedy_zh: str
    remedy_en: str
    law: tuple[str, ...] = Field(default=(), description="ids of provisions, for programs")
    law_zh: tuple[str, ...] = Field(
        default=(), description="the same provisions as people cite them; 未经核实 where not confirmed"
    )
    law_en: tuple[str, ...] = ()


class Verdict(BaseModel):
    """The answer. STOP outranks ASK outranks PASS; `reasons` is empty exactly for PASS."""

    model_config = ConfigDict(frozen=True)

    decision: Decision
    cylinder_code: str = Field(description="canonical")
    reasons: tuple[Reason, ...] = ()
    judged_at: Moment
    request_id: UUID | None = None
