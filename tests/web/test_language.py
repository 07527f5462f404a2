"""The language of the pages: what the visitor switched to, else what the browser asks for, else Chinese."""

import pytest
from flask import Flask

from tests.web.conftest import PASSWORD

PATHS = ["/sign-in", "/c/3310000900001", "/no-such-page"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("asked", "lang"),
    [
        (None, "zh-CN"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("zh-Hant-TW", "zh-CN"),
        ("en-GB,en;q=0.9,zh;q=0.1", "en"),
        ("en;q=0.3, zh;q=0.9", "zh-CN"),
        ("fr-FR,fr;q=0.9", "zh-CN"),
        ("*", "zh-CN"),
        ("en;q=nonsense;;,\x7f", "zh-CN"),
    ],
)
def test_a_visitor_reads_what_the_browser_asks_for_and_chinese_where_that_is_not_clear(
    app: Flask, path: str, asked: str | None, lang: str
) -> None:
    headers = {"Accept-Language": asked} if asked is not None else {}
    assert f'<html lang="{lang}">' in app.test_client().get(path, headers=headers).text


def test_what_was_switched_to_stays_through_signing_in_and_what_the_browser_said_is_not_kept(
    app: Flask,
) -> None:
    name = {"username": "city", "password": PASSWORD}
    switched, other = app.test_client(), app.test_client()
    switched.get("/lang/zh", headers={"Accept-Language": "en"})
    for browser in (switched, other):
        browser.post("/sign-in", data=name, headers={"Accept-Language": "en"})
    assert '<html lang="zh-CN">' in switched.get("/alerts", headers={"Accept-Language": "en"}).text
    assert '<html lang="en">' in other.get("/alerts", headers={"Accept-Language": "en"}).text
    assert '<html lang="zh-CN">' in other.get("/alerts", headers={"Accept-Language": "zh-CN"}).text
