variable "name" {
  description = "What everything is named after, such as `weir-dev`."
  type        = string
}

variable "cidr" {
  description = "The addresses of the VPC; a /16, of which each zone gets a /20 and a /24."
  type        = string
  default     = "10.60.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]), 0) == 16
    error_message = "The VPC needs a /16 in CIDR notation, such as 10.60.0.0/16."
  }
}

variable "zones" {
  description = "In how many availability zones to be. RDS and ElastiCache need two; EKS too."
  type        = number
  default     = 2

  validation {
    condition     = var.zones >= 2 && var.zones <= 3
    error_message = "Take two or three zones."
  }
}

variable "nat_per_zone" {
  description = "A NAT gateway in each zone, so that deliveries outlive the loss of one; otherwise one for all."
  type        = bool
  default     = false
}

variable "interface_endpoints" {
  description = "AWS services that are reached inside the VPC, by the last part of their endpoint's name."
  type        = set(string)
  default     = ["secretsmanager", "sqs"]
}

variable "flow_log_days" {
  description = "How many days the VPC's flow logs are kept; 0 for none."
  type        = number
  default     = 0
}

variable "public_subnet_tags" {
  description = "Further tags of the public subnets: load balancers of a cluster find theirs by them."
  type        = map(string)
  default     = {}
}

variable "private_subnet_tags" {
  description = "Further tags of the private subnets."
  type        = map(string)
  default     = {}
}
