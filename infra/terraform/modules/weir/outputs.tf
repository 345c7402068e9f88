output "console_url" {
  description = "Where the console is."
  value       = module.console.url
}

output "console_bucket" {
  description = "What `make publish-console` takes as BUCKET."
  value       = module.console.bucket
}

output "console_distribution" {
  description = "What it takes as DISTRIBUTION."
  value       = module.console.distribution_id
}

output "console_domain_name" {
  description = "What names of one's own point to."
  value       = module.console.domain_name
}

output "public_url" {
  description = "What producers are told, WEIR_PUBLIC_URL."
  value       = local.public_url
}

output "api_url" {
  description = "Where the API itself answers."
  value       = local.api_url
}

output "nat_addresses" {
  description = "The addresses that deliveries come from."
  value       = module.network.nat_addresses
}

output "settings_secret_arn" {
  description = "The secret with the settings."
  value       = aws_secretsmanager_secret.settings.arn
}

output "alarm_topic_arn" {
  description = "Where alarms go."
  value       = module.observability.topic_arn
}

output "migrate_function" {
  description = "The function that migrates the database: `apply` calls it, and whoever takes something away; on lambda."
  value       = one(module.functions[*].function_names.migrate)
}

output "connections" {
  description = "How many connections to Postgres all functions together can have; on lambda."
  value       = one(module.functions[*].connections)
}

output "cluster_name" {
  description = "The cluster; on knative."
  value       = one(module.cluster[*].cluster_name)
}

output "repository_url" {
  description = "Where the image is pushed to; on knative."
  value       = one(module.cluster[*].repository_url)
}

output "kubeconfig" {
  description = "For kubectl; on knative."
  value       = one(module.cluster[*].kubeconfig)
}

output "settings_manifest" {
  description = "For kubectl: makes the Secret `weir-settings`; on knative."
  value       = one(module.cluster[*].settings_manifest)
}

output "archive_bucket" {
  description = "Where events go when their retention is over."
  value       = module.archive.bucket
}
