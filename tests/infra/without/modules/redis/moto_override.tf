# moto has no parameter groups of ElastiCache.

locals {
  parameter_group = null
}

resource "aws_elasticache_parameter_group" "weir" {
  count = 0
}
