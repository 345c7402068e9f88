"""What is advised is about what failed."""

import pytest

from functions.subscriptions.advice import advice
from shared.core.retry import Outcome


@pytest.mark.parametrize(
    "reason",
    [
        "the name id.example.com cannot be resolved",
        "10.0.0.1 is not public and not allowed",
        "the certificate is not valid: it has expired",
        "no answer within 5 s",
        "no connection: Connection refused",
        "the connection was closed",
    ],
)
def test_what_hinders_a_token_is_not_the_sinks_fault(reason: str) -> None:
    about_token = advice(Outcome(None, f"no token from https://id.example.com/token: {reason}"))
    about_sink = advice(Outcome(None, reason))
    assert about_token is not None
    assert "token endpoint" in about_token
    assert about_sink is not None
    assert "token endpoint" not in about_sink
