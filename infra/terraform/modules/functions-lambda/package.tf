# The package is larger than Lambda takes directly, so it goes through a bucket.

resource "aws_s3_bucket" "package" {
  bucket        = var.package_bucket
  force_destroy = true # what is in it is built from the sources
}

resource "aws_s3_bucket_public_access_block" "package" {
  bucket = aws_s3_bucket.package.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "package" {
  bucket = aws_s3_bucket.package.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "package" {
  bucket = aws_s3_bucket.package.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "package" {
  bucket = aws_s3_bucket.package.id

  versioning_configuration {
    status = "Enabled"
  }
}

data "aws_iam_policy_document" "package" {
  statement {
    sid       = "TlsAlone"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.package.arn, "${aws_s3_bucket.package.arn}/*"]

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

resource "aws_s3_bucket_policy" "package" {
  bucket = aws_s3_bucket.package.id
  policy = data.aws_iam_policy_document.package.json

  depends_on = [aws_s3_bucket_public_access_block.package]
}

# Named by its digest: code of before is still there to go back to.
resource "aws_s3_object" "package" {
  bucket = aws_s3_bucket.package.id
  key    = "weir-${filesha256(var.package)}.zip"
  source = var.package

  depends_on = [aws_s3_bucket_versioning.package]
}
