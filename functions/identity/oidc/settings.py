"""Whom else Weir believes who somebody is."""

from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr, field_validator, model_validator

from shared.auth.issuers import issuer_fault
from shared.runtime.environment import FromEnvironment


class OidcSettings(FromEnvironment):
    """A provider of OpenID Connect; none without `oidc_issuer`.

    `oidc_client_id` and `oidc_client_secret` are what the provider knows Weir by; a public client has no secret.
    `oidc_name` stands on the button. Whoever has a verified e-mail address in one of `oidc_domains` may make an
    account; others need an invitation. `oidc_trust_email` takes addresses for verified of which the provider does
    not say so.
    """

    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_name: str = ""
    oidc_domains: tuple[str, ...] = ()
    oidc_trust_email: bool = False

    @field_validator("oidc_issuer")
    @classmethod
    def _is_an_issuer(cls, value: str | None) -> str | None:
        # Over http it is reached in the networks of WEIR_SINK_ALLOW alone: one's own machine.
        if value is not None and (fault := issuer_fault(value, allows_http=True)):
            raise ValueError(fault)
        return value

    @field_validator("oidc_domains", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().lower().lstrip("@") for part in value.split(",") if part.strip())
        return value

    @field_validator("oidc_domains")
    @classmethod
    def _are_domains(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for domain in value:
            if "@" in domain or "*" in domain or "." not in domain:
                raise ValueError(f"{domain!r} is no domain: write example.com, without a pattern")
        return value

    @model_validator(mode="after")
    def _together(self) -> Any:
        if self.oidc_issuer is not None and not self.oidc_client_id:
            raise ValueError("WEIR_OIDC_ISSUER needs WEIR_OIDC_CLIENT_ID")
        return self

    @property
    def name(self) -> str:
        """What the provider is called."""
        return self.oidc_name or str(urlsplit(self.oidc_issuer or "").hostname)

    def lets_in(self, email: str) -> bool:
        """Whether whoever has that address may make an account without an invitation."""
        return email.rpartition("@")[2].lower() in self.oidc_domains
