"""AWS Signature Version 4 for requests with a body, as AWS's "Create a signed AWS API request" describes it.

The one thing of an AWS SDK that Weir needs. The SDK itself takes more of a cold start than everything else together.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs; `token` comes with those that are lent for a while, as a role's are."""

    key_id: str
    secret: str
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is for: `sqs` in `eu-central-1`, say."""

    region: str
    service: str


def signed(
    credentials: Credentials,
    scope: Scope,
    *,
    host: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    at: datetime,
) -> dict[str, str]:
    """`headers` with `host`, `x-amz-date`, the token if there is one, and `authorization` for `POST path`.

    Names of headers are in lower case. `path` is as it goes out and has no query.
    """
    moment = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    day = moment[:8]
    complete = {**headers, "host": host, "x-amz-date": moment}
    if credentials.token is not None:
        complete["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(complete))
    request = "\n".join(
        (
            "POST",
            path,
            "",
            *(f"{name}:{complete[name].strip()}" for name in sorted(complete)),
            "",
            names,
            sha256(body).hexdigest(),
        )
    )
    where = f"{day}/{scope.region}/{scope.service}/aws4_request"
    text = "\n".join((ALGORITHM, moment, where, sha256(request.encode()).hexdigest()))
    key = f"AWS4{credentials.secret}".encode()
    for part in (day, scope.region, scope.service, "aws4_request"):
        key = _mac(key, part)
    signature = _mac(key, text).hex()
    complete["authorization"] = (
        f"{ALGORITHM} Credential={credentials.key_id}/{where}, SignedHeaders={names}, Signature={signature}"
    )
    return complete


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
