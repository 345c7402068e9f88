output "topic_arn" {
  description = "Where alarms go: a pager subscribes here."
  value       = aws_sns_topic.alarms.arn
}

output "alarm_names" {
  description = "Every alarm."
  value       = concat([for alarm in aws_cloudwatch_metric_alarm.alarm : alarm.alarm_name], aws_cloudwatch_metric_alarm.failing[*].alarm_name)
}
