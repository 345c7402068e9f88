"""Signatures are those that AWS's own SDK makes."""

from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as TheirCredentials
from hypothesis import given
from hypothesis import strategies as st

from shared.core.sigv4 import Credentials, Scope, signed


def theirs(credentials, scope, host, path, headers, body, at):
    request = AWSRequest("POST", f"https://{host}{path}", headers={**headers, "Host": host}, data=body)
    auth = SigV4Auth(
        TheirCredentials(credentials.key_id, credentials.secret, credentials.token),
        scope.service,
        scope.region,
    )
    request.context["timestamp"] = at.strftime("%Y%m%dT%H%M%SZ")
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    if credentials.token:
        request.headers["X-Amz-Security-Token"] = credentials.token
    canonical = auth.canonical_request(request)
    return auth.signature(auth.string_to_sign(request, canonical), request)


@pytest.mark.parametrize("token", [None, "a/token+of=a role"])
@given(
    body=st.binary(max_size=200),
    at=st.datetimes(min_value=datetime(2015, 8, 30), max_value=datetime(2099, 1, 1)),  # noqa: DTZ001 given UTC below
    secret=st.text("abcdefXYZ019+/", min_size=1, max_size=40),
)
def test_it_signs_as_botocore_does(token, body, at, secret):
    at = at.replace(tzinfo=UTC)
    credentials = Credentials("AKIDEXAMPLE", secret, token)
    scope = Scope("eu-central-1", "sqs")
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.SendMessage"}
    ours = signed(
        credentials, scope, host="sqs.eu-central-1.amazonaws.com", path="/", headers=headers, body=body, at=at
    )
    expected = theirs(credentials, scope, "sqs.eu-central-1.amazonaws.com", "/", headers, body, at)
    assert ours["authorization"].endswith(f"Signature={expected}")
