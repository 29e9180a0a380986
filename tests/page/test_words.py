"""The three dictionaries say the same things, and the pages use nothing that they do not have. Needs no browser."""

import re
from pathlib import Path

import pytest

from assist.domain import EMOTIONS, FLAGS

STATIC = Path(__file__).parents[2] / "assist" / "web" / "static"
LANGUAGES = ("en", "zh-Hans", "zh-Hant")
_ENTRY = re.compile(r'^  (?:"([\w.-]+)"|(\w+)): "((?:[^"\\]|\\.)*)",$', re.MULTILINE)


def words(language: str) -> dict[str, str]:
    text = (STATIC / "js" / "i18n" / f"{language}.js").read_text(encoding="utf-8")
    return {quoted or bare: value for quoted, bare, value in _ENTRY.findall(text)}


def sources() -> str:
    files = [*STATIC.glob("*.html"), *(path for path in STATIC.rglob("*.js") if path.parent.name != "i18n")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_same_keys_and_slots(language: str) -> None:
    english, other = words("en"), words(language)
    assert len(english) > 300
    assert set(other) == set(english)
    for key, value in english.items():
        assert set(re.findall(r"\{\w+\}", other[key])) == set(re.findall(r"\{\w+\}", value)), key
        assert other[key].strip()


def test_every_key_in_use_has_words() -> None:
    places = r"(?:\bt\(|\btOr\(|data-t(?:itle|-label|-title|-placeholder)?=|group\(|fact\(|section\()"
    used = set(re.findall(places + r'"([a-z][\w.]*)"', sources()))
    assert len(used) > 100
    assert {key for key in used if not key.endswith(".")} - set(words("en")) == set()


def test_every_word_is_in_use() -> None:
    text = sources()
    prefixes = set(re.findall(r"`([a-z_.]+\.)\$\{", text)) | {"board.", "review.state.", "spoken."}
    prefixes |= {f"{name}." for name in re.findall(r'prefix: "([\w.]+)"', text)}
    unused = [key for key in words("en") if f'"{key}"' not in text and not key.startswith(tuple(prefixes))]
    assert unused == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_feeling_and_flag_has_a_name(language: str) -> None:
    known = words(language)
    assert {f"emotion.{label}" for label in (*EMOTIONS, "unknown")} <= set(known)
    assert {f"flag.{flag}" for flag in FLAGS} <= set(known)


def test_simplified_and_traditional_are_not_mixed() -> None:
    simplified, traditional = "".join(words("zh-Hans").values()), "".join(words("zh-Hant").values())
    assert not set("會話訊發開關閉顯輸網絡無選擇結錄") & set(simplified)
    assert not set("会话讯发开关闭显输网络无选择结录") & set(traditional)


def test_pages_load_nothing_inline_or_from_elsewhere() -> None:
    for page in STATIC.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", text), page.name
        assert not re.search(r'(?:src|href)="(?:https?:)?//', text), page.name
    assert "innerHTML" not in sources()
