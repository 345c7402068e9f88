"""Searches that people keep."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.model import NOW, Model


class SavedSearch(Model):
    """A search with a name, of a page's list: `query` has the list's parameters. Everybody in the project sees it."""

    __tablename__ = "saved_searches"
    __table_args__ = (
        CheckConstraint("page IN ('events', 'deliveries')", name="page"),
        Index("uq_saved_searches_project_id_name", "project_id", "name", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    page: Mapped[str]
    query: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)
