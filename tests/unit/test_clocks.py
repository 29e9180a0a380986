"""Clocks: when they start, warn, run out and end."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from assist.conversation.clocks import Limits, at, clocks_of
from assist.domain import Clock, ClockState

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
TIMES = ("asked_at", "answered_at", "complaint_at", "contacted_at", "closed_at")


def states(after: timedelta, limits: Limits | None = None, **times: datetime) -> dict[str, ClockState]:
    known = dict.fromkeys(TIMES) | times
    return {clock.name: clock.state for clock in clocks_of(limits or Limits(), NOW + after, **known)}


def test_nothing_runs_before_the_customer_has_spoken() -> None:
    assert states(timedelta(hours=3)) == {}


def test_first_answer_warns_then_runs_out_then_ends() -> None:
    def state(seconds: float, **times: datetime) -> ClockState:
        return states(timedelta(seconds=seconds), asked_at=NOW, **times)["first_answer"]

    assert [state(s) for s in (0, 45, 46, 60, 61)] == ["running", "running", "due_soon", "due_soon", "overdue"]
    assert state(900, answered_at=NOW + timedelta(seconds=60)) == "met"
    assert state(900, answered_at=NOW + timedelta(seconds=61)) == "late"


def test_all_four_by_their_limits() -> None:
    both = {"asked_at": NOW, "complaint_at": NOW}
    assert states(timedelta(minutes=61), **both) == {
        "first_answer": "overdue", "enquiry": "running", "complaint_contact": "overdue", "closure": "running",
    }  # fmt: skip
    assert states(timedelta(hours=19), **both)["closure"] == "due_soon"
    assert set(states(timedelta(hours=25), **both).values()) == {"overdue"}
    ended = both | {"answered_at": NOW, "contacted_at": NOW, "closed_at": NOW + timedelta(hours=3)}
    assert states(timedelta(days=9), **ended) == {
        "first_answer": "met", "enquiry": "late", "complaint_contact": "met", "closure": "met",
    }  # fmt: skip


def test_limits_and_warning_are_settings() -> None:
    limits = Limits(first_answer=timedelta(seconds=10), warning=0.5)
    assert states(timedelta(seconds=6), limits, asked_at=NOW)["first_answer"] == "due_soon"
    assert states(timedelta(seconds=11), limits, asked_at=NOW)["first_answer"] == "overdue"


@given(st.integers(0, 200_000), st.integers(0, 200_000), st.booleans())
def test_a_kept_clock_tells_later_what_a_new_one_would(before: int, more: int, is_complaint: bool) -> None:
    times = dict.fromkeys(TIMES) | {"asked_at": NOW, "complaint_at": NOW if is_complaint else None}
    early, late = NOW + timedelta(seconds=before), NOW + timedelta(seconds=before + more)
    kept = clocks_of(Limits(), early, **times)
    assert at(kept, late) == clocks_of(Limits(), late, **times)
    assert at(at(kept, late), late) == at(kept, late)


def test_a_clock_of_an_older_log_runs_out_without_a_warning() -> None:
    old = Clock("enquiry", NOW, "running")
    assert at((old,), NOW)[0].state == "running"
    assert at((old,), NOW + timedelta(seconds=1))[0].state == "overdue"
