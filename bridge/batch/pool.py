"""Workers on a Dask cluster: tasks go out, a few more than there are workers, and results come back as they are done.

Called by the process that runs the batch. Dask is imported where a pool is opened, not before.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from hitpoint.bridge.errors import HitpointError, InputError, MissingError, UsageError

if TYPE_CHECKING:
    from distributed import Client, Future

Task = TypeVar("Task")
Result = TypeVar("Result")

REACH_S = 10.0
"""How long a scheduler may take to answer."""
WORKERS_S = 60.0
"""How long the first worker may take to be there."""
RETURN_S = 60.0
"""How long a scheduler that went away may take to be back."""
DEATHS = 2
"""After so many lost workers a task is given up; those that were only waiting there are not counted."""
WAITING_A_WORKER = 2
"""Tasks out for each worker: one that it does, one that waits."""

CONFIG = {
    "distributed.scheduler.allowed-failures": DEATHS,
    "distributed.scheduler.worker-saturation": 1.0,  # a task that waits waits with the scheduler: a death is its own
    "distributed.admin.log-format": "%(message)s",
    "distributed.comm.retry.count": 2,
}


class Pool(Generic[Task, Result]):
    """Runs `work` on a cluster's workers. dashboard: its address, empty where there is none."""

    def __init__(self, client: Client, reach: Callable[[], Client], work: Callable[[Task], Result]) -> None:
        self._client, self._reach, self._work = client, reach, work
        self._done: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self._out: dict[Any, Task] = {}
        self.workers = len(client.scheduler_info(-1)["workers"])
        self.dashboard = str(client.dashboard_link or "")

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result | HitpointError]]:
        """Each task with its result, or why there is none, in the order in which they are done.

        A task whose worker is lost goes to another one. Raises MissingError where the scheduler goes and stays away.
        """
        left = iter(tasks)
        self._fill(left)
        while self._out:
            try:
                future = self._done.get(timeout=1.0)
            except queue.Empty:
                self._stay_connected()
                continue
            task = self._out.pop(future, None)
            if task is None:
                continue
            if future.status in ("cancelled", "lost"):
                self._submit(task)
                continue
            yield task, _result(future)
            self._fill(left)

    def close(self) -> None:
        """Ask for nothing more."""
        with suppress(Exception):  # the scheduler may be gone, which Dask tells in many ways
            if self._is_connected():
                self._client.cancel(list(self._out))
            self._client.close(timeout=5)

    def _is_connected(self) -> bool:
        """Whether there is a scheduler, or the client still looks for it."""
        return self._client.status in ("running", "connecting")

    def _fill(self, left: Iterator[Task]) -> None:
        with suppress(Exception):  # no answer: what that means is seen where results are waited for
            self.workers = max(1, len(self._client.scheduler_info(-1)["workers"]))
        while len(self._out) < WAITING_A_WORKER * self.workers and (task := next(left, None)) is not None:
            self._submit(task)

    def _submit(self, task: Task) -> None:
        while True:
            self._stay_connected()
            try:
                future = self._client.submit(self._work, task, pure=False)
                break
            except Exception:
                if self._is_connected():  # it was not closed meanwhile
                    raise
        self._out[future] = task
        future.add_done_callback(self._done.put)

    def _stay_connected(self) -> None:
        """Where the scheduler is gone, wait for it to be back, and ask again for all that was out."""
        if self._is_connected():
            return
        waiting, self._out = list(self._out.values()), {}
        until_s = time.monotonic() + RETURN_S
        while not self._is_connected():
            try:
                self._client = self._reach()
            except HitpointError as error:
                if time.monotonic() > until_s:
                    raise MissingError(
                        "the scheduler went away and stayed away; start it, then give the same command to go on"
                    ) from error
        for task in waiting:
            self._submit(task)


@contextmanager
def open_pool(
    work: Callable[[Task], Result], workers: int, scheduler: str = "", memory: str = "auto"
) -> Iterator[Pool[Task, Result]]:
    """Workers for `work`, which is a function of a module: processes of this machine, or those of `scheduler`.

    workers, memory: of this machine, how many processes and how much each may take ("2GB"; "auto": its share).
    Raises MissingError where Dask is not installed, UsageError for a scheduler that does not answer or has no workers,
    and for a size that is none.
    """
    try:
        import dask.utils
        import distributed
    except ImportError as error:
        raise MissingError("batch needs Dask: pip install 'hitpoint[batch]'") from error
    import logging

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong with a film is said by its result
    try:
        dask.utils.parse_bytes("1B" if memory == "auto" else memory)
    except ValueError as error:
        raise UsageError(f"{memory!r} is no size of memory; write it as 2GB, or auto") from error
    with ExitStack() as closing:
        closing.enter_context(dask.config.set(CONFIG))
        security = None
        if not scheduler:
            security = distributed.Security.temporary()  # anybody on this machine could give our workers code otherwise
            cluster = closing.enter_context(_local(workers, memory, security))
            scheduler = cluster.scheduler_address
        reach = partial(_reach, scheduler, security)
        pool = Pool(reach(), reach, work)
        closing.callback(pool.close)
        yield pool


def _local(workers: int, memory: str, security: Any) -> Any:
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        memory_limit=memory,
        security=security,
        silence_logs=50,
    )


def _reach(scheduler: str, security: Any) -> Client:
    from distributed import Client

    try:
        client = Client(scheduler, timeout=REACH_S, security=security, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise UsageError(
            f"no scheduler answers at {scheduler}; start one (dask scheduler), or leave --scheduler out"
        ) from error
    try:
        client.wait_for_workers(1, timeout=WORKERS_S)
    except TimeoutError as error:
        client.close(timeout=5)
        raise UsageError(
            f"the scheduler at {scheduler} has no workers; start some (dask worker {scheduler} --nthreads 1)"
        ) from error
    return client


def _result(future: Future) -> Any:
    """What the task returned, or an error of ours for what it raised: its worker died, or a fault of the program's."""
    from distributed import KilledWorker

    if future.status == "finished":
        return future.result()
    error = future.exception()
    if isinstance(error, HitpointError):
        return error
    if isinstance(error, KilledWorker):
        return InputError(
            f"{DEATHS + 1} workers died on it: look at the film alone (hitpoint score), or give workers more memory"
        )
    if isinstance(error, ModuleNotFoundError):
        return MissingError(f"a worker lacks {error.name}; install the same hitpoint where the workers are")
    return HitpointError(f"{type(error).__name__}: {error}; a fault of the program, please report it")
