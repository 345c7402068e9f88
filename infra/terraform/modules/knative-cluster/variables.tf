variable "name" {
  description = "What everything is named after; the cluster has this very name."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets with a way out, in two zones at least."
  type        = list(string)
}

variable "kubernetes_version" {
  description = "Version of Kubernetes. EKS supports one for 14 months; an older one it upgrades by itself."
  type        = string
  default     = "1.35"
}

variable "public_access_cidrs" {
  description = "Who may reach the API server from outside the VPC; nobody unless given."
  type        = list(string)
  default     = []

  validation {
    condition     = !contains(var.public_access_cidrs, "0.0.0.0/0")
    error_message = "Name the networks that administer the cluster; the whole internet is none of them."
  }
}

variable "administrators" {
  description = "A name to the ARN of the role or user that administers the cluster; one at least, or nobody can."
  type        = map(string)
}

variable "instance_types" {
  description = "What nodes are; several of a kind where one may be sold out."
  type        = list(string)
  default     = ["m7i.large"]
}

variable "ami_type" {
  description = "What is on them, which says their architecture as well."
  type        = string
  default     = "BOTTLEROCKET_x86_64"
}

variable "nodes" {
  description = "How many there are at least, and at most. Functions rest at zero; Knative itself needs two cores and 4 GiB."
  type        = object({ minimum = number, maximum = number })
  default     = { minimum = 2, maximum = 4 }
}

variable "settings_secret_arn" {
  description = "The secret with the settings."
  type        = string
}

variable "settings_kms_key_arn" {
  description = "The key of that secret, if it is not Secrets Manager's own."
  type        = string
  default     = null
}

variable "namespace" {
  description = "Weir's namespace in the cluster: that of the overlay of `infra/knative` which is deployed there."
  type        = string
  default     = "weir"
}

variable "log_days" {
  description = "How many days the control plane's logs are kept."
  type        = number
  default     = 30
}

variable "key_deletion_days" {
  description = "For how many days a deleted key can be had back."
  type        = number
  default     = 30
}

variable "force_destroy" {
  description = "Let the image registry be destroyed with the images in it."
  type        = bool
  default     = false
}

variable "functions_file" {
  description = "The generated `infra/terraform/functions.json`: it says which functions see to the archive."
  type        = string
}

variable "archive_policies" {
  description = "What the functions that see to the archive may do there, by the name of a statement."
  type = map(object({
    actions   = list(string)
    resources = list(string)
  }))
  default = {}
}
