"""Changing a node's version: one step after the other, each of them announced, and back again by itself.

Up to `stop` nothing of the running node is touched. From there on the note in `update.json` says how far the change has
come: whatever ends this program, `current` names a whole version, and another start goes on or goes back from there.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from core.errors import Refused
from core.services.reserve import Reserve
from memory_ui.appliance.release import (
    BadRelease,
    Manifest,
    order,
    read_manifest,
    require_fitting,
    require_sum,
    said_sum,
    unpack,
)
from memory_ui.appliance.releases import Change, Link, Releases
from memory_ui.appliance.steps import (
    BACK,
    BEFORE,
    FROM_STOP_ON,
    HARMLESS,
    UNTOUCHED,
    Outcome,
    Step,
    Wanted,
    announced,
    sentence,
    what,
)
from memory_ui.appliance.tools import Commands, Look, Supervisor

INSTALLED_TWICE = 2
"""What is installed takes its size once as files, and less than once more as compiled bytecode."""


class Updater:
    """One node's versions, changed. Every method says what it does through `say` and returns how it ended."""

    def __init__(
        self,
        releases: Releases,
        supervisor: Supervisor,
        commands: Commands,
        look: Look,
        reserve: Reserve,
        say: Callable[[str], None],
    ) -> None:
        self._releases = releases
        self._supervisor = supervisor
        self._commands = commands
        self._look = look
        self._reserve = reserve
        self._say = say

    def update(self, wanted: Wanted) -> Outcome:
        """To the version of an archive. Raises `MemoryEngineError` where something is refused before anything began."""
        with self._releases.alone():
            left = self._releases.change()
            if left is not None and left.touched:
                return self._go_on_with(left, read_manifest(wanted.archive).version)
            self._releases.note(None)
            present = self._present()
            plan = Change(
                came_from=present,
                to=read_manifest(wanted.archive).version,
                previous=self._releases.named(Link.PREVIOUS),
                step=Step.CHECK,
                migrates=True,
            )
            try:
                self._prepare(plan, wanted)
            except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 -- a full disk, or whatever else it is
                self._releases.discard(plan.to)
                self._releases.note(None)
                self._say(f"Failed: {sentence(error)}")
                self._say(f"Nothing was changed: {present} goes on as it was.")
                return Outcome.AS_BEFORE
            if wanted.dry_run:
                self._say(f"Only looked at: {present} goes on as it was. Everything up to here would work.")
                return Outcome.DONE
            return self._carry_out(plan)

    def resume(self) -> Outcome:
        """Go on with what was interrupted, in the direction it had."""
        with self._releases.alone():
            left = self._releases.change()
            if left is None:
                self._say("Nothing was interrupted here.")
                return Outcome.DONE
            if not left.touched:
                self._forget_untouched(left)
                self._say("Give the archive again to update.")
                return Outcome.AS_BEFORE
            self._say(f"{what(left)} was interrupted at `{left.step}`; it goes on.")
            return self._go_back(left) if left.back else self._carry_out(left)

    def rollback(self) -> Outcome:
        """Back to the version before: of an interrupted update the one it began at, else what `previous` names."""
        with self._releases.alone():
            left = self._releases.change()
            if left is not None and not left.touched:
                self._forget_untouched(left)
                return Outcome.DONE
            if left is not None:
                self._say(f"{what(left)} was interrupted at `{left.step}`; it is taken back.")
                ended = self._go_back(replace(left, reason=left.reason or "it was interrupted."))
                return Outcome.DONE if ended is Outcome.AS_BEFORE else ended
            present, to = self._present(), self._releases.named(Link.PREVIOUS)
            if not to or self._releases.installed(to) is None:
                raise Refused("There is no previous version here to go back to.")
            # The database stays as it is: migrations only expand, and what was left since must not be given up.
            plan = Change(came_from=present, to=to, previous=to, step=Step.STOP, migrates=False)
            return self._carry_out(plan)

    def _present(self) -> str:
        present = self._releases.named(Link.CURRENT)
        if not present:
            raise Refused(f"No release is installed in {self._releases.root}: begin with the archive's own install.py.")
        return present

    def _forget_untouched(self, left: Change) -> None:
        self._releases.discard(left.to)
        self._releases.note(None)
        self._say(
            f"{what(left)} was interrupted at `{left.step}`, before anything was changed: {left.came_from} stays."
        )

    def _go_on_with(self, left: Change, version: str) -> Outcome:
        if left.back or left.to != version:
            raise Refused(
                f"{what(left)} was interrupted at `{left.step}`: first `memory-engine update --resume` or "
                f"`memory-engine rollback`."
            )
        self._say(f"{what(left)} was interrupted at `{left.step}`; it goes on.")
        return self._carry_out(left)

    # Before anything is touched

    def _prepare(self, plan: Change, wanted: Wanted) -> None:
        steps = [step for step in BEFORE if step is not Step.BACKUP or (wanted.backup and not wanted.dry_run)]
        for step in steps:
            self._announce(plan, step, UNTOUCHED)
            if step is not Step.CHECK:
                self._releases.note(replace(plan, step=step))
            match step:
                case Step.CHECK:
                    self._check(plan, wanted)
                case Step.UNPACK:
                    self._unpack(wanted.archive)
                case Step.LOOK:
                    self._say(f"    {self._commands.look(plan.to)}")
                case Step.BACKUP:
                    self._say(f"    {self._commands.backup(plan.came_from)}")
        if wanted.dry_run:
            self._releases.note(None)
        elif not wanted.backup:
            self._say("    NO BACKUP IS MADE, as asked: what an accident takes now, no copy gives back.")

    def _check(self, plan: Change, wanted: Wanted) -> None:
        require_sum(wanted.archive, wanted.sha256 or said_sum(wanted.archive))
        manifest = read_manifest(wanted.archive)
        require_fitting(manifest)
        _require_newer(plan.came_from, manifest, allow_older=wanted.allow_older)
        needed = manifest.unpacked_bytes + INSTALLED_TWICE * manifest.installed_bytes
        if self._reserve.reached(needed):
            kept = self._reserve.bytes()
            raise BadRelease(
                f"The disk has no room: {needed / 1e6:.0f} MB are needed beside the {kept / 1e6:.0f} MB "
                "that are kept free for playing and taking back."
            )
        wrong = self._look.trouble()
        if wrong:
            raise Refused(f"The node is not well as it is ({wrong}): see to that first.")
        self._say("    the node does not answer now: it is taken to be stopped" if wrong is None else "    all of it")

    def _unpack(self, archive: Path) -> None:
        self._releases.clear_incoming()
        manifest = unpack(archive, self._releases.incoming)
        self._releases.install(self._releases.incoming, manifest)
        self._releases.clear_incoming()

    # From stop on

    def _carry_out(self, plan: Change) -> Outcome:
        try:
            for step in FROM_STOP_ON:
                if step is Step.MIGRATE and not plan.migrates:
                    continue
                self._announce(plan, step, BACK)
                self._releases.note(replace(plan, step=step, touched=True))
                self._take(plan, step)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 -- whatever it is, the node must run again
            self._say(f"Failed: {sentence(error)}")
            return self._go_back(replace(plan, step=step, touched=True, reason=sentence(error)))
        self._releases.note(None)
        self._tidy(plan)
        self._say(f"Done: the node is on {plan.to}. `memory-engine rollback` goes back to {plan.came_from}.")
        return Outcome.DONE

    def _take(self, plan: Change, step: Step) -> None:
        match step:
            case Step.STOP:
                self._supervisor.stop()
            case Step.MIGRATE:
                self._say(f"    {self._commands.migrate(plan.to)}")
            case Step.SWITCH:
                self._releases.point(Link.PREVIOUS, plan.came_from)
                self._releases.point(Link.CURRENT, plan.to)
            case Step.START:
                self._start()
            case Step.READY:
                self._look.wait(plan.to)
            case Step.SMOKE:
                self._look.smoke()

    def _go_back(self, plan: Change) -> Outcome:
        back = replace(plan, back=True, touched=True)
        old = plan.came_from
        acts: tuple[tuple[str, Callable[[], None]], ...] = (
            ("stop what was started", self._supervisor.stop),
            (f"let `current` name {old} again", lambda: self._links_as_before(back)),
            ("start the services", self._start),
            (f"wait until {old} answers and is ready", lambda: self._look.wait(old)),
            ("record, play and take back", self._look.smoke),
        )
        self._say(f"Going back to {old}. The database stays as it is: {old} runs on it, and no take is given up.")
        for told, act in acts:
            self._say(f"  back: {told}")
            # On a full disk there is no room for a note: that the node runs again is worth more than the note.
            with suppress(OSError):
                self._releases.note(replace(back, step=told))
            try:
                act()
            except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 -- it is told, and somebody has to look
                return self._stuck(back, error)
        self._releases.note(None)
        self._say(f"{what(plan)} has failed: {plan.reason}")
        self._say(f"The node is on {old} again, and well.")
        return Outcome.AS_BEFORE

    def _start(self) -> None:
        self._look.begin()
        self._supervisor.start()

    def _links_as_before(self, plan: Change) -> None:
        self._releases.point(Link.CURRENT, plan.came_from)
        if plan.previous:
            self._releases.point(Link.PREVIOUS, plan.previous)
        else:
            self._releases.unpoint(Link.PREVIOUS)

    def _stuck(self, plan: Change, error: BaseException) -> Outcome:
        old, present = plan.came_from, self._releases.named(Link.CURRENT)
        self._say(f"Failed: {sentence(error)}")
        self._say(f"{what(plan)} has failed: {plan.reason}")
        self._say(f"GOING BACK HAS FAILED, TOO. `current` names {present}. Nothing of what was recorded is lost.")
        self._say(
            f"What to do: look at the services' log, mend what it says, then `memory-engine rollback` tries again. "
            f"By hand: {self._releases.folder(old) / 'bin' / 'memory-engine'} audit, then start the services."
        )
        return Outcome.STUCK

    def _tidy(self, plan: Change) -> None:
        self._announce(plan, Step.TIDY, HARMLESS)
        try:
            gone = self._releases.prune()
        except OSError as error:
            self._say(f"    left for the next time: {error.strerror}")
        else:
            self._say(f"    deleted: {', '.join(gone)}" if gone else "    nothing to delete")

    def _announce(self, plan: Change, step: Step, otherwise: str) -> None:
        self._say(announced(plan, step, otherwise))


def _require_newer(present: str, manifest: Manifest, *, allow_older: bool) -> None:
    if manifest.version == present:
        raise Refused(f"{present} is the version that runs.")
    if order(manifest.version) < order(present) and not allow_older:
        raise Refused(f"{manifest.version} is older than {present}: --allow-older says that this is meant.")
    if order(present) < order(manifest.updates_from):
        raise Refused(f"{manifest.version} updates from {manifest.updates_from} on, and here is {present}.")
