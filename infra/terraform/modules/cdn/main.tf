# The console: files in a private bucket, and a CDN that alone may read them.

locals {
  api_origin     = "api"
  console_origin = "console"

  # What is the API's and never a page of the console (`API` in shared/runtime/edge.py).
  api_paths = ["/v1/*", "/in/*", "/sink", "/sink/*", "/.well-known/*"]

  # Managed policies of CloudFront; their ids are the same in every account.
  cache_by_headers      = "658327ea-f89d-4fab-a63d-7e88639e58f6" # CachingOptimized: as the answer says, packed
  cache_nothing         = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" # CachingDisabled
  pass_all_but_the_host = "b689b0a8-53d0-40ab-baf2-68738e2966ac" # AllViewerExceptHostHeader
  all_methods           = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
  reading               = ["GET", "HEAD"]
  has_own_name          = length(var.aliases) > 0
  connects_to           = var.api_on_this_host ? "'self'" : "'self' ${var.api_url}"
  content_security      = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src ${local.connects_to}; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types vue"
  permissions           = "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()"
  never_changing        = "public, max-age=31536000, immutable"
  asked_for_every_time  = "no-cache"
}

resource "aws_cloudfront_origin_access_control" "console" {
  name                              = var.name
  description                       = "Signs the CDN's requests to the bucket of ${var.name}"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# Pages of the console are routes of its own: each is index.html.
resource "aws_cloudfront_function" "history" {
  name    = "${var.name}-history"
  comment = "Gives index.html for every page of the console"
  runtime = "cloudfront-js-2.0"
  publish = true
  code    = file("${path.module}/history.js")
}

resource "aws_cloudfront_distribution" "console" {
  comment             = "Console of ${var.name}"
  enabled             = true
  is_ipv6_enabled     = true
  http_version        = "http2and3"
  price_class         = var.price_class
  default_root_object = "index.html"
  aliases             = var.aliases
  web_acl_id          = var.web_acl_arn
  wait_for_deployment = var.wait_for_deployment

  origin {
    origin_id                = local.console_origin
    domain_name              = aws_s3_bucket.console.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.console.id
  }

  dynamic "origin" {
    for_each = var.api_on_this_host ? [local.api_origin] : []

    content {
      origin_id   = origin.value
      domain_name = replace(var.api_url, "/^https:\\/\\//", "")

      custom_origin_config {
        http_port                = 80
        https_port               = 443
        origin_protocol_policy   = "https-only"
        origin_ssl_protocols     = ["TLSv1.2"]
        origin_read_timeout      = 60
        origin_keepalive_timeout = 60
      }
    }
  }

  # The page, its configuration, and what has no digest in its name: asked for anew every time.
  default_cache_behavior {
    target_origin_id           = local.console_origin
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = local.reading
    cached_methods             = local.reading
    compress                   = true
    cache_policy_id            = local.cache_by_headers
    response_headers_policy_id = local.page_headers

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.history.arn
    }
  }

  # What has its digest in its name: never changes. No function here, so that a missing one is missed and not a page.
  ordered_cache_behavior {
    path_pattern               = "/assets/*"
    target_origin_id           = local.console_origin
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = local.reading
    cached_methods             = local.reading
    compress                   = true
    cache_policy_id            = local.cache_by_headers
    response_headers_policy_id = local.asset_headers
  }

  # https-only: a redirect would make a GET of a POST, or send a key in the clear twice.
  dynamic "ordered_cache_behavior" {
    for_each = var.api_on_this_host ? local.api_paths : []

    content {
      path_pattern             = ordered_cache_behavior.value
      target_origin_id         = local.api_origin
      viewer_protocol_policy   = "https-only"
      allowed_methods          = local.all_methods
      cached_methods           = local.reading
      compress                 = false
      cache_policy_id          = local.cache_nothing
      origin_request_policy_id = local.pass_all_but_the_host
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = !local.has_own_name
    acm_certificate_arn            = local.has_own_name ? var.certificate_arn : null
    ssl_support_method             = local.has_own_name ? "sni-only" : null
    minimum_protocol_version       = local.has_own_name ? "TLSv1.2_2021" : "TLSv1"
  }

  lifecycle {
    precondition {
      condition     = !local.has_own_name || var.certificate_arn != null
      error_message = "A name of one's own needs `certificate_arn`: a certificate of ACM in us-east-1 for ${join(", ", var.aliases)}."
    }
  }
}
