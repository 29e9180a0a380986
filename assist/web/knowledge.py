"""The index that is in use: follows the active version without losing a request, and orders builds."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from datetime import datetime

from pydantic_core import from_json

from assist.errors import Conflict, NotFound, Unavailable
from assist.knowledge.index import IndexStore
from assist.knowledge.search import Knowledge
from assist.web.observe import log, log_failure
from assist.web.schemas import BuildInput, BuildOut

_KEPT_BUILDS = 50


class LiveKnowledge:
    """Hands out the active index version. A reader that has one keeps it until it is done, so a swap tears nothing."""

    def __init__(self, store: IndexStore) -> None:
        self.store = store
        self._current: Knowledge | None = None
        self._broken: str | None = None

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
        """Open the active version if it is another one than that in use. Blocks. Keeps the old one if that fails."""
        active = self.store.active_version()
        if active is None or active == self._broken or (self._current and active == self._current.version):
            return
        try:
            self._current = self.store.open(active)
            self._broken = None
            log.info("index.opened", version=active)
        except Exception as error:
            self._broken = active
            log_failure("index.broken", error, version=active)

    async def follow(self, every_s: float) -> None:
        """Look for a newly activated version, for ever."""
        while True:
            await asyncio.sleep(every_s)
            await asyncio.to_thread(self.refresh)


class Builds:
    """Index builds ordered through the API: one at a time, each a process of its own, so that answers stay fast."""

    def __init__(self, command: Sequence[str], clock: Callable[[], datetime], new_id: Callable[[str], str]) -> None:
        self._command, self._clock, self._new_id = command, clock, new_id
        self._builds: dict[str, BuildOut] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self, ordered: BuildInput) -> BuildOut:
        """Begin a build. Raises Conflict while one runs."""
        if self._task and not self._task.done():
            raise Conflict("A build is running.")
        build = BuildOut(id=self._new_id("bld"), status="running", started_at=self._clock())
        self._builds[build.id] = build
        if len(self._builds) > _KEPT_BUILDS:
            del self._builds[next(iter(self._builds))]
        self._task = asyncio.create_task(self._run(build, ordered))
        return build

    def get(self, build_id: str) -> BuildOut:
        """A build of this process. Raises NotFound."""
        try:
            return self._builds[build_id]
        except KeyError:
            raise NotFound("No build has this id.", {"id": build_id}) from None

    async def close(self) -> None:
        """Stop a running build; what it has written so far is litter that the next one cleans."""
        if self._task and not self._task.done():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, build: BuildOut, ordered: BuildInput) -> None:
        options = [*([] if ordered.activate else ["--no-activate"]), *(["--full"] if ordered.full else [])]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._command,
            *options,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            output, _ = await process.communicate()
        except asyncio.CancelledError:
            process.terminate()
            await process.wait()
            raise
        self._builds[build.id] = build.model_copy(
            update={"finished_at": self._clock(), **_outcome(process.returncode, output)}
        )


def _outcome(code: int | None, output: bytes) -> dict[str, object]:
    """What the build says in its last line, which is JSON."""
    try:
        said = from_json(output.strip().rsplit(b"\n", 1)[-1])
        if code == 0:
            return {"status": "succeeded", "version": said["version"]}
        return {"status": "failed", "message": said["message"], "problems": said.get("problems", [])}
    except (ValueError, KeyError, TypeError):
        return {"status": "failed", "message": f"The build ended with code {code}."}
