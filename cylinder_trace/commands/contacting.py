"""Commands about stations' duties: who is reminded, and the walk at once."""

import argparse
from email.utils import parseaddr

from cylinder_trace import duty_records
from cylinder_trace.commands.arguments import Adding, Unusable
from cylinder_trace.mail.duty_letter import DutyLetters
from cylinder_trace.settings import Settings
from cylinder_trace.stage import opened
from cylinder_trace.store import contacts
from cylinder_trace.web.server import clock_ms


def add(command: Adding) -> None:
    """Add these commands."""
    mails = command("contact", "name an address of a station or firm, for reminders and due lists", _contact)
    mails.add_argument("action", choices=["add", "remove", "list"])
    mails.add_argument("address", nargs="?", default="")
    mails.add_argument("--of", default="", help="site or owner id")
    mails.add_argument("--name", default="")
    command("duties", "see which records stations owe, and remind and mail what is due, once", _duties)


def _contact(arguments: argparse.Namespace, settings: Settings) -> int:
    address, party = arguments.address, arguments.of
    with opened(settings.database_url) as (database, cache), database.writing() as connection:
        if arguments.action == "list":
            for known, its, name in contacts.everyone(connection):
                print(f"{known}\t{its}\t{name}")
            return 0
        if "@" not in parseaddr(address)[1] or not address.isascii():
            raise Unusable(f"{address or 'nothing'} is no mail address; give such as safety@example.cn")
        reference = cache.read(connection)
        if party not in reference.sites and party not in reference.owners:
            raise Unusable(f"--of {party or '(nothing)'} is neither a site nor a firm of the register")
        if arguments.action == "remove":
            if not contacts.remove(connection, party, address):
                raise Unusable(f"{address} is no address of {party}")
            print(f"{address} is told nothing more of {party}")
            return 0
        contacts.put(connection, party, address, arguments.name)
    print(f"{address} gets reminders and due lists of {party}")
    return 0


def _duties(_arguments: argparse.Namespace, settings: Settings) -> int:
    with opened(settings.database_url) as (database, cache):
        done = duty_records.run(database, cache, DutyLetters(settings), clock_ms())
    print(", ".join(f"{number} {what}" for what, number in done.items()))
    return 0
