"""Every warning made to stand by what really causes it and ended by its remedy; who is told of it, and how often."""

import asyncio
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from core.adapters.messages import MailPlace, Webhook
from core.domain.artifact import Review
from core.domain.certificates import LEAF_DAYS, RENEW_DAYS, ROOT_DAYS, ROOT_SOON_DAYS, Names, Reason
from core.domain.device import Activity, Permission, Surface
from core.domain.steward import SWITCHES
from core.domain.work import Job, Signal
from core.errors import Unavailable
from core.ports.messages import Message
from core.ports.work import QueueDepth
from jobs.watching import look_for_others, stand_in
from memory_ui.addresses import certified
from tests.engines import at_work
from tests.fakes import START, at_once, visits_to, wait_for
from tests.signals import pages_of
from tests.sinks import certificate, mail_sink, web_sink
from tests.takes import a_page, put_takes


def beat(node, *roles):
    for role in roles or ("worker", "scheduler"):
        node.system.jobs.beat(f"a {role}", role)


def queue(waiting=0):
    return QueueDepth(waiting=waiting, running=0, oldest_waiting_s=0.0)


def names(node, depth=None):
    """What stands, by name; the queue is empty unless it is given."""
    return [found.warning.name.value for found in node.system.watch.standing(depth or queue())]


def about(node, what):
    """Of what stands, name and level of what begins so."""
    found = [one.warning for one in node.system.watch.standing(queue())]
    return [(one.name.value, one.level.value) for one in found if one.name.value.startswith(what)]


def look(node, waiting=0):
    """A look with a worker and a scheduler alive."""
    beat(node)
    node.system.watch.look(queue(waiting))


@pytest.fixture
def well(make_node):
    """Builds a node with nothing to warn of."""

    def build(**given):
        node = make_node(**given)
        put_takes(node, 8)
        beat(node)
        assert names(node) == []
        return node

    return build


class TestCauses:
    def test_a_store_that_does_not_answer(self, well):
        node = well()
        node.store.refuses.add("check")
        assert names(node) == ["store_down"]
        node.store.refuses.clear()
        assert names(node) == []

    def test_a_queue_that_does_not_answer(self, well):
        assert [one.warning.name for one in well().system.watch.standing(None)] == ["queue_down"]

    def test_a_database_that_does_not_answer_hides_what_only_it_knows(self, well, ground):
        node = well()
        ground.take_database_away(node.system)
        node.store.refuses.add("check")
        assert names(node) == ["database_down", "store_down"]

    @pytest.mark.parametrize(("silent", "alive"), [("worker", "scheduler"), ("scheduler", "worker")])
    def test_a_role_that_has_stopped(self, well, silent, alive):
        node = well()
        node.clock.advance(seconds=181)
        beat(node, alive)
        assert names(node) == [f"{silent}_stale"]
        beat(node, silent)
        assert names(node) == []

    def test_a_queue_that_fills(self, well):
        node = well()
        assert names(node, queue(11)) == []
        levels = [node.system.watch.standing(queue(count))[0].warning.level for count in (12, 40)]
        assert levels == ["warning", "critical"]

    def test_a_failed_job_until_a_success_supersedes_it(self, well):
        node = well()

        def fails(*_):
            raise Unavailable("no")

        node.system.jobs.run(Job.DERIVE, (3, "essence_wav"), fails)
        assert names(node) == ["jobs_failed"]
        node.system.jobs.run(Job.DERIVE, (3, "essence_wav"), lambda *_: None)
        assert names(node) == []

    def test_a_disk_that_fills(self, well):
        node = well(DISK_RESERVE_GB=20)
        told = []
        for free_gb in (150, 149, 79, 30):
            node.disk.free = free_gb * 10**9
            told.append([(one.warning.name, one.warning.level) for one in node.system.watch.standing(queue())])
        low = "disk_low"
        assert told == [[], [(low, "warning")], [(low, "critical")], [("disk_reserve", "critical")]]
        node.disk.free = 500 * 10**9
        assert names(node) == []

    def test_deletions_the_store_refuses_and_then_overdue_ones(self, well):
        node = well()
        kept = node.keep()
        node.store.refuses.add("delete")
        node.system.revocation.revoke(kept.secret)
        node.system.outside.ledger.publish()
        assert names(node) == ["deletions_refused"]
        node.clock.advance(seconds=901)
        beat(node)
        assert names(node) == ["deletions_overdue", "deletions_refused"]
        node.store.refuses.clear()
        node.clock.advance(hours=1)
        beat(node)
        node.system.retention.sweep()
        assert names(node) == []

    def test_a_clock_that_was_moved_until_it_is_right_again(self, well):
        node = well()
        for moved, expected in ((60.0, []), (-3600.0, ["clock_moved"]), (0.4, [])):
            node.drift.moved = moved
            assert names(node) == expected

    @pytest.mark.engine("embedded")
    def test_a_certificate_that_is_not_renewed_until_it_is(self, well):
        node = well(TLS="internal")
        certificates, wanted = node.system.certificates, certified(node.system.settings)
        certificates.keep(wanted)
        node.clock.advance(days=LEAF_DAYS - RENEW_DAYS - 1)
        assert certificates.keep(wanted) is None
        assert about(node, "certificate") == []
        for days, levels in ((1, []), (1, ["warning"]), (29, ["critical"])):
            node.clock.advance(days=days)
            assert about(node, "certificate") == [("certificate_late", level) for level in levels]
        assert certificates.keep(wanted) is Reason.ENDING
        assert about(node, "certificate") == []

    @pytest.mark.engine("embedded")
    def test_a_root_that_ends_until_there_is_another(self, well):
        node = well(TLS="internal")
        certificates, wanted = node.system.certificates, certified(node.system.settings)
        certificates.keep(wanted)
        for days, expected in ((ROOT_DAYS - ROOT_SOON_DAYS, []), (1, [("certificate_root", "warning")])):
            node.clock.advance(days=days)
            certificates.keep(wanted)
            assert about(node, "certificate") == expected
        certificates.new_root(wanted)
        assert about(node, "certificate") == []

    @pytest.mark.engine("embedded")
    @pytest.mark.parametrize(("file", "level"), [("root.pem", "critical"), ("node.pem", "warning")])
    def test_an_authority_or_a_certificate_that_is_lost_until_it_is_back(self, well, ground, file, level):
        node = well(TLS="internal")
        node.system.certificates.keep(certified(node.system.settings))
        path = ground.folder / "certificates" / file
        away = path.rename(path.with_suffix(".away"))
        assert about(node, "certificate") == [("certificate_lost", level)]
        path.write_text("no certificate at all")
        assert about(node, "certificate") == [("certificate_lost", level)]
        away.replace(path)
        assert about(node, "certificate") == []

    @pytest.mark.engine("embedded")
    def test_a_certificate_that_is_no_longer_used_is_nobodys_trouble(self, well, make_node, ground):
        well(TLS="internal").system.certificates.keep(Names(hosts=frozenset({"room.test"}), addresses=frozenset()))
        (ground.folder / "certificates" / "root.pem").unlink()
        assert about(make_node(), "certificate") == []

    def test_a_worker_whose_clock_runs_ahead(self, well):
        node = well()
        node.clock.advance(seconds=61)
        beat(node, "worker")
        node.clock.advance(seconds=-61)
        assert names(node) == ["worker_clock"]
        beat(node)
        assert names(node) == []

    @pytest.mark.parametrize(
        ("name", "surface", "said"),
        [
            ("device_silent", Surface.ROOM, {"activity": Activity.SOUNDING, "since_s": 16.0}),
            ("device_blocked", Surface.ROOM, {"activity": Activity.BLOCKED}),
            ("device_no_microphone", Surface.KIOSK, {"permission": Permission.DENIED}),
            ("device_microphone_silent", Surface.KIOSK, {"microphone_silent": True}),
            ("device_skewed", Surface.KIOSK, {"skew_s": 61.0}),
            ("device_old_page", Surface.ROOM, {"page_version": "before"}),
        ],
    )
    def test_an_open_page_in_trouble(self, well, name, surface, said):
        node = well()
        node.system.devices.report([a_page(node, surface, **said)])
        (found,) = node.system.watch.standing(queue())
        assert (found.warning.name, found.warning.subject) == (name, f"{surface}-1")
        node.system.devices.report([a_page(node, surface)])
        assert names(node) == []

    def test_a_page_that_is_gone_without_closing_until_it_is_forgotten(self, well):
        node = well()
        node.system.devices.report([a_page(node)])
        node.clock.advance(seconds=46)
        assert names(node) == ["device_offline"]
        node.system.devices.forget("room-1", actor="Ana")
        assert names(node) == []

    def test_after_a_night_without_power_pages_get_the_time_to_come_back(self, well):
        node = well()
        node.system.devices.report([a_page(node)])
        node.clock.advance(seconds=46)
        node.drift.up = 45.0
        assert names(node) == []
        node.drift.up = 46.0
        assert names(node) == ["device_offline"]

    def test_a_page_that_was_closed_is_not_missed(self, well):
        node = well()
        node.system.devices.report([replace(a_page(node), closed_at=START)])
        node.clock.advance(seconds=46)
        assert names(node) == []

    @pytest.mark.parametrize("switch", SWITCHES)
    def test_a_switch_that_is_on_until_its_time(self, well, switch):
        node = well()
        until = START + timedelta(minutes=2)
        node.system.stewardship.change({switch: True, f"{switch}_until": until}, actor="Ana")
        assert names(node) == [switch]
        node.clock.advance(minutes=2)
        assert names(node) == []

    def test_a_take_that_waits_for_a_steward(self, well):
        node = well()
        put_takes(node, 1, review=Review.HELD.value)
        assert names(node) == ["takes_waiting"]
        node.change(9, review="")
        assert names(node) == []

    def test_an_empty_room_and_then_one_with_little(self, make_node):
        node = make_node()
        beat(node)
        assert names(node) == ["pool_empty"]
        put_takes(node, 6)
        assert names(node) == ["pool_low"]
        put_takes(node, 1)
        assert names(node) == []

    def test_a_lopsided_pool_once_it_is_large_enough_to_have_a_shape(self, well):
        node = well()
        put_takes(node, 3)
        assert names(node) == []
        put_takes(node, 1)
        assert names(node) == ["lane_dominates", "lane_missing", "mood_dominates", "mood_missing"]

    def test_a_balanced_pool_is_none(self, well):
        node = well()
        for age_h, duration_ms in ((0, 3_000), (10, 10_000), (10, 20_000), (20, 10_000), (20, 20_000), (0, 10_000)):
            put_takes(node, 4, created_at=START - timedelta(hours=age_h), duration_ms=duration_ms)
        assert names(node) == []


class TestSince:
    def test_a_warning_stands_since_the_look_that_found_it(self, well):
        node = well()
        node.drift.moved = 90.0
        assert node.system.watch.standing(queue())[0].since == START
        look(node)
        node.clock.advance(minutes=2)
        assert node.system.watch.standing(queue())[0].since == START

    def test_none_stands_since_a_time_to_come(self, well):
        node = well()
        node.clock.advance(minutes=10)
        look(node, waiting=12)
        node.clock.advance(minutes=-10)
        assert node.system.watch.standing(queue(12))[0].since == START

    def test_one_that_returns_stands_since_then(self, well):
        node = well()
        for moved in (90.0, 0.0, 90.0):
            node.drift.moved = moved
            look(node)
            node.clock.advance(minutes=1)
        assert node.system.watch.standing(queue())[0].since == START + timedelta(minutes=2)

    def test_it_survives_a_restart(self, well, make_node):
        node = well()
        look(node, waiting=12)
        node.clock.advance(minutes=2)
        again = make_node()
        assert again.system.watch.standing(queue(12))[0].since == START

    def test_what_is_over_leaves_no_row_where_nobody_was_told(self, well):
        node = well()
        look(node, waiting=12)
        look(node)
        assert node.counts()["warning"] == 0

    def test_looking_is_not_blind_to_a_database_that_is_away(self, well, ground):
        node = well()
        ground.take_database_away(node.system)
        node.system.watch.look(queue())


class TestSignals:
    @pytest.fixture
    def node(self, well):
        return well()

    @pytest.fixture
    def told(self, node):
        """What pages are told from now on."""
        with pages_of(node) as told:
            yield told

    def test_pages_are_told_when_something_begins_and_when_it_ends(self, node, told):
        for waiting in (12, 0):
            look(node, waiting)
            assert told.take(Signal.WARNINGS) == [{}]

    def test_pages_are_told_when_it_grows_graver(self, node, told):
        look(node, 12)
        told.take(Signal.WARNINGS)
        look(node, 40)
        assert told.take(Signal.WARNINGS) == [{}]

    def test_pages_are_left_alone_while_nothing_changes(self, node, told):
        look(node)
        assert told.take(Signal.WARNINGS) == []
        look(node, 12)
        told.take(Signal.WARNINGS)
        look(node, 13)
        assert told.take(Signal.WARNINGS) == []


@pytest.fixture
def web():
    """A web server that takes messages."""
    with web_sink() as sink:
        yield sink


def said(web):
    """What was posted, in short: the names of warnings, or that all is well."""
    return [[one["name"] for one in message["warnings"]] or message["cleared"] for message in web.posted]


class TestTelling:
    @pytest.fixture
    def node(self, well, web):
        return well(WARN_WEBHOOK_URL=web.url(), NODE_NAME="The attic")

    def test_all_that_is_new_is_one_message(self, node, web):
        node.drift.moved = 90.0
        look(node, 40)
        (message,) = web.posted
        assert (message["node"], message["cleared"]) == ("The attic", False)
        assert message["warnings"][0] == {
            "name": "clock_moved",
            "level": "critical",
            "title": "The clock of this machine has moved by 90 s.",
            "detail": "Let it keep its time from the network. If the time is right now, restart the node.",
            "since": START.isoformat(),
        }
        assert said(web) == [["clock_moved", "queue_filling"]]

    def test_what_stands_is_told_again_after_the_quiet_period_and_not_before(self, node, web):
        for _ in range(3):
            look(node, 12)
            node.clock.advance(minutes=30)
        assert said(web) == [["queue_filling"]] * 2

    def test_what_a_clock_told_that_ran_ahead_is_told_again(self, node, web):
        node.clock.advance(hours=2)
        look(node, 12)
        node.clock.advance(hours=-2)
        look(node, 12)
        assert said(web) == [["queue_filling"]] * 2

    def test_what_comes_and_goes_is_not_told_each_time(self, node, web):
        for waiting in (12, 0, 12, 0, 12, 0):
            look(node, waiting)
            node.clock.advance(minutes=1)
        assert said(web) == [["queue_filling"], True]

    def test_what_returned_and_stays_is_told_after_the_quiet_period_and_its_end_too(self, node, web):
        for waiting in (12, 0, 12):
            look(node, waiting)
            node.clock.advance(minutes=20)
        look(node, 12)
        look(node)
        assert said(web) == [["queue_filling"], True, ["queue_filling"], True]

    def test_what_was_forgotten_by_then_is_new(self, node, web):
        look(node, 12)
        look(node)
        node.clock.advance(minutes=61)
        look(node)
        assert node.counts()["warning"] == 0
        look(node, 12)
        assert said(web) == [["queue_filling"], True, ["queue_filling"]]

    def test_what_grows_graver_is_told_at_once_and_once(self, node, web):
        for waiting in (12, 40, 12, 40):
            look(node, waiting)
            node.clock.advance(minutes=1)
        assert said(web) == [["queue_filling"]] * 2
        assert [message["warnings"][0]["level"] for message in web.posted] == ["warning", "critical"]

    def test_all_is_well_only_when_all_that_was_told_is_over(self, node, web):
        node.drift.moved = 90.0
        look(node, 12)
        look(node)
        assert said(web) == [["clock_moved", "queue_filling"]]
        node.drift.moved = 0.0
        look(node)
        look(node)
        assert said(web) == [["clock_moved", "queue_filling"], True]

    def test_a_node_at_peace_says_nothing(self, node, web):
        look(node)
        assert web.posted == []

    def test_a_pause_is_told_only_once_it_may_have_been_forgotten(self, node, web):
        node.system.stewardship.change({"intake_paused": True}, actor="Ana")
        look(node)
        node.clock.advance(minutes=59)
        look(node)
        assert said(web) == []
        node.clock.advance(minutes=1)
        look(node)
        assert said(web) == [["intake_paused"]]

    def test_the_shape_of_a_pool_is_sent_to_nobody(self, node, web):
        put_takes(node, 8)
        look(node)
        assert names(node)
        node.clock.advance(hours=2)
        look(node)
        assert web.posted == []

    def test_of_two_watchers_at_once_one_tells(self, node, web):
        at_once(*[lambda: look(node, 12)] * 2)
        assert said(web) == [["queue_filling"]]
        at_once(*[lambda: look(node)] * 2)
        assert said(web) == [["queue_filling"], True]

    def test_whoever_cannot_be_reached_is_told_with_the_next_look(self, node, web):
        web.status = 500
        look(node, 12)
        look(node, 12)
        web.status = 200
        look(node, 12)
        look(node, 12)
        assert said(web) == [["queue_filling"]]

    def test_the_end_is_told_again_too(self, node, web):
        look(node, 12)
        web.status = 302
        look(node)
        web.status = 204
        look(node)
        look(node)
        assert said(web) == [["queue_filling"], True]

    def test_what_was_over_before_anybody_was_reached_is_not_told(self, node, web):
        web.status = 500
        look(node, 12)
        web.status = 204
        look(node)
        assert web.posted == []
        assert node.counts()["warning"] == 0

    def test_nothing_of_a_voice_is_in_a_message(self, node, web):
        kept = node.keep(topic="kitchen")
        node.store.refuses.add("delete")
        node.system.revocation.revoke(kept.secret)
        look(node)
        text = str(web.posted)
        assert said(web) == [["deletions_refused"]]
        row = node.row(kept.artifact.id)
        assert not any(part in text for part in (row.public_id, kept.secret, "kitchen", "raw/", "secret"))


class TestWhoIsMissed:
    """By messages: whoever looks judges others by what it has seen them do, and not by its own clock alone."""

    @pytest.fixture
    def node(self, well, web):
        return well(WARN_WEBHOOK_URL=web.url())

    def go_on(self, node, seconds):
        node.clock.advance(seconds=seconds)
        node.drift.up += seconds

    def test_a_process_of_the_future_that_is_silent_since_is_forgotten(self, node, web):
        node.clock.advance(hours=1)
        node.system.jobs.beat("another worker", "worker")
        node.clock.advance(hours=-1)
        for _ in range(6):
            look(node)
            self.go_on(node, 60)
        assert said(web) == [["worker_clock"], True]
        assert [row.name for row in node.table("presence")] == ["a scheduler", "a worker"]

    def test_one_that_goes_on_living_is_not(self, node, web):
        for _ in range(6):
            node.clock.advance(hours=1)
            node.system.jobs.beat("another worker", "worker")
            node.clock.advance(hours=-1)
            look(node)
            self.go_on(node, 60)
        assert said(web) == [["worker_clock"]]

    def looks_from_ahead(self, node, *, others):
        """Six looks of a worker that began now with a clock an hour ahead; the scheduler lives, or has lived."""
        node.drift.up = 0.0
        for _ in range(6):
            if others:
                node.system.jobs.beat("a scheduler", "scheduler")
            node.clock.advance(hours=1)
            node.system.jobs.beat("a worker", "worker")
            node.system.watch.look(queue())
            node.clock.advance(hours=-1)
            self.go_on(node, 60)

    def test_a_worker_whose_clock_is_ahead_does_not_miss_a_scheduler_that_lives(self, node, web):
        self.looks_from_ahead(node, others=True)
        assert said(web) == []

    def test_it_misses_one_that_does_not(self, node, web):
        self.looks_from_ahead(node, others=False)
        assert said(web) == [["scheduler_stale"]]

    def test_a_page_that_is_gone_does_not_seem_back_after_a_restart(self, node, web, make_node):
        node.system.devices.report([a_page(node)])
        self.go_on(node, 46)
        look(node)
        again = make_node(WARN_WEBHOOK_URL=web.url())
        again.drift.up = 10.0
        look(again)
        assert said(web) == [["device_offline"]]
        assert again.counts()["warning"] == 1


class TestTwoMessengers:
    @pytest.fixture
    def mail(self):
        with mail_sink() as sink:
            yield sink

    @pytest.fixture
    def node(self, well, web, mail):
        smtp = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": mail.port, "SMTP_SECURITY": "none"}
        return well(WARN_WEBHOOK_URL=web.url(), WARN_EMAIL_TO="ana@example.org", **smtp)

    def test_both_are_told(self, node, web, mail):
        look(node, 12)
        assert (len(web.posted), len(mail.mails)) == (1, 1)

    def test_one_that_fails_is_tried_again_and_the_other_is_not_told_twice(self, node, web, mail):
        mail.refuses = True
        look(node, 12)
        look(node, 12)
        mail.refuses = False
        look(node, 12)
        look(node, 12)
        assert (len(web.posted), len(mail.mails)) == (1, 1)


class TestMail:
    @pytest.fixture
    def mailing(self, well):
        """Builds a node that mails to a sink."""
        with ExitStack() as stack:

            def build(*, pem=None, tls=False, **given):
                sink = stack.enter_context(mail_sink(pem, tls=tls))
                place = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": sink.port}
                return well(**place, WARN_EMAIL_TO="ana@example.org, b@example.org", **given), sink

            yield build

    def test_a_mail_says_what_is_and_what_to_do(self, mailing):
        node, sink = mailing(SMTP_SECURITY="none", NODE_NAME="Dachboden · Süd", WARN_EMAIL_FROM="room@example.org")
        node.drift.moved = 90.0
        look(node, 12)
        (mail,) = sink.mails
        assert mail["Subject"] == "Dachboden · Süd: The clock of this machine has moved by 90 s."
        assert (mail["From"], mail["To"]) == ("room@example.org", "ana@example.org, b@example.org")
        assert sink.envelopes == [("room@example.org", ("ana@example.org", "b@example.org"))]
        text = mail.get_content()
        assert "Critical: The clock of this machine has moved by 90 s." in text
        assert "Warning: Jobs are waiting: 12." in text
        assert "If the number does not fall, start another worker." in text

    def test_it_says_when_all_is_well_again(self, mailing):
        node, sink = mailing(SMTP_SECURITY="none", NODE_NAME="Attic")
        look(node, 12)
        look(node)
        assert [mail["Subject"] for mail in sink.mails] == ["Attic: Jobs are waiting: 12.", "Attic: All is well again."]
        assert sink.envelopes[0][0] == "ana@example.org"

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    def test_the_way_is_secured_and_signed_in(self, mailing, tmp_path, monkeypatch, security):
        pem = certificate(tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        signs = {"SMTP_USER": "room", "SMTP_PASSWORD": "wet slate"}
        node, sink = mailing(pem=pem, tls=security == "tls", SMTP_SECURITY=security, **signs)
        look(node, 12)
        assert (len(sink.mails), sink.secured, len(sink.signed_in)) == (1, [True], 1)

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    def test_a_server_nobody_vouches_for_gets_no_mail(self, mailing, tmp_path, security):
        pem = certificate(tmp_path)
        signs = {"SMTP_USER": "room", "SMTP_PASSWORD": "wet slate"}
        node, sink = mailing(pem=pem, tls=security == "tls", SMTP_SECURITY=security, **signs)
        look(node, 12)
        assert (sink.mails, sink.signed_in) == ([], [])

    def test_a_server_without_starttls_gets_no_mail(self, mailing):
        node, sink = mailing(SMTP_SECURITY="starttls")
        look(node, 12)
        assert sink.mails == []

    def test_no_password_is_shown_with_a_place(self):
        place = MailPlace(
            host="h", port=1, security="none", user="u", password="wet slate", sender="s", recipients=("r",)
        )
        assert "wet slate" not in repr(place)


class TestHttps:
    def test_a_verified_server_is_told(self, well, tmp_path, monkeypatch):
        pem = certificate(tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        with web_sink(pem) as web:
            look(well(WARN_WEBHOOK_URL=web.url("https")), 12)
            assert said(web) == [["queue_filling"]]

    def test_a_server_nobody_vouches_for_is_told_nothing(self, well, tmp_path):
        with web_sink(certificate(tmp_path)) as web:
            look(well(WARN_WEBHOOK_URL=web.url("https")), 12)
            assert web.posted == []

    def test_an_address_where_nobody_answers_is_a_failure_that_names_no_address(self, well):
        with web_sink() as web:
            url = f"{web.url()}?token=wet-slate"
        with pytest.raises(Unavailable) as failure:
            Webhook(url).send(Message(node="Attic", warnings=(), cleared=True))
        assert "wet-slate" not in failure.value.message


class TestWhoLooks:
    def test_the_job_looks_with_the_queue_as_it_is(self, node):
        put_takes(node, 8)
        with visits_to(node, at_work):
            wait_for(lambda: node.rows("SELECT 1 FROM job_run WHERE job = 'watch' AND done > 0"))
        assert node.rows("SELECT name FROM warning WHERE name = 'queue_down'") == []

    def test_where_no_worker_looks_somebody_else_does(self, node):
        assert look_for_others(node.system)
        assert ("worker_stale",) in [tuple(row) for row in node.rows("SELECT name FROM warning")]

    def test_where_a_worker_has_looked_lately_nobody_else_does(self, node):
        node.system.jobs.run(Job.WATCH, (), lambda: None)
        node.clock.advance(seconds=179)
        assert not look_for_others(node.system)
        node.clock.advance(seconds=1)
        assert look_for_others(node.system)

    def test_a_look_by_a_clock_that_ran_ahead_does_not_stand_for_those_to_come(self, node):
        node.clock.advance(hours=2)
        node.system.jobs.run(Job.WATCH, (), lambda: None)
        node.clock.advance(hours=-2)
        assert look_for_others(node.system)

    def test_of_many_who_notice_one_looks(self, node):
        looked = at_once(*[lambda: look_for_others(node.system)] * 4)
        assert sorted(looked) == [False] * 3 + [True]

    def test_a_web_process_notices_by_itself(self, make_node):
        node = make_node(WATCH_INTERVAL_SECONDS=1)

        async def looks():
            task = asyncio.create_task(stand_in(node.system))
            for _ in range(300):
                await asyncio.sleep(0.02)
                if node.counts()["warning"]:
                    break
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(looks())
        assert node.counts()["warning"]
