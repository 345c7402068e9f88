"""Legal holds: what must not be destroyed, whatever retention says."""
