"""The way through movements and scenes."""

import random
from dataclasses import replace

from core.domain.room.rows import Movement, PresetRow, Scene, SceneCue
from core.domain.room.state import RoomState
from core.domain.room.tables import RoomCatalog


def entered(state: RoomState, preset: PresetRow, catalog: RoomCatalog, rng: random.Random) -> RoomState:
    """The state with a movement under way: the same one, or the next with a scene of its own."""
    if state.left > 0 and state.scene in {scene.name for scene in catalog.scenes_of(state.movement)}:
        return state
    movement = _next(state.movement, catalog)
    fewest, most = (count + extra for count, extra in zip(movement.items, preset.items, strict=True))
    scene = _scene(movement, state.recent_scenes, catalog, rng)
    return replace(
        state,
        movement=movement.name,
        left=rng.randint(max(1, fewest), max(1, fewest, most)),
        scene=scene.name,
        step=0,
        recent_scenes=(scene.name, *state.recent_scenes)[: catalog.windows.scenes],
    )


def cue_of(state: RoomState, catalog: RoomCatalog) -> SceneCue:
    """The cue the scene stands at; a scene that is through begins anew."""
    scene = next(scene for scene in catalog.scenes if scene.name == state.scene)
    return scene.cues[state.step % len(scene.cues)]


def movement_of(state: RoomState, catalog: RoomCatalog) -> Movement:
    """The movement under way."""
    return next(movement for movement in catalog.movements if movement.name == state.movement)


def stepped(state: RoomState) -> RoomState:
    """One voice further."""
    return replace(state, left=state.left - 1, step=state.step + 1)


def _next(name: str, catalog: RoomCatalog) -> Movement:
    names = [movement.name for movement in catalog.movements]
    return catalog.movements[(names.index(name) + 1) % len(names) if name in names else 0]


def _scene(movement: Movement, recent: tuple[str, ...], catalog: RoomCatalog, rng: random.Random) -> Scene:
    """One that suits the movement and was not there lately; the catalog makes sure that there is one."""
    return rng.choice([scene for scene in catalog.scenes_of(movement.name) if scene.name not in recent])
