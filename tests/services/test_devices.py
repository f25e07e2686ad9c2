"""Open pages: what they report, what stewards see of it, and what they may ask."""

from dataclasses import replace

import pytest

from core.domain.device import Activity, Command, Standing, Surface, Trouble
from core.domain.work import Signal
from core.errors import BadField, Conflict, NotFound
from core.ports.work import TrailQuery
from tests.fakes import at_once
from tests.signals import pages_of
from tests.takes import a_page


def trail(node):
    return [
        (action.action, action.subject, action.before, action.after)
        for action in node.system.stewardship.trail(TrailQuery())
    ]


@pytest.fixture
def told(node):
    """What pages are told from now on."""
    with pages_of(node) as told:
        yield told


class TestReports:
    def test_a_page_is_seen_as_it_reported_itself(self, node):
        node.system.devices.report([a_page(node, Surface.KIOSK, microphone="Desk")])
        (seen,) = node.system.devices.all()
        assert (seen.device.name, seen.device.report.microphone) == ("Hall", "Desk")
        assert (seen.standing, seen.troubles) == (Standing.WAITING, ())

    def test_what_is_wrong_with_it_is_worked_out_now(self, node):
        node.system.devices.report([a_page(node, activity=Activity.BLOCKED)])
        (seen,) = node.system.devices.all()
        assert (seen.standing, seen.troubles) == (Standing.SILENT, (Trouble.BLOCKED,))
        node.clock.advance(seconds=46)
        (seen,) = node.system.devices.all()
        assert (seen.standing, seen.troubles) == (Standing.OFFLINE, ())

    def test_the_version_of_a_page_is_that_of_what_is_served(self, node):
        node.system.devices.report([a_page(node, page_version="before")])
        assert node.system.devices.all()[0].troubles == (Trouble.OLD_PAGE,)

    def test_thresholds_are_settings(self, make_node):
        node = make_node(DEVICE_OFFLINE_SECONDS=5)
        node.system.devices.report([a_page(node)])
        node.clock.advance(seconds=6)
        assert node.system.devices.all()[0].standing is Standing.OFFLINE

    def test_many_reports_of_one_page_at_once_are_one_page(self, node):
        page = a_page(node)
        at_once(*[lambda: node.system.devices.report([page])] * 4)
        assert len(node.system.devices.all()) == 1

    def test_a_page_nobody_has_heard_of_for_days_is_forgotten(self, node):
        node.system.devices.report([a_page(node)])
        node.clock.advance(hours=73)
        node.system.retention.prune()
        assert node.system.devices.all() == []


class TestSignals:
    def test_stewards_are_told_of_a_new_page(self, node, told):
        node.system.devices.report([a_page(node)])
        assert told.take(Signal.DEVICES) == [{}]

    def test_a_page_that_goes_on_as_before_is_nothing_to_tell(self, node, told):
        node.system.devices.report([a_page(node)])
        told.take(Signal.DEVICES)
        page = a_page(node, since_s=10.0, sound_ago_s=1.0)
        node.clock.advance(seconds=20)
        node.system.devices.report([replace(page, contact_at=node.clock.now(), name="another")])
        node.system.devices.report([])
        assert told.take(Signal.DEVICES) == []

    @pytest.mark.parametrize("said", [{"activity": Activity.SOUNDING}, {"microphone": "Desk"}, {"page_version": "old"}])
    def test_what_a_steward_sees_of_it_is(self, node, told, said):
        node.system.devices.report([a_page(node)])
        told.take(Signal.DEVICES)
        node.system.devices.report([a_page(node, **said)])
        assert told.take(Signal.DEVICES) == [{}]

    def test_so_is_its_return(self, node, told):
        page = a_page(node)
        node.system.devices.report([page])
        told.take(Signal.DEVICES)
        node.clock.advance(seconds=60)
        node.system.devices.report([replace(page, contact_at=node.clock.now())])
        assert told.take(Signal.DEVICES) == [{}]

    def test_a_command_names_its_page(self, node, told):
        node.system.devices.report([a_page(node)])
        node.system.devices.command("room-1", Command.TONE, actor="Ana")
        assert told.take(Signal.COMMAND) == [{"device": "room-1", "command": "tone"}]


class TestStewards:
    def test_a_name_stays_whatever_the_page_says_of_itself(self, node):
        node.system.devices.report([a_page(node)])
        node.system.devices.rename("room-1", "  North   hall ", actor="Ana")
        node.system.devices.report([a_page(node)])
        assert node.system.devices.all()[0].device.name == "North hall"
        assert trail(node) == [("rename_device", "room-1", {"name": "Hall"}, {"name": "North hall"})]

    def test_the_same_name_again_leaves_no_trace(self, node):
        node.system.devices.report([a_page(node)])
        node.system.devices.rename("room-1", "Hall", actor="Ana")
        assert trail(node) == []

    @pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\x00b", "a\u202eb"])
    def test_a_name_nobody_could_read_is_refused(self, node, name):
        node.system.devices.report([a_page(node)])
        with pytest.raises(BadField, match="name"):
            node.system.devices.rename("room-1", name, actor="Ana")

    def test_a_forgotten_page_is_gone_and_comes_back_when_it_is_open(self, node):
        node.system.devices.report([a_page(node)])
        node.system.devices.forget("room-1", actor="Ana")
        assert node.system.devices.all() == []
        assert trail(node)[0][:2] == ("forget_device", "room-1")
        node.system.devices.report([a_page(node)])
        assert len(node.system.devices.all()) == 1

    @pytest.mark.parametrize("command", Command)
    def test_a_command_is_noted(self, node, command):
        node.system.devices.report([a_page(node)])
        node.system.devices.command("room-1", command, actor="Ana")
        assert trail(node) == [(f"{command.value}_device", "room-1", {"name": "Hall"}, {})]

    def test_a_kiosk_is_wiped_also_where_it_cannot_be_reached(self, node):
        node.system.devices.report([replace(a_page(node, Surface.KIOSK), id="kiosk-1", station="at-the-stairs")])
        held, other = (node.system.take_keys.begin(station) for station in ("at-the-stairs", "elsewhere"))
        node.clock.advance(seconds=46)
        node.system.devices.wipe("kiosk-1", actor="Ana")
        with pytest.raises(NotFound):
            node.system.take_keys.again(held.take)
        assert node.system.take_keys.again(other.take) == other
        assert trail(node)[0][:2] == ("wipe_device", "kiosk-1")

    def test_a_listening_page_holds_nothing_to_wipe(self, node):
        node.system.devices.report([a_page(node)])
        with pytest.raises(Conflict):
            node.system.devices.wipe("room-1", actor="Ana")

    def test_a_page_that_is_offline_cannot_be_asked(self, node):
        node.system.devices.report([a_page(node)])
        node.clock.advance(seconds=46)
        with pytest.raises(Conflict):
            node.system.devices.command("room-1", Command.TONE, actor="Ana")
        assert trail(node) == []

    @pytest.mark.parametrize("unknown", ["room-2", "", "x" * 500, "a\x00b", "é"])
    def test_an_unknown_page_is_not_found(self, node, unknown):
        devices = node.system.devices
        for act in (
            lambda: devices.rename(unknown, "Hall", actor="Ana"),
            lambda: devices.forget(unknown, actor="Ana"),
            lambda: devices.command(unknown, Command.TONE, actor="Ana"),
        ):
            with pytest.raises(NotFound):
                act()
