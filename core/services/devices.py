"""Open kiosk and room pages: what they report, and what stewards make of it and ask of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core.domain.device import Command, Device, DeviceFigures, Standing, Surface, Trouble, offline, standing, troubles
from core.domain.work import Signal
from core.errors import BadField, Conflict, NotFound
from core.ports.outside import Clock
from core.ports.work import StewardAction, Transaction, UnitOfWork

NAME_SIGNS = 64
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNKNOWN = "There is no such page."


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenDevice:
    """A page as a steward sees it."""

    device: Device
    standing: Standing
    troubles: tuple[Trouble, ...]


class DeviceService:
    """Keeps reports, answers stewards. `page_version` is the one an open page should have."""

    def __init__(self, work: UnitOfWork, clock: Clock, *, figures: DeviceFigures, page_version: str) -> None:
        self._work = work
        self._clock = clock
        self._figures = figures
        self.page_version = page_version

    def report(self, devices: Sequence[Device]) -> None:
        """Write what pages said of themselves; stewards' pages are told only where something they show has changed."""
        if not devices:
            return
        now = self._clock.now()
        with self._work.write() as tx:
            known = {device.id: device for device in tx.devices.all()}
            tx.devices.report(devices)
            for device in devices:
                before = known.get(device.id)
                if before is None or self._face(before, now) != self._face(replace(device, name=before.name), now):
                    tx.signal(Signal.DEVICES)
                    break

    def all(self) -> list[SeenDevice]:
        """Every page that is known, kiosks first, in the order of names."""
        now = self._clock.now()
        with self._work.read() as tx:
            return [self._seen(device, now) for device in tx.devices.all()]

    def rename(self, device_id: str, name: str, *, actor: str) -> None:
        """Give a page the name stewards call it by. Raises `BadField`, `NotFound`."""
        name = " ".join(name.split())
        if not 0 < len(name) <= NAME_SIGNS or not name.isprintable():
            raise BadField(f"name must be plain text of 1 to {NAME_SIGNS} characters.")
        with self._work.write() as tx:
            device = _known(tx, device_id)
            if device.name != name:
                tx.devices.rename(device.id, name)
                self._note(tx, actor, "rename_device", device, after={"name": name})
                tx.signal(Signal.DEVICES)

    def forget(self, device_id: str, *, actor: str) -> None:
        """Forget a page; an open one comes back with its next report. Raises `NotFound`."""
        with self._work.write() as tx:
            device = _known(tx, device_id)
            tx.devices.forget(device.id)
            self._note(tx, actor, "forget_device", device)
            tx.signal(Signal.DEVICES)

    def command(self, device_id: str, command: Command, *, actor: str) -> None:
        """Ask something of an open page. Raises `NotFound`, and `Conflict` where it is offline and cannot hear it."""
        with self._work.write() as tx:
            device = _known(tx, device_id)
            if offline(device, self._clock.now(), self._figures):
                raise Conflict("This page cannot be reached right now.")
            self._note(tx, actor, f"{command.value}_device", device)
            tx.signal(Signal.COMMAND, device=device.id, command=command.value)

    def wipe(self, device_id: str, *, actor: str) -> None:
        """End the take a kiosk holds: its key goes at once, also where the page is offline, and the take with it.

        Raises `NotFound`, and `Conflict` for a page that holds none.
        """
        with self._work.write() as tx:
            device = _known(tx, device_id)
            if device.surface is not Surface.KIOSK:
                raise Conflict("Only a kiosk holds a take.")
            if device.station:
                tx.take_keys.drop_of(device.station)
            self._note(tx, actor, "wipe_device", device)
            tx.signal(Signal.COMMAND, device=device.id, command=Command.WIPE.value)

    def _seen(self, device: Device, now: datetime) -> SeenDevice:
        given: dict[str, Any] = {"page_version": self.page_version}
        return SeenDevice(
            device=device,
            standing=standing(device, now, self._figures, **given),
            troubles=troubles(device, now, self._figures, **given),
        )

    def _face(self, device: Device, now: datetime) -> tuple[Any, ...]:
        """What a steward sees of a page, apart from times that pass by themselves."""
        seen, report = self._seen(device, now), device.report
        shown = (report.activity, report.audio, report.microphone, report.permission, report.visible, report.playing)
        named = (device.surface, device.name, device.station, device.opened_at, device.closed_at)
        return seen.standing, seen.troubles, shown, named

    def _note(
        self, tx: Transaction, actor: str, action: str, device: Device, *, after: dict[str, Any] | None = None
    ) -> None:
        tx.steward.record(
            StewardAction(
                at=self._clock.now(),
                actor=actor,
                action=action,
                subject=device.id,
                before={"name": device.name},
                after=after or {},
            )
        )


def _known(tx: Transaction, device_id: str) -> Device:
    device = tx.devices.get(device_id) if _ID.fullmatch(device_id) else None
    if device is None:
        raise NotFound(_UNKNOWN)
    return device
