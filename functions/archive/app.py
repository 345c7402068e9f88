"""The HTTP surface of what becomes of events when they are old."""

from fastapi import FastAPI

from functions.archive.days.routes import days
from functions.archive.erasures.routes import erasures
from functions.archive.function import FUNCTION
from functions.archive.holds.routes import holds
from functions.archive.recalls.routes import recalls
from functions.archive.retention.routes import retention
from functions.archive.stored import Stored
from shared.runtime.app import endpoint_app
from shared.runtime.resources import Resources


def create(resources: Resources) -> FastAPI:
    """The application of `archive`."""
    stored = Stored()
    return endpoint_app(
        FUNCTION,
        resources,
        retention(resources, stored),
        days(resources, stored),
        recalls(resources, stored),
        holds(resources),
        erasures(resources, stored),
    )
