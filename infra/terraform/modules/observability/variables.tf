variable "name" {
  description = "What everything is named after."
  type        = string
}

variable "emails" {
  description = "Addresses that alarms go to; whatever else subscribes does so at the topic."
  type        = set(string)
  default     = []
}

variable "postgres" {
  description = "The RDS instance, the connections it lets in, and below how many free GiB somebody should know."
  type        = object({ identifier = string, max_connections = number, free_gib = number })
}

variable "redis_nodes" {
  description = "The nodes of ElastiCache."
  type        = list(string)
}

variable "lambda" {
  description = "Where functions are Lambda's: their names, the API, the queues of wakes."
  type = object({
    functions  = map(string)
    api_id     = string
    wake_queue = object({ live = string, dead = string })
  })
  default = null
}

variable "backlog" {
  description = "A CloudWatch metric of how much or how long deliveries wait, if something writes one, and above what it is too much."
  type        = object({ namespace = string, metric = string, dimensions = map(string), threshold = number })
  default     = null
}

variable "failing_percent" {
  description = "How many percent of the API's answers may be 5xx."
  type        = number
  default     = 1
}

variable "key_deletion_days" {
  description = "For how many days a deleted key can be had back."
  type        = number
  default     = 30
}
