"""A device's numbers go on where they stood, also when its outbox is a new one: two scans of one number are a gap."""

from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from cylinder_trace.contract.receipt import DEVICE_PATH, DeviceAnswer
from scanner.keys import DeviceKey
from scanner.outbox import Outbox
from scanner.server import Server, Unreachable

_NOT_ASKED = (
    "新发件箱，未能向服务器问得已用的序号，从 1 编起；本设备若有旧发件箱，请改用它"
    " / a new outbox, and the server did not say where this device's numbers stand, so they begin at 1;"
    " if the device had an outbox before, use that one"
)


def opened(path: Path, key: DeviceKey, server: Server, warn: Callable[[str], object]) -> Outbox:
    """The outbox of a device; a new one goes on with the numbers that the server has, or warns. Raises OutboxError."""
    outbox = Outbox(path, device_id=key.device_id)
    try:
        if outbox.is_new:
            last = _last_seq(server)
            if last is None:
                warn(_NOT_ASKED)
            else:
                outbox.number_after(last)
    except BaseException:
        outbox.close()
        raise
    return outbox


def _last_seq(server: Server) -> int | None:
    try:
        reply = server.get(DEVICE_PATH)
        return DeviceAnswer.model_validate_json(reply.body).last_seq if reply.status == 200 else None
    except (Unreachable, ValidationError):
        return None
