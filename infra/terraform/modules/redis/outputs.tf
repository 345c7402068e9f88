output "replication_group_id" {
  description = "The replication group's name."
  value       = aws_elasticache_replication_group.weir.replication_group_id
}

output "member_ids" {
  description = "The nodes, by which metrics know them. Known before they exist: ElastiCache numbers them."
  value       = [for index in range(var.nodes) : format("%s-%03d", var.name, index + 1)]
}

output "url" {
  description = "`WEIR_REDIS_URL`; for write-only arguments."
  value       = "rediss://:${ephemeral.aws_secretsmanager_secret_version.token.secret_string}@${aws_elasticache_replication_group.weir.primary_endpoint_address}:6379/0"
  ephemeral   = true
  sensitive   = true
}

output "security_group_id" {
  description = "The group it is in."
  value       = aws_security_group.redis.id
}
