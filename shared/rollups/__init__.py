"""Counts by the minute and the hour, kept from the rows: what screens show, so that none of them counts big tables."""
