"""Compose files, Caddyfiles and Dockerfile, read by the parsers of those who made them, then held to our own laws.

`make check` runs it. The compose files are merged and filled in with an environment as `memory-engine first-boot`
writes it, and compared with the schema of the Compose Specification; the Caddyfiles are adapted and validated by Caddy
itself.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import yaml

from memory_ui.appliance.first_boot import Engine, Tls, completed, wish_of
from scripts.dockerfile_steps import ROOT, stages

CADDY = ROOT / "deploy" / "caddy"
COMPOSE = ("compose.yaml", "compose.outer-proxy.yaml")
PINNED = re.compile(r"[\w./-]+:(?!latest$)[\w.-]*\d[\w.-]*")
GRANTED = {"caddy": frozenset({"NET_BIND_SERVICE"})}
"""Capabilities a service has all the same."""
FRONT = "front"


def merged(folder: Path, files: tuple[str, ...], environment: str) -> dict[str, Any]:
    """The compose files as an engine would take them; raises ValueError with what the parser says."""
    (folder / ".env").write_text(environment)
    for name in files:
        if not (folder / name).exists():
            shutil.copyfile(ROOT / name, folder / name)
    # The parser asks for its engine's version and for nothing else of it.
    engine = folder / "engine"
    engine.write_text("#!/bin/sh\necho podman version 5.0.0\n")
    engine.chmod(0o755)
    given = [part for name in files for part in ("-f", name)]
    command = [_tool("podman-compose"), "--podman-path", str(engine), "--env-file", ".env", *given, "config"]
    alone = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=alone)  # noqa: S603
    if done.returncode:
        raise ValueError(done.stderr.strip().splitlines()[-1])
    return yaml.safe_load(done.stdout)


def schema_complaints(folder: Path, config: dict[str, Any]) -> list[str]:
    """What the schema of the Compose Specification says."""
    file = folder / "merged.yaml"
    file.write_text(yaml.safe_dump(config))
    command = [_tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return [] if done.returncode == 0 else [f"schema: {done.stdout.strip()[:2000]}{done.stderr.strip()[:500]}"]


def compose_complaints(config: dict[str, Any]) -> Iterator[str]:
    """Where merged compose files break a law of ours."""
    networks = config.get("networks") or {}
    for name, network in networks.items():
        if name != FRONT and not (network or {}).get("internal"):
            yield f"network {name}: reaches outside"
    once = _once(config)
    for name, service in config["services"].items():
        yield from (f"{name}: {said}" for said in _service_complaints(name, service, once=name in once))


def _service_complaints(name: str, service: dict[str, Any], *, once: bool) -> Iterator[str]:
    if not PINNED.fullmatch(str(service.get("image", ""))):
        yield f"image {service.get('image')} is not pinned to a tag"
    if service.get("ports") and name != "caddy":
        yield "publishes a port; only caddy does"
    if FRONT in _names(service.get("networks")) and name != "caddy":
        yield "is in the network that reaches outside"
    if not service.get("networks") or service.get("network_mode"):
        yield "is not in private networks alone"
    if service.get("container_name"):
        yield "has a name of its own, and so cannot be there twice"
    if service.get("privileged") or service.get("cap_drop") != ["ALL"]:
        yield "keeps capabilities"
    if extra := set(service.get("cap_add", ())) - GRANTED.get(name, frozenset()):
        yield f"is given {', '.join(sorted(extra))}"
    if "no-new-privileges:true" not in service.get("security_opt", ()):
        yield "may gain privileges"
    if service.get("read_only") is not True:
        yield "has a root that can be written to"
    yield from _endurance(service, once=once)


def _endurance(service: dict[str, Any], *, once: bool) -> Iterator[str]:
    if service.get("restart") != ("on-failure" if once else "unless-stopped"):
        yield f"restart is {service.get('restart')}"
    check = service.get("healthcheck") or {}
    if not once and (check.get("disable") or not check.get("test")):
        yield "has no health check"
    limits = ((service.get("deploy") or {}).get("resources") or {}).get("limits") or {}
    if missing := {"cpus", "memory", "pids"} - set(limits):
        yield f"has no limit of {', '.join(sorted(missing))}"
    if not ((service.get("logging") or {}).get("options") or {}).get("max-size"):
        yield "has a log without an end"
    if not service.get("stop_grace_period"):
        yield "has no time to stop in"


def _once(config: dict[str, Any]) -> set[str]:
    """Services that others wait for until they have ended."""
    return {
        name
        for service in config["services"].values()
        for name, how in _waits(service).items()
        if how.get("condition") == "service_completed_successfully"
    }


def _waits(service: dict[str, Any]) -> dict[str, Any]:
    found = service.get("depends_on") or {}
    return found if isinstance(found, dict) else {name: {} for name in found}


def _names(networks: Any) -> set[str]:
    return set(networks or ())


def secret_complaints(text: str) -> Iterator[str]:
    """Secrets that stand in a compose file, or that may be missing without anybody noticing."""
    for name, said in re.findall(
        r"^\s+([A-Z_]*(?:PASSWORD|SECRET|KEY|AUTH|PASSPHRASE)[A-Z_]*): *(\S.*)$", text, re.MULTILINE
    ):
        if not re.fullmatch(r"\$\{[A-Z_]+:\?[^}]+\}", said):
            yield f"{name} is not asked of the environment: {said}"
    for name in re.findall(r"\$\{([A-Z_]+)\}", text):
        yield f"{name} may be missing without a word"


def dockerfile_complaints(text: str) -> Iterator[str]:
    """Where a Dockerfile breaks a law of ours."""
    try:
        found = stages(text)
    except ValueError as error:
        yield str(error)
        return
    if len(found) < 2:
        yield "has one stage: what builds is left where the program runs"
    for stage in found:
        if not PINNED.fullmatch(stage.image):
            yield f"FROM {stage.image} is not pinned"
        for step in stage.steps:
            if step.instruction == "ADD":
                yield f"ADD {step.value}: COPY what lies here, and fetch nothing"
            if step.instruction == "RUN" and " install" in step.value and "pip" in step.value:
                yield from _pip_complaints(step.value)
    last = found[-1]
    user = last.last("USER")
    if user is None or user.value.split(":")[0] in ("root", "0") or not user.value.split(":")[0].isdigit():
        yield "USER is not a number of its own"
    for instruction in ("HEALTHCHECK", "ENTRYPOINT", "LABEL"):
        if last.last(instruction) is None:
            yield f"the last stage has no {instruction}"
    if any(re.search(r"apt-get|\bpip\b|\bgcc\b", step.value) for step in last.steps if step.instruction == "RUN"):
        yield "the last stage installs something"


def _pip_complaints(value: str) -> Iterator[str]:
    if "--require-hashes" not in value and "--no-index" not in value:
        yield f"RUN {value}: installs what is not pinned by a hash"


def caddy_complaints(file: Path, *, tls: str = "internal") -> Iterator[str]:
    """What Caddy says of a Caddyfile: adapted, and validated with everything it names."""
    program = shutil.which("caddy")
    if program is None:
        yield "caddy is missing: make setup-tools installs it"
        return
    with tempfile.TemporaryDirectory(prefix="caddy-") as home:
        given = {"PUBLIC_HOST": "room.example", "TLS_BY": tls, "APP_UPSTREAMS": "one:8080 two:8080"}
        places = {"PATH": os.environ["PATH"], "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home}
        done = subprocess.run(  # noqa: S603
            [program, "validate", "--adapter", "caddyfile", "--config", file.name],
            cwd=file.parent, capture_output=True, text=True, check=False, env={**places, **given},
        )  # fmt: skip
    if done.returncode:
        yield f"{file.name}, tls {tls}: {(done.stderr.strip().splitlines() or ['?'])[-1]}"


def _tool(name: str) -> str:
    found = shutil.which(name, path=f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise SystemExit(f"{name} is missing: make setup-dev installs it")
    return found


def environment_of(tls: Tls) -> str:
    """An environment as a new node has it."""
    return completed("", wish_of("room.example.org", tls, Engine.STACK)).text


def complaints() -> Iterator[str]:
    """Everything that is wrong with what a node is deployed by."""
    for tls, files in ((Tls.INTERNAL, COMPOSE[:1]), (Tls.OFF, COMPOSE)):
        with tempfile.TemporaryDirectory(prefix="compose-") as made:
            try:
                config = merged(Path(made), files, environment_of(tls))
            except ValueError as error:
                yield f"{' and '.join(files)}: {error}"
                continue
            found = [*schema_complaints(Path(made), config), *compose_complaints(config)]
        yield from (f"{' and '.join(files)}: {said}" for said in found)
    for name in COMPOSE:
        yield from (f"{name}: {said}" for said in secret_complaints((ROOT / name).read_text("utf-8")))
    yield from (f"Dockerfile: {said}" for said in dockerfile_complaints((ROOT / "Dockerfile").read_text("utf-8")))
    yield from caddy_complaints(CADDY / "Caddyfile")
    yield from caddy_complaints(CADDY / "Caddyfile", tls="auto")
    yield from caddy_complaints(CADDY / "Caddyfile.outer")


def main() -> int:
    """Exit status 1 where something is wrong."""
    found = list(complaints())
    print("\n".join(found) or "compose files, Caddyfiles and Dockerfile hold", file=sys.stderr if found else sys.stdout)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
