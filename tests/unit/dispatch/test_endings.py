from uuid import uuid4

import pytest
from yarl import URL

from events.dispatch import endings
from events.dispatch.subscriptions import Subscription
from events.dispatch.work import Job, Shard
from shared.core.cloudevents import DataKind, Event
from shared.core.delivery import DeliveryPolicy
from shared.core.filters import compile_filters
from shared.core.retry import Outcome
from shared.sending.attempt import Result, error_data
from shared.sending.message import Message, traceparent, user_agent
from shared.sending.outgoing import Attempted

NOW = 1_700_000_000.0


def job(policy: DeliveryPolicy, attempt: int = 1, dead_letter: dict[str, object] | None = None) -> Job:
    subscription = Subscription(
        uuid4(),
        uuid4(),
        1,
        "active",
        compile_filters([]),
        "http://sink/",
        URL("http://sink/"),
        policy,
        (),
        None,
    )
    shard = Shard(1, 1, (0, uuid4()), (0, uuid4()), 0, 0)
    message = Message(uuid4(), Event("1.0", "1", "/s", "t"))
    return Job(shard, subscription, message, uuid4(), attempt=attempt, dead_letter=dead_letter)


def result(status: int | None, error: str | None = None, body: bytes = b"") -> Result:
    return Result(Outcome(status, error), Attempted(NOW, 10, status, error, None), body)


def test_a_delivery_that_arrived_has_ended() -> None:
    ending, decision = endings.after_attempt(job(DeliveryPolicy()), result(204), NOW, 0.0)
    assert (ending.status, ending.ended_at, ending.next_attempt_at) == ("delivered", NOW, None)
    assert ending.first is not None
    assert not decision.disable


def test_a_retry_waits_and_later_attempts_are_not_the_first() -> None:
    ending, _ = endings.after_attempt(job(DeliveryPolicy(), attempt=2), result(503), NOW, 0.0)
    assert (ending.status, ending.attempt_count, ending.ended_at) == ("retrying", 2, None)
    assert ending.next_attempt_at == NOW + 10
    assert ending.first is None


def test_gone_disables() -> None:
    ending, decision = endings.after_attempt(job(DeliveryPolicy()), result(410), NOW, 0.0)
    assert ending.status == "dead"
    assert decision.disable


def test_a_dead_letter_waits_for_its_own_sink() -> None:
    policy = DeliveryPolicy(retry=0, dead_letter_sink="http://dead/")
    ending, _ = endings.after_attempt(job(policy), result(None, "no connection"), NOW, 0.0)
    assert (ending.status, ending.next_attempt_at, ending.ended_at) == ("dead", NOW, NOW)
    assert ending.dead_letter == {
        "status": "waiting",
        "attempts": 0,
        "dest": "http://sink/",
        "code": None,
        "data": "",
    }


@pytest.mark.parametrize(
    ("status", "attempts", "told", "again"),
    [
        (200, 0, "delivered", False),
        (503, 0, "waiting", True),
        (503, 1, "failed", False),
        (400, 0, "failed", False),
    ],
)
def test_a_dead_letter_is_retried_by_the_same_policy(
    status: int, attempts: int, told: str, again: bool
) -> None:
    policy = DeliveryPolicy(retry=1, dead_letter_sink="http://dead/")
    made = job(policy, attempt=3, dead_letter={"attempts": attempts})
    ending = endings.after_dead_letter(made, result(status), NOW, 0.0)
    assert (ending.status, ending.attempt_count) == ("dead", 3)
    assert ending.dead_letter is not None
    assert (ending.dead_letter["status"], ending.dead_letter["attempts"]) == (told, attempts + 1)
    assert (ending.next_attempt_at is not None) == again


def test_what_cannot_be_sent_ends_dead() -> None:
    ending = endings.poisoned(job(DeliveryPolicy()), "could not", NOW)
    assert (ending.status, ending.last_error) == ("dead", "could not")
    ending = endings.poisoned(job(DeliveryPolicy(), dead_letter={"attempts": 1}), "could not", NOW)
    assert ending.dead_letter == {"attempts": 1, "status": "failed", "lastError": "could not"}


def test_error_data_has_at_most_1024_characters() -> None:
    assert error_data(b"") == ""
    assert error_data(b"ab") == "YWI="
    assert len(error_data(b"x" * 5000)) == 1024


def test_a_trace_that_is_none_is_replaced() -> None:
    for extensions in ({}, {"traceparent": "rubbish"}, {"traceparent": f"00-{'0' * 32}-{'1' * 16}-01"}):
        made = traceparent(Event("1.0", "1", "/s", "t", extensions=dict(extensions)))
        assert made.startswith("00-")
        assert made[3:35] != "0" * 32
        assert len(made) == 55
    assert user_agent().startswith("weir/")


def test_an_event_is_encoded_once_for_each_format() -> None:
    event = Event("1.0", "1", "/s", "t", data=b"{}", data_kind=DataKind.JSON)
    message = Message(uuid4(), event)
    assert message.encoded("binary") is message.encoded("binary")
    assert message.encoded("json") is message.encoded("json")
    assert message.encoded("json") is not message.encoded("binary")
