output "api_url" {
  description = "Where the API answers."
  value       = aws_apigatewayv2_api.weir.api_endpoint
}

output "api_id" {
  description = "The HTTP API, by which metrics know it."
  value       = aws_apigatewayv2_api.weir.id
}

output "security_group_id" {
  description = "The group that the functions are in: the stores let it in."
  value       = aws_security_group.functions.id
}

output "function_names" {
  description = "Declared name to the name in Lambda."
  value = merge(
    { for name, function in aws_lambda_function.function : name => function.function_name },
    { migrate = aws_lambda_function.migrate.function_name },
  )
}

output "role_arns" {
  description = "Declared name to role."
  value       = { for name, role in aws_iam_role.function : name => role.arn }
}

output "wake_queue" {
  description = "The names of the queue of wakes, and of that for those that nobody could read."
  value       = { live = aws_sqs_queue.wakes.name, dead = aws_sqs_queue.lost_wakes.name }
}

output "connections" {
  description = "How many connections to the database all functions together can have."
  value       = local.connections
}
