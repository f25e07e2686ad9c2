"""What must hold after the storm, by what the clients were told, what the rows say and what the store holds."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from core.bootstrap import System
from core.domain.artifact import Artifact, State
from core.domain.consent import Kind
from core.domain.custody import LEDGER_PREFIX
from core.services.grants import Grants
from tests.chaos.load import Grant, Load, Take, Visitor
from tests.chaos.stack import Stack

LATER = timedelta(hours=3)
"""Past every reservation, claim and rest, within every promise of an ordinary take."""
WEAR_EXACT = 1e-6
ESSENCE_HEAD, SPECTROGRAM_HEAD = b"RIFF", b"\x89PNG"


@dataclass(slots=True)
class Law:
    """One sentence, how often it was put to the test, and what broke it."""

    sentence: str
    checked: int = 0
    wrong: list[str] = field(default_factory=list)

    def expect(self, holds: bool, complaint: str) -> None:
        """Count one test."""
        self.checked += 1
        if not holds:
            self.wrong.append(complaint)


class LaterClock:
    """The node's time, some hours on."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC) + LATER


class Judge:
    """Asks a node that has settled; `laws` holds what was found."""

    def __init__(self, stack: Stack, load: Load, system: System) -> None:
        self._stack = stack
        self._record = load.record
        self._load = load
        self._system = system
        self._grants = Grants(system.vault, system.clock, valid_s=system.settings.MEDIA_TOKEN_SECONDS)
        self.laws: list[Law] = []

    def judge(self) -> None:
        """Everything that can be asked while the node runs."""
        visitor = self._load.visitor()
        try:
            self._kept(self._law("an acknowledged take is there, as it was given, and plays"), visitor)
            self._fossils(self._law("a fossil has its spectrogram and its essence"))
            self._told_gone(self._law("a revocation that says `gone` has left nothing in the store"))
            self._never_again(self._law("what was taken back is never chosen or served again"), visitor)
            self._heard(self._law("a hearing is counted once a grant, and never without one"))
            self._once(self._law("a one-time take is heard once at most"))
            self._waiting(self._law("a one-time take nobody has heard still waits for its one hearing"))
        finally:
            visitor.close()
        odd = self._law("every answer is one the contract names")
        odd.checked = self._record.answers.total()
        odd.wrong = list(self._record.odd)

    def judge_later(self) -> None:
        """After the sweep of some hours later: nothing may be left of what was taken back or heard once."""
        law = self._law("three hours later nothing is left of what was taken back or heard once")
        stored = {key for key in self._system.outside.store.keys("") if not key.startswith(LEDGER_PREFIX)}
        for one in self._record.takes:
            taken_back = one.mode != "NOSAVE" and one.revoked_at
            if not taken_back and one.mode != "NOSAVE":
                continue
            found = self._artifact(one)
            if found is None:
                law.expect(False, f"take {one.id} has no row")
                continue
            left = [key for key in stored if found.public_id in key]
            law.expect(not left and found.gone_at is not None, f"{_named(one)}: gone at {found.gone_at}, left {left}")

    def audit(self, when: str) -> None:
        """The node's own audit, as a steward runs it."""
        law = self._law(f"`memory-engine audit` finds nothing, {when}")
        done = self._stack.members["web-1"].run("audit", "--json")
        if not done.stdout.startswith("{"):
            law.expect(False, f"it ended with {done.returncode}: {done.stderr[-300:]}")
            return
        report = json.loads(done.stdout)
        law.checked = report["artifacts"] + report["objects"]
        law.wrong = [f"{one['kind']}: {one['subject']}: {one['detail']}" for one in report["findings"]]

    def _law(self, sentence: str) -> Law:
        self.laws.append(Law(sentence))
        return self.laws[-1]

    def _standing(self) -> Iterator[Take]:
        return (one for one in self._record.kept() if not one.asked_back)

    def _kept(self, law: Law, visitor: Visitor) -> None:
        for one in self._standing():
            found = self._artifact(one)
            if found is None or found.state is not State.ACTIVE or found.raw_key is None:
                law.expect(False, f"{_named(one)} is {found.state if found is not None else 'nowhere'}")
                continue
            stored = self._bytes(found.raw_key)
            law.expect(sha256(stored).hexdigest() == one.sha256, f"{_named(one)} is stored differently")
            token, _ = self._grants.media(found.id)
            served = visitor.until_answered("GET", f"/api/v1/media/raw/{token}")
            law.expect(served is not None and served.content == one.data, f"{_named(one)} does not play: {served}")
            law.expect(self._system.revocation.receipt(one.code).held, f"{_named(one)}: its code finds nothing")

    def _fossils(self, law: Law) -> None:
        heads = {Kind.ESSENCE.value: ESSENCE_HEAD, Kind.SPECTROGRAM.value: SPECTROGRAM_HEAD}
        for one in self._standing():
            with self._system.work.read() as tx:
                made = {derivative.kind: derivative.key for derivative in tx.derivatives.of(one.id)}
            expected = set(heads) if one.mode == "FOSSIL" else set()
            law.expect(set(made) == expected, f"{_named(one)} has {sorted(made)}")
            for kind, key in made.items():
                law.expect(self._bytes(key)[:4] == heads[kind], f"{_named(one)}: its {kind} is something else")

    def _told_gone(self, law: Law) -> None:
        stored = {key for key in self._system.outside.store.keys("") if not key.startswith(LEDGER_PREFIX)}
        for one in self._record.kept():
            found = self._artifact(one) if one.revoked_at else None
            if found is not None:
                law.expect(found.state is State.REVOKED, f"{_named(one)} was taken back and is {found.state}")
            if found is not None and (one.verified or found.gone_at is not None):
                left = [key for key in stored if found.public_id in key]
                law.expect(not left, f"{_named(one)} was said to be gone, and {left} are there")

    def _never_again(self, law: Law, visitor: Visitor) -> None:
        ended = {one.id: one.revoked_at for one in self._record.kept() if one.revoked_at}
        for grant in self._record.grants:
            ended_at = ended.get(grant.artifact_id, float("inf"))
            law.expect(grant.asked_at < ended_at, f"take {grant.artifact_id} was chosen after it was taken back")
        for artifact_id in ended:
            token, _ = self._grants.media(artifact_id)
            served = visitor.until_answered("GET", f"/api/v1/media/raw/{token}")
            law.expect(served is not None and served.status_code == 404, f"take {artifact_id} is served: {served}")

    def _heard(self, law: Law) -> None:
        by_artifact: dict[int, list[Grant]] = {}
        digests = {one.id: one.sha256 for one in self._record.kept()}
        for grant in self._record.grants:
            by_artifact.setdefault(grant.artifact_id, []).append(grant)
            right = digests.get(grant.artifact_id, grant.digest)
            law.expect(grant.digest in ("", right), f"take {grant.artifact_id} sounded like another")
            counted = grant.said.count("counted")
            law.expect(counted <= 1, f"one grant of take {grant.artifact_id} was counted {counted} times")
            spent_by_nobody = "duplicate" in grant.said and not counted and not grant.lost
            law.expect(not spent_by_nobody, f"a fresh grant of take {grant.artifact_id} was called spent")
        step = self._system.settings.WEAR_EPSILON_PER_PLAY * self._system.deployment.row.wear
        for artifact_id, grants in by_artifact.items():
            with self._system.work.read() as tx:
                found = tx.artifacts.get(artifact_id)
            if found is None:
                law.expect(False, f"take {artifact_id} was heard and has no row")
                continue
            sure = sum(bool({"counted", "duplicate"} & set(grant.said)) for grant in grants)
            most = sure + sum(bool(grant.lost) and not {"counted", "duplicate"} & set(grant.said) for grant in grants)
            law.expect(
                sure <= found.plays <= most, f"take {artifact_id}: {found.plays} plays of {sure} to {most} heard"
            )
            worn = min(1.0, found.plays * step)
            law.expect(abs(found.wear - worn) < WEAR_EXACT, f"take {artifact_id}: wear {found.wear}, not {worn}")

    def _once(self, law: Law) -> None:
        for one in self._record.takes:
            whole = [digest for status, digest in one.plays if status == 200]
            law.expect(len(whole) <= 1, f"{_named(one)} was heard {len(whole)} times")
            law.expect(all(digest == one.sha256 for digest in whole), f"{_named(one)} sounded like another")
            law.expect(not (whole and one.disposed), f"{_named(one)} was heard and disposed of")

    def _waiting(self, law: Law) -> None:
        untouched = [one for one in self._record.takes if one.mode == "NOSAVE" and not one.plays and not one.disposed]
        for one in untouched:
            self._load.play_at_once(one)
            answers = sorted(one.plays)
            law.expect(answers == [(200, one.sha256), (404, "")], f"{_named(one)} was left alone and gave {answers}")

    def _artifact(self, one: Take) -> Artifact | None:
        with self._system.work.read() as tx:
            return tx.artifacts.get(one.id)

    def _bytes(self, key: str) -> bytes:
        if self._system.outside.store.size(key) is None:
            return b""
        stream = self._system.outside.store.open(key)
        try:
            return stream.read()
        finally:
            stream.close()


class Settling:
    """Whether a healed node has done what it owes; `owed` says what is left."""

    def __init__(self, system: System, load: Load, depth: Callable[[], int]) -> None:
        self._system = system
        self._load = load
        self._depth = depth

    def owed(self) -> dict[str, int]:
        """Derivatives and measurements lacking, jobs queued, deletions due; empty where nothing is."""
        now = self._system.clock.now()
        with self._system.work.read() as tx:
            lacking = len(tx.artifacts.lacking(now, before=now, limit=10_000))
            deletions = tx.tombstones.counts(now).due
        found = {"lacking": lacking, "queued": self._depth(), "deletions": deletions}
        return {name: count for name, count in found.items() if count}

    def wait(self, most_s: float) -> tuple[float, dict[str, int]]:
        """Seconds it took, and what is owed still."""
        began = time.monotonic()
        calm = threading.Event()
        while (owed := self.owed()) and time.monotonic() - began < most_s:
            calm.wait(0.3)
        return time.monotonic() - began, owed


def _named(one: Take) -> str:
    return f"{one.mode} take {one.id}"
