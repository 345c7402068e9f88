output "arn" {
  description = "Where it is. Who needs the value reads it from there, as an ephemeral resource."
  value       = aws_secretsmanager_secret.this.arn
}

output "version_id" {
  description = "Which version it is: changes with the value."
  value       = aws_secretsmanager_secret_version.this.version_id
}
