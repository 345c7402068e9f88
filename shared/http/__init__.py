"""Requests to sinks: a client of our own, with the guard over addresses. Imports `core`."""
