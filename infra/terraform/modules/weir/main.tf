# All of Weir in one account: an environment says how large, and whether functions are Lambda's or a cluster's.

locals {
  on_lambda  = var.runs_on == "lambda"
  on_knative = var.runs_on == "knative"

  clients = merge(
    local.on_lambda ? { functions = module.functions[0].security_group_id } : {},
    local.on_knative ? { cluster = module.cluster[0].security_group_id } : {},
  )

  # Load balancers of the cluster look for their subnets by these.
  balancer_tags = local.on_knative ? {
    public  = { "kubernetes.io/role/elb" = "1" }
    private = { "kubernetes.io/role/internal-elb" = "1" }
  } : { public = {}, private = {} }

  api_url = local.on_lambda ? module.functions[0].api_url : var.api_url

  # What producers are told: the one address that console and API share, or the API's own.
  public_url = var.api_on_console_host ? module.console.url : local.api_url
}

module "network" {
  source = "../network"

  name                = var.name
  cidr                = var.cidr
  zones               = var.zones
  nat_per_zone        = var.nat_per_zone
  interface_endpoints = local.on_lambda ? ["secretsmanager", "sqs"] : ["ecr.api", "ecr.dkr", "secretsmanager"]
  flow_log_days       = var.flow_log_days
  public_subnet_tags  = local.balancer_tags.public
  private_subnet_tags = local.balancer_tags.private
}

module "postgres" {
  source = "../postgres"

  name                      = var.name
  vpc_id                    = module.network.vpc_id
  subnet_ids                = module.network.private_subnet_ids
  client_security_group_ids = local.clients
  engine_version            = var.postgres.version
  instance_class            = var.postgres.instance_class
  storage_gib               = var.postgres.storage_gib
  storage_max_gib           = var.postgres.storage_max_gib
  multi_az                  = var.postgres.multi_az
  backup_days               = var.postgres.backup_days
  max_connections           = var.postgres.max_connections
  parameters                = var.postgres.parameters
  monitoring_seconds        = var.postgres.monitoring_seconds
  deletion_protection       = var.keep
  apply_immediately         = !var.keep
  secret_recovery_days      = var.keep ? 30 : 0
  log_days                  = var.log_days
}

module "redis" {
  source = "../redis"

  name                      = var.name
  vpc_id                    = module.network.vpc_id
  subnet_ids                = module.network.private_subnet_ids
  client_security_group_ids = local.clients
  node_type                 = var.redis.node_type
  nodes                     = var.redis.nodes
  snapshot_days             = var.redis.snapshot_days
  apply_immediately         = !var.keep
  secret_recovery_days      = var.keep ? 30 : 0
}

module "archive" {
  source = "../archive"

  bucket        = "${var.bucket_prefix}-${var.name}-archive"
  force_destroy = !var.keep
}

module "functions" {
  source = "../functions-lambda"
  count  = local.on_lambda ? 1 : 0

  name                = var.name
  functions_file      = "${path.module}/../../functions.json"
  package             = var.lambda.package
  package_bucket      = "${var.bucket_prefix}-${var.name}-package"
  architecture        = var.lambda.architecture
  vpc_id              = module.network.vpc_id
  vpc_cidr            = module.network.cidr
  subnet_ids          = module.network.private_subnet_ids
  settings_secret_arn = aws_secretsmanager_secret.settings.arn
  settings_version    = aws_secretsmanager_secret_version.settings.version_id
  archive_policies    = module.archive.policies
  migrate_after       = concat(module.network.way_ids, module.postgres.way_ids)
  concurrency         = var.lambda.concurrency
  max_connections     = var.postgres.max_connections
  environment         = var.environment
  outgoing_ports      = var.sink_ports
  tracing             = var.lambda.tracing
  log_days            = var.log_days
}

module "cluster" {
  source = "../knative-cluster"
  count  = local.on_knative ? 1 : 0

  name                = var.name
  subnet_ids          = module.network.private_subnet_ids
  kubernetes_version  = var.cluster.kubernetes_version
  namespace           = var.cluster.namespace
  administrators      = var.cluster.administrators
  public_access_cidrs = var.cluster.public_access_cidrs
  instance_types      = var.cluster.instance_types
  nodes               = var.cluster.nodes
  settings_secret_arn = aws_secretsmanager_secret.settings.arn
  functions_file      = "${path.module}/../../functions.json"
  archive_policies    = module.archive.policies
  log_days            = var.log_days
  key_deletion_days   = var.keep ? 30 : 7
  force_destroy       = !var.keep
}

module "console" {
  source = "../cdn"

  name                = var.name
  bucket              = "${var.bucket_prefix}-${var.name}-console"
  api_url             = local.api_url
  api_on_this_host    = var.api_on_console_host
  aliases             = var.console_aliases
  certificate_arn     = var.console_certificate_arn
  price_class         = var.price_class
  release             = var.release
  wait_for_deployment = var.wait_for_cdn
}

module "observability" {
  source = "../observability"

  name        = var.name
  emails      = var.alarm_emails
  redis_nodes = module.redis.member_ids
  backlog     = var.backlog

  postgres = {
    identifier      = module.postgres.identifier
    max_connections = var.postgres.max_connections
    free_gib        = max(5, floor(var.postgres.storage_gib / 10))
  }

  lambda = local.on_lambda ? {
    functions  = module.functions[0].function_names
    api_id     = module.functions[0].api_id
    wake_queue = module.functions[0].wake_queue
  } : null

  key_deletion_days = var.keep ? 30 : 7
}
