"""No secret is left out when all are sealed anew."""

from shared.auth.sealed import PLACES
from shared.db.models import Model


def test_every_sealed_column_is_a_place() -> None:
    columns = {
        f"{table.name}.{column.name}"
        for table in Model.metadata.tables.values()
        for column in table.columns
        if column.name.endswith("_sealed")
    }
    assert {place.name for place in PLACES} == columns
