"""Endpoint functions. A folder is a deployable HTTP service: `function.py` declares it, `app.py` makes it.

What several things have is divided by thing, each with `routes`, `service`, `queries` and `schemas`. A function imports `shared`,
and neither another one nor a handler.
"""
