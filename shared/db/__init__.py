"""Postgres: the pool, the models, the migrations, the roles that statements run as. Imports `core`."""
