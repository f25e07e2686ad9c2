"""A socket speaks for the page it was opened for, and for no other.

The framework finds the page of an event by the id the event names, whatever socket it came by. Here the socket itself
must have been admitted to that page, and a steward's page admits only the browser that holds its session.
"""

import logging
from collections.abc import Callable
from typing import Any

from nicegui import Client, core

log = logging.getLogger(__name__)

_SPEAKING = ("event", "javascript_response", "ack", "log")
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError)


def bind_sockets() -> None:
    """Put the check before everything a socket may say; once a process, before it serves."""
    handlers = core.sio.handlers["/"]
    for name in _SPEAKING:
        if not hasattr(handlers[name], "bound_to_its_page"):
            handlers[name] = _bound(name, handlers[name])
    if not hasattr(handlers["handshake"], "bound_to_its_page"):
        handlers["handshake"] = _readable(handlers["handshake"])


def admit(client: Client, admits: Callable[[dict[str, Any]], bool]) -> None:
    """Let a socket into a page only where `admits` says yes to its environment (WSGI names, and `asgi.scope`)."""
    accept = client.accept_handshake

    def guarded(socket_id: str, tab_id: str, environ: dict[str, Any] | None) -> bool:
        return environ is not None and admits(environ) and accept(socket_id, tab_id, environ)

    client.accept_handshake = guarded  # type: ignore[method-assign]


def _bound(name: str, handler: Callable[..., Any]) -> Callable[..., Any]:
    def bound(sid: str, message: Any) -> Any:
        client = Client.instances.get(message.get("client_id")) if isinstance(message, dict) else None
        if client is None or sid not in client._socket_to_document_id:
            log.warning("socket.foreign", extra={"kind": name})
            return None
        try:
            return handler(sid, message)
        except _UNREADABLE:
            log.warning("socket.unreadable", extra={"kind": name})
            return None

    bound.bound_to_its_page = True  # type: ignore[attr-defined]
    return bound


def _readable(handler: Callable[..., Any]) -> Callable[..., Any]:
    async def readable(sid: str, message: Any) -> Any:
        try:
            return await handler(sid, message)
        except _UNREADABLE:
            log.warning("socket.unreadable", extra={"kind": "handshake"})
            return False

    readable.bound_to_its_page = True  # type: ignore[attr-defined]
    return readable
