"""What every route needs: threads for blocking work, who is asking, and the system behind it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, TypeVar

import anyio
import anyio.to_thread
from fastapi import Cookie, Depends, Header, Request

from core.bootstrap import System

T = TypeVar("T")

STATION_COOKIE = "memory_engine_client_id"
STATION_HEADER = "X-Memory-Client-Id"
_STATION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_THREADS = anyio.CapacityLimiter(16)
_STORE_THREADS = anyio.CapacityLimiter(24)


async def in_thread(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Run blocking work in a thread of its own limiter; for work that does not touch the object store."""
    return await anyio.to_thread.run_sync(partial(function, *args, **kwargs), limiter=_THREADS)


async def in_store_thread(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """The same for work that touches the store: while that hangs, everything else still has its threads."""
    return await anyio.to_thread.run_sync(partial(function, *args, **kwargs), limiter=_STORE_THREADS)


def system_of(request: Request) -> System:
    """The system this application was built on."""
    system: System = request.app.state.system
    return system


SystemOf = Annotated[System, Depends(system_of)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asker:
    """Who is asking, as far as a budget needs to know; `named` is the station where it has a name of its own."""

    station: str
    address: str
    named: str = ""


def asker_of(request: Request) -> Asker:
    """Station by header or cookie, else by address; an ill-formed station counts as none."""
    address = request.client.host if request.client is not None else ""
    given = getattr(request.state, "new_station", "")  # with this very answer
    named = request.headers.get(STATION_HEADER) or request.cookies.get(STATION_COOKIE) or given
    named = named if _STATION.fullmatch(named) else ""
    return Asker(station=named or f"at-{address}", address=address, named=named)


def _asker(
    request: Request,
    header: Annotated[str, Header(alias=STATION_HEADER, description="Names the station for its budget.")] = "",
    cookie: Annotated[str, Cookie(alias=STATION_COOKIE, description="The same, as a browser says it.")] = "",
) -> Asker:
    """The same, with what it is told by in the published contract."""
    return asker_of(request)


AskerOf = Annotated[Asker, Depends(_asker)]
