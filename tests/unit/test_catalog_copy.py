"""What is written for people and what is tuned: nothing missing, nothing unread."""

import re
import string
import tomllib
from pathlib import Path

import pytest

from core.adapters.catalogs import load
from core.bootstrap.figures import notices
from core.domain.archiving import ArchiveKind
from core.domain.certificates import Lost
from core.domain.clips import Unit
from core.domain.codes import ALPHABET
from core.domain.consent import Mode
from core.domain.custody import Closed
from core.domain.deployment import DeploymentName, ThreadSignal
from core.domain.memory_color import ColorCatalog
from core.domain.pool.facts import Density, Mood
from core.domain.receipt import Stand
from core.domain.room.rows import Intensity, Preset, Scarcity
from core.domain.steward import SWITCHES
from core.domain.warnings import Level, Name
from memory_ui.captions import WEAR
from memory_ui.copy import languages, load_copy
from tests.unit import steward_copy

ROOT = Path(__file__).parents[2]
COPY = load_copy("en")
STEWARDS = set(tomllib.loads((Path(__file__).parents[2] / "assets/copy/stewards.toml").read_text("utf-8")))
SECTIONS = sorted({key.split(".")[0] for key in COPY.texts})


def sources(*patterns, below):
    """The text of every file below a folder."""
    return "\n".join(path.read_text() for pattern in patterns for path in sorted((ROOT / below).rglob(pattern)))


PYTHON = "\n".join(
    [
        sources("*.py", below="memory_ui"),
        sources("*.html", below="memory_ui/plain"),
        # What copies and certificates say is written where they are made.
        *((ROOT / "core" / name).read_text() for name in ("adapters/archive.py", "bootstrap/custody.py")),
        (ROOT / "core/services/closing.py").read_text(),
        (ROOT / "core/adapters/copy.py").read_text(),
        (ROOT / "core/domain/clips.py").read_text(),
    ]
)
SCRIPTS = sources("*.js", below="assets/js")
RITUAL = (ROOT / "assets/js/ritual.js").read_text()
KIOSK_SCRIPTS = "\n".join(
    (ROOT / "assets/js" / name).read_text()
    for name in (
        "ritual_screen.js",
        "kiosk_markup.js",
        "kiosk_trim.js",
        "audio/noise_floor.js",
        "components/recorder.js",
    )
)
ROOM_SCRIPTS = "\n".join(
    (ROOT / "assets/js" / name).read_text()
    for name in ("wall.js", "wall_parts.js", "wall_flag.js", "wall_words.js", "components/player.js")
)

REASONS = {Name.NODE_CLOSED: [reason for reason in Closed if reason], Name.CERTIFICATE_LOST: list(Lost)}
"""What may have several reasons has words for each."""

WARNINGS = {
    *(f"warnings.{name}{part}" for name in Name if name not in REASONS for part in ("", "_detail")),
    *(f"warnings.{name}_{why}{part}" for name, whys in REASONS.items() for why in whys for part in ("", "_detail")),
    *(f"warnings.{name}_until" for name in SWITCHES),
    *(f"warnings.level_{level}" for level in Level),
    *(f"warnings.mail_{part}" for part in ("since", "cleared", "foot")),
}
"""What `core.adapters` puts warnings into words with."""

RECORD = (ROOT / "core/domain/consent_record.py").read_text()
RECORDED = {
    *(f"record.{name}" for name in re.findall(r'words\["(\w+)"\]', RECORD)),
    *(f"record.{what}_{kind}" for what in ("purpose", "method") for kind in ("room", "fossil", "backup", "evidence")),
    *(
        f"record.pii_{name}"
        for names in re.findall(r'_purpose\("\w+", \(([^)]*)\)', RECORD)
        for name in re.findall(r"\w+", names)
    ),
}
"""The phrases of a consent record."""

COMPOSED = {
    'f"room.{deployment}_{kind}"': [
        f"room.{name.value}_{kind}"
        for name in DeploymentName
        if name is not DeploymentName.MEMORY
        for kind in ("room", "fossil", "residue")
    ],
    'f"room.kind_{kind}"': [f"room.kind_{kind}" for kind in ("room", "fossil", "residue")],
    'f"room.colour_{colour}"': [f"room.colour_{colour.code}" for colour in load("colours", ColorCatalog).colours],
    'f"room.wear_{_wear(artifact.wear)}"': [f"room.wear_{name}" for _, name in WEAR] + ["room.wear_deep"],
    'f"times.{unit}_ago"': [f"times.{unit}_ago" for unit in ("day", "hour", "minute")],
    'f"times.{unit}s_ago"': [f"times.{unit}s_ago" for unit in ("day", "hour", "minute")],
    'f"revoke.mode_{self._mode()}"': ["revoke.mode_room", "revoke.mode_fossil"],
    'f"revoke.stand_{now.stand.value}"': [f"revoke.stand_{stand}" for stand in Stand if not stand.over],
    'f"revoke.ended_{self._now.stand.value}"': [f"revoke.ended_{stand}" for stand in Stand if stand.over],
    'f"revoke.says_{kind}"': [f"revoke.says_{kind}" for kind in ("room", "fossil", "narrowed", "residue")],
    'f"slip.ends_{kind}"': [f"slip.ends_{kind}" for kind in ("room", "fossil", "residue")],
    '"signin." ~ state': ["signin.unset", "signin.network"],
    '"door." ~ name': ["door.kiosk", "door.room", "door.revoke"],
    '"door." ~ name ~ "_note"': ["door.kiosk_note", "door.room_note", "door.revoke_note"],
    '"problem." ~ problem': [f"problem.{kind}" for kind in ("forbidden", "not_found", "closed", "failed")],
    '"problem." ~ problem ~ "_note"': [f"problem.{k}_note" for k in ("forbidden", "not_found", "closed", "failed")],
    '"revoke." ~ state': ["revoke.missing", "revoke.mistyped", "revoke.unknown"],
    'f"copies.readme_{manifest.kind.value}"': [f"copies.readme_{kind.value}" for kind in ArchiveKind],
    'f"spoken.{unit}"': [f"spoken.{unit}" for unit in Unit],
    'f"spoken_signs.{sign.lower()}"': [f"spoken_signs.{sign.lower()}" for sign in ALPHABET],
    'f"copies.sealed_{manifest.sealed}"': ["copies.sealed_passphrase", "copies.sealed_recipient"],
    **steward_copy.PYTHON,
}
"""Every key that Python or a template puts together, as it is written there, and what it can come to."""


def composed_in_sources():
    """Keys put together in Python and templates, as they are written."""
    section = "|".join(SECTIONS)
    f_strings = re.findall(rf'f"(?:{section})\.[^"]*{{[^"]*"', PYTHON)
    joined = re.findall(rf't\(("(?:{section})\.\w*" ~ [^,)]+)', PYTHON)
    return {expression.strip() for expression in f_strings + joined}


def named_in_sources():
    """Keys written out whole in Python and templates."""
    section = "|".join(SECTIONS)
    return set(re.findall(rf"""["']((?:{section})\.(?!js\b)[a-z0-9_]+)["'](?! ~)""", PYTHON))


def listed(name):
    """A frozen list of words in the ritual."""
    words = re.search(rf"export const {name} = Object\.freeze\(\[([^\]]*)\]", RITUAL).group(1)
    return re.findall(r'"(\w+)"', words)


def microphone_errors():
    """What can be wrong with a microphone."""
    return re.findall(r"MICROPHONE_ERRORS = Object\.freeze\(\[([^\]]*)\]", RITUAL)[0].split('"')[1::2]


def kiosk_keys():
    """Keys that the kiosk's scripts name, or put together from what the ritual can say."""
    literals = set(re.findall(r"""["'](\w+)["']""", KIOSK_SCRIPTS))
    said = {
        *re.findall(r'say\("(\w+)"', KIOSK_SCRIPTS),
        *re.findall(r'say\([^"()]*\? "(\w+)" : "\w+"', KIOSK_SCRIPTS),
        *re.findall(r'say\([^"()]*\? "\w+" : "(\w+)"', KIOSK_SCRIPTS),
        *(f"error_{code}" for code in [*listed("ERRORS"), *microphone_errors()]),
        *(f"complete_{outcome}" for outcome in listed("OUTCOMES")),
        *listed("DOORS"),
        *listed("FLAWS"),
    }
    modes = [mode.lower() for mode in listed("MODES")]
    colours = load("colours", ColorCatalog).colours
    return {
        *(f"kiosk.colour_{colour.code}" for colour in colours if "`colour_${code}`" in KIOSK_SCRIPTS),
        *(f"kiosk.{word}" for word in literals if f"kiosk.{word}" in COPY.texts),
        *(f"kiosk.{what}_{part}" for what in said for part in ("heading", "lead")),
        *(f"kiosk.notice_{kind}" for kind in listed("NOTICES")),
        *(f"kiosk.ended_{end}_lead" for end in listed("ENDS") if end),
        *(f"kiosk.trim_{edge}" for edge in ("start", "end") if "copy['trim_' + edge]" in KIOSK_SCRIPTS),
        *(f"kiosk.{name}" for name in re.findall(r"\bcopy\.(\w+)", KIOSK_SCRIPTS) if f"kiosk.{name}" in COPY.texts),
        *(f"kiosk.verb_{mode}" for mode in modes),
    }


def room_keys():
    """Keys that the room's scripts name."""
    read = set(re.findall(r"\bcopy\.(\w+)", ROOM_SCRIPTS)) - {"between_sentences"}  # that is the language's own
    return {f"room.{name}" for name in read}


def framed_keys():
    """What sections say otherwise under a deployment: only texts the section itself has, for deployments there are."""
    pairs = [(section, name.value) for section in ("kiosk", "door") for name in DeploymentName]
    return {
        f"{section}_{name}.{key}"
        for section, name in pairs
        for key in COPY.section(f"{section}_{name}")
        if f"{section}.{key}" in COPY.texts
    }


def used():
    """Every key that something reads."""
    possible = {key for keys in COMPOSED.values() for key in keys}
    read = {"door.what"} | framed_keys() | {f"language.{name}" for name in ("name", "locale", "between_sentences")}
    return (
        read
        | RECORDED
        | named_in_sources()
        | possible
        | kiosk_keys()
        | room_keys()
        | steward_copy.steward_keys()
        | WARNINGS
    )


def test_every_composed_key_is_known_to_this_test():
    assert composed_in_sources() == set(COMPOSED)


def test_every_composed_key_of_the_stewards_scripts_is_known_to_this_test():
    assert steward_copy.composed_in_scripts() == set(steward_copy.COMPOSED)


def test_every_text_that_is_read_exists():
    assert sorted(used() - set(COPY.texts)) == []


def test_every_text_that_exists_is_read():
    assert sorted(set(COPY.texts) - used()) == []


def test_the_kiosk_speaks_of_the_modes_there_are():
    assert set(listed("MODES")) == {mode.value for mode in Mode}


@pytest.mark.parametrize("language", languages())
def test_texts_are_plain_and_their_placeholders_have_names(language):
    for key, text in load_copy(language).texts.items():
        if key == "language.between_sentences":
            continue
        for form in forms(text):
            assert form == form.strip(), key
            assert form, key
            assert "<" not in form, key
            assert all(re.fullmatch(r"[a-z_]+", name) for name in names(form)), key


def forms(text):
    """What a text may come to, before its placeholders are filled."""
    return [text] if isinstance(text, str) else list(text.values())


def names(text):
    """Its placeholders."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", languages())
def test_a_language_says_all_that_a_participant_is_told(language):
    said = load_copy(language)
    stewards = {key for key in COPY.texts if key.split(".")[0] in STEWARDS}
    assert set(said.texts) - stewards == set(COPY.texts) - stewards
    for key, text in said.texts.items():
        english = forms(COPY.texts[key])
        if isinstance(COPY.texts[key], str):
            assert isinstance(text, str), key
            assert names(text) == names(english[0]), key
        else:
            assert set(text) <= set(said.locale.plural_form.tags) | {"other"}, key
            assert all(names(form) <= names(COPY.texts[key]["other"]) for form in text.values()), key
            assert names(text["other"]) == names(COPY.texts[key]["other"]), key


@pytest.mark.parametrize("language", languages())
def test_a_language_can_ask_for_consent(language):
    assert notices().find(notices().present, language) is not None


@pytest.mark.parametrize("language", languages())
def test_every_trouble_of_the_kiosk_has_words_of_its_own(language):
    copy = load_copy(language)
    troubles = [
        *(f"error_{code}" for code in [*microphone_errors(), *listed("ERRORS")]),
        *(door for door in listed("DOORS") if door),
        *listed("FLAWS"),
    ]
    for part in ("heading", "lead"):
        said = [copy.t(f"kiosk.{trouble}_{part}", contact="Ana", wait="1") for trouble in troubles]
        assert len(set(said)) == len(said), part


def test_what_stewards_read_is_in_one_language():
    assert {key.split(".")[0] for key in load_copy("de").texts}.isdisjoint(STEWARDS)


def test_every_name_a_kiosk_text_wants_is_given():
    trim = (ROOT / "assets/js/kiosk_trim.js").read_text()
    given = KIOSK_SCRIPTS[KIOSK_SCRIPTS.index("params()") :] + trim
    figures = {"room_hours", "fossil_hours", "fossil_days", "once_span", "backup_days"}
    for key, text in COPY.texts.items():
        if key.startswith(("kiosk.", "kiosk_")):
            for _, name, _, _ in string.Formatter().parse(text):
                assert name is None or name in figures or re.search(rf"\b{name}\b[:,(]", given + "count:"), (key, name)


def test_no_words_for_participants_stand_in_the_scripts():
    """Sentences belong to the copy; a script holds names, keys and class names only."""
    shown = re.findall(r">\s*([A-Z][a-z]+ [a-z]+[^<{]*)<", SCRIPTS)
    assert shown == []


def test_an_unknown_key_or_a_missing_placeholder_is_an_error():
    with pytest.raises(KeyError):
        COPY.t("revoke.nonsense")
    with pytest.raises(KeyError):
        COPY.t("warnings.deletions_refused_detail")


def test_there_is_no_copy_of_a_language_nobody_wrote():
    with pytest.raises(FileNotFoundError):
        load_copy("tlh")


def leaves(table, path=()):
    """(path, name) of every key of a catalog, in tables and in lists of tables."""
    for name, value in table.items():
        yield (*path, name), name
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from leaves(inner, (*path, name))


CATALOGS = sorted(path.stem for path in (ROOT / "assets/catalogs").glob("*.toml"))
BROWSERS = ("kiosk", "audio", "trace")
ROWS_BY_NAME = {name.value for kind in (Intensity, Preset, Scarcity, ThreadSignal, Density, Mood) for name in kind}
CHOSEN_BY_NAME = {"soft_air", "warm_hiss", "low_vent", *languages(), *DeploymentName}


@pytest.mark.parametrize("name", CATALOGS)
def test_every_key_of_a_catalog_is_read(name):
    table = tomllib.loads((ROOT / "assets/catalogs" / f"{name}.toml").read_text())
    every = SCRIPTS + sources("*.py", below="core") + sources("*.py", below="memory_ui") + sources("*.py", below="jobs")
    readers = SCRIPTS if name in BROWSERS else every
    unread = [
        ".".join(path)
        for path, key in leaves(table)
        if key not in CHOSEN_BY_NAME and not re.search(rf"\b{re.escape(key)}\b", readers)
    ]
    assert unread == []


def test_every_figure_of_the_room_is_used_and_not_only_declared():
    table = tomllib.loads((ROOT / "assets/catalogs/room.toml").read_text())
    code = sources("*.py", below="core") + sources("*.py", below="memory_ui")
    unused = [(".".join(path), key) for path, key in leaves(table) if not re.search(rf"\.{key}\b", code)]
    assert [path for path, key in unused if key not in ROWS_BY_NAME] == []
