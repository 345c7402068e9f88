locals {
  parameters = merge(
    {
      # Nobody speaks to it in the clear.
      "rds.force_ssl" = "1"

      # A transaction that is forgotten holds back every reader of the stream, and vacuum. Weir asks for 30 s
      # itself; this is for whoever connects by hand.
      "idle_in_transaction_session_timeout" = "60000"

      # Partitions are made and dropped under load: who waited for a lock, and for whose.
      "log_lock_waits" = "1"

      "log_min_duration_statement"   = "1000"
      "log_autovacuum_min_duration"  = "10000"
      "log_temp_files"               = "10240"
      "random_page_cost"             = "1.1"
      "default_toast_compression"    = "lz4"
      "track_io_timing"              = "1"
      "shared_preload_libraries"     = "pg_stat_statements"
      "pg_stat_statements.track"     = "top"
      "autovacuum_vacuum_cost_limit" = "2000"
    },
    var.max_connections == null ? {} : { "max_connections" = tostring(var.max_connections) },
    var.parameters,
  )

  # Those that Postgres reads at its start alone.
  static_parameters = ["max_connections", "shared_preload_libraries"]
}
