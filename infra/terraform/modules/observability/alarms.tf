# Each alarm says what it means and what to do: whoever reads it was asleep a minute ago.

locals {
  alarms = merge(
    local.postgres_alarms,
    local.redis_alarms,
    local.function_alarms,
    local.wake_alarms,
    local.backlog_alarms,
  )

  postgres = { DBInstanceIdentifier = var.postgres.identifier }

  postgres_alarms = {
    postgres-cpu = {
      meaning   = "Postgres has been busy for a quarter of an hour. See Performance Insights for what with; then a larger instance, or fewer dispatchers."
      namespace = "AWS/RDS", metric = "CPUUtilization", dimensions = local.postgres
      statistic = "Average", period = 300, periods = 3, threshold = 85, below = false
    }
    postgres-storage = {
      meaning   = "Postgres' disk is running full; without space events are refused with 507. Raise `storage_max_gib`, or shorten retention."
      namespace = "AWS/RDS", metric = "FreeStorageSpace", dimensions = local.postgres
      statistic = "Minimum", period = 300, periods = 2, threshold = var.postgres.free_gib * 1073741824, below = true
    }
    postgres-connections = {
      meaning   = "Postgres is near the connections it lets in. Lower the concurrency of functions or `WEIR_DATABASE_POOL_SIZE`."
      namespace = "AWS/RDS", metric = "DatabaseConnections", dimensions = local.postgres
      statistic = "Maximum", period = 60, periods = 5, threshold = floor(var.postgres.max_connections * 0.85), below = false
    }
    postgres-memory = {
      meaning   = "Postgres has little memory left: a larger instance, or fewer connections."
      namespace = "AWS/RDS", metric = "FreeableMemory", dimensions = local.postgres
      statistic = "Minimum", period = 300, periods = 3, threshold = 268435456, below = true
    }
    postgres-transactions = {
      meaning   = "Transaction ids are running out: something keeps vacuum from working, most likely a transaction or a replication slot that was forgotten."
      namespace = "AWS/RDS", metric = "MaximumUsedTransactionIDs", dimensions = local.postgres
      statistic = "Maximum", period = 300, periods = 1, threshold = 1000000000, below = false
    }
  }

  redis_alarms = merge([
    for node in var.redis_nodes : {
      "redis-cpu-${node}" = {
        meaning   = "Valkey's one core is busy: a larger node."
        namespace = "AWS/ElastiCache", metric = "EngineCPUUtilization", dimensions = { CacheClusterId = node }
        statistic = "Average", period = 300, periods = 3, threshold = 80, below = false
      }
      "redis-memory-${node}" = {
        meaning   = "Valkey's memory is nearly full; past it sessions are thrown away before their time, and people have to sign in again."
        namespace = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", dimensions = { CacheClusterId = node }
        statistic = "Maximum", period = 300, periods = 3, threshold = 85, below = false
      }
      "redis-evictions-${node}" = {
        meaning   = "Valkey throws away what it was to keep: a larger node."
        namespace = "AWS/ElastiCache", metric = "Evictions", dimensions = { CacheClusterId = node }
        statistic = "Sum", period = 300, periods = 2, threshold = 0, below = false
      }
    }
  ]...)

  function_alarms = merge([
    for name, function in var.lambda == null ? {} : var.lambda.functions : {
      "function-errors-${name}" = {
        meaning   = "${name} fails: its log says why. A handler that fails has its work done by the next tick, if that works."
        namespace = "AWS/Lambda", metric = "Errors", dimensions = { FunctionName = function }
        statistic = "Sum", period = 60, periods = 3, threshold = 0, below = false
      }
      "function-throttles-${name}" = {
        meaning   = "${name} is called more often than it may run at once: raise its `concurrency`, and count the connections to Postgres."
        namespace = "AWS/Lambda", metric = "Throttles", dimensions = { FunctionName = function }
        statistic = "Sum", period = 60, periods = 5, threshold = 0, below = false
      }
    }
  ]...)

  wake_alarms = var.lambda == null ? {} : {
    wakes-waiting = {
      meaning   = "Wakes wait: dispatch is not started, or has all the instances it may have. Deliveries are as late as that."
      namespace = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", dimensions = { QueueName = var.lambda.wake_queue.live }
      statistic = "Maximum", period = 60, periods = 5, threshold = 120, below = false
    }
    wakes-dead = {
      meaning   = "A wake was taken up three times and never read to the end. Nothing is lost, the tick has its work; but dispatch failed three times: see its log."
      namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = var.lambda.wake_queue.dead }
      statistic = "Maximum", period = 60, periods = 1, threshold = 0, below = false
    }
  }

  backlog_alarms = var.backlog == null ? {} : {
    backlog = {
      meaning   = "Deliveries wait longer than they should: a sink is slow, or dispatch does not keep up. The console's list of deliveries says whose."
      namespace = var.backlog.namespace, metric = var.backlog.metric, dimensions = var.backlog.dimensions
      statistic = "Maximum", period = 60, periods = 5, threshold = var.backlog.threshold, below = false
    }
  }
}
