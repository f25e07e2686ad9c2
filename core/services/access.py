"""Who may steward: signing in, sessions, named stewards.

A session is a row, so that signing out ends it everywhere and at once; what the browser holds is a random token, of
which only a keyed hash is stored. It ends by its time, with the secret it was made with, with its steward, and when
somebody signs everyone out.
"""

import hmac
import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from core.domain.access import Binding, Network, Role, allowed, bound_to
from core.domain.work import Signal
from core.errors import BadField, Conflict, NotFound, Unavailable
from core.ports.outside import Clock, Vault
from core.ports.stewarding import Session, Steward
from core.ports.work import StewardAction, Transaction, UnitOfWork
from core.services.sensor import SENSOR
from core.services.stewardship import NODE

SHARED = "steward"
"""How the trail names whoever signed in with the shared secret."""

COMMAND_LINE = "command line"
"""How it names whoever may run commands on the node's machine."""

NAME_SIGNS = 64
SECRET_BYTES = 18
USER_AGENT_SIGNS = 400
_TAKEN = {SHARED, COMMAND_LINE, NODE, SENSOR}
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
_NOBODY = "There is no steward of this name."


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessFigures:
    """How long a session lasts, what it is bound to, where it may come from."""

    session_hours: float
    binding: Binding
    networks: tuple[Network, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Visitor:
    """Whoever sent a request, as far as a session can tell browsers apart."""

    user_agent: str
    address: str


def actor_of(session: Session) -> str:
    """How the trail names whoever holds this session."""
    return session.name or SHARED


class Access:
    """Signs stewards in and out. `shared_secret` is asked every time: a changed one counts at once."""

    def __init__(
        self,
        work: UnitOfWork,
        vault: Vault,
        clock: Clock,
        *,
        shared_secret: Callable[[], str],
        figures: AccessFigures,
    ) -> None:
        self._work = work
        self._vault = vault
        self._clock = clock
        self.shared_secret = shared_secret
        self._figures = figures

    def configured(self) -> bool:
        """Whether anybody can sign in."""
        return bool(self.shared_secret()) or bool(self.stewards())

    def admits(self, address: str) -> bool:
        """Whether stewards may come from this address at all."""
        return allowed(address, self._figures.networks)

    def sign_in(self, secret: str, visitor: Visitor) -> tuple[str, Session] | None:
        """A new session and the token that opens it; None for a wrong secret.

        Raises `Unavailable` where this node has neither a shared secret nor a named steward.
        """
        known = self._whose(secret)
        if known is None:
            return None
        name, role, made_with = known
        token = self._vault.random_token()
        now = self._clock.now()
        session = Session(
            id=self._id(token),
            name=name,
            role=role,
            bound=self._bound(visitor),
            made_with=made_with,
            opened_at=now,
            until=now + timedelta(hours=self._figures.session_hours),
        )
        with self._work.write() as tx:
            tx.sessions.open(session)
            self._note(tx, actor_of(session), "sign_in")
            tx.signal(Signal.SESSIONS)
        return token, session

    def session(self, token: str, visitor: Visitor) -> Session | None:
        """The live session this token opens for this visitor."""
        return self._live(self._id(token), visitor) if _TOKEN.fullmatch(token) else None

    def still(self, session: Session, visitor: Visitor | None = None) -> Session | None:
        """The same session as it stands now; None once it has ended. For a page that was opened with it.

        `visitor` is whoever speaks through that page by now, where the page can tell.
        """
        return self._live(session.id, visitor)

    def leave(self, token: str) -> None:
        """End the session this token opens, whatever it is bound to: to give one up, holding it is enough."""
        if not _TOKEN.fullmatch(token):
            return
        with self._work.read() as tx:
            session = tx.sessions.get(self._id(token))
        if session is not None:
            self.sign_out(session)

    def sign_out(self, session: Session) -> None:
        """End one session, wherever it is open."""
        with self._work.write() as tx:
            if tx.sessions.end(session.id):
                self._note(tx, actor_of(session), "sign_out")
                tx.signal(Signal.SESSIONS)

    def sign_everyone_out(self, *, actor: str) -> int:
        """End every session, the asker's own too; how many were live."""
        with self._work.write() as tx:
            ended = len(self._all_live(tx))
            tx.sessions.end_all()
            self._note(tx, actor, "sign_everyone_out", after={"sessions": ended})
            tx.signal(Signal.SESSIONS)
        return ended

    def shared_secret_changed(self, *, actor: str) -> None:
        """Note that there is a new shared secret; what was signed in with the old one has ended, and is forgotten."""
        with self._work.write() as tx:
            tx.sessions.end_all(name="")
            self._note(tx, actor, "renew_shared_secret")
            tx.signal(Signal.SESSIONS)

    def sessions(self) -> list[Session]:
        """Who is signed in, the newest first."""
        with self._work.read() as tx:
            return self._all_live(tx)

    def stewards(self) -> list[Steward]:
        """Every named steward."""
        with self._work.read() as tx:
            return tx.stewards.all()

    def add(self, name: str, role: Role, *, actor: str) -> str:
        """Name a steward; the secret they sign in with, told once. Raises `BadField`, `Conflict`."""
        name = _tidy(name)
        if not 0 < len(name) <= NAME_SIGNS or not name.isprintable():
            raise BadField(f"A name has 1 to {NAME_SIGNS} printable characters.")
        if name.casefold() in _TAKEN:
            raise BadField("The audit trail uses this name already. Please choose another.")
        secret = new_secret()
        steward = Steward(name=name, role=role, created_at=self._clock.now())
        with self._work.write() as tx:
            if not tx.stewards.add(steward, secret_hash=self._secret_hash(secret)):
                raise Conflict("There is a steward of this name already.")
            self._note(tx, actor, "add_steward", subject=name, after={"role": role.value})
        return secret

    def renew(self, name: str, *, actor: str) -> str:
        """Give a steward a new secret, told once; their sessions end. Raises `NotFound`."""
        name, secret = _tidy(name), new_secret()
        with self._work.write() as tx:
            if not tx.stewards.change_secret(name, secret_hash=self._secret_hash(secret)):
                raise NotFound(_NOBODY)
            tx.sessions.end_all(name=name)
            self._note(tx, actor, "renew_secret", subject=name)
            tx.signal(Signal.SESSIONS)
        return secret

    def remove(self, name: str, *, actor: str) -> None:
        """Forget a steward; their sessions end, their name stays in the trail. Raises `NotFound`."""
        name = _tidy(name)
        with self._work.write() as tx:
            if not tx.stewards.remove(name):
                raise NotFound(_NOBODY)
            tx.sessions.end_all(name=name)
            self._note(tx, actor, "remove_steward", subject=name)
            tx.signal(Signal.SESSIONS)

    def _whose(self, secret: str) -> tuple[str, Role, str] | None:
        """(name, role, what the session is made with) of whoever signs in with this secret."""
        offered, shared = self._shared_hash(secret), self._shared_now()
        if hmac.compare_digest(offered, shared):
            return "", Role.STEWARD, offered
        with self._work.read() as tx:
            # Found by a keyed hash: how long that takes says nothing about the secret.
            named = tx.stewards.by_secret(self._secret_hash(secret))
            if not shared and not tx.stewards.all():
                raise Unavailable("No steward secret is set on this node.")
        return (named.name, named.role, self._secret_hash(secret)) if named is not None else None

    def _live(self, session_id: str, visitor: Visitor | None) -> Session | None:
        with self._work.read() as tx:
            session = tx.sessions.get(session_id)
            if session is None or session.until <= self._clock.now():
                return None
            if visitor is not None and not self._belongs(session, visitor):
                return None
            return self._with_secrets_of_now(tx, session)

    def _all_live(self, tx: Transaction) -> list[Session]:
        found = (self._with_secrets_of_now(tx, session) for session in tx.sessions.live(self._clock.now()))
        return [session for session in found if session is not None]

    def _with_secrets_of_now(self, tx: Transaction, session: Session) -> Session | None:
        """The session in the role its steward has now; None where the secret it was made with opens nothing more."""
        if not session.name:
            return session if hmac.compare_digest(session.made_with, self._shared_now()) else None
        steward = tx.stewards.by_secret(session.made_with)
        return replace(session, role=steward.role) if steward is not None and steward.name == session.name else None

    def _belongs(self, session: Session, visitor: Visitor) -> bool:
        return self.admits(visitor.address) and hmac.compare_digest(session.bound, self._bound(visitor))

    def _bound(self, visitor: Visitor) -> str:
        agent = visitor.user_agent[:USER_AGENT_SIGNS]
        return self._vault.digest("browser", bound_to(self._figures.binding, user_agent=agent, address=visitor.address))

    def _id(self, token: str) -> str:
        return self._vault.digest("session", token)

    def _secret_hash(self, secret: str) -> str:
        return self._vault.digest("named-steward", secret)

    def _shared_hash(self, secret: str) -> str:
        return self._vault.digest("steward-secret", secret)

    def _shared_now(self) -> str:
        """The hash of the shared secret, which is read once for it; empty, and nothing's hash, where there is none."""
        shared = self.shared_secret()
        return self._shared_hash(shared) if shared else ""

    def _note(
        self, tx: Transaction, actor: str, action: str, *, subject: str = "", after: dict[str, object] | None = None
    ) -> None:
        tx.steward.record(
            StewardAction(
                at=self._clock.now(), actor=actor, action=action, subject=subject, before={}, after=after or {}
            )
        )


def new_secret() -> str:
    """144 random bits, URL-safe."""
    return secrets.token_urlsafe(SECRET_BYTES)


def _tidy(name: str) -> str:
    """A name as it is stored: however its accents were typed, and without spaces nobody sees."""
    return " ".join(unicodedata.normalize("NFC", name).split())
