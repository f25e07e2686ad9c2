"""Small url-encoded forms of plain pages."""

from urllib.parse import parse_qsl

from fastapi import Request

from core.errors import BadField, Forbidden, NotWav
from memory_ui.middleware import origin_allowed

FIELDS_MOST = 20


async def read_fields(request: Request) -> dict[str, str]:
    """Fields of a form posted from one of our own pages; the body's size is bounded before this."""
    if not origin_allowed(request.headers):
        raise Forbidden("This request came from another site.")
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/x-www-form-urlencoded":
        raise NotWav("This address takes a plain form.")
    try:
        text = (await request.body()).decode("utf-8")
        fields = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=FIELDS_MOST))
    except ValueError as error:
        raise BadField("This form cannot be read.") from error
    if any("\0" in value for value in fields.values()):
        raise BadField("This form cannot be read.")
    return fields
