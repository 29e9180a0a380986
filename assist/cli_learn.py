"""The commands that learn from outcomes: propose a policy from the log, look at it, adopt it, go back."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from assist import settings as configuration
from assist.cli_parts import HELD, AsJson, Data, Speech, from_log, progress_bar, say, say_json, sentences
from assist.cli_tables import console
from assist.domain import ShownSuggestion
from assist.errors import Conflict, Unavailable
from assist.learning.folder import PolicyFolder, os_user
from assist.learning.proposal import propose as make_proposal
from assist.learning.report import report
from assist.settings import Settings
from assist.storage.repository import Repository

learn = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Learning from what agents do with suggestions. Nothing changes until somebody adopts a proposal.",
    epilog="Example: scripts/learn propose, then scripts/learn show w1, then scripts/learn adopt w1",
)

Language = Annotated[Speech, typer.Option(help="Language of the report.")]
Name = Annotated[str, typer.Argument(help="A proposal, e.g. w3; `history` lists them.")]


@learn.command()
def propose(
    days: Annotated[int, typer.Option(min=1, help="How far back the log is read.")] = 90,
    language: Language = Speech.english,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Read the log and propose a policy, with its effect on the newest fifth of the log. Changes nothing.

    Example: scripts/learn propose --days 60 --language zh-Hans
    """
    with sentences(as_json):
        settings = configuration.load(data_dir=data)
        folder = PolicyFolder(settings.policy_path)
        now = datetime.now(UTC)
        with progress_bar(quiet=as_json) as told:
            log = _read(settings, now - timedelta(days=days), told("Reading the log"))
            found = make_proposal(log, folder.next_name(), now=now, current=folder.in_use(), progress=told("Learning"))
        page = folder.add(found, report(found, language.value))
        if as_json:
            say_json(asdict(found))
        else:
            _show(report(found, language.value))
            say(f"The report is in {page}.")


@learn.command()
def show(name: Name, language: Language = Speech.english, data: Data = None, as_json: AsJson = False) -> None:
    """What a proposal changes, why, and how it did on the held-back part of the log.

    Example: scripts/learn show w3 --language zh-Hant
    """
    with sentences(as_json):
        found = PolicyFolder(configuration.load(data_dir=data).policy_path).proposal(name)
        say_json(asdict(found)) if as_json else _show(report(found, language.value))


@learn.command()
def adopt(
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Even one that did not do better.")] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Put a proposal in use at the next start of the service. Exit code 3 if it did not do better.

    Example: scripts/learn adopt w3
    """
    with sentences(as_json):
        folder = PolicyFolder(configuration.load(data_dir=data).policy_path)
        before = folder.in_use().version
        try:
            folder.adopt(name, os_user(), force=force)
        except Conflict as error:
            say_json({"message": error.message}) if as_json else typer.echo(error.message, err=True)
            raise typer.Exit(HELD) from error
        _say_switched(before, name, as_json)


@learn.command()
def rollback(data: Data = None, as_json: AsJson = False) -> None:
    """Go back to the policy that was in use before; once more goes one further back.

    Example: scripts/learn rollback
    """
    with sentences(as_json):
        folder = PolicyFolder(configuration.load(data_dir=data).policy_path)
        before = folder.in_use().version
        _say_switched(before, folder.rollback(os_user()), as_json)


@learn.command()
def history(data: Data = None, as_json: AsJson = False) -> None:
    """Who adopted what and when, and the proposals there are; * marks the one in use.

    Example: scripts/learn history
    """
    with sentences(as_json):
        folder = PolicyFolder(configuration.load(data_dir=data).policy_path)
        in_use, steps = folder.in_use().version, folder.history()
        proposals = [folder.proposal(name) for name in folder.names()]
        if as_json:
            told = [{"name": p.weights.version, "made_at": p.made_at, "verdict": p.verdict} for p in proposals]
            say_json({"in_use": in_use or None, "proposals": told, "history": [asdict(step) for step in steps]})
            return
        table = Table("", "proposal", "made (UTC)", "factors that move", "held-back part")
        for p in proposals:
            name = p.weights.version
            table.add_row("*" * (name == in_use), name, f"{p.made_at:%Y-%m-%d %H:%M}", str(len(p.moves)), p.verdict)
        console().print(table if proposals else "There is no proposal yet. Make one with: scripts/learn propose")
        done = Table("when (UTC)", "who", "what", "from", "to")
        for step in steps:
            action = f"{step.action}{' (forced)' * step.is_forced}"
            done.add_row(
                f"{step.at:%Y-%m-%d %H:%M:%S}", Text(step.who), action, step.previous or "–", step.version or "–"
            )
        if steps:
            console().print(done)


def _read(settings: Settings, since: datetime, progress: Callable[[int, int], None]) -> list[ShownSuggestion]:
    """What was shown since a time. Raises Unavailable if there is no log."""

    async def read(log: Repository) -> list[ShownSuggestion]:
        total = await log.count_suggestions()
        return await log.shown_suggestions(since, progress=lambda done: progress(done, total))

    found = from_log(settings, read)
    if found is None:
        raise Unavailable(f"there is no log at {settings.data_dir}: nothing was shown yet")
    return found


def _show(page: str) -> None:
    out = console()
    if out.is_terminal:
        out.print(Markdown(page))
    else:
        say(page)


def _say_switched(before: str, version: str | None, as_json: bool) -> None:
    if as_json:
        say_json({"in_use": version, "previous": before or None})
    else:
        say(f"In use from the next start of the service: {version or 'no policy'} (before: {before or 'no policy'}).")
