# Once a minute each handler of the tick is called, whatever else is broken.

data "aws_iam_policy_document" "scheduler_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.me.account_id]
    }
  }
}

data "aws_iam_policy_document" "scheduler" {
  statement {
    actions   = ["lambda:InvokeFunction"]
    resources = [for name in keys(local.ticked) : aws_lambda_function.function[name].arn]
  }
}

resource "aws_iam_role" "scheduler" {
  name               = "${var.name}-ticks"
  assume_role_policy = data.aws_iam_policy_document.scheduler_assume.json
}

resource "aws_iam_role_policy" "scheduler" {
  name   = "tick"
  role   = aws_iam_role.scheduler.id
  policy = data.aws_iam_policy_document.scheduler.json
}

resource "aws_scheduler_schedule_group" "ticks" {
  name = "${var.name}-ticks"
}

resource "aws_scheduler_schedule" "tick" {
  for_each = local.ticked

  name                = each.key
  description         = "Lets ${each.key} find what a lost wake left"
  group_name          = aws_scheduler_schedule_group.ticks.name
  schedule_expression = var.tick_schedule

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.function[each.key].arn
    role_arn = aws_iam_role.scheduler.arn

    # jsonencode would write the angle brackets, which Scheduler replaces, as escapes.
    input = "{\"specversion\":\"1.0\",\"id\":\"<aws.scheduler.execution-id>\",\"source\":\"/aws/scheduler\",\"type\":\"dev.weir.tick\"}"

    # The next one comes in a minute; an old one is not worth a second try.
    retry_policy {
      maximum_event_age_in_seconds = 60
      maximum_retry_attempts       = 0
    }
  }

  depends_on = [aws_iam_role_policy.scheduler]
}

resource "aws_lambda_function_event_invoke_config" "tick" {
  for_each = local.ticked

  function_name                = aws_lambda_function.function[each.key].function_name
  maximum_event_age_in_seconds = 60
  maximum_retry_attempts       = 0
}
