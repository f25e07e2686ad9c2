"""A memory colour at the kiosk: chosen and heard in review, kept with the take, and what the room then plays."""

import tomllib
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import ROOT, Node, Visit, record, row, stage, until, visit
from tests.browser.test_pages import SIZES, TARGET_PX, at_every_size, least

COPY = tomllib.loads((ROOT / "assets/copy/en.toml").read_text())
CODES = [colour["code"] for colour in tomllib.loads((ROOT / "assets/catalogs/colours.toml").read_text())["colours"]]
FITTING = ("wide", "wall", "phone")
"""Sizes at which the whole of the review stands on one screen."""

SHELLAC = """

[[colours]]
code = "shellac"
topology = "driven"
gain = 0.3
filters = [{ kind = "highpass", frequency_hz = 500, q = 0.8 }]
drive = 3
states = [{ low_hz = 100, high_hz = 250, at_most_db = -8 }]
"""

EAR = """
// Dreams built, and what leaves the loudspeaker: glimpses of it, for as long as is asked.
window.__dreams = 0;
const Convolver = window.ConvolverNode;
window.ConvolverNode = class extends Convolver { constructor(...a) { super(...a); window.__dreams += 1; } };
window.__glimpses = (count) => new Promise((resolve) => {
  const seen = [];
  const look = setInterval(() => {
    const sum = new Float32Array(2048);
    for (const tap of window.__taps) {
      const samples = new Float32Array(2048);
      tap.getFloatTimeDomainData(samples);
      samples.forEach((sample, i) => { sum[i] += sample; });
    }
    seen.push(Array.from(sum));
    if (seen.length === count) { clearInterval(look); resolve(seen); }
  }, 50);
});
"""


@pytest.fixture
def speaker(speaking_browser: Browser, node: Node) -> Iterator[Visit]:
    """Someone with a voice, and an ear at the loudspeaker."""
    opened = visit(speaking_browser, node)
    opened.context.add_init_script(EAR)
    yield opened
    opened.context.close()


def word(code: str) -> str:
    return str(COPY["kiosk"][f"colour_{code}" if code else "as_spoken"])


def choose(page: Page, code: str) -> None:
    page.get_by_text(word(code), exact=True).click()


def chosen(page: Page) -> str:
    return str(page.locator("input[name=kiosk-colour]:checked").get_attribute("value"))


def sounds(page: Page) -> bool:
    return bool(page.evaluate("window.__rms()") > 0.003)


def brightness_db(page: Page) -> float:
    """How much there is from 6 to 9 kHz in three seconds of the loudspeaker, against what carries a voice."""
    glimpses = np.array(page.evaluate("window.__glimpses(60)"))
    power = (np.abs(np.fft.rfft(glimpses * np.hanning(glimpses.shape[1]), axis=1)) ** 2).sum(axis=0)
    rate_hz = page.evaluate("window.__taps[0].context.sampleRate")
    hz = np.fft.rfftfreq(glimpses.shape[1], 1 / rate_hz)
    return 10 * float(np.log10(power[(hz > 6000) & (hz < 9000)].sum() / power[(hz > 300) & (hz < 2000)].sum()))


def artifacts(node: Node) -> list[dict[str, Any]]:
    """As a steward reads them."""
    with httpx.Client(base_url=node.url) as client:
        secret = (node.data_dir / "data" / "steward-secret.txt").read_text().strip()
        assert client.post("/ops/", data={"secret": secret}).status_code == 303
        found: list[dict[str, Any]] = client.get("/api/v1/operator/artifacts").json()["artifacts"]
    return found


def test_a_colour_is_chosen_heard_kept_and_played(node: Node, speaker: Visit) -> None:
    kiosk = speaker.open("/kiosk/")
    record(kiosk, 5)
    kiosk.get_by_role("button", name="Listen").click()
    until(lambda: sounds(kiosk), what="the take as it was spoken")
    kiosk.get_by_role("button", name="Stop listening").click()
    until(lambda: not sounds(kiosk), what="silence")
    kiosk.get_by_role("button", name="Listen").click()
    until(lambda: sounds(kiosk), what="the take again")
    dry = brightness_db(kiosk)
    assert kiosk.evaluate("window.__dreams") == 0
    until(lambda: not sounds(kiosk), what="its end")

    choose(kiosk, "dream")
    until(lambda: sounds(kiosk), what="the take in its colour, without another touch")
    assert brightness_db(kiosk) < dry - 4
    assert kiosk.evaluate("window.__dreams") == 1
    assert kiosk.get_by_role("radio", name=word("dream")).is_checked()
    assert word("dream") in kiosk.locator("[aria-live=polite]").all_inner_texts()

    kiosk.keyboard.press("1")
    kiosk.keyboard.press("Space")  # a finger chose the colour: Space is the primary action's
    stage(kiosk, "complete")
    assert row(node)["effect"] == "dream"
    assert [found["effect_profile"] for found in artifacts(node)] == ["dream"]
    kiosk.close()

    room = speaker.open("/room/")
    until(lambda: room.evaluate("window.__rms()") > 0.01, what="sound in the room")
    assert room.evaluate("window.__dreams") >= 1
    caption = room.locator(".wall-caption[data-shown=true]")
    until(lambda: COPY["room"]["colour_dream"] in "".join(caption.all_inner_texts()), what="the colour in words")
    speaker.clean()


def test_what_is_heard_once_is_heard_in_its_colour(node: Node, speaker: Visit) -> None:
    kiosk = speaker.open("/kiosk/")
    record(kiosk, 2)
    choose(kiosk, "dream")
    kiosk.keyboard.press("3")
    kiosk.keyboard.press("Enter")
    until(lambda: kiosk.evaluate("window.__dreams") == 2, what="the one hearing, in its colour")
    stage(kiosk, "complete")
    assert kiosk.locator(".kiosk").get_attribute("data-outcome") == "heard"
    assert row(node)["effect"] == "dream"
    speaker.clean()


def test_colours_by_keys_alone_leave_the_ritual_its_own(speaker: Visit) -> None:
    kiosk = speaker.open("/kiosk/")
    record(kiosk, 3)
    group = kiosk.get_by_role("radiogroup", name=COPY["kiosk"]["colours"])
    assert chosen(kiosk) == ""
    group.get_by_role("radio").first.focus()
    for code in CODES:
        kiosk.keyboard.press("ArrowRight")
        assert chosen(kiosk) == code
    until(lambda: sounds(kiosk), what="the last of them")
    kiosk.keyboard.press("ArrowRight")
    assert chosen(kiosk) == ""
    kiosk.keyboard.press("2")
    assert kiosk.locator(".kiosk").get_attribute("data-mode") == "FOSSIL"
    kiosk.keyboard.press("ArrowRight")
    kiosk.keyboard.press("Space")  # on a radio reached by keys, Space is the radio's: nothing is sent by it
    assert kiosk.locator(".kiosk").get_attribute("data-stage") == "review"
    assert chosen(kiosk) == CODES[0]
    kiosk.keyboard.press("Escape")
    stage(kiosk, "idle")
    until(lambda: kiosk.evaluate("window.__rms()") == 0, what="silence", timeout_s=3)
    record(kiosk, 2)
    assert chosen(kiosk) == ""
    speaker.clean()


def test_colours_stand_on_the_screen_without_moving_anything(speaker: Visit) -> None:
    page = speaker.open("/kiosk/")
    stage(page, "idle")
    primary = page.locator(".kiosk-primary button")
    before = {size: primary.bounding_box() for size, _ in sized(page)}
    record(page, 2)
    for size, height in sized(page):
        if size in FITTING:
            assert primary.bounding_box() == before[size]
            assert page.evaluate("document.documentElement.scrollHeight") == height
        assert all(least(label) >= TARGET_PX for label in page.locator(".kiosk-colour").all())
    choose(page, "radio")
    at_every_size(page)
    for code in CODES:
        choose(page, code)
        assert contrast(page) >= 3
    speaker.clean()


def sized(page: Page) -> Iterator[tuple[str, int]]:
    """A page at every size: its name and its height."""
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        yield size, height


def contrast(page: Page) -> float:
    """Of the line's ink against the paper."""
    ink, paper = page.evaluate(
        """() => [getComputedStyle(document.querySelector(".kiosk-ink")).stroke,
                  getComputedStyle(document.querySelector(".kiosk")).backgroundColor].map((colour) => {
          const pen = new OffscreenCanvas(1, 1).getContext("2d");
          pen.fillStyle = colour;
          pen.fillRect(0, 0, 1, 1);
          return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
        })"""
    )
    darker, lighter = sorted((luminance(ink), luminance(paper)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(channels: list[int]) -> float:
    """Relative luminance as WCAG has it."""
    shares = np.array(channels) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_a_new_colour_needs_only_a_catalog_entry(speaker: Visit, node: Node) -> None:
    node.stop()
    node.environment["MORE_COLOURS"] = SHELLAC
    node.start()
    kiosk = speaker.open("/kiosk/")
    record(kiosk, 2)
    offered = [label.inner_text() for label in kiosk.locator(".kiosk-colour").all()]
    assert offered == [*(word(code) for code in ["", *CODES]), "shellac"]
    kiosk.get_by_role("radio", name="shellac").click()
    until(lambda: sounds(kiosk), what="a colour that nobody has put into words")
    kiosk.keyboard.press("1")
    kiosk.keyboard.press("Enter")
    stage(kiosk, "complete")
    assert row(node)["effect"] == "shellac"
    speaker.clean()
