"""How a node is reached, by its doctor: certificates and screens are broken, found, and mended by the remedy."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.adapters.certificates import FolderAuthority
from core.domain.certificates import ROOT_SOON_DAYS, Names, Span
from core.domain.device import Activity, Permission, Surface
from memory_ui.addresses import certified
from memory_ui.appliance.findings import Level
from memory_ui.cli import app
from tests.fakes import FrozenClock
from tests.patients import NOBODY, is_well, only
from tests.sinks import web_sink
from tests.takes import a_page

OWN = {"TLS": "internal"}
HERE = Names(hosts=frozenset({"localhost"}), addresses=frozenset({"127.0.0.1"}))
ELSEWHERE = Names(hosts=frozenset({"elsewhere.test"}), addresses=frozenset())


@pytest.fixture
def clock():
    """The machine's own, so that the command line agrees with the node."""
    return FrozenClock(datetime.now(UTC))


@pytest.fixture
def typed(ground):
    """Types a command of the node's, as the remedy says it."""

    def run(remedy: str, command: str) -> None:
        assert f"memory-engine {command}" in remedy
        answer = "y\n" if "new-root" in command else None
        given = [*command.split(), "--data-dir", str(ground.folder)]
        result = CliRunner().invoke(app, given, input=answer, env=ground.environment)
        assert result.exit_code == 0, result.output

    return run


def ending(clock, days):
    """Dates that began long before."""
    now = clock.now().replace(microsecond=0)
    return Span(begins=now - timedelta(days=300), ends=now + timedelta(days=days))


@contextmanager
def shown(authority: FolderAuthority) -> Iterator[str]:
    """The address of a server that shows what an authority has made."""
    with web_sink(authority.chain) as sink:
        yield f"https://127.0.0.1:{sink.port}"


@pytest.mark.engine("embedded")
class TestItsOwnCertificate:
    @pytest.fixture
    def authority(self, node, ground):
        """The node's own, with everything made."""
        node.system.certificates.keep(certified(node.system.settings))
        return FolderAuthority(ground.folder)

    def test_before_the_first_start_nothing_is_wrong(self, found):
        assert is_well(found("certificate", **OWN))

    @pytest.mark.parametrize(("days", "level"), [(20, Level.WARN), (-1, Level.FAIL)])
    def test_one_that_was_not_renewed_is_by_its_remedy(self, authority, found, typed, clock, days, level):
        assert is_well(found("certificate", **OWN))
        authority.make_leaf(ending(clock, days), HERE)
        finding = found("certificate", **OWN)[-1]
        assert finding.level is level
        typed(finding.remedy, "certificate renew")
        assert is_well(found("certificate", **OWN))

    def test_one_that_is_damaged_is_made_anew_by_its_remedy(self, authority, found, typed):
        authority.chain.write_text("no certificate at all")
        finding = found("certificate", **OWN)[-1]
        assert finding.level is Level.WARN
        typed(finding.remedy, "certificate renew")
        assert is_well(found("certificate", **OWN))

    def test_a_root_that_ends_is_replaced_by_its_remedy(self, authority, found, typed, clock):
        for make in (lambda span: authority.make_root(span, "room"), lambda span: authority.make_leaf(span, HERE)):
            make(ending(clock, ROOT_SOON_DAYS - 1))
        finding = found("certificate", **OWN)[-1]
        assert finding.level is Level.WARN
        typed(finding.remedy, "certificate new-root")
        assert is_well(found("certificate", **OWN))

    @pytest.mark.parametrize("mended_by", ["putting it back", "another"])
    def test_a_root_that_is_lost_fails_until_there_is_one(self, authority, ground, found, typed, mended_by):
        root = ground.folder / "certificates" / "root.pem"
        away = root.rename(root.with_suffix(".away"))
        finding = found("certificate", **OWN)[-1]
        assert (finding.level, "certificates/root.pem" in finding.remedy) == (Level.FAIL, True)
        if mended_by == "another":
            typed(finding.remedy, "certificate new-root")
        else:
            away.rename(root)
        assert is_well(found("certificate", **OWN))

    def test_one_of_a_clock_that_was_ahead_is_made_anew_by_its_remedy(self, authority, found, typed, clock):
        authority.make_leaf(replace(ending(clock, 300), begins=clock.now() + timedelta(days=30)), HERE)
        finding = found("certificate", **OWN)[-1]
        assert (finding.level, "Set the clock right" in finding.remedy) == (Level.WARN, True)
        typed(finding.remedy, "certificate renew")
        assert is_well(found("certificate", **OWN))

    def test_what_is_shown_is_looked_at_until_it_is_the_new_one(
        self, authority, found, typed, clock, tmp_path, monkeypatch
    ):
        trusting(authority, tmp_path, monkeypatch)
        authority.make_leaf(ending(clock, -1), HERE)
        with shown(authority) as address:
            finding = found("certificate", PUBLIC_URL=address, **OWN)[0]
        assert (finding.level, "ended on" in finding.detail) == (Level.FAIL, True)
        typed(finding.remedy, "certificate renew")
        with shown(authority) as address:
            assert is_well(found("certificate", PUBLIC_URL=address, **OWN))


def trusting(authority: FolderAuthority, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on this machine trusts an authority."""
    root = authority.root()
    assert root is not None
    (folder / "root.crt").write_text(root.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "root.crt"))


class TestTheCertificateOfAProxy:
    @pytest.fixture
    def proxy(self, tmp_path, clock):
        """The authority of a proxy, on another machine."""
        authority = FolderAuthority(tmp_path)
        authority.make_root(ending(clock, 3000), "a proxy")
        authority.make_leaf(ending(clock, 90), HERE)
        return authority

    def test_one_that_nobody_shows_fails_until_the_proxy_runs(self, proxy, found, tmp_path, monkeypatch):
        trusting(proxy, tmp_path, monkeypatch)
        with shown(proxy) as address:
            assert is_well(found("certificate", PUBLIC_URL=address))
        finding = only(found("certificate", PUBLIC_URL=address))
        assert (finding.level, "Start the proxy" in finding.remedy) == (Level.FAIL, True)

    def test_one_that_is_not_trusted_here_is_once_its_root_is_installed(self, proxy, found, tmp_path, monkeypatch):
        with shown(proxy) as address:
            finding = only(found("certificate", PUBLIC_URL=address))
            assert (finding.level, "Install the root certificate" in finding.remedy) == (Level.WARN, True)
            trusting(proxy, tmp_path, monkeypatch)
            assert is_well(found("certificate", PUBLIC_URL=address))

    @pytest.mark.parametrize(
        ("days", "names", "level", "remedy"),
        [
            (-1, HERE, Level.FAIL, "Have it renewed"),
            (13, HERE, Level.WARN, "Have it renewed"),
            (90, ELSEWHERE, Level.FAIL, "Have it issued for the host of PUBLIC_URL"),
        ],
        ids=["ended", "ends soon", "is for another name"],
    )
    def test_one_that_is_not_good_is_mended_by_another(
        self, proxy, found, tmp_path, monkeypatch, clock, days, names, level, remedy
    ):
        trusting(proxy, tmp_path, monkeypatch)
        proxy.make_leaf(ending(clock, days), names)
        with shown(proxy) as address:
            finding = only(found("certificate", PUBLIC_URL=address))
        assert (finding.level, remedy in finding.remedy) == (level, True)
        proxy.make_leaf(ending(clock, 90), HERE)
        with shown(proxy) as address:
            assert is_well(found("certificate", PUBLIC_URL=address))


class TestScreens:
    def test_a_public_address_without_https_fails_until_it_has_it(self, found):
        named = {"ALLOWED_HOSTS": "room.example.org"}
        finding = found("screens", PUBLIC_URL="http://room.example.org", **named)[0]
        assert (finding.level, "https:// address" in finding.remedy) == (Level.FAIL, True)
        assert is_well(found("screens", PUBLIC_URL="https://room.example.org", **named))

    @pytest.mark.engine("embedded")
    @pytest.mark.parametrize("mended", [{"TLS": "internal"}, {"PUBLIC_URL": "https://localhost"}], ids=str)
    def test_a_node_for_a_network_is_warned_of_until_it_has_https(self, found, mended):
        finding = found("screens", HOST="0.0.0.0")[0]
        assert (finding.level, all(name in finding.remedy for name in mended)) == (Level.WARN, True)
        assert is_well(found("screens", HOST="0.0.0.0", **mended))

    @pytest.mark.parametrize(
        ("surface", "trouble", "level", "remedy"),
        [
            (Surface.ROOM, {"activity": Activity.BLOCKED}, Level.FAIL, "allow sound for this page"),
            (Surface.ROOM, {"activity": Activity.SOUNDING, "since_s": 16.0}, Level.FAIL, "test tone"),
            (Surface.KIOSK, {"permission": Permission.DENIED}, Level.FAIL, "Allow the microphone"),
            (Surface.KIOSK, {"permission": Permission.GRANTED, "microphone": ""}, Level.FAIL, "plugged in"),
            (Surface.KIOSK, {"microphone_silent": True}, Level.WARN, "its cable, its switch"),
        ],
        ids=["autoplay is blocked", "silent", "microphone refused", "no microphone", "microphone silent"],
    )
    def test_what_an_open_page_may_not_or_cannot_do_is_told_until_it_can(
        self, node, found, surface, trouble, level, remedy
    ):
        node.system.devices.report([a_page(node, surface, **trouble)])
        finding = found("screens")[0]
        assert (finding.level, remedy in finding.remedy) == (level, True)
        node.system.devices.report([a_page(node, surface)])
        assert is_well(found("screens"))

    def test_without_a_browser_it_says_how_to_get_one_and_what_opens_it(self, ground, node, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))

        def said():
            given = ["doctor", "--json", "--data-dir", str(ground.folder), "--url", NOBODY]
            findings = json.loads(CliRunner().invoke(app, given, env=ground.environment).stdout)["findings"]
            return only([one for one in findings if one["what"] == "screens" and "hromium" in one["detail"]])

        assert (said()["level"], "apt-get install chromium" in said()["remedy"]) == ("WARN", True)
        (tmp_path / "chromium").touch(mode=0o755)
        assert said()["level"] == "PASS"
        assert "--autoplay-policy=no-user-gesture-required" in said()["detail"]
        assert "media_stream_mic" in said()["detail"]
