"""Small real parts for tests of the web layer: an assistant that reads keywords, a pool without a model."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from made_encodings import encoding
from starlette.testclient import TestClient

from assist.conversation.known import Known
from assist.domain import (
    AssistResult,
    Conversation,
    ConversationReading,
    DraftIssue,
    Emotion,
    Source,
    Span,
    Suggestion,
    Utterance,
    Versions,
    WrapUp,
)
from assist.errors import Conflict, NotFound, Overloaded
from assist.inference.encoder import Context, Encoding
from assist.knowledge.index.store import Overview
from assist.settings import Settings
from assist.storage.repository import Repository
from assist.web.knowledge import LiveKnowledge
from assist.web.parts import Engine, new_id

ADDRESS = "http://127.0.0.1:8000"
SOCKET = "ws://127.0.0.1:8000"
T = TypeVar("T")
VERSIONS = Versions("model-1", "index-1", "policy-1")


@dataclass
class KeywordSession:
    """What the stand-in remembers: texts, and how often the customer was angry."""

    conversation: Conversation
    texts: list[str] = field(default_factory=list)
    angry: int = 0
    outcomes: dict[str, str] = field(default_factory=dict)
    said: list[Any] = field(default_factory=list)


class KeywordAssistant:
    """`angry` in a text makes anger and an alert; `crash` raises; everything else is neutral with one answer."""

    versions = VERSIONS

    def __init__(self, ids: Callable[[str], str] = new_id) -> None:
        self._new_id = ids

    def start(self, conversation: Conversation) -> KeywordSession:
        return KeywordSession(conversation)

    def prepare(self, _: KeywordSession, utterance: Utterance) -> None:
        pass

    def needs_encoding(self, speaker: str, session: KeywordSession) -> bool:
        return speaker == "customer" or (speaker == "agent" and bool(session.said or not session.texts))

    def context(self, session: KeywordSession) -> Context:
        return tuple(session.said)

    def recall(self, session: KeywordSession, turns: Sequence[tuple[str, Encoding]]) -> None:
        session.said.extend((speaker, encoding.memory) for speaker, encoding in turns)

    def forget(self, session: KeywordSession) -> None:
        session.said.clear()

    def assist(self, session: KeywordSession, utterance: Utterance, encoding: Encoding | None) -> AssistResult:
        session.texts.append(utterance.text)
        if "crash" in utterance.text:
            raise RuntimeError(f"cannot read {utterance.text}")
        assert encoding is not None or utterance.speaker != "customer"
        if encoding is not None:
            session.said.append((utterance.speaker, encoding.memory))
        if utterance.speaker != "customer":
            return AssistResult(utterance, None, self.state(session), (), (), VERSIONS, 0.1)
        is_angry = "angry" in utterance.text
        session.angry += is_angry
        label = "angry" if is_angry else "neutral"
        evidence = ()
        if is_angry:
            at = utterance.text.index("angry")
            evidence = (Span(at, at + 5, "angry", 0.9),)
        polarity = "negative" if is_angry else "neutral"
        emotion = Emotion(label, 0.9, {label: 0.9}, 0.8 * is_angry, polarity, ("urgent",) * is_angry, evidence)
        name = session.conversation.customer.name or "you"
        suggestion = Suggestion(
            self._new_id("sug"),
            "alert" if is_angry else "answer",
            f"Dear {name}, call 400-820-5566.",
            "Hotline",
            "en",
            0.8,
            "hotline",
            Source("article", "hotline", "v1", None, "call 400-820-5566", 0, 5),
        )
        return AssistResult(utterance, emotion, self.state(session), (suggestion,), (), VERSIONS, 0.1)

    def restore(
        self,
        conversation: Conversation,
        turns: Sequence[tuple[Utterance, AssistResult]],
        outcomes: Mapping[str, Any],
    ) -> KeywordSession:
        session = KeywordSession(conversation, [utterance.text for utterance, _ in turns], 0, dict(outcomes))
        session.angry = sum(result.emotion is not None and result.emotion.label == "angry" for _, result in turns)
        return session

    def set_outcome(self, session: KeywordSession, suggestion_id: str, outcome: str) -> None:
        session.outcomes[suggestion_id] = outcome

    def state(self, session: KeywordSession) -> ConversationReading:
        return ConversationReading(
            "rising" if session.angry else "steady", min(1.0, session.angry / 4), session.angry, None
        )

    def known(self, session: KeywordSession, _: str | None) -> tuple[Known, ...]:
        return tuple(Known("text", "Text", text, "said", f"turn {n}", n) for n, text in enumerate(session.texts, 1))

    def close(self, session: KeywordSession, agent_language: str | None = None) -> WrapUp:
        tags = (agent_language,) if agent_language else ()
        return WrapUp(tuple(session.texts[:3]), "answered", tags, None, None, None, None)

    def draft_hearing(self, text: str, _: KeywordSession | None) -> Callable[[], None]:
        return partial(BarePool().refuse, text)

    def check_draft(self, text: str, _: KeywordSession | None, __: None = None) -> list[DraftIssue]:
        if "calm down" not in text:
            return []
        at = text.index("calm down")
        return [DraftIssue("wording", at, at + 9, "calm down", "warning", "This makes it worse.", "I understand")]


class BarePool:
    """Gives every text the same vector; a text with `overload` finds the queue full. Notes what it was given."""

    depth = 0

    def __init__(self) -> None:
        self.given: list[tuple[str, int]] = []
        self.overloaded_by = "overload"

    async def encode_query(self, text: str, context: Context = ()) -> Encoding:
        self.refuse(text)
        await asyncio.sleep(0)
        self.given.append((text, len(context)))
        return encoding()

    def refuse(self, text: str) -> None:
        if self.overloaded_by in text:
            raise Overloaded("the encoder's queue is full")

    async def begin(self, text: str, context: Context = ()) -> asyncio.Future[Encoding]:
        self.refuse(text)
        return asyncio.ensure_future(self.encode_query(text, context))

    async def run(self, work: Callable[[], T]) -> T:
        return work()

    def close(self) -> None:
        pass


class FolderStore:
    """Index versions in memory."""

    def __init__(self, *versions: str) -> None:
        self.names = list(versions)
        self.active = versions[0] if versions else None
        self.history = SimpleNamespace(entries=list)

    def versions(self) -> list[Any]:
        made = datetime(2026, 11, 23, tzinfo=UTC)
        return [
            SimpleNamespace(id=name, created_at=made, counts={"articles": 1}, changes={"added": 1})
            for name in self.names
        ]

    def manifest(self, version: str) -> Any:
        raise NotFound("no such version", {"version": version})

    def overview(self) -> Overview:
        return Overview(self.versions(), self.active, [], None)

    def rollback(self, **_: object) -> str:
        raise Conflict("nothing to go back to")

    def prune(self, keep: int, **_: object) -> list[str]:
        return self.names[keep:]

    def active_version(self) -> str | None:
        return self.active

    def activate(self, version: str, **_: object) -> None:
        if version not in self.names:
            raise NotFound("no such version")
        self.active = version

    def open(self, version: str) -> Any:
        return SimpleNamespace(
            version=version,
            phrases=(),
            search=lambda *_, **__: [],
            phrase_similarities=lambda *_: [],
            product_search=lambda *_, **__: [],
        )


def open_stand_ins(settings: Settings) -> Engine:
    """An engine with a real log and everything else small."""
    knowledge = LiveKnowledge(FolderStore("index-1", "index-2"))  # type: ignore[arg-type]
    knowledge.refresh()
    repository = Repository.open(settings.log_url, queue_limit=settings.log_queue)
    return Engine(repository, KeywordAssistant(), BarePool(), knowledge)  # type: ignore[arg-type]


def settings_in(folder: Path, **given: Any) -> Settings:
    """Settings for a test: everything in one folder, nothing from the environment."""
    return Settings(data_dir=folder, knowledge_dir=folder / "knowledge", **given)


def open_conversation(client: TestClient, **fields: Any) -> str:
    body = {"customer": {"id": "cust_1", "name": "Ann Lee"}, "agent": {"id": "agent_1"}} | fields
    answer = client.post("/v1/conversations", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def say(client: TestClient, conversation: str, text: str, speaker: str = "customer", **fields: Any) -> dict[str, Any]:
    body = {"speaker": speaker, "text": text} | fields
    answer = client.post(f"/v1/conversations/{conversation}/utterances", json=body)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result
