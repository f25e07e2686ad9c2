"""What a sensor of the room, or a show control, may say; and a steward's word against it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

from core.domain.access import counted_as
from core.domain.sensor import ASKS, LONGEST, MOST_PEOPLE, SOURCE_SIGNS, Subject
from core.errors import Forbidden, NotFound
from core.services.access import USER_AGENT_SIGNS, actor_of
from memory_ui.api import shapes
from memory_ui.api.answers import Responses, refusals, stewards
from memory_ui.api.published_ops import SensorAnswer
from memory_ui.session import StewardOf, visitor_of
from memory_ui.web import SystemOf, in_thread

router = APIRouter(prefix="/api/v1")

_PUBLISHED = HTTPBearer(
    scheme_name="sensor", description="`SENSOR_TOKEN`; without it there is no such address.", auto_error=False
)


class ReportBody(BaseModel):
    """One report; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")
    occupancy: Annotated[StrictInt, Field(ge=0, le=MOST_PEOPLE)] | None = Field(
        None, description="How many people are there; null where that is not known any more."
    )
    playback_paused: StrictBool = Field(False, description="Whether the room should be silent.")
    quieter_mode: StrictBool = Field(False, description="Whether it should be quieter.")
    for_seconds: StrictInt | None = Field(
        None, ge=1, le=int(LONGEST.total_seconds()), description="How long this counts, if nothing else is said."
    )
    source: StrictStr = Field("", max_length=SOURCE_SIGNS, description="What stewards call whoever reports.")


class OverruledBody(BaseModel):
    """What was decided against."""

    ok: bool
    overruled: list[str]


def _refusals(*statuses: int) -> Responses:
    found = refusals(403, 404, 429, 503, *statuses)
    found[403]["description"] = "Not with this node's token, or a request where only people may be reported."
    found[404]["description"] = "This node listens to no sensor."
    found[429]["description"] = "Too many wrong tokens, or too many changes; `Retry-After` says when to come back."
    return found


async def require_token(
    request: Request,
    system: SystemOf,
    shown: Annotated[HTTPAuthorizationCredentials | None, Security(_PUBLISHED)] = None,
) -> None:
    """Let whoever has the token in; where there is none, this is an address like any other that is not there."""
    if not system.sensor.on:
        raise NotFound("There is nothing at this address.")
    if shown is not None and shown.credentials:
        visitor = visitor_of(request)
        place = counted_as(visitor.address)
        client = f"{place} {visitor.user_agent[:USER_AGENT_SIGNS]}"
        # One at a time, as for signing in: many guesses at once must not all be looked at before the first one counts.
        async with request.app.state.signing_in:
            if await in_thread(system.sensor.admit, shown.credentials, client=client, address=place):
                return
    raise Forbidden("This needs the sensor's token.")


TOKEN = Depends(require_token)


@router.get("/sensor", response_model=SensorAnswer, responses=_refusals(), dependencies=[TOKEN])
async def sensed(system: SystemOf) -> dict[str, Any]:
    """What a sensor has said and still counts."""
    return shapes.sensed(await in_thread(system.sensor.sensed))


@router.post(
    "/sensor",
    response_model=SensorAnswer,
    responses=_refusals(400, 413),
    dependencies=[TOKEN],
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": ReportBody.model_json_schema()}}}
    },
)
async def report(request: Request, system: SystemOf) -> dict[str, Any]:
    """Report people, ask for silence or quiet, or take that back. It counts for a time, and then no more."""
    # Read by hand, after the token: whoever has none is told nothing of what a report looks like.
    try:
        body = ReportBody.model_validate_json(await request.body())
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_input=False)) from None
    values: dict[Subject, int | None] = {about: 1 if getattr(body, about) else None for about in ASKS}
    values[Subject.OCCUPANCY] = body.occupancy
    given = {about: value for about, value in values.items() if about in body.model_fields_set}
    return shapes.sensed(await in_thread(system.sensor.report, given, source=body.source, for_s=body.for_seconds))


@router.post("/operator/sensor/overrule", response_model=OverruledBody, responses=stewards(413))
async def overrule(system: SystemOf, session: StewardOf, response: Response) -> dict[str, Any]:
    """Decide against what a sensor asks for now, until that ends or is asked anew."""
    response.headers["Cache-Control"] = "no-store"
    found = await in_thread(system.sensor.overrule, actor=actor_of(session))
    return {"ok": True, "overruled": [about.value for about in found]}
