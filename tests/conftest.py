"""What every test may ask for: a fresh migrated database of either kind, and the kits."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cylinder_trace.store.database import Database, open_database, upgrade
from tests.databases import PostgresServer, PostgresUnavailable, postgres_server
from tests.postbox import Inbox, receiving

CHECKOUT = Path(__file__).parent.parent
BACKENDS = ["sqlite", "postgresql"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer | PostgresUnavailable]:
    """The session's server, or why there is none: asked once, told to every test that needs it."""
    with ExitStack() as stack:
        found: PostgresServer | PostgresUnavailable
        try:
            found = stack.enter_context(postgres_server())
        except PostgresUnavailable as reason:
            found = reason
        yield found


@pytest.fixture(scope="session")
def running_postgres(postgres: PostgresServer | PostgresUnavailable) -> PostgresServer:
    """The session's server; skips without one, and fails without one where CI is set."""
    if isinstance(postgres, PostgresServer):
        return postgres
    if os.environ.get("CI"):
        pytest.fail(f"CI needs PostgreSQL: {postgres}")
    pytest.skip(f"PostgreSQL: {postgres}")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite database; copy it, do not open it."""
    path = tmp_path_factory.mktemp("template") / "template.sqlite3"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(running_postgres: PostgresServer) -> str:
    """Name of a migrated, empty PostgreSQL database; use it as a template, do not open it."""
    name = running_postgres.create()
    upgrade(running_postgres.url(name))
    return name


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """URL of a fresh migrated SQLite database."""
    for part in sqlite_template.parent.glob(f"{sqlite_template.name}*"):
        shutil.copyfile(part, tmp_path / part.name.replace("template", "test"))
    return f"sqlite:///{tmp_path / 'test.sqlite3'}"


@pytest.fixture
def postgres_url(running_postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    """URL of a fresh migrated PostgreSQL database, dropped after the test."""
    name = running_postgres.create(postgres_template)
    yield running_postgres.url(name)
    running_postgres.drop(name)


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of a fresh migrated database; the test runs once for each kind."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh migrated database, open; the test runs once for each kind."""
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture(params=BACKENDS)
def blank_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database with nothing in it, for the tests of the migrations themselves."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'blank.sqlite3'}"
        return
    server: PostgresServer = request.getfixturevalue("running_postgres")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture(scope="session")
def kits() -> Path:
    """The folder of photographs and samples that lies beside the checkout."""
    path = CHECKOUT.parent / "shared" / "kits"
    if not path.is_dir():
        pytest.skip("../shared/kits is not there; it holds the photographs this test looks at")
    return path


@pytest.fixture(scope="module")
def mail_server() -> Iterator[Inbox]:
    """A real mail server, one for a module of tests; ask for `inbox`."""
    with receiving() as inbox:
        yield inbox


@pytest.fixture
def inbox(mail_server: Inbox) -> Inbox:
    """What a real mail server took, empty; it answers as it is told."""
    mail_server.taken.clear()
    mail_server.answers.clear()
    return mail_server
