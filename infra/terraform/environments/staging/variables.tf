variable "region" {
  description = "Where everything is, but for the CDN."
  type        = string
}

variable "bucket_prefix" {
  description = "What the names of buckets begin with: they are the whole world's, so take your organisation's name."
  type        = string
}

variable "alarm_emails" {
  description = "Addresses that alarms go to."
  type        = set(string)
  default     = []
}

variable "environment" {
  description = "Further settings of Weir, such as WEIR_SINK_ALLOW. None that are secret."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Further settings that are secret, such as WEIR_SMTP_URL and WEIR_OIDC_CLIENT_SECRET. Neither in the plan nor in the state."
  type        = map(string)
  default     = {}
  sensitive   = true
  ephemeral   = true
}

variable "settings_generation" {
  description = "Raise it to write the settings anew, after a change of them."
  type        = number
  default     = 1
}

variable "release" {
  description = "What the console says its version is."
  type        = string
  default     = ""
}

variable "api_url" {
  description = "Where the API is: a name with a certificate, of a gateway before Kourier that gives paths to functions, as https://host."
  type        = string
}

variable "cluster_administrators" {
  description = "A name to the ARN of the role that administers the cluster; that of the deploying pipeline is one."
  type        = map(string)
}

variable "cluster_access_cidrs" {
  description = "Networks that reach the cluster's API server from outside the VPC."
  type        = list(string)
  default     = []
}
