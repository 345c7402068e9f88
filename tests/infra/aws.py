"""moto's server, which lets go what is deleted of ElastiCache: moto has a replication group in deletion for ever, and
cannot delete a subnet group. The arguments are those of `moto_server`.
"""

from typing import Any

from moto.core.responses import EmptyResult
from moto.elasticache.models import ElastiCacheBackend
from moto.elasticache.responses import ElastiCacheResponse
from moto.server import main

delete = ElastiCacheBackend.delete_replication_group


def delete_for_good(backend: ElastiCacheBackend, *arguments: Any, **named: Any) -> Any:
    group = delete(backend, *arguments, **named)
    del backend.replication_groups[group.replication_group_id]
    return group


def delete_subnet_group(response: ElastiCacheResponse) -> EmptyResult:
    del response.elasticache_backend.cache_subnet_groups[response._get_param("CacheSubnetGroupName")]
    return EmptyResult()


ElastiCacheBackend.delete_replication_group = delete_for_good  # type: ignore[method-assign]
ElastiCacheResponse.delete_cache_subnet_group = delete_subnet_group  # type: ignore[attr-defined]

if __name__ == "__main__":
    main()
