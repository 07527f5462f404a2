"""The cascade: step after step until one reads a code that can be believed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from scanner.decode.belief import believed, contradicted, is_ghost
from scanner.decode.engines import DecoderMissing, Grey
from scanner.decode.preparing import UNCHANGED, Affine, chained, placed, upright
from scanner.decode.reading import STATION_SYMBOLOGIES, Reading
from scanner.decode.steps import SECOND_LOOKS, STEPS, Step

FAST_MS = 15.0
"""A video frame: the first steps only."""
THOROUGH_MS = 150.0
"""A frame somebody holds still for, or one posted to the server."""
PHOTO_MS = 1000.0
"""A file: nobody waits at the gun."""

Accept = Callable[[Reading], bool]


def says_something(reading: Reading) -> bool:
    """The least that is asked of a reading: a text that is not blank."""
    return bool(reading.text.strip())


def decode(
    image: Grey,
    *,
    symbologies: Sequence[str] = STATION_SYMBOLOGIES,
    deadline_ms: float = THOROUGH_MS,
    accept: Accept = says_something,
    clock: Callable[[], float] = time.perf_counter,
    steps: Sequence[Step] = STEPS,
) -> list[Reading]:
    """The believed codes of the first step that has any (see `belief`); empty when there is none in time.

    No step starts once `deadline_ms` have passed since the call, but one that runs is not broken off, so that
    the call can take one step longer. A reading that `accept` refuses (format, check digit, register prefix) is
    as good as not read, and the search goes on. The same text twice in a picture is given once. `clock` gives
    seconds. Without libzbar its steps are left out.
    """
    ends_at = clock() + deadline_ms / 1000
    seen: list[Reading] = []
    for step in steps:
        if clock() >= ends_at:
            break
        found = [reading for reading in _try(step, image, symbologies, UNCHANGED) if accept(reading)]
        seen += found
        for reading in found:
            if not believed(reading, seen) and not contradicted(reading, found):
                seen += _look_again(image, reading, accept, clock, ends_at)
        answer = {(r.symbology, r.text): r for r in reversed(found) if believed(r, seen)}
        if answer:
            return list(reversed(answer.values()))
    return []


def _look_again(
    image: Grey, reading: Reading, accept: Accept, clock: Callable[[], float], ends_at: float
) -> list[Reading]:
    """What further steps say about the place of a reading, up to the first that settles it.

    Only the place is looked at, turned upright, which costs a fraction of another step over the whole picture.
    """
    place = upright(image, reading.polygon)
    heard: list[Reading] = []
    for step in SECOND_LOOKS:
        if clock() >= ends_at:
            break
        again = _try(step, place.image, [reading.symbology], place.to_original)
        heard += [other for other in again if accept(other)]
        if believed(reading, [reading, *heard]):
            break
    return heard


def _try(step: Step, image: Grey, symbologies: Sequence[str], to_picture: Affine) -> list[Reading]:
    """What one step reads in `image`, ghosts left out, with its place in the picture that `image` came from."""
    prepared = step.prepare(image)
    if prepared is None:
        return []
    try:
        found = step.engine(prepared.image, symbologies, step=step.name)
    except DecoderMissing:
        # Not silent: engines.available() tells it, and the log told it when the engine was first looked for.
        return []
    way = chained(to_picture, prepared.to_original)
    return [
        replace(reading, polygon=placed(reading.polygon, way)) for reading in found if not is_ghost(reading)
    ]
