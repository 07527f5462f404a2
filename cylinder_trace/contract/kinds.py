"""The event kinds and their fields: scans made by a person at a site, and acts of an office."""

from typing import Literal, Self
from uuid import UUID

from pydantic import Field, field_validator, model_validator

from cylinder_trace.contract.code import LONGEST_LABEL, parse_code
from cylinder_trace.contract.fields import (
    CylinderClass,
    Day,
    Id,
    Kg,
    Litres,
    Medium,
    Moment,
    Mpa,
    PassFail,
    Text,
)
from cylinder_trace.contract.forms import CylinderEvent, Message, OfficeAct, ScanEvent


class CodeAlias(Message):
    """Another code on the same cylinder: 使用登记代码, 设备代码, 钢印号, 站内编号, QR/EPC, GRAI."""

    kind: Literal["registration", "device", "stamp", "station", "qr", "epc", "grai", "giai"]
    code: str = Field(min_length=1, max_length=LONGEST_LABEL)

    @field_validator("code")
    @classmethod
    def _names_a_cylinder(cls, text: str) -> str:
        parse_code(text)
        return text


class CylinderMaster(Message):
    """A cylinder's entry in the register (气瓶登记). Every field may be absent in an update."""

    codes: tuple[CodeAlias, ...] = Field(default=(), max_length=20)
    cylinder_class: CylinderClass | None = None
    model: Text | None = None
    medium: Medium | None = None
    volume_l: Litres | None = None
    tare_kg: Kg | None = None
    working_pressure_mpa: Mpa | None = None
    test_pressure_mpa: Mpa | None = None
    maker: Text | None = None
    manufactured: Day | None = None
    standard: Text | None = None
    design_life_years: int | None = Field(default=None, ge=1, le=60)
    owner_id: Id | None = None
    valve: Text | None = None
    last_inspection: Day | None = None
    valid_until: Day | None = None
    extension_until: Day | None = None


class Register(CylinderEvent, OfficeAct):
    """使用登记: the cylinder enters the register, from `occurred_at` on."""

    kind: Literal["register"] = "register"
    cylinder: CylinderMaster

    @model_validator(mode="after")
    def _has_what_judging_needs(self) -> "Register":
        missing = [
            name for name in ("cylinder_class", "medium", "owner_id") if getattr(self.cylinder, name) is None
        ]
        if missing:
            raise ValueError("a registration needs " + ", ".join(missing))
        return self


class Update(CylinderEvent, OfficeAct):
    """变更: fields of the register that changed, such as the medium after cleaning."""

    kind: Literal["update"] = "update"
    cylinder: CylinderMaster
    document_no: Text | None = None


class _NewCode(CylinderEvent, OfficeAct):
    new_code: str = Field(min_length=1, max_length=LONGEST_LABEL)
    reason: Text | None = None

    @field_validator("new_code")
    @classmethod
    def _names_a_cylinder(cls, text: str) -> str:
        parse_code(text)
        return text


class TagBind(_NewCode):
    """Another code on the same cylinder; both stay in use."""

    kind: Literal["tag_bind"] = "tag_bind"


class TagReplace(_NewCode):
    """换标: another code on the same cylinder; the old one is retired and never used again."""

    kind: Literal["tag_replace"] = "tag_replace"

    @model_validator(mode="after")
    def _is_another(self) -> Self:
        # Else the code in use would count as retired, and every later use as that of a retired one.
        if parse_code(self.new_code).text == self.code:
            raise ValueError("new_code is the code that is replaced; send the code of the new tag")
        return self


class Transfer(CylinderEvent, OfficeAct):
    """产权转移: the cylinder has a new owner from `occurred_at` on."""

    kind: Literal["transfer"] = "transfer"
    new_owner_id: Id
    document_no: Text | None = None


class FillCheck(ScanEvent):
    """充装前检查."""

    kind: Literal["fill_check"] = "fill_check"
    result: PassFail
    items_failed: tuple[Text, ...] = Field(default=(), max_length=50)
    medium: Medium | None = None
    residual_pressure_mpa: Mpa | None = None


class Fill(ScanEvent):
    """充装. The gas is given as a mass, as gross and tare, or as a pressure."""

    kind: Literal["fill"] = "fill"
    medium: Medium
    gun_id: Id | None = None
    gas_mass_kg: Kg | None = None
    pressure_mpa: Mpa | None = None
    tare_kg: Kg | None = None
    gross_kg: Kg | None = None
    started_at: Moment | None = None
    ended_at: Moment | None = None
    batch: Id | None = None
    gun_count: int | None = Field(
        default=None, ge=0, lt=2**53, description="the gun's or scale's own count of fills, this one included"
    )

    @model_validator(mode="after")
    def _says_how_much(self) -> "Fill":
        if self.gas_mass_kg is None and self.pressure_mpa is None and None in (self.tare_kg, self.gross_kg):
            raise ValueError("a fill needs gas_mass_kg, or tare_kg and gross_kg, or pressure_mpa")
        if self.tare_kg is not None and self.gross_kg is not None and self.gross_kg < self.tare_kg:
            raise ValueError("gross_kg is less than tare_kg; the two are swapped")
        if self.started_at and self.ended_at and self.ended_at < self.started_at:
            raise ValueError("ended_at lies before started_at")
        return self


class PostCheck(ScanEvent):
    """充装后检查."""

    kind: Literal["post_check"] = "post_check"
    result: PassFail
    items_failed: tuple[Text, ...] = Field(default=(), max_length=50)


class Override(ScanEvent):
    """放行: a person lets a fill go on although the verdict was not PASS, and answers for it."""

    kind: Literal["override"] = "override"
    overrides: tuple[Id, ...] = Field(min_length=1, max_length=50, description="the rules that objected")
    reason: Text
    approved_by: Text = Field(description="the name of the person who answers for it")


class _Movement(ScanEvent):
    from_site: Id
    to_site: Id
    waybill: Id | None = None
    vehicle: Text | None = None


class Ship(_Movement):
    """发出: leaves `from_site` for `to_site`."""

    kind: Literal["ship"] = "ship"


class Receive(_Movement):
    """接收: arrives at `to_site`."""

    kind: Literal["receive"] = "receive"


class Deliver(_Movement):
    """配送: handed to a user, whose site is `to_site`."""

    kind: Literal["deliver"] = "deliver"
    customer: Id | None = Field(default=None, description="pseudonym; never a name or an address")
    real_name_verified: bool | None = None
    safety_check: PassFail | None = None
    standby_reason: Text | None = Field(default=None, description="why it may stand unused for long")


class Return(_Movement):
    """回收: collected from a user, whose site is `from_site`."""

    kind: Literal["return"] = "return"


class Inspect(ScanEvent):
    """检验: the periodic inspection."""

    kind: Literal["inspect"] = "inspect"
    result: Literal["pass", "fail", "scrap"]
    valid_until: Day | None = None
    agency_licence_no: Id | None = None
    inspector_id: Id | None = None
    reviewer_id: Id | None = None

    @model_validator(mode="after")
    def _a_pass_has_a_term(self) -> "Inspect":
        if self.result == "pass" and self.valid_until is None:
            raise ValueError("a passed inspection needs valid_until")
        return self


class Repair(ScanEvent):
    """维修."""

    kind: Literal["repair"] = "repair"
    part: Text
    old_part_no: Id | None = None
    new_part_no: Id | None = None


class _Status(CylinderEvent, OfficeAct):
    reason: Text | None = None


class Stop(_Status):
    """停用."""

    kind: Literal["stop"] = "stop"


class Resume(_Status):
    """启用."""

    kind: Literal["resume"] = "resume"


class Lost(_Status):
    """丢失."""

    kind: Literal["lost"] = "lost"


class Found(_Status):
    """找回."""

    kind: Literal["found"] = "found"


class Scrap(CylinderEvent, OfficeAct):
    """报废: the last event of a life."""

    kind: Literal["scrap"] = "scrap"
    method: Text
    person: Id | None = None


class Observe(ScanEvent):
    """盘点: seen by a stock count."""

    kind: Literal["observe"] = "observe"


class _Seal(CylinderEvent, OfficeAct):
    authority: Text
    document_no: Text | None = None


class Hold(_Seal):
    """封存: sealed by a regulator."""

    kind: Literal["hold"] = "hold"


class Release(_Seal):
    """解封."""

    kind: Literal["release"] = "release"


class Correct(OfficeAct):
    """更正: declares an earlier event wrong. The earlier event stays readable; judging passes over it."""

    kind: Literal["correct"] = "correct"
    cylinder_code: str | None = Field(default=None, max_length=LONGEST_LABEL)
    corrects: UUID
    reason: Literal["did_not_occur", "incorrect_data"]
    replaced_by: UUID | None = None

    @field_validator("cylinder_code")
    @classmethod
    def _names_a_cylinder(cls, text: str | None) -> str | None:
        if text is not None:
            parse_code(text)
        return text

    @model_validator(mode="after")
    def _corrects_another(self) -> "Correct":
        if self.corrects == self.event_id:
            raise ValueError("corrects is the event's own event_id; name the event that was wrong")
        if self.replaced_by in {self.corrects, self.event_id}:
            raise ValueError("replaced_by is the wrong event or this one; name the event that holds instead")
        return self

    @property
    def code(self) -> str | None:
        """The canonical code of the corrected event's cylinder; None for a licence or an agreement."""
        return None if self.cylinder_code is None else parse_code(self.cylinder_code).text
