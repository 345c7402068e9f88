"""Webhooks as third parties send them, signed by others' code: `openssl`, `standardwebhooks`, `cryptography`."""

import base64
import json
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook

EXAMPLES = Path(__file__).parents[2] / "infra/demo/node_modules/@octokit/webhooks-examples"


def openssl_hmac(key: bytes, content: bytes, algorithm: str = "sha256") -> bytes:
    """HMAC by the `openssl` command."""
    done = subprocess.run(
        ["openssl", "dgst", f"-{algorithm}", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}", "-binary"],
        input=content,
        capture_output=True,
        check=True,
    )
    return done.stdout


def github(secret: str, body: bytes, event: str, delivery: str = "d-1") -> dict[str, str]:
    """Headers of a delivery of GitHub's."""
    return {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": "sha256=" + openssl_hmac(secret.encode(), body).hex(),
        "Content-Type": "application/json",
    }


def stripe(secret: str, body: bytes, at: int | None = None) -> dict[str, str]:
    """Headers of an event of Stripe's."""
    moment = int(time.time()) if at is None else at
    signature = openssl_hmac(secret.encode(), f"{moment}.".encode() + body).hex()
    return {"Stripe-Signature": f"t={moment},v1={signature},v0=00", "Content-Type": "application/json"}


def slack(
    secret: str, body: bytes, at: int | None = None, content_type: str = "application/json"
) -> dict[str, str]:
    """Headers of a request of Slack's."""
    moment = int(time.time()) if at is None else at
    signature = openssl_hmac(secret.encode(), f"v0:{moment}:".encode() + body).hex()
    return {
        "X-Slack-Request-Timestamp": str(moment),
        "X-Slack-Signature": f"v0={signature}",
        "Content-Type": content_type,
    }


def shopify(secret: str, body: bytes, topic: str, **more: str) -> dict[str, str]:
    """Headers of a webhook of Shopify's."""
    return {
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": "example.myshopify.com",
        "X-Shopify-Webhook-Id": "w-1",
        "X-Shopify-Event-Id": "e-1",
        "X-Shopify-Triggered-At": "2026-03-01T12:00:00.123456789Z",
        "X-Shopify-Hmac-SHA256": base64.b64encode(openssl_hmac(secret.encode(), body)).decode(),
        "Content-Type": "application/json",
        **more,
    }


def standard(secret: str, body: bytes, message: str = "msg_1", at: int | None = None) -> dict[str, str]:
    """Headers of a Standard Webhook, signed by its library."""
    moment = int(time.time()) if at is None else at
    # The library takes the naive reading of the time for UTC, whatever zone it says.
    signature = Webhook(secret).sign(message, datetime.fromtimestamp(moment, UTC), body.decode())
    return {
        "webhook-id": message,
        "webhook-timestamp": str(moment),
        "webhook-signature": signature,
        "Content-Type": "application/json",
    }


class Asymmetric:
    """A sender of Standard Webhooks with an Ed25519 key."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.public = "whpk_" + base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def sign(self, body: bytes, message: str = "msg_1", at: int | None = None) -> dict[str, str]:
        """Headers of one."""
        moment = int(time.time()) if at is None else at
        signature = self._key.sign(f"{message}.{moment}.".encode() + body)
        return {
            "webhook-id": message,
            "webhook-timestamp": str(moment),
            "webhook-signature": "v1a," + base64.b64encode(signature).decode(),
        }


def github_examples(version: str = "*") -> Iterator[tuple[str, dict[str, Any]]]:
    """The event name and the payload of each example that GitHub's `@octokit/webhooks-examples` has."""
    for path in sorted(EXAMPLES.glob(f"{version}/index.json")):
        for event in json.loads(path.read_text()):
            for payload in event["examples"]:
                yield event["name"], payload


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers as ASGI has them."""
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
