variable "name" {
  description = "What everything is named after."
  type        = string
}

variable "bucket" {
  description = "Name of the bucket, which nobody else in the world may have."
  type        = string
}

variable "force_destroy" {
  description = "Let the bucket be destroyed with the files in it; they are built from the sources."
  type        = bool
  default     = true
}

variable "api_url" {
  description = "Where the API is, as https://host without a path."
  type        = string
}

variable "api_on_this_host" {
  description = "Pass the paths of the API on, so that console and API share one host, and cookies need no second one."
  type        = bool
  default     = true
}

variable "aliases" {
  description = "Names of one's own for it, such as weir.example.com."
  type        = list(string)
  default     = []
}

variable "certificate_arn" {
  description = "The certificate for them: of ACM, in us-east-1."
  type        = string
  default     = null
}

variable "web_acl_arn" {
  description = "A web ACL of WAF, if there is one."
  type        = string
  default     = null
}

variable "price_class" {
  description = "In which parts of the world it is kept near."
  type        = string
  default     = "PriceClass_100"
}

variable "release" {
  description = "What the console says its version is."
  type        = string
  default     = ""
}

variable "wait_for_deployment" {
  description = "Wait until the CDN has a change everywhere, which takes minutes."
  type        = bool
  default     = true
}
