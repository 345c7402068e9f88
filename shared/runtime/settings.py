"""Settings of a running process, read once from `WEIR_*` and passed in."""

from pydantic import Field, SecretStr, field_validator

from shared.runtime.environment import FromEnvironment


class Settings(FromEnvironment):
    """What every function needs to know of where it runs.

    `secret` keys the hashes of API keys and seals what is secret at rest; it has no default.
    `public_url` is the address under which producers and the console reach Weir.
    `sink_allow` lists the networks, private ones included, that deliveries may go to.
    `database_read_url` is a replica that answers searches of `explore`; without it the database itself does.
    `metrics_token` opens `/metrics`, which stays closed without one.
    `source_kinds_dir` has files of further kinds of sources.
    """

    database_url: SecretStr
    database_read_url: SecretStr | None = None
    redis_url: SecretStr
    secret: SecretStr
    public_url: str = "http://127.0.0.1:8480"
    sink_allow: tuple[str, ...] = ()
    database_pool_size: int = Field(default=8, ge=1)
    metrics_token: SecretStr | None = None
    console_dir: str | None = None
    source_kinds_dir: str | None = None

    @field_validator("sink_allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """`WEIR_SINK_ALLOW` holds CIDR networks with commas."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value


class ConnectionSettings(FromEnvironment):
    """What a client may take of a connection: past the seconds a request is 408, past the bytes 431."""

    head_timeout_seconds: float = Field(default=15, gt=0)
    body_timeout_seconds: float = Field(default=30, gt=0)
    head_max_bytes: int = Field(default=64 * 1024, ge=8 * 1024)
