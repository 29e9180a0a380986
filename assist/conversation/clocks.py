"""Clocks: what a customer was promised runs out at a time. Pure: whoever asks brings the present along."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from assist.domain import Clock, ClockState


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each clock runs, and from which rest of its time on it warns (a share of 0–1)."""

    first_answer: timedelta = timedelta(seconds=60)
    enquiry: timedelta = timedelta(hours=2)
    complaint_contact: timedelta = timedelta(hours=1)
    closure: timedelta = timedelta(hours=24)
    warning: float = 0.25


def clocks_of(
    limits: Limits,
    now: datetime,
    *,
    asked_at: datetime | None,
    answered_at: datetime | None,
    complaint_at: datetime | None,
    contacted_at: datetime | None,
    closed_at: datetime | None,
) -> tuple[Clock, ...]:
    """Every clock that has started, as it stands at `now`; a time is None while its event has not come."""
    clocks = []
    if asked_at is not None:
        clocks.append(_clock("first_answer", asked_at, limits.first_answer, limits, answered_at))
        clocks.append(_clock("enquiry", asked_at, limits.enquiry, limits, closed_at))
    if complaint_at is not None:
        clocks.append(_clock("complaint_contact", complaint_at, limits.complaint_contact, limits, contacted_at))
        clocks.append(_clock("closure", complaint_at, limits.closure, limits, closed_at))
    return at(tuple(clocks), now)


def at(clocks: tuple[Clock, ...], now: datetime) -> tuple[Clock, ...]:
    """The clocks as they stand at `now`, if nothing happened to them since; the same tuple if none has changed."""
    if all(clock.state == _state(clock, now) for clock in clocks):
        return clocks
    return tuple(replace(clock, state=_state(clock, now)) for clock in clocks)


def _clock(name: str, begin: datetime, length: timedelta, limits: Limits, met_at: datetime | None) -> Clock:
    due_at = begin + length
    state: ClockState = "running" if met_at is None else "met" if met_at <= due_at else "late"
    return Clock(name, due_at, state, warn_at=due_at - length * limits.warning)


def _state(clock: Clock, now: datetime) -> ClockState:
    if clock.state in ("met", "late"):
        return clock.state
    if now > clock.due_at:
        return "overdue"
    return "due_soon" if clock.warn_at is not None and now > clock.warn_at else "running"
