"""The command line of `cylinder-scan`: commands, options and what they mean."""

import argparse
from math import nan
from pathlib import Path
from typing import Any

from scanner.actions import KINDS
from scanner.offline import LONGEST_AGE_H

_TEXT_DETAILS = {
    "medium": "what is filled, as in lpg, o2, ar+co2",
    "gun_id": "filling gun",
    "batch": "filling batch",
    "from_site": "where it leaves; this device's site for ship and deliver",
    "to_site": "where it arrives; this device's site for receive and return",
    "waybill": "waybill number",
    "vehicle": "vehicle",
    "customer": "customer's pseudonym, never a name or address",
    "safety_check": "safety check at the user's: pass or fail",
    "result": "pass or fail; an inspection also scrap",
    "valid_until": "a passed inspection's last day, YYYY-MM-DD",
    "agency_licence_no": "inspection agency's licence number",
    "inspector_id": "inspector",
    "reviewer_id": "reviewer",
    "reason": "why a fill goes on against the verdict (override)",
    "approved_by": "the name of the person who answers for that (override)",
    "note": "a note",
}
_NUMBER_DETAILS = {
    "gas_mass_kg": "mass of gas, kg",
    "gross_kg": "mass with gas, kg",
    "tare_kg": "mass without gas, kg",
    "pressure_mpa": "filling pressure, MPa",
    "residual_pressure_mpa": "residual pressure before filling, MPa",
    "lat": "latitude, degrees",
    "lon": "longitude, degrees",
}

MOST_HOURS = 9 * 24
"""How far ahead the server foresees."""


def parser() -> argparse.ArgumentParser:
    """All commands; `command` names the one chosen."""
    top = argparse.ArgumentParser(
        prog="cylinder-scan", description="扫描气瓶编码并上传 / Read cylinder codes, record and upload them."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    images = commands.add_parser("images", help="decode picture files or folders of them")
    images.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    camera = commands.add_parser("camera", help="decode a camera, a video file or a stream")
    camera.add_argument("--source", default="0", help="camera number, video file or stream URL (default 0)")
    usb = commands.add_parser("usb", help="read a USB scanner that types on standard input")
    for command in (images, camera, usb):
        _add_action(command)

    upload = commands.add_parser("upload", help="send what waits in the outbox")
    _add_device(upload, required=True)
    upload.add_argument(
        "--tries",
        type=_from_one,
        default=6,
        metavar="N",
        help="failures in a row before giving up (default 6)",
    )
    status = commands.add_parser("status", help="show what waits, what was refused and why")
    status.add_argument("--outbox", type=Path, required=True, metavar="FILE")
    status.add_argument("--json", action="store_true", dest="as_json", help="one JSON object instead of text")

    bench = commands.add_parser("bench", help="measure decoding on a folder of photographs with an index.csv")
    bench.add_argument("folder", nargs="?", metavar="FOLDER")

    check = commands.add_parser(
        "check",
        help="may this cylinder be filled? exit code 0 PASS, 3 ASK, 4 STOP, 5 no answer, 6 let go by a person",
    )
    check.add_argument("code", metavar="CODE", help="text of the label")
    check.add_argument("--key", type=Path, required=True, metavar="FILE")
    check.add_argument("--operator", required=True, metavar="ID")
    check.add_argument("--medium", required=True, help=_TEXT_DETAILS["medium"])
    check.add_argument("--gun", metavar="ID", help="the gun it hangs on: then a check must be on record")
    check.add_argument(
        "--snapshot", type=Path, metavar="FILE", help="ask this snapshot where the server does not answer"
    )
    check.add_argument(
        "--max-age", type=_hours, default=LONGEST_AGE_H, metavar="HOURS", help="of the snapshot (default 24)"
    )
    release = check.add_argument_group("letting a fill go on against ASK or STOP; all three, or none")
    release.add_argument("--reason", type=_said, metavar="TEXT", help="why; it is recorded and reported")
    release.add_argument("--approved-by", type=_said, metavar="NAME", help="who answers for it")
    release.add_argument(
        "--outbox", type=Path, metavar="FILE", help="where it is recorded until it is uploaded"
    )

    snapshot = commands.add_parser("snapshot", help="fetch what `check` needs while there is no network")
    snapshot.add_argument("--key", type=Path, required=True, metavar="FILE")
    snapshot.add_argument("--snapshot", type=Path, required=True, metavar="FILE", help="made when missing")
    return top


def details(arguments: argparse.Namespace) -> dict[str, Any]:
    """The event fields that were given as options, as JSON values."""
    names = (*_TEXT_DETAILS, *_NUMBER_DETAILS, "items_failed", "overrides", "real_name_verified")
    return {name: value for name in names if (value := getattr(arguments, name)) is not None}


def _add_action(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--action", choices=list(KINDS), help="record this for each code; without it only print"
    )
    _add_device(command, required=False)
    command.add_argument("--operator", metavar="ID", help="who scans")
    command.add_argument("--upload", action="store_true", help="also upload what waits, now and at the end")
    fields = command.add_argument_group("fields of the action")
    for name, meaning in _TEXT_DETAILS.items():
        fields.add_argument(_option(name), dest=name, help=meaning)
    for name, meaning in _NUMBER_DETAILS.items():
        fields.add_argument(_option(name), dest=name, type=float, metavar="NUMBER", help=meaning)
    fields.add_argument(
        "--item-failed",
        dest="items_failed",
        action="append",
        metavar="TEXT",
        help="a failed item; repeatable",
    )
    fields.add_argument(
        "--overrides", action="append", metavar="RULE", help="a rule that objected (override); repeatable"
    )
    fields.add_argument(
        "--real-name-verified", dest="real_name_verified", action=argparse.BooleanOptionalAction, default=None
    )


def _add_device(command: argparse.ArgumentParser, *, required: bool) -> None:
    command.add_argument("--key", type=Path, required=required, metavar="FILE", help="the device's key file")
    command.add_argument("--outbox", type=Path, required=required, metavar="FILE", help="made when missing")


def _said(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; say it in words")
    return text.strip()


def _from_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: give a whole number from 1 up")
    return int(text)


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = nan
    if not 0 <= hours <= MOST_HOURS:
        raise argparse.ArgumentTypeError(f"{text}: give hours from 0 to {MOST_HOURS}")
    return hours


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
