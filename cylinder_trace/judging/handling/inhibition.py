"""Which open alert makes others of the same site not worth a mail of their own: they are its consequences.

They stay on record and on the screen; when the one that inhibits them ends, they are told if they still stand.
"""

from collections.abc import Collection, Mapping

INHIBITS: Mapping[str, frozenset[str]] = {
    # Nothing it fills is lawful: one alert says so, not one a cylinder.
    "unlicensed_site": frozenset({
        "fill_overdue", "fill_over_life", "foreign_fill", "medium_mismatch", "overfill", "unregistered",
        "fill_after_failed_check", "unchecked_fill", "no_precheck", "no_postcheck", "double_fill",
    }),
    # It sends nothing: what it did not send is missing for that reason.
    "silent_station": frozenset({
        "no_precheck", "no_postcheck", "double_fill", "deliver_without_fill", "received_not_shipped",
        "never_received", "inspect_no_arrival", "wrong_party_return", "impossible_order", "scan_gap",
    }),
}  # fmt: skip
"""By rule, the rules whose alerts at the same site its open alert holds back."""


def inhibited_by(rule: str, open_at_site: Collection[str]) -> str | None:
    """The rule, of those with an open alert at the same site, that holds back an alert of this rule; None where none does."""
    return next((one for one, held in INHIBITS.items() if rule in held and one in open_at_site), None)
