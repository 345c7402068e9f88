variable "name" {
  description = "What everything is named after; the instance has this very name."
  type        = string
}

variable "vpc_id" {
  description = "The VPC to be in."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, in two zones at least."
  type        = list(string)
}

variable "client_security_group_ids" {
  description = "Who may connect: a name for the rule to the id of a security group."
  type        = map(string)
}

variable "engine_version" {
  description = "Major version of Postgres, 16 or newer; RDS chooses and keeps up the minor one."
  type        = string
  default     = "18"

  validation {
    condition     = try(tonumber(split(".", var.engine_version)[0]) >= 16, false)
    error_message = "Weir needs Postgres 16 or newer."
  }
}

variable "allow_major_version_upgrade" {
  description = "Let a change of `engine_version` be an upgrade to another major version."
  type        = bool
  default     = false
}

variable "instance_class" {
  description = "Size of the instance."
  type        = string
  default     = "db.t4g.medium"
}

variable "storage_gib" {
  description = "Storage at the start, in GiB; gp3 gives its full base rate from 400."
  type        = number
  default     = 20
}

variable "storage_max_gib" {
  description = "Up to which RDS enlarges the storage by itself, in GiB."
  type        = number
  default     = 200
}

variable "multi_az" {
  description = "Keep a standby in another zone, which takes over within a minute or two."
  type        = bool
  default     = false
}

variable "backup_days" {
  description = "How far back a point in time can be restored, in days."
  type        = number
  default     = 7

  validation {
    condition     = var.backup_days >= 7 && var.backup_days <= 35
    error_message = "RDS keeps up to 35 days, and fewer than 7 are too few for what is noticed after a week-end."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete the instance; where it is off, destroying leaves no snapshot either."
  type        = bool
  default     = true
}

variable "apply_immediately" {
  description = "Change the instance at once, and not in its maintenance window."
  type        = bool
  default     = false
}

variable "max_connections" {
  description = "How many connections are let in; RDS derives it from the memory unless given."
  type        = number
  default     = null
}

variable "parameters" {
  description = "Further parameters of Postgres, or other values of those set here."
  type        = map(string)
  default     = {}
}

variable "username" {
  description = "The owner of the database, which Weir signs in as."
  type        = string
  default     = "weir"
}

variable "password_generation" {
  description = "Raise it to have a new password; processes that run go on with connections that are open."
  type        = number
  default     = 1
}

variable "secret_recovery_days" {
  description = "For how many days a deleted password can be had back."
  type        = number
  default     = 30
}

variable "kms_key_arn" {
  description = "The key of the storage; RDS' own unless given. It cannot be changed afterwards."
  type        = string
  default     = null
}

variable "performance_insights" {
  description = "Keep what the database was busy with for seven days, which is free."
  type        = bool
  default     = true
}

variable "monitoring_seconds" {
  description = "How often the operating system is looked at: 0 (never), 1, 5, 10, 15, 30 or 60."
  type        = number
  default     = 60
}

variable "log_days" {
  description = "How many days its log is kept."
  type        = number
  default     = 30
}
