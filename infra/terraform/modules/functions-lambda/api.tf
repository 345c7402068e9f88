# One address for all endpoint functions, with the routes that they declare.

locals {
  # A declared route covers all that is below it; API Gateway takes the most specific one.
  routes = merge([
    for name, function in local.endpoints : merge([
      for route in function.routes : {
        "ANY ${route}"          = name
        "ANY ${route}/{proxy+}" = name
      }
    ]...)
  ]...)
}

resource "aws_apigatewayv2_api" "weir" {
  name          = var.name
  description   = "The endpoint functions of ${var.name}"
  protocol_type = "HTTP"
  # CORS is answered by the functions, as everywhere: what is set here would take their place.
}

resource "aws_apigatewayv2_integration" "function" {
  for_each = local.endpoints

  api_id                 = aws_apigatewayv2_api.weir.id
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = aws_lambda_function.function[each.key].invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = (local.timeouts[each.key] + 1) * 1000
}

resource "aws_apigatewayv2_route" "function" {
  for_each = local.routes

  api_id    = aws_apigatewayv2_api.weir.id
  route_key = each.key
  target    = "integrations/${aws_apigatewayv2_integration.function[each.value].id}"

  # Weir's functions demand credentials themselves: keys, tokens, signatures of webhooks.
  authorization_type = "NONE"
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "/aws/apigateway/${var.name}"
  retention_in_days = var.log_days
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.weir.id
  name        = "$default"
  auto_deploy = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn
    # The route and not the path, the status and not the query: addresses hold what is nobody's business.
    format = jsonencode({
      requestId        = "$context.requestId"
      time             = "$context.requestTime"
      ip               = "$context.identity.sourceIp"
      routeKey         = "$context.routeKey"
      status           = "$context.status"
      responseLength   = "$context.responseLength"
      latency          = "$context.responseLatency"
      integrationError = "$context.integrationErrorMessage"
    })
  }

  default_route_settings {
    throttling_rate_limit    = var.requests_per_second
    throttling_burst_limit   = var.requests_burst
    detailed_metrics_enabled = true
  }
}

resource "aws_lambda_permission" "api" {
  for_each = local.endpoints

  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.function[each.key].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.weir.execution_arn}/*/*"
}
