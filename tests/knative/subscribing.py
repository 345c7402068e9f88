"""Subscriptions as users make them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx

from tests.knative.cluster import Cluster
from tests.knative.waiting import eventually
from tests.support.projects import Project


@contextmanager
def subscribed(weir: Cluster, project: Project, sink: str, **delivery: Any) -> Iterator[str]:
    """Everything of the project goes to `sink` while this is open; the subscription's id."""
    path = f"/v1/projects/{project.name}/subscriptions"
    body = {"name": f"s-{uuid4().hex[:8]}", "filters": [], "sink": sink, "delivery": delivery}
    answer = _call(weir, project, "POST", path, body)
    if answer.status_code == 409:  # it was stored, and the answer got lost
        listed = _call(weir, project, "GET", path).json()["items"]
        (identity,) = [item["id"] for item in listed if item["name"] == body["name"]]
    else:
        assert answer.status_code == 201, answer.text
        identity = answer.json()["id"]
    try:
        yield identity
    finally:
        assert _call(weir, project, "DELETE", f"{path}/{identity}").status_code in {204, 404}


def _call(weir: Cluster, project: Project, method: str, path: str, body: Any = None) -> httpx.Response:
    """As clients do: what is answered with 503, or not at all, is sent again."""

    def send() -> httpx.Response | None:
        try:
            with weir.client("subscriptions", project.headers) as client:
                answer = client.request(method, path, json=body)
        except httpx.TransportError:
            return None
        return None if answer.status_code == 503 else answer

    return eventually(f"an answer to {method} {path}", send, 120, every=1)
