"""A certificate authority of a node's own: whom it convinces, when certificates are made anew, what damage does."""

import os
import stat
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from hypothesis import HealthCheck, given
from hypothesis import settings as told
from hypothesis import strategies as st

from core.adapters import vault
from core.adapters.certificates import FolderAuthority
from core.domain.certificates import (
    FLOOR,
    LEAF_DAYS,
    Leaf,
    Names,
    Reason,
    Span,
    leaf_span,
    names_of,
    renewal,
    root_span,
)
from core.domain.clocks import Doubt
from core.errors import BadArchive, Misconfigured, NotFound
from core.services.certificates import CertificateService

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ROOM = names_of(["room.test", "192.0.2.7"])

LABEL = st.from_regex("[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
HOSTS = st.lists(LABEL, min_size=1, max_size=4).map(".".join).filter(lambda name: not name[-1].isdigit())
NAMES = st.lists(HOSTS | st.ip_addresses().map(str), min_size=1, max_size=8)
MOMENTS = st.integers(0, 80_000).map(lambda days: datetime(1971, 1, 1, tzinfo=UTC) + timedelta(days=days))


@dataclass(kw_only=True)
class TwoClocks:
    """A node's clock; in doubt where `believed` is another time."""

    system: datetime = NOW
    believed: datetime | None = None

    def now(self) -> datetime:
        return max(self.system, self.believed or self.system)

    def earlier(self) -> datetime:
        return min(self.system, self.believed or self.system)

    def doubt(self) -> Doubt | None:
        if self.believed is None:
            return None
        return Doubt(system_now=self.system, believed_now=self.believed, since=self.believed)


@dataclass(kw_only=True)
class Kept:
    """A service on a folder of its own."""

    folder: Path
    clock: TwoClocks
    wanted: Names = ROOM

    @property
    def authority(self) -> FolderAuthority:
        return FolderAuthority(self.folder)

    @property
    def service(self) -> CertificateService:
        return CertificateService(self.authority, self.clock, node_name="The Long Room", used=True)

    def keep(self, **given: bool) -> Reason | None:
        return self.service.keep(self.wanted, **given)

    def leaf(self) -> Leaf:
        leaf = self.service.standing().leaf
        assert leaf is not None
        return leaf

    def fingerprint(self) -> str:
        return self.service.standing().root.fingerprint

    def convinces(self, name: str, at: datetime | None = None) -> bool:
        """Whether somebody who trusts the root, and nobody else, believes that this is `name`."""
        leaf, *others = x509.load_pem_x509_certificates(self.authority.chain.read_bytes())
        root = x509.load_pem_x509_certificate(self.service.standing().root.pem.encode())
        policy = PolicyBuilder().store(Store([root])).time(at or self.clock.system)
        try:
            asked = x509.IPAddress(ip_address(name))
        except ValueError:
            asked = x509.DNSName(name)
        try:
            policy.build_server_verifier(asked).verify(leaf, others)
        except VerificationError:
            return False
        return True


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(folder=tmp_path, clock=TwoClocks())


@told(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=NAMES, other=HOSTS | st.ip_addresses().map(str))
def test_whoever_trusts_the_root_believes_every_name_and_no_other(kept: Kept, names: list[str], other: str) -> None:
    kept.wanted = names_of(names)
    kept.keep(asked=True)
    every = kept.wanted.hosts | kept.wanted.addresses
    assert all(kept.convinces(name) for name in every)
    assert kept.convinces(other) is (other in every)


def test_another_root_of_the_same_name_convinces_nobody_of_this_one(kept: Kept, tmp_path: Path) -> None:
    kept.keep()
    stranger = Kept(folder=tmp_path / "other", clock=kept.clock)
    stranger.folder.mkdir()
    stranger.keep()
    (kept.folder / "certificates" / "root.pem").write_bytes((stranger.folder / "certificates/root.pem").read_bytes())
    assert not kept.convinces("room.test")


@pytest.mark.parametrize(
    ("given_names", "hosts", "addresses"),
    [
        (["Room.Test.", " hall "], {"room.test", "hall"}, set()),
        (["0.0.0.0", "::", "224.0.0.1"], set(), set()),
        (["[::1]", "fe80::1%eth0", "10.0.0.1"], set(), {"::1", "fe80::1", "10.0.0.1"}),
        (["müller.example"], {"xn--mller-kva.example"}, set()),
        (["", "a b", "-a.example", "a..b", "*", "x" * 64], set(), set()),
    ],
)
def test_names_are_sorted_and_what_no_certificate_carries_is_left_out(
    given_names: list[str], hosts: set[str], addresses: set[str]
) -> None:
    assert names_of(given_names) == Names(hosts=frozenset(hosts), addresses=frozenset(addresses))


def test_a_good_certificate_stays(kept: Kept) -> None:
    assert kept.keep() is Reason.NONE_YET
    before = kept.leaf()
    kept.clock.system += 300 * DAY
    assert kept.keep() is None
    assert kept.leaf() == before
    assert before.span.ends - before.span.begins <= timedelta(days=LEAF_DAYS)


@pytest.mark.parametrize(
    ("days", "wanted", "reason"),
    [
        (LEAF_DAYS - 40, ["room.test"], None),
        (LEAF_DAYS - 30, ["room.test"], Reason.ENDING),
        (LEAF_DAYS + 5, ["room.test"], Reason.ENDING),
        (-2, ["room.test"], Reason.EARLY),
        (0, ["room.test", "hall.test"], Reason.NAMES),
        (0, ["192.0.2.8"], Reason.NAMES),
    ],
)
def test_one_is_made_anew_in_time_with_every_name_and_of_the_same_root(
    kept: Kept, days: int, wanted: list[str], reason: Reason | None
) -> None:
    kept.keep()
    root, before = kept.fingerprint(), kept.leaf()
    kept.clock.system += days * DAY
    kept.wanted = names_of(wanted)
    assert kept.keep() is reason
    assert kept.keep() is None
    assert kept.fingerprint() == root
    assert (kept.leaf() == before) is (reason is None)
    assert all(kept.convinces(name) for name in wanted)


def test_a_clock_in_doubt_locks_nobody_out(kept: Kept) -> None:
    kept.keep()
    root = kept.fingerprint()
    kept.clock = TwoClocks(system=NOW + 2000 * DAY, believed=NOW)
    assert kept.keep() is Reason.ENDING
    assert kept.keep() is None
    for moment in (NOW, NOW + 2000 * DAY):
        assert kept.convinces("room.test", moment)
    kept.clock = TwoClocks(system=NOW)
    assert kept.keep() is Reason.TOO_LONG
    assert kept.leaf().span.ends - NOW < timedelta(days=LEAF_DAYS)
    assert kept.fingerprint() == root


def test_a_root_made_in_the_year_2000_is_good_when_the_clock_is_set_right(kept: Kept) -> None:
    kept.clock.system = LONG_AGO
    kept.keep()
    root = kept.fingerprint()
    assert kept.convinces("room.test", LONG_AGO)
    kept.clock.system = NOW
    assert kept.keep() is Reason.ENDING
    assert kept.convinces("room.test", NOW)
    assert kept.fingerprint() == root


def test_a_root_that_has_ended_for_certain_is_replaced_and_no_other(kept: Kept) -> None:
    kept.keep()
    root = kept.fingerprint()
    ended = kept.service.standing().root.span.ends + DAY
    kept.clock = TwoClocks(system=ended, believed=NOW)
    kept.keep()
    assert kept.fingerprint() == root
    kept.clock = TwoClocks(system=ended)
    kept.keep()
    assert kept.fingerprint() != root
    assert kept.convinces("room.test", ended)


@given(MOMENTS, MOMENTS, st.timedeltas(timedelta(0), timedelta(days=2000)))
def test_a_certificate_never_outlives_its_root_and_is_not_made_twice(
    made: datetime, one: datetime, by: timedelta
) -> None:
    root = root_span(made)
    assert root.holds(FLOOR, FLOOR + 9 * 365 * DAY)
    earlier, later = min(one, root.ends - DAY), min(one, root.ends - DAY) + by
    fresh = leaf_span(root, earlier, later)
    assert root.begins <= fresh.begins <= fresh.ends <= root.ends
    leaf = Leaf(names=ROOM, span=fresh, fingerprint="")
    assert renewal(leaf, fresh, ROOM, earlier, later) is None
    if root.begins + DAY <= earlier and later + LEAF_DAYS * DAY < root.ends:
        assert fresh.holds(earlier, later)
    if later >= fresh.begins:
        past = replace(leaf, span=Span(begins=fresh.begins, ends=fresh.begins))
        assert (renewal(past, fresh, ROOM, earlier, later) is Reason.ENDING) is (fresh.ends > fresh.begins)


def test_folder_and_files_are_for_their_owner_alone(kept: Kept) -> None:
    before = os.umask(0)
    try:
        kept.keep()
    finally:
        os.umask(before)
    folder = kept.folder / "certificates"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert "PRIVATE" not in kept.service.standing().root.pem


@pytest.mark.parametrize("damage", [b"", b"no certificate", None], ids=["empty", "rubbish", "half"])
def test_a_damaged_certificate_is_made_anew_and_the_root_kept(kept: Kept, damage: bytes | None) -> None:
    kept.keep()
    root, path = kept.fingerprint(), kept.authority.chain
    path.write_bytes(path.read_bytes()[:900] if damage is None else damage)
    assert kept.keep() is Reason.DAMAGED
    assert kept.convinces("room.test")
    assert kept.fingerprint() == root


@pytest.mark.parametrize("lost", [True, False], ids=["lost", "damaged"])
def test_a_root_that_is_lost_is_never_replaced_in_silence(kept: Kept, lost: bool) -> None:
    kept.keep()
    path = kept.folder / "certificates" / "root.pem"
    if lost:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(Misconfigured, match="new-root"):
        kept.keep()
    assert kept.authority.secrets() == {}
    kept.service.new_root(kept.wanted)
    assert kept.convinces("room.test")


def test_before_its_first_start_there_is_nothing_to_trust(kept: Kept) -> None:
    with pytest.raises(NotFound, match="TLS"):
        kept.service.standing()


def test_killed_while_it_writes_it_has_the_old_one_and_then_a_new_one(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.keep()
    before = kept.leaf()

    def killed(_path: Path, _target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(vault.Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            kept.keep(asked=True)
    assert [path.name for path in kept.authority.chain.parent.glob("*.partial")] == ["node.pem.partial"]
    assert kept.leaf() == before
    assert kept.convinces("room.test")
    assert kept.keep(asked=True) is Reason.ASKED
    assert kept.convinces("room.test")
    assert kept.leaf() != before


def test_killed_between_a_new_root_and_its_certificate_the_next_start_makes_that(kept: Kept) -> None:
    kept.keep()
    kept.authority.make_root(root_span(NOW), "The Long Room")
    assert kept.keep() is Reason.DAMAGED
    assert kept.convinces("room.test")


def test_a_copy_carries_the_root_to_a_fresh_folder(kept: Kept, tmp_path: Path) -> None:
    kept.keep()
    other = Kept(folder=tmp_path / "other", clock=kept.clock)
    other.folder.mkdir()
    other.authority.take_over({"code_key": "of no interest"})
    with pytest.raises(NotFound):
        other.service.standing()
    other.authority.take_over(kept.authority.secrets())
    assert other.keep() is Reason.NONE_YET
    assert other.fingerprint() == kept.fingerprint()
    assert other.convinces("room.test")
    with pytest.raises(BadArchive):
        other.authority.take_over({"certificate_root": "ü"})


def test_the_fingerprint_is_compared_in_groups_of_four(kept: Kept) -> None:
    kept.keep()
    root = kept.service.standing().root
    assert [len(group) for group in root.grouped.split(" ")] == [4] * 16
    assert root.grouped.replace(" ", "").lower() == root.fingerprint
