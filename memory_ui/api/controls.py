"""The live posture, the trail, prompts and jobs, as stewards read and change them."""

import csv
import io
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    RootModel,
    StrictBool,
    StrictInt,
    StrictStr,
)

from core.bootstrap import System
from core.domain.steward import StewardState
from core.domain.work import Job
from core.errors import BadField, NotFound
from core.ports.stewarding import Prompt
from core.ports.work import StewardAction, TrailQuery
from core.services.access import actor_of
from core.services.stewardship import plain
from memory_ui.api import shapes
from memory_ui.api.answers import ASKING, CHANGING, CLASHING, LOOKING, Done, stewards
from memory_ui.api.published_ops import (
    ControlsAnswer,
    FiguresAnswer,
    PackAnswer,
    PromptAnswer,
    PromptsAnswer,
    TrailAnswer,
    controls_schema,
)
from memory_ui.charts import figures
from memory_ui.copy import ENGLISH, load_copy
from memory_ui.session import SessionOf, StewardOf
from memory_ui.web import SystemOf, in_thread

router = APIRouter(prefix="/api/v1/operator", responses=LOOKING)

RECENT_ACTIONS = 12
TRAIL_MOST = 200
CSV_MOST = 5_000
CHART_HOURS_MOST = 168

Moment = Annotated[datetime, AfterValidator(shapes.in_utc)]


class ControlsBody(RootModel[dict[str, JsonValue]]):
    """Controls by name, and `version` where only the posture that was seen is to be changed."""

    model_config = ConfigDict(json_schema_extra=controls_schema)


class PromptBody(BaseModel):
    """A new prompt."""

    model_config = ConfigDict(extra="forbid")
    text: StrictStr
    language: StrictStr = "en"


class PromptChangeBody(BaseModel):
    """What is to change of a prompt."""

    model_config = ConfigDict(extra="forbid")
    text: StrictStr | None = None
    active: StrictBool | None = None
    version: StrictInt | None = None


class RetryBody(BaseModel):
    """A failed job."""

    model_config = ConfigDict(extra="forbid")
    job: StrictStr
    subject: StrictStr = Field(max_length=64)


class TrailWish(BaseModel):
    """Which entries of the trail are looked for."""

    model_config = ConfigDict(extra="forbid")
    words: str = Field("", max_length=200)
    actor: str = Field("", max_length=64)
    action: str = Field("", max_length=64)
    since: Moment | None = None
    until: Moment | None = None
    before: int | None = Field(None, ge=1, le=2**53)
    limit: int = Field(50, ge=1, le=CSV_MOST)

    def query(self, limit: int) -> TrailQuery:
        """The same for the service, `limit` entries at most."""
        if "\0" in self.words + self.actor + self.action:
            raise BadField("words, actor and action are plain text.")
        return TrailQuery(
            words=self.words,
            actor=self.actor,
            action=self.action,
            since=self.since,
            until=self.until,
            before=self.before,
            limit=limit,
        )


@router.get("/controls", response_model=ControlsAnswer)
async def read_controls(system: SystemOf, _session: SessionOf) -> dict[str, Any]:
    """The posture, and what it may be set to."""
    state = await in_thread(system.stewardship.state)
    return await _controls(system, state, {})


@router.post("/controls", response_model=ControlsAnswer, responses=stewards(400, 409, 413))
async def change_controls(body: ControlsBody, system: SystemOf, session: StewardOf) -> dict[str, Any]:
    """Change any of the controls, all or none."""
    wanted = dict(body.root)
    version = _version(wanted.pop("version", None))
    changed = await in_thread(system.stewardship.change, wanted, actor=actor_of(session), version=version)
    return await _controls(system, changed.state, changed.changes)


@router.post("/controls/clear-session", response_model=ControlsAnswer, responses=stewards(409, 413))
async def clear_session(system: SystemOf, session: StewardOf) -> dict[str, Any]:
    """Take theme, mood and focus of a session away."""
    changed = await in_thread(system.stewardship.clear_session, actor=actor_of(session))
    return await _controls(system, changed.state, changed.changes)


@router.get("/actions", response_model=TrailAnswer, responses=ASKING)
async def actions(
    wish: Annotated[TrailWish, Query()], system: SystemOf, _session: SessionOf
) -> dict[str, list[dict[str, Any]]]:
    """The trail, newest first."""
    found = await in_thread(system.stewardship.trail, wish.query(min(wish.limit, TRAIL_MOST)))
    return {"actions": [action(entry) for entry in found]}


@router.get(
    "/actions/csv",
    response_class=Response,
    responses={200: {"description": "A table.", "content": {"text/csv": {}}}, **ASKING},
)
async def actions_csv(wish: Annotated[TrailWish, Query()], system: SystemOf, _session: SessionOf) -> Response:
    """The trail as a table for a spreadsheet."""
    found = await in_thread(system.stewardship.trail, wish.query(wish.limit))
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("id", "at", "actor", "action", "subject", "field", "before", "after"))
    for entry in found:
        fields = sorted(entry.before.keys() | entry.after.keys()) or [""]
        for field in fields:
            said = (entry.id, entry.at.isoformat(), entry.actor, entry.action, entry.subject, field)
            rows.writerow([_cell(value) for value in (*said, entry.before.get(field), entry.after.get(field))])
    headers = {"Content-Disposition": 'attachment; filename="audit-trail.csv"', "Cache-Control": "no-store"}
    return Response(text.getvalue().encode(), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/prompts", response_model=PromptsAnswer)
async def prompts(system: SystemOf, _session: SessionOf) -> dict[str, list[dict[str, Any]]]:
    """Every prompt, in the order they were written, and the packs there are, this deployment's first."""
    packs = sorted(system.prompts.packs.packs.items(), key=lambda entry: entry[0] is not system.deployment.name)
    return {
        "prompts": [_prompt(found) for found in await in_thread(system.prompts.all)],
        "packs": [{"pack": name.value, **asdict(spoken[ENGLISH])} for name, spoken in packs],
    }


@router.post("/prompts", status_code=201, response_model=PromptAnswer, responses=stewards(400, 409, 413))
async def add_prompt(body: PromptBody, system: SystemOf, session: StewardOf) -> dict[str, Any]:
    """Write a prompt; the kiosk uses it at once."""
    added = await in_thread(system.prompts.add, text=body.text, language=body.language, actor=actor_of(session))
    return {"prompt": _prompt(added)}


@router.post("/prompts/packs/{pack}", status_code=201, response_model=PackAnswer, responses=CLASHING)
async def add_pack(pack: str, system: SystemOf, session: StewardOf) -> dict[str, Any]:
    """Write those of a pack that are not there yet, in every language."""
    added = await in_thread(system.prompts.add_pack, pack, actor=actor_of(session))
    return {"prompts": [_prompt(prompt) for prompt in added]}


@router.post("/prompts/{prompt_id}", response_model=PromptAnswer, responses=CLASHING)
async def change_prompt(
    prompt_id: shapes.RowId, body: PromptChangeBody, system: SystemOf, session: StewardOf
) -> dict[str, Any]:
    """Change a prompt, or whether it is used."""
    wanted = {"text": body.text, "active": body.active, "version": body.version}
    changed = await in_thread(system.prompts.change, prompt_id, actor=actor_of(session), **wanted)
    return {"prompt": _prompt(changed)}


@router.post("/prompts/{prompt_id}/remove", responses=CHANGING)
async def remove_prompt(prompt_id: shapes.RowId, system: SystemOf, session: StewardOf) -> Done:
    """Delete a prompt."""
    await in_thread(system.prompts.remove, prompt_id, actor=actor_of(session))
    return Done()


@router.post("/jobs/retry", responses=CHANGING)
async def retry(body: RetryBody, system: SystemOf, session: StewardOf) -> Done:
    """Let a failed job try anew."""
    if body.job not in set(Job):
        raise NotFound("There is no such job.")
    await in_thread(system.jobs.retry, Job(body.job), body.subject, actor=actor_of(session))
    return Done()


@router.get("/charts", response_model=FiguresAnswer, responses=ASKING)
async def charts(
    system: SystemOf, _session: SessionOf, hours: Annotated[int, Query(ge=1, le=CHART_HOURS_MOST)] = 24
) -> dict[str, list[dict[str, Any]]]:
    """What was counted lately, as charts."""
    since = system.clock.now() - timedelta(hours=hours)
    return {"figures": figures(await in_thread(system.status.samples, since), load_copy("en"))}


def action(entry: StewardAction) -> dict[str, Any]:
    """One entry of the trail."""
    return {
        "id": entry.id,
        "at": shapes.at(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "before": entry.before,
        "after": entry.after,
    }


async def _controls(system: System, state: StewardState, changes: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    recent = await in_thread(system.stewardship.trail, TrailQuery(limit=RECENT_ACTIONS))
    return {
        "operator_state": shapes.steward_state(state),
        "sensor": shapes.sensed(state.sensed),
        "changes": {name: {"from": plain(old), "to": plain(new)} for name, (old, new) in changes.items()},
        "recent_actions": [action(entry) for entry in recent],
        "deployment_controls": {
            "deployment": system.settings.ENGINE_DEPLOYMENT,
            "statuses": list(system.deployment.row.statuses),
            **asdict(system.stewardship.limits, dict_factory=_listed),
        },
    }


def _listed(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in pairs}


def _prompt(found: Prompt) -> dict[str, Any]:
    return {**asdict(found), "updated_at": shapes.at(found.updated_at)}


def _version(value: Any) -> int | None:
    if value is None or type(value) is int:
        return value
    raise BadField("version must be a whole number.")


def _cell(value: Any) -> str:
    """A value no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) else text
