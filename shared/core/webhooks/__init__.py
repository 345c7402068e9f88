"""Webhooks of third parties: how their signatures are checked and how their requests become CloudEvents.

What is particular to a third party is in a file of `kinds/`; `kind.py` says what one may say.
"""
