"""Open pages, as they report themselves."""

from collections.abc import Sequence

from core.domain.device import Device
from core.domain.work import Signal
from core.ports.work import UnitOfWork


class DeviceService:
    """Keeps what pages say of themselves."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    def report(self, devices: Sequence[Device]) -> None:
        """Write down what pages said of themselves, all in one transaction."""
        with self._work.write() as tx:
            tx.devices.report(devices)
            tx.signal(Signal.DEVICES)
