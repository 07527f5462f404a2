"""What stations and the server have agreed, held to the golden messages in fixtures/contract."""

import json
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parents[2] / "fixtures" / "contract"


def golden(name: str) -> dict[str, Any]:
    """The golden message of this name, decoded."""
    message: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return message
