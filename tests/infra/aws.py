"""moto's server, which lets a replication group of ElastiCache go that was deleted: moto has it in deletion for ever.

The arguments are those of `moto_server`.
"""

from typing import Any

from moto.elasticache.models import ElastiCacheBackend
from moto.server import main

delete = ElastiCacheBackend.delete_replication_group


def delete_for_good(backend: ElastiCacheBackend, *arguments: Any, **named: Any) -> Any:
    group = delete(backend, *arguments, **named)
    del backend.replication_groups[group.replication_group_id]
    return group


ElastiCacheBackend.delete_replication_group = delete_for_good  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
