# Every declared function as a Lambda function: endpoints behind one HTTP API, handlers behind a queue and a clock.

data "aws_partition" "here" {}
data "aws_region" "here" {}
data "aws_caller_identity" "me" {}

locals {
  declared = jsondecode(file(var.functions_file))

  # Beside those that are declared there is one that is called before any of them has new code: see migrate.tf.
  functions = merge(
    { for name, function in local.declared : name => { summary = function.summary, environment = function.environment } },
    { migrate = { summary = "Brings the schema of the database up", environment = { WEIR_FUNCTION = "migrate" } } },
  )

  endpoints = { for name, function in local.declared : name => function if function.kind == "endpoint" }
  handlers  = { for name, function in local.declared : name => function if function.kind == "handler" }
  woken     = { for name, function in local.handlers : name => function if contains(function.on, "dev.weir.wake") }
  ticked    = { for name, function in local.handlers : name => function if contains(function.on, "dev.weir.tick") }
  archiving = toset([for name, function in local.declared : name if function.archives])
  waking    = toset([for name, function in local.declared : name if function.wakes])

  # An HTTP API hangs up after 30 seconds; Lambda itself after 900.
  timeouts = merge(
    {
      for name, function in local.declared :
      name => min(function.timeoutSeconds, function.kind == "endpoint" ? 29 : 900)
    },
    { migrate = 900 },
  )

  # A Lambda instance has one request at a time, so this is also how many requests are answered at once.
  concurrency = merge(
    { for name, function in local.declared : name => function.maximum },
    { migrate = 1 },
    var.concurrency,
  )

  # Each instance has two pools of this size at most. Handlers do many things at once and keep Weir's own size.
  pool_size   = { for name, function in local.functions : name => contains(keys(local.handlers), name) ? 8 : var.database_pool_size }
  connections = sum([for name, concurrency in local.concurrency : concurrency * 2 * local.pool_size[name]])
}

resource "aws_cloudwatch_log_group" "function" {
  for_each = local.functions

  name              = "/aws/lambda/${var.name}-${each.key}"
  retention_in_days = var.log_days
}

resource "aws_security_group" "functions" {
  name        = "${var.name}-functions"
  description = "Lambda functions of ${var.name}"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-functions" }
}

# Sinks and issuers of tokens are anywhere; which addresses a delivery may go to is up to Weir's own guard.
resource "aws_vpc_security_group_egress_rule" "out" {
  for_each = var.outgoing_ports

  security_group_id = aws_security_group.functions.id
  description       = "Sinks, AWS, issuers of tokens"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
}

resource "aws_vpc_security_group_egress_rule" "stores" {
  for_each = { postgres = 5432, redis = 6379 }

  security_group_id = aws_security_group.functions.id
  description       = each.key
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_lambda_function" "function" {
  for_each = local.declared

  function_name    = "${var.name}-${each.key}"
  description      = each.value.summary
  role             = aws_iam_role.function[each.key].arn
  s3_bucket        = aws_s3_object.package.bucket
  s3_key           = aws_s3_object.package.key
  source_code_hash = filebase64sha256(var.package)
  runtime          = var.runtime
  architectures    = [var.architecture]
  handler          = var.handler
  timeout          = local.timeouts[each.key]
  memory_size      = lookup(var.memory_mib, each.key, var.default_memory_mib)

  reserved_concurrent_executions = local.concurrency[each.key]

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = [aws_security_group.functions.id]
  }

  environment {
    variables = merge(
      {
        WEIR_SECRETS_ARN             = var.settings_secret_arn
        WEIR_DATABASE_POOL_SIZE      = tostring(local.pool_size[each.key])
        WEIR_LOG_LEVEL               = var.log_level
        POWERTOOLS_SERVICE_NAME      = each.key
        POWERTOOLS_METRICS_NAMESPACE = var.metrics_namespace
        POWERTOOLS_TRACE_DISABLED    = tostring(!var.tracing)
      },
      contains(local.waking, each.key) ? { WEIR_WAKE_QUEUE_URL = aws_sqs_queue.wakes.url } : {},
      # Waiting is billed there: a dispatcher that has nothing to do ends its call soon.
      contains(keys(local.woken), each.key) ? { WEIR_DISPATCH_LINGER_SECONDS = "2" } : {},
      var.environment,
      each.value.environment,
    )
  }

  # Weir's lines are JSON already. Lambda's own format would have a level of its own beside WEIR_LOG_LEVEL, and above it.
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.function[each.key].name
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  # No code is called that the database is not ready for: a migration that fails leaves all of them as they are.
  depends_on = [aws_iam_role_policy.function, aws_lambda_invocation.migrate]

  lifecycle {
    precondition {
      condition     = var.max_connections == null ? true : local.connections <= var.max_connections
      error_message = "At full concurrency the functions would open ${local.connections} connections, and the database lets in ${coalesce(var.max_connections, 0)}. Lower `concurrency` or `database_pool_size`, or raise `max_connections` with a larger instance."
    }
  }
}
