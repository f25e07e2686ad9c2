"""Going to see a node: what doctor, status and support bundle look at, gathered from settings."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from core.adapters.vault import read_secret
from core.bootstrap import STEWARD_SECRET_FILE
from core.bootstrap.custody import VERSION
from core.bootstrap.looking import Around, Onlooker, looking_at
from core.bootstrap.messengers import wording
from core.errors import MemoryEngineError
from core.ports.work import QueueDepth
from core.settings import Settings
from memory_ui.appliance.asking import Answers, addresses, ask
from memory_ui.appliance.patient import Patient


@contextmanager
def visiting(
    settings: Settings,
    *,
    url: str = "",
    chromium: str = "",
    warnings: Sequence[str] = (),
    wrap: Callable[[Around], Around] = lambda around: around,
) -> Iterator[Patient]:
    """A node, running or not; `url` is where it is asked, in place of the address it is set to listen on."""
    answers = ask(*((url.rstrip("/"),) if url else addresses(settings.HOST, settings.PORT)))
    with ExitStack() as held:
        yield Patient(
            settings=settings,
            answers=answers,
            onlooker=_onlooker(settings, wrap, held),
            queue=_queue(settings, answers),
            in_words=wording(),
            version=VERSION,
            warnings=list(warnings),
            shared_secret=settings.OPS_SHARED_SECRET
            or read_secret(settings.MEMORY_DATA_DIR.expanduser() / STEWARD_SECRET_FILE),
            chromium=chromium,
        )


def _onlooker(settings: Settings, wrap: Callable[[Around], Around], held: ExitStack) -> Onlooker | None:
    try:
        return held.enter_context(looking_at(settings, wrap=wrap))
    except MemoryEngineError:
        return None


def _queue(settings: Settings, answers: Answers) -> QueueDepth | None:
    """The stack's own, or what the node says of the one it carries."""
    return asyncio.run(_depth(settings)) if settings.DATABASE_URL else answers.queue


async def _depth(settings: Settings) -> QueueDepth | None:
    from jobs.broker import BrokerFigures, make_broker  # noqa: PLC0415 -- an embedded node never needs it

    figures = BrokerFigures(idle_timeout_s=settings.JOB_IDLE_SECONDS, attempts_most=settings.JOB_ATTEMPTS)
    # Not started: that would declare a group of readers where nobody has yet.
    broker = make_broker(settings.REDIS_URL, figures=figures)
    try:
        return await broker.depth()
    except MemoryEngineError:
        return None
    finally:
        await broker.shutdown()
