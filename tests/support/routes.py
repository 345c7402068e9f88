"""The applications of functions and their routes, for tests that walk all of them."""

from collections.abc import Iterator
from importlib import import_module

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Route

from shared.runtime import registry
from shared.runtime.resources import Resources

ENDPOINTS = [function.name for function in registry.functions() if not function.is_handler]


def app_of(name: str, resources: Resources) -> FastAPI:
    """The application of that endpoint function."""
    module, _, attribute = registry.find(name).entry.partition(":")
    app = getattr(import_module(module), attribute)(resources)
    assert isinstance(app, FastAPI)
    return app


def flat(routes) -> Iterator[Route]:
    """Routes, those of routers that were included among them."""
    for route in routes:
        if isinstance(route, APIRoute | Route):
            yield route
        else:
            inner = getattr(route, "routes", None) or getattr(route, "original_router", None)
            yield from flat(getattr(inner, "routes", inner))
