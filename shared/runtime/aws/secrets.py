"""Settings out of Secrets Manager, read once for each sandbox."""

import json
import os
from collections.abc import MutableMapping

from shared.runtime.aws.api import SECRETS, Api
from shared.runtime.environment import PREFIX


class UnusableSecret(Exception):
    """The secret is not what settings can be read from. Says what is wrong, and nothing of its value."""


def read_secrets(environment: MutableMapping[str, str] = os.environ) -> None:
    """Add the members of the secret that `WEIR_SECRETS_ARN` names; what is set already stays.

    The secret is a JSON object: `{"WEIR_DATABASE_URL": "…", "WEIR_REDIS_URL": "…", "WEIR_SECRET": "…"}`.
    Without the variable nothing is read. Raises CallFailed, OSError or UnusableSecret.
    """
    arn = environment.get("WEIR_SECRETS_ARN")
    if not arn:
        return
    api = Api(SECRETS, region=arn.split(":")[3] if arn.count(":") >= 6 else None)
    try:
        text = api.call("GetSecretValue", SecretId=arn).get("SecretString")
    finally:
        api.close()
    for name, value in parsed(text).items():
        environment.setdefault(name, value)


def parsed(text: object) -> dict[str, str]:
    """The settings in a secret's value. Raises UnusableSecret."""
    try:
        members = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        members = None
    if not isinstance(members, dict):
        raise UnusableSecret(
            'the secret of WEIR_SECRETS_ARN is not a JSON object: {"WEIR_DATABASE_URL": "…", …}'
        )
    unknown = sorted(name for name in members if not name.startswith(PREFIX))
    if unknown:
        raise UnusableSecret(f"the secret of WEIR_SECRETS_ARN has members that are no settings: {unknown}")
    wrong = sorted(name for name, value in members.items() if not isinstance(value, str))
    if wrong:
        raise UnusableSecret(f"members of the secret of WEIR_SECRETS_ARN must be texts: {wrong}")
    return members
