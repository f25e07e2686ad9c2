"""Closing a session: what is kept safe, and seeing to it from the page."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Node, Visit, visit
from tests.browser.test_pages import leave
from tests.browser.test_steward import SIZES, button, command, moment, secret_of, sign_in, violations

DONE_MS = 30_000


@pytest.fixture
def steward(speaking_browser: Browser, node: Node) -> Any:
    opened = visit(speaking_browser, node)
    yield opened
    opened.context.close()


def row(page: Page, kind: str) -> Any:
    return page.locator(f".ops-care [data-care={kind}]")


def tile(page: Page, name: str) -> Any:
    return page.locator(".ops-kept li").filter(has=page.get_by_role("heading", name=name))


def closing(opened: Visit, secret: str) -> Page:
    page = sign_in(opened, secret)
    moment(page, "close")
    return page


def test_a_steward_makes_a_backup_an_export_and_an_audit_before_leaving(steward, node, voice):
    leave(node, voice)
    page = closing(steward, secret_of(node))
    expect(tile(page, "Last audit")).to_contain_text("none yet")
    expect(tile(page, "Last verified backup")).to_contain_text("none yet")
    button(page, "Audit now").click()
    expect(row(page, "audit")).to_contain_text("by steward: nothing found; takes looked at: 1.", timeout=DONE_MS)
    button(page, "Make a backup").click()
    expect(row(page, "backup")).to_contain_text("Read back and found whole.", timeout=DONE_MS)
    expect(row(page, "backup")).to_contain_text("Encrypted with this node's passphrase")
    expect(row(page, "backup")).to_contain_text(str(node.data_dir))
    button(page, "Export").click()
    expect(row(page, "export")).to_contain_text("Not encrypted", timeout=DONE_MS)
    for name in ("Last audit", "Last verified backup"):
        expect(tile(page, name)).to_contain_text("fine")
    steward.clean()


def test_how_far_it_is_is_pushed_and_no_second_is_asked_for_meanwhile(steward, node):
    page = closing(steward, secret_of(node))
    node.care(kind="audit", done=3, total=12)
    expect(row(page, "audit")).to_contain_text("Audit: 3 of 12")
    assert page.locator(".ops-care progress").evaluate("bar => bar.value / bar.max") == 0.25
    expect(button(page, "Audit now")).to_be_disabled()
    expect(button(page, "Make a backup")).to_be_enabled()
    for size in SIZES:
        page.set_viewport_size(size)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), size
    node.care()
    expect(button(page, "Audit now")).to_be_enabled()
    expect(page.locator(".ops-care progress")).to_have_count(0)
    steward.clean()


def test_what_an_audit_found_is_told_with_what_to_do_until_it_is_mended(steward, node, voice):
    leave(node, voice)
    orphan = node.data_dir / "data" / "sounds" / "raw" / "nobody" / "audio.wav"
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"This was a voice.")
    page = closing(steward, secret_of(node))
    button(page, "Audit now").click()
    expect(page.locator(".ops-found + ol")).to_contain_text("Bytes that nothing names: 1.", timeout=DONE_MS)
    expect(page.locator(".ops-found + ol")).to_contain_text("raw/nobody/audio.wav")
    expect(tile(page, "Last audit")).to_contain_text("wrong")
    expect(page.locator(".ops-next")).to_contain_text("The last audit found what must not be: 1.")
    for size in SIZES[:2]:
        page.set_viewport_size(size)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), size
    assert "mended: orphan" in command(node, "audit", "--repair")
    expect(page.locator(".ops-found")).to_have_count(0)
    expect(tile(page, "Last audit")).to_contain_text("fine")
    steward.clean()


def test_a_curator_sees_and_cannot_begin(steward, node):
    secret = command(node, "steward", "add", "Carl", "--role", "curator").split()[-1]
    page = closing(steward, secret)
    expect(page.locator(".ops-care tr")).to_have_count(3)
    expect(page.locator(".ops-care .button")).to_have_count(0)
