"""`memory-engine` for a shell, without the second it takes to import it.

`bin/memory-engine` is a small program that hands its arguments, environment, folder and streams to a process that has
imported everything and forks for each call. Status and SIGTERM go through.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
IMPORTED = ("core.bootstrap", "jobs.inprocess", "memory_ui.app", "memory_ui.cli.serve", "memory_ui.appliance.doctor")

CALL = f"""#!{sys.executable} -SE
import json, os, signal, socket, sys
with socket.socket(socket.AF_UNIX) as at:
    at.connect({{path!r}})
    socket.send_fds(at, [b"!"], [0, 1, 2])
    at.sendall(json.dumps([os.getcwd(), sys.argv[1:], dict(os.environ)]).encode())
    at.shutdown(socket.SHUT_WR)
    answers = at.makefile()
    called = int(answers.readline())
    signal.signal(signal.SIGTERM, lambda *_: os.kill(called, signal.SIGTERM))
    status = int(answers.readline())
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)
"""


class Programs:
    """A folder `bin` with `memory-engine`, and the process behind it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "calls"
        self.bin = folder / "bin"
        self.bin.mkdir()
        command = self.bin / "memory-engine"
        command.write_text(CALL.format(path=str(self._path)))
        command.chmod(0o755)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.howto.programs", str(self._path)],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n", "the programs could not be imported"

    def close(self) -> None:
        """End it, and every call it still carries out."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def _listen(path: str) -> None:
    for name in IMPORTED:
        import_module(name)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        print("ready", flush=True)
        while True:
            at, _ = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                os._exit(_carry_out(at))
            at.close()


def _carry_out(at: socket.socket) -> int:
    _, streams, _, _ = socket.recv_fds(at, 1, 3)
    folder, arguments, environment = json.loads(at.makefile().read())
    called = os.fork()
    if called == 0:
        at.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["memory-engine", *arguments]
        os._exit(_status())
    for stream in streams:
        os.close(stream)
    at.sendall(f"{called}\n".encode())
    _, ended = os.waitpid(called, 0)
    at.sendall(f"{os.waitstatus_to_exitcode(ended)}\n".encode())
    return 0


def _status() -> int:
    status = 1
    try:
        import_module("memory_ui.cli").main()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception:  # noqa: BLE001 -- as Python itself ends a program
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    _listen(sys.argv[1])
