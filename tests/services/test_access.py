from dataclasses import replace

import pytest
from typer.testing import CliRunner

from core.adapters.vault import read_secret, write_secret
from core.bootstrap import STEWARD_SECRET_FILE
from core.domain.access import Role
from core.errors import BadField, Conflict, MemoryEngineError, NotFound, Unavailable
from core.ports.work import TrailQuery
from core.services.access import COMMAND_LINE, NAME_SIGNS, Visitor, actor_of
from memory_ui.cli import app
from tests.fakes import START, at_once

HERE = Visitor(user_agent="Firefox", address="192.168.1.20")
SECRET = "the shared secret of these tests"
ODD_SECRETS = ["", " ", "wrong", "é", "\U0001f701", "\ud800", "\udcff", "\0", "x" * 100_000]


@pytest.fixture
def access(node):
    return node.system.access


def sign_in(access, secret=None, visitor=HERE):
    """(token, session) of whoever signs in."""
    opened = access.sign_in(access.shared_secret() if secret is None else secret, visitor)
    assert opened is not None
    return opened


def trail(node):
    """(who, what, whom) of every entry, oldest first."""
    found = node.system.stewardship.trail(TrailQuery())
    return [(action.actor, action.action, action.subject) for action in reversed(found)]


class TestSigningIn:
    def test_the_shared_secret_makes_a_steward_without_a_name(self, access):
        _, session = sign_in(access)
        assert (session.name, session.role, actor_of(session)) == ("", Role.STEWARD, "steward")

    @pytest.mark.parametrize("role", Role)
    def test_a_secret_of_ones_own_makes_a_session_in_ones_name_and_role(self, access, role):
        _, session = sign_in(access, access.add("Ana", role, actor="t"))
        assert (session.name, session.role, actor_of(session)) == ("Ana", role, "Ana")

    @pytest.mark.parametrize("secret", ODD_SECRETS)
    def test_a_wrong_secret_opens_nothing(self, access, node, secret):
        access.add("Ana", Role.STEWARD, actor="t")
        assert access.sign_in(secret, HERE) is None
        assert node.counts()["steward_session"] == 0

    @pytest.mark.parametrize("secret", ["Größe und Ruhe im ganzen Haus", "alchemists wrote \U0001f701 for air"])
    def test_a_secret_of_any_signs_is_right_where_it_is_the_same(self, make_node, secret):
        access = make_node(OPS_SHARED_SECRET=secret).system.access
        assert sign_in(access, secret)
        assert access.sign_in(secret + "x", HERE) is None

    def test_a_secret_is_not_another_one_that_begins_with_it(self, access):
        secret = access.shared_secret()
        assert [access.sign_in(tried, HERE) for tried in (secret[:-1], secret + "x", secret.swapcase())] == [None] * 3

    def test_neither_token_nor_secret_is_stored(self, access, node):
        own = access.add("Ana", Role.CURATOR, actor="t")
        tokens = [sign_in(access)[0], sign_in(access, own)[0]]
        written = node.written()
        assert [said for said in (*tokens, own, access.shared_secret()) if said.encode() in written] == []

    def test_no_two_sessions_have_one_token(self, access):
        assert len({sign_in(access)[0] for _ in range(20)}) == 20

    def test_it_is_noted_in_the_trail(self, access, node):
        sign_in(access)
        sign_in(access, access.add("Ana", Role.STEWARD, actor="Ben"))
        assert trail(node) == [("steward", "sign_in", ""), ("Ben", "add_steward", "Ana"), ("Ana", "sign_in", "")]


class TestASession:
    def test_its_token_opens_it_for_its_browser(self, access):
        token, session = sign_in(access)
        assert access.session(token, HERE) == session

    @pytest.mark.parametrize("change", [lambda t: "", lambda t: t[:-1], lambda t: t + "A", lambda t: t.swapcase()])
    def test_another_token_opens_nothing(self, access, change):
        token, _ = sign_in(access)
        assert access.session(change(token), HERE) is None

    @pytest.mark.parametrize("token", ["A" * 32, "A" * 100_000, "é" * 32, "\ud800" * 32, "A" * 31 + "\n", "../" * 10])
    def test_a_longer_or_odder_one_opens_nothing(self, access, token):
        sign_in(access)
        assert access.session(token, HERE) is None

    def test_what_is_stored_of_it_does_not_open_it(self, access, node):
        sign_in(access)
        (row,) = node.table("steward_session")
        assert [access.session(value, HERE) for value in (row.id, row.bound, row.made_with)] == [None] * 3

    def test_it_ends_at_its_time(self, access, node):
        token, session = sign_in(access)
        node.clock.advance(hours=11, minutes=59, seconds=59)
        assert access.session(token, HERE)
        node.clock.advance(seconds=1)
        assert access.session(token, HERE) is None
        assert access.still(session) is None

    def test_it_lasts_as_long_as_the_settings_say(self, make_node):
        _, session = sign_in(make_node(OPS_SESSION_HOURS=0.5).system.access)
        assert (session.until - START).total_seconds() == 1800

    def test_it_survives_a_restart(self, access, make_node):
        token, session = sign_in(access)
        assert make_node().system.access.session(token, HERE) == session

    def test_it_is_a_session_of_its_own_installation_only(self, access, elsewhere):
        token, _ = sign_in(access)
        assert elsewhere.system.access.session(token, HERE) is None

    def test_signing_out_ends_it_wherever_it_is_open(self, access):
        token, session = sign_in(access)
        access.sign_out(session)
        assert (access.session(token, HERE), access.still(session)) == (None, None)

    def test_signing_out_leaves_the_others_alone(self, access):
        (one, session), (other, _) = sign_in(access), sign_in(access)
        access.sign_out(session)
        assert access.session(one, HERE) is None
        assert access.session(other, HERE)

    def test_whoever_holds_its_token_may_give_it_up_from_anywhere(self, access):
        token, session = sign_in(access)
        access.leave(token)
        assert access.still(session) is None

    @pytest.mark.parametrize("token", ["", "A" * 32, "x", "\ud800" * 32])
    def test_giving_up_what_is_no_session_is_nothing(self, access, node, token):
        access.leave(token)
        assert trail(node) == []

    def test_signing_out_twice_at_once_is_noted_once(self, access, node):
        _, session = sign_in(access)
        at_once(*[lambda: access.sign_out(session)] * 4)
        assert [action for _, action, _ in trail(node)] == ["sign_in", "sign_out"]


class TestBinding:
    def test_by_default_it_is_bound_to_the_browser_and_not_to_its_address(self, access):
        token, _ = sign_in(access)
        assert access.session(token, replace(HERE, address="10.0.0.9"))
        assert access.session(token, replace(HERE, user_agent="another")) is None

    def test_strictly_it_is_bound_to_both(self, make_node):
        access = make_node(OPS_SESSION_BINDING="strict").system.access
        token, session = sign_in(access)
        assert access.session(token, HERE)
        for other in (replace(HERE, address="192.168.1.21"), replace(HERE, user_agent="another")):
            assert access.session(token, other) is None
            assert access.still(session, other) is None

    def test_unbound_its_token_is_enough(self, make_node):
        access = make_node(OPS_SESSION_BINDING="none").system.access
        token, _ = sign_in(access)
        assert access.session(token, Visitor(user_agent="", address=""))

    def test_another_binding_in_the_settings_ends_it(self, access, make_node):
        token, _ = sign_in(access)
        assert make_node(OPS_SESSION_BINDING="strict").system.access.session(token, HERE) is None


class TestNetworks:
    def test_they_are_asked_on_every_use(self, make_node):
        access = make_node(OPS_ALLOWED_NETWORKS="192.168.1.0/24").system.access
        token, session = sign_in(access)
        outside = replace(HERE, address="192.168.2.20")
        assert access.session(token, HERE)
        assert access.session(token, outside) is None
        assert access.still(session, outside) is None

    def test_networks_that_are_named_later_count_for_older_sessions(self, access, make_node):
        token, _ = sign_in(access)
        assert make_node(OPS_ALLOWED_NETWORKS="10.0.0.0/8").system.access.session(token, HERE) is None


class TestTheSharedSecret:
    def test_a_new_one_in_the_settings_ends_every_session_of_the_old(self, access, make_node):
        token, session = sign_in(access)
        later = make_node(OPS_SHARED_SECRET="another shared secret").system.access
        assert (later.session(token, HERE), later.still(session), later.sessions()) == (None, None, [])

    def test_a_new_one_leaves_sessions_of_named_stewards_alone(self, access, make_node):
        token, _ = sign_in(access, access.add("Ana", Role.STEWARD, actor="t"))
        assert make_node(OPS_SHARED_SECRET="another shared secret").system.access.session(token, HERE)

    @pytest.mark.engine("embedded")
    def test_a_running_node_takes_a_new_one_in_the_file_at_once(self, access, node):
        token, _ = sign_in(access)
        old = access.shared_secret()
        write_secret(node.system.outside.data_dir / STEWARD_SECRET_FILE, SECRET + "\n")
        assert access.session(token, HERE) is None
        assert access.sign_in(old, HERE) is None
        assert sign_in(access, SECRET)

    @pytest.mark.engine("embedded")
    def test_a_session_is_made_with_the_secret_that_was_shown_though_the_file_changes_meanwhile(self, access, node):
        path, old = node.system.outside.data_dir / STEWARD_SECRET_FILE, access.shared_secret()
        read = access.shared_secret

        def changing():
            found = read()
            write_secret(path, SECRET)
            return found

        access.shared_secret = changing
        token, _ = sign_in(access, old)
        assert access.session(token, HERE) is None

    @pytest.mark.engine("embedded")
    @pytest.mark.parametrize("content", [b"", b" \n\t", b"\xff\xfe\xff", None])
    def test_a_file_that_holds_none_lets_nobody_in(self, access, node, content):
        token, _ = sign_in(access)
        path = node.system.outside.data_dir / STEWARD_SECRET_FILE
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        assert not access.configured()
        assert access.session(token, HERE) is None
        for secret in ("", " ", SECRET):
            with pytest.raises(Unavailable):
                access.sign_in(secret, HERE)

    @pytest.mark.engine("embedded")
    def test_without_one_a_named_steward_still_signs_in(self, access, node):
        own = access.add("Ana", Role.STEWARD, actor="t")
        (node.system.outside.data_dir / STEWARD_SECRET_FILE).write_text("")
        assert access.configured()
        assert sign_in(access, own)
        assert access.sign_in("", HERE) is None

    @pytest.mark.engine("embedded")
    def test_a_file_may_begin_and_end_as_editors_leave_it(self, access, node):
        (node.system.outside.data_dir / STEWARD_SECRET_FILE).write_bytes(b"\xef\xbb\xbf" + SECRET.encode() + b"\r\n")
        assert sign_in(access, SECRET)


class TestNamedStewards:
    def test_a_new_secret_ends_the_sessions_made_with_the_old(self, access):
        old = access.add("Ana", Role.STEWARD, actor="t")
        token, session = sign_in(access, old)
        new = access.renew("Ana", actor="t")
        assert (access.session(token, HERE), access.still(session), access.sign_in(old, HERE)) == (None, None, None)
        assert sign_in(access, new)[1].name == "Ana"

    def test_a_removed_steward_is_signed_out_and_stays_out(self, access):
        secret = access.add("Ana", Role.STEWARD, actor="t")
        token, session = sign_in(access, secret)
        access.remove("Ana", actor="t")
        assert (access.session(token, HERE), access.still(session), access.sign_in(secret, HERE)) == (None, None, None)

    def test_a_session_that_was_being_opened_while_its_steward_was_removed_opens_nothing(self, access, node):
        token, session = sign_in(access, access.add("Ana", Role.STEWARD, actor="t"))
        access.remove("Ana", actor="t")
        with node.system.work.write() as tx:
            tx.sessions.open(session)
        assert (access.session(token, HERE), access.sessions()) == (None, [])

    def test_whoever_has_the_name_of_a_removed_steward_has_none_of_their_sessions(self, access, node):
        token, session = sign_in(access, access.add("Ana", Role.CURATOR, actor="t"))
        access.remove("Ana", actor="t")
        access.add("Ana", Role.STEWARD, actor="t")
        with node.system.work.write() as tx:
            tx.sessions.open(session)
        assert access.session(token, HERE) is None

    def test_the_others_are_left_alone(self, access):
        ana, ben = (access.add(name, Role.STEWARD, actor="t") for name in ("Ana", "Ben"))
        sign_in(access, ana)
        token, _ = sign_in(access, ben)
        access.renew("Ana", actor="t")
        access.remove("Ana", actor="t")
        assert access.session(token, HERE)

    def test_a_name_is_given_once(self, access):
        access.add("Ana", Role.STEWARD, actor="t")
        with pytest.raises(Conflict):
            access.add(" Ana ", Role.CURATOR, actor="t")

    def test_of_two_given_one_name_at_once_one_is_added(self, access):
        results = at_once(*[lambda: access.add("Ana", Role.STEWARD, actor="t")] * 4)
        assert sum(isinstance(result, Conflict) for result in results) == 3
        assert sign_in(access, next(result for result in results if isinstance(result, str)))

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "   ",
            "x" * (NAME_SIGNS + 1),
            "a\0b",
            "a\u202eb",
            "a\u200bb",
            "\ud800",
            "steward",
            "Command  Line",
            "the node",
        ],
    )
    def test_a_name_that_says_nothing_or_something_else_is_refused(self, access, node, name):
        with pytest.raises(BadField):
            access.add(name, Role.STEWARD, actor="t")
        assert (access.stewards(), trail(node)) == ([], [])

    @pytest.mark.parametrize("typed", ["José Díaz", " José   Díaz ", "José Díaz"])
    def test_a_name_is_found_however_it_is_typed(self, access, typed):
        access.add("José Díaz", Role.STEWARD, actor="t")
        access.renew(typed, actor="t")
        access.remove(typed, actor="t")
        assert access.stewards() == []

    @pytest.mark.parametrize("do", ["renew", "remove"])
    def test_a_name_nobody_has_is_not_found(self, access, node, do):
        with pytest.raises(NotFound):
            getattr(access, do)("Nobody", actor="t")
        assert trail(node) == []

    def test_everything_done_to_one_is_noted(self, access, node):
        access.add("Ana", Role.CURATOR, actor="one")
        access.renew("Ana", actor="two")
        access.remove("Ana", actor="three")
        assert trail(node) == [
            ("one", "add_steward", "Ana"),
            ("two", "renew_secret", "Ana"),
            ("three", "remove_steward", "Ana"),
        ]


class TestEveryone:
    def test_everyone_is_signed_out_and_counted(self, access, node):
        sessions = [sign_in(access)[1], sign_in(access, access.add("Ana", Role.STEWARD, actor="t"))[1]]
        assert access.sign_everyone_out(actor="Ana") == 2
        assert [access.still(session) for session in sessions] == [None, None]
        assert trail(node)[-1] == ("Ana", "sign_everyone_out", "")

    def test_sessions_that_are_over_are_not_counted(self, access, node):
        sign_in(access)
        node.clock.advance(hours=12)
        sign_in(access)
        assert access.sign_everyone_out(actor="t") == 1
        assert node.counts()["steward_session"] == 0

    def test_who_is_signed_in_is_listed_the_newest_first(self, access, node):
        sign_in(access)
        node.clock.advance(minutes=1)
        sign_in(access, access.add("Ana", Role.CURATOR, actor="t"))
        assert [session.name for session in access.sessions()] == ["Ana", ""]

    def test_whoever_is_signed_out_meanwhile_can_sign_in_again(self, access):
        sign_in(access)
        access.sign_everyone_out(actor="t")
        token, _ = sign_in(access)
        assert access.session(token, HERE)


@pytest.fixture
def command(node, ground):
    """Runs `memory-engine` beside the node; its outcome."""

    def run(*given):
        return CliRunner().invoke(app, [*given, "--data-dir", str(ground.folder)], env=ground.environment)

    return run


class TestTheCommandLine:
    def test_a_steward_is_added_and_signs_in_with_what_is_printed(self, command, access, node):
        printed = command("steward", "add", "Ana", "--role", "curator").stdout
        _, session = sign_in(access, printed.split()[-1])
        assert (session.name, session.role) == ("Ana", Role.CURATOR)
        assert trail(node)[0] == (COMMAND_LINE, "add_steward", "Ana")

    @pytest.mark.parametrize("role", [[], ["--role", "admin"]])
    def test_a_role_is_chosen_among_the_two(self, command, access, role):
        assert command("steward", "add", "Ana", *role).exit_code == 2
        assert access.stewards() == []

    def test_a_name_that_is_taken_is_refused(self, command, access):
        access.add("Ana", Role.STEWARD, actor="t")
        assert isinstance(command("steward", "add", "Ana", "--role", "steward").exception, Conflict)

    def test_stewards_are_listed_by_name_without_their_secrets(self, command, access):
        secrets = [access.add(name, role, actor="t") for name, role in (("Ben", Role.STEWARD), ("Ana", Role.CURATOR))]
        printed = command("steward", "list").stdout
        assert [line.split()[:2] for line in printed.splitlines()] == [["Ana", "curator"], ["Ben", "steward"]]
        assert not any(secret in printed for secret in secrets)

    def test_where_nobody_has_a_name_the_list_says_so(self, command):
        assert command("steward", "list").stdout == "Nobody has a secret of their own yet.\n"

    def test_a_renewed_steward_signs_in_with_what_is_printed(self, command, access, node):
        old = access.add("Ana", Role.STEWARD, actor="t")
        _, session = sign_in(access, old)
        new = command("steward", "renew", "Ana").stdout.split()[-1]
        assert (access.still(session), access.sign_in(old, HERE)) == (None, None)
        assert sign_in(access, new)
        assert (COMMAND_LINE, "renew_secret", "Ana") in trail(node)

    def test_a_removed_steward_is_out(self, command, access, node):
        _, session = sign_in(access, access.add("Ana", Role.STEWARD, actor="t"))
        assert command("steward", "remove", "Ana").exit_code == 0
        assert (access.still(session), access.stewards()) == (None, [])
        assert trail(node)[-1] == (COMMAND_LINE, "remove_steward", "Ana")

    @pytest.mark.parametrize("do", ["renew", "remove"])
    def test_a_name_nobody_has_is_one_clear_sentence(self, command, do):
        found = command("steward", do, "Nobody").exception
        assert isinstance(found, MemoryEngineError)
        assert found.message == "There is no steward of this name."

    @pytest.mark.engine("embedded")
    def test_where_the_shared_secret_is_can_be_asked_without_showing_it(self, command, access, ground):
        printed = command("secret").stdout
        assert str(ground.folder / STEWARD_SECRET_FILE) in printed
        assert access.shared_secret() not in printed

    @pytest.mark.engine("embedded")
    @pytest.mark.parametrize(("empty", "said"), [(True, "holds no shared secret"), (False, "no shared secret yet")])
    def test_where_there_is_none_it_says_so_and_writes_none(self, command, access, ground, empty, said):
        path = ground.folder / STEWARD_SECRET_FILE
        path.unlink()
        if empty:
            path.write_text("")
        assert said in command("secret").stdout
        assert read_secret(path) == ""

    @pytest.mark.engine("embedded")
    def test_a_rotated_secret_counts_at_once_in_the_running_node(self, command, access, node, ground):
        old = access.shared_secret()
        _, session = sign_in(access, old)
        printed = command("secret", "--rotate").stdout
        new = read_secret(ground.folder / STEWARD_SECRET_FILE)
        assert new not in (old, "")
        assert new not in printed
        assert (access.still(session), access.sign_in(old, HERE)) == (None, None)
        assert sign_in(access, new)
        assert (COMMAND_LINE, "renew_shared_secret", "") in trail(node)

    @pytest.mark.engine("embedded")
    def test_a_rotated_secret_can_be_read_by_its_owner_only(self, command, ground):
        command("secret", "--rotate")
        assert (ground.folder / STEWARD_SECRET_FILE).stat().st_mode & 0o777 == 0o600

    @pytest.mark.engine("stack")
    def test_a_secret_the_settings_give_is_named_and_not_rotated(self, command, access):
        _, session = sign_in(access)
        assert command("secret").stdout == "The shared secret is the setting OPS_SHARED_SECRET.\n"
        refused = command("secret", "--rotate").exception
        assert isinstance(refused, Conflict)
        assert "OPS_SHARED_SECRET" in refused.message
        assert access.still(session)
