"""From rendered manifests and an image to what is to be deployed. Pure."""

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.deploy import names

Manifest = dict[str, Any]

CONTAINER = "weir"
"""Name of the container that runs Weir in every generated manifest."""

SERVING = "serving.knative.dev/"
WIRING = frozenset({"PingSource", "Trigger"})
"""Kinds of what sends functions events."""

NO_IMAGE = "unknown:0"
"""What stands for an image where it is not asked for."""

MIGRATION = "shared.db.migrate"
ID_LENGTH = 10
DIGEST_LENGTH = 8


class ManifestError(ValueError):
    """What was rendered cannot be deployed; the text says what to change."""


@dataclass(frozen=True, slots=True)
class Release:
    """What one deploy brings: `services` by name, each asking for a revision by name.

    `before` must be there when the Services come, `after` sends them events, `edge` is what users ask them by,
    `migration` is the Job.
    """

    id: str
    namespace: str
    services: Mapping[str, Manifest]
    before: tuple[Manifest, ...]
    after: tuple[Manifest, ...]
    edge: tuple[Manifest, ...]
    migration: Manifest

    @property
    def wanted(self) -> dict[str, str]:
        """The revision of each Service."""
        return {name: revision_name(service) for name, service in self.services.items()}

    @property
    def deployments(self) -> list[str]:
        """The Deployments of the edge."""
        return [d["metadata"]["name"] for d in self.edge if d["kind"] == "Deployment"]

    @property
    def images(self) -> list[str]:
        """The images of the Services; one, as a rule."""
        return sorted({image_of(service["spec"]["template"]["spec"]) for service in self.services.values()})


def read(documents: Iterable[Manifest | None], image: str | None, sinks: Mapping[str, str]) -> Release:
    """The release that `documents` describe, with `image` in place of theirs.

    `sinks` are the addresses that SinkBindings write into Services, by the binding's name: a Service that gets
    another one is another revision. Raises ManifestError.
    """
    found = [copy.deepcopy(document) for document in documents if document]
    services = [d for d in found if is_service(d)]
    if not services:
        raise ManifestError(
            "there is no Knative Service in what was rendered: is this an overlay of infra/knative?"
        )
    namespace = _namespace(found)
    migrations = [d for d in found if d["kind"] == "Job" and MIGRATION in _command(d)]
    if len(migrations) != 1:
        raise ManifestError(f"one Job must run `python -m {MIGRATION}`; there are {len(migrations)}")
    if image is not None:
        for document in found:
            _set_image(document, image)
    for document in (*services, *migrations):
        _check_image(image_of(document["spec"]["template"]["spec"]))
    bindings = [d for d in found if d["kind"] == "SinkBinding"]
    for service in services:
        bound = {
            b["metadata"]["name"]: sinks.get(b["metadata"]["name"]) for b in bindings if binds(b, service)
        }
        name = service["metadata"]["name"]
        template = service["spec"]["template"]
        template.setdefault("metadata", {})["name"] = f"{name}-{_digest([service, bound], DIGEST_LENGTH)}"
    by_name = {s["metadata"]["name"]: s for s in sorted(services, key=lambda s: str(s["metadata"]["name"]))}
    others = [d for d in found if not is_service(d) and d["kind"] != "Job"]
    edge = [d for d in others if is_edge(d)]
    return Release(
        id=_digest([revision_name(s) for s in by_name.values()], ID_LENGTH),
        namespace=namespace,
        services=by_name,
        before=tuple(d for d in others if d["kind"] not in WIRING and d not in edge),
        after=tuple(d for d in others if d["kind"] in WIRING),
        edge=tuple(edge),
        migration=migrations[0],
    )


def is_service(document: Manifest) -> bool:
    """Whether it is a Knative Service: Kubernetes has another kind of that name."""
    return document["kind"] == "Service" and str(document["apiVersion"]).startswith(SERVING)


def is_edge(document: Manifest) -> bool:
    """Whether it is of the edge, by its label. The edge's settings have their content in their name, and no label."""
    key, _, value = names.EDGE.partition("=")
    return bool((document["metadata"].get("labels") or {}).get(key) == value)


def revision_name(service: Manifest) -> str:
    """The revision that a Service's template asks for by name."""
    return str(service["spec"]["template"]["metadata"]["name"])


def image_of(pod: Manifest) -> str:
    """The image that runs Weir."""
    return str(_weir(pod)["image"])


def is_handler(service: Manifest) -> bool:
    """Whether it is reached from inside the cluster alone."""
    return (service["metadata"].get("labels") or {}).get(names.LOCAL) == "cluster-local"


def binds(binding: Manifest, service: Manifest) -> bool:
    """Whether a SinkBinding writes into a Service."""
    subject = binding["spec"]["subject"]
    if subject["kind"] != "Service" or not str(subject["apiVersion"]).startswith(SERVING):
        return False
    if "name" in subject:
        return bool(subject["name"] == service["metadata"]["name"])
    wanted = (subject.get("selector") or {}).get("matchLabels") or {}
    labels = service["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in wanted.items())


def with_schema(service: Manifest, head: str | None) -> Manifest:
    """The Service, its revision saying which migration its code brought last."""
    made = copy.deepcopy(service)
    if head is not None:
        made["spec"]["template"]["metadata"].setdefault("annotations", {})[names.SCHEMA] = head
    return made


def job(migration: Manifest, name: str, arguments: Sequence[str], module: str = MIGRATION) -> Manifest:
    """The Job of `migration` under another name, running `module` with other arguments."""
    made = copy.deepcopy(migration)
    made["metadata"]["name"] = name
    made["metadata"].pop("annotations", None)
    made["spec"] |= {"backoffLimit": 2, "ttlSecondsAfterFinished": 3600}
    container = _weir(made["spec"]["template"]["spec"])
    container["command"] = ["python", "-m", module]
    container["args"] = list(arguments)
    return made


def run_as(made: Manifest, pod: Manifest) -> None:
    """Give a Job the image and the settings that a pod has, such as a revision's."""
    _set_image(made, image_of(pod))
    container = _weir(made["spec"]["template"]["spec"])
    container["envFrom"] = copy.deepcopy(_weir(pod).get("envFrom", []))
    # Keys may be in a file: what is mounted there and not here.
    inside = made["spec"]["template"]["spec"]
    for holder, shown, name, by in (
        (inside, pod, "volumes", "name"),
        (container, _weir(pod), "volumeMounts", "mountPath"),
    ):
        there = holder.get(name, [])
        more = [one for one in shown.get(name, []) if all(one[by] != other[by] for other in there)]
        if there or more:
            holder[name] = [*there, *copy.deepcopy(more)]


def _command(document: Manifest) -> list[str]:
    containers = document["spec"]["template"]["spec"]["containers"]
    return [str(word) for c in containers for word in [*c.get("command", []), *c.get("args", [])]]


def _weir(pod: Manifest) -> Manifest:
    for container in pod["containers"]:
        if container.get("name") == CONTAINER:
            return dict_of(container)
    raise ManifestError(f"a pod has no container named {CONTAINER!r}")


def dict_of(value: Any) -> Manifest:
    """`value`, which is an object of JSON."""
    assert isinstance(value, dict)
    return value


def _set_image(document: Manifest, image: str) -> None:
    """Wherever Weir runs in the document's pods, be it to prepare something."""
    template = (document.get("spec") or {}).get("template") or {}
    pod = template.get("spec") or {}
    for container in (*pod.get("initContainers", ()), *pod.get("containers", ())):
        if container.get("name") == CONTAINER:
            container["image"] = image


def _check_image(image: str) -> None:
    name, at, _ = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if not at and not tag:
        raise ManifestError(
            f"the image {image!r} has no tag: name one that says what is in it, --image NAME:TAG"
        )
    if not at and tag == "latest":
        raise ManifestError(
            "the tag `latest` means something else every day: name the image by a tag that stays"
        )


def _namespace(documents: Iterable[Manifest]) -> str:
    found = {d["metadata"].get("namespace") for d in documents if d["kind"] != "Namespace"}
    if found == {None} or len(found) != 1:
        several = ", ".join(sorted(str(n) for n in found))
        raise ManifestError(
            f"the overlay must put everything into one namespace (`namespace: …`), not: {several}"
        )
    return str(found.pop())


def _digest(value: object, length: int) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:length]
