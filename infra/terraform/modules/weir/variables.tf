variable "name" {
  description = "What everything is named after, such as `weir-dev`."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}$", var.name))
    error_message = "Take up to 24 small letters, digits and hyphens, a letter first: the names of roles and buckets are made of it."
  }
}

variable "runs_on" {
  description = "`lambda` or `knative`."
  type        = string

  validation {
    condition     = contains(["lambda", "knative"], var.runs_on)
    error_message = "Functions run on lambda or on knative."
  }
}

variable "keep" {
  description = "Whether there is something to lose: protects the database, keeps a last snapshot, lets deleted secrets be had back, changes stores in their windows alone."
  type        = bool
  default     = true
}

variable "cidr" {
  description = "The addresses of the VPC, a /16."
  type        = string
  default     = "10.60.0.0/16"
}

variable "zones" {
  description = "In how many availability zones to be: two or three."
  type        = number
  default     = 2
}

variable "nat_per_zone" {
  description = "A NAT gateway in each zone rather than one for all."
  type        = bool
  default     = false
}

variable "flow_log_days" {
  description = "How many days the VPC's flow logs are kept; 0 for none."
  type        = number
  default     = 0
}

variable "log_days" {
  description = "How many days logs are kept."
  type        = number
  default     = 30
}

variable "bucket_prefix" {
  description = "What the names of buckets begin with: they are the whole world's."
  type        = string
}

variable "postgres" {
  description = "See modules/postgres. `max_connections` is what functions and alarms reckon with."
  type = object({
    version            = optional(string, "18")
    instance_class     = optional(string, "db.t4g.medium")
    storage_gib        = optional(number, 20)
    storage_max_gib    = optional(number, 200)
    multi_az           = optional(bool, false)
    backup_days        = optional(number, 7)
    max_connections    = optional(number, 400)
    parameters         = optional(map(string), {})
    monitoring_seconds = optional(number, 60)
  })
  default = {}
}

variable "redis" {
  description = "See modules/redis."
  type = object({
    node_type     = optional(string, "cache.t4g.micro")
    nodes         = optional(number, 1)
    snapshot_days = optional(number, 1)
  })
  default = {}
}

variable "lambda" {
  description = "See modules/functions-lambda; where functions run on lambda."
  type = object({
    package      = string
    architecture = optional(string, "x86_64")
    concurrency  = optional(map(number), {})
    tracing      = optional(bool, true)
  })
  default = null
}

variable "cluster" {
  description = "See modules/knative-cluster; where functions run on knative."
  type = object({
    administrators      = map(string)
    kubernetes_version  = optional(string, "1.35")
    namespace           = optional(string, "weir")
    public_access_cidrs = optional(list(string), [])
    instance_types      = optional(list(string), ["m7i.large"])
    nodes               = optional(object({ minimum = number, maximum = number }), { minimum = 2, maximum = 4 })
  })
  default = null
}

variable "api_url" {
  description = "Where the API is, where functions run on knative: a name with a certificate, of a gateway that gives paths to functions."
  type        = string
  default     = null
}

variable "api_on_console_host" {
  description = "Let the CDN pass the API's paths on, so that console and API share one host."
  type        = bool
  default     = true
}

variable "console_aliases" {
  description = "Names of one's own for the console."
  type        = list(string)
  default     = []
}

variable "console_certificate_arn" {
  description = "The certificate for them: of ACM, in us-east-1."
  type        = string
  default     = null
}

variable "price_class" {
  description = "In which parts of the world the console is kept near."
  type        = string
  default     = "PriceClass_100"
}

variable "wait_for_cdn" {
  description = "Wait until the CDN has a change everywhere."
  type        = bool
  default     = true
}

variable "release" {
  description = "What the console says its version is."
  type        = string
  default     = ""
}

variable "sink_ports" {
  description = "TCP ports that deliveries go to; 443 is AWS' as well."
  type        = set(string)
  default     = ["80", "443"]
}

variable "database_tls" {
  description = "What WEIR_DATABASE_URL asks of TLS. `sslmode=verify-full&sslrootcert=FILE` where the image or package has the certificates of RDS."
  type        = string
  default     = "sslmode=require"
}

variable "environment" {
  description = "Further settings, such as WEIR_SINK_ALLOW and WEIR_TRUSTED_PROXIES. None that are secret."
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
  description = "Raise it to write the settings anew: after a change of `environment`, of an address, or of a generated secret."
  type        = number
  default     = 1
}

variable "alarm_emails" {
  description = "Addresses that alarms go to."
  type        = set(string)
  default     = []
}

variable "backlog" {
  description = "See modules/observability."
  type        = object({ namespace = string, metric = string, dimensions = map(string), threshold = number })
  default     = null
}
