"""What a token endpoint may answer."""

from typing import Any

import msgspec
import pytest

from shared.core.credentials import Grant
from shared.http.answer import Answer, Timings
from shared.http.oauth2 import LIFE_SECONDS, NoToken, read_answer


def answer(status: int = 200, **members: Any) -> Answer:
    return Answer(status, [], msgspec.json.encode(members), truncated=False, timings=Timings())


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (3600, 3600.0),
        (0.5, 0.5),
        ("120", 120.0),
        (None, LIFE_SECONDS),
        ("soon", LIFE_SECONDS),
        (-5, 0.0),
        (10**12, 2_592_000.0),
        (True, LIFE_SECONDS),
    ],
)
def test_how_long_a_token_lives(expires_in: Any, seconds: float) -> None:
    given = answer(access_token="t", token_type="BEARER", expires_in=expires_in)
    assert read_answer("u", given) == ("t", seconds)


@pytest.mark.parametrize(
    "given",
    [
        answer(401, error="invalid_client"),
        answer(201, access_token="t", token_type="bearer"),
        answer(access_token="", token_type="bearer"),
        answer(access_token=5, token_type="bearer"),
        answer(access_token="a\r\nx: y", token_type="bearer"),
        answer(access_token="t"),
        answer(500, error="a\nb", error_description=["x"]),
        Answer(200, [], b"[1]", truncated=False, timings=Timings()),
        Answer(200, [], b"[" * 60_000, truncated=True, timings=Timings()),
        Answer(200, [], b"\xff", truncated=False, timings=Timings()),
    ],
)
def test_what_is_no_token(given: Answer) -> None:
    with pytest.raises(NoToken) as error:
        read_answer("https://id.example", given)
    assert str(error.value).startswith("no token from https://id.example: ")
    assert "\n" not in str(error.value)


def test_what_a_refusal_says_is_one_short_line_without_the_secret() -> None:
    grant = Grant("https://id.example", "weir", "s3cret/%")
    (_, authorization) = grant.request()[0][-1]
    echo = f"no\r\n\x1b[31msuch client: {authorization} s3cret/% s3cret%2F%25 " + "x" * 1000
    with pytest.raises(NoToken) as error:
        read_answer("u", answer(401, error="a\nb", error_description=echo), grant.secrets)
    said = str(error.value)
    assert said.startswith(
        "no token from u: it answered 401 a b: no [31msuch client: Basic [redacted] [redacted] "
    )
    assert said.isprintable()
    assert len(said) < 300
    assert not any(secret in said for secret in ("s3cret", authorization.removeprefix("Basic ")))
