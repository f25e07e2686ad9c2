"""The path of a voice, end to end: spoken, kept, heard in the room, taken back."""

import threading
from pathlib import Path

import httpx
from scipy.signal import resample_poly

from memory_ui.browser import sound_may_come_first
from tests.browser.conftest import Node, Visit, read_wav, record, row, stage, until
from tests.browser.microphone import given, listen_beside, most_off, stretches
from tests.browser.safety import likeness


def test_a_spoken_voice_is_kept_heard_worn_once_and_taken_back(node: Node, speaker: Visit, voice: Path) -> None:
    listen_beside(speaker.context)
    kiosk = speaker.open("/kiosk/")
    record(kiosk, 6)
    microphone = given(kiosk)
    assert node.sounds() == []  # nothing is sent before a mode was chosen and confirmed
    kiosk.keyboard.press("1")
    kiosk.keyboard.press("Space")
    stage(kiosk, "complete")
    code = "-".join(kiosk.locator(".code span").all_inner_texts())

    (path,) = node.sounds()
    stored, rate_hz = read_wav(path)
    spoken, spoken_rate_hz = read_wav(voice)
    spoken = resample_poly(spoken, rate_hz // 100, spoken_rate_hz // 100)
    assert len(stored) / rate_hz > 4
    assert most_off(stored, microphone, rate_hz) < 1.5
    # The microphone itself gives the voice late where the machine is busy, and silence until then; see decision 62.
    voiced = stretches(stored, rate_hz)
    assert len(voiced) > 12
    unlike = sum(likeness(one, spoken) < 0.95 for one in voiced)
    assert unlike <= (2 if sound_may_come_first() else len(voiced) // 2)

    room = speaker.open("/room/")
    with room.expect_request("**/api/v1/media/raw/*") as fetched:
        pass
    sound_url = fetched.value.url
    until(lambda: room.evaluate("window.__rms()") > 0.01, what="sound in the room")
    until(lambda: "A memory for the room" in room.locator(".wall-caption").inner_text(), what="its caption")
    until(lambda: row(node)["plays"] == 1, what="the hearing")
    first = row(node)
    assert 0 < first["wear"] <= 0.003
    assert first["outline"] is not None
    assert httpx.get(sound_url).status_code == 200

    answer = httpx.post(f"{node.url}/api/v1/revoke", json={"token": code.lower().replace("-", " ")})
    assert answer.status_code == 200
    assert answer.json()["revoked_artifacts"] == 1
    assert answer.json()["verified_gone_at"] is not None

    assert node.sounds() == []
    assert httpx.get(sound_url).status_code == 404
    husk = row(node)
    assert husk["state"] == "REVOKED"
    assert husk["gone_at"] is not None
    assert (husk["outline"], husk["raw_key"], husk["sha256"], husk["topic"]) == (None, None, None, "")
    assert husk["plays"] >= 1

    until(lambda: room.evaluate("window.__rms()") < 0.01, what="silence in the room", timeout_s=3)
    until(lambda: room.locator(".wall-trace").count() == 0, what="an empty wall", timeout_s=3)
    heard: list[str] = []
    room.on("request", lambda request: "/media/raw/" in request.url and heard.append(request.url))
    room.wait_for_timeout(6000)
    assert heard == []
    assert room.evaluate("window.__rms()") < 0.01
    assert row(node)["plays"] == husk["plays"]
    speaker.clean()
    assert code not in node.logged()
    assert code.replace("-", "") not in node.logged()


def test_a_one_time_take_is_heard_once_and_gone(node: Node, speaker: Visit) -> None:
    kiosk = speaker.open("/kiosk/")
    played: list[str] = []
    kiosk.on("response", lambda response: "/ephemeral/play/" in response.url and played.append(response.url))
    record(kiosk, 3)
    kiosk.keyboard.press("3")
    kiosk.keyboard.press("Space")
    until(lambda: kiosk.evaluate("window.__rms()") > 0.01, what="the one hearing")
    stage(kiosk, "complete")
    assert kiosk.locator(".kiosk").get_attribute("data-outcome") == "heard"
    assert kiosk.locator(".code").count() == 0
    assert len(played) == 1
    assert httpx.get(played[0]).status_code == 404
    until(lambda: node.sounds() == [], what="the bytes to go")
    until(lambda: row(node)["gone_at"], what="their absence to be verified")
    assert row(node)["state"] == "REVOKED"
    speaker.clean()


def test_of_two_simultaneous_hearings_one_wins(node: Node, voice: Path) -> None:
    sent = httpx.post(f"{node.url}/api/v1/ephemeral/audio", files={"file": ("take.wav", voice.read_bytes())})
    url = node.url + sent.json()["play_url"]
    answers: list[int] = []
    line = threading.Barrier(2)

    def hear() -> None:
        line.wait()
        answers.append(httpx.get(url).status_code)

    threads = [threading.Thread(target=hear) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 404]
    assert httpx.get(url).status_code == 404
    until(lambda: node.sounds() == [], what="the bytes to go")


def test_a_paused_room_falls_silent_and_comes_back(node: Node, speaker: Visit, voice: Path) -> None:
    httpx.post(
        f"{node.url}/api/v1/artifacts/audio",
        files={"file": ("take.wav", voice.read_bytes())},
        data={"consent_mode": "ROOM"},
    )
    room = speaker.open("/room/")
    kiosk = speaker.open("/kiosk/")
    stage(kiosk, "idle")
    until(lambda: room.evaluate("window.__rms()") > 0.01, what="sound in the room")
    node.change(playback_paused=True)
    until(lambda: room.evaluate("window.__rms()") < 0.0005, what="silence", timeout_s=5)
    node.change(intake_paused=True)
    kiosk.wait_for_selector(".kiosk[data-blocked=paused]", timeout=5000)
    node.change(playback_paused=False)
    until(lambda: room.evaluate("window.__rms()") > 0.01, what="sound again", timeout_s=10)
    speaker.clean()
