"""What requests become."""

import hashlib
import json
from typing import Any
from urllib.parse import quote_plus
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.cloudevents import DataKind, Event, parse_structured, to_json
from shared.core.problems import NOT_A_CLOUDEVENT, Problem
from shared.core.webhooks.load import load_kinds
from shared.core.webhooks.mapping import Request, answer_of, to_event
from shared.core.webhooks.recipe import read_settings
from shared.core.webhooks.verify import Signed
from tests.support.webhooks import github_examples, raw

UNSIGNED = Signed()
NOW = 1_772_366_400.5
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def request(
    kind: str, headers: dict[str, str], body: bytes, signed: Signed = UNSIGNED, **settings: Any
) -> tuple[Any, Request]:
    found = load_kinds()[kind]
    return read_settings(found, settings), Request(
        raw(headers),
        body,
        signed,
        name="hook",
        project="shop",
        received=NOW,
        form_payload=found.form_payload,
    )


def event(
    kind: str, headers: dict[str, str], payload: Any, signed: Signed = UNSIGNED, **settings: Any
) -> Event:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    made = to_event(*request(kind, {"Content-Type": "application/json", **headers}, body, signed, **settings))
    # What the codec wrote it reads again, so it is a legal event.
    again = parse_structured(to_json(made))
    assert again.attributes() == made.attributes()
    return made


def test_every_published_example_of_github_is_a_legal_event() -> None:
    seen = 0
    for name, payload in github_examples():
        body = json.dumps(payload).encode()
        made = event("github", {"X-GitHub-Event": name, "X-GitHub-Delivery": f"d-{seen}"}, body)
        action = payload.get("action")
        assert made.type == f"com.github.{name}" + (f".{action}" if action else "")
        assert made.id == f"d-{seen}"
        assert "://" in made.source
        assert made.subject
        assert (made.data, made.data_kind) == (body, DataKind.JSON)
        seen += 1
    assert seen > 400


def test_github() -> None:
    payload = {
        "action": "opened",
        "issue": {"number": 7},
        "repository": {"url": "https://api.github.com/repos/o/r", "name": "r"},
    }
    made = event("github", {"X-GitHub-Event": "issues", "X-GitHub-Delivery": "d"}, payload)
    assert (made.type, made.source, made.subject, made.id) == (
        "com.github.issues.opened",
        "https://api.github.com/repos/o/r",
        "7",
        "d",
    )
    assert made.time == "2026-03-01T12:00:00.500000Z"


def test_github_as_a_form_is_read_and_kept_as_it_came() -> None:
    body = b"payload=" + quote_plus('{"action": "opened", "issue": {"number": 7}}').encode()
    made = event("github", {"X-GitHub-Event": "issues", **FORM}, body)
    assert (made.type, made.subject) == ("com.github.issues.opened", "7")
    assert (made.datacontenttype, made.data, made.data_kind) == (FORM["Content-Type"], body, DataKind.TEXT)


def test_stripe() -> None:
    payload = {
        "id": "evt_1",
        "type": "charge.succeeded",
        "created": 1_772_366_400,
        "account": "acct_1",
        "data": {"object": {"id": "ch_1"}},
    }
    made = event("stripe", {}, payload)
    assert made.type == "com.stripe.charge.succeeded"
    assert (made.id, made.subject) == ("evt_1", "ch_1")
    assert made.source == "https://api.stripe.com/v1/accounts/acct_1"
    assert made.time == "2026-03-01T12:00:00Z"
    thin = {
        "id": "evt_2",
        "type": "v2.core.account.updated",
        "created": "2026-03-01T12:00:00.000Z",
        "related_object": {"id": "acct_1"},
    }
    made = event("stripe", {}, thin)
    assert (made.source, made.subject, made.time) == (
        "https://api.stripe.com",
        "acct_1",
        "2026-03-01T12:00:00.000Z",
    )


def test_standard_webhooks() -> None:
    signed = Signed("msg_1", "1772366400")
    payload = {"type": "user.created", "timestamp": "2026-02-28T00:00:00Z", "data": {}}
    made = event("standard-webhooks", {}, payload, signed)
    assert (made.type, made.source, made.id) == ("user.created", "/sources/hook", "msg_1")
    assert made.time == "2026-02-28T00:00:00Z"
    made = event("standard-webhooks", {}, {"test": 1}, signed)
    assert (made.type, made.time) == ("webhook.hook", "2026-03-01T12:00:00Z")


def test_slack() -> None:
    payload = {
        "type": "event_callback",
        "team_id": "T1",
        "event_id": "Ev1",
        "event_time": 1_772_366_400,
        "event": {"type": "message", "channel": "C1"},
    }
    made = event("slack", {}, payload, Signed(timestamp="1"))
    assert (made.type, made.source) == ("com.slack.message", "https://slack.com/teams/T1")
    assert (made.subject, made.id, made.time) == ("C1", "Ev1", "2026-03-01T12:00:00Z")
    payload["event"] = {"type": "channel_created", "channel": {"id": "C2"}}
    assert event("slack", {}, payload).subject == "C2"


def test_slacks_commands_and_interactions_are_forms() -> None:
    command = b"team_id=T1&channel_id=C1&command=%2Fdeploy&trigger_id=1.2.3&text="
    made = event("slack", FORM, command, Signed(timestamp="1772366400"))
    assert (made.type, made.subject, made.id) == ("com.slack.command.deploy", "C1", "1.2.3")
    assert made.time == "2026-03-01T12:00:00Z"
    pressed = {"type": "block_actions", "team": {"id": "T1"}, "trigger_id": "4.5.6", "user": {"id": "U1"}}
    made = event("slack", FORM, b"payload=" + quote_plus(json.dumps(pressed)).encode())
    assert (made.type, made.source, made.subject, made.id) == (
        "com.slack.block_actions",
        "https://slack.com/teams/T1",
        "U1",
        "4.5.6",
    )


def test_slacks_check_of_the_address_is_answered() -> None:
    asked = {"type": "url_verification", "challenge": "3eZbrw1aB"}
    answer = answer_of(*request("slack", {}, json.dumps(asked).encode()))
    assert answer is not None
    reply, text = answer
    assert (reply.status, reply.content_type, text) == (200, "text/plain", "3eZbrw1aB")
    for other in ({"type": "event_callback", "challenge": "x"}, {"type": "url_verification"}, [], None):
        assert answer_of(*request("slack", {}, json.dumps(other).encode())) is None


def test_shopify() -> None:
    headers = {
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Shop-Domain": "example.myshopify.com",
        "X-Shopify-Webhook-Id": "w-1",
        "X-Shopify-Event-Id": "e-1",
        "X-Shopify-Triggered-At": "2026-03-01T12:00:00.123456789Z",
    }
    made = event(
        "shopify", headers, {"id": 820982911946154508, "admin_graphql_api_id": "gid://shopify/Order/8"}
    )
    assert (made.type, made.source) == ("com.shopify.orders.create", "https://example.myshopify.com")
    assert (made.id, made.subject) == ("w-1", "gid://shopify/Order/8")
    assert made.time == "2026-03-01T12:00:00.123456789Z"
    assert made.extensions == {"shopifyeventid": "e-1"}
    del headers["X-Shopify-Webhook-Id"]
    assert event("shopify", headers, {"id": 8}).id == "e-1"


@pytest.mark.parametrize("kind", ["hmac", "plain"])
def test_without_an_id_the_digest_of_the_body_is_the_id(kind: str) -> None:
    made = event(kind, {"Content-Type": "text/plain"}, b"build 7 is done")
    assert made.id == hashlib.sha256(b"build 7 is done").hexdigest()
    assert (made.type, made.source, made.data_kind) == ("webhook.hook", "/sources/hook", DataKind.TEXT)
    assert event(kind, {}, b"build 8 is done").id != made.id


def test_an_empty_body_is_an_event_without_data() -> None:
    made = event("plain", {}, b"")
    assert (made.data, made.data_kind) == (None, DataKind.NONE)


def test_settings_come_before_the_kind() -> None:
    settings = {
        "mapping": {
            "type": ["com.acme.{/kind|lower}", "com.acme.other"],
            "subject": "{/items/1/sku}",
            "id": "{unique}",
            "time": "{/at|time}",
            "extensions": {"tenant": "{/tenant}", "missing": "{/nowhere}"},
        }
    }
    made = event(
        "plain", {}, {"kind": "BUILD", "items": [{}, {"sku": "A/1"}], "at": 0, "tenant": True}, **settings
    )
    assert (made.type, made.subject, made.time) == ("com.acme.build", "A/1", "1970-01-01T00:00:00Z")
    assert made.extensions == {"tenant": "true"}
    assert UUID(made.id).version == 7
    assert event("plain", {}, b"no json", **settings).type == "com.acme.other"


@pytest.mark.parametrize("value", ["a\nb", "", None, {}, [], "\ufffe", "\x7f"])
def test_a_value_that_no_event_may_have_is_passed_over(value: Any) -> None:
    settings = {"mapping": {"type": "{/v}", "subject": "{/v}", "id": "{/v}", "extensions": {"x": "{/v}"}}}
    made = event("plain", {}, {"v": value}, **settings)
    assert (made.type, made.subject, made.extensions) == ("webhook.hook", None, {})
    assert event("plain", {}, {"v": "a b"}, mapping={"source": "{/v}"}).source == "/sources/hook"
    assert event("plain", {}, {"v": "a b"}, mapping={"source": "/x/{/v|uri}"}).source == "/x/a%20b"
    assert event("plain", {"Content-Type": "nonsense"}, b"{}").datacontenttype is None


def test_what_makes_no_event_is_refused_with_what_was_tried() -> None:
    with pytest.raises(Problem) as raised:
        event("stripe", {}, {"id": "evt_1"})
    assert raised.value.kind is NOT_A_CLOUDEVENT
    (fault,) = raised.value.errors
    assert fault.pointer == "/type"
    assert "com.stripe.{/type}" in fault.detail
    with pytest.raises(Problem) as raised:
        event("stripe", {}, {"id": "evt_1", "type": "a\nb"})
    assert "characters" in raised.value.errors[0].detail


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda x: st.lists(x) | st.dictionaries(st.text(), x),
)
MEMBERS = st.sampled_from(
    [
        "type",
        "id",
        "event",
        "event_id",
        "created",
        "account",
        "repository",
        "url",
        "action",
        "data",
        "object",
        "team_id",
        "timestamp",
        "challenge",
    ]
)
BODIES = (
    st.binary()
    | st.dictionaries(MEMBERS, JSON | st.dictionaries(MEMBERS, JSON)).map(lambda v: json.dumps(v).encode())
    | st.just(b'{"created": ' + b"9" * 5000 + b"}")
    | st.just(b'{"created": 1e400, "type": NaN}')
    | st.just(b"[" * 100_000)
)
VALUES = st.binary(max_size=50) | st.sampled_from(
    [
        b"application/json",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data; boundary=",
        b"text/plain;charset=utf-16",
    ]
)
NAMES = st.sampled_from(
    [
        b"content-type",
        b"x-github-event",
        b"x-github-delivery",
        b"x-shopify-topic",
        b"x-shopify-shop-domain",
        b"webhook-id",
    ]
)


@given(
    st.sampled_from(sorted(load_kinds())), st.lists(st.tuples(NAMES, VALUES)), BODIES, st.none() | st.text()
)
def test_any_request_is_a_legal_event_or_refused(
    kind: str, headers: list[tuple[bytes, bytes]], body: bytes, word: str | None
) -> None:
    found = load_kinds()[kind]
    asked = Request(
        headers,
        body,
        Signed(word, word),
        name="hook",
        project="shop",
        received=NOW,
        form_payload=found.form_payload,
    )
    recipe = read_settings(found, {})
    answer_of(recipe, asked)
    try:
        made = to_event(recipe, asked)
    except Problem as problem:
        if problem.kind is NOT_A_CLOUDEVENT:
            return
        raise
    assert parse_structured(to_json(made)).attributes() == made.attributes()
    assert (made.data or b"") == body
