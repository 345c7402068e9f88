"""When a Deployment of the edge has been rolled out."""

from typing import Any

import pytest

from cli.deploy import edge
from cli.deploy.edge import Edge
from cli.deploy.live import Live, Revision, Service, Share
from tests.unit.cli.deploy.manifests import edge as manifest


def deployment(generation: int = 2, **status: int) -> dict[str, Any]:
    document = manifest("weir:2")
    document["metadata"]["generation"] = generation
    return document | {"status": {"observedGeneration": 2, **status}}


def test_it_runs_the_image_that_lays_out_what_is_served() -> None:
    assert edge.read(deployment()).image == "weir:2"


def test_all_new_and_all_available_is_rolled_out() -> None:
    assert edge.read(deployment(replicas=2, updatedReplicas=2, availableReplicas=2)).late == ""


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (manifest("weir:2") | {"status": {}}, "0 of 2 replicas are new"),
        (deployment(3, replicas=2, updatedReplicas=2, availableReplicas=2), "the cluster has not begun"),
        (deployment(replicas=3, updatedReplicas=1, availableReplicas=2), "1 of 2 replicas are new"),
        (
            deployment(replicas=3, updatedReplicas=2, availableReplicas=2),
            "1 of before run beside 2 new replicas",
        ),
        (deployment(replicas=2, updatedReplicas=2, availableReplicas=1), "1 of 2 replicas are available"),
    ],
)
def test_what_is_not_there_yet_is_said(document: dict[str, Any], why: str) -> None:
    """With both of before available, two that are available say nothing of the new ones."""
    assert edge.read(document).late == why


def serving(image: str) -> Live:
    service = Service("ingest", (Share("a", 100), Share("b", 0)), pinned=True, template="b", current=True)
    revisions = {
        "a": Revision("a", "ingest", ready=True, image=image),
        "b": Revision("b", "ingest", ready=True),
    }
    return Live({"ingest": service}, revisions)


def test_one_of_another_version_than_the_functions_is_told_of() -> None:
    assert edge.lag([Edge("edge", "weir:2")], serving("weir:2")) == []
    assert edge.lag([], serving("weir:2")) == []
    assert edge.lag([Edge("edge", "weir:2")], serving("weir:1")) == [
        "deployment/edge has weir:2, the functions have weir:1"
    ]
    assert edge.lag([Edge("edge", "weir:2", "1 of 2 replicas are new")], serving("weir:2")) == [
        "deployment/edge: 1 of 2 replicas are new"
    ]
