output "identifier" {
  description = "The instance's name, by which metrics know it."
  value       = aws_db_instance.weir.identifier
}

output "address" {
  description = "The host."
  value       = aws_db_instance.weir.address
}

output "url" {
  description = "`WEIR_DATABASE_URL` without what is asked of TLS; for write-only arguments."
  value       = "postgresql://${var.username}:${ephemeral.aws_secretsmanager_secret_version.password.secret_string}@${aws_db_instance.weir.address}:5432/${aws_db_instance.weir.db_name}"
  ephemeral   = true
  sensitive   = true
}

output "password_arn" {
  description = "The secret with the password."
  value       = module.password.arn
}

output "security_group_id" {
  description = "The group it is in."
  value       = aws_security_group.postgres.id
}

output "way_ids" {
  description = "What the clients need to reach it."
  value       = [for rule in aws_vpc_security_group_ingress_rule.clients : rule.id]
}
