"""What may not be in any environment, asked of resources as `terraform show -json` lists them. No I/O."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple


class Resource(NamedTuple):
    """One resource or data source with its values; those that are not known yet are left out."""

    address: str
    type: str
    values: dict[str, Any]


ANY_RESOURCE = {
    "Vpc": "network interfaces of Lambda: the actions know no narrower resource, and the code itself is denied them",
    "Trace": "X-Ray has no resources",
}
"""Statements that may name `*`, by their sid."""


def resources(module: dict[str, Any]) -> Iterator[Resource]:
    """All of a module of `values` or `planned_values`, and of those in it."""
    for each in module.get("resources", ()):
        if each["mode"] == "managed":
            yield Resource(each["address"], each["type"], each.get("values", {}))
    for inner in module.get("child_modules", ()):
        yield from resources(inner)


def faults(found: Sequence[Resource]) -> list[str]:
    """What is wrong, a line each; empty where all is well. Of a plan, where policies are mostly not known yet."""
    return [
        *policy_faults(found),
        *(
            f"{resource.address}: {fault}"
            for resource in found
            for fault in (*_encryption(resource), *_exposure(resource), *_log(resource))
        ),
        *_buckets(found),
    ]


def policy_faults(found: Sequence[Resource]) -> list[str]:
    """What policies allow and should not: of a state, which has all of them."""
    return [f"{resource.address}: {fault}" for resource in found for fault in _policy(resource)]


def policies(found: Sequence[Resource]) -> int:
    """How many statements there were to be looked at."""
    return sum(len(list(_statements(resource))) for resource in found)


def _statements(resource: Resource) -> Iterator[dict[str, Any]]:
    # What passes an endpoint is no right, and a topic shows AWS' own policy: ours is a resource beside it.
    if resource.type in {"aws_vpc_endpoint", "aws_sns_topic"}:
        return
    for member in ("policy", "assume_role_policy"):
        text = resource.values.get(member)
        if text and resource.type != "aws_ecr_lifecycle_policy":
            statements = json.loads(text)["Statement"]
            yield from statements if isinstance(statements, list) else [statements]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _policy(resource: Resource) -> Iterator[str]:
    of_a_key = resource.type == "aws_kms_key"  # there `*` is this key, and its account has to keep hold of it
    for statement in _statements(resource):
        if statement["Effect"] != "Allow":
            continue
        sid = statement.get("Sid", "")
        for action in _listed(statement.get("Action", [])):
            if action.endswith("*") and not of_a_key:
                yield f"allows {action}"
        if "*" in _listed(statement.get("Resource", [])) and sid not in ANY_RESOURCE and not of_a_key:
            yield f"allows {statement['Action']} on everything"
        principal = statement.get("Principal")
        if principal == "*" or (isinstance(principal, dict) and "*" in _listed(principal.get("AWS", []))):
            yield "allows anybody"
        if "NotAction" in statement or "NotResource" in statement:
            yield "allows all but something"


ENCRYPTED: dict[str, tuple[str, ...]] = {
    "aws_db_instance": ("storage_encrypted",),
    "aws_elasticache_replication_group": ("at_rest_encryption_enabled", "transit_encryption_enabled"),
    "aws_sqs_queue": ("sqs_managed_sse_enabled",),
}
"""What has to be true of each type of resource."""


def _encryption(resource: Resource) -> Iterator[str]:
    values = resource.values
    for member in ENCRYPTED.get(resource.type, ()):
        if str(values.get(member)).lower() != "true":  # some are text
            yield f"{member} is not set"
    if resource.type == "aws_sns_topic" and values.get("kms_master_key_id", "unknown yet") in {None, ""}:
        yield "is not encrypted"
    if resource.type == "aws_eks_cluster" and not values.get("encryption_config"):
        yield "does not encrypt its secrets"
    if resource.type == "aws_launch_template":
        if any(str(d["ebs"][0]["encrypted"]) != "true" for d in values["block_device_mappings"]):
            yield "has a disk that is not encrypted"
        if values["metadata_options"][0]["http_tokens"] != "required":
            yield "gives its metadata to whoever asks"
    if resource.type == "aws_db_parameter_group":
        asked = {parameter["name"]: parameter["value"] for parameter in values["parameter"]}
        if asked.get("rds.force_ssl") != "1":
            yield "lets connections in the clear in"
    if resource.type == "aws_cloudfront_distribution":
        for behaviour in (*values["default_cache_behavior"], *values["ordered_cache_behavior"]):
            if behaviour["viewer_protocol_policy"] == "allow-all":
                yield f"serves {behaviour.get('path_pattern', 'the rest')} in the clear"


def _exposure(resource: Resource) -> Iterator[str]:
    values = resource.values
    if resource.type == "aws_vpc_security_group_ingress_rule" and values.get("cidr_ipv4") == "0.0.0.0/0":
        ports = (values.get("from_port"), values.get("to_port"))
        if ports != (443, 443):
            yield f"lets everybody in at {ports}"
    if resource.type == "aws_security_group" and (values.get("ingress") or values.get("egress")):
        # In a state, rules made beside the group are listed in it as well: those are looked at by themselves.
        for rule in values["ingress"]:
            if "0.0.0.0/0" in rule["cidr_blocks"] and (rule["from_port"], rule["to_port"]) != (443, 443):
                yield "lets everybody in"
    if resource.type == "aws_db_instance" and values.get("publicly_accessible"):
        yield "is reached from the internet"
    if resource.type == "aws_eks_cluster":
        network = values["vpc_config"][0]
        if network["endpoint_public_access"] and "0.0.0.0/0" in (
            network.get("public_access_cidrs") or ["0.0.0.0/0"]
        ):
            yield "has an API server that everybody reaches"


def _log(resource: Resource) -> Iterator[str]:
    if resource.type == "aws_cloudwatch_log_group" and not resource.values.get("retention_in_days"):
        yield "is kept for ever"


def _buckets(found: Sequence[Resource]) -> Iterator[str]:
    """Each bucket has its own lock and key, which are resources beside it in the same module and of the same name."""
    by_address = {resource.address: resource for resource in found}
    closed = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    for bucket in found:
        if bucket.type != "aws_s3_bucket":
            continue

        def beside(kind: str, address: str = bucket.address) -> Resource | None:
            return by_address.get(address.replace("aws_s3_bucket.", f"{kind}."))

        block = beside("aws_s3_bucket_public_access_block")
        if block is None or not all(block.values[member] for member in closed):
            yield f"{bucket.address}: may become public"
        if beside("aws_s3_bucket_server_side_encryption_configuration") is None:
            yield f"{bucket.address}: is not encrypted"
        if beside("aws_s3_bucket_versioning") is None:
            yield f"{bucket.address}: keeps no version of what is replaced"
