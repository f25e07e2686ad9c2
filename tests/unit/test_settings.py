import re
from pathlib import Path

import pytest

from core.bootstrap import build
from core.errors import Misconfigured
from core.settings import STACK, Settings, load_settings, prepare_data_dir

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def nothing_from_the_folder(monkeypatch, tmp_path):
    """No `.env` of the working folder is read."""
    monkeypatch.chdir(tmp_path)


def complaints(**given):
    with pytest.raises(Misconfigured) as refusal:
        load_settings(**given)
    return refusal.value.complaints


def test_the_defaults_are_the_figures_of_the_node():
    settings = load_settings()
    assert (settings.HOST, settings.PORT) == ("127.0.0.1", 8080)
    assert (settings.RAW_TTL_HOURS_ROOM, settings.RAW_TTL_HOURS_FOSSIL) == (48, 48)
    assert (settings.DERIVATIVE_TTL_DAYS_FOSSIL, settings.BACKUP_DAYS) == (365, 7)
    assert (settings.UPLOAD_MAX_MIB, settings.TAKE_MAX_SECONDS, settings.TAKE_MAX_RATE_HZ) == (32, 300, 96_000)


def test_the_environment_is_read(monkeypatch):
    monkeypatch.setenv("NODE_NAME", "The attic")
    monkeypatch.setenv("RAW_TTL_HOURS_ROOM", "0.5")
    settings = load_settings()
    assert (settings.NODE_NAME, settings.RAW_TTL_HOURS_ROOM) == ("The attic", 0.5)


def test_the_env_file_is_read_and_the_environment_beats_it(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("NODE_NAME=From the file\nNODE_LOCATION=Upstairs\n")
    monkeypatch.setenv("NODE_NAME", "From the environment")
    settings = load_settings()
    assert (settings.NODE_NAME, settings.NODE_LOCATION) == ("From the environment", "Upstairs")


def test_a_given_value_beats_the_environment(monkeypatch):
    monkeypatch.setenv("PORT", "9000")
    assert (load_settings(PORT=9001).PORT, load_settings(PORT=None).PORT) == (9001, 9000)


def test_an_empty_variable_counts_as_not_given(monkeypatch):
    monkeypatch.setenv("PORT", "")
    assert load_settings().PORT == 8080


def test_settings_cannot_be_changed_once_read():
    with pytest.raises(ValueError, match="frozen"):
        load_settings().PORT = 1


def test_everything_wrong_is_reported_at_once():
    found = complaints(PORT=0, UPLOAD_MAX_MIB=-1, LOG_LEVEL="LOUD", POOL_FRESH_MAX_WEAR=2)
    assert {line.split(":")[0] for line in found} == {"PORT", "UPLOAD_MAX_MIB", "LOG_LEVEL", "POOL_FRESH_MAX_WEAR"}


@pytest.mark.parametrize(
    "given",
    [
        {"ONCE_FETCH_MINUTES": 11},
        {"POOL_FRESH_MAX_WEAR": 0.4},
        {"POOL_FRESH_MAX_AGE_HOURS": 18},
        {"POOL_FRESH_MAX_PLAY_COUNT": 5},
        {"POOL_LIGHT_MAX_SECONDS": 18},
        {"TAKE_MAX_SECONDS": 100},
    ],
)
def test_values_that_contradict_each_other_are_refused_by_name(given):
    (line,) = complaints(**given)
    assert next(iter(given)) in line


def test_several_contradictions_are_reported_at_once():
    said = " ".join(complaints(ONCE_FETCH_MINUTES=11, POOL_LIGHT_MAX_SECONDS=20))
    assert "ONCE_FETCH_MINUTES" in said
    assert "POOL_LIGHT_MAX_SECONDS" in said


def test_a_wrong_value_does_not_hide_a_contradiction():
    said = " ".join(complaints(PORT=0, ONCE_FETCH_MINUTES=11))
    assert "PORT" in said
    assert "ONCE_FETCH_MINUTES" in said


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "0", "soon"])
def test_a_length_of_time_is_a_positive_number(monkeypatch, value):
    monkeypatch.setenv("RAW_TTL_HOURS_ROOM", value)
    assert complaints()[0].startswith("RAW_TTL_HOURS_ROOM:")


@pytest.mark.parametrize("name", ["NODE_NAME", "NODE_CONTACT", "HOST"])
def test_a_line_is_one_line(name):
    assert complaints(**{name: "one\ntwo"})[0].startswith(f"{name}:")


@pytest.mark.parametrize("name", ["TRUSTED_PROXIES", "OPS_ALLOWED_NETWORKS"])
@pytest.mark.parametrize("value", ["*", ",", "proxy.internal", "10.0.0.0/33", "127.0.0.1 10.0.0.1"])
def test_what_is_no_network_is_not_taken_for_everywhere(name, value):
    assert complaints(**{name: value})[0].startswith(f"{name}: must be addresses or networks")


def test_an_unknown_name_in_the_env_file_is_refused(tmp_path):
    (tmp_path / ".env").write_text("NODE_NAMES=A slip\n")
    assert "NODE_NAMES" in complaints()[0]


def test_an_unknown_deployment_refuses_to_start_and_lists_the_known(tmp_path):
    with pytest.raises(Misconfigured, match=r"ENGINE_DEPLOYMENT.*oracle"):
        build(load_settings(ENGINE_DEPLOYMENT="choir", MEMORY_DATA_DIR=tmp_path / "d"))


def test_a_data_folder_that_cannot_be_made_is_one_clear_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="MEMORY_DATA_DIR: cannot write to"):
        prepare_data_dir(tmp_path / "file" / "data")


def test_a_data_folder_is_made_with_its_parents_and_left_empty(tmp_path):
    made = prepare_data_dir(tmp_path / "a" / "b")
    assert list(made.iterdir()) == []


STACK_OF_TESTS = {
    "DATABASE_URL": "postgresql+psycopg://memory:w0rds@127.0.0.1/memory",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "MINIO_ENDPOINT": "http://127.0.0.1:9000",
    "MINIO_BUCKET": "memory",
    "MINIO_ACCESS_KEY": "memory-engine",
    "MINIO_SECRET_KEY": "9f3a77c1",
    "CODE_KEY": "0123456789abcdef" * 4,
    "TOKEN_KEY": "fedcba9876543210" * 4,
    "OPS_SHARED_SECRET": "wet slate, warm brass",
}


class TestStack:
    def test_a_whole_one_is_accepted(self):
        settings = load_settings(**STACK_OF_TESTS)
        assert {name: getattr(settings, name) for name in STACK_OF_TESTS} == STACK_OF_TESTS

    def test_every_part_of_it_is_asked_for(self):
        assert set(STACK) == set(STACK_OF_TESTS)

    @pytest.mark.parametrize("missing", STACK_OF_TESTS)
    def test_a_half_of_it_refuses_to_start_and_names_what_is_missing(self, missing):
        (line,) = complaints(**{name: value for name, value in STACK_OF_TESTS.items() if name != missing})
        assert f"{missing} is missing" in line

    @pytest.mark.parametrize("alone", [name for name in STACK_OF_TESTS if name != "OPS_SHARED_SECRET"])
    def test_any_part_of_it_alone_names_all_the_others(self, alone):
        said = " ".join(complaints(**{alone: STACK_OF_TESTS[alone]}))
        for name in STACK_OF_TESTS:
            assert (f"{name} is missing" in said) == (name != alone)

    def test_a_steward_secret_alone_is_not_a_stack(self):
        assert load_settings(OPS_SHARED_SECRET="wet slate, warm brass").DATABASE_URL == ""

    @pytest.mark.parametrize("name", ["MINIO_SECRET_KEY", "CODE_KEY", "TOKEN_KEY", "OPS_SHARED_SECRET"])
    @pytest.mark.parametrize("value", ["changeme", "CHANGE-ME", "minioadmin", "secret", "x" * 64, "0" * 64, "01" * 32])
    def test_a_placeholder_is_refused_by_name(self, name, value):
        said = " ".join(complaints(**{**STACK_OF_TESTS, name: value}))
        assert f"{name} is a placeholder" in said

    @pytest.mark.parametrize("name", ["CODE_KEY", "TOKEN_KEY", "PREVIOUS_CODE_KEYS"])
    @pytest.mark.parametrize(
        "value", ["0123456789abcdef", "0123456789abcde" * 4 + "xyz!", "0123456789abcdef" * 4 + "0"]
    )
    def test_a_key_that_is_too_short_or_no_hex_is_refused(self, name, value):
        (line,) = complaints(**{**STACK_OF_TESTS, name: value})
        assert "hex digits, at least 64 each" in line

    def test_former_keys_are_a_list(self):
        former = f"{'0123456789abcdef' * 4},{'00112233445566778899aabbccddeeff' * 2}"
        settings = load_settings(**STACK_OF_TESTS, PREVIOUS_CODE_KEYS=former)
        assert settings.PREVIOUS_CODE_KEYS.split(",") == former.split(",")
        assert complaints(**STACK_OF_TESTS, PREVIOUS_CODE_KEYS=f"{former},short")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DATABASE_URL", "sqlite:///memory.db"),
            ("DATABASE_URL", "postgresql://memory@127.0.0.1/memory"),
            ("REDIS_URL", "127.0.0.1:6379"),
            ("REDIS_URL", "http://127.0.0.1:6379"),
            ("MINIO_ENDPOINT", "127.0.0.1:9000"),
            ("MINIO_ENDPOINT", "http://127.0.0.1:9000/bucket"),
        ],
    )
    def test_an_address_of_another_kind_is_refused_by_name(self, name, value):
        (line,) = complaints(**{**STACK_OF_TESTS, name: value})
        assert f"{name} must" in line

    def test_everything_wrong_with_it_is_said_at_once(self):
        wrong = {**STACK_OF_TESTS, "REDIS_URL": "nonsense", "CODE_KEY": "changeme", "MINIO_BUCKET": "", "PORT": 0}
        said = " ".join(complaints(**wrong))
        for part in ("PORT", "REDIS_URL must", "CODE_KEY is a placeholder", "MINIO_BUCKET is missing"):
            assert part in said

    def test_what_is_said_of_a_secret_does_not_tell_it(self):
        wrong = {**STACK_OF_TESTS, "CODE_KEY": "not-a-key-9c1e", "DATABASE_URL": "mysql://me:hush-hush@127.0.0.1/x"}
        said = " ".join(complaints(**wrong))
        assert "not-a-key-9c1e" not in said
        assert "hush-hush" not in said

    def test_no_secret_is_shown_with_the_settings(self):
        shown = repr(load_settings(**STACK_OF_TESTS))
        for name in ("DATABASE_URL", "MINIO_SECRET_KEY", "CODE_KEY", "TOKEN_KEY", "OPS_SHARED_SECRET"):
            assert STACK_OF_TESTS[name] not in shown

    @pytest.mark.engine("stack")
    def test_a_certificate_that_is_not_there_refuses_to_start(self, make_node, tmp_path):
        with pytest.raises(Misconfigured, match="MINIO_CA_FILE"):
            make_node(MINIO_CA_FILE=tmp_path / "nowhere.pem")


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
class TestEverySetting:
    def test_has_a_description_in_a_sentence(self, name):
        description = Settings.model_fields[name].description or ""
        assert re.fullmatch(r"\S.{10,}\.", description)

    def test_is_in_the_example_file(self, name):
        assert re.search(rf"^#? ?{name}=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    def test_is_in_the_reference(self, name):
        assert f"`{name}`" in (ROOT / "docs" / "reference" / "settings.md").read_text()

    def test_is_read_somewhere(self, name):
        source = "\n".join(
            path.read_text() for folder in ("core", "jobs", "memory_ui") for path in (ROOT / folder).rglob("*.py")
        )
        assert re.search(rf"settings\.{name}\b", source)
