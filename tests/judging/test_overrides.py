"""An override is made with the cylinder at hand: it shows where the cylinder is, as the check before a fill does."""

from cylinder_trace.judging import story
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import Scan
from tests.world import CUSTOMERS, DEPOT, LAW, STATION, _records, code, made, moved, ms, registered

REFERENCE = Reference.of(LAW, _records(), [])


def rules_after_a_return_to_the_depot(*between: Scan) -> set[str]:
    life = [
        registered(code(1)),
        moved("deliver", code(1), 1, DEPOT, CUSTOMERS[0]),
        moved("return", code(1), 5, CUSTOMERS[0], DEPOT),
        moved("deliver", code(1), 20, DEPOT, CUSTOMERS[1]),
    ]
    chapter = story.told(code(1), [*map(Scan.of, life), *between], REFERENCE, ms(21))
    return {finding.rule for finding in chapter.findings}


def test_a_cylinder_that_was_let_go_at_a_station_has_been_at_a_station() -> None:
    let_go = made(
        "override",
        10,
        cylinder_code=code(1),
        site_id=STATION,
        overrides=["fill_overdue"],
        reason="检验报告在手",
        approved_by="站长",
    )
    assert "deliver_without_fill" in rules_after_a_return_to_the_depot()
    assert "deliver_without_fill" not in rules_after_a_return_to_the_depot(Scan.of(let_go))
