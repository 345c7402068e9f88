"""No secret is left out when all are sealed anew."""

from uuid import uuid4

from functions.identity.second_factor.service import purpose_of
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


def test_what_an_authenticator_shares_is_sealed_for_its_user() -> None:
    user_id = uuid4()
    (place,) = (place for place in PLACES if place.table == "totp_secrets")
    assert place.purpose_of(user_id) == purpose_of(user_id)
