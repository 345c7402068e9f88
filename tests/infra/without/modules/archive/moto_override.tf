# moto refuses what a bucket's policy denies without looking at the condition.

resource "aws_s3_bucket_policy" "archive" {
  count = 0
}

# The provider waits for these rules to come back as they were given, and moto gives them back otherwise.
resource "aws_s3_bucket_lifecycle_configuration" "archive" {
  count = 0
}
