"""What a cluster does with Services and Revisions, as far as a deploy goes; and a deploy that can be killed anywhere.

A Knative cannot be killed at each of a thousand places within a second. That the model does what Knative does is shown
by `tests/knative/test_blue_green.py`.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from cli.deploy import decide, live, names, rendered
from cli.deploy.decide import Kind, Seen, Step
from cli.deploy.live import Live
from cli.deploy.rendered import Release


class Killed(Exception):
    """The deploy's process ended."""


class Model:
    """Services, revisions, and what the gateways do: `gateway` is the last traffic whose revisions were all ready.

    `edge` is the image of what asks it.
    """

    def __init__(self, is_broken: Callable[[str], bool] = lambda _name: False) -> None:
        self.services: dict[str, dict[str, Any]] = {}
        self.revisions: dict[str, dict[str, Any]] = {}
        self.gateway: dict[str, dict[str, int]] = {}
        self.edge = ""
        self.is_broken = is_broken

    def live(self) -> Live:
        return live.read(copy.deepcopy([*self.services.values()]), copy.deepcopy([*self.revisions.values()]))

    def apply(self, document: dict[str, Any]) -> None:
        name = document["metadata"]["name"]
        there = self.services.setdefault(
            name,
            {"metadata": {"name": name, "generation": 0, "annotations": {}}, "spec": {}, "status": {}},
        )
        before = (there["spec"].get("template") or {}).get("metadata", {}).get("name")
        template = document["spec"]["template"]
        if before is not None and before == template["metadata"].get("name"):
            assert there["spec"]["template"] == template, "a changed template under the same name is refused"
        there["metadata"]["labels"] = document["metadata"].get("labels", {})
        applied = document["metadata"].get("annotations") or {}
        for note in there.setdefault("applied", {}).keys() - applied.keys():
            del there["metadata"]["annotations"][note]
        there["applied"] = dict(applied)
        there["metadata"]["annotations"] |= applied
        there["spec"]["template"] = copy.deepcopy(template)
        there["spec"].setdefault("traffic", [{"latestRevision": True, "percent": 100}])
        self._changed(there)

    def patch(self, name: str, patch: dict[str, Any]) -> None:
        there = self.services[name]
        for note, value in patch["metadata"]["annotations"].items():
            if value is None:
                there["metadata"]["annotations"].pop(note, None)
            else:
                there["metadata"]["annotations"][note] = value
        if "spec" in patch:
            there["spec"] |= copy.deepcopy(patch["spec"])
        self._changed(there)

    def discard(self, revision: str) -> None:
        assert not any(revision in shares for shares in self.gateway.values())
        self.revisions.pop(revision, None)
        self.settle()

    def settle(self) -> None:
        """Controllers do what is left to do."""
        for service in self.services.values():
            self._reconcile(service)

    def _changed(self, service: dict[str, Any]) -> None:
        service["metadata"]["generation"] += 1
        asked = service["spec"].get("traffic", [])
        assert sum(share.get("percent") or 0 for share in asked) == 100
        tags = [share["tag"] for share in asked if share.get("tag")]
        assert len(tags) == len(set(tags))

    def _reconcile(self, service: dict[str, Any]) -> None:
        name = service["metadata"]["name"]
        template = service["spec"]["template"]
        revision = template["metadata"].get("name") or f"{name}-00001"
        found = self.revisions.setdefault(
            revision,
            {
                "metadata": {
                    "name": revision,
                    "labels": {names.SERVICE_OF: name},
                    "annotations": template["metadata"].get("annotations") or {},
                    "creationTimestamp": f"{len(self.revisions):04}",
                },
                "spec": template["spec"],
            },
        )
        ready = "False" if self.is_broken(revision) else "True"
        found["status"] = {"conditions": [{"type": "Ready", "status": ready}]}
        if ready == "True":
            service["status"]["latestReadyRevisionName"] = revision
        latest = service["status"].get("latestReadyRevisionName", "")
        asked = [(s.get("revisionName") or latest, s.get("percent") or 0) for s in service["spec"]["traffic"]]
        well = all(r in self.revisions and self._is_ready(r) for r, _ in asked)
        service["status"] |= {
            "observedGeneration": service["metadata"]["generation"],
            "conditions": [{"type": "RoutesReady", "status": "True" if well else "False"}],
            "url": f"http://{name}",
        }
        if well:
            self.gateway[name] = {}
            for r, percent in asked:
                if percent:
                    self.gateway[name][r] = self.gateway[name].get(r, 0) + percent

    def _is_ready(self, revision: str) -> bool:
        return self.revisions[revision]["status"]["conditions"][0]["status"] == "True"


class Deploys:
    """Deploys of one release to a model. `lives` is after how many changes each process is killed."""

    def __init__(
        self,
        model: Model,
        documents: list[Any],
        *,
        smoke: bool = True,
        watch: bool = True,
        waiting: tuple[str, ...] = (),
        each: Callable[[Kind], None] = lambda _kind: None,
    ) -> None:
        self.model = model
        self.release: Release = rendered.read(documents, None, {})
        self.smoked = False
        self._smoke, self._watch, self._waiting, self._each = smoke, watch, waiting, each

    def deploy(self, life: int | None = None, *, hold: bool = False) -> Step:
        """One process, to its end. Killed when it made `life` changes."""
        seen = Seen()
        left = [life]
        for _ in range(200):
            step = decide.decide(self.release, self.model.live(), seen, hold=hold)
            if step.kind in {Kind.DONE, Kind.HOLD, Kind.ROLLED_BACK, Kind.REFUSE}:
                return step
            seen = self._take(step, seen, left)
        raise AssertionError(f"no end: {step}")

    def rollback(self, life: int | None = None) -> Step | None:
        left = [life]
        release = decide.release_to_leave(self.model.live())
        if release is None:
            return None
        for _ in range(50):
            step = decide.decide_rollback(self.model.live(), release, "by hand")
            if step.kind in {Kind.ROLLED_BACK, Kind.REFUSE}:
                return step
            self._change(left, step.kind, self._atoms(step))
        raise AssertionError(f"no end: {step}")

    def _take(self, step: Step, seen: Seen, left: list[int | None]) -> Seen:
        self._change(left, step.kind, self._atoms(step))
        match step.kind:
            case Kind.SMOKE if not self._smoke:
                return replace(seen, fault="smoke said no")
            case Kind.WATCH if not self._watch:
                return replace(seen, fault="watch said no")
            case Kind.AWAIT_REVISIONS if any(map(self.model.is_broken, step.names)):
                return replace(seen, fault="not ready")
            case Kind.MIGRATE:
                seen = replace(seen, waiting=self._waiting)
            case Kind.SMOKE:
                self.smoked = True
        done = {Kind.PREPARE, Kind.MIGRATE, Kind.SMOKE, Kind.WIRE, Kind.WATCH, Kind.ROLL_OUT} & {step.kind}
        return replace(seen, done=seen.done | done)

    def _change(self, left: list[int | None], kind: Kind, atoms: Iterator[Callable[[], None]]) -> None:
        for atom in atoms:
            if left[0] is not None:
                if left[0] == 0:
                    raise Killed
                left[0] -= 1
            atom()
            self.model.settle()
            self._each(kind)

    def _atoms(self, step: Step) -> Iterator[Callable[[], None]]:
        for name, patch in step.patches.items():
            yield lambda name=name, patch=patch: self.model.patch(name, dict(patch))
        if step.kind is Kind.CREATE:
            for name in step.names:
                yield lambda name=name: self.model.apply(self.release.services[name])
        if step.kind is Kind.DISCARD:
            for name in step.names:
                yield lambda name=name: self.model.discard(name)
        if step.kind is Kind.ROLL_OUT:
            (deployment,) = self.release.edge
            image = deployment["spec"]["template"]["spec"]["initContainers"][0]["image"]
            yield lambda: setattr(self.model, "edge", image)
