"""Weir on AWS Lambda: the same functions, called with events instead of requests.

Nothing here is loaded anywhere else, and of AWS's SDK nothing but what Powertools brings along for tracing.
"""
