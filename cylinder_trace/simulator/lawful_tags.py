"""Lawful labels that look like faults: replaced, replaced twice, of a fresh block, misread and put right."""

from collections.abc import Iterator
from random import Random

from cylinder_trace.simulator.bottles import enter, made
from cylinder_trace.simulator.journeys import Plant, later, on_with_its_life, set_out, to_station
from cylinder_trace.simulator.plan import HOUR_MS, Label
from cylinder_trace.simulator.world import World, code_of


def relabelled(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A new label at the station; from then on only the new code is scanned."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    code = walk.bottle.code
    replaced = walk.relabel("标签破损，换发新标签")
    walk.wait(1, 3)
    fill = walk.filled()
    on_with_its_life(walk)
    yield Label("zombie", code, (replaced, fill), False, "换标后使用新码")


def relabelled_after_repair(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A new valve at the station, and the label on it with it; from then on only the new code is scanned."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    code, station = walk.bottle.code, walk.at.site_id
    walk.scan("repair", station, f"{station}-H1", f"{station}-W1", part="瓶阀",
              new_part_no=f"V{rng.randrange(10**6):06}")  # fmt: skip
    walk.wait(0.2, 0.5)
    replaced = walk.relabel("更换瓶阀，换发阀体标签")
    walk.wait(1, 3)
    fill = walk.filled()
    on_with_its_life(walk)
    yield Label("zombie", code, (replaced, fill), False, "更换瓶阀后换标，使用新码")


def relabelled_twice(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A bad batch of labels: the new one fades and is replaced once more."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    code = walk.bottle.code
    replaced = [walk.relabel("标签破损")]
    walk.wait(12, 30)
    replaced.append(walk.relabel("本批标签褪色，统一换发"))
    walk.wait(1, 3)
    walk.filled()
    on_with_its_life(walk)
    yield Label("retag_repeat", code, tuple(replaced), False, "同批标签褪色，两次换标")


def fresh_block(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A new label out of numbers issued days before, which the authority enters after it was used."""
    firm = world.firms[number % 2]
    walk = set_out(world, rng, firm)
    to_station(walk)
    code, first = walk.bottle.code, 960_000 + 10 * number
    block = world.act(walk.now_ms - 30 * HOUR_MS, "tag_block", later(walk, 20, 70), owner_id=firm.owner_id,
                      code_from=code_of(firm, first), code_to=code_of(firm, first + 9))  # fmt: skip
    replaced = walk.relabel("标签破损", code_of(firm, first + 1))
    walk.wait(1, 3)
    walk.filled()
    on_with_its_life(walk)
    yield Label("tag_out_of_block", code, (block, replaced), False, "新号段已发放，晚录入")


def misread_code(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A code keyed wrong at the station's gate, which names no cylinder; declared within the hour."""
    firm = world.firms[number % 2]
    walk = set_out(world, rng, firm)
    to_station(walk)
    code, keyed = walk.bottle.code, code_of(firm, 970_001 + number)
    station = walk.at.site_id
    walk.bottle.code = keyed
    wrong = walk.scan("observe", station, f"{station}-H1", f"{station}-W1", entry="keyed")
    walk.bottle.code = code
    walk.wait(0.2, 0.9)
    correction = world.act(walk.now_ms, "correct", cylinder_code=keyed, corrects=wrong,
                           reason="did_not_occur", note="瓶码录错")  # fmt: skip
    walk.filled()
    on_with_its_life(walk)
    yield Label("unregistered", keyed, (wrong, correction), False, "瓶码录错，已更正")


def corrected_binding(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Another cylinder's code bound by mistake at the desk; declared at once."""
    firm = world.firms[number % 2]
    other = made(world, firm, rng)
    enter(world, other)
    walk = set_out(world, rng, firm)
    to_station(walk)
    code = walk.bottle.code
    wrong = world.act(walk.now_ms, "tag_bind", cylinder_code=code, new_code=other.code, reason="加贴标签")
    walk.wait(0.1, 0.5)
    correction = world.act(walk.now_ms, "correct", cylinder_code=code, corrects=wrong,
                           reason="did_not_occur", note="误绑他瓶瓶码")  # fmt: skip
    walk.filled()
    on_with_its_life(walk)
    yield Label("tag_conflict", code, (wrong, correction), False, "误绑他瓶瓶码，已更正")


LAWFUL_TAGS: tuple[Plant, ...] = (
    relabelled, relabelled_after_repair, relabelled_twice, fresh_block, misread_code, corrected_binding,
)  # fmt: skip
