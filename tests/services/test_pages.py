"""What open pages say of themselves, as the server takes it in; a browser may send anything."""

import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters.catalogs import asset_version
from core.domain.device import Activity, Command, Permission, Standing, Surface, standing
from memory_ui.devices import LABEL_MOST, Pages, Said, called
from memory_ui.live import Live

ONE = "a" * 20 + "4f2a"
OTHER = "b" * 24


class Element:
    """A page's element, as far as this side sees it."""

    def __init__(self):
        self.handlers = {}
        self.orders = []

    def on(self, name, handler):
        self.handlers[name] = handler

    def order(self, command, name):
        self.orders.append((command, name))


class Visitor:
    """A page's connection."""

    def __init__(self):
        self.has_socket_connection = True
        self.gone = []

    def on_disconnect(self, handler):
        self.gone.append(handler)


class Page:
    """One open page and what it says."""

    def __init__(self, desk, surface, station, device_id):
        self.desk, self.id = desk, device_id
        self.element, self.visitor = Element(), Visitor()
        desk.pages.attach(self.visitor, self.element, surface, station)

    async def says(self, **changed):
        report = {**said(self.desk.node.clock, id=self.id), **changed}
        await self.element.handlers["device"](SimpleNamespace(args=report))

    async def sends(self, payload):
        await self.element.handlers["device"](SimpleNamespace(args=payload))

    async def leaves(self, *, reconnected=False):
        self.visitor.has_socket_connection = reconnected
        for handler in self.visitor.gone:
            await handler()
        self.visitor.has_socket_connection = True


def said(clock, **changed):
    report = {
        "id": ONE,
        "at_ms": clock.now().timestamp() * 1000,
        "activity": "resting",
        "since_s": 3,
        "audio": "running",
        "sound_ago_s": None,
        "microphone": "",
        "permission": "unknown",
        "microphone_silent": False,
        "page_version": asset_version(),
        "visible": True,
        "playing": None,
    }
    return {**report, **changed}


class Desk:
    """The pages of one process, and the rows they come to."""

    def __init__(self, node):
        self.node = node
        self.live = Live(node.system)
        self.pages = Pages(node.system, self.live)

    def opens(self, surface=Surface.ROOM, *, station="", device_id=ONE):
        return Page(self, surface, station, device_id)

    def rows(self):
        with self.node.system.work.read() as tx:
            return {device.id: device for device in tx.devices.all()}

    def row(self, device_id=ONE):
        return self.rows()[device_id]


def at_a_desk(node, act):
    """Run `act(desk)` in one event loop."""

    async def run():
        return await act(Desk(node))

    return asyncio.run(run())


def test_a_page_is_known_as_soon_as_it_has_said_something(node):
    async def act(desk):
        page = desk.opens(Surface.KIOSK, station="kiosk-1")
        await page.says(activity="idle", microphone="Desk microphone", permission="granted")
        return desk.row()

    found = at_a_desk(node, act)
    assert (found.surface, found.station, found.closed_at) == (Surface.KIOSK, "kiosk-1", None)
    assert (found.report.activity, found.report.permission) == (Activity.IDLE, Permission.GRANTED)
    assert (found.report.microphone, found.contact_at) == ("Desk microphone", node.clock.now())


def test_what_changes_nothing_a_steward_sees_is_written_later_and_together(node):
    async def act(desk):
        first, second = desk.opens(), desk.opens(device_id=OTHER)
        await first.says()
        await second.says()
        node.clock.advance(seconds=10)
        await first.says(since_s=13)
        await second.says(since_s=13)
        before = {device.report.since_s for device in desk.rows().values()}
        await desk.pages.flush()
        return before, {device.report.since_s for device in desk.rows().values()}

    assert at_a_desk(node, act) == ({3}, {13})


def test_a_page_that_falls_silent_is_written_at_once(node):
    async def act(desk):
        page = desk.opens()
        await page.says(activity="sounding", since_s=1, sound_ago_s=0)
        node.clock.advance(seconds=60)
        await page.says(activity="sounding", since_s=60, sound_ago_s=20)
        return desk.row(), desk.pages

    found, pages = at_a_desk(node, act)
    figures = pages._figures
    assert standing(found, node.clock.now(), figures, page_version=asset_version()) is Standing.SILENT


def test_a_page_that_cannot_make_up_its_mind_is_not_written_each_time(node):
    async def act(desk):
        page = desk.opens()
        for activity in ("paused", "blocked", "paused", "blocked"):
            await page.says(activity=activity)
        return desk.row().report.activity

    assert at_a_desk(node, act) is Activity.PAUSED


def test_a_page_that_is_left_is_closed_and_comes_back_as_itself(node):
    async def act(desk):
        page = desk.opens()
        await page.says()
        node.clock.advance(seconds=5)
        await page.leaves()
        closed = desk.row()
        node.clock.advance(seconds=5)
        await page.says()
        return closed, desk.rows()

    closed, rows = at_a_desk(node, act)
    assert closed.closed_at is not None
    assert list(rows) == [ONE]
    assert (rows[ONE].closed_at, rows[ONE].opened_at) == (None, closed.opened_at)


def test_a_reconnection_closes_nothing(node):
    async def act(desk):
        page = desk.opens()
        await page.says()
        await page.leaves(reconnected=True)
        return desk.row()

    assert at_a_desk(node, act).closed_at is None


def test_a_page_that_left_before_it_said_anything_leaves_no_trace(node):
    async def act(desk):
        await desk.opens().leaves()
        return desk.rows()

    assert at_a_desk(node, act) == {}


def test_a_second_tab_of_one_browser_is_a_device_of_its_own(node):
    async def act(desk):
        first, second = desk.opens(), desk.opens()
        await first.says(activity="paused")
        await second.says(activity="resting")
        return {device.id: device.report.activity for device in desk.rows().values()}

    assert at_a_desk(node, act) == {ONE: Activity.PAUSED, f"{ONE}-2": Activity.RESTING}


def test_a_reloaded_page_is_the_same_device(node):
    async def act(desk):
        first = desk.opens()
        await first.says()
        await first.leaves()
        await desk.opens().says()
        return list(desk.rows())

    assert at_a_desk(node, act) == [ONE]


def test_everything_is_written_when_the_process_ends(node):
    async def act(desk):
        async with desk.pages.running():
            page = desk.opens()
            await page.says()
            await page.says(since_s=77)
        return desk.row()

    assert at_a_desk(node, act).report.since_s == 77


def test_a_database_that_is_away_loses_no_report(make_node):
    node = make_node()

    async def act(desk):
        page = desk.opens()
        with Away(node):
            await page.says(since_s=5)
        assert desk.rows() == {}
        await desk.pages.flush()
        return desk.row()

    assert at_a_desk(node, act).report.since_s == 5


class Away:
    """A database whose table of devices is not there for a moment."""

    def __init__(self, node):
        self._engine = node.system.outside.engine

    def _rename(self, old, new):
        with self._engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")

    def __enter__(self):
        self._rename("device", "device_away")

    def __exit__(self, *_):
        self._rename("device_away", "device")


def test_a_steward_keeps_the_name_they_gave_a_page(node):
    async def act(desk):
        page = desk.opens()
        await page.says()
        with node.system.work.write() as tx:
            tx.devices.rename(ONE, "North wall")
        await page.says(since_s=9)
        await desk.pages.flush()
        return desk.row()

    assert at_a_desk(node, act).name == "North wall"


@pytest.mark.parametrize("command", list(Command))
def test_an_order_reaches_the_page_it_is_for_and_no_other(node, command):
    async def act(desk):
        page, bystander = desk.opens(), desk.opens(device_id=OTHER)
        await page.says()
        await bystander.says()
        await desk.pages.command({"device": ONE, "command": command.value})
        return page.element.orders, bystander.element.orders

    assert at_a_desk(node, act) == ([(command.value, "Room 4f2a")], [])


def test_an_order_calls_a_page_as_stewards_do(node):
    async def act(desk):
        page = desk.opens()
        await page.says()
        with node.system.work.write() as tx:
            tx.devices.rename(ONE, "North wall")
        await desk.pages.command({"device": ONE, "command": "identify"})
        return page.element.orders

    assert at_a_desk(node, act) == [("identify", "North wall")]


@pytest.mark.parametrize("detail", [{}, {"device": ONE}, {"device": ONE, "command": "explode"}, {"command": "reload"}])
def test_an_order_that_is_none_does_nothing(node, detail):
    async def act(desk):
        page = desk.opens()
        await page.says()
        await desk.pages.command(detail)
        return page.element.orders

    assert at_a_desk(node, act) == []


def test_a_page_that_has_left_takes_no_orders(node):
    async def act(desk):
        page = desk.opens()
        await page.says()
        await page.leaves()
        await desk.pages.command({"device": ONE, "command": "reload"})
        return page.element.orders

    assert at_a_desk(node, act) == []


def test_a_device_nobody_has_named_is_told_by_its_surface_and_the_end_of_its_id(node):
    async def act(desk):
        first, second = desk.opens(Surface.KIOSK), desk.opens(Surface.KIOSK)
        await first.says()
        await second.says()
        return {called(device) for device in desk.rows().values()}

    assert at_a_desk(node, act) == {"Kiosk 4f2a", "Kiosk 4f2a-2"}


def test_the_clock_of_a_page_is_compared_with_this_nodes(node):
    async def act(desk):
        page = desk.opens()
        await page.says(at_ms=node.clock.now().timestamp() * 1000 + 90_000)
        return desk.row().report.skew_s

    assert at_a_desk(node, act) == pytest.approx(90, abs=0.1)


def test_one_report_that_was_slow_on_its_way_moves_no_clock(node):
    async def act(desk):
        page = desk.opens()
        await page.says()
        await page.says(at_ms=node.clock.now().timestamp() * 1000 - 20_000)
        await desk.pages.flush()
        return desk.row().report.skew_s

    assert at_a_desk(node, act) == pytest.approx(0, abs=0.1)


NONSENSE = [
    None,
    "a report",
    [],
    {},
    {"id": ONE},
    {"id": "../../etc"},
    {"id": ONE + "\n"},
    {"id": 7},
    {"activity": "dancing"},
    {"activity": None},
    {"audio": 1},
    {"since_s": -1},
    {"since_s": float("nan")},
    {"since_s": float("inf")},
    {"since_s": "3"},
    {"since_s": True},
    {"at_ms": 1e300},
    {"microphone": "x" * (LABEL_MOST + 1)},
    {"microphone": "\ud800"},
    {"microphone_silent": 0},
    {"visible": "yes"},
    {"page_version": "<script>"},
    {"words": "something that was said"},
]


@pytest.mark.parametrize("payload", NONSENSE, ids=repr)
def test_what_is_no_report_changes_nothing(node, payload):
    async def act(desk):
        whole = payload not in NONSENSE[:5] and isinstance(payload, dict)
        await desk.opens().sends(said(node.clock, **payload) if whole else payload)
        return desk.rows()

    assert at_a_desk(node, act) == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(sorted(Said.model_fields)), inner),
    max_leaves=20,
)


@given(JSON)
def test_whatever_a_browser_sends_is_a_report_or_is_refused(payload):
    try:
        report = Said.model_validate(payload).report(skew_s=0)
    except ValueError:
        return
    assert report.microphone.isprintable()


@given(st.text(max_size=LABEL_MOST))
def test_the_name_of_a_microphone_is_kept_as_far_as_it_can_be_read(label):
    whole = Said.model_validate({**PLAIN, "microphone": label})
    assert whole.microphone.isprintable()
    assert set(whole.microphone) <= set(label)


PLAIN = {
    "id": ONE,
    "at_ms": 0,
    "activity": "idle",
    "since_s": 0,
    "audio": "none",
    "sound_ago_s": 0,
    "microphone": "",
    "permission": "prompt",
    "microphone_silent": False,
    "page_version": "",
    "visible": False,
    "playing": None,
}
