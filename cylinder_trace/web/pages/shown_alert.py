"""An alert in the reader's language: its rule's words, its facts by name, and the law it stands on."""

from typing import Any

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.judging.reference import Reference
from cylinder_trace.law.citing import amount, cited, values_used
from cylinder_trace.law.naming import Naming
from cylinder_trace.mail.former import rule_of
from cylinder_trace.store.alerts import Scope
from cylinder_trace.web.lives import within


def naming_for(reference: Reference, scope: Scope) -> Naming:
    """The names a reader may see: a station's people do not read the names of customers."""
    return Naming(reference.law, reference.sites, reference.owners, names_customers=scope.kind != "station")


def shown(row: dict[str, Any], naming: Naming, scope: Scope, lang: str) -> dict[str, Any]:
    """One alert as lists and pages show it; `mine` says whether the reader may open it."""
    rule = rule_of(row["rule"], row)
    words, which = rule.words, 0 if lang == "zh" else 1
    return row | {
        "title": words.title[which],
        "fact": naming.told(words.fact, row["facts"])[which],
        "about": naming.subject(row["subject"], row["facts"])[which],
        # What an office entered happened at no site.
        "site": naming.site(row["site_id"])[which] if row["site_id"] else "",
        "district_name": naming.district(row["district"])[which] if row["district"] else "",
        "at": moment_of(row["at_ms"]),
        "mine": within(row, scope),
    }


def explained(row: dict[str, Any], naming: Naming, lang: str) -> dict[str, Any]:
    """What one alert's own page says beyond `shown`: the law, the remedy, and the likely innocent cause."""
    rule = rule_of(row["rule"], row)
    words, which = rule.words, 0 if lang == "zh" else 1
    law = naming.law
    citations = [cited(law, one) for one in rule.laws]
    return {
        "remedy": words.remedy[which],
        "innocent": words.innocent[which],
        "settles": words.settles[which],
        "laws": [
            {
                "title": (one.zh, one.en)[which],
                "text": (one.text_zh, one.text_en)[which],
                "penalty": (one.penalty_zh, one.penalty_en)[which],
                "note": "" if one.confirmed else one.note_zh,
            }
            for one in citations
        ],
        "values": [
            {
                "name": (value.text("zh"), value.text("en"))[which],
                "value": amount(value)[which],
                "confirmed": value.confirmed,
            }
            for value in values_used(law, rule.name)
        ],
    }
