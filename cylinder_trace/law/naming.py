"""What things are called: media, sites, firms and districts by their names, in whatever a person reads.

Findings carry ids and codes (`lpg`, `ST02`, `310106`), because names change and facts do not. Pages, mails and
verdicts turn them into names here, on the way out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cylinder_trace.contract.master import OwnerRecord, SiteRecord
from cylinder_trace.law.answers import Names
from cylinder_trace.law.tables import Law, LawError

UNKNOWN = Names("未知", "unknown")

KINDS: dict[str, Names] = {
    "register": Names("登记", "Register"),
    "update": Names("变更", "Update"),
    "tag_bind": Names("绑码", "Bind tag"),
    "tag_replace": Names("换标", "Replace tag"),
    "transfer": Names("产权转移", "Transfer"),
    "fill_check": Names("充装前检查", "Pre-check"),
    "fill": Names("充装", "Fill"),
    "post_check": Names("充装后检查", "Post-check"),
    "override": Names("放行", "Override"),
    "ship": Names("发出", "Ship"),
    "receive": Names("接收", "Receive"),
    "deliver": Names("配送", "Deliver"),
    "return": Names("回收", "Return"),
    "inspect": Names("检验", "Inspect"),
    "repair": Names("维修", "Repair"),
    "stop": Names("停用", "Stop"),
    "resume": Names("启用", "Resume"),
    "lost": Names("丢失", "Lost"),
    "found": Names("找回", "Found"),
    "scrap": Names("报废", "Scrap"),
    "observe": Names("盘点", "Count"),
    "hold": Names("封存", "Hold"),
    "release": Names("解封", "Release"),
    "correct": Names("更正", "Correct"),
    "licence": Names("许可", "Licence"),
    "tag_block": Names("号段", "Tag block"),
    "agreement": Names("委托充装", "Agreement"),
    "approval": Names("跨区审批", "Approval"),
}
"""Event kinds, as mails and pages name them."""

RESULTS: dict[str, Names] = {
    "pass": Names("合格", "passed"),
    "fail": Names("不合格", "failed"),
    "scrap": Names("判废", "to be scrapped"),
}
"""Results of checks and inspections."""

MEDIA = frozenset({"medium", "registered", "filled"})
SITES = frozenset(
    {"site", "from_site", "to_site", "first_site", "second_site", "depot", "licensed_site_id", "station_id"}
    | {"agency", "customer", "station"}
)
OWNERS = frozenset({"owner", "filled_by", "owner_id", "new_owner_id"})
DISTRICTS = frozenset({"district"})
PEOPLE = frozenset({"person", "operator"})
GUNS = frozenset({"gun"})
DEVICES = frozenset({"device", "counter"})
"""Names of facts and of event fields, by what their value is the id of."""


_BEGINS_SMALL = re.compile(r"(a customer|unregistered place) ")
"""What a name begins with that is made of words, and that begins a sentence with a capital letter."""
_SPACE_IN_CHINESE = re.compile(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")


class _Facts(dict[str, str]):
    def __missing__(self, _key: str) -> str:
        # An alert of last year may lack a fact that its rule has learnt to mention since.
        return "…"


@dataclass(frozen=True, slots=True)
class Naming:
    """The names as the register has them today. `names_customers` False keeps a customer's name out of it."""

    law: Law
    sites: Mapping[str, SiteRecord]
    owners: Mapping[str, OwnerRecord]
    names_customers: bool = True

    def site(self, site_id: str | None) -> Names:
        """A site's name; of one that is not in the register the id, and that it is not."""
        record = self.sites.get(site_id) if site_id else None
        if record is None:
            return Names(f"未登记场所 {site_id}", f"unregistered place {site_id}") if site_id else UNKNOWN
        if record.type == "customer" and not self.names_customers:
            district = self.district(record.district)
            return Names(f"{district.zh}用户", f"a customer in {district.en}")
        return Names(record.name, record.name)

    def owner(self, owner_id: str | None) -> Names:
        """A firm's name; the id of one that is not in the register."""
        record = self.owners.get(owner_id) if owner_id else None
        name = record.name if record else owner_id
        return Names(name, name) if name else UNKNOWN

    def district(self, adcode: str | None) -> Names:
        """A district's name; the code of one that the tables do not have."""
        if not adcode:
            return UNKNOWN
        try:
            found = self.law.district(adcode)
        except LawError:
            return Names(adcode, adcode)
        return Names(found.zh, found.en)

    def medium(self, code: str | None) -> Names:
        """A medium's name, a mixture's made of its components'."""
        return self.law.medium(code) if code else UNKNOWN

    def subject(self, subject: str, facts: Mapping[str, Any]) -> Names:
        """Whom an alert is about: a site or a firm by name, a cylinder by its code, others by number and what they are."""
        if subject in self.sites or any(facts.get(key) == subject for key in SITES):
            return self.site(subject)
        for keys, zh, en in (
            (PEOPLE, "人员", "Person"),
            (GUNS, "充装枪", "Gun"),
            (DEVICES, "设备", "Device"),
        ):
            if any(facts.get(key) == subject for key in keys):
                return Names(f"{zh} {subject}", f"{en} {subject}")
        return self.owner(subject)

    def value(self, key: str, value: Any) -> Names:
        """One fact or event field, by its name."""
        if value is None or isinstance(value, str):
            for keys, name in (
                (MEDIA, self.medium),
                (SITES, self.site),
                (OWNERS, self.owner),
                (DISTRICTS, self.district),
            ):
                if key in keys:
                    return name(value)
        return UNKNOWN if value is None else Names(str(value), str(value))

    def told(self, template: tuple[str, str], facts: Mapping[str, Any]) -> Names:
        """A rule's sentence with a finding's facts in it, in Chinese and in English."""
        named = {key: self.value(key, value) for key, value in facts.items()}
        zh = template[0].format_map(_Facts({key: names.zh for key, names in named.items()}))
        en = template[1].format_map(
            _Facts({key: _inside(names.en) if key in MEDIA else names.en for key, names in named.items()})
        )
        if template[1].startswith("{") and _BEGINS_SMALL.match(en):
            en = en[0].upper() + en[1:]
        # The spaces that set an id off from the words around it have no place between Chinese words.
        return Names(_SPACE_IN_CHINESE.sub("", zh), en)


def _inside(name: str) -> str:
    """A name as it is written inside a sentence: `Oxygen` small, `LPG` as it is."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name
