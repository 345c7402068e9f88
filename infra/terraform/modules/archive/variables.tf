variable "bucket" {
  description = "Name of the bucket, which nobody else in the world may have."
  type        = string
}

variable "version_days" {
  description = "For how many days what was replaced or deleted can be had back. What was erased is gone after them."
  type        = number
  default     = 30

  validation {
    condition     = var.version_days >= 1 && var.version_days <= 90
    error_message = "Between 1 and 90: an erasure has to come to an end."
  }
}

variable "cold_after_days" {
  description = "After how many days objects go to Glacier Instant Retrieval, which is cheaper to keep and dearer to read; null for never."
  type        = number
  default     = 90
}

variable "force_destroy" {
  description = "Let the bucket be destroyed with the archive in it."
  type        = bool
  default     = false
}
