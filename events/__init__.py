"""Event handlers. A folder is a deployable that events wake: `function.py` declares it, `handler.py` is called.

A handler imports `shared`, and neither another one nor an endpoint function.
"""
