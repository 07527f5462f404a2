"""Commands that let devices scan, people sign in, and addresses get mails."""

import argparse
import getpass
import os
import sys
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from cylinder_trace.commands.arguments import Adding, Unusable
from cylinder_trace.enrolment import enrol, kept_server_key, shown, write_key
from cylinder_trace.judging.handling.routing import EVERYWHERE, HOURS, Recipient
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import RULES
from cylinder_trace.law.tables import LawError
from cylinder_trace.law.tables import load as load_law
from cylinder_trace.settings import Settings
from cylinder_trace.stage import opened
from cylinder_trace.store import people, recipients
from cylinder_trace.store.outbox import WEBHOOK, channel_to
from cylinder_trace.web.server import clock_ms

SHORTEST_PASSWORD = 8


def add(command: Adding) -> None:
    """Add these commands."""
    devices = command("device", "enrol or revoke a scanning device", _device)
    devices.add_argument("action", choices=["add", "revoke"])
    devices.add_argument("device_id")
    devices.add_argument("--site")
    devices.add_argument(
        "--office",
        action="store_true",
        help="it may also register, license, inspect and correct for every site",
    )
    devices.add_argument("--key-file", type=Path, help="write the key here (mode 600) instead of printing it")
    users = command("user", "let a person sign in, or change the password", _user)
    users.add_argument("action", choices=["add"])
    users.add_argument("username")
    users.add_argument("--name", required=True)
    users.add_argument("--role", choices=sorted(people.ROLES), required=True)
    users.add_argument("--scope", default="", help="district adcode or site id; empty for the city")
    mails = command(
        "recipient", "who gets a district's alerts: name one, list them, take one off", _recipient
    )
    mails.add_argument("action", choices=["add", "list", "remove"])
    mails.add_argument("address", nargs="?", default="")
    mails.add_argument(
        "--district", default=EVERYWHERE, help="adcode; * (default) takes what no district does"
    )
    mails.add_argument("--name", default="")
    mails.add_argument("--rules", default="", help="only these rules, comma between; without it every rule")
    mails.add_argument("--severities", default="", help="only these, such as 1,2; without it every severity")
    mails.add_argument("--hours", choices=HOURS, default="any", help="in working time, or out of it, only")
    mails.add_argument(
        "--level",
        type=int,
        choices=[0, 1, 2],
        default=0,
        help="0 the team, 1 its head, 2 the city: told when nobody acts",
    )


def _device(arguments: argparse.Namespace, settings: Settings) -> int:
    with opened(settings.database_url) as (database, cache), database.writing() as connection:
        if arguments.action == "revoke":
            if not people.revoke(connection, arguments.device_id, clock_ms()):
                print(f"no enrolled device {arguments.device_id}", file=sys.stderr)
                return 1
            print(f"{arguments.device_id} is revoked")
            return 0
        if not arguments.site:
            raise Unusable("device add needs --site: the site it scans at")
        _warn_of_unknown_site(cache.read(connection), arguments.site)
        key = enrol(
            connection,
            arguments.device_id,
            arguments.site,
            settings.public_url,
            clock_ms(),
            is_office=arguments.office,
            server_key=kept_server_key(settings),
        )
        if arguments.key_file is not None:
            # Before the enrolment is committed: a device whose key was never written could not be enrolled again.
            write_key(key, arguments.key_file)
    if arguments.key_file is None:
        print(shown(key))
    else:
        print(f"key file {arguments.key_file}; it is not kept anywhere else")
    return 0


def _user(arguments: argparse.Namespace, settings: Settings) -> int:
    kind = people.ROLES[arguments.role]
    scope = _district(arguments.scope) if kind == "district" else arguments.scope
    if (kind == "city") == bool(scope):
        wanted = {"city": "no --scope", "district": "--scope ADCODE", "station": "--scope SITE"}[kind]
        raise Unusable(f"the role {arguments.role} takes {wanted}")
    password = os.environ.get("NEW_PASSWORD") or getpass.getpass("password: ")
    if len(password) < SHORTEST_PASSWORD:
        raise Unusable(f"a password has at least {SHORTEST_PASSWORD} characters")
    with opened(settings.database_url) as (database, cache), database.writing() as connection:
        if kind == "station":
            _warn_of_unknown_site(cache.read(connection), scope)
        people.put_account(connection, arguments.username, password, arguments.name, arguments.role, scope)
    print(f"{arguments.username} may sign in as {arguments.role}")
    return 0


def _recipient(arguments: argparse.Namespace, settings: Settings) -> int:
    if arguments.action == "list":
        return _list_recipients(settings)
    everywhere = arguments.district == EVERYWHERE
    district = arguments.district if everywhere else _district(arguments.district)
    if arguments.action == "remove":
        with opened(settings.database_url) as (database, _), database.writing() as connection:
            try:
                if not recipients.remove(connection, arguments.address, district):
                    raise Unusable(f"{arguments.address} is no recipient of {district}; see: recipient list")
            except recipients.LastFallback as error:
                raise Unusable(str(error)) from None
        print(f"{arguments.address} gets no alerts of {district} any more")
        return 0
    _refuse_what_nobody_reads(arguments.address)
    one = Recipient(
        arguments.address,
        district,
        arguments.name,
        _rules(arguments.rules),
        _severities(arguments.severities),
        arguments.hours,
        arguments.level,
    )
    with opened(settings.database_url) as (database, _), database.writing() as connection:
        try:
            recipients.put(connection, one)
        except recipients.LastFallback as error:
            raise Unusable(str(error)) from None
    print(
        f"{arguments.address} gets the alerts of {'every district that has nobody' if everywhere else district}"
    )
    return 0


def _list_recipients(settings: Settings) -> int:
    with opened(settings.database_url) as (database, _), database.reading() as connection:
        for one in recipients.everyone(connection):
            wants = [
                f"rules {','.join(sorted(one.rules))}" if one.rules else "",
                f"severities {','.join(map(str, sorted(one.severities)))}" if one.severities else "",
                f"hours {one.hours}" if one.hours != "any" else "",
                f"level {one.level}" if one.level else "",
            ]
            print("  ".join(filter(None, [one.district, one.address, one.name, *wants])))
    return 0


def _rules(said: str) -> frozenset[str]:
    """Rules by name. Raises Unusable for one that there is not."""
    named = frozenset(said.split(",")) - {""}
    if unknown := named - RULES.keys():
        raise Unusable(f"no such rule: {', '.join(sorted(unknown))}; see: cylinder-trace rules")
    return named


def _severities(said: str) -> frozenset[int]:
    if not set(said) <= set("123,"):
        raise Unusable(f"--severities {said}: give 1, 2, 3 with commas between, such as 1,2")
    return frozenset(int(one) for one in said.split(",") if one)


def _refuse_what_nobody_reads(address: str) -> None:
    """Raises Unusable for what is neither a mail address nor the URL of a message platform."""
    if channel_to(address) == WEBHOOK:
        # Plain text only to a bridge on this machine: what is found is nobody's business on the way.
        parts = urlsplit(address)
        if not parts.hostname or (parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "::1"}):
            raise Unusable(f"{address} is not encrypted; give a https:// URL, or one of 127.0.0.1")
    elif "@" not in parseaddr(address)[1] or not address.isascii():
        raise Unusable(f"{address} is no mail address; give such as team@example.cn, or a https:// URL")


def _district(adcode: str) -> str:
    """The code that answers for a district today. Raises Unusable."""
    try:
        return load_law().district(adcode).adcode if adcode else ""
    except LawError:
        known = ", ".join(f"{one.adcode} {one.zh}" for one in load_law().districts())
        raise Unusable(f"{adcode} is no district; known are {known}") from None


def _warn_of_unknown_site(reference: Reference, site_id: str) -> None:
    if site_id not in reference.sites:
        print(f"cylinder-trace: note: {site_id} is not in the register of sites yet", file=sys.stderr)
