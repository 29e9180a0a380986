"""Replay reads any file: conversations, or a sentence that names the place; never a traceback."""

import json
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SCRIPT = Path(__file__).resolve().parent.parent.parent / "scripts" / "replay"


@pytest.fixture(scope="module")
def replay() -> ModuleType:
    loader = SourceFileLoader("replay_script", str(SCRIPT))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    # Dataclasses look their module up by name while they are made.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, loader.name, module)
        patch.setattr("sys.dont_write_bytecode", True)
        loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("conversations") / "some.jsonl"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "session", "turns", "utterances", "role", "speaker", "text", "channel", "customer_id"]
            )
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(replay: ModuleType, file: Path) -> list[Any] | None:
    """The conversations, or None if the script has said why there are none."""
    try:
        return list(replay.read_talks(file))
    except replay.Unreadable as error:
        assert str(file) in str(error)
        return None


def check(talks: list[Any] | None) -> None:
    for talk in talks or []:
        assert all(speaker in ("customer", "agent", "bot", "system") for speaker, _ in talk.lines)
        assert all(text.strip() for _, text in talk.lines)
        assert talk.channel in ("chat", "voice", "email", "social", "store")
        assert talk.customer["id"]


@relaxed
@given(content=st.binary(max_size=200))
def test_any_bytes(replay: ModuleType, file: Path, content: bytes) -> None:
    file.write_bytes(content)
    check(read(replay, file))


@relaxed
@given(documents=st.lists(json_values, min_size=1, max_size=4))
def test_any_json_lines(replay: ModuleType, file: Path, documents: list[Any]) -> None:
    file.write_text("\n".join(json.dumps(document) for document in documents), encoding="utf-8")
    check(read(replay, file))


turns = st.lists(st.tuples(st.sampled_from(["customer", "agent", "user", "seller"]), st.text()), max_size=6)


@relaxed
@given(sessions=st.lists(turns, min_size=1, max_size=4))
def test_public_sessions_are_read_in_order(
    replay: ModuleType, file: Path, sessions: list[list[tuple[str, str]]]
) -> None:
    documents = [
        {"session": f"s{at}", "turns": [{"role": role, "text": text} for role, text in lines]}
        for at, lines in enumerate(sessions)
    ]
    file.write_text("\n".join(map(json.dumps, documents)), encoding="utf-8")
    talks = read(replay, file)
    assert talks is not None
    assert [talk.name for talk in talks] == [f"s{at}" for at in range(len(sessions))]
    for talk, lines in zip(talks, sessions, strict=True):
        assert [text for _, text in talk.lines] == [text for _, text in lines if text.strip()]


def test_a_deep_document_is_told(replay: ModuleType, file: Path) -> None:
    file.write_text("[" * 100_000)
    assert read(replay, file) is None


def test_demo_conversations_come_with_their_customers(replay: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "conversations").mkdir()
    (tmp_path / "customers").mkdir()
    (tmp_path / "customers" / "customers.jsonl").write_text('{"id":"cust_1","name":"Ann"}\n')
    demo = {"id": "d", "channel": "voice", "customer_id": "cust_1", "utterances": [{"speaker": "bot", "text": "Hi"}]}
    path = tmp_path / "conversations" / "d.json"
    path.write_text(json.dumps(demo))
    [talk] = replay.read_talks(path)
    assert (talk.name, talk.channel, talk.lines) == ("d", "voice", [("bot", "Hi")])
    assert talk.customer["name"] == "Ann"


def test_percentiles_are_by_nearest_rank(replay: ModuleType) -> None:
    assert replay.percentiles([float(n) for n in range(1, 101)]) == {"p50": 50, "p95": 95, "p99": 99}
    assert replay.percentiles([]) == {"p50": None, "p95": None, "p99": None}
