"""Compose files, Caddyfiles and Dockerfile: they hold, and every planted fault is found."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import SettingsConfigDict

from core.settings import Settings
from memory_ui.appliance.first_boot import Tls
from scripts import check_deploy
from scripts.check_deploy import CADDY, COMPOSE, ROOT, compose_complaints, dockerfile_complaints, merged
from scripts.dockerfile_steps import stages
from scripts.rehearse_image import release_of, steps_carried_out

Config = dict[str, Any]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return merged(tmp_path, COMPOSE[:1], check_deploy.environment_of(Tls.INTERNAL))


def test_what_a_node_is_deployed_by_holds() -> None:
    assert list(check_deploy.complaints()) == []


def plant(name: str, **values: Any) -> Callable[[Config], None]:
    return lambda config: config["services"][name].update(values)


FAULTS = {
    "a port": (plant("postgres", ports=["5432:5432"]), "postgres: publishes a port"),
    "a way out": (plant("worker", networks=["front"]), "worker: is in the network that reaches outside"),
    "the host's network": (plant("app", network_mode="host"), "app: is not in private networks alone"),
    "a moving tag": (plant("redis", image="redis:latest"), "redis: image redis:latest is not pinned"),
    "no tag": (plant("redis", image="redis"), "redis: image redis is not pinned"),
    "a name": (plant("app", container_name="app"), "app: has a name of its own"),
    "capabilities": (plant("app", cap_drop=[]), "app: keeps capabilities"),
    "one more capability": (plant("app", cap_add=["SYS_ADMIN"]), "app: is given SYS_ADMIN"),
    "privileges": (plant("s3", security_opt=[]), "s3: may gain privileges"),
    "a root to write in": (plant("app", read_only=False), "app: has a root that can be written to"),
    "no restart": (plant("worker", restart="no"), "worker: restart is no"),
    "no health check": (plant("scheduler", healthcheck={}), "scheduler: has no health check"),
    "no limits": (plant("app", deploy={}), "app: has no limit of cpus, memory, pids"),
    "an endless log": (plant("caddy", logging={}), "caddy: has a log without an end"),
    "a sudden end": (plant("postgres", stop_grace_period=None), "postgres: has no time to stop in"),
    "an open network": (lambda config: config["networks"].update(back={}), "network back: reaches outside"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_of_the_compose_file_is_found(fault: str, config: Config) -> None:
    spoil, said = FAULTS[fault]
    assert list(compose_complaints(config)) == []
    spoil(config)
    assert any(line.startswith(said) for line in compose_complaints(config))


def test_a_key_the_specification_does_not_know_is_found(config: Config, tmp_path: Path) -> None:
    config["services"]["app"]["restarts"] = "always"
    assert "restarts" in check_deploy.schema_complaints(tmp_path, config)[0]


REQUIRED = sorted(set(re.findall(r"\$\{([A-Z_]+):\?", (ROOT / "compose.yaml").read_text("utf-8"))))


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_missing_value_is_refused_by_name(missing: str, tmp_path: Path) -> None:
    lines = check_deploy.environment_of(Tls.INTERNAL).splitlines(keepends=True)
    without = "".join(line for line in lines if not line.startswith(f"{missing}="))
    with pytest.raises(ValueError, match=missing):
        merged(tmp_path, COMPOSE[:1], without)


@pytest.mark.parametrize(
    "line",
    ["  POSTGRES_PASSWORD: hunter2", "  CODE_KEY: ${CODE_KEY:-0123}", "  TOKEN_KEY: ${TOKEN_KEY}"],
)
def test_a_secret_that_is_written_down_or_may_be_missing_is_found(line: str) -> None:
    assert list(check_deploy.secret_complaints(line + "\n"))


def test_behind_an_outer_proxy_one_port_of_this_machine_is_open(tmp_path: Path) -> None:
    config = merged(tmp_path, COMPOSE, check_deploy.environment_of(Tls.OFF))
    assert config["services"]["caddy"]["ports"] == ["127.0.0.1:8080:8080"]
    assert not any(
        "Caddyfile:" in volume and "outer" not in volume for volume in config["services"]["caddy"]["volumes"]
    )


@pytest.mark.parametrize("name", ["app", "worker", "scheduler", "s3-init"])
def test_what_first_boot_writes_is_settings_inside_the_containers(
    name: str, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    for known in Settings.model_fields:
        monkeypatch.delenv(known, raising=False)
    for known, value in config["services"][name]["environment"].items():
        monkeypatch.setenv(known, str(value))

    class Inside(Settings):
        model_config = SettingsConfigDict(env_file=None)

    settings = Inside()
    assert settings.DATABASE_URL.endswith("@postgres/memory")
    assert settings.PUBLIC_URL == "https://room.example.org"
    assert config["networks"]["web"]["ipam"]["config"][0]["subnet"] == settings.TRUSTED_PROXIES
    assert {"postgres", "redis", "s3"} <= set(config["services"])


def test_workers_give_way(config: Config) -> None:
    usual = 1024
    assert config["services"]["worker"]["cpu_shares"] < usual
    assert {config["services"][name].get("cpu_shares", usual) for name in ("app", "postgres", "caddy")} == {usual}


def test_caddy_knows_every_instance_there_is_at_first(config: Config) -> None:
    named = config["services"]["caddy"]["environment"]["APP_UPSTREAMS"].split()
    replicas = int(config["services"]["app"]["deploy"]["replicas"])
    assert named == [f"{config['name']}-app-{number}:8080" for number in range(1, replicas + 1)]


def test_caddy_takes_more_than_the_largest_upload(config: Config) -> None:
    most = int(config["services"]["caddy"]["environment"]["UPLOAD_LIMIT"].removesuffix("MiB"))
    assert most > Settings.model_fields["UPLOAD_MAX_MIB"].default


@pytest.mark.parametrize("name", ["Caddyfile", "Caddyfile.outer"])
@pytest.mark.parametrize(
    "fault", [("health_uri", "health_url"), ("import balance", "import balances"), ("request_body", "request_bodies")]
)
def test_a_planted_fault_of_a_caddyfile_is_found(name: str, fault: tuple[str, str], tmp_path: Path) -> None:
    for file in CADDY.iterdir():
        (tmp_path / file.name).write_text(file.read_text("utf-8").replace(*fault))
    assert list(check_deploy.caddy_complaints(tmp_path / name))


IMAGE_FAULTS = {
    "a moving base": ("python:3.11.15-slim-bookworm AS", "python:latest AS", "FROM python:latest is not pinned"),
    "one stage": (
        DOCKERFILE[DOCKERFILE.index("\n\nFROM python", 200) : DOCKERFILE.index("USER ")],
        "\n",
        "has one stage",
    ),
    "root": ("USER 10001:10001", "USER root", "USER is not a number of its own"),
    "no user": ("USER 10001:10001\n", "", "USER is not a number of its own"),
    "something fetched": ("COPY assets ./assets", "ADD http://host/assets ./assets", "ADD http://host/assets"),
    "nothing pinned": ("--require-hashes ", "", "installs what is not pinned by a hash"),
    "no health check": ("HEALTHCHECK ", "LABEL x=", "has no HEALTHCHECK"),
    "a compiler": ("RUN groupadd", "RUN apt-get install gcc && groupadd", "the last stage installs something"),
}


@pytest.mark.parametrize("fault", IMAGE_FAULTS)
def test_a_planted_fault_of_the_dockerfile_is_found(fault: str) -> None:
    there, instead, said = IMAGE_FAULTS[fault]
    assert there in DOCKERFILE
    assert any(said in line for line in dockerfile_complaints(DOCKERFILE.replace(there, instead)))


def test_the_rehearsal_carries_out_every_step_that_changes_the_disk() -> None:
    found = stages(DOCKERFILE)
    done = [step for stage in found for step in steps_carried_out(stage)]
    assert len(done) == len(re.findall("^(?:RUN|COPY) ", DOCKERFILE, re.MULTILINE))
    assert release_of(found[0].image) == "bookworm"
    with pytest.raises(SystemExit, match="ADD"):
        steps_carried_out(stages("FROM a:1\nADD x y\n")[0])


def test_what_the_image_is_built_of_is_sent_to_its_builder() -> None:
    let_through = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    sources = [
        source for step in stages(DOCKERFILE)[0].steps if step.instruction == "COPY" for source in step.words[:-1]
    ]
    assert [source for source in sources if f"!{source}" not in let_through] == []
    assert let_through[1] == "*"


def test_the_documentation_is_built_before_the_package_it_belongs_into() -> None:
    ran = [step.value for step in stages(DOCKERFILE)[0].steps if step.instruction == "RUN"]
    built = next(number for number, value in enumerate(ran) if value.endswith("scripts/build_docs.py"))
    assert built < next(number for number, value in enumerate(ran) if value.endswith("--no-index ."))


def test_the_evidence_is_of_these_steps() -> None:
    told = (ROOT / "docs" / "evidence" / "image.md").read_text("utf-8")
    assert [step for stage in stages(DOCKERFILE) for step in steps_carried_out(stage) if step not in told] == []
