output "url" {
  description = "Where the console is."
  value       = "https://${local.has_own_name ? var.aliases[0] : aws_cloudfront_distribution.console.domain_name}"
}

output "domain_name" {
  description = "What names of one's own point to."
  value       = aws_cloudfront_distribution.console.domain_name
}

output "distribution_id" {
  description = "The distribution."
  value       = aws_cloudfront_distribution.console.id
}

output "bucket" {
  description = "Where the console is published to."
  value       = aws_s3_bucket.console.id
}
