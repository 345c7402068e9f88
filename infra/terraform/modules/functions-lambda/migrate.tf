# The database is migrated by the new package before any function has its code: the invocation stands between the two.
# It runs what the code that serves can live with; what takes something away is called for by hand.

resource "aws_lambda_function" "migrate" {
  function_name    = "${var.name}-migrate"
  description      = local.functions.migrate.summary
  role             = aws_iam_role.function["migrate"].arn
  s3_bucket        = aws_s3_object.package.bucket
  s3_key           = aws_s3_object.package.key
  source_code_hash = filebase64sha256(var.package)
  runtime          = var.runtime
  architectures    = [var.architecture]
  handler          = var.handler
  timeout          = local.timeouts.migrate
  memory_size      = lookup(var.memory_mib, "migrate", var.default_memory_mib)

  reserved_concurrent_executions = local.concurrency.migrate

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = [aws_security_group.functions.id]
  }

  environment {
    variables = merge(
      {
        WEIR_SECRETS_ARN = var.settings_secret_arn
        WEIR_LOG_LEVEL   = var.log_level
      },
      var.environment,
      local.functions.migrate.environment,
    )
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.function["migrate"].name
  }

  tracing_config {
    mode = "PassThrough"
  }

  depends_on = [aws_iam_role_policy.function]
}

# Anew for each package, and when the settings have come to name another database.
resource "aws_lambda_invocation" "migrate" {
  function_name = aws_lambda_function.migrate.function_name
  input         = jsonencode({})

  triggers = {
    package  = filesha256(var.package)
    settings = var.settings_version
  }

  # The ways to the database, which the function needs and Terraform would not know of.
  depends_on = [
    var.migrate_after,
    aws_vpc_security_group_egress_rule.out,
    aws_vpc_security_group_egress_rule.stores,
  ]
}
