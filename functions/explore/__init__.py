"""Reading back what was stored: events, deliveries, why they went where.

`asked` and `search` read what is asked for, `conditions` and `statements` turn it into SQL, `finding` runs it, `answer` shows it.
"""
