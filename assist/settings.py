"""Every knob of the service. Read by `cli`, `web.app` and `scripts` only; everything below takes plain arguments."""

import ipaddress
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from assist.errors import SettingsError


class Settings(BaseSettings):
    """Environment variables with the prefix `ASSIST_` set these, e.g. `ASSIST_RETENTION_DAYS=30`."""

    model_config = SettingsConfigDict(env_prefix="ASSIST_", extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    auth: bool = Field(True, description="Ask for a key. May be off only on a loopback host.")
    allowed_origins: tuple[str, ...] = Field(
        (), description="Further origins, e.g. https://desk.example, whose pages may use the API with a session cookie."
    )
    secure_cookies: bool = Field(False, description="Send the session cookie over HTTPS only. Set it behind TLS.")
    session_hours: int = Field(12, ge=1, le=720, description="How long a signed-in browser stays signed in.")
    login_minutes: int = Field(15, ge=1, le=1440, description="How long a login link works.")

    data_dir: Path = Field(Path("data"), description="Folder of the database and the index versions.")
    models_dir: Path = Field(Path("models"), description="Folder of the model files and their manifest.")
    knowledge_dir: Path = Field(Path("knowledge_base"), description="Folder that a knowledge build reads.")
    database_url: str = Field(
        "", description="sqlite:///FILE or postgresql://…; empty means the file assist.db in the data folder."
    )
    policy_file: str = Field(
        "", description="Policy learned from outcomes; empty means policy.json in the data folder, if it is there."
    )
    synchronous: Literal["FULL", "NORMAL"] = Field(
        "FULL", description="SQLite's durability: FULL survives a power cut, NORMAL a killed process only."
    )
    retention_days: int = Field(180, ge=0, description="Conversations untouched for longer are deleted. 0 keeps them.")

    timezone: str = Field("Asia/Shanghai", description="Where the retailer's day runs, e.g. Asia/Taipei.")
    callback_hours: str = Field(
        "09:00-21:00",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$",
        description="When a supervisor can call back; phrases that promise a call are shown only then.",
    )

    customer_source: str = Field(
        "", description="Folder of CSV/JSONL files, sqlite:///FILE, postgresql://… or http(s)://… that knows customers."
    )
    customer_queries: str = Field("", description="File of the SQL statements for a customer database.")
    customer_token: SecretStr = Field(SecretStr(""), description="Bearer token for a customer address.")
    customer_timeout_s: float = Field(0.5, gt=0, le=10, description="Longest wait for the customer source, in seconds.")
    segment_dormant_days: int = Field(120, ge=1, description="Days without an order that make a customer dormant.")
    segment_core_orders: int = Field(4, ge=1, description="Orders a year that a core customer has at least.")
    segment_core_spend: float = Field(2000.0, ge=0, description="Spend a year that a core customer has at least.")
    clock_first_answer_s: int = Field(60, ge=1, description="Seconds until a customer is first answered.")
    clock_enquiry_s: int = Field(7200, ge=1, description="Seconds until an enquiry is closed.")
    clock_complaint_contact_s: int = Field(3600, ge=1, description="Seconds until someone has answered a complaint.")
    clock_closure_s: int = Field(86_400, ge=1, description="Seconds until a complaint is closed.")
    clock_warning: float = Field(0.25, gt=0, lt=1, description="Share of its time at whose rest a clock warns.")

    max_text_chars: int = Field(4000, ge=1, description="Longest utterance, query, draft or final text.")
    max_body_bytes: int = Field(262_144, ge=1024, description="Largest request body or socket message.")
    max_assist_utterances: int = Field(200, ge=1, description="Most utterances in one stateless assist.")
    max_profile_items: int = Field(500, ge=1, description="Most orders, cart, viewed items or contacts of a customer.")
    max_page_items: int = Field(200, ge=1, description="Largest page of a list.")
    max_live_conversations: int = Field(
        2000,
        ge=1,
        description="Conversations kept in memory; the longest untouched leave first and return from the log.",
    )
    encoder_workers: int = Field(2, ge=1, le=64, description="Threads that run the encoder.")
    encoder_queue: int = Field(64, ge=1, description="Texts that may wait for the encoder before callers get 429.")
    log_queue: int = Field(1024, ge=1, description="Writes that may wait for the log before callers get 429.")
    watcher_queue: int = Field(256, ge=8, description="Messages that may wait for one screen before it is dropped.")
    heartbeat_s: float = Field(20.0, gt=0, description="Seconds between heartbeats of a socket.")
    gate_recall_at_5: float = Field(
        0.01, ge=0, le=1, description="Most that a build may lose of recall@5 on the judged queries to be activated."
    )
    gate_ndcg_at_10: float = Field(
        0.01, ge=0, le=1, description="Most that a build may lose of ndcg@10 on the judged queries to be activated."
    )
    index_poll_s: float = Field(1.0, gt=0, description="Seconds between looks for a newly activated index version.")

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{name!r} is not a time zone such as Asia/Shanghai") from error
        return name

    @field_validator("allowed_origins")
    @classmethod
    def _whole_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not origin.startswith(("http://", "https://")) or origin.count("/") != 2 or "*" in origin:
                raise ValueError(f"{origin!r} is not an origin such as https://desk.example")
        return origins

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if not self.auth and not is_loopback(self.host):
            raise ValueError(
                f"without keys everyone who reaches {self.host} could read customers' conversations;"
                " use --no-auth only with --host 127.0.0.1"
            )
        return self

    @property
    def index_dir(self) -> Path:
        """Where the index versions are."""
        return self.data_dir / "index"

    @property
    def policy_path(self) -> Path:
        """The file of the policy that was learned from outcomes."""
        return Path(self.policy_file) if self.policy_file else self.data_dir / "policy.json"

    @property
    def log_url(self) -> str:
        """The database that is used."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'assist.db').resolve()}"


def load(**given: object) -> Settings:
    """Settings from the environment with `given` on top; None leaves a setting alone. Raises SettingsError."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        problems = [
            ": ".join([*(str(part) for part in problem["loc"]), problem["msg"].removeprefix("Value error, ")])
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("; ".join(problems)) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
