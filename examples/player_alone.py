"""The room's element without a node: one synthetic voice, a little more worn each time it comes round.

python examples/player_alone.py, then http://127.0.0.1:8080
"""

import os
from dataclasses import asdict

import numpy as np
from fastapi import Response
from nicegui import app, ui
from nicegui.events import GenericEventArguments

from core.adapters.catalogs import asset_version, load
from core.audio import wav
from core.audio.outline import outline
from core.domain.memory_color import ColorCatalog
from memory_ui import theme
from memory_ui.elements.player import Player
from memory_ui.pages.room import figures, words

RATE_HZ, LENGTH_S = 24_000, 3
TIMES_S = np.arange(RATE_HZ * LENGTH_S) / RATE_HZ
VOICE = (0.2 * np.sin(2 * np.pi * 220 * TIMES_S) * np.sin(np.pi * TIMES_S) ** 2).astype(np.float32)
WHOLE = {"start_ms": 0, "duration_ms": LENGTH_S * 1000, "delay_ms": 0, "fade_in_ms": None, "fade_out_ms": None}
LOOKS = {"outline": outline(VOICE, RATE_HZ), "colour": "", "held_for_ms": 3_600_000, "caption": "a hum"}
ADDRESSES = {"url": "/voice.wav", "ack_url": "/heard", "flag_url": "/heard"}
POSTURE = {"plays": True, "gain": 1.0, "tone": {"voice": "warm_hiss", "scale": 0.5, "file_url": ""}, "tone_seed": 1}
POSTURE |= {"reduced_motion": False, "quieter": False, "maintained": False, "closed": False}


@app.api_route("/voice.wav", methods=["GET", "HEAD"])
def voice() -> Response:
    return Response(wav.write(VOICE, RATE_HZ), media_type="audio/wav")


@app.post("/heard", status_code=204)
def heard() -> None: ...


@ui.page("/", dark=True)
def page() -> None:
    def offer(event: GenericEventArguments) -> None:
        seq = event.args["seq"] + 1
        item = {"artifact_id": 1, "wear": min(1.0, seq / 10), "level": None, "gain": 1.0, **WHOLE, **LOOKS, **ADDRESSES}
        tone = {"scale": 1.0, "resting": "idle"}
        player.offer({"seq": seq, "rest_ms": 0, "gap_ms": 1000, "good_for_ms": 600_000, "tone": tone, "items": [item]})

    theme.dress("room", body_class="room")
    colours = [asdict(colour) for colour in load("colours", ColorCatalog).colours]
    page_is = {"node": {"name": "An example"}, "recent_most": 50, "page_version": asset_version()}
    player = Player(
        words=words("en"), figures=figures(), colours=colours, posture=POSTURE, autostart=True, **page_is
    ).on("need", offer)


app.include_router(theme.router)
ui.run(host="127.0.0.1", port=int(os.environ.get("PORT", "8080")), reload=False, show=False, tailwind=False)
