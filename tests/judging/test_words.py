"""What rules say: whole sentences in both languages, and at the gun what the operator does now."""

from itertools import chain

import pytest

from cylinder_trace.judging.rule import CylinderRule, Rule
from cylinder_trace.judging.rules import CYLINDER_RULES, RULES

AT_GUN = [rule for rule in CYLINDER_RULES if rule.at_gun]
FOR_THE_OFFICE = ("责令", "追回", "查处", "核查", "rectification", "Recall", "Seize")


@pytest.mark.parametrize("rule", AT_GUN, ids=lambda rule: rule.name)
def test_at_the_gun_the_operator_is_told_what_he_does_now(rule: CylinderRule) -> None:
    assert rule.do_at_gun is not None
    zh, en = rule.do_at_gun
    assert not [word for word in FOR_THE_OFFICE if word in zh + en], "that is for the authority, not for him"
    assert len(zh) <= 50, "he reads it with a cylinder in hand"
    assert len(en) <= 120


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_a_rule_speaks_in_whole_sentences(rule: Rule) -> None:
    words = rule.words
    sentences = [words.fact, words.remedy, words.innocent, words.settles]
    gun = [rule.do_at_gun] if isinstance(rule, CylinderRule) and rule.do_at_gun else []
    for zh, en in chain(sentences, gun):
        assert zh.endswith(("。", "？")), zh
        assert en.endswith((".", "?")), en
    for _, en in chain([words.title], sentences, gun):
        assert en[0].isupper() or en[0] == "{", en  # a name comes first; `Naming.told` writes it large
