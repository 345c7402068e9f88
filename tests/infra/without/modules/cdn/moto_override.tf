# moto has no policies of response headers, publishes no functions of CloudFront, and refuses what a bucket's policy
# denies without looking at the condition.

locals {
  page_headers  = null
  asset_headers = null
}

resource "aws_cloudfront_response_headers_policy" "page" {
  count = 0
}

resource "aws_cloudfront_response_headers_policy" "asset" {
  count = 0
}

resource "aws_cloudfront_function" "history" {
  publish = false
}

resource "aws_s3_bucket_policy" "console" {
  count = 0
}

# What it forgets of a distribution: functions, the sign of the origin's requests, how names are told apart.
resource "aws_cloudfront_distribution" "console" {
  lifecycle {
    ignore_changes = [default_cache_behavior, ordered_cache_behavior, origin, viewer_certificate]
  }
}
