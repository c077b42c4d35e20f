"""Children for stages within a tenth of a second: forks of one server, which has imported what most stages need.

A fresh interpreter pays seconds for torch, scipy and scikit-learn. The server of a process pays them once: it has no
threads, knows libraries and nothing of this project (a stage runs the code that stands on disk when it starts, and this
file is a script that imports none of it), and never touches CUDA. A child gets from its parent what a fresh interpreter
would have got: environment, working folder, search path, stderr, a session of its own and its own share of the cores.

`multiprocessing.forkserver` is not used: it takes its environment from the process when it is first needed by anyone, its
children import the main script of their parent and speak pickle, and a child in it can be killed by its number alone.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import IO, Protocol

# What takes longest of what stages import. Whatever a stage needs beyond that it imports itself.
LIBRARIES = (
    *("torch", "torch._dynamo", "scipy.stats", "scipy.optimize", "sklearn.decomposition", "sklearn.linear_model"),
    *("sklearn.neighbors", "pandas", "pyarrow.parquet", "accelerate", "safetensors.torch", "jaxtyping", "pydantic.types"),
    *("yaml", "PIL.Image", "filelock", "threadpoolctl"),
)
# Native libraries read these when they are loaded, so that another value takes another server.
READ_AT_LOADING = ("ATEN_", "DNNL_", "GOMP_", "KMP_", "MKL_", "NPY_", "OMP_", "ONEDNN_", "OPENBLAS_", "PYTHONHASHSEED", "TORCH")
SPINS = "1000"
UNKNOWN = 255  # the status of a child whose server was killed


class Child(Protocol):
    """What is needed of a `Popen[str]`; one thread may `kill` while another waits."""

    stdin: IO[str] | None
    stdout: IO[str] | None
    returncode: int | None

    def poll(self) -> int | None: ...
    def wait(self) -> int: ...
    def kill(self) -> None: ...


def environment(threads: int) -> dict[str, str]:
    """That of this process, but for the number of threads, and for how long one of them spins while it waits for another.

    With libgomp's own count, and still with 30,000, a step of two threads takes four times as long beside other work as with
    1,000; alone it takes as long with either.
    """
    share = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    return {"GOMP_SPINCOUNT": SPINS, **os.environ, **share}


def child(module: str, threads: int) -> Child:
    """An interpreter in the `main` of a module: a fork, or a fresh one where there is no server to be had."""
    for _ in range(2 if sys.platform == "linux" else 0):
        with suppress(OSError, subprocess.TimeoutExpired):
            chosen = server()
            try:
                return Fork(chosen, module, threads)
            except OSError:
                chosen.process.wait(1)  # it was killed since the last stage; the next is another
    return subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(threads),
        text=True,
        start_new_session=True,
    )


class Server:
    """A process that ends with this one; it takes what a fork begins with as soon as its imports are done."""

    def __init__(self) -> None:
        self.channel, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        quiet = {"JE_ARROW_MALLOC_CONF": "background_thread:false", "PYTORCH_NVML_BASED_CUDA_CHECK": "1"}
        with far:
            self.process = subprocess.Popen(
                [sys.executable, "-P", __file__],
                stdin=far.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # whoever reads this process's stderr to its end does not wait for imports
                env=environment(1) | quiet,
                start_new_session=True,
            )


_servers: dict[object, Server] = {}
_lock = threading.Lock()


def begin() -> None:
    """A stage will soon need a child: let a server's imports go on meanwhile."""
    if sys.platform == "linux":
        with suppress(OSError):
            server()


def server() -> Server:
    """This process's server, started where it has none; its imports go on in the background."""
    read = {name: value for name, value in environment(1).items() if name.startswith(READ_AT_LOADING)}
    key = os.getpid(), sys.executable, *sorted(read.items())
    with _lock:
        if key not in _servers or _servers[key].process.poll() is not None:
            _servers[key] = Server()
        return _servers[key]


class Fork:
    """A child of the server; raises `OSError` where the server is gone."""

    def __init__(self, server: Server, module: str, threads: int) -> None:
        self.returncode: int | None = None
        self._lock = threading.Lock()
        self._line, far = socket.socketpair()  # brings a handle of the child, and in the end its status
        (orders, into), (out_of, answers) = os.pipe(), os.pipe()
        self.stdin: IO[str] | None = os.fdopen(into, "w")
        self.stdout: IO[str] | None = os.fdopen(out_of)
        try:
            socket.send_fds(server.channel, [b"fork"], [orders, answers, 2, far.fileno()])
        finally:
            os.close(orders)
            os.close(answers)
            far.close()
        _, handles, _, _ = socket.recv_fds(self._line, 1, 1, socket.MSG_CMSG_CLOEXEC)
        if not handles:
            raise ConnectionResetError("the server of forks has ended")
        self._handle = handles[0]
        here = {"environment": environment(threads), "folder": os.getcwd(), "path": [*map(str, sys.path)]}
        begin = {**here, "threads": threads, "module": module}
        self.stdin.write(json.dumps(begin) + "\n")
        self.stdin.flush()

    def poll(self) -> int | None:
        with self._lock:
            if self.returncode is None:
                try:
                    said = self._line.recv(16, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    return None
                if not said:
                    self._end()
                self.returncode = int(said or UNKNOWN)
                os.close(self._handle)
                self._line.close()
            return self.returncode

    def wait(self) -> int:
        while (status := self.poll()) is None:
            self._line.recv(1, socket.MSG_PEEK)
        return status

    def kill(self) -> None:
        with self._lock:
            if self.returncode is None:
                self._end()

    def _end(self) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)


class Forking:
    """The server's side."""

    def __init__(self, channel: socket.socket) -> None:
        os.close(os.pidfd_open(os.getpid()))  # a kernel that cannot do this ends the server before its imports
        self.channel, self.selector = channel, selectors.DefaultSelector()
        self.selector.register(channel, selectors.EVENT_READ)
        self.children: dict[int, tuple[int, socket.socket]] = {}  # number and line, by handle

    def serve(self) -> list[int]:
        """Fork when asked, say how each child ended, and end with the parent and the last child.

        Returns in a child alone: what are to be its stdin, stdout and stderr.
        """
        while self.selector.get_map():
            for key, _ in self.selector.select():
                if key.fd in self.children:
                    self._bury(key.fd)
                elif standard := self._fork():
                    return standard
        os._exit(0)

    def _fork(self) -> list[int]:
        said, handles, _, _ = socket.recv_fds(self.channel, 16, 4, socket.MSG_CMSG_CLOEXEC)
        if not said:  # the parent is gone, and its children go as their stdin closes
            self.selector.unregister(self.channel)
            return []
        *standard, end = handles
        with socket.socket(fileno=end) as line, suppress(OSError):  # no memory for a child, or nobody who waits for it
            if (pid := os.fork()) == 0:
                self._forget()
                return standard
            handle = os.pidfd_open(pid)
            self.children[handle] = pid, line.dup()
            self.selector.register(handle, selectors.EVENT_READ)
            socket.send_fds(line, [b"."], [handle])
        for each in standard:
            os.close(each)
        return []

    def _forget(self) -> None:
        """A child that held another's line would keep the parent waiting for the other."""
        self.selector.close()
        self.channel.close()
        for handle, (_, line) in self.children.items():
            os.close(handle)
            line.close()

    def _bury(self, handle: int) -> None:
        self.selector.unregister(handle)
        pid, line = self.children.pop(handle)
        _, status = os.waitpid(pid, 0)
        with line, suppress(OSError):
            line.send(str(os.waitstatus_to_exitcode(status)).encode())
        os.close(handle)


def become(standard: list[int]) -> tuple[str, int]:
    """In a child: take on what a fresh interpreter would have, which the first line of stdin says; its module and threads."""
    os.setsid()
    for number, handle in enumerate(standard):
        os.dup2(handle, number)
        os.close(handle)
    begin = json.loads(sys.stdin.readline())
    os.environ.clear()
    os.environ.update(begin["environment"])
    os.chdir(begin["folder"])
    sys.path[:] = begin["path"]
    importlib.invalidate_caches()
    time.tzset()
    return str(begin["module"]), int(begin["threads"])


def settle(threads: int) -> None:
    """Have random states of its own, and compute with so many threads, to the same bits as where the libraries were
    loaded with so many.

    The two set different things: pools of libraries, and what torch's other threads begin with.
    """
    import numpy
    import threadpoolctl
    import torch

    torch.set_num_threads(threads)
    threadpoolctl.threadpool_limits(threads)
    numpy.random.seed()  # each fork does that for `random`
    torch.default_generator.seed()


def main() -> None:
    channel = socket.socket(fileno=os.dup(0))
    forking = Forking(channel)
    for name in LIBRARIES:
        with suppress(ImportError):
            importlib.import_module(name)
    importlib.import_module("pydantic").create_model("First")  # looks for plug-ins among all that is installed, once
    gc.collect()
    gc.freeze()  # a child's collections leave these pages shared
    module, threads = become(forking.serve())
    settle(threads)
    importlib.import_module(module).main()


if __name__ == "__main__":
    main()
