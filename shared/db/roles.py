"""As whom Weir works on its database: two roles that nobody can sign in as, and that pools take on at each connection.

Neither owns a table or may pass row-level security by, whoever the connection was opened as
(`docs/reference/tenancy.md`).
"""

from typing import Literal

Role = Literal["weir_project", "weir_service"]

PROJECT: Role = "weir_project"
"""For what is done in one project: it sees and writes rows of the project that `weir.project` names, and no others."""

SERVICE: Role = "weir_service"
"""For what crosses projects: events on their way, sign-in, keys, housekeeping."""
