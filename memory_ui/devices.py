"""Open kiosk and room pages of this process: what they report of themselves, what stewards ask of them from afar."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from nicegui import Client
from nicegui.events import GenericEventArguments
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.adapters.catalogs import load
from core.bootstrap import System
from core.bootstrap.figures import device_figures
from core.domain.device import (
    Activity,
    AudioState,
    Command,
    Device,
    PageFigures,
    Permission,
    Report,
    Standing,
    Surface,
    standing,
)
from core.domain.pool.facts import LARGEST_ID
from core.domain.work import Signal
from memory_ui.copy import load_copy
from memory_ui.live import Live
from memory_ui.web import in_thread

log = logging.getLogger(__name__)

LABEL_MOST = 120
LATEST_MS = 4_102_444_800_000
LONGEST_S = 366 * 86_400
OFFSETS = 3
LONG_AGO = datetime.min.replace(tzinfo=UTC)
AT_ONCE = timedelta(seconds=1)
"""A page that changes its mind faster than this is written with all the others."""


class Said(BaseModel):
    """A report as a browser sent it. It may send anything; what is not exactly this is no report."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)
    id: str = Field(pattern=r"^[0-9a-f]{24}$")
    at_ms: float = Field(ge=0, le=LATEST_MS)
    activity: Activity = Field(strict=False)
    since_s: float = Field(ge=0, le=LONGEST_S)
    audio: AudioState = Field(strict=False)
    sound_ago_s: float | None = Field(ge=0, le=LONGEST_S)
    microphone: str = Field(max_length=LABEL_MOST)
    permission: Permission = Field(strict=False)
    microphone_silent: bool
    page_version: str = Field(pattern=r"^[0-9a-f]{0,32}$")
    visible: bool
    playing: int | None = Field(ge=1, le=LARGEST_ID)

    @field_validator("microphone")
    @classmethod
    def _readable(cls, label: str) -> str:
        return "".join(sign for sign in label if sign.isprintable())

    def report(self, *, skew_s: float) -> Report:
        """The report, with the page's clock as this node sees it."""
        return Report(**self.model_dump(exclude={"id", "at_ms"}), skew_s=round(skew_s, 1) + 0.0)  # and no -0.0


class PageElement(Protocol):
    """The one element of a page: it emits `device` and takes orders."""

    def on(self, type: str, handler: Callable[..., Any]) -> Any: ...  # noqa: A002 -- the framework's name for it
    def order(self, command: str, name: str) -> None: ...


@dataclass(kw_only=True, slots=True, eq=False)
class _Page:
    """One open page. `device` is what it last said, None before it has; `told` what was written at once last."""

    element: PageElement
    surface: Surface
    station: str
    offsets: deque[float] = field(default_factory=lambda: deque(maxlen=OFFSETS))
    device: Device | None = None
    told: tuple[Standing, int | None] | None = None
    told_at: datetime = LONG_AGO
    changed: bool = False


class Pages:
    """The open pages of this process, kept in memory and written down together; one a process."""

    def __init__(self, system: System, live: Live) -> None:
        self._system = system
        self._figures = device_figures(system.settings)
        self._report_s = load("device", PageFigures).report_s
        self._pages: list[_Page] = []
        self._writing = asyncio.Lock()
        self._ending = asyncio.Event()
        live.on(Signal.COMMAND, self.command)

    def attach(self, client: Client, element: PageElement, surface: Surface, station: str = "") -> Callable[[], str]:
        """Listen to a page from now on; `station` is what its takes are counted under.

        What is returned gives the page's id as a device; "" until it has said anything.
        """
        page = _Page(element=element, surface=surface, station=station)

        async def heard(event: GenericEventArguments) -> None:
            await self.heard(page, event.args)

        async def left() -> None:
            # The framework calls this on a reconnection too.
            if not client.has_socket_connection:
                await self.left(page)

        element.on("device", heard)
        client.on_disconnect(left)
        return lambda: page.device.id if page.device is not None else ""

    async def heard(self, page: _Page, payload: object) -> None:
        """Take in what a page says of itself; written at once where a steward's tile changes by it."""
        try:
            said = Said.model_validate(payload)
        except ValidationError:
            return
        now = self._system.clock.now()
        page.device = self._device(page, said, now)
        page.changed = True
        if page not in self._pages:
            self._pages.append(page)
        stands = standing(page.device, now, self._figures, page_version=self._system.devices.page_version)
        seen = (stands, page.device.report.playing)
        if seen != page.told and now - page.told_at >= AT_ONCE:
            page.told, page.told_at = seen, now
            await self.flush([page])

    async def left(self, page: _Page) -> None:
        """A page is gone; if it comes back, its next report opens it again."""
        if page.device is None:
            return
        page.device = replace(page.device, closed_at=self._system.clock.now())
        page.told, page.changed = None, True
        page.offsets.clear()
        await self.flush([page])

    async def flush(self, pages: Iterable[_Page] | None = None) -> None:
        """Write down what has changed, of these pages or of all, in one transaction; what fails is tried again."""
        async with self._writing:
            due = [page for page in (self._pages if pages is None else pages) if page.changed]
            devices = [page.device for page in due if page.device is not None]
            if not devices:
                return
            for page in due:
                page.changed = False
            try:
                await in_thread(self._system.devices.report, devices)
            except Exception:
                log.exception("devices.unwritten")
                for page in due:
                    page.changed = True
            self._pages = [page for page in self._pages if page.changed or _open(page)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write every few seconds, and once more at the end."""
        flushing = asyncio.create_task(self._keep_flushing())
        try:
            yield
        finally:
            self._ending.set()
            await flushing
            await self.flush()

    async def command(self, detail: Mapping[str, Any]) -> None:
        """Hand an order on to the page it is for, where that page is open in this process."""
        if detail.get("command") not in set(Command):
            return
        for page in self._pages:
            if page.device is not None and _open(page) and page.device.id == detail.get("device"):
                page.element.order(detail["command"], await in_thread(self._name, page.device))

    async def _keep_flushing(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), self._report_s)
            await self.flush()

    def _device(self, page: _Page, said: Said, now: datetime) -> Device:
        # A report may be late and is never early: the largest of the last few differences is nearest to the truth.
        page.offsets.append(said.at_ms / 1000 - now.timestamp())
        report = said.report(skew_s=max(page.offsets))
        if page.device is not None and _open(page):
            return replace(page.device, contact_at=now, report=report)
        return Device(
            id=self._free(said.id, now),
            surface=page.surface,
            name="",
            station=page.station,
            opened_at=now if page.device is None else page.device.opened_at,
            contact_at=now,
            report=report,
        )

    def _free(self, wanted: str, now: datetime) -> str:
        """The id itself, or where an open page has it already, the id with a number."""
        taken = {page.device.id for page in self._pages if page.device is not None and self._there(page.device, now)}
        numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 2))
        return next(name for name in (wanted, *numbered) if name not in taken)

    def _there(self, device: Device, now: datetime) -> bool:
        silent_s = (now - device.contact_at).total_seconds()
        return device.closed_at is None and silent_s <= self._figures.offline_s

    def _name(self, device: Device) -> str:
        with self._system.work.read() as tx:
            stored = tx.devices.get(device.id)
        return called(device if stored is None else stored)


def called(device: Device) -> str:
    """What a page is called: as stewards named it, else its surface and the end of its id."""
    stem, dash, number = device.id.partition("-")
    words = {Surface.KIOSK: "called.kiosk", Surface.ROOM: "called.room"}
    return device.name or load_copy("en").t(words[device.surface], mark=f"{stem[-4:]}{dash}{number}")


def _open(page: _Page) -> bool:
    return page.device is not None and page.device.closed_at is None
