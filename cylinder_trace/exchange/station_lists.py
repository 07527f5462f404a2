"""A station's lists as workbooks: what runs out, and cylinders that nobody has seen for a year.

No list names a customer: it leaves the house.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cylinder_trace.exchange.xlsx import Sheet, workbook
from cylinder_trace.judging.handling.idle import SETTLEMENTS
from cylinder_trace.judging.reference import Reference
from cylinder_trace.law.answers import Names
from cylinder_trace.law.naming import Naming
from cylinder_trace.store.due_lists import DueCylinder, DuePaper, as_date

MOST_ROWS = 100_000
"""In one sheet; who has more reads the rest on the page."""

PAPERS = {
    "filling_licence": Names("充装许可证", "Filling licence"),
    "owner_licence": Names("经营许可证", "Trading licence"),
    "certificate": Names("作业人员证书", "Staff certificate"),
}
REASONS = {False: Names("检验到期", "Inspection runs out"), True: Names("使用年限届满", "End of life")}
_AT_USER = Names("用户处", "at a user")
_ELSEWHERE = Names("其他单位", "at another firm")
_UNKNOWN = Names("不详", "not known")

_CYLINDERS = (
    Names("瓶码", "Cylinder"),
    Names("到期日", "Runs out"),
    Names("到期事由", "What ends"),
    Names("检验有效期至", "Inspection valid through"),
    Names("使用年限至", "End of life"),
    Names("型号", "Model"),
    Names("介质", "Medium"),
    Names("产权单位", "Owner"),
    Names("所在", "Place"),
)
_PAPERS = (
    Names("证照", "Paper"),
    Names("单位", "Site or firm"),
    Names("持证人", "Holder"),
    Names("有效期至", "Valid through"),
)
_IDLE = (
    Names("瓶码", "Cylinder"),
    Names("最后出现", "Last seen"),
    Names("产权单位", "Owner"),
    Names("所在", "Place"),
    Names("核查结果", "Settled as"),
)


def naming_of(reference: Reference) -> Naming:
    """Names without those of customers."""
    return Naming(reference.law, reference.sites, reference.owners, names_customers=False)


def place(reference: Reference, site: str | None, firm: str | None) -> Names:
    """Where a cylinder is, as far as its firm may read: its own sites by name. Without a firm a regulator reads it."""
    record = reference.sites.get(site) if site else None
    if record is None:
        return _UNKNOWN
    if record.type == "customer":
        return _AT_USER
    if firm is not None and record.owner_id != firm:
        return _ELSEWHERE
    return Names(record.name, record.name)


def due_book(
    soon: Iterable[DueCylinder],
    over: Iterable[DueCylinder],
    papers: Sequence[DuePaper],
    reference: Reference,
    firm: str | None,
) -> bytes:
    """What runs out within the look-ahead, what has, and the papers, as an XLSX of three sheets."""
    naming = naming_of(reference)

    def rows(cylinders: Iterable[DueCylinder]) -> Iterable[Sequence[Any]]:
        for one in cylinders:
            yield (
                one.cylinder_id,
                as_date(one.term_day),
                REASONS[one.is_life].zh,
                as_date(one.valid_until_day),
                as_date(one.life_end_day),
                one.model,
                naming.medium(one.medium).zh if one.medium else None,
                naming.owner(one.owner_id).zh if one.owner_id else None,
                place(reference, one.site_id, firm).zh,
            )

    its_papers = (
        (PAPERS[one.kind].zh, _party(naming, reference, one.party_id).zh, one.whose or None, one.until)
        for one in papers
    )
    return workbook(
        [
            Sheet("即将到期 Due soon", _CYLINDERS, rows(soon)),
            Sheet("已过期 Overdue", _CYLINDERS, rows(over)),
            Sheet("证照 Papers", _PAPERS, its_papers),
        ]
    )


def idle_book(rows: Iterable[Mapping[str, Any]], reference: Reference, firm: str | None) -> bytes:
    """Cylinders that nobody has seen for a year, with how they were settled."""
    naming = naming_of(reference)
    cells = (
        (
            row["cylinder_id"],
            as_date(row["seen_day"]),
            naming.owner(row["owner_id"]).zh if row["owner_id"] else None,
            place(reference, row["site_id"], firm).zh,
            SETTLEMENTS[row["state"]].zh,
        )
        for row in rows
    )
    return workbook([Sheet("久停气瓶 Not seen", _IDLE, cells)])


def _party(naming: Naming, reference: Reference, party_id: str) -> Names:
    return naming.site(party_id) if party_id in reference.sites else naming.owner(party_id)
