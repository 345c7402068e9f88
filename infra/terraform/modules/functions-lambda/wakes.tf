# Wakes are hints: the queue starts a dispatcher where none runs, and the tick finds what it lost.

resource "aws_sqs_queue" "lost_wakes" {
  name                      = "${var.name}-wakes-dead"
  message_retention_seconds = 14 * 24 * 3600 # time enough to look at what nobody could read
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "wakes" {
  name = "${var.name}-wakes"

  # Longer than a dispatcher may work on one. Lambda's advice is six times that; but what is throttled here is kept
  # from the function by the limit of the mapping, and a wake that waits half an hour is worth nothing.
  visibility_timeout_seconds = max(values({ for name, function in local.woken : name => local.timeouts[name] })...) + 30
  message_retention_seconds  = 3600
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.lost_wakes.arn
    maxReceiveCount     = 3
  })
}

resource "aws_sqs_queue_redrive_allow_policy" "lost_wakes" {
  queue_url = aws_sqs_queue.lost_wakes.id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.wakes.arn]
  })
}

data "aws_iam_policy_document" "tls_alone" {
  for_each = { wakes = aws_sqs_queue.wakes.arn, lost = aws_sqs_queue.lost_wakes.arn }

  statement {
    sid       = "TlsAlone"
    effect    = "Deny"
    actions   = ["sqs:SendMessage", "sqs:ReceiveMessage"]
    resources = [each.value]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sqs_queue_policy" "tls_alone" {
  for_each = { wakes = aws_sqs_queue.wakes.id, lost = aws_sqs_queue.lost_wakes.id }

  queue_url = each.value
  policy    = data.aws_iam_policy_document.tls_alone[each.key].json
}

resource "aws_lambda_event_source_mapping" "wakes" {
  for_each = local.woken

  event_source_arn        = aws_sqs_queue.wakes.arn
  function_name           = aws_lambda_function.function[each.key].arn
  batch_size              = var.wake_batch_size
  function_response_types = ["ReportBatchItemFailures"]

  # One fewer than the function's own limit, so that a tick never waits for a wake.
  scaling_config {
    maximum_concurrency = max(2, local.concurrency[each.key] - 1)
  }
}
