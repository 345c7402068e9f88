"""From a declaration to a running process, and to everything that is generated from it. Imports `auth` and what is below it."""
