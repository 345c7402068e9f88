"""The retry schedule: Knative's table of codes, the waits of the contract, Retry-After."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.delivery import DeliveryPolicy
from shared.core.retry import Outcome, backoff_seconds, decide, parse_retry_after

DEFAULT = DeliveryPolicy()
NO_RESPONSE = Outcome(error="connection refused")

policies = st.builds(
    DeliveryPolicy,
    retry=st.integers(0, 20),
    backoff_policy=st.sampled_from(["exponential", "linear"]),
    backoff_delay_seconds=st.floats(0, 1e4),
    backoff_max_seconds=st.floats(0, 1e5),
    retry_after_max_seconds=st.floats(0, 1e4),
)
outcomes = st.builds(
    Outcome,
    status_code=st.none() | st.integers(100, 999),
    retry_after_seconds=st.none() | st.floats(0, 1e6),
)
rands = st.floats(0, 1, exclude_max=True)


@pytest.mark.spec("K2.1")
@pytest.mark.parametrize(
    ("code", "status"),
    [
        (100, "dead"),
        (200, "delivered"),
        (202, "delivered"),
        (204, "delivered"),
        (299, "delivered"),
        (301, "dead"),
        (307, "dead"),
        (400, "dead"),
        (401, "dead"),
        (403, "dead"),
        (404, "retrying"),
        (408, "retrying"),
        (409, "retrying"),
        (410, "dead"),
        (422, "dead"),
        (429, "retrying"),
        (500, "retrying"),
        (503, "retrying"),
        (599, "retrying"),
        (600, "retrying"),
        (999, "retrying"),
        (None, "retrying"),
    ],
)
def test_what_follows_each_code(code: int | None, status: str) -> None:
    assert decide(DEFAULT, 1, Outcome(status_code=code), 0.5).status == status


@pytest.mark.spec("W09b")
def test_only_410_disables() -> None:
    assert decide(DEFAULT, 1, Outcome(status_code=410), 0).disable
    assert not decide(DEFAULT, 1, Outcome(status_code=422), 0).disable


@pytest.mark.spec("K3.1", "K3.3")
def test_the_waits_of_the_contract() -> None:
    exponential = DeliveryPolicy(backoff_delay_seconds=5, backoff_max_seconds=60)
    assert [backoff_seconds(exponential, n) for n in (1, 2, 3, 4, 5, 6)] == [5, 10, 20, 40, 60, 60]
    linear = DeliveryPolicy(backoff_policy="linear", backoff_delay_seconds=5, backoff_max_seconds=12)
    assert [backoff_seconds(linear, n) for n in (1, 2, 3, 4)] == [5, 10, 12, 12]


@given(policies, st.integers(1, 25), outcomes, rands)
def test_every_decision_keeps_the_contract(
    policy: DeliveryPolicy, attempt: int, outcome: Outcome, rand: float
) -> None:
    decision = decide(policy, attempt, outcome, rand)
    assert (decision.wait_seconds is not None) == (decision.status == "retrying")
    if decision.status != "retrying":
        return
    assert attempt <= policy.retry
    assert decision.wait_seconds is not None
    full = backoff_seconds(policy, attempt)
    asked = 0.0
    if outcome.status_code in {429, 503} and outcome.retry_after_seconds is not None:
        asked = min(outcome.retry_after_seconds, policy.retry_after_max_seconds)
    assert full * 0.8 - 1e-9 <= decision.wait_seconds <= max(full, asked) + 1e-9
    assert decision.wait_seconds >= asked


@given(policies, rands)
def test_a_sink_that_never_answers_gets_one_attempt_and_the_retries(
    policy: DeliveryPolicy, rand: float
) -> None:
    attempt = 1
    while decide(policy, attempt, NO_RESPONSE, rand).status == "retrying":
        attempt += 1
    assert attempt == policy.retry + 1
    assert decide(policy, attempt, NO_RESPONSE, rand).status == "dead"


@pytest.mark.spec("K3.4")
def test_retry_after_is_honoured_up_to_its_limit_and_can_be_switched_off() -> None:
    policy = DeliveryPolicy(backoff_delay_seconds=1, retry_after_max_seconds=60)
    for code, asked, wait in ((503, 30, 30), (429, 90, 60), (500, 30, 1), (503, 0.1, 1)):
        decision = decide(policy, 1, Outcome(status_code=code, retry_after_seconds=asked), 0)
        assert decision.wait_seconds == wait
    off = DeliveryPolicy(backoff_delay_seconds=1, retry_after_max_seconds=0)
    assert decide(off, 1, Outcome(status_code=503, retry_after_seconds=30), 0).wait_seconds == 1


@pytest.mark.spec("W11")
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        (formatdate(1_000_060, usegmt=True), 60.0),
        (formatdate(999_000, usegmt=True), 0.0),
        (formatdate(1_000_060), 60.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("\uff19", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert parse_retry_after(value, 1_000_000) == seconds


@given(st.text())
def test_no_retry_after_crashes(value: str) -> None:
    seconds = parse_retry_after(value, 0)
    assert seconds is None or seconds >= 0
