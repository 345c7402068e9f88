"""Derives `schemas/` from what Kubernetes and the makers of its custom resources publish: `python -m tests.manifests.derive`.

Needs Go, and reads hundreds of megabytes of modules once; so what follows from them is kept here. A schema says no
more than its source does, but in one respect: members that the source does not know are refused. All sources are
under the Apache License 2.0 (`schemas/README.md` names them).
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

SCHEMAS = Path(__file__).parent / "schemas"

KUBERNETES = "k8s.io/kubernetes@v1.34.4"
KINDS = {
    "api__v1": ("core.v1", ["ConfigMap", "Namespace", "Secret", "Service", "ServiceAccount"]),
    "apis__apps__v1": ("apps.v1", ["Deployment", "StatefulSet"]),
    "apis__batch__v1": ("batch.v1", ["Job"]),
    "apis__networking.k8s.io__v1": ("networking.v1", ["Ingress", "NetworkPolicy"]),
    "apis__policy__v1": ("policy.v1", ["PodDisruptionBudget"]),
}
"""File of `api/openapi-spec/v3` to the package of its types and the kinds that are wanted."""

CUSTOM = {
    "knative.dev/serving@v0.48.0": ["config/core/300-resources/service.yaml"],
    "knative.dev/eventing@v0.47.0": [
        f"config/core/resources/{name}.yaml" for name in ("broker", "trigger", "pingsource", "sinkbindings")
    ],
    "github.com/external-secrets/external-secrets@v1.3.2": [
        "config/crds/bases/external-secrets.io_externalsecrets.yaml"
    ],
    "github.com/prometheus-operator/prometheus-operator@v0.85.0": [
        f"example/prometheus-operator-crd/monitoring.coreos.com_{name}.yaml"
        for name in ("podmonitors", "prometheusrules")
    ],
    "sigs.k8s.io/gateway-api@v1.4.1": ["config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"],
}
"""Module to the files of its custom resource definitions."""

LEFT_OUT = {"description", "default", "example", "externalDocs", "title"}
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

Schema = dict[str, Any]


def folder(module: str) -> Path:
    """Where Go keeps the module's files; it is fetched when it is not there."""
    ran = subprocess.run(
        ["go", "mod", "download", "-json", module], capture_output=True, text=True, check=True
    )
    return Path(json.loads(ran.stdout)["Dir"])


def strict(schema: Any) -> Any:
    """The schema as JSON Schema: no words, nothing unknown allowed, and Kubernetes' own notions said in the standard's."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "int-or-string" or schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    found = {
        name: {member: strict(value) for member, value in part.items()}
        if name == "properties"
        else strict(part)
        for name, part in schema.items()
        if name not in LEFT_OUT and not name.startswith("x-kubernetes-")
    }
    if found.pop("nullable", False) and "type" in found:
        found["type"] = [found["type"], "null"]
    if "properties" in found and not schema.get("x-kubernetes-preserve-unknown-fields"):
        found.setdefault("additionalProperties", False)
    return found


def referred(schema: Any) -> Iterator[str]:
    """The names of the definitions that a schema refers to."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].rpartition("/")[2]
        for part in schema.values():
            yield from referred(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from referred(part)


def definitions(known: Schema, schema: Any) -> Schema:
    """All that `schema` refers to, and what that refers to."""
    found: Schema = {}
    asked = list(referred(schema))
    while asked:
        name = asked.pop()
        if name not in found:
            found[name] = strict(known[name])
            asked.extend(referred(found[name]))
    return dict(sorted(found.items()))


def complete(schema: Schema, known: Schema, kind: str, version: str) -> Schema:
    """A document of its own: fixed to its kind, with the definitions that it needs."""
    members = {**schema["properties"], "apiVersion": {"const": version}, "kind": {"const": kind}}
    whole = {
        **schema,
        "properties": members,
        "required": sorted({*schema.get("required", []), "apiVersion", "kind", "metadata"}),
    }
    text = json.dumps({**whole, "definitions": definitions(known, whole)}, separators=(",", ":"))
    return json.loads(text.replace("#/components/schemas/", "#/definitions/"))


def builtin(known_by_file: dict[str, Schema]) -> Iterator[tuple[str, str, Schema]]:
    """API version, kind and schema of what Kubernetes brings itself."""
    for file, (package, kinds) in KINDS.items():
        known = known_by_file[file]
        version = file.replace("apis__", "").replace("api__", "").replace("__", "/")
        for kind in kinds:
            yield version, kind, complete(strict(known[f"io.k8s.api.{package}.{kind}"]), known, kind, version)


def custom(known: Schema) -> Iterator[tuple[str, str, Schema]]:
    """The same of custom resources, in every version that is served."""
    for module, files in CUSTOM.items():
        root = folder(module)
        for file in files:
            spec = yaml.safe_load((root / file).read_text())["spec"]
            for version in spec["versions"]:
                if version["served"]:
                    schema = strict(version["schema"]["openAPIV3Schema"])
                    schema["properties"]["metadata"] = {"$ref": f"#/components/schemas/{META}"}
                    named, kind = f"{spec['group']}/{version['name']}", spec["names"]["kind"]
                    yield named, kind, complete(schema, known, kind, named)


def main() -> None:
    """Write them all."""
    specification = folder(KUBERNETES) / "api/openapi-spec/v3"
    known = {
        file: json.loads((specification / f"{file}_openapi.json").read_text())["components"]["schemas"]
        for file in KINDS
    }
    for version, kind, schema in (*builtin(known), *custom(known["api__v1"])):
        group, _, number = version.rpartition("/")
        path = SCHEMAS / (group or number) / f"{kind.lower()}_{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(schema, separators=(",", ":"), sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
