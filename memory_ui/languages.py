"""Which language a visitor is spoken to in: the one they ask for, else their browser's, else the stewards' choice."""

from collections.abc import Iterable

from fastapi import Request
from starlette.requests import HTTPConnection

from core.domain.steward import StewardState
from core.errors import MemoryEngineError
from memory_ui.copy import ENGLISH, languages
from memory_ui.web import in_thread, system_of

PARAMETER = "language"
"""Its name in an address and in a form."""


def spoken(*wanted: str) -> str | None:
    """The first of some BCP 47 tags that is spoken here, whatever its region; None for none of them."""
    known = {tag.casefold(): tag for tag in languages()}
    main = {_main(tag): tag for tag in languages()}
    for tag in wanted:
        found = known.get(tag.casefold()) or main.get(_main(tag))
        if found is not None:
            return found
    return None


def browsers_language(request: HTTPConnection, asked: str = "") -> str | None:
    """`asked` for on the page, else in the address, else by the browser; None where none of it is spoken here."""
    return spoken(asked, request.query_params.get(PARAMETER, ""), *_accepted(request))


async def visitors_language(request: Request, asked: str = "") -> str:
    """For a visitor's own device: as its browser has it, else as the stewards have set the kiosk."""
    found = browsers_language(request, asked)
    if found is not None:
        return found
    try:
        state = await in_thread(system_of(request).stewardship.state)
    except MemoryEngineError:
        return ENGLISH  # a page of words is there while the database is not
    return spoken(state.kiosk_language_code) or ENGLISH


def surface_language(request: HTTPConnection, state: StewardState) -> str:
    """For a screen of the room: in its address, else by the stewards, else by the browser it was set up with."""
    in_address = request.query_params.get(PARAMETER, "")
    return spoken(in_address, state.kiosk_language_code, *_accepted(request)) or ENGLISH


def _accepted(request: HTTPConnection) -> Iterable[str]:
    """Tags of `Accept-Language`, the most wanted first (RFC 9110, 12.5.4); what cannot be read is not wanted."""
    weighed = []
    for part in request.headers.get("accept-language", "").split(","):
        tag, _, quality = part.partition(";q=")
        try:
            weighed.append((-float(quality or 1), tag.strip()))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(weighed, key=lambda pair: pair[0]) if weight < 0]


def _main(tag: str) -> str:
    return tag.partition("-")[0].casefold()
