"""The kiosk's element without a node: what is sent may be heard once, and is kept nowhere else.

python examples/recorder_alone.py, then http://127.0.0.1:8080
"""

import os
from dataclasses import asdict
from secrets import token_hex

from fastapi import HTTPException, Response, UploadFile
from nicegui import app, ui

from core.adapters.catalogs import asset_version, load
from core.bootstrap.figures import notices
from core.domain.memory_color import ColorCatalog
from core.settings import load_settings
from memory_ui import theme
from memory_ui.elements.recorder import Recorder
from memory_ui.kiosk_words import words
from memory_ui.pages.kiosk import figures

settings = load_settings()
takes: dict[str, bytes] = {}
UNSET = ("intake_door", "session_theme_title", "session_theme_prompt", "kiosk_accessibility_mode")
SURFACE = dict.fromkeys(UNSET, "") | {"topics": [], "prompts": {}, "prompt_clips": {}, "kiosk_closed_words": ""}
SURFACE |= {"kiosk_max_recording_seconds": 60, "ingest_budget": {"exhausted": False}, "language": "en"}


@app.post("/api/v1/ephemeral/audio", status_code=201)
async def heard_once(file: UploadFile) -> dict[str, object]:
    name = token_hex(16)
    takes[name] = await file.read()
    return {"artifact_id": len(takes), "play_url": f"/takes/{name}", "consume_token": name}


@app.get("/takes/{name}")
def give_back(name: str) -> Response:
    if name not in takes:
        raise HTTPException(404)
    return Response(takes.pop(name), media_type="audio/wav")


@ui.page("/")
def page() -> None:
    theme.dress("kiosk", "slip")
    Recorder(
        words=words("en", settings, "memory", notices(), {}),
        languages=[{"language": "en", "name": "English", "direction": "ltr", "invitation": "", "url": ""}],
        figures=figures(settings),
        colours=[asdict(colour) for colour in load("colours", ColorCatalog).colours],
        surface=SURFACE,
        node={"name": "An example", "location": ""},
        fittings={"microphone": "", "layout": "standing", "prints": False},
        page_version=asset_version(),
    )


app.include_router(theme.router)
ui.run(host="127.0.0.1", port=int(os.environ.get("PORT", "8080")), reload=False, show=False, tailwind=False)
