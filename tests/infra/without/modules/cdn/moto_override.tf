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
