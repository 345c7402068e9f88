# moto refuses what a bucket's policy denies without looking at the condition.

provider "aws" {
  s3_use_path_style = true
}

resource "aws_s3_bucket_policy" "state" {
  count = 0
}

# It forgets how many older versions are to be kept, and the provider waits for it to remember.
resource "aws_s3_bucket_lifecycle_configuration" "state" {
  count = 0
}
