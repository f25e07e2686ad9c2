"""A page of the framework with one label on it, to hold a page of ours against: `python -m bench.bare_page PORT`."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from nicegui import ui

from bench.ground import ROOT, Instance, end
from tests.browser.conftest import free_port


@contextmanager
def bare(log: Path) -> Iterator[Instance]:
    """Its server, in a process of its own, which is starting."""
    port = free_port()
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.bare_page", str(port)], cwd=ROOT, stdout=file, stderr=file
        )
    yield Instance(url=f"http://127.0.0.1:{port}", process=process, log=log, folder=log.parent)
    end(process)


def main() -> None:
    """Serve it."""
    app = FastAPI()

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {}

    @ui.page("/")
    def page() -> None:
        ui.label("bare").classes("bare")

    # As the node runs it, without the style framework; compressed as the framework does by itself.
    ui.run_with(app, language="en-US", binding_refresh_interval=None, tailwind=False, show_welcome_message=False)
    uvicorn.run(
        app, host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False, timeout_graceful_shutdown=5
    )


if __name__ == "__main__":
    main()
