"""A walk over the duties in a test's world, who signs and settles in it, and the mails that it made."""

from email import message_from_bytes
from email.header import decode_header, make_header

from sqlalchemy import select

from cylinder_trace import duty_records
from cylinder_trace.judging.handling.routing import Recipient
from cylinder_trace.mail.duty_letter import DutyLetters
from cylinder_trace.settings import Settings
from cylinder_trace.store import contacts, recipients
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.people import Person
from cylinder_trace.store.tables import outbox
from tests.world import MINHANG, STATION, World, ms

MANAGER = Person("m-1", "张安全", "manager", Scope("station", STATION))
OFFICER = Person("o-1", "区局", "officer", Scope("district", MINHANG))
LETTERS = DutyLetters(
    Settings(mail_from="气瓶追溯 <trace@example.cn>", public_url="https://trace.example.cn")
)


def walk(world: World, hours: float) -> dict[str, int]:
    """Sweep and do what is due of the duties by then."""
    for before_h in (0.4, 0):  # a day that something late came to is looked at some minutes after
        world.sweep(hours - before_h)
    return duty_records.run(world.database, world.cache, LETTERS, ms(hours))


def mails(world: World) -> list[tuple[str, str, str]]:
    """Recipient, subject and text of what waits to be sent."""
    with world.database.reading() as connection:
        rows = connection.execute(select(outbox.c.recipient, outbox.c.body).order_by(outbox.c.mail_id)).all()
    found = []
    for address, body in rows:
        mail = message_from_bytes(body)
        text = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
        words = text.get_payload(decode=True)
        assert isinstance(words, bytes)
        found.append((address, str(make_header(decode_header(mail["Subject"]))), words.decode()))
    return found


def with_addresses(world: World) -> World:
    """The world with an address of its station, one of the station's district, and one of the city."""
    with world.database.writing() as connection:
        contacts.put(connection, STATION, "safety@station-1.example.cn", "")
        recipients.put(connection, Recipient("minhang@example.cn", MINHANG))
        recipients.put(connection, Recipient("city@example.cn", "*"))
    return world
