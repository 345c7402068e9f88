# moto refuses what a bucket's policy denies without looking at the condition.

provider "aws" {
  s3_use_path_style = true
}

resource "aws_s3_bucket_policy" "state" {
  count = 0
}
