"""What the tick does once a minute: partitions, counts, the archive, gauges."""
