"""Every knob of the server: unit, default and help. Set as CYLINDER_TRACE_<NAME>; unknown names are refused."""

import os
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "CYLINDER_TRACE_"


class UnknownSetting(ValueError):
    """An environment variable with our prefix that names no setting."""


class Settings(BaseSettings):
    """What an administrator may change. Read once, at the door."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    database_url: str = Field(
        "sqlite:///cylinder-trace.sqlite3", description="SQLAlchemy URL; SQLite or PostgreSQL 15+"
    )
    host: str = Field("127.0.0.1", description="address the pages are served on")
    port: int = Field(8080, ge=1, le=65535, description="port the pages are served on")
    threads: int = Field(
        8, ge=1, le=256, description="requests served at once by a process; a slow sender holds one of them"
    )
    workers: int = Field(
        1, ge=1, le=64, description="processes that serve; passwords tried are counted by each for itself"
    )
    public_url: str = Field(
        "", description="how people reach the pages; printed in mails and key files; host and port when empty"
    )
    secret_key: str = Field("", description="signs sessions; made and kept beside the database when empty")
    signing_key: str = Field(
        "",
        description="32 bytes in base64 that sign station snapshots; made and kept beside the secret when empty",
    )
    smtp_host: str = Field("127.0.0.1", description="mail server")
    smtp_port: int = Field(25, ge=1, le=65535, description="mail server's port")
    smtp_user: str = Field("", description="user on the mail server; none when empty")
    smtp_password: str = Field("", description="password on the mail server")
    smtp_starttls: bool = Field(False, description="encrypt the connection with STARTTLS")
    smtp_tls: bool = Field(False, description="encrypt the connection from its first byte (port 465)")
    smtp_ca_file: Path | None = Field(
        None, description="who may vouch for the mail server's certificate, in PEM; the system's if absent"
    )
    smtp_timeout_s: float = Field(
        20.0, gt=0, le=60, description="seconds to wait for each answer of the mail server"
    )
    webhook_timeout_s: float = Field(
        10.0, gt=0, le=60, description="seconds to wait for each answer of a message platform"
    )
    mail_from: str = Field("cylinder-trace@localhost", description="sender of alert mails")
    judge_at_once: int = Field(500, ge=0, description="events of one request judged before it is answered")
    sweep_every_s: int = Field(10, ge=1, description="seconds between sweeps")
    delivery_every_s: int = Field(10, ge=1, description="seconds between deliveries")
    secret_directory: Path = Field(Path(), description="where the made secret and signing keys are kept")

    @model_validator(mode="after")
    def _encrypts_one_way(self) -> Self:
        if self.smtp_tls and self.smtp_starttls:
            raise ValueError("smtp_tls and smtp_starttls exclude each other: choose one")
        return self

    @model_validator(mode="after")
    def _says_where_it_is(self) -> Self:
        if not self.public_url:
            object.__setattr__(self, "public_url", f"http://{self.host}:{self.port}")
        return self


def load_settings(**changes: object) -> Settings:
    """The settings in force: defaults, then the environment, then `changes`. Raises UnknownSetting by name."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in os.environ:
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            raise UnknownSetting(f"{name} names no setting; known are {', '.join(sorted(known))}")
    return Settings(**changes)  # type: ignore[arg-type]
