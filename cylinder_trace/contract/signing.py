"""How a device signs its requests (RFC 9421, Ed25519) and what its key file holds."""

from pydantic import BaseModel, ConfigDict, Field

from cylinder_trace.contract.fields import Id

ALGORITHM = "ed25519"
COVERED_COMPONENTS = ("@method", "@path", "@query", "content-digest")
"""Everything a replay or a redirect could change; the body is covered through its SHA-256 digest."""

SIGNATURE_LABEL = "station"
LONGEST_CLOCK_DIFFERENCE_S = 300
"""A signature `created` further than this from the server's clock is refused, with the server's time."""


class KeyFile(BaseModel):
    """What `cylinder-trace device add` prints once; both keys are 32 raw bytes in base64.

    `server_public_key` proves that a snapshot is the server's; a key file of before has none, and works without.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    server_url: str = Field(pattern=r"^https?://")
    device_id: Id
    site_id: Id
    private_key: str
    server_public_key: str | None = None
