"""The index that is in use: follows the active version without losing a request, and orders builds."""

import asyncio
import fcntl
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO

from assist.errors import Conflict, IndexBroken, NotFound, Unavailable
from assist.knowledge.index import IndexStore, files
from assist.knowledge.search import Knowledge
from assist.web.observe import log, log_failure
from assist.web.schemas import BuildInput, BuildOut

_KEPT_BUILDS = 50
_MOST_ATTEMPTS = 3
_LOOK_EVERY_S = 0.25
_LEAVES_WITHIN_S = 10.0
_LAST_WORDS_BYTES = 1000
_BUILD_ID = re.compile(r"bld_\w{1,64}")


class LiveKnowledge:
    """Hands out the active index version. A reader that has one keeps it until it is done, so a swap tears nothing."""

    def __init__(self, store: IndexStore) -> None:
        self.store = store
        self._current: Knowledge | None = None
        self._opening = threading.Lock()
        self._broken: str | None = None
        self._told: str | None = None

    def __call__(self) -> Knowledge:
        """The index in use. Raises Unavailable while there is none."""
        if self._current is None:
            raise Unavailable("There is no index yet. Build one with: scripts/reindex")
        return self._current

    @property
    def is_ready(self) -> bool:
        """Whether there is an index."""
        return self._current is not None

    def refresh(self) -> None:
        """Open the active version if it is another one than that in use. Blocks. Keeps the old one if that fails.

        A broken version stays broken; what else keeps one from being opened may pass, and is tried again each time.
        """
        with self._opening:
            active = self.store.active_version()
            if active is None or active == self._broken or (self._current and active == self._current.version):
                return
            try:
                self._current = self.store.open(active)
                self._broken = self._told = None
                log.info("index.opened", version=active)
            except Exception as error:
                if isinstance(error, IndexBroken):
                    self._broken = active
                if active != self._told:
                    log_failure("index.broken", error, version=active)
                self._told = active

    def use(self, version: str) -> None:
        """Take a version that has just been activated into use. Blocks. Raises Conflict if it cannot be opened."""
        self.refresh()
        if self().version != version == self.store.active_version():
            raise Conflict(
                f"Version {version} is activated but cannot be opened; the service goes on as before. Roll back.",
                {"version": version},
            )

    async def follow(self, every_s: float) -> None:
        """Look for a newly activated version, for ever."""
        while True:
            await asyncio.sleep(every_s)
            await asyncio.to_thread(self.refresh)


class _BuildFile(BuildOut):
    """A build as its file has it: with what was ordered, so that it can be begun again."""

    ordered: BuildInput


class Builds:
    """Index builds ordered through the API: one at a time, each a process of its own, so that answers stay fast.

    A build's state is a file, written by its process. So it goes on when the service ends, and whoever serves next
    knows of it; what a restart of the machine has killed is begun again and takes over the vectors it had computed.
    The process inherits a lock, which the kernel drops when it ends in whatever way.
    """

    def __init__(
        self, folder: Path, command: Sequence[str], clock: Callable[[], datetime], new_id: Callable[[str], str]
    ) -> None:
        self._folder, self._command, self._clock, self._new_id = folder, command, clock, new_id
        self._starting = threading.Lock()

    def start(self, ordered: BuildInput, by: str) -> BuildOut:
        """Begin a build. Blocks. Raises Conflict while one runs."""
        job = _BuildFile(id=self._new_id("bld"), status="running", started_at=self._clock(), by=by, ordered=ordered)
        if not self._launch(job):
            raise Conflict("A build is running.")
        for old in self._files()[_KEPT_BUILDS:]:
            old.unlink(missing_ok=True)
            old.with_suffix(".log").unlink(missing_ok=True)
        return _shown(job)

    def get(self, build_id: str) -> BuildOut:
        """How a build is going. Blocks. Raises NotFound."""
        if not _BUILD_ID.fullmatch(build_id) or not (job := self._read(self._folder / f"{build_id}.json")):
            raise NotFound("No build has this id.", {"id": build_id})
        return _shown(job)

    def latest(self) -> list[BuildOut]:
        """The builds that are remembered, the newest first. Blocks."""
        jobs = [job for path in self._files() if (job := self._read(path))]
        return [_shown(job) for job in sorted(jobs, key=lambda job: job.started_at, reverse=True)]

    def resume(self) -> None:
        """Begin again what a restart has interrupted. Blocks."""
        for path in self._files():
            job = self._load(path)
            if job and job.status == "running" and not self._is_running() and job.attempts < _MOST_ATTEMPTS:
                log.info("build.resumed", build=job.id)
                self._launch(job.model_copy(update={"attempts": job.attempts + 1}))

    async def follow(self, build_id: str) -> AsyncIterator[BuildOut]:
        """A build each time that something about it changes, until it has ended."""
        shown: BuildOut | None = None
        while shown is None or shown.status == "running":
            build = await asyncio.to_thread(self.get, build_id)
            if build != shown:
                yield build
            shown = build
            await asyncio.sleep(_LOOK_EVERY_S if build.status == "running" else 0)

    def _launch(self, job: _BuildFile) -> bool:
        """Start the process of a job; False while another one runs."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{job.id}.json"
        ordered = job.ordered
        options = {
            "--no-activate": not ordered.activate,
            "--full": ordered.full,
            "--strict": ordered.strict,
            "--force": ordered.force,
        }
        command = [sys.executable, *self._command, f"--job={path}"]
        with self._starting, self._lock_file.open("a") as lock:
            if not self._acquire(lock, job.id):
                return False
            files.replace(path, job.model_dump_json().encode())
            with path.with_suffix(".log").open("ab") as output:
                process = subprocess.Popen(
                    [*command, *(option for option, is_wanted in options.items() if is_wanted)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=[lock.fileno()],
                    start_new_session=True,
                )
        threading.Thread(target=process.wait, daemon=True, name=f"wait for {job.id}").start()
        return True

    def _acquire(self, lock: IO[str], job_id: str) -> bool:
        """Take the lock; wait for a process that has told how its build ended and is on its way out."""
        until = time.monotonic() + _LEAVES_WITHIN_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                others = [job for path in self._files() if (job := self._load(path)) and job.id != job_id]
                if time.monotonic() > until or any(job.status == "running" for job in others):
                    return False
                time.sleep(0.05)

    def _read(self, path: Path) -> _BuildFile | None:
        """A job; one whose process is gone without a word has failed."""
        job = self._load(path)
        if job and job.status == "running" and not self._is_running():
            job = self._load(path)  # it may have ended between the two looks
            if job and job.status == "running":
                told = f"The build was interrupted. {_last_line(path.with_suffix('.log'))}".rstrip()
                job = job.model_copy(update={"status": "failed", "finished_at": self._clock(), "message": told})
                files.replace(path, job.model_dump_json().encode())
        return job

    def _load(self, path: Path) -> _BuildFile | None:
        try:
            return _BuildFile.model_validate_json(path.read_bytes())
        except (OSError, ValueError):
            return None

    def _is_running(self) -> bool:
        """Whether a build's process holds the lock."""
        with self._starting, self._lock_file.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False

    def _files(self) -> list[Path]:
        """The files of the builds, the one last written first."""
        return sorted(self._folder.glob("bld_*.json"), key=lambda path: path.stat().st_mtime, reverse=True)

    @property
    def _lock_file(self) -> Path:
        return self._folder / "lock"


def _last_line(path: Path) -> str:
    """What a process said last, e.g. the error that ended it."""
    try:
        return path.read_bytes()[-_LAST_WORDS_BYTES:].decode("utf-8", "replace").strip().rsplit("\n", 1)[-1]
    except OSError:
        return ""


def _shown(job: _BuildFile) -> BuildOut:
    return BuildOut.model_validate(job.model_dump(exclude={"ordered"}))
