"""The pages of figures, draws and trials take no form that another site made, and show nothing to who is not signed in."""

import pytest
from flask import Flask

from tests.web.conftest import SignIn, strict
from tests.world import World

PATHS = [
    "/figures",
    "/figures.xlsx",
    "/draws",
    "/draws/x",
    "/draws/x.json",
    "/risk/x",
    "/trials",
    "/trials/x",
]
API = [
    "/api/v1/figures",
    "/api/v1/risk",
    "/api/v1/draws",
    "/api/v1/draws/0",
    "/api/v1/trials",
    "/api/v1/trials/0",
]
FORMS = [
    "/draws",
    "/draws/x",
    "/draws/x/visits",
    "/trials",
    "/trials/x/stop",
    "/api/v1/trials",
    "/api/v1/trials/0/stop",
]


@pytest.mark.parametrize("path", PATHS)
def test_without_signing_in_a_page_leads_to_the_entrance(app: Flask, path: str) -> None:
    assert app.test_client().get(path).headers["Location"].startswith("/sign-in?next=")


@pytest.mark.parametrize("path", API)
def test_without_signing_in_the_api_says_so(app: Flask, path: str) -> None:
    answer = app.test_client().get(path)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "not_signed_in")


@pytest.mark.parametrize("path", FORMS)
def test_a_form_that_another_site_made_is_refused(pages: World, signed_in: SignIn, path: str) -> None:
    client = strict(pages.database, pages).test_client()
    with client.session_transaction() as session, signed_in("city").session_transaction() as known:
        session["_user_id"] = known["_user_id"]
    assert client.get("/draws").status_code == 200
    assert client.post(path, data={"purpose": "x"}).status_code == 400


@pytest.mark.parametrize("path", [*PATHS, *API])
def test_what_is_shown_is_kept_by_no_browser(signed_in: SignIn, path: str) -> None:
    assert signed_in("city").get(path).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/draws/%00", "/trials/%00", "/risk/%00", "/draws/%00.json"])
def test_an_address_that_no_text_of_a_database_can_be_is_not_found(signed_in: SignIn, path: str) -> None:
    assert signed_in("city").get(path).status_code == 404
