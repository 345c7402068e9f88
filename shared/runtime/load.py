"""From a declaration to what runs."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from starlette.types import ASGIApp

from shared.runtime.function import Function
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from shared.runtime.handler import Handler


def entry(function: Function) -> Callable[[Resources], Any]:
    """The `create` of a function. This imports its code."""
    module, _, name = function.entry.partition(":")
    return cast("Callable[[Resources], Any]", getattr(import_module(module), name))


def application(function: Function, resources: Resources) -> ASGIApp:
    """The ASGI application of an endpoint function."""
    return cast("ASGIApp", entry(function)(resources))


def handler(function: Function, resources: Resources) -> "Handler":
    """The handler of an event handler."""
    return cast("Handler", entry(function)(resources))
