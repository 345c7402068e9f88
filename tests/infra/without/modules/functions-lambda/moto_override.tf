# moto forgets who may send dead letters to a queue, and refuses what a bucket's policy denies without looking at the
# condition.

resource "aws_sqs_queue_redrive_allow_policy" "lost_wakes" {
  count = 0
}

resource "aws_s3_bucket_policy" "package" {
  count = 0
}

# What it forgets of a function, and writes in other words of a queue.
resource "aws_lambda_function" "function" {
  lifecycle {
    ignore_changes = [logging_config]
  }
}

resource "aws_lambda_function" "migrate" {
  lifecycle {
    ignore_changes = [logging_config]
  }
}

resource "aws_sqs_queue" "wakes" {
  lifecycle {
    ignore_changes = [redrive_policy]
  }
}
