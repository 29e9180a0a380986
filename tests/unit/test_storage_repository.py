"""The log on real databases: what goes in comes out redacted, once, in order, and can be erased."""

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from assist.domain import (
    Agent,
    ArticleUse,
    AssistResult,
    Conversation,
    ConversationReading,
    Customer,
    Emotion,
    Item,
    Order,
    PhraseUse,
    Quote,
    Source,
    Span,
    Suggestion,
    Utterance,
    Versions,
    WrapUp,
)
from assist.errors import Conflict, NotFound, Unavailable
from assist.storage.engine import migrate, open_engine
from assist.storage.records import RESULT, Review, SuggestionFilter, iso
from assist.storage.redaction import Redactor
from assist.storage.repository import Repository
from assist.storage.tables import metadata

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECRETS = ("陈小明", "13812345678", "CW20261108-4471", "ann@example.com")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own, where PostgreSQL's programs are installed."""
    if not shutil.which("initdb") or not shutil.which("pg_ctl"):
        pytest.skip("PostgreSQL is not installed: its half of the repository tests did not run")
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    # PostgreSQL refuses to run as root.
    as_user = {"user": "postgres"} if os.geteuid() == 0 else {}
    # Not in pytest's own folder, which that user may not enter; short, because a socket's path is limited.
    home = Path(tempfile.mkdtemp(prefix="assist-"))
    if as_user:
        shutil.chown(home, pwd.getpwnam("postgres").pw_uid)
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": home, **as_user}
    options = f"-c listen_addresses='' -c unix_socket_directories={home} -c fsync=off"
    try:
        subprocess.run(["initdb", "-D", home / "data", "-U", "assist", "-A", "trust", "-E", "UTF8"], **quiet)
        subprocess.run(["pg_ctl", "-D", home / "data", "-o", options, "-w", "start"], **quiet)
        yield f"postgresql://assist@/postgres?host={home}"
        subprocess.run(["pg_ctl", "-D", home / "data", "-m", "immediate", "stop"], **quiet)
    finally:
        shutil.rmtree(home)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'log.db'}"
    server: str = request.getfixturevalue("postgres")
    engine = open_engine(server)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()
    return server


class Clock:
    """The present, as a test sets it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def repository(url: str, clock: Clock) -> Iterator[Repository]:
    repository = Repository.open(url, clock=clock)
    yield repository
    repository.close()


def conversation(number: int = 1, customer: str = "cust_1") -> Conversation:
    profile = Customer(
        id=customer,
        name="陈小明",
        tier="gold",
        orders=(Order("CW20261108-4471", "CW-1", "Kettle", 199.0, "shipped", NOON),),
        cart=(Item("CW-2", "Pan", 99.0),),
        attributes={"phone": "13812345678", "mail": ["ann@example.com"], "number": 13812345678, "size": "M"},
    )
    at = NOON + timedelta(seconds=number)
    return Conversation(
        f"conv_{number}", "chat", at, profile, Agent("agent_1", "Lin"), None, {"note": "call 13812345678"}
    )


def result(seq: int, text: str, *, label: str = "angry", utterance_id: str = "", conv: int = 1) -> AssistResult:
    emotion = Emotion(
        label, 0.9, {label: 0.9}, 0.7, "negative", ("urgent", "churn_threat"), (Span(0, 2, text[:2], 0.5),)
    )  # type: ignore[arg-type]
    suggestions = tuple(
        Suggestion(
            f"sug_{conv}_{seq}_{at}",
            kind,
            f"陈小明您好 {at}",
            "订单 CW20261108-4471",
            "zh-Hans",
            0.8,
            "为陈小明",
            Source("article", f"article-{at}", "v1", None, "热线 400-820-5566", 0, 9),
        )
        for at, kind in enumerate(("calming", "answer"))
    )
    spoken = Utterance(
        utterance_id or f"utt_{seq}", seq, "customer", text, "zh-Hans", NOON + timedelta(seconds=100 * conv + seq)
    )
    reading = ConversationReading("rising", 0.6, 1, "late_delivery")
    return AssistResult(spoken, emotion, reading, suggestions, (), Versions("m", "i", "p"), 3.2)


async def start(repository: Repository, number: int = 1, customer: str = "cust_1") -> tuple[Conversation, Redactor]:
    opened = conversation(number, customer)
    redactor = Redactor(opened)
    await repository.open_conversation(opened, redactor)
    return opened, redactor


async def test_tables_are_those_of_the_migrations(url: str) -> None:
    engine = open_engine(url)
    migrate(engine)
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


async def test_a_log_that_is_opened_to_read_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "log.db").touch()
    repository = Repository.open(f"sqlite:///{tmp_path / 'log.db'}", read_only=True)
    try:
        await repository.ping()
        with pytest.raises(Unavailable):
            await repository.list_suggestions(SuggestionFilter(), after=None, limit=1)
        with pytest.raises(Unavailable):
            await start(repository)
    finally:
        repository.close()


async def test_a_conversation_comes_back_in_order_and_redacted(repository: Repository) -> None:
    opened, redactor = await start(repository)
    texts = ["我是陈小明，电话13812345678", "订单 CW20261108-4471 呢？", "写信到 ann@example.com"]
    for seq, text in enumerate(texts, start=2):
        await repository.append(opened, redactor, result(seq, text))
    stored = await repository.load("conv_1")
    assert stored is not None
    assert [event.seq for event in stored.events] == [1, 2, 3, 4]
    assert [event.type for event in stored.events] == ["conversation.opened", *["utterance.added"] * 3]
    kept = "".join(event.data for event in stored.events)
    for secret in SECRETS:
        assert secret not in kept
    assert "400-820-5566" in kept
    assert stored.conversation.customer.orders[0].title == "Kettle"
    assert stored.conversation.customer.attributes["size"] == "M"
    first = RESULT.validate_json(stored.events[1].data)
    assert first.utterance.text == "我是[NAME]，电话[PHONE]"
    assert first.suggestions[0].text == "[NAME]您好 0"
    assert [event.seq for event in (await repository.load("conv_1", since=3)).events] == [4]  # type: ignore[union-attr]


async def test_what_was_shown_comes_back_with_its_outcome_the_oldest_first(
    repository: Repository, clock: Clock
) -> None:
    opened, redactor = await start(repository)
    await repository.append(opened, redactor, result(2, "慢"))
    clock.now += timedelta(hours=1)
    other = result(3, "还没到", utterance_id="utt_9")
    await repository.append_single(opened, redactor, other)
    values = {"final_text": None, "reason": None, "redactor": redactor}
    await repository.set_outcome("sug_1_2_1", "dismissed", **values, conversation_id="conv_1", seq=3)  # type: ignore[arg-type]
    await repository.add_review(Review("rev_1", "sug_1_2_0", "unsafe", "", "qa", iso(NOON)), redactor)
    found = await repository.shown_suggestions(NOON, excerpt_chars=7)
    assert [(one.talk, one.position, one.kind, one.outcome, one.verdict) for one in found] == [
        ("conv_1", 0, "calming", "shown", "unsafe"),
        ("conv_1", 1, "answer", "dismissed", None),
        ("-/utt_9", 0, "calming", "shown", None),
        ("-/utt_9", 1, "answer", "shown", None),
    ]
    assert (found[1].source_type, found[1].source_id, found[1].agent) == ("article", "article-1", "agent_1")
    assert [one.at for one in found] == [NOON, NOON, clock.now, clock.now]
    assert found[0].text == "[NAME]您"
    assert await repository.shown_suggestions(NOON + timedelta(minutes=1), excerpt_chars=7) == found[2:]


async def test_an_utterance_is_logged_once_and_in_its_place(repository: Repository) -> None:
    opened, redactor = await start(repository)
    await repository.append(opened, redactor, result(2, "好的", utterance_id="utt_1"))
    for wrong in (result(2, "好的"), result(5, "好的"), result(3, "好的", utterance_id="utt_1")):
        with pytest.raises((Conflict, Unavailable)):
            await repository.append(opened, redactor, replace(wrong, suggestions=()))
    stored = await repository.load("conv_1")
    assert stored is not None and stored.last_seq == 2


async def test_many_at_once_lose_nothing(repository: Repository) -> None:
    opened = [await start(repository, number) for number in range(1, 9)]

    async def talk(number: int, one: Conversation, redactor: Redactor) -> None:
        for seq in range(2, 12):
            await repository.append(one, redactor, result(seq, "你好", conv=number))

    await asyncio.gather(*(talk(number, *pair) for number, pair in enumerate(opened, start=1)))
    for number in range(1, 9):
        stored = await repository.load(f"conv_{number}")
        assert stored is not None and [event.seq for event in stored.events] == list(range(1, 12))
    assert await repository.count_suggestions() == 8 * 10 * 2


async def test_ids_are_used_once(repository: Repository) -> None:
    await start(repository)
    with pytest.raises(Conflict):
        await start(repository)


async def test_outcomes_and_closure_are_events(repository: Repository) -> None:
    opened, redactor = await start(repository)
    await repository.append(opened, redactor, result(2, "好的"))
    await repository.set_outcome(
        "sug_1_2_0",
        "edited",
        final_text="陈小明，请拨13812345678",
        reason=None,
        redactor=redactor,
        conversation_id="conv_1",
        seq=3,
    )
    with pytest.raises(NotFound):
        await repository.set_outcome(
            "sug_x", "shown", final_text=None, reason=None, redactor=redactor, conversation_id="conv_1", seq=4
        )
    quotes = (Quote("problem", "好的", "utt_2", 0, 2, "customer"),)
    wrap_up = WrapUp(("陈小明 wrote",), "resolved", (), None, None, None, None, quotes=quotes)
    await repository.close_conversation("conv_1", 4, wrap_up, redactor)
    with pytest.raises(Conflict):
        await repository.close_conversation("conv_1", 5, wrap_up, redactor)
    with pytest.raises(Conflict):
        await repository.append(opened, redactor, result(5, "还有"))
    stored = await repository.load("conv_1")
    assert stored is not None
    assert (stored.status, stored.last_seq) == ("closed", 4)
    assert [event.type for event in stored.events[2:]] == ["suggestion.outcome", "conversation.closed"]
    assert "陈小明" not in "".join(event.data for event in stored.events)
    assert stored.wrap_up is not None and stored.wrap_up.summary == ("[NAME] wrote",)
    assert stored.wrap_up.quotes == quotes
    logged = await repository.suggestion("sug_1_2_0")
    assert logged is not None
    assert (logged.outcome, logged.final_text) == ("edited", "[NAME]，请拨[PHONE]")


async def test_the_log_is_filtered_and_paged(repository: Repository, clock: Clock) -> None:
    opened, redactor = await start(repository)
    for seq in range(2, 12):
        clock.now = NOON + timedelta(seconds=seq // 2)
        label = "angry" if seq % 2 else "neutral"
        await repository.append(opened, redactor, result(seq, "好的", label=label))

    async def ids(**wanted: str) -> list[str]:
        found = await repository.list_suggestions(SuggestionFilter(**wanted), after=None, limit=100)  # type: ignore[arg-type]
        return [suggestion.id for suggestion in found]

    assert len(await ids()) == 20
    assert len(await ids(kind="calming")) == 10
    assert len(await ids(emotion="angry", kind="answer")) == 5
    assert len(await ids(flag="churn_threat")) == 20
    assert await ids(flag="threat") == await ids(flag="%") == []
    assert len(await ids(article="article-1")) == 10
    assert len(await ids(agent="agent_1")) == 20
    assert await ids(agent="agent_2") == await ids(outcome="accepted") == await ids(conversation="conv_2") == []
    middle = iso(NOON + timedelta(seconds=3))
    assert 0 < len(await ids(since=middle)) < 20
    assert len(await ids(since=middle)) + len(await ids(until=middle)) == 20
    seen: list[str] = []
    place = None
    while page := await repository.list_suggestions(SuggestionFilter(), after=place, limit=7):
        seen += [suggestion.id for suggestion in page]
        place = (page[-1].at, page[-1].id)
    assert seen == await ids()
    assert len(set(seen)) == 20


async def test_reviews_stand_beside_suggestions(repository: Repository) -> None:
    opened, redactor = await start(repository)
    await repository.append(opened, redactor, result(2, "好的"))
    review = Review("rev_1", "sug_1_2_0", "badly_worded", "for 13812345678", "Wei", iso(NOON))
    await repository.add_review(review, Redactor(None))
    with pytest.raises(NotFound):
        await repository.add_review(replace(review, id="rev_2", suggestion_id="sug_x"), Redactor(None))
    [logged] = await repository.list_suggestions(SuggestionFilter(review_state="reviewed"), after=None, limit=9)
    assert logged.reviews == [replace(review, note="for [PHONE]")]
    assert logged.review_state == "reviewed"
    assert logged.utterance is not None and logged.utterance["text"] == "好的"
    assert logged.versions == {"models": "m", "index": "i", "policy": "p"}
    [other] = await repository.list_suggestions(SuggestionFilter(review_state="open"), after=None, limit=9)
    assert other.id == "sug_1_2_1"


async def test_erasure_leaves_figures_and_no_text(repository: Repository, url: str, tmp_path: Path) -> None:
    mine, redactor = await start(repository)
    other, other_redactor = await start(repository, 2, "cust_2")
    await repository.append(mine, redactor, result(2, "我很生气而且独特句子"))
    await repository.append(other, other_redactor, result(2, "别人的话", conv=2))
    single = replace(result(1, "单独一句独特句子", conv=3), suggestions=())
    await repository.append_single(mine, redactor, single)
    await repository.add_review(Review("rev_1", "sug_1_2_0", "wrong", "独特句子", "Wei", iso(NOON)), redactor)
    assert await repository.erase_customer("cust_1") == ["conv_1"]
    stored = await repository.load("conv_1")
    assert stored is not None and (stored.status, stored.events) == ("closed", ())
    assert stored.conversation.customer == Customer(id="[ERASED]")
    logged = await repository.suggestion("sug_1_2_0")
    assert logged is not None and logged.reviews[0].verdict == "wrong"
    assert (logged.text, logged.title, logged.reason, logged.reviews[0].note) == ("", "", "", "")
    assert (logged.kind, logged.emotion, logged.utterance) == ("calming", "angry", None)
    untouched = await repository.load("conv_2")
    assert untouched is not None and len(untouched.events) == 2
    assert await repository.erase_customer("cust_1") == []
    if url.startswith("sqlite"):
        for file in tmp_path.glob("log.db*"):
            assert "独特句子".encode() not in file.read_bytes(), file


async def test_customer_ids_that_are_personal_become_digests(repository: Repository) -> None:
    opened, redactor = await start(repository, customer="13812345678")
    await repository.append(opened, redactor, result(2, "好的"))
    [line] = await repository.list_conversations(status=None, after=None, limit=9)
    assert line.customer["id"].startswith("sha256:")
    assert await repository.erase_customer("13812345678") == ["conv_1"]


async def test_retention_deletes_what_is_old(repository: Repository, clock: Clock) -> None:
    old, redactor = await start(repository)
    await repository.append(old, redactor, result(2, "好的"))
    await repository.append_single(old, redactor, result(1, "单独", conv=3))
    clock.now = NOON + timedelta(seconds=400)
    # The caller's clock, which is far behind here, does not shorten our retention.
    new, new_redactor = await start(repository, 5)
    await repository.append(new, new_redactor, result(2, "好的", conv=5))
    assert await repository.forget_before(NOON + timedelta(seconds=300)) == 1
    assert await repository.load("conv_1") is None
    assert await repository.load("conv_5") is not None
    assert await repository.count_suggestions() == 2
    assert await repository.forget_before(NOON + timedelta(seconds=300)) == 0


async def test_keys_are_kept_as_digests_and_end(repository: Repository) -> None:
    key, secret = await repository.keys.add("Wei", "reviewer", language="zh-Hans")
    assert await repository.keys.find(secret) == key
    assert await repository.keys.find(secret + "x") is None
    assert await repository.keys.list() == [key]
    assert await repository.keys.revoke(key.id)
    assert not await repository.keys.revoke("key_none")
    assert await repository.keys.find(secret) is None
    _, past = await repository.keys.add("Wei", "agent", lifetime=timedelta(seconds=-1))
    assert await repository.keys.find(past) is None
    _, link = await repository.keys.add("Wei", "admin", kind="login", lifetime=timedelta(minutes=1))
    assert await repository.keys.find(link) is None
    taken = await repository.keys.take_login(link)
    assert taken is not None and taken.role == "admin"
    assert await repository.keys.take_login(link) is None
    await repository.keys.forget_expired()
    assert [key.name for key in await repository.keys.list()] == ["Wei"]


async def test_what_agents_did_with_articles_is_counted_by_text(repository: Repository, clock: Clock) -> None:
    opened, redactor = await start(repository)
    for seq, outcome in ((2, "accepted"), (4, "dismissed"), (6, "edited"), (8, None)):
        await repository.append(opened, redactor, result(seq, "怎么退款"))
        if outcome:
            await repository.set_outcome(
                f"sug_1_{seq}_1",
                outcome,
                final_text=None,
                reason=None,
                redactor=redactor,
                conversation_id="conv_1",
                seq=seq + 1,
            )
    [one] = await repository.article_use(NOON)
    assert one == ArticleUse("article-1", "v1", "zh-Hans", "zh-Hans", shown=4, used=2, dismissed=1)
    assert await repository.article_use(clock.now + timedelta(seconds=1)) == []
    await repository.erase_customer("cust_1")
    [kept] = await repository.article_use(NOON)
    assert (kept.asked_in, kept.shown) == ("other", 4)


async def test_what_became_of_phrases_is_counted(repository: Repository) -> None:
    opened, redactor = await start(repository)
    for seq, outcome in ((2, "accepted"), (4, "dismissed"), (6, "ignored"), (8, None)):
        said = result(seq, "太慢了")
        phrase = replace(said.suggestions[0], kind="calming", source=Source("phrase", "ph_1", "v1"))
        await repository.append(opened, redactor, replace(said, suggestions=(phrase,)))
        if outcome:
            await repository.set_outcome(
                phrase.id,
                outcome,
                final_text=None,
                reason=None,
                redactor=redactor,
                conversation_id="conv_1",
                seq=seq + 1,
            )
    assert await repository.phrase_use(NOON) == [PhraseUse("ph_1", 4, accepted=1, edited=0, dismissed=1, ignored=1)]
    assert await repository.article_use(NOON) == []


async def test_answers_to_other_languages_and_to_erased_customers_add_up(repository: Repository) -> None:
    opened, redactor = await start(repository)
    await repository.append(opened, redactor, result(2, "怎么退款"))
    await repository.erase_customer("cust_1")
    again, redactor = await start(repository, 2, "cust_2")
    said = result(2, "où est mon colis", conv=2)
    said = replace(said, utterance=replace(said.utterance, language="other"))
    await repository.append(again, redactor, said)
    assert sum(one.shown for one in await repository.article_use(NOON)) == 2


async def test_questions_without_an_answer_or_with_dismissed_ones_are_open(repository: Repository) -> None:
    opened, redactor = await start(repository)
    said = [
        replace(result(2, "你好"), suggestions=()),
        replace(result(3, "我是陈小明，你们有学生优惠吗"), suggestions=()),
        result(4, "怎么退款"),
        result(6, "怎么退货"),
        result(8, "怎么换货"),
    ]
    agent = replace(said[0], utterance=replace(said[0].utterance, id="utt_a", seq=10, speaker="agent", text="哪一件？"))
    said += [replace(agent, emotion=None), replace(result(11, "红色的那件"), suggestions=())]
    outcomes = {4: "dismissed", 6: "accepted"}
    for one in said:
        await repository.append(opened, redactor, one)
        if (seq := one.utterance.seq) in outcomes or seq == 8:
            await repository.set_outcome(
                f"sug_1_{seq}_{0 if seq == 8 else 1}",  # at 8 the calming phrase is dismissed, not the answer
                outcomes.get(seq, "dismissed"),  # type: ignore[arg-type]
                final_text=None,
                reason=None,
                redactor=redactor,
                conversation_id="conv_1",
                seq=seq + 1,
            )
    single = conversation(9, "cust_9")
    await repository.append_single(single, Redactor(single), replace(result(2, "有发票吗"), suggestions=()))
    found = {one.text: one for one in await repository.open_questions(NOON)}
    assert set(found) == {"你好", "我是[NAME]，你们有学生优惠吗", "怎么退款", "红色的那件", "有发票吗"}
    assert found["怎么退款"].dismissed == ("article-1",)
    assert [one.is_opening for one in found.values() if one.conversation_id == "conv_1"] == [True, True, False, False]
    assert (found["红色的那件"].before, found["怎么退款"].before) == ("哪一件？", None)
    assert found["有发票吗"].is_opening and found["有发票吗"].at == NOON
    assert (found["怎么退款"].emotion, found["怎么退款"].intensity, found["怎么退款"].situation) == (
        "angry",
        0.7,
        "late_delivery",
    )
    assert await repository.open_questions(NOON + timedelta(seconds=1)) == []


async def test_a_question_in_a_conversation_begun_before_the_period_is_no_opening(
    repository: Repository, clock: Clock
) -> None:
    opened, redactor = await start(repository)
    clock.now += timedelta(days=1)
    await repository.append(opened, redactor, replace(result(2, "红色的那件"), suggestions=()))
    [late] = await repository.open_questions(NOON + timedelta(hours=1))
    [whole] = await repository.open_questions(NOON)
    assert (late.is_opening, whole.is_opening) == (False, True)
