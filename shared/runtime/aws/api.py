"""Calls to AWS services that speak JSON, signed: Secrets Manager, SQS and EventBridge do."""

import http.client
import json
import os
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from shared.core.sigv4 import Credentials, Scope, signed

TIMEOUT_SECONDS = 3.0
ATTEMPTS = 2


class CallFailed(Exception):
    """A service did not do what was asked. The text says what it answered."""


@dataclass(frozen=True, slots=True)
class Service:
    """How a service is spoken to: its name in addresses and signatures, the prefix of its actions, its JSON."""

    name: str
    prefix: str
    version: str = "1.1"


SECRETS = Service("secretsmanager", "secretsmanager")
QUEUES = Service("sqs", "AmazonSQS", "1.0")
BUSES = Service("events", "AWSEvents")


def endpoint(service: Service, region: str) -> str:
    """Where `service` is: as `AWS_ENDPOINT_URL_SQS` or `AWS_ENDPOINT_URL` say, or the region's own."""
    said = os.environ.get(f"AWS_ENDPOINT_URL_{service.name.upper()}") or os.environ.get("AWS_ENDPOINT_URL")
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return said or f"https://{service.name}.{region}.{domain}"


class Api:
    """One service at one address. `call` blocks, and may be called from any thread; one connection is kept."""

    def __init__(self, service: Service, *, region: str | None = None, url: str | None = None) -> None:
        region = region or os.environ["AWS_REGION"]
        address = urlsplit(url or endpoint(service, region))
        assert address.hostname is not None
        self._service = service
        self._scope = Scope(region, service.name)
        self._tls = ssl.create_default_context() if address.scheme == "https" else None
        self._host, self._port, self._netloc = address.hostname, address.port, address.netloc
        self._connection: http.client.HTTPConnection | None = None
        self._one_at_a_time = Lock()

    def call(self, action: str, **members: Any) -> dict[str, Any]:
        """What the service answers to `action`. Raises CallFailed or OSError.

        A connection that died meanwhile, as one does while a sandbox is frozen, is replaced.
        """
        body = json.dumps(members).encode()
        headers = {
            "content-type": f"application/x-amz-json-{self._service.version}",
            "x-amz-target": f"{self._service.prefix}.{action}",
        }
        with self._one_at_a_time:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    status, answer = self._post(headers, body)
                except (http.client.HTTPException, OSError) as error:
                    self.close()
                    if attempt < ATTEMPTS:
                        continue
                    if isinstance(error, OSError):
                        raise
                    raise CallFailed(f"{action}: {error!r}") from error
                if status < 300:
                    return answer
                self.close()  # what could not answer is not asked again on the same connection
                if status < 500 or attempt == ATTEMPTS:
                    kind = str(answer.get("__type", "")).rpartition("#")[2]
                    said = answer.get("message") or answer.get("Message") or ""
                    raise CallFailed(f"{action} was answered with {status} {kind}: {said}")
        raise AssertionError

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
            self._connection = None

    def _post(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        if self._connection is None:
            self._connection = self._open()
        sent = signed(
            _credentials(),
            self._scope,
            host=self._netloc,
            path="/",
            headers=headers,
            body=body,
            at=datetime.now(UTC),
        )
        self._connection.request("POST", "/", body, sent)
        answer = self._connection.getresponse()
        text = answer.read()
        try:
            read = json.loads(text or b"{}")
        except ValueError:
            read = {"message": text[:200].decode(errors="replace")}
        return answer.status, read if isinstance(read, dict) else {}

    def _open(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_SECONDS)
        return http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT_SECONDS, context=self._tls)


def _credentials() -> Credentials:
    """Those of the function's role, as Lambda gives them to a sandbox. Raises CallFailed where there are none."""
    try:
        return Credentials(
            os.environ["AWS_ACCESS_KEY_ID"],
            os.environ["AWS_SECRET_ACCESS_KEY"],
            os.environ.get("AWS_SESSION_TOKEN") or None,
        )
    except KeyError as error:
        raise CallFailed(
            f"{error.args[0]} is not set: Lambda gives a function its role's credentials so"
        ) from None
