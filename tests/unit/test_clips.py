"""Clips say what holds: which texts are wanted, which clips are used, how they sound."""

import io
import itertools
import logging
import re
import struct
import subprocess
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters.clips import CLIPS, FolderClips
from core.adapters.copy import languages
from core.adapters.espeak import PROGRAM, VOICES, Espeak
from core.audio.clip import CEILING_DBTP, RATE_HZ, TARGET_LUFS, evened, recording
from core.bootstrap.clips import SHIPPED, clip_figures, say_in
from core.domain.clips import By, Clip, ClipFigures, Unit, prompt_name, wanted, whole
from core.domain.codes import ALPHABET
from core.errors import BadTake, MemoryEngineError, NotFound, NotWav, TakeTooLarge, Unavailable
from core.services.clips import ClipService, State
from core.settings import Settings
from tests import wavs
from tests.speech import loudness, true_peak

DEFAULTS = clip_figures(Settings.model_construct())
PHRASES = ["check", "room", "fossil", "nosave", "backup", "code", "keep"]
MINUTES = {Unit.DAYS: 1440, Unit.HOURS: 60, Unit.MINUTES: 1}
AMOUNTS = st.one_of(st.integers(1, 10_000), st.floats(0.01, 1000))
SOUND = wavs.take(0.5, sample_rate_hz=RATE_HZ)


class Hum:
    """A speaker that hums, and cannot read what is in brackets."""

    def reads(self, text, language):
        return not text.startswith("[")

    def speak(self, text, language):
        return wavs.sine(0.5, sample_rate_hz=RATE_HZ)


@pytest.fixture
def own(tmp_path):
    return FolderClips(tmp_path / "own")


@pytest.fixture
def shipped(tmp_path):
    return FolderClips(tmp_path / "shipped")


@pytest.fixture
def service(own, shipped):
    return ClipService(own, shipped, Hum(), say=say_in, figures=DEFAULTS)


def put(shelf, says, name="room", sound=SOUND, by=By.ESPEAK):
    shelf.put("en", name, says=says, by=by, sound=sound)


class TestWhatIsWanted:
    @pytest.mark.parametrize("language", languages())
    def test_every_phrase_and_every_sign_of_a_code(self, language):
        names = [*PHRASES, *(f"sign-{sign.lower()}" for sign in ALPHABET)]
        assert list(wanted(say_in(language), DEFAULTS)) == names

    @given(language=st.sampled_from(languages()), room=AMOUNTS, fossil=AMOUNTS, days=AMOUNTS, backup=AMOUNTS)
    def test_texts_are_filled_in_and_without_marks_nobody_hears(self, language, room, fossil, days, backup):
        figures = ClipFigures(room_hours=room, fossil_hours=fossil, fossil_days=days, backup_days=backup)
        for text in wanted(say_in(language), figures).values():
            assert not re.search("[{}\u2066-\u2069\u200e\u200f]", text)

    @given(language=st.sampled_from(languages()), one=AMOUNTS, other=AMOUNTS)
    def test_another_promise_is_another_text(self, language, one, other):
        room, fossil, backup = (
            [wanted(say_in(language), ClipFigures(room_hours=a, fossil_hours=a, fossil_days=a, backup_days=a))[name]
             for a in (one, other)]
            for name in ("room", "fossil", "backup")
        )  # fmt: skip
        for first, second in (room, fossil, backup):
            assert (first != second) or abs(one - other) < 0.01

    @given(amount=AMOUNTS, unit=st.sampled_from(Unit))
    def test_an_amount_is_said_whole_only_where_that_is_as_exact(self, amount, unit):
        count, said = whole(amount, unit)
        assert count * MINUTES[said] == pytest.approx(amount * MINUTES[unit], abs=1e-5)

    def test_no_backups_are_none_to_speak_of(self):
        figures = ClipFigures(room_hours=1, fossil_hours=1, fossil_days=1, backup_days=0)
        assert "backup" not in wanted(say_in("en"), figures)

    def test_half_an_hour_is_heard_as_minutes_and_a_thousand_as_one_number(self):
        figures = ClipFigures(room_hours=0.5, fossil_hours=1000, fossil_days=365, backup_days=1.5)
        texts = wanted(say_in("en"), figures)
        assert "for 30 minutes." in texts["room"]
        assert "for 1000 hours." in texts["fossil"]
        assert "gone 36 hours after" in texts["backup"]


class TestWhichClipsAreUsed:
    def test_one_that_says_what_is_wanted(self, service, own):
        put(own, service.wanted("en")["room"])
        assert list(service.at_hand("en")) == ["room"]

    def test_none_that_says_anything_else(self, service, own, shipped):
        for shelf in (own, shipped):
            put(shelf, service.wanted("en")["room"].replace("48", "24"))
        assert service.at_hand("en") == {}
        assert {one.name: one.state for one in service.standing("en")}["room"] is State.OUTDATED

    def test_the_nodes_own_before_the_packages_and_that_where_its_own_is_outdated(self, service, own, shipped):
        text = service.wanted("en")["room"]
        put(shipped, text)
        put(own, text, by=By.RECORDING)
        assert service.at_hand("en")["room"].clip.by is By.RECORDING
        put(own, "Something else.", by=By.RECORDING)
        assert service.at_hand("en")["room"].clip.by is By.ESPEAK

    def test_a_prompts_clip_is_known_by_its_text(self, service, own):
        put(own, "What do you hear?", prompt_name("What do you hear?"))
        put(own, "What do you see?", prompt_name("What do you smell?"))
        assert list(service.of_prompts("en", ["What do you hear?", "What do you smell?"])) == ["What do you hear?"]
        assert service.find("en", prompt_name("What do you hear?"))
        assert service.find("en", prompt_name("What do you smell?")) is None
        assert service.at_hand("en") == {}

    @pytest.mark.parametrize("language", languages())
    def test_the_package_has_every_clip_of_a_node_without_settings(self, language, own):
        service = ClipService(own, FolderClips(SHIPPED), Hum(), say=say_in, figures=DEFAULTS)
        assert [one.name for one in service.standing(language) if one.state is not State.THERE] == [], (
            "run `make clips`"
        )
        named = {kept.path.name for kept in service.at_hand(language).values()}
        assert {path.name for path in (SHIPPED / language).iterdir()} == {CLIPS} | named

    @pytest.mark.parametrize(
        "broken", ["{", "[]", '{"room": {"says": "x", "file": "../keys.json", "by": "recording"}}', None]
    )
    def test_a_folder_that_cannot_be_read_stops_commands_and_no_kiosk(
        self, service, own, shipped, tmp_path, caplog, broken
    ):
        put(shipped, service.wanted("en")["room"])
        put(own, service.wanted("en")["check"], "check")
        path = tmp_path / "own" / "en" / CLIPS
        path.unlink() if broken is None else path.write_text(broken)
        with caplog.at_level(logging.WARNING):
            assert [list(service.at_hand("en")) for _ in range(2)] == [["room"], ["room"]]
        assert [record.message for record in caplog.records] == ["clips.unreadable"]
        for command in (service.standing, service.render, lambda tag: service.use(tag, "room", SOUND)):
            with pytest.raises(Unavailable, match=CLIPS):
                command("en")


class TestKeeping:
    def test_a_clip_replaces_the_one_of_its_name_and_its_file(self, own, tmp_path):
        put(own, "One.")
        put(own, "Two.", sound=SOUND + b"\0\0")
        kept = own.clips("en")["room"]
        assert kept.clip.says == "Two."
        assert {path.name for path in (tmp_path / "own" / "en").iterdir()} == {CLIPS, kept.path.name}

    def test_what_was_read_is_held_until_it_changes(self, own, tmp_path):
        put(own, "One.")
        elsewhere = FolderClips(tmp_path / "own")
        first = elsewhere.clips("en")
        assert elsewhere.clips("en") is first
        put(own, "Another.")
        assert elsewhere.clips("en")["room"].clip.says == "Another."

    def test_a_clip_whose_file_is_gone_is_none(self, own, tmp_path):
        put(own, "One.")
        own.clips("en")["room"].path.unlink()
        assert FolderClips(tmp_path / "own").clips("en") == {}

    def test_what_is_removed_is_gone_from_the_disk(self, own, tmp_path):
        put(own, "One.")
        assert [own.remove("en", "room"), own.remove("en", "room")] == [True, False]
        assert [path.name for path in (tmp_path / "own" / "en").iterdir()] == [CLIPS]

    @pytest.mark.parametrize("file", ["../x.wav", "a/b.wav", ".wav", "x.ogg", "", "A.wav"])
    def test_a_file_lies_beside_its_list_and_nowhere_else(self, file):
        with pytest.raises(ValueError, match="name of a clip"):
            Clip(says="x", file=file, by=By.ESPEAK)

    def test_what_is_missing_is_rendered_once(self, service):
        made = service.render("en", ["Read this.", "[not this]"])
        assert [one.name for one in made if not one.done] == [prompt_name("[not this]")]
        assert len(made) == len(service.wanted("en")) + 2
        assert [one.name for one in service.render("en", ["Read this."])] == []

    def test_a_recording_says_what_is_wanted_now(self, service):
        assert service.use("en", "keep", SOUND) == service.wanted("en")["keep"]
        assert service.at_hand("en")["keep"].clip.by is By.RECORDING
        service.drop("en", "keep")
        assert service.at_hand("en") == {}

    def test_nothing_is_kept_that_nobody_wants(self, service):
        with pytest.raises(NotFound):
            service.use("en", "prompt-000000000000", SOUND)
        with pytest.raises(NotFound):
            service.drop("en", "room")


class TestHowTheySound:
    @pytest.mark.parametrize("length_s", [0.15, 0.5, 5.0])
    @pytest.mark.parametrize("peak", [0.01, 0.9])
    def test_all_are_equally_loud_and_without_silence_around_them(self, length_s, peak):
        silence = np.zeros(RATE_HZ, dtype=np.float32)
        sound = evened(np.concatenate([silence, wavs.sine(length_s, sample_rate_hz=RATE_HZ, peak=peak), silence]))
        assert length_s <= sound.size / RATE_HZ <= length_s + 0.1
        again = np.tile(sound, 1 + int(3 / length_s))
        assert loudness(again, RATE_HZ) == pytest.approx(TARGET_LUFS, abs=0.5)

    def test_peaks_keep_below_full_scale(self):
        clicks = np.zeros(RATE_HZ, dtype=np.float32)
        clicks[::2205] = 0.1
        assert true_peak(evened(clicks), RATE_HZ) <= CEILING_DBTP + 0.1

    def test_what_is_silent_is_no_clip(self):
        with pytest.raises(BadTake):
            evened(wavs.sine(1.0, sample_rate_hz=RATE_HZ, peak=0.0005))

    @pytest.mark.parametrize("rate_hz", [8000, 44_100, 96_000])
    @pytest.mark.parametrize("channels", [1, 2])
    def test_a_recording_of_any_usual_rate_is_taken(self, rate_hz, channels):
        assert recording(_wav(1.0, rate_hz, channels)).size == pytest.approx(RATE_HZ, abs=2)

    @pytest.mark.parametrize(
        ("made", "error"),
        [
            (lambda: b"", NotWav),
            (lambda: b"no WAV at all", NotWav),
            (lambda: b"RIFF" + struct.pack("<I", 4) + b"WAVE", NotWav),
            (lambda: _wav(1.0, 44_100, 3), BadTake),
            (lambda: _wav(1.0, 44_100, 1, width=1), BadTake),
            (lambda: _wav(1.0, 43_000, 1), BadTake),
            (lambda: _wav(0.0, 44_100, 1), BadTake),
            (lambda: _wav(1.0, 44_100, 1)[:-1000], BadTake),
            (lambda: _wav(61.0, 8000, 1), TakeTooLarge),
        ],
    )
    def test_anything_else_is_refused(self, made, error):
        with pytest.raises(error):
            recording(made())


def _wav(length_s, rate_hz, channels, width=2):
    """A sine in every channel."""
    samples = (wavs.sine(length_s, sample_rate_hz=rate_hz) * 20_000).astype(f"<i{width}")
    out = io.BytesIO()
    with wave.open(out, "wb") as writer:
        writer.setparams((channels, width, rate_hz, 0, "NONE", ""))
        writer.writeframes(np.repeat(samples, channels).tobytes())
    return out.getvalue()


class TestEspeak:
    def test_a_sentence_is_spoken(self):
        sound = evened(Espeak().speak("Keep it.", "en"))
        assert 0.3 < sound.size / RATE_HZ < 2
        assert loudness(np.tile(sound, 6), RATE_HZ) == pytest.approx(TARGET_LUFS, abs=0.5)

    def test_where_it_is_not_installed_it_says_how_to_install_it(self, monkeypatch):
        monkeypatch.setenv("PATH", "")
        with pytest.raises(MemoryEngineError, match="apt-get install espeak-ng"):
            Espeak().speak("Keep it.", "en")

    def test_it_has_a_voice_for_every_language_and_reads_all_that_is_wanted(self):
        assert set(VOICES) == set(languages())
        for language in languages():
            assert all(Espeak().reads(text, language) for text in wanted(say_in(language), DEFAULTS).values())

    def test_it_reads_no_kanji(self):
        assert not Espeak().reads("何が聞こえますか。", "ja")
        assert Espeak().reads("なにが、きこえますか。", "ja")

    @pytest.mark.parametrize("language", languages())
    def test_no_two_signs_of_a_code_sound_alike(self, language):
        texts = wanted(say_in(language), DEFAULTS)
        sounds = {sign: _phonemes(texts[f"sign-{sign.lower()}"], language) for sign in ALPHABET}
        pairs = itertools.combinations(sounds.items(), 2)
        assert [(a, b) for (a, one), (b, other) in pairs if _apart(one, other) < 2] == []


def _phonemes(text, language):
    """What espeak-ng says, sound by sound, without stress, length and the language it borrows."""
    command = [PROGRAM, "-v", VOICES[language], "-q", "-x", "--sep=_", "--stdin"]
    said = subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout.decode()
    sounds = re.sub(r"\(\w+\)|['ˌ,!|:;]", "", said).replace("\n", "_").replace(" ", "_").split("_")
    return [sound for sound, _ in itertools.groupby(filter(None, sounds))]


def _apart(one, other):
    """How many sounds must be changed, left out or put in to make one of the other (Levenshtein, 1966)."""
    row = list(range(len(other) + 1))
    for number, sound in enumerate(one, 1):
        before, row[0] = row[0], number
        for place, heard in enumerate(other, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (sound != heard))
    return row[-1]
