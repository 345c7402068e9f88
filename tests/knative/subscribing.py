"""Subscriptions as users make them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from tests.knative.cluster import Cluster
from tests.support.projects import Project


@contextmanager
def subscribed(weir: Cluster, project: Project, sink: str, **delivery: Any) -> Iterator[str]:
    """Everything of the project goes to `sink` while this is open; the subscription's id."""
    path = f"/v1/projects/{project.name}/subscriptions"
    body = {"name": f"s-{uuid4().hex[:8]}", "filters": [], "sink": sink, "delivery": delivery}
    with weir.client("subscriptions", project.headers) as client:
        answer = client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    identity: str = answer.json()["id"]
    try:
        yield identity
    finally:
        with weir.client("subscriptions", project.headers) as client:
            assert client.delete(f"{path}/{identity}").status_code == 204
