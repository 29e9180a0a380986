"""Promises that nobody can hold, and the retailer's own forbidden wordings."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assist.errors import KnowledgeError
from assist.suggest.drafts.text import Draft, Found, fold

RULES_FILE: Final = "draft_rules.toml"
_GAP: Final = r"[^。!?;\n]{0,20}?"
_MOST_GAPS: Final = 2
"""More gaps in one wording would make it slow to look for in a long text."""

_SURE: Final = re.compile(
    r"一定|肯定|绝对|绝不|保证|百分之?百|100 ?%|打包票|包您|包你|必(?=[发到达退赔送])|必定|铁定|妥妥|稳稳|担保|实打实|板上钉钉|永远"
    r"|guarantee|\bpromise\b|definitely|100 ?%|\bcertainly\b|\bfor sure\b|without fail|no doubt|\bhave my word|my word on|absolutely will|will absolutely|rest assured|assure you|certain to"
)
_OUTCOME: Final = re.compile(
    r"到(?!底|时|货通知)|送|发货|发出|寄|必发|退|赔|补|装好|装上|修好|入账|入帐|下来|解决|搞定|通过|批|有货|给您|不会|没问题|治好|有效|最低|降价|免费|办好|办完|完成|收到|赶上|赶得|来得及|能行|拿到|恢复|上门|管用|好用|除掉|成功|换新|满意"
    r"|\b(?:will|'ll|going to|gonna|arriv\w*|deliver\w*|refund\w*|get|be there|lowest|cure\w*|work|works|fix\w*|by (?:today|tonight|tomorrow|\w+day)|tonight|tomorrow|compensat\w*|replac\w*|never)\b|'ll\b"
)
_EFFORT: Final = re.compile(
    r"尽快|尽力|尽量|尽早|跟进|跟到底|负责到底|反馈|核实|核对|查清|查明|联系|协助|关注|留意|催|改进|加强|注意|告诉您|告知|通知您|回复|答复|第一时间|转达|认真|努力|重视|记录|给您个说法|正品"
    r"|\b(?:check|look|pass|chase|follow|let you know|ask|find out|do (?:my|our) best|try|see (?:what|if)|update you|keep you|make sure|note|tell you|get back|come back to you|reply|message you|email you|write)\b"
)
_NOT_SURE: Final = re.compile(
    r"(?:不|没|无|未|难|别|勿|唔|冇)[^,。.!?]{0,7}$|是否|能否|如果|要是|除非|只要.{0,12}$"
    r"|(?:n't|\bnot|\bcannot|\bunable|\bnever|\bno|\bwithout|\bif|\bwhether|\bas|\bwas|\bwere|\bhad|\byou|\bthey) (?:[a-z']+ ){0,3}$"
)
_ASKED: Final = re.compile(
    r"^(?:一定|务必)?(?:要|得|记得|请|先|留|注意|检查|确保)|^(?:会)?(?:很|特别|非常|紧张|生气|担心|失望|辛苦|觉得|是因为|不好|不舒服|难受|着急|急)"
)
_NOUN: Final = re.compile(
    r"(?:\b(?:a|an|the|our|your|day|year|month|frame|satisfaction|money.back|price|quality) |\b\d+[- ]\w+ )guarantee"
)
_AT_ONCE: Final = re.compile(
    r"(?:马上|立刻|立马|秒|当场)(?:就)?(?:到账|到帐|退款到|能到账)|永久免费|终身免费|包在我身上|(?:will|'ll) 100 ?%|money back today"
)


@dataclass(frozen=True, slots=True)
class DraftRules:
    """What a retailer adds: wordings that are `forbidden` in a draft, and ones that are `allowed` after all."""

    forbidden: tuple[re.Pattern[str], ...] = ()
    allowed: tuple[re.Pattern[str], ...] = ()

    @classmethod
    def read(cls, folder: Path) -> "DraftRules":
        """`draft_rules.toml` of a knowledge folder; no file means no rules of one's own.

        Raises KnowledgeError that names the place if something in it is not understood.
        """
        path = folder / RULES_FILE
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise KnowledgeError(f"cannot read {path}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise KnowledgeError(f"{path} is not valid TOML: {error}") from error
        promises = document.get("promises", {})
        if set(document) - {"promises"} or not isinstance(promises, dict) or set(promises) - {"forbidden", "allowed"}:
            raise KnowledgeError(f"{path}: only [promises] with the lists forbidden and allowed is known")
        return cls(*(_compiled(path, name, promises.get(name, [])) for name in ("forbidden", "allowed")))

    def apply(self, draft: Draft, found: Iterable[Found]) -> Iterator[Found]:
        """What was found without the promises that are allowed, and what is forbidden besides."""
        allowed = [match.span() for pattern in self.allowed for match in pattern.finditer(draft.folded)]
        own = (match.span() for pattern in self.forbidden for match in pattern.finditer(draft.folded))
        for issue in (*found, *(Found("forbidden_promise", *span) for span in own)):
            is_allowed = any(begin < issue.end and issue.start < stop for begin, stop in allowed)
            if issue.code != "forbidden_promise" or not is_allowed:
                yield issue


def _compiled(path: Path, name: str, wordings: object) -> tuple[re.Pattern[str], ...]:
    if not isinstance(wordings, list):
        raise KnowledgeError(f"{path}: promises.{name} must be a list of texts")
    patterns = []
    for wording in wordings:
        if not isinstance(wording, str):
            raise KnowledgeError(f"{path}: promises.{name} holds something that is no text: {wording!r}")
        parts = [fold(part.strip()) for part in wording.split("…")]
        if not all(parts) or len(parts) > _MOST_GAPS + 1:
            raise KnowledgeError(
                f'{path}: promises.{name}: "{wording}" needs words around at most {_MOST_GAPS} gaps (…)'
            )
        source = _GAP.join(map(re.escape, parts))
        before = r"(?<![a-z0-9])" if parts[0][0].isascii() and parts[0][0].isalnum() else ""
        after = r"(?![a-z0-9])" if parts[-1][-1].isascii() and parts[-1][-1].isalnum() else ""
        patterns.append(re.compile(before + source + after))
    return tuple(patterns)


def promises(draft: Draft) -> Iterator[Found]:
    """Sure words about an outcome that is not in the agent's hands; words of effort and doubt are fine."""
    for start, end in _built_in(draft):
        yield Found("forbidden_promise", start, end)


def _built_in(draft: Draft) -> Iterator[tuple[int, int]]:
    for clause in draft.clauses:
        if _AT_ONCE.search(clause.text):
            yield clause.start, clause.end
            continue
        if clause.text.endswith("?") or _EFFORT.search(clause.text) or _NOUN.search(clause.text):
            continue
        for sure in _SURE.finditer(clause.text):
            around = clause.text[: sure.start()], clause.text[sure.end() :]
            if _NOT_SURE.search(around[0]) or _ASKED.search(around[1]):
                continue
            # "tonight, promise": what is promised stands in the clause before.
            before = draft.folded[max(0, clause.start - 60) : clause.start] if not around[0].strip() else ""
            if _OUTCOME.search(around[0]) or _OUTCOME.search(around[1]) or _OUTCOME.search(before):
                yield clause.start, clause.end
                break
