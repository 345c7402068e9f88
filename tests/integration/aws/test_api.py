"""Calls to AWS: settings out of a secret, and what is said when a service does not do what it is asked."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import uuid4

import pytest

from shared.runtime.aws.api import BUSES, QUEUES, SECRETS, Api, CallFailed, endpoint
from shared.runtime.aws.carriers import BusCarrier, QueueCarrier, carrier_from_environment
from shared.runtime.aws.secrets import UnusableSecret, parsed, read_secrets


@pytest.fixture
def secret(client):
    def make(value):
        return client("secretsmanager").create_secret(Name=f"weir-{uuid4().hex[:8]}", SecretString=value)[
            "ARN"
        ]

    return make


def test_a_secret_fills_in_what_is_not_set(secret):
    arn = secret(json.dumps({"WEIR_SECRET": "of the secret", "WEIR_REDIS_URL": "redis://of-the-secret"}))
    environment = {"WEIR_SECRETS_ARN": arn, "WEIR_REDIS_URL": "redis://of-the-environment"}
    read_secrets(environment)
    assert environment["WEIR_SECRET"] == "of the secret"
    assert environment["WEIR_REDIS_URL"] == "redis://of-the-environment"


def test_without_a_secret_nothing_is_asked(monkeypatch):
    monkeypatch.delenv("AWS_REGION")
    environment = {}
    read_secrets(environment)
    assert environment == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "is not a JSON object"),
        ("postgresql://u:hidden@h/d", "is not a JSON object"),
        ('["hidden"]', "is not a JSON object"),
        ('{"password": "hidden"}', "no settings: ['password']"),
        (
            '{"WEIR_DATABASE_POOL_SIZE": 8, "WEIR_SECRET": "hidden"}',
            "must be texts: ['WEIR_DATABASE_POOL_SIZE']",
        ),
    ],
)
def test_a_secret_that_cannot_be_used_says_why_and_nothing_of_it(text, says):
    with pytest.raises(UnusableSecret) as raised:
        parsed(text)
    assert says in str(raised.value)
    assert "hidden" not in str(raised.value)


def test_without_credentials_it_says_what_is_missing(monkeypatch):
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(CallFailed, match="AWS_SECRET_ACCESS_KEY is not set"):
        Api(SECRETS).call("GetSecretValue", SecretId="x")


def test_addresses(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert endpoint(QUEUES, "eu-central-1") == "https://sqs.eu-central-1.amazonaws.com"
    assert endpoint(BUSES, "cn-north-1") == "https://events.cn-north-1.amazonaws.com.cn"
    monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTS", "http://127.0.0.1:1")
    assert endpoint(BUSES, "eu-central-1") == "http://127.0.0.1:1"


def test_what_carries_wakes_is_what_the_environment_names(monkeypatch):
    assert carrier_from_environment() is None
    monkeypatch.setenv("WEIR_WAKE_BUS", "arn:aws:events:us-east-1:123456789012:event-bus/weir")
    assert isinstance(carrier_from_environment(), BusCarrier)
    monkeypatch.setenv("WEIR_WAKE_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/weir")
    assert isinstance(carrier_from_environment(), QueueCarrier)


class Service:
    """A service that answers as it is told, and closes the connection after each answer without saying so."""

    def __init__(self, answers):
        self.asked = 0
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                service.asked += 1
                self.rfile.read(int(self.headers["content-length"]))
                status, body = answers.pop(0)
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = True

            def log_message(self, *_):
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def test_a_connection_that_died_meanwhile_is_replaced():
    with Service([(200, b'{"n": 1}'), (200, b'{"n": 2}')]) as service:
        api = Api(QUEUES, url=service.url)
        assert [api.call("SendMessage")["n"] for _ in range(2)] == [1, 2]
        api.close()


def test_what_a_service_could_not_do_is_tried_once_more():
    with Service([(500, b"oops"), (200, b"{}")]) as service:
        api = Api(QUEUES, url=service.url)
        assert api.call("SendMessage") == {}
        api.close()


@pytest.mark.parametrize(
    ("answers", "asked", "says"),
    [
        (
            [(400, b'{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no such"}')],
            1,
            "400 QueueDoesNotExist: no such",
        ),
        ([(503, b"<busy/>")] * 2, 2, "503 : <busy/>"),
        ([(403, b"[]")], 1, "403"),
    ],
)
def test_what_is_refused_says_so(answers, asked, says):
    with Service(list(answers)) as service:
        api = Api(QUEUES, url=service.url)
        with pytest.raises(CallFailed) as raised:
            api.call("SendMessage")
        assert says in str(raised.value)
        assert service.asked == asked
        api.close()


async def test_a_bus_that_refuses_an_entry_has_not_taken_it(monkeypatch, caplog):
    with Service(
        [(200, b'{"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}')]
    ) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL", service.url)
        carrier = BusCarrier("weir")
        assert await carrier.send("dev.weir.wake", {"shards": [1]}) is False
        await carrier.close()
    assert "InternalFailure" in caplog.text
