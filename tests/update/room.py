"""What participants have left on the machine, and what they are owed whatever is done to it."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.chaos.laws import Law
from tests.chaos.load import Load, Record, Take, Visitor
from tests.update.box import Box

HEARD_SHARE, REVOKED_SHARE = 0.4, 0.15
REVOKED_EVERY = 4
STANDS = ("room", "waiting")
SETTLE_S = 150.0
"""A sweep that was killed holds what it had claimed for two minutes."""
LAWS = {
    "kept": "an acknowledged take is there, byte for byte, and its code finds it",
    "gone": "what was taken back stays gone, and its code says so",
    "heard": "a hearing is counted once a grant, whichever versions its take has lived under",
    "once": "a one-time take is heard once at most",
    "audit": "the audit of the version that runs finds nothing",
    "runs": "the node runs when the last command has ended",
    "version": "the version that answers is the one that should, and `current` names it",
    "answers": "every answer is one the contract names, but of a version that was broken on purpose",
    "note": "no note of a change is left",
}


@dataclass(kw_only=True, slots=True)
class Row:
    """What the database says of a take."""

    sha256: str
    plays: int


@dataclass(slots=True)
class Room:
    """Everything that was acknowledged, over all that is done to one machine; `laws` count over all of it, too."""

    box: Box
    seed: int
    record: Record = field(default_factory=Record)
    laws: dict[str, Law] = field(default_factory=lambda: {name: Law(said) for name, said in LAWS.items()})
    told: Counter[str] = field(default_factory=Counter)
    busy: int = 0

    def populate(self, takes: int) -> None:
        """Leave so many, hear some of them, take some of them back."""
        load = self._load()
        visitor, rng = load.visitor(), random.Random(self.seed)
        try:
            left = [load.offer(visitor, rng, rng.choice(("ROOM", "FOSSIL"))) for _ in range(takes)]
            for _ in range(round(takes * HEARD_SHARE)):
                load.listen(visitor, rng, patience=0.0)
            for one in rng.sample([one for one in left if one is not None], round(takes * REVOKED_SHARE)):
                load.take_back(visitor, one)
        finally:
            visitor.close()

    @contextmanager
    def visited(self) -> Iterator[None]:
        """People come and go as long as this lasts; whoever had no answer asks again until there is one."""
        load = self._load()
        # Most takes are to stay, and to live through all of it.
        load.start(offering=1, listening=1, revoking=int(self.busy % REVOKED_EVERY == 0), once=1)
        try:
            yield
        finally:
            self.laws["runs"].expect(self.box.running, f"it was left standing still, {self.box.releases.change()}")
            # Whatever was found: everything else is to be asked as well.
            self.box.power()
            load.finish()

    def judge(self, version: str, *, allowed: str = "") -> list[str]:
        """Put every law to the test; `version` should run. `allowed` is in answers that are odd with a reason."""
        named, found = self.box.releases.named("current"), self.box.ready()
        self.laws["version"].expect((found, named) == (version, version), f"{found} answers, `current` names {named}")
        self.laws["note"].expect(self.box.releases.change() is None, f"{self.box.releases.change()}")
        if not found and not self.box.power():
            raise RuntimeError(f"the node does not answer any more:\n{self.box.log()}")
        rows, load = self._rows(), self._load()
        visitor = load.visitor()
        try:
            for one in self.record.kept():
                self._promise(one, rows.get(one.id), visitor)
        finally:
            visitor.close()
        self._heard(rows)
        for one in self.record.takes:
            self.laws["once"].expect(
                sum(status == 200 for status, _ in one.plays) <= 1, f"take {one.id} was heard twice"
            )
        self._audit()
        odd = [one for one in self.record.odd if not allowed or allowed not in one]
        self.record.odd.clear()
        self.laws["answers"].checked = self.record.answers.total()
        self.laws["answers"].wrong += odd
        fresh = [f"{law.sentence}: {said}" for name, law in self.laws.items() for said in law.wrong[self.told[name] :]]
        self.told.update({name: len(law.wrong) for name, law in self.laws.items()})
        return fresh

    def _promise(self, one: Take, row: Row | None, visitor: Visitor) -> None:
        answer = visitor.until_answered("POST", "/api/v1/receipt", json={"token": one.code})
        said = answer.json().get("standing") if answer is not None and answer.status_code == 200 else str(answer)
        if one.revoked_at:
            self.laws["gone"].expect(said == "revoked", f"take {one.id} was taken back, and its code says {said}")
        elif not one.asked_back:
            self.laws["kept"].expect(said in STANDS, f"take {one.id}: its code says {said}")
            self.laws["kept"].expect(row is not None and row.sha256 == one.sha256, f"take {one.id} is another: {row}")

    def _heard(self, rows: dict[int, Row]) -> None:
        ended = {one.id: one.revoked_at for one in self.record.kept() if one.revoked_at}
        sure: dict[int, int] = {}
        most: dict[int, int] = {}
        for grant in self.record.grants:
            one, counted = grant.artifact_id, grant.said.count("counted")
            self.laws["heard"].expect(counted <= 1, f"one grant of take {one} was counted {counted} times")
            late = grant.asked_at > ended.get(one, grant.asked_at)
            self.laws["gone"].expect(not late, f"take {one} was chosen after it was taken back")
            known = bool({"counted", "duplicate"} & set(grant.said))
            sure[one] = sure.get(one, 0) + known
            most[one] = most.get(one, 0) + (known or bool(grant.lost))
        for one, least in sure.items():
            row = rows.get(one)
            if row is not None:
                said = f"take {one} has {row.plays} plays of {least} to {most[one]}"
                self.laws["heard"].expect(least <= row.plays <= most[one], said)

    def _audit(self) -> None:
        until = time.monotonic() + SETTLE_S
        # A deletion that a kill has broken off is finished by the sweep; until it is due it is no finding.
        while (report := self.box.audit())["findings"] and time.monotonic() < until:
            time.sleep(1)
        law = self.laws["audit"]
        law.checked += report["artifacts"] + report["objects"]
        law.wrong += [f"{one['kind']}: {one['subject']}: {one['detail']}" for one in report["findings"]]

    def _rows(self) -> dict[int, Row]:
        found = self.box.query("SELECT id, sha256, plays FROM artifact")
        return {number: Row(sha256=digest or "", plays=plays) for number, digest, plays in found}

    def _load(self) -> Load:
        self.busy += 1
        return Load(self.box.url, seed=self.seed * 1000 + self.busy, record=self.record)
