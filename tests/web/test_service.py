"""The whole service as shipped: demo conversations through the live socket, checked against the policy and the log."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import httpx2
import pytest
from service import ROOT

DEMOS = sorted((ROOT / "knowledge_base" / "conversations").glob("*.json"))


@pytest.mark.skipif(not DEMOS, reason="this checkout has no demo conversations to play")
def test_demo_conversations_keep_the_policy_and_reach_the_log(server: str, tmp_path: Path) -> None:
    out = tmp_path / "results.jsonl"
    command = [sys.executable, ROOT / "scripts" / "replay", "--url", server, "--check", "--out", out, *DEMOS]
    played = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    report = json.loads(played.stdout.splitlines()[-1])
    assert played.returncode == 0, played.stdout
    assert report["conversations"] == len(DEMOS)
    assert report["utterances"] == len(out.read_text(encoding="utf-8").splitlines())
    assert 0 < report["any_share"] < 1


def test_a_logged_result_is_made_again_by_the_same_versions(server: str) -> None:
    spoken = {"utterances": [{"speaker": "customer", "text": "我的包裹五天没动了，到底还要等多久？"}]}
    first, second = (httpx2.post(f"{server}/v1/assists", json=spoken, timeout=30).json() for _ in range(2))
    assert first["versions"] == second["versions"]
    assert first["emotion"] == second["emotion"]
    assert [one["source"] for one in first["suggestions"]] == [two["source"] for two in second["suggestions"]]


def test_the_agents_search_finds_every_kind(server: str) -> None:
    body = {"query": "退款多久到账", "kinds": ["article", "case", "phrase", "product"], "limit": 3}
    hits = httpx2.post(f"{server}/v1/searches", json=body, timeout=30).json()["hits"]
    assert {hit["kind"] for hit in hits} >= {"article", "phrase"}
    relevances = [hit["relevance"] for hit in hits]
    assert relevances == sorted(relevances, reverse=True)


def test_a_hit_says_how_old_it_is_and_how_the_case_went(server: str) -> None:
    body = {"query": "快递好几天没有更新物流了，到底发没发", "kinds": ["article", "case"], "limit": 3}
    hits = httpx2.post(f"{server}/v1/searches", json=body, timeout=30).json()["hits"]
    article, case = (next(hit["source"] for hit in hits if hit["kind"] == kind) for kind in ("article", "case"))
    assert date.fromisoformat(article["confirmed_at"]) and article["outcome"] is None
    assert date.fromisoformat(case["confirmed_at"]) and case["outcome"] == "resolved" and case["tried"]
