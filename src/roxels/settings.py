"""What an operator can set, by environment variable or by file. Read once, where things meet, and handed on as values.

An environment variable is `ROXELS_` and the name in capitals; it wins over the file that `ROXELS_CONFIG` names (TOML,
the names as they stand here). `docs/settings.md` is written from this table (`make docs`).
"""

import os
import re
import tomllib
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

CONFIG_VARIABLE = "ROXELS_CONFIG"


class BadSettings(Exception):
    """The settings cannot be used. Mend the one that is named, then start again."""

    code: ClassVar[str] = "bad_settings"


class Settings(BaseSettings):
    """Everything that can be set, with what it is if nobody sets it."""

    model_config = SettingsConfigDict(
        env_prefix="ROXELS_",
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    data: Path = Path("data")
    """The folder that holds the database and everything else that is kept."""

    database_url: SecretStr | None = None
    """A PostgreSQL database to keep conversations in, e.g. `postgresql://roxels:password@db.example.com/roxels`; not
    set: an SQLite file in the data folder. Keys stay in the data folder either way."""

    vault_keys: SecretStr | None = None
    """The keys that seal secrets, 32 bytes each as base64, separated by commas, the oldest first and the one that seals
    last; not set: the file `vault.keys` in the data folder, made at the first start."""

    host: str = "127.0.0.1"
    """The address to listen on; `0.0.0.0` for every one of this machine."""

    port: int = Field(default=8000, ge=0, le=65535)
    """The port to listen on; 0 takes a free one."""

    public_url: str | None = None
    """Where browsers reach this server, e.g. `https://talk.example.com`, without a path. Stands in links and decides
    whether cookies are `Secure`; not set: the address listened on."""

    scripted_cps: float = Field(default=60, ge=0)
    """How fast the scripted speaker writes, in characters per second; 0 writes at once."""

    model_url: str | None = None
    """An OpenAI-compatible endpoint for the agent's words, e.g. `http://127.0.0.1:11434/v1`; not set: the scripted
    speaker talks. See docs/model.md."""

    model: str = ""
    """The name of the model there; a template's `settings.model` may name another."""

    model_key: SecretStr = SecretStr("")
    """The key for that endpoint, where it wants one."""

    model_first_seconds: float = Field(default=20, gt=0)
    """How long the model may take until it begins to answer, in seconds."""

    model_pause_seconds: float = Field(default=15, gt=0)
    """How long the model may pause within an answer, in seconds."""

    limits: bool = True
    """Whether too many requests are refused with 429; `off` for load tests."""

    limits_scale: float = Field(default=1, gt=0)
    """Multiplies how often who may ask (docs/operations.md has the table); 0.1 is a tenth."""

    allow_private_targets: bool = False
    """Whether webhooks may go to private and loopback addresses; for development only, the log says so."""

    worker: bool = True
    """Whether this process also delivers webhooks and does the other work in the background."""

    webhook_timeout: float = Field(default=10, gt=0)
    """How long a receiver may take to answer a webhook, in seconds."""

    retry_scale: float = Field(default=1, gt=0)
    """Multiplies the pauses between attempts to deliver (1, 3, 10, 30, 90, 180, 286 s)."""

    nudge_seconds: float = Field(default=45, gt=0)
    """After how much silence the agent asks once whether the person is still there, in seconds."""

    abandon_minutes: float = Field(default=10, gt=0)
    """After how long with nobody there a conversation that cannot be resumed ends, in minutes."""

    drain_seconds: float = Field(default=8, ge=0)
    """How long a server that was told to stop waits for answers under way, in seconds."""

    max_frame_bytes: int = Field(default=256 * 1024, ge=1024)
    """The longest message that a browser may send over the socket, in bytes."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least grave log line that is written."""

    log_format: Literal["text", "json"] = "text"
    """`text` for people, `json` for machines: one object per line. Both go to stderr."""

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.match(r"postgres(ql)?(\+psycopg)?://", value.get_secret_value()):
            raise ValueError("write postgresql://user:password@host/name, or leave it out for SQLite")
        return value

    @field_validator("public_url")
    @classmethod
    def _is_an_origin(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^/?#\s]+", value):
            raise ValueError("write scheme, host and port only, e.g. https://talk.example.com")
        return value

    @field_validator("model_url")
    @classmethod
    def _is_an_endpoint(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^?#\s@]+", value):
            raise ValueError("write an http or https address without a key in it, e.g. http://127.0.0.1:11434/v1")
        return value

    @model_validator(mode="after")
    def _names_its_model(self) -> Self:
        if self.model_url is not None and not self.model:
            raise ValueError("ROXELS_MODEL_URL is set; name the model too: ROXELS_MODEL")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in code wins over the environment, which wins over the file."""
        file = TomlConfigSettingsSource(settings_cls, toml_file=os.environ.get(CONFIG_VARIABLE))
        return init_settings, env_settings, file, dotenv_settings, file_secret_settings


def read(**given: Any) -> Settings:
    """The settings of this process; `given` are those that the command line set.

    Raises BadSettings with one sentence for each that cannot be used; no value stands in it (it may be a secret).
    """
    file = os.environ.get(CONFIG_VARIABLE)
    if file and not Path(file).is_file():
        raise BadSettings(f"{CONFIG_VARIABLE} names a file that is not there: {file}")
    try:
        return Settings(**given)
    except ValidationError as error:
        raise BadSettings(" ".join(_sentence(fault) for fault in error.errors(include_input=False))) from None
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"{file} is not TOML: {error}") from None


def _sentence(fault: ErrorDetails) -> str:
    if not fault["loc"]:
        return f"{fault['msg'].removeprefix('Value error, ')}."
    name = str(fault["loc"][0])
    if fault["type"] == "extra_forbidden":
        return f"There is no setting called {name}; docs/settings.md lists them."
    return f"{variable(name)}: {fault['msg'].removeprefix('Value error, ')}."


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"ROXELS_{name.upper()}"
