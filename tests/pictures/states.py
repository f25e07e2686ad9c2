"""Every state of the kiosk on one sheet a language, each with its name under it."""

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageColor, ImageDraw, ImageFont
from playwright.sync_api import Browser

from tests.browser.conftest import Node, visit
from tests.browser.kiosk_states import STATES, Kiosk
from tests.pictures.camera import IMAGES, WIDE

LANGUAGES = ("en", "de", "ja", "ar")
IN_A_ROW = 4
SHOWN_PX = (416, 260)
GAP_PX = 12
NAME_PX = 22
TABLE, PAPER, LIT, INK, CLAY = "#d8d0c2", "#f3ede1", "#fbf8f1", "#1d1915", "#96442a"


def sheets(browser: Browser, node: Node, voice: Path) -> None:
    """One picture for each of `LANGUAGES`."""
    visitor = visit(browser, node, viewport=WIDE, reduced_motion="reduce")
    kiosk = Kiosk(visitor, node, voice)
    for language in LANGUAGES:
        path = IMAGES / f"kiosk-{language}.png"
        drawn = sheet(kiosk, language).quantize(palette=palette(), dither=Image.Dither.NONE)
        drawn.save(path, optimize=True)
        print(f"{path.name}, {path.stat().st_size // 1000} kB", flush=True)
    visitor.context.close()


def palette() -> Image.Image:
    """The few colours the kiosk has, and what lies between paper and each of its inks."""
    tones = [TABLE, LIT, *(_between(ink, part / 9) for ink in (INK, CLAY) for part in range(10))]
    found = Image.new("P", (1, 1))
    found.putpalette([value for tone in tones for value in ImageColor.getrgb(tone)])
    return found


def _between(ink: str, share: float) -> str:
    pairs = zip(ImageColor.getrgb(PAPER), ImageColor.getrgb(ink), strict=True)
    return "#" + "".join(f"{round(paper + (inked - paper) * share):02x}" for paper, inked in pairs)


def sheet(kiosk: Kiosk, language: str) -> Image.Image:
    """Every state in one language."""
    width, height = SHOWN_PX[0] + GAP_PX, SHOWN_PX[1] + GAP_PX + NAME_PX
    rows = -(-len(STATES) // IN_A_ROW)
    drawn = Image.new("RGB", (IN_A_ROW * width + GAP_PX, rows * height + GAP_PX), TABLE)
    pen, font = ImageDraw.Draw(drawn), ImageFont.load_default(14)
    for number, shown in enumerate(STATES):
        kiosk.show(shown, language)
        taken = Image.open(BytesIO(kiosk.page.screenshot())).convert("RGB")
        x, y = GAP_PX + number % IN_A_ROW * width, GAP_PX + number // IN_A_ROW * height
        drawn.paste(taken.resize(SHOWN_PX, Image.Resampling.LANCZOS), (x, y))
        pen.text((x, y + SHOWN_PX[1] + 2), shown.name, fill=INK, font=font)
    return drawn
