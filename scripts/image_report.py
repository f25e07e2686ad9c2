# ruff: noqa: E501 -- lines of a page
"""`docs/evidence/image.md`: what the rehearsal of the image measured."""

import json
from pathlib import Path
from typing import Any


def write(facts: dict[str, Any], folder: Path) -> None:
    """The page and the figures behind it."""
    (folder / "image.json").write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    steps = "\n".join(
        f"| {stage} | `{words.replace('|', chr(92) + '|')}` | {seconds} |" for stage, words, seconds in facts["steps"]
    )
    passed = "\n".join(f"- {line}" for line in facts["ritual"])
    (folder / "image.md").write_text(
        f"""# The image, without an engine

The steps of the `Dockerfile`, carried out by `make image IMAGE=--report` in a bare Debian {facts["release"]} made by debootstrap, each stage in
a copy of it. Beside the minimal system it had Python and the certificate authorities, as `{facts["image"]}` has them, and nothing
else; its Python was {facts["python"]}. The program was then started as the image's user with the image's words, on the embedded engine, and asked over HTTP.
No image was pulled or built by a container engine. Measured on {facts["at"]}, on a machine with two cores shared with other work.

| | |
| --- | --- |
| Bare system with Python | {facts["bare_mib"]} MiB |
| Last stage, with that system | {facts["last_stage_mib"]} MiB |
| Of it the program and its packages | {facts["venv_mib"]} MiB |
| From the start to the first answer | {facts["start_s"]} s |
| Compilers and installers in the last stage | {", ".join(facts["compilers"]) or "none"} |

## The ritual

{passed}

## The steps

| Stage | Step | s |
| --- | --- | --- |
{steps}
""",
        "utf-8",
    )
