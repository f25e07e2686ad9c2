"""`memory-engine clips`: what the kiosk says aloud."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import BadField, NotFound
from memory_ui.cli.serve import DataDir
from memory_ui.cli.stewards import opened

if TYPE_CHECKING:
    from core.bootstrap import System

Tag = Annotated[str, typer.Option("--language", help="Language (BCP 47), as in the copy.", show_default=False)]
AnyTag = Annotated[str, typer.Option("--language", help="This language only (BCP 47); else every one.")]
Name = Annotated[str, typer.Argument(help="Name of the clip, as `list` prints it.", show_default=False)]
File = Annotated[Path, typer.Argument(help="WAV: 16 bit, mono or stereo, 8 to 96 kHz.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    clips = typer.Typer(no_args_is_help=True, help="Spoken clips for visitors who cannot read the kiosk.")
    clips.command("list")(list_)
    clips.command("render")(render)
    clips.command("use")(use)
    clips.command("drop")(drop)
    app.add_typer(clips, name="clips")


def list_(language: AnyTag = "", data_dir: DataDir = None) -> None:
    """Print every clip that is wanted: its language and name, whether it is there, and what it has to say."""
    from core.services.clips import State

    with opened(data_dir) as system:
        prompts = _prompts(system)
        found = [(tag, one) for tag in _chosen(language) for one in system.clips.standing(tag, prompts.get(tag, []))]
    for tag, one in found:
        state = f"{one.state} ({one.by})" if one.by else str(one.state)
        print(f"{tag:5}  {one.name:19}  {state:19}  {one.text}")
    if any(one.state is not State.THERE for _, one in found):
        raise typer.Exit(1)


def render(language: AnyTag = "", data_dir: DataDir = None) -> None:
    """Have espeak-ng read out what is missing, and keep it in the data folder."""
    with opened(data_dir) as system:
        prompts = _prompts(system)
        made = [(tag, one) for tag in _chosen(language) for one in system.clips.render(tag, prompts.get(tag, []))]
    for tag, one in made:
        if not one.done:
            print(f"{tag}  {one.name}: not rendered, espeak-ng cannot read this: {one.text}")
        else:
            print(f"{tag}  {one.name}: rendered" + (f", in place of an older {one.before} clip" if one.before else ""))
    if not made:
        print("Nothing is missing.")
    if not all(one.done for _, one in made):
        print("Record what was not rendered, and bring it in with `memory-engine clips use`.")
        raise typer.Exit(1)


def use(name: Name, file: File, language: Tag, data_dir: DataDir = None) -> None:
    """Use a recording of at most a minute. It counts as saying what is wanted now: listen to it first."""
    from core.audio.clip import LARGEST_BYTES

    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise BadField(f"{file} cannot be read: {error.strerror}.") from error
    with opened(data_dir) as system:
        (tag,) = _chosen(language)
        text = system.clips.use(tag, name, data, _prompts(system).get(tag, []))
    print(f"From now on this recording is {name}, in {tag}. It must say, word for word:\n\n{text}")


def drop(name: Name, language: Tag, data_dir: DataDir = None) -> None:
    """Delete a clip of the data folder; where the package has one that says the same, that is used again."""
    with opened(data_dir) as system:
        (tag,) = _chosen(language)
        system.clips.drop(tag, name)
    print(f"{name} is deleted, in {tag}.")


def _chosen(language: str) -> tuple[str, ...]:
    from memory_ui.copy import languages

    if language and language not in languages():
        raise NotFound(f"{language} is not spoken here; there are {', '.join(languages())}.")
    return (language,) if language else languages()


def _prompts(system: "System") -> dict[str, list[str]]:
    """By language; a session's theme counts as one of the language that kiosks are set to, else of English."""
    from memory_ui.copy import ENGLISH
    from memory_ui.languages import spoken

    found, state = system.prompts.asked(), system.stewardship.state()
    if state.session_theme_prompt:
        found.setdefault(spoken(state.kiosk_language_code) or ENGLISH, []).append(state.session_theme_prompt)
    return found
