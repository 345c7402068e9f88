variable "name" {
  description = "The name in Secrets Manager."
  type        = string
}

variable "description" {
  description = "What it is for."
  type        = string
}

variable "length" {
  description = "How many letters and digits; each is worth almost six bits."
  type        = number
  default     = 48
}

variable "generation" {
  description = "Raise it to have a new value."
  type        = number
  default     = 1
}

variable "recovery_days" {
  description = "For how many days a deleted secret can be had back; 0 deletes at once."
  type        = number
  default     = 30
}

variable "kms_key_arn" {
  description = "The key that encrypts it; Secrets Manager's own unless given."
  type        = string
  default     = null
}
