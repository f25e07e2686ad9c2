"""Who may steward: signing in, sessions, named stewards.

A session is a row, so that signing out ends it everywhere and at once; what the browser holds is a random token, of
which only a keyed hash is stored. It ends by its time, with the secret it was made with, with its steward, and when
somebody signs everyone out.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from core.domain.access import Binding, Network, Role, allowed, bound_to
from core.domain.work import Signal
from core.errors import BadField, Conflict, NotFound, Unavailable
from core.ports.outside import Clock, Vault
from core.ports.stewarding import Session, Steward
from core.ports.work import StewardAction, Transaction, UnitOfWork

SHARED = "steward"
"""How the trail names whoever signed in with the shared secret."""

NAME_SIGNS = 64
SECRET_BYTES = 18
USER_AGENT_SIGNS = 400
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
        return self._live(self._id(token), visitor) if token else None

    def still(self, session: Session) -> Session | None:
        """The same session as it stands now; None once it has ended. For a page that was opened with it."""
        return self._live(session.id, None)

    def sign_out(self, session: Session) -> None:
        """End one session, wherever it is open."""
        with self._work.write() as tx:
            if tx.sessions.end(session.id):
                self._note(tx, actor_of(session), "sign_out")
                tx.signal(Signal.SESSIONS)

    def sign_everyone_out(self, *, actor: str) -> int:
        """End every session, the asker's own too; how many."""
        with self._work.write() as tx:
            ended = tx.sessions.end_all()
            self._note(tx, actor, "sign_everyone_out", after={"sessions": ended})
            tx.signal(Signal.SESSIONS)
        return ended

    def sessions(self) -> list[Session]:
        """Who is signed in."""
        with self._work.read() as tx:
            return tx.sessions.live(self._clock.now())

    def stewards(self) -> list[Steward]:
        """Every named steward."""
        with self._work.read() as tx:
            return tx.stewards.all()

    def add(self, name: str, role: Role, *, actor: str) -> str:
        """Name a steward; the secret they sign in with, told once. Raises `BadField`, `Conflict`."""
        name = " ".join(name.split())
        if not 0 < len(name) <= NAME_SIGNS or not name.isprintable() or name == SHARED:
            raise BadField(f"A name has 1 to {NAME_SIGNS} printable characters and is not {SHARED}.")
        secret = new_secret()
        steward = Steward(name=name, role=role, created_at=self._clock.now())
        with self._work.write() as tx:
            if not tx.stewards.add(steward, secret_hash=self._secret_hash(secret)):
                raise Conflict("There is a steward of this name already.")
            self._note(tx, actor, "add_steward", subject=name, after={"role": role.value})
        return secret

    def renew(self, name: str, *, actor: str) -> str:
        """Give a steward a new secret, told once; their sessions end. Raises `NotFound`."""
        secret = new_secret()
        with self._work.write() as tx:
            if not tx.stewards.change_secret(name, secret_hash=self._secret_hash(secret)):
                raise NotFound(_NOBODY)
            tx.sessions.end_all(name=name)
            self._note(tx, actor, "renew_secret", subject=name)
            tx.signal(Signal.SESSIONS)
        return secret

    def remove(self, name: str, *, actor: str) -> None:
        """Forget a steward; their sessions end, their name stays in the trail. Raises `NotFound`."""
        with self._work.write() as tx:
            if not tx.stewards.remove(name):
                raise NotFound(_NOBODY)
            tx.sessions.end_all(name=name)
            self._note(tx, actor, "remove_steward", subject=name)
            tx.signal(Signal.SESSIONS)

    def _whose(self, secret: str) -> tuple[str, Role, str] | None:
        """(name, role, what the session is made with) of whoever signs in with this secret."""
        shared = self.shared_secret()
        with self._work.read() as tx:
            # Found by a keyed hash: how long that takes says nothing about the secret.
            named = tx.stewards.by_secret(self._secret_hash(secret))
            if not shared and not tx.stewards.all():
                raise Unavailable("No steward secret is set on this node.")
        right = hmac.compare_digest(_bytes(secret), _bytes(shared)) and bool(shared)
        if right:
            return "", Role.STEWARD, self._shared_hash()
        return (named.name, named.role, self._secret_hash(secret)) if named is not None else None

    def _live(self, session_id: str, visitor: Visitor | None) -> Session | None:
        with self._work.read() as tx:
            session = tx.sessions.get(session_id)
            if session is None or session.until <= self._clock.now():
                return None
            if visitor is not None and not self._belongs(session, visitor):
                return None
            if not session.name:
                shared = bool(self.shared_secret())
                return session if shared and hmac.compare_digest(session.made_with, self._shared_hash()) else None
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

    def _shared_hash(self) -> str:
        return self._vault.digest("steward-secret", self.shared_secret())

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


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
