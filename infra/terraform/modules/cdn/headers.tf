# The headers that the console has wherever it is served (shared/runtime/browser.py), and how long it may be kept.

locals {
  page_headers  = aws_cloudfront_response_headers_policy.page.id
  asset_headers = aws_cloudfront_response_headers_policy.asset.id
}

resource "aws_cloudfront_response_headers_policy" "page" {
  name    = "${var.name}-page"
  comment = "What is asked for anew every time"

  security_headers_config {
    content_security_policy {
      content_security_policy = local.content_security
      override                = true
    }

    content_type_options {
      override = true
    }

    referrer_policy {
      referrer_policy = "same-origin"
      override        = true
    }

    strict_transport_security {
      access_control_max_age_sec = 31536000
      include_subdomains         = true
      override                   = true
    }
  }

  custom_headers_config {
    items {
      header   = "cache-control"
      value    = local.asked_for_every_time
      override = true
    }

    items {
      header   = "cross-origin-opener-policy"
      value    = "same-origin"
      override = true
    }

    items {
      header   = "cross-origin-resource-policy"
      value    = "same-origin"
      override = true
    }

    items {
      header   = "permissions-policy"
      value    = local.permissions
      override = true
    }
  }
}

resource "aws_cloudfront_response_headers_policy" "asset" {
  name    = "${var.name}-asset"
  comment = "What never changes under its name"

  security_headers_config {
    content_type_options {
      override = true
    }

    strict_transport_security {
      access_control_max_age_sec = 31536000
      include_subdomains         = true
      override                   = true
    }
  }

  # Not by force: that a file is missing says so itself, and is not to be remembered for a year.
  custom_headers_config {
    items {
      header   = "cross-origin-resource-policy"
      value    = "same-origin"
      override = true
    }
  }
}
