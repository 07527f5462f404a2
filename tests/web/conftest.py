"""The pages of a small world: its events judged, its people signed in."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cylinder_trace.judging.scan import DAY_MS
from cylinder_trace.settings import Settings
from cylinder_trace.store import people
from cylinder_trace.store.database import Database, open_database
from cylinder_trace.web.app import create_app
from cylinder_trace.web.server import Server
from cylinder_trace.web.sign_in import visitor
from tests.world import MINHANG, OTHER_STATION, SONGJIANG, STATION, World, ms

PASSWORD = "password-1"
PEOPLE = {
    "city": ("city", ""),
    "minhang": ("officer", MINHANG),
    "minhang-2": ("officer", MINHANG),
    "songjiang": ("officer", SONGJIANG),
    "manager-1": ("manager", STATION),
    "manager-2": ("manager", OTHER_STATION),
    "op-1": ("operator", STATION),
    "op-2": ("operator", OTHER_STATION),
}
"""Who may sign in, all with the same password: role and scope."""

SignIn = Callable[..., FlaskClient]


@pytest.fixture(scope="session")
def peopled_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database that knows its people: hashing their passwords takes longer than any page."""
    path = tmp_path_factory.mktemp("people") / "peopled.sqlite3"
    shutil.copyfile(sqlite_template, path)
    database = open_database(f"sqlite:///{path}")
    with database.writing() as connection:
        for name, (role, scope) in PEOPLE.items():
            people.put_account(connection, name, PASSWORD, f"{name} 的人", role, scope)
    database.close()
    return path


@pytest.fixture
def pages(peopled_template: Path, tmp_path: Path) -> Iterator[World]:
    """A world whose pages are looked at; SQLite only, because what a page shows is no matter of the database."""
    for part in peopled_template.parent.glob(f"{peopled_template.name}*"):
        shutil.copyfile(part, tmp_path / part.name)
    database = open_database(f"sqlite:///{tmp_path / peopled_template.name}")
    yield World(database)
    database.close()


@pytest.fixture
def app(pages: World) -> Flask:
    """The application two days after Monday morning, without CSRF so that tests may post; see `strict_app`."""
    app = strict(pages.database, pages)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def strict(database: Database, world: World, public_url: str = "http://127.0.0.1:8080") -> Flask:
    """The application as it is served."""
    settings = Settings(secret_key="only for tests", public_url=public_url)
    here = Server(database, world.cache, settings, lambda: ms(0) + 2 * DAY_MS)
    return create_app(here)


@pytest.fixture
def signed_in(app: Flask) -> SignIn:
    """A browser of its own for a person; Chinese unless said otherwise."""

    def browser(name: str, lang: str = "zh") -> FlaskClient:
        client = app.test_client()
        with app.extensions["cylinder_trace"].database.reading() as connection:
            someone = visitor(connection, name)
        remembered = someone.get_id() if someone else name
        # As the sign-in leaves it, which has tests of its own and takes its time over passwords.
        with client.session_transaction() as session:
            session["_user_id"], session["lang"] = remembered, lang
        return client

    return browser
