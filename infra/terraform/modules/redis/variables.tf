variable "name" {
  description = "What everything is named after; 40 letters at most."
  type        = string
}

variable "vpc_id" {
  description = "The VPC to be in."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
}

variable "client_security_group_ids" {
  description = "Who may connect: a name for the rule to the id of a security group."
  type        = map(string)
}

variable "engine_version" {
  description = "Version of Valkey."
  type        = string
  default     = "8.2"
}

variable "node_type" {
  description = "Size of each node."
  type        = string
  default     = "cache.t4g.micro"
}

variable "nodes" {
  description = "1, or more to have one take over when the first is lost."
  type        = number
  default     = 1
}

variable "snapshot_days" {
  description = "How many days snapshots are kept: what is in it is sessions. 0 for none."
  type        = number
  default     = 1
}

variable "token_generation" {
  description = "Raise it to have a new token; the one before goes on being taken."
  type        = number
  default     = 1
}

variable "secret_recovery_days" {
  description = "For how many days a deleted token can be had back."
  type        = number
  default     = 30
}

variable "kms_key_arn" {
  description = "The key of what is on disk; ElastiCache's own unless given."
  type        = string
  default     = null
}

variable "apply_immediately" {
  description = "Change it at once, and not in its maintenance window."
  type        = bool
  default     = false
}
