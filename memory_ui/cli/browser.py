"""`memory-engine browser`: the screen of a kiosk, a room or a steward."""

import shutil
import signal
from pathlib import Path
from typing import Annotated

import typer

from core.errors import Unavailable
from memory_ui.browser import Role

NAMES = ("chromium", "chromium-browser", "google-chrome")

AsRole = Annotated[Role, typer.Option("--role", help="Which surface it shows.", show_default=False)]
Address = Annotated[str, typer.Option("--address", help="Where the node is reached.")]
Program = Annotated[str, typer.Option("--program", help="The browser; else the first Chromium there is.")]
Profile = Annotated[Path | None, typer.Option("--profile", help="Folder of its own profile; else one a role.")]
Query = Annotated[str, typer.Option("--query", help="What the page is asked with: language=de&layout=seated.")]
Trust = Annotated[Path | None, typer.Option("--trust", help="Root certificate of the node, for this user's browsers.")]
Prints = Annotated[bool, typer.Option("--prints", help="Print receipts without asking, on the default printer.")]
More = Annotated[list[str] | None, typer.Argument(help="Further arguments of the browser, after --.")]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("browser")(browser)


def browser(
    role: AsRole,
    address: Address = "http://127.0.0.1:8080",
    program: Program = "",
    profile: Profile = None,
    query: Query = "",
    prints: Prints = False,
    trust: Trust = None,
    more: More = None,
) -> None:
    """Keep Chromium open on one surface, over the whole screen; started again whenever it has died."""
    from functools import partial

    from memory_ui.browser import arguments, keep_open, origin_of, prepare_profile, sound_may_come_first

    origin = origin_of(address)
    if trust is not None:
        from memory_ui.browser_trust import trust as believe

        believe(trust, Path.home())
    folder = profile or Path.home() / ".local" / "share" / "memory-engine" / f"browser-{role}"
    stopped = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.append(True))
    if role is not Role.OPS and not sound_may_come_first():
        _tell("sound may not go before other work here, and may stumble (docs/how-to/keep-a-screen-open.md)")
    keep_open(
        [_found(program), *arguments(role, origin, folder, query=query, prints=prints), *(more or [])],
        ready=partial(_answers, origin),
        prepare=partial(prepare_profile, folder, role, origin),
        stopping=lambda: bool(stopped),
        tell=_tell,
    )


def _tell(words: str) -> None:
    print(f"memory-engine browser: {words}", flush=True)


def _found(program: str) -> str:
    for name in (program,) if program else NAMES:
        if (path := shutil.which(name)) is not None:
            return path
    looked = program or ", ".join(NAMES)
    raise Unavailable(f"No browser is called {looked} here: install Chromium (apt-get install chromium), or name one.")


def _answers(origin: str) -> bool:
    import ssl
    import urllib.error
    import urllib.request

    # Whether anybody answers; whom the browser believes is the browser's to decide.
    unproven = ssl.create_default_context()
    unproven.check_hostname = False
    unproven.verify_mode = ssl.CERT_NONE
    try:
        with urllib.request.urlopen(f"{origin}/livez", timeout=3, context=unproven):  # noqa: S310 -- http or https
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
