output "bucket" {
  description = "The bucket."
  value       = aws_s3_bucket.archive.bucket
}

output "url" {
  description = "What WEIR_ARCHIVE_URL is."
  value       = "s3://${aws_s3_bucket.archive.bucket}"
}

output "policies" {
  description = "What the functions that see to it may do there, by the name of a statement."
  value = {
    ArchiveObjects = {
      actions   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      resources = ["${aws_s3_bucket.archive.arn}/*"]
    }
    ArchiveList = {
      actions   = ["s3:ListBucket"]
      resources = [aws_s3_bucket.archive.arn]
    }
  }
}
