# A role for each function, with what this one function needs and nothing that another does.

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "function" {
  for_each = local.functions

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function[each.key].arn}:*"]
  }

  statement {
    sid       = "Settings"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [var.settings_secret_arn]
  }

  dynamic "statement" {
    for_each = var.settings_kms_key_arn == null ? [] : [var.settings_kms_key_arn]

    content {
      sid       = "SettingsKey"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }

  # Lambda, which acts by this role, puts its network interfaces into the VPC; these actions know no narrower resource.
  statement {
    sid = "Vpc"
    actions = [
      "ec2:AssignPrivateIpAddresses",
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:UnassignPrivateIpAddresses",
    ]
    resources = ["*"]
  }

  # The code in the function has no business with them.
  statement {
    sid    = "NotFromCode"
    effect = "Deny"
    actions = [
      "ec2:AssignPrivateIpAddresses",
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:UnassignPrivateIpAddresses",
    ]
    resources = ["*"]

    condition {
      test     = "ArnEquals"
      variable = "lambda:SourceFunctionArn"
      values   = [local.function_arns[each.key]]
    }
  }

  dynamic "statement" {
    for_each = var.tracing ? ["traces"] : []

    content {
      sid       = "Trace"
      actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      resources = ["*"] # X-Ray has none
    }
  }

  dynamic "statement" {
    for_each = contains(local.archiving, each.key) ? var.archive_policies : {}

    content {
      sid       = statement.key
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }

  dynamic "statement" {
    for_each = contains(local.waking, each.key) ? ["wakes"] : []

    content {
      sid       = "Wake"
      actions   = ["sqs:SendMessage"]
      resources = [aws_sqs_queue.wakes.arn]
    }
  }

  dynamic "statement" {
    for_each = contains(keys(local.woken), each.key) ? ["woken"] : []

    content {
      sid       = "Woken"
      actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
      resources = [aws_sqs_queue.wakes.arn]
    }
  }
}

locals {
  # Worked out, and not taken from the functions: they need their roles first.
  function_arns = {
    for name, function in local.functions : name => join(":", [
      "arn", data.aws_partition.here.partition, "lambda", data.aws_region.here.name,
      data.aws_caller_identity.me.account_id, "function", "${var.name}-${name}",
    ])
  }
}

resource "aws_iam_role" "function" {
  for_each = local.functions

  name               = "${var.name}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy" "function" {
  for_each = local.functions

  name   = "function"
  role   = aws_iam_role.function[each.key].id
  policy = data.aws_iam_policy_document.function[each.key].json
}
