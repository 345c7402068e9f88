locals {
  region = data.aws_region.here.name

  widgets = concat(local.api_widgets, local.postgres_widgets, local.redis_widgets)

  lambda = coalesce(var.lambda, { functions = {}, api_id = "", wake_queue = { live = "", dead = "" } })

  api_widgets = [for widget in local.lambda_widgets : widget if var.lambda != null]

  lambda_widgets = [
    {
      title = "Answers of the API"
      metrics = [
        ["AWS/ApiGateway", "Count", "ApiId", local.lambda.api_id, { stat = "Sum" }],
        [".", "4xx", ".", ".", { stat = "Sum" }],
        [".", "5xx", ".", ".", { stat = "Sum" }],
      ]
    },
    {
      title = "Time to an answer"
      metrics = [
        ["AWS/ApiGateway", "Latency", "ApiId", local.lambda.api_id, { stat = "p50" }],
        ["...", { stat = "p99" }],
      ]
    },
    {
      title   = "Functions at work"
      metrics = [for name in values(local.lambda.functions) : ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", name, { stat = "Maximum" }]]
    },
    {
      title   = "Functions that fail"
      metrics = [for name in values(local.lambda.functions) : ["AWS/Lambda", "Errors", "FunctionName", name, { stat = "Sum" }]]
    },
    {
      title = "Wakes"
      metrics = [
        ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", local.lambda.wake_queue.live, { stat = "Maximum" }],
        [".", "NumberOfMessagesSent", ".", ".", { stat = "Sum", yAxis = "right" }],
      ]
    },
  ]

  postgres_widgets = [
    {
      title = "Postgres: CPU and connections"
      metrics = [
        ["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", var.postgres.identifier, { stat = "Average" }],
        [".", "DatabaseConnections", ".", ".", { stat = "Maximum", yAxis = "right" }],
      ]
    },
    {
      title = "Postgres: disk"
      metrics = [
        ["AWS/RDS", "FreeStorageSpace", "DBInstanceIdentifier", var.postgres.identifier, { stat = "Minimum" }],
        [".", "WriteIOPS", ".", ".", { stat = "Average", yAxis = "right" }],
        [".", "WriteLatency", ".", ".", { stat = "Average", yAxis = "right" }],
      ]
    },
  ]

  redis_widgets = [
    {
      title = "Valkey: CPU and memory"
      metrics = concat(
        [for node in var.redis_nodes : ["AWS/ElastiCache", "EngineCPUUtilization", "CacheClusterId", node, { stat = "Average" }]],
        [for node in var.redis_nodes : ["AWS/ElastiCache", "DatabaseMemoryUsagePercentage", "CacheClusterId", node, { stat = "Maximum" }]],
      )
    },
  ]
}

resource "aws_cloudwatch_dashboard" "weir" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = [
      for index, widget in local.widgets : {
        type   = "metric"
        x      = index % 2 * 12
        y      = floor(index / 2) * 6
        width  = 12
        height = 6
        properties = {
          title   = widget.title
          region  = local.region
          period  = 60
          metrics = widget.metrics
        }
      }
    ]
  })
}
