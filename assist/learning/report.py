"""A proposal as a page for managers, in the languages of the pages: what rises and falls, why, and is it better."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from assist.learning.proposal import FALSE_RATE, LEAST_AGENTS, LEAST_READ, Move, Proposal, Range
from assist.suggest.weights import CAP, EXPLORED, FLOOR

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "Proposed policy {name}",
        "made": "Made {at} UTC from {cards} suggestions shown between {since} and {until}, compared with {before}. "
        "Fitted on what was shown before {held}; everything since then was held back for measuring.",
        "none": "no policy",
        "silent": "Left out: {n} agents whose programs never report what became of a suggestion.",
        "better": "**Better.** On the held-back part the proposal does better than the policy in use.",
        "worse": "**Worse.** On the held-back part the proposal does worse. Do not adopt it.",
        "unclear": "**Unclear.** The held-back part does not tell the two apart. Wait for more outcomes.",
        "thin": "**Too little data.** The held-back part holds too few suggestions to judge by.",
        "nothing": "**Nothing to change.** The outcomes give no reason for other factors.",
        "measure": "On the held-back part",
        "before": "now",
        "after": "proposed",
        "gain": "difference (95 % interval)",
        "first": "First of several cards of one kind used, if read ({reordered} of {choices} change)",
        "risen": "Used ÷ expected, where the factor rises",
        "fallen": "Used ÷ expected, where the factor falls",
        "hidden": "{n} of the {cards} cards would no longer reach their threshold; {used} of them were used. "
        "What was not shown cannot be judged.",
        "rises": "Rises",
        "falls": "Falls",
        "kind_head": "kind",
        "source_head": "source",
        "factor": "factor",
        "read": "read",
        "used": "used (edited)",
        "expected": "expected",
        "refused": "dismissed",
        "reviews": "bad reviews",
        "agents": "agents",
        "text": "text",
        "all": "all of this kind",
        "places": "How often each place on the screen is read, the first being 1: {places}.",
        "rules": "Expected is how often cards of the same kind and like relevance are used when they are read. What "
        "was read fewer than {least} times ({few} sources) or by fewer than {agents} agents keeps the factor that it "
        "has; what may be chance is neutral (at most {chance} of the moves are chance). Factors stay within {floor} "
        "and {cap}; one conversation in {explored} goes without them. Nothing changes until somebody adopts this: "
        "scripts/learn adopt {name}",
        "answer": "answer",
        "case": "past case",
        "calming": "calming words",
        "offer": "offer",
        "question": "ask back",
        "next_step": "next step",
    },
    "zh-Hans": {
        "title": "策略建议 {name}",
        "made": "生成于 {at}（UTC），依据 {since} 至 {until} 展示过的 {cards} 条建议，对比对象：{before}。"
        "{held} 之前的数据用于拟合，之后的数据留作检验。",
        "none": "未使用策略",
        "silent": "未计入：{n} 位客服的程序从不回报建议的处理结果。",
        "better": "**有改善。** 在留作检验的数据上，建议的策略优于现行策略。",
        "worse": "**变差。** 在留作检验的数据上，建议的策略不如现行策略，请勿采用。",
        "unclear": "**无法判断。** 留作检验的数据分不出高下，请等待更多处理结果。",
        "thin": "**数据太少。** 留作检验的建议条数不足，无法判断。",
        "nothing": "**无需调整。** 现有的处理结果不支持改变权重。",
        "measure": "在留作检验的数据上",
        "before": "现行",
        "after": "建议",
        "gain": "差值（95% 区间）",
        "first": "同类卡片有多张时，排在首位的被阅读后采用的比例（{choices} 处中有 {reordered} 处改变）",
        "risen": "权重上升者：实际采用 ÷ 预期采用",
        "fallen": "权重下降者：实际采用 ÷ 预期采用",
        "hidden": "{cards} 张卡片中有 {n} 张将达不到展示门槛，其中 {used} 张曾被采用。未展示过的内容无法评判。",
        "rises": "上升",
        "falls": "下降",
        "kind_head": "类别",
        "source_head": "来源",
        "factor": "权重",
        "read": "阅读",
        "used": "采用（修改后）",
        "expected": "预期",
        "refused": "未采用",
        "reviews": "质检差评",
        "agents": "客服人数",
        "text": "内容",
        "all": "整个类别",
        "places": "屏幕上各位置被阅读的程度（首位为 1）：{places}。",
        "rules": "“预期”指同类且相关度相近的卡片被阅读后通常的采用次数。阅读不足 {least} 次（{few} 个来源）"
        "或看到的客服不足 {agents} 位的来源，权重保持不变；可能出于偶然的差异不予调整"
        "（所列调整中出于偶然的至多占 {chance}）。"
        "权重限于 {floor} 至 {cap} 之间；每 {explored} 个会话中有 1 个不使用权重。"
        "在有人采用之前，一切照旧。采用命令：scripts/learn adopt {name}",
        "answer": "答案",
        "case": "类似案例",
        "calming": "安抚话术",
        "offer": "推荐",
        "question": "追问",
        "next_step": "下一步",
    },
    "zh-Hant": {
        "title": "策略建議 {name}",
        "made": "產生於 {at}（UTC），依據 {since} 至 {until} 顯示過的 {cards} 則建議，比較對象：{before}。"
        "{held} 之前的資料用於估計，之後的資料留作檢驗。",
        "none": "未使用策略",
        "silent": "未計入：{n} 位客服人員的程式從不回報建議的處理結果。",
        "better": "**有改善。** 在留作檢驗的資料上，建議的策略優於現行策略。",
        "worse": "**變差。** 在留作檢驗的資料上，建議的策略不如現行策略，請勿採用。",
        "unclear": "**無法判斷。** 留作檢驗的資料分不出高下，請等待更多處理結果。",
        "thin": "**資料太少。** 留作檢驗的建議則數不足，無法判斷。",
        "nothing": "**無須調整。** 現有的處理結果不支持改變權重。",
        "measure": "在留作檢驗的資料上",
        "before": "現行",
        "after": "建議",
        "gain": "差值（95% 區間）",
        "first": "同類卡片有多張時，排在首位的被閱讀後採用的比例（{choices} 處中有 {reordered} 處改變）",
        "risen": "權重上升者：實際採用 ÷ 預期採用",
        "fallen": "權重下降者：實際採用 ÷ 預期採用",
        "hidden": "{cards} 張卡片中有 {n} 張將達不到顯示門檻，其中 {used} 張曾被採用。未顯示過的內容無從評判。",
        "rises": "上升",
        "falls": "下降",
        "kind_head": "類別",
        "source_head": "來源",
        "factor": "權重",
        "read": "閱讀",
        "used": "採用（修改後）",
        "expected": "預期",
        "refused": "未採用",
        "reviews": "檢核差評",
        "agents": "客服人數",
        "text": "內容",
        "all": "整個類別",
        "places": "畫面上各位置被閱讀的程度（首位為 1）：{places}。",
        "rules": "「預期」指同類且相關度相近的卡片被閱讀後通常的採用次數。閱讀不足 {least} 次（{few} 個來源）"
        "或看到的客服人員不足 {agents} 位的來源，權重維持不變；可能出於偶然的差異不予調整"
        "（所列調整中出於偶然的至多占 {chance}）。"
        "權重限於 {floor} 至 {cap} 之間；每 {explored} 段對話中有 1 段不使用權重。"
        "在有人採用之前，一切照舊。採用指令：scripts/learn adopt {name}",
        "answer": "解答",
        "case": "類似案例",
        "calming": "安撫用語",
        "offer": "推薦",
        "question": "追問",
        "next_step": "下一步",
    },
}  # fmt: skip

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~-])")


def report(proposal: Proposal, language: str) -> str:
    """The page as Markdown. Texts in it are as the log has them: redacted."""
    words, held = WORDS[language], proposal.held
    name = proposal.weights.version
    lines = ["# " + words["title"].format(name=name), "", words[proposal.verdict], ""]
    lines += [
        words["made"].format(
            at=_minute(proposal.made_at),
            since=_minute(proposal.since),
            until=_minute(proposal.until),
            held=_minute(proposal.held_since),
            cards=f"{proposal.cards:,}",
            before=proposal.before or words["none"],
        ),
        "",
    ]
    if proposal.silent_agents:
        lines += [words["silent"].format(n=proposal.silent_agents), ""]
    if proposal.moves:
        first = words["first"].format(choices=f"{held.choices:,}", reordered=f"{held.reordered:,}")
        lines += _table(
            (words["measure"], words["before"], words["after"], words["gain"]),
            [
                (first, f"{held.first_before:.3f}", f"{held.first_after:.3f}", _range(held.first_gain, sign="+")),
                (words["risen"], "", "", _range(held.risen)),
                (words["fallen"], "", "", _range(held.fallen)),
            ],
        )
        hidden = words["hidden"].format(n=held.hidden, cards=f"{held.cards:,}", used=held.hidden_used)
        lines += ["", hidden, ""]
    for title, moves in (
        ("rises", [move for move in proposal.moves if move.after > move.before]),
        ("falls", [move for move in proposal.moves if move.after < move.before]),
    ):
        if moves:
            lines += [f"## {words[title]} ({len(moves)})", "", *_moves(moves, words), ""]
    places = " · ".join(f"{share:.2f}" for share in proposal.read_at)
    lines += [words["places"].format(places=places), ""]
    lines += [
        words["rules"].format(
            least=LEAST_READ,
            few=proposal.too_few,
            agents=LEAST_AGENTS,
            chance=f"{FALSE_RATE:.0%}",
            floor=FLOOR,
            cap=CAP,
            explored=EXPLORED,
            name=name,
        ),
        "",
    ]
    return "\n".join(lines)


def _moves(moves: Sequence[Move], words: Mapping[str, str]) -> list[str]:
    heads = ("kind_head", "source_head", "factor", "read", "used", "expected", "refused", "reviews", "agents", "text")
    return _table(
        [words[head] for head in heads],
        [
            (
                words[move.kind],
                _plain(f"{move.source_type} {move.id}") if move.source_type else words["all"],
                f"{move.before:.2f} → {move.after:.2f}",
                f"{move.read:.0f}",
                f"{move.used} ({move.edited})",
                f"{move.expected:.0f}",
                str(move.refused),
                str(move.bad_reviews),
                str(move.agents),
                _plain(move.text),
            )
            for move in moves
        ],
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)]


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def _range(found: Range | None, sign: str = "") -> str:
    if found is None:
        return "–"
    return f"{found.value:{sign}.3f} ({found.low:{sign}.3f} … {found.high:{sign}.3f})"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
