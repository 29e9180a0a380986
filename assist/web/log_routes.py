"""The suggestion log: outcomes, the reviewers' list, verdicts, and erasure."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from assist.domain import EmotionLabel, Flag, Outcome, SuggestionKind, Verdict
from assist.errors import NotFound
from assist.storage.records import LoggedSuggestion, Review, SuggestionFilter, iso
from assist.storage.redaction import Redactor
from assist.web.checks import check_text, cursor_of, place_of
from assist.web.profiles import ids_of
from assist.web.routes import ERRORS, Caller, Limit, Service, entered
from assist.web.schemas import ErasedOut, OutcomeInput, OutcomeOut, ReviewInput, SuggestionsOut, Text, Time

router = APIRouter(prefix="/v1", dependencies=[Depends(entered)], responses=ERRORS)

Wanted = Annotated[Text | None, Query(max_length=200)]


@router.put("/suggestions/{suggestion_id}/outcome")
async def set_outcome(suggestion_id: str, given: OutcomeInput, parts: Service) -> OutcomeOut:
    """What became of a suggestion; the last word counts."""
    check_text(parts.settings, given.final_text)
    await parts.rooms.set_outcome(suggestion_id, given)
    return OutcomeOut(
        suggestion_id=suggestion_id, outcome=given.outcome, final_text=given.final_text, reason=given.reason
    )


@router.get("/suggestions")
async def list_suggestions(
    parts: Service,
    since: Time | None = None,
    until: Time | None = None,
    kind: SuggestionKind | None = None,
    emotion: EmotionLabel | None = None,
    flag: Flag | None = None,
    outcome: Outcome | None = None,
    agent: Wanted = None,
    article: Annotated[
        Text | None, Query(max_length=200, description="Id of the source: article, case, phrase …")
    ] = None,
    language: Wanted = None,
    conversation: Wanted = None,
    review_state: Literal["open", "reviewed"] | None = None,
    verdict: Verdict | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> SuggestionsOut:
    """The log, the newest first."""
    limit = min(limit, parts.settings.max_page_items)
    wanted = SuggestionFilter(
        since=iso(since) if since else None,
        until=iso(until) if until else None,
        kind=kind,
        emotion=emotion,
        flag=flag,
        outcome=outcome,
        agent=agent,
        article=article,
        language=language,
        conversation=conversation,
        review_state=review_state,
        verdict=verdict,
    )
    found = await parts.engine.repository.list_suggestions(wanted, after=place_of(cursor), limit=limit)
    following = cursor_of((found[-1].at, found[-1].id)) if len(found) == limit else None
    return SuggestionsOut(suggestions=found, next_cursor=following)


@router.get("/suggestions/{suggestion_id}")
async def get_suggestion(suggestion_id: str, parts: Service) -> LoggedSuggestion:
    """One suggestion of the log with its reviews."""
    found = await parts.engine.repository.suggestion(suggestion_id)
    if found is None:
        raise NotFound("No suggestion has this id.", {"id": suggestion_id})
    return found


@router.post("/suggestions/{suggestion_id}/reviews", status_code=201)
async def add_review(suggestion_id: str, judged: ReviewInput, caller: Caller, parts: Service) -> Review:
    """A reviewer's verdict."""
    engine = parts.engine
    review = Review(
        id=engine.new_id("rev"),
        suggestion_id=suggestion_id,
        verdict=judged.verdict,
        note=judged.note,
        reviewer=caller.name,
        at=iso(engine.clock()),
    )
    await engine.repository.add_review(review, Redactor(None))
    return review


@router.delete("/customers/{customer_id:path}")
async def erase_customer(customer_id: Text, parts: Service) -> ErasedOut:
    """Erase every text of and about a customer. Figures without text stay. Doing it again changes nothing.

    Conversations under any other id that the customer source knows them by go, too. 503 if it does not answer: then
    those under this very id are gone, and asking again erases the rest.
    """
    conversations = await parts.rooms.erase_customer([customer_id])
    others = set(await ids_of(parts.engine.customers, customer_id)) - {customer_id}
    conversations += await parts.rooms.erase_customer(others)
    return ErasedOut(customer_id=customer_id, conversations=conversations)
