variable "name" {
  description = "What everything is named after."
  type        = string
}

variable "functions_file" {
  description = "The generated `infra/terraform/functions.json`: what is declared, with routes, events and limits."
  type        = string
}

variable "package" {
  description = "The zip with the code of all functions, as `make lambda-package` makes it."
  type        = string
}

variable "handler" {
  description = "What Lambda calls, as module.name; which function it is says WEIR_FUNCTION."
  type        = string
  default     = "shared.runtime.aws.entry.handler"
}

variable "package_bucket" {
  description = "Name of the bucket that the package goes through, which nobody else in the world may have."
  type        = string
}

variable "runtime" {
  description = "Lambda's Python; the package has compiled wheels for this very one."
  type        = string
  default     = "python3.13"
}

variable "architecture" {
  description = "`arm64` or `x86_64`; the package has compiled wheels for this very one."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "Lambda has arm64 and x86_64."
  }
}

variable "vpc_id" {
  description = "The VPC of the stores."
  type        = string
}

variable "vpc_cidr" {
  description = "The addresses of that VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets with a way out."
  type        = list(string)
}

variable "outgoing_ports" {
  description = "TCP ports that functions reach anywhere: those of the sinks, and 443 for AWS."
  type        = set(string)
  default     = ["80", "443"]
}

variable "settings_secret_arn" {
  description = "The secret with the settings, a JSON object of `WEIR_…` to text; WEIR_SECRETS_ARN names it."
  type        = string
}

variable "settings_version" {
  description = "The version of that secret; a new one has the database migrated, since it may name another."
  type        = string
}

variable "migrate_after" {
  description = "Ids of what has to be there before a function can reach the secret and the database."
  type        = list(string)
  default     = []
}

variable "settings_kms_key_arn" {
  description = "The key of that secret, if it is not Secrets Manager's own."
  type        = string
  default     = null
}

variable "environment" {
  description = "Further variables of every function, such as WEIR_SINK_ALLOW. No secrets: they can be read in the console."
  type        = map(string)
  default     = {}
}

variable "concurrency" {
  description = "How many instances a function may have at most; the `maximum` of its declaration unless given."
  type        = map(number)
  default     = {}
}

variable "database_pool_size" {
  description = "WEIR_DATABASE_POOL_SIZE of endpoint functions: who has one request at a time needs few connections."
  type        = number
  default     = 2
}

variable "max_connections" {
  description = "How many connections the database lets in; a plan that could need more is refused."
  type        = number
  default     = null
}

variable "default_memory_mib" {
  description = "Memory of a function in MiB. A whole core comes with 1769."
  type        = number
  default     = 1024
}

variable "memory_mib" {
  description = "The same for single functions."
  type        = map(number)
  default     = { housekeep = 512 }
}

variable "requests_per_second" {
  description = "What the API lets through, over all routes; the account has a limit of its own."
  type        = number
  default     = 1000
}

variable "requests_burst" {
  description = "How many of them may come at once."
  type        = number
  default     = 500
}

variable "wake_batch_size" {
  description = "How many wakes a call of dispatch gets at most."
  type        = number
  default     = 10
}

variable "tick_schedule" {
  description = "How often the tick comes: the longest time by which a lost wake can delay a delivery."
  type        = string
  default     = "rate(1 minute)"
}

variable "tracing" {
  description = "Send traces to X-Ray."
  type        = bool
  default     = true
}

variable "log_level" {
  description = "How much is logged."
  type        = string
  default     = "INFO"
}

variable "log_days" {
  description = "How many days logs are kept."
  type        = number
  default     = 30
}

variable "metrics_namespace" {
  description = "The CloudWatch namespace of Weir's own metrics."
  type        = string
  default     = "Weir"
}

variable "archive_policies" {
  description = "What the functions that see to the archive may do there, by the name of a statement."
  type = map(object({
    actions   = list(string)
    resources = list(string)
  }))
  default = {}
}
