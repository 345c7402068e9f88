"""What functions and handlers have in common. Each folder is one capability; the order in which they may import one
another is in docs/architecture.md, and import-linter holds it.
"""
