"""How whoever did something is called, in SQL: a person's name, or an API key's."""


def name_of(column: str, *, gone: str = "''") -> str:
    """An expression for the name of the principal in `column`, such as `r.created_by` of a table with a `project_id`.

    Where they are not there any more it is what the expression `gone` says.
    """
    table = column.partition(".")[0]
    return f"""coalesce(
        (SELECT u.name FROM users u WHERE {column} = 'user:' || u.id),
        (SELECT k.name FROM api_keys k WHERE k.project_id = {table}.project_id AND {column} = 'key:' || k.id),
        {gone})
    """  # noqa: S608 names of columns that the code has
