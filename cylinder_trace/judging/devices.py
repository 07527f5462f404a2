"""Whose a scanning device is: the site it is enrolled at, or an office, and from when on."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Enrolment(NamedTuple):
    """Where a device is enrolled, from `since_ms` on. An office's device speaks for every site."""

    site: str
    is_office: bool = False
    since_ms: int = -(2**62)


class Devices:
    """The enrolled devices by their ids."""

    __slots__ = ("_enrolled",)

    def __init__(self, enrolled: Mapping[str, Enrolment]) -> None:
        self._enrolled = dict(enrolled)

    def home(self, device: str | None, site: str, at_ms: int) -> str:
        """Where a device that was used at a site belonged; there, unless it was enrolled elsewhere by then."""
        known = self._enrolled.get(device) if device is not None else None
        return site if known is None or known.is_office or at_ms < known.since_ms else known.site

    def of_site(self, site: str, at_ms: int) -> list[str]:
        """The devices that were enrolled at a site by then."""
        return [
            one
            for one, known in self._enrolled.items()
            if known.site == site and not known.is_office and known.since_ms <= at_ms
        ]

    def of_sites(self, made_with: Iterable[tuple[str, str | None]]) -> set[str]:
        """Of the events, each with its device, those of a site's device: no office's, and no import's."""
        return {
            event_id
            for event_id, device in made_with
            if device is not None and (known := self._enrolled.get(device)) and not known.is_office
        }
