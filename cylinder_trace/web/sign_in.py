"""Who is signed in."""

from dataclasses import dataclass
from typing import Any

from flask import g, redirect, request, url_for
from flask_login import LoginManager, UserMixin
from sqlalchemy import Connection

from cylinder_trace.store import people
from cylinder_trace.store.people import Person
from cylinder_trace.web.server import refusal, server

login_manager = LoginManager()


@dataclass(frozen=True)
class Visitor(UserMixin):  # type: ignore[misc]
    """A signed-in person, as the session library wants it."""

    person: Person
    password_mark: str

    def get_id(self) -> str:
        """What the session remembers: the name, and which password let it in."""
        return f"{self.password_mark} {self.person.username}"


def visitor(connection: Connection, username: str) -> Visitor | None:
    """Somebody by name, as signed in with the password of now; None where the account is gone."""
    person, mark = people.person(connection, username), people.password_mark(connection, username)
    return Visitor(person, mark) if person and mark else None


@login_manager.user_loader
def _load(remembered: str) -> Visitor | None:
    if g.get("nobody", False):  # an error page is under way, and the database may be what failed
        return None
    _, _, username = remembered.partition(" ")
    with server().database.reading() as connection:
        found = visitor(connection, username)
    # A new password ends the sessions of the old one.
    return found if found and found.get_id() == remembered else None


@login_manager.unauthorized_handler
def _unauthorized() -> Any:
    if request.path.startswith("/api/"):
        return refusal(401, "not_signed_in", "请先登录。", "sign in first")
    return redirect(url_for("entrance.sign_in", next=request.full_path.rstrip("?")))
