"""moto's server, which lets go what is deleted: moto has a replication group of ElastiCache in deletion for ever, cannot
delete a subnet group, makes one node of a group whatever number is asked for, and stumbles over the mark of a deletion in a
bucket with versions. A function is run in this process, where moto wants Docker. The arguments are those of `moto_server`.
"""

import io
import json
import zipfile
from collections.abc import MutableMapping
from typing import Any

from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.config import default_user_config
from moto.core.responses import EmptyResult
from moto.elasticache.models import ElastiCacheBackend, ReplicationGroup
from moto.elasticache.responses import ElastiCacheResponse
from moto.s3.models import FakeDeleteMarker
from moto.server import main

delete = ElastiCacheBackend.delete_replication_group
members = ReplicationGroup._set_node_members_clusters_disabled


def delete_for_good(backend: ElastiCacheBackend, *arguments: Any, **named: Any) -> Any:
    group = delete(backend, *arguments, **named)
    del backend.replication_groups[group.replication_group_id]
    return group


def delete_subnet_group(response: ElastiCacheResponse) -> EmptyResult:
    del response.elasticache_backend.cache_subnet_groups[response._get_param("CacheSubnetGroupName")]
    return EmptyResult()


def as_many_as_asked_for(group: ReplicationGroup, **named: Any) -> None:
    members(group, **{**named, "replicas_per_node_group": named["num_cache_clusters"] - 1})


def run_here(
    backend: LambdaSimpleBackend,
    function_name: str,
    qualifier: str | None,
    body: Any,
    _headers: Any,
    response_headers: MutableMapping[str, str],
) -> bytes:
    found = backend.get_function(function_name, qualifier)
    code: dict[str, Any] = {}
    with zipfile.ZipFile(io.BytesIO(found.code_bytes)) as package:
        exec(package.read("handler.py"), code)
    try:
        answer = code["handler"](json.loads(body), None)
    except Exception as error:
        response_headers["x-amz-function-error"] = "Unhandled"
        answer = {"errorType": type(error).__name__, "errorMessage": str(error)}
    return json.dumps(answer).encode()


ReplicationGroup._set_node_members_clusters_disabled = as_many_as_asked_for  # type: ignore[method-assign]
FakeDeleteMarker.dispose = lambda _self: None  # type: ignore[attr-defined]  # it has no bytes to let go
ElastiCacheBackend.delete_replication_group = delete_for_good  # type: ignore[method-assign]
ElastiCacheResponse.delete_cache_subnet_group = delete_subnet_group  # type: ignore[attr-defined]
LambdaSimpleBackend.invoke = run_here  # type: ignore[method-assign]
default_user_config["lambda"] = {"use_docker": False}

if __name__ == "__main__":
    main()
