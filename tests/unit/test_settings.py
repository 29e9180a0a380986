"""Settings: units in the names, environment, and what is refused at start."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.errors import SettingsError
from assist.settings import Settings, is_loopback, load


def test_every_setting_says_what_it_does() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name


def test_the_environment_sets_and_arguments_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSIST_PORT", "9000")
    monkeypatch.setenv("ASSIST_RETENTION_DAYS", "30")
    monkeypatch.setenv("ASSIST_ALLOWED_ORIGINS", '["https://desk.example"]')
    settings = load(port=9001, host=None)
    assert (settings.port, settings.retention_days, settings.host) == (9001, 30, "127.0.0.1")
    assert settings.allowed_origins == ("https://desk.example",)


def test_the_database_is_in_the_data_folder_unless_said_otherwise(tmp_path: Path) -> None:
    assert load(data_dir=tmp_path).log_url == f"sqlite:///{tmp_path / 'assist.db'}"
    assert load(data_dir=tmp_path).index_dir == tmp_path / "index"
    assert load(database_url="postgresql://h/db").log_url == "postgresql://h/db"


@pytest.mark.parametrize(
    "unsafe",
    [
        {"auth": False, "host": "0.0.0.0"},
        {"auth": False, "host": "shop.example"},
        {"auth": False, "host": "::"},
        {"port": 0},
        {"port": 70000},
        {"max_body_bytes": 0},
        {"max_text_chars": -1},
        {"retention_days": -1},
        {"encoder_queue": 0},
        {"heartbeat_s": 0},
        {"allowed_origins": ("*",)},
        {"allowed_origins": ("https://desk.example/path",)},
        {"synchronous": "OFF"},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../etc"},
        {"callback_hours": "9 to 5"},
        {"customer_timeout_s": 0},
        {"customer_timeout_s": 60},
        {"segment_core_orders": 0},
        {"clock_first_answer_s": 0},
        {"clock_warning": 1},
    ],
)
def test_what_is_unsafe_is_refused_with_a_sentence(unsafe: dict[str, object]) -> None:
    with pytest.raises(SettingsError) as refused:
        load(**unsafe)
    assert len(str(refused.value)) > 20


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1", "[::1]"])
def test_loopback_may_go_without_keys(host: str) -> None:
    assert is_loopback(host)
    assert load(auth=False, host=host).auth is False


@given(st.text())
def test_no_other_text_is_loopback(host: str) -> None:
    if is_loopback(host):
        assert host == "localhost" or host.strip("[]").startswith(("127.", "::1", "::ffff:127.", "0", "::"))


def test_the_token_is_not_shown() -> None:
    assert "secret" not in repr(load(customer_token="secret"))
