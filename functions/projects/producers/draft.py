"""From what a client said of a producer to what can be kept."""

from dataclasses import dataclass
from typing import Any

from functions.projects.producers.schemas import OidcRequest, ProducerRequest
from shared.auth.issuers import issuer_fault
from shared.core.problems import INVALID, Fault, Problem


@dataclass(frozen=True, slots=True)
class Draft:
    """A producer's checked parts, in the order of their columns."""

    sources: list[str]
    types: list[str]
    rate_per_second: int | None
    burst: int | None
    issuer: str | None
    audience: str | None
    subject: str | None

    @property
    def columns(self) -> tuple[Any, ...]:
        """All of them."""
        return (
            self.sources,
            self.types,
            self.rate_per_second,
            self.burst,
            self.issuer,
            self.audience,
            self.subject,
        )


def read_draft(body: ProducerRequest, *, own_issuer: str, allows_http: bool) -> Draft:
    """The draft in `body`. Raises Problem 422 with a pointer to each member that cannot be."""
    faults = [Fault(pointer, "must not contain U+0000") for pointer, text in _texts(body) if "\0" in text]
    if body.burst is not None and body.rate_per_second is None:
        faults.append(Fault("/burst", "needs ratePerSecond beside it"))
    oidc = body.oidc
    if oidc is not None:
        fault = issuer_fault(oidc.issuer, allows_http=allows_http)
        if oidc.issuer.rstrip("/") == own_issuer.rstrip("/"):
            fault = "is this Weir itself; its users' access tokens need no producer"
        if fault is not None:
            faults.append(Fault("/oidc/issuer", fault))
    if faults:
        raise Problem(INVALID, "The request has values that cannot be used.", errors=faults)
    return Draft(
        body.sources,
        body.types,
        body.rate_per_second,
        body.burst,
        oidc.issuer if oidc else None,
        oidc.audience if oidc else None,
        oidc.subject if oidc else None,
    )


def _texts(body: ProducerRequest) -> list[tuple[str, str]]:
    oidc: OidcRequest | None = body.oidc
    return [
        *((f"/sources/{index}", text) for index, text in enumerate(body.sources)),
        *((f"/types/{index}", text) for index, text in enumerate(body.types)),
        *((("/oidc/audience", oidc.audience), ("/oidc/subject", oidc.subject)) if oidc else ()),
    ]
