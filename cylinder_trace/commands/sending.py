"""Commands about the outbox: what could not be delivered, sent again or let go."""

import argparse
import sys

from cylinder_trace.commands.arguments import Adding, Unusable, whole
from cylinder_trace.settings import Settings
from cylinder_trace.stage import opened
from cylinder_trace.store import outbox
from cylinder_trace.web.server import clock_ms

_STATES = ("dead", "waiting", "sent", "let_go")
_BECOMES = {"resend": outbox.WAITING, "let-go": outbox.LET_GO}
_MORE = """in:   the outbox of CYLINDER_TRACE_DATABASE_URL
out:  list: a line for each message: number, state, attempts, channel, recipient, subject, last answer

example:  cylinder-trace outbox list; cylinder-trace outbox resend 17 18"""


def add(command: Adding) -> None:
    """Add these commands."""
    sending = command("outbox", "list dead letters, send them again, or let them go", _outbox, _MORE)
    sending.add_argument("action", choices=["list", *_BECOMES])
    sending.add_argument("mail_ids", nargs="*", type=int, metavar="NUMBER", help="which; as the list says")
    sending.add_argument("--state", choices=_STATES, default="dead", help="what to list (default dead)")
    sending.add_argument("--most", type=whole(1, 100_000), default=100, metavar="N", help="default 100")


def _outbox(arguments: argparse.Namespace, settings: Settings) -> int:
    if (arguments.action == "list") == bool(arguments.mail_ids):
        raise Unusable("outbox list takes no numbers; outbox resend and outbox let-go take some")
    if arguments.action != "list":
        return _settle(arguments, settings)
    with opened(settings.database_url) as (database, _), database.reading() as connection:
        for row in outbox.listed(connection, [arguments.state], arguments.most):
            columns = [
                row[name] for name in ("mail_id", "state", "attempts", "channel", "recipient", "subject")
            ]
            print("\t".join(map(str, [*columns, row["last_answer"] or ""])))
    return 0


def _settle(arguments: argparse.Namespace, settings: Settings) -> int:
    failures = 0
    with opened(settings.database_url) as (database, _):
        for mail_id in arguments.mail_ids:
            with database.writing() as connection:
                row = outbox.one(connection, mail_id)
                becomes = _BECOMES[arguments.action]
                if row and outbox.settle(connection, mail_id, row["attempts"], becomes, clock_ms()):
                    print(f"{mail_id} to {row['recipient']}: {becomes}")
                    continue
            failures += 1
            stands = f"is no dead letter: {row['state']}" if row else "is not in the outbox"
            print(f"cylinder-trace: {mail_id} {stands}", file=sys.stderr)
    return 1 if failures else 0
