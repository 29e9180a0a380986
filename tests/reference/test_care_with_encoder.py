"""Care with the encoder, the log and the demo articles as shipped: planted faults are found, sound articles are not."""

import asyncio
import json
import re
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assist.cli_care import care
from assist.conversation.assistant import Assistant
from assist.domain import Conversation, Customer, Utterance
from assist.inference.emotion import EmotionReader
from assist.inference.encoder import Encoder
from assist.knowledge.index import IndexStore, build
from assist.knowledge.ranking import Relevance
from assist.storage.redaction import Redactor
from assist.storage.repository import Repository
from assist.text.language import detect

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A data folder in which what was encoded once is kept from test to test."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def knowledge(tmp_path) -> Path:
    return Path(shutil.copytree(ROOT / "knowledge_base", tmp_path / "knowledge"))


def run(*options: str | Path) -> tuple[int, dict]:
    done = CliRunner().invoke(care, [*map(str, options), "--models", str(ROOT / "models"), "--json"])
    return done.exit_code, json.loads(done.stdout.strip().rsplit("\n", 1)[-1])


def check(source: Path, data: Path, *kinds: str) -> tuple[int, list[dict]]:
    wanted = [option for kind in kinds for option in ("--kind", kind)]
    code, said = run("check", "--source", source, "--data", data, *wanted)
    return code, said["findings"]


def change(folder: Path, name: str, *changes: tuple[str, str]) -> None:
    for path in sorted((folder / "articles").glob(f"{name}.md")):
        text = path.read_text()
        for old, new in changes:
            text = re.sub(old, new, text)
        path.write_text(text)


def test_the_demo_articles_are_sound(data):
    code, found = check(ROOT / "knowledge_base", data)
    assert code == 1 and [(one["kind"], one["severity"]) for one in found] == [("missing_language", "note")]
    assert check(ROOT / "knowledge_base", data, "contradiction", "duplicate", "dead_link") == (0, [])


def test_a_figure_that_one_language_version_states_differently(knowledge, data):
    change(knowledge, "change-of-mind-return.zh-Hans", ("7 天", "十四天"))
    code, found = check(knowledge, data, "contradiction")
    assert code == 1
    worst = [one for one in found if one["severity"] == "error"]
    assert len(worst) == 2 and all("change-of-mind-return" in one["message"] for one in worst)
    files = {
        (quote["file"], "7 d" in quote["text"] or "7 天" in quote["text"]) for one in worst for quote in one["quotes"]
    }
    assert ("articles/change-of-mind-return.zh-Hans.md", False) in files
    assert ("articles/change-of-mind-return.en.md", True) in files
    for quote in (quote for one in worst for quote in one["quotes"]):
        line = (knowledge / quote["file"]).read_text().split("\n")[quote["line"] - 1]
        assert quote["text"][:6] in line


@pytest.mark.parametrize(
    ("name", "old", "new", "other"),
    [
        ("remote-areas.*", "¥18", "¥28", "delivery-fees-mainland"),
        ("return-window-expired.*", r"\b2( years| 年)", r"5\1", "warranty-periods"),
        ("delivered-to-wrong-place.*", r"\b48( hours| 小时)", r"72\1", "signed-but-not-received"),
    ],
)
def test_articles_that_state_different_figures_for_one_thing(knowledge, data, name, old, new, other):
    change(knowledge, name, (old, new))
    _, found = check(knowledge, data, "contradiction")
    assert any(other in one["message"] and name[:-2] in one["message"] for one in found)
    assert all(name[:-2] in one["message"] for one in found)


def test_a_copy_with_other_words_here_and_there_is_a_duplicate(knowledge, data):
    original = (knowledge / "articles/price-protection.en.md").read_text()
    copy = original.replace("id: price-protection", "id: price-drop").replace("difference", "gap in price")
    (knowledge / "articles/price-drop.en.md").write_text(copy)
    _, found = check(knowledge, data, "duplicate")
    assert {"price-protection", "price-drop"} <= set(re.findall(r"[\w-]+", found[0]["message"]))
    assert any("both list this question" in one["message"] for one in found)


def test_a_check_that_cannot_run_says_so(tmp_path, data):
    code, said = run("check", "--source", tmp_path / "nowhere", "--data", data)
    assert code == 2 and "no knowledge folder" in said["message"]
    code, said = run("gaps", "--data", tmp_path)
    assert code == 2 and "no log" in said["message"]


STUDENT = [
    "你们有学生优惠吗",
    "学生证可以打折吗",
    "請問有學生優惠嗎",
    "do you have a student discount",
    "Any discount for students?",
]
TURNED_DOWN = ["退款多久能到账", "退款一般几天到账", "退款什么时候可以到账"]
TALK = ["你好", "谢谢", "好的，没问题了", "This is ridiculous", "ok thanks bye"]


class Clock:
    """The present, as a test sets it."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


async def talk(
    log: Repository, assistant: Assistant, encoder: Encoder, texts: Sequence[str], clock: Clock, days_ago: int
) -> None:
    """One conversation for each text, `days_ago`; the agent dismisses what is shown for some."""
    clock.now = datetime.now(UTC) - timedelta(days=days_ago)
    for number, text in enumerate(texts):
        conversation = Conversation(f"conv_{days_ago}_{number}_{text}", "chat", clock.now, Customer("c", "Ann"))
        session, redactor = assistant.start(conversation), Redactor(conversation)
        await log.open_conversation(conversation, redactor)
        spoken = Utterance(
            "utt_1", 2, "customer", f"{text} <b>{number}</b>" if text in STUDENT else text, detect(text), clock.now
        )
        result = assistant.assist(session, spoken, encoder.encode_query(text))
        await log.append(conversation, redactor, result)
        if text in TURNED_DOWN:
            for seq, one in enumerate([s for s in result.suggestions if s.kind in ("answer", "case")], 3):
                await log.set_outcome(
                    one.id,
                    "dismissed",
                    final_text=None,
                    reason=None,
                    redactor=redactor,
                    conversation_id=conversation.id,
                    seq=seq,
                )


@pytest.fixture(scope="module")
def logged(tmp_path_factory) -> Path:
    """A data folder with the index of the small sample and a log of a few weeks."""
    folder = tmp_path_factory.mktemp("logged")
    encoder = Encoder(ROOT / "models")
    manifest = build(ROOT / "tests/data/knowledge", folder / "index", encoder)
    store = IndexStore(folder / "index", Relevance.load(ROOT / "models/relevance.json"))
    store.activate(manifest.id)
    index = store.open()
    ids = iter(range(10_000))
    clock = Clock()
    assistant = Assistant(
        emotions=EmotionReader(ROOT / "models"),
        knowledge=lambda: index,
        clock=clock,
        new_id=lambda prefix: f"{prefix}_{next(ids)}",
    )
    log = Repository.open(f"sqlite:///{folder / 'assist.db'}", clock=clock)

    async def fill() -> None:
        await talk(log, assistant, encoder, [*STUDENT, *TURNED_DOWN, *TALK], clock, 3)
        await talk(log, assistant, encoder, STUDENT[:2], clock, 40)
        await talk(log, assistant, encoder, STUDENT, clock, 100)

    asyncio.run(fill())
    log.close()
    return folder


def test_gaps_of_a_real_log(logged, tmp_path):
    page = tmp_path / "gaps.html"
    code, said = run("gaps", "--data", logged, "--html", page, "--language", "zh-Hant")
    assert code == 0
    gaps = {gap["title"]: gap for gap in said["gaps"]}
    [student] = [gap for gap in gaps.values() if "学生" in gap["title"] or "student" in gap["title"]]
    assert (student["count"], student["before"]) == (5, 2)
    assert student["languages"] == {"zh-Hans": 2, "en": 2, "zh-Hant": 1} and student["dismissed"] == {}
    assert f"id: {json.dumps(student['id'])}" in student["draft"] and '"draft"' in student["draft"]
    [refund] = [gap for gap in gaps.values() if gap["dismissed"]]
    assert refund["dismissed"]["refund-time"] == 3 and refund["count"] == 3
    assert len(gaps) == 2 and not any(text in "".join(gaps) for text in TALK)
    html = page.read_text()
    assert "&lt;b&gt;" in html and "<b>" not in html and '<html lang="zh-Hant">' in html


def test_the_log_is_only_read_and_the_articles_are_judged_by_it(logged):
    before = (logged / "assist.db").read_bytes()
    code, said = run("check", "--source", ROOT / "tests/data/knowledge", "--data", logged, "--kind", "often_dismissed")
    assert code in (0, 1) and (logged / "assist.db").read_bytes() == before
    assert said["not_judged"] == []
