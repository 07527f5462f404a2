from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cylinder_trace.contract.code import (
    GS,
    LONGEST_LABEL,
    NotACylinderCode,
    Scheme,
    gs1_check_digit_is_right,
    parse_code,
)

REGISTRATION = "331001000123"
DEVICE = "310110QP2023000123"
ASSET_TYPE = "6950123000019"
GRAI = f"0{ASSET_TYPE}SH000123"
GIAI = "695012345SH-0007"

ANY_TEXT = st.text(st.characters(), max_size=120)
# What labels are made of, and what breaks them.
PIECES = st.sampled_from(
    [
        *(
            "http://",
            "HTTPS://",
            "a.cn",
            "/",
            "?",
            "&",
            "=",
            "#",
            "%",
            "%1D",
            "%33",
            "code",
            "[",
            "@",
            ".",
            "-",
        ),
        *("/grai/", "/GIAI/", "/00/", "%2F", "%00", "(8003)", "code=", "①", "㎏", "ﬁ", "٣", "\x00"),
        *("8003", "8004", "01", "21", "(", ")", ":", GS, "]Q1", "]C1", "０", "ß", "\r\n", "\ud800"),
        *(GRAI, GIAI, REGISTRATION, "123456"),
    ]
)
LABELS = ANY_TEXT | st.lists(PIECES | st.text(max_size=4), max_size=12).map("".join)
PLAIN = st.from_regex(r"[A-Z0-9]{2}[0-9]{4}([-._]?[A-Z0-9]){0,20}", fullmatch=True).filter(
    lambda code: not code.startswith(("8003", "8004"))
)


def full_width(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


BARE: dict[str, Callable[[str], str]] = {
    "alone": lambda code: code,
    "full-width": full_width,
    "small letters": str.lower,
    "AIM prefix of QR": lambda code: f"]Q1{code}",
    "AIM prefix of Code 128": lambda code: f"]C0{code}",
    "GS after": lambda code: code + GS,
    "CR LF": lambda code: code + "\r\n",
    "tabs": lambda code: f"\t{code}\t",
    "ideographic space": lambda code: f"\u3000{code}\u3000",
    "byte order mark": lambda code: f"\ufeff{code}",
    "all at once": lambda code: f"\ufeff]Q1{full_width(code)}{GS}\r\n",
}
IN_URL: dict[str, Callable[[str], str]] = {
    "path": lambda code: f"https://qp.example.cn/b/{code}",
    "path with a slash after": lambda code: f"http://qp.example.cn/{code}/",
    "path with a query of another kind": lambda code: f"http://qp.example.cn/{code}?from=wx",
    "path, encoded": lambda code: (
        "https://qp.example.cn/" + "".join(f"%{ord(letter):02X}" for letter in code)
    ),
    "query": lambda code: f"https://qp.example.cn/q?code={code}",
    "query in pinyin": lambda code: f"https://qp.example.cn/q?v=1&GPBM={code}&x=2",
    "query of an unknown name": lambda code: f"https://qp.example.cn/q?bottle={code}",
    "query, encoded": lambda code: (
        "https://qp.example.cn/q?code=" + "".join(f"%{ord(letter):02X}" for letter in code)
    ),
    "query, full-width and encoded": lambda code: "https://qp.example.cn/q?code=" + quote(full_width(code)),
    "whole URL full-width": lambda code: full_width(f"https://qp.example.cn/b/{code}"),
    "capitals and an AIM prefix": lambda code: f"]Q1HTTPS://QP.EXAMPLE.CN/B/{code}\r\n",
}
GS1: dict[str, Callable[[str, str], str]] = {
    "canonical": lambda ai, key: f"{ai}:{key}",
    "element string": lambda ai, key: ai + key,
    "element string behind FNC1": lambda ai, key: f"{GS}{ai}{key}{GS}",
    "element string with an AIM prefix": lambda ai, key: f"]Q3{ai}{key}",
    "element string and CR LF": lambda ai, key: f"{ai}{key}\r\n",
    "element string, full-width": lambda ai, key: full_width(ai + key),
    "element string after another": lambda ai, key: f"]d2{GS}21ABC{GS}{ai}{key}",
    "printed under the bars": lambda ai, key: f"({ai}){key}",
    "printed, full-width": lambda ai, key: full_width(f"({ai}){key}"),
    "Digital Link": lambda ai, key: f"https://id.gs1.org/{ai}/{key}",
    "Digital Link of another host": lambda ai, key: f"https://qp.example.cn/g/{ai}/{key}?linkType=gs1:pip",
    "Digital Link with a date and what GS1 does not know": lambda ai, key: (
        f"https://id.gs1.org/{ai}/{key}?17=261231&9999=x&code=331001000123"
    ),
    "Digital Link, encoded": lambda ai, key: (
        f"https://id.gs1.org/{ai}/" + quote(key.replace("S", "%53"), safe="%")
    ),
    "element string in a query": lambda ai, key: f"https://qp.example.cn/q?code={ai}{key}",
}


def refused(text: str) -> str:
    with pytest.raises(NotACylinderCode) as caught:
        parse_code(text)
    assert caught.value.text == text
    return caught.value.reason


@pytest.mark.parametrize("wear", [*BARE.values(), *IN_URL.values()], ids=[*BARE, *IN_URL])
@pytest.mark.parametrize("code", [REGISTRATION, DEVICE, "HQ-2023-04711"])
def test_a_code_is_the_same_however_the_label_carries_it(code: str, wear: Callable[[str], str]) -> None:
    assert parse_code(wear(code)).text == code


@given(PLAIN, st.sampled_from([*BARE.values(), *IN_URL.values()]))
def test_any_plain_code_is_the_same_however_the_label_carries_it(
    code: str, wear: Callable[[str], str]
) -> None:
    assert parse_code(wear(code)) == parse_code(code)


@pytest.mark.parametrize("wear", GS1.values(), ids=list(GS1))
@pytest.mark.parametrize(("ai", "key", "scheme"), [("8003", GRAI, "grai"), ("8004", GIAI, "giai")])
def test_a_gs1_key_is_the_same_however_the_label_carries_it(
    ai: str, key: str, scheme: Scheme, wear: Callable[[str, str], str]
) -> None:
    code = parse_code(wear(ai, key))
    assert (code.text, code.scheme) == (f"{ai}:{key}", scheme)


@given(LABELS)
@example("https://a.cn/?code=80040000123456")
@example("https://a.cn/8003ABCDEF12")
@example(GS * 3)
@example("\ud800" * 8)
@example("http://[::1")
def test_any_text_is_a_code_or_is_refused_as_none(text: str) -> None:
    try:
        code = parse_code(text)
    except NotACylinderCode:
        return
    assert parse_code(code.text) == code
    assert len(code.text) <= 40
    assert code.text.isascii()


@pytest.mark.parametrize("digit", [digit for digit in "0123456789" if digit != GRAI[13]])
@pytest.mark.parametrize("wear", GS1.values(), ids=list(GS1))
def test_a_grai_with_a_wrong_check_digit_is_refused(digit: str, wear: Callable[[str, str], str]) -> None:
    refused(wear("8003", GRAI[:13] + digit + GRAI[14:]))


def test_a_refused_grai_says_that_its_check_digit_is_wrong() -> None:
    assert "check digit" in refused("8003:" + GRAI[:13] + str(9 - int(GRAI[13])) + "SH000123")


@pytest.mark.parametrize(("name", "key"), [("grai", GRAI), ("GIAI", GIAI)])
def test_a_digital_link_that_names_its_key_by_a_word_is_the_same_code(name: str, key: str) -> None:
    number = {"grai": "8003", "giai": "8004"}[name.lower()]
    assert parse_code(f"https://id.gs1.org/{name}/{key}").text == f"{number}:{key}"


@pytest.mark.parametrize(
    "text", [f"(9999)12(8003){GRAI}", f"(8003){GRAI}(17)261350", f"]Q3{GRAI[:3]}8003{GRAI}{GS}1726"]
)
def test_gs1_data_with_an_element_nobody_knows_are_refused(text: str) -> None:
    refused(text)


@pytest.mark.parametrize(
    "text", [f"(8003)0{ASSET_TYPE}", f"8003:0{ASSET_TYPE}", f"https://id.gs1.org/8003/0{ASSET_TYPE}"]
)
def test_a_grai_without_a_serial_names_no_single_cylinder(text: str) -> None:
    assert "serial" in refused(text)


@given(st.integers(0, 10**12 - 1), st.integers(1, 9))
def test_exactly_one_check_digit_in_ten_is_right(number: int, wrong_by: int) -> None:
    right = [digit for digit in range(10) if gs1_check_digit_is_right(f"{number:012}{digit}")]
    assert len(right) == 1
    assert not gs1_check_digit_is_right(f"{number:012}{(right[0] + wrong_by) % 10}")


def test_a_known_ean_has_the_right_check_digit() -> None:
    assert gs1_check_digit_is_right("4006381333931")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "https://www.example.com/index.html",
        "https://weixin.example.com/r/abcdefgh",
        "https://example.com/products/2024?utm_source=poster",
        "https://example.com/?a=331001000123&b=331001000124",
        "https://example.com/#331001000123",
        "https://id.gs1.org/01/04006381333931",
        "https://id.gs1.org/414/9506000134352",
        "https://qp.example.cn/00/106141412345678908",
        "https://qp.example.cn/253/4602443000331XYZ123",
        "https://qp.example.cn/8018/950600013430000001",
        "https://id.gs1.org/01/09506000134352/21/331001000123",
        "https://id.gs1.org/ARFKk4XB0C1234",
        "https://id.gs1.org/01/09506000134352/ARFKk4XB0C1234",
        f"https://id.gs1.org/8003/{GRAI}/9999/x",
        "http://",
        "https:///",
    ],
)
def test_a_url_that_names_no_single_cylinder_is_refused(url: str) -> None:
    assert "URL" in refused(url) or "GS1" in refused(url)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \r\n\t",
        GS,
        "12345",
        "ABCDEFGH",
        "瓶号331001000123",
        "ß12345",
        "3310--01000123",
        "-331001",
        "<b>331001</b>",
    ],
)
def test_a_text_that_is_no_code_is_refused(text: str) -> None:
    refused(text)


def test_a_text_longer_than_any_label_is_refused_by_its_length() -> None:
    assert str(LONGEST_LABEL) in refused("1" * (LONGEST_LABEL + 1))


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        (REGISTRATION, "registration"),
        ("131015000001", "registration"),
        (DEVICE, "device"),
        ("731001000123", "plain"),
        ("HQ-2023-04711", "plain"),
    ],
)
def test_a_code_is_known_by_its_form(text: str, scheme: Scheme) -> None:
    assert parse_code(text).scheme == scheme
