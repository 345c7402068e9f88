"""How whoever did something is called, in SQL: a principal's name, or nothing where they are gone."""


def name_of(column: str) -> str:
    """An expression for the name of the principal in `column`, of a table that has a `project_id`."""
    table = column.partition(".")[0]
    return f"""coalesce(
        (SELECT u.name FROM users u WHERE {column} = 'user:' || u.id),
        (SELECT k.name FROM api_keys k WHERE k.project_id = {table}.project_id AND {column} = 'key:' || k.id), '')
    """  # noqa: S608 names of columns of this function alone
