"""Who is signed in."""

from dataclasses import dataclass
from typing import Any

from flask import g, redirect, request, url_for
from flask_login import LoginManager, UserMixin

from cylinder_trace.store import people
from cylinder_trace.store.people import Person
from cylinder_trace.web.server import refusal, server

login_manager = LoginManager()


@dataclass(frozen=True)
class Visitor(UserMixin):  # type: ignore[misc]
    """A signed-in person, as the session library wants it."""

    person: Person

    def get_id(self) -> str:
        """The name the session remembers."""
        return self.person.username


@login_manager.user_loader
def _load(username: str) -> Visitor | None:
    if g.get("nobody", False):  # an error page is under way, and the database may be what failed
        return None
    with server().database.reading() as connection:
        person = people.person(connection, username)
    return Visitor(person) if person else None


@login_manager.unauthorized_handler
def _unauthorized() -> Any:
    if request.path.startswith("/api/"):
        return refusal(401, "not_signed_in", "请先登录。", "sign in first")
    return redirect(url_for("entrance.sign_in", next=request.full_path.rstrip("?")))
