"""Which sentences of a conversation tell the problem, what was done, what was promised and how it ended.

Sentences are chosen and never written: everything here is a place in what somebody said.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assist.conversation.session import Turn
from assist.domain import Utterance
from assist.text.sentences import sentences
from assist.text.small_talk import is_small_talk

_BARE = 10
"""Weight of what may stand beside a time in a sentence that says nothing but when."""

_TELLING = 12
"""Weight, in Latin letters, from which a sentence says what it is about; a Han character weighs three of them."""

_REFERENCE = re.compile(
    r"\W*+(?:(?:my |the )?(?:order|booking|tracking|case|ref(?:erence)?|account|card|parcel|po)(?: (?:number|no))?"
    r"|订单|訂單|单号|單號|编号|編號)?(?:\s|是|is\b|号|號|[:：#])*+[A-Z]{0,6}-?(?:尾号|尾號)?"
    r"\d[\d-]*+(?:\s\d[\d-]*+)*+[A-Z]{0,3}(?:那单|那單|那笔|那筆)?\W*",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"\W*(?:(?:你好|您好|哈[喽囉]|早安|喂|亲|親|请问|請問|hi|hello|hey|dear"
    r"|good (?:morning|afternoon|evening)|morning)[\s,，!！~～.。]*)+"
    r"(?:there|again|all|team|(?:mr|ms|mrs)\.? \w+|[A-Z]\w+)?\W*",
    re.IGNORECASE,
)

_REFUSAL = re.compile(
    r"不用了?(?:[\s,，。!！]|$)|算了|免了|不必了|不要了|别改|別改|不需要了|就这样吧|就這樣吧|没用|沒用"
    r"|\b(?:forget it|never ?mind|no need|not to bother|don't bother|cancel it|cancel my|close (?:my|the) account"
    r"|no thanks)\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"[?？]\W*$|(?:吗|嗎|么|呢好吗|好不好|可以吗|可否|是否)\W*$"
    r"|^\W*(?:shall|would|could|can|may|do|did|are|is|was|have|has) (?:you|i|we|it|there|the)\b",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"^\W*(?:那)?(?:亲|親|麻烦|麻煩)*(?:请|請|麻烦|麻煩|建议|建議|需要您|您可以|您可|烦请|煩請|可在|可以?先|可联系|可聯繫|可以在)"
    r"|(?:请您|請您|请你|麻烦您|麻煩您|请提供|請提供|请耐心|請耐心|请稍|請稍|稍等|稍候)"
    r"|^\W*(?:please|try|kindly|you can|you could|you may|you should|you'll need|you need)\b|\bif you(?:'d| would"
    r"| want| wish)\b",
    re.IGNORECASE,
)
_MOMENT = re.compile(
    r"(?:查|看|核实|核實|确认|確認|了解|瞭解|查询|查詢)(?:一下|下|看)|帮您(?:查|看|核)|幫您(?:查|看|核)"
    r"|\b(?:let me|lemme|i'll (?:check|look|see|take a look|have a look|pull|find out|need|ask)\b|(?:glad|happy"
    r"|able) to)",
    re.IGNORECASE,
)
_BACK = re.compile(
    r"回复|回覆|回电|回電|告知|通知|联系您|聯繫您|聯絡您|致电|致電"
    r"|\b(?:revert|get back|come back|call|ring|phone|email|update|contact)\b",
    re.IGNORECASE,
)
_PLEDGE = re.compile(
    r"(?:会|會|将|將|马上|馬上|立即|立刻|现在|現在|稍后|稍後|尽快|儘快)(?!员|員|到的).{0,12}?(?:给|給|帮|幫|为|為|让|讓|请|請|安排|联系|聯繫|聯絡|处理|處理|通知"
    r"|回[复覆电電]|致[电電]|发|發|寄|送|退|补|補|换|換|跟进|跟進|升级|升級|登记|上门|上門|到|记录|記錄)"
    r"|(?:给|給|帮|幫|为|為|替)(?:您|你).{0,10}?(?:回[复覆电電撥拨]|提交|立案|锁|鎖|送|申请|申請|安排|加急|登记|补|補|退|换|換|发|發|寄|免|改|预约|預約|催|留|反馈|反饋"
    r"|升级|升級)"
    r"|(?:全额|全額|直接|先|重新|今天|今日|明天|明日|免费|免費|优先|優先)(?:给您|給您|为您|為您)?(?:重新)?(?:退款|退|送|补发|補發|补|補寄|换|換|重发|重發|重寄|发|發|寄|处理"
    r"|處理|安排)"
    r"|(?:补发|補發|重发|重發|重寄|补寄|補寄|寄出|发出|發出|出库|出庫|到账|到帳|入账|送达|送達|送到|上门|上門|放行|送过去|送過去|送去|送来|送來|回[电電]|致[电電]|短信通知|簡訊通知|退回原"
    r"|原路退)(?!前)"
    r"|(?:请|請)(?![您你问問提])[^,，。]{0,6}(?:主管|经理|經理|店员|店員|送货|送貨|他们|他們|财务|財務|帳務|专员|專員|店长|店長|同事|同仁|技师|技師|工程师|工程師|师傅|師傅|门店|門市)"
    r"|(?:我们|我們|我司|公司|全部|店里).{0,8}(?:承担|承擔|赔付|賠付)|(?:我们|我們)(?:会|會|来|來)?(?:出|付|吸收)"
    r"|\b(?:i'm|we're) (?:logging|resending|driving|booking|escalating|sending|raising|arranging|getting|refunding"
    r"|processing|asking)\b"
    r"|\bwe (?:send|pay|refund|replace|collect)\b|\bfull refund\b|\bon (?:its|the|their) way\b|\bwill (?:ring|call"
    r"|email|contact|be in touch)\b"
    r"|\b(?:i|we)(?:'ll| will|'m going to|'re going to)\b|\b(?:i|we) can (?:take|give|send|refund|credit|waive|have"
    r"|replace|get|cover)\b"
    r"|\byou(?:'ll| will) (?:get|receive|have|hear)\b"
    r"|\b(?:colleague|manager|driver|team|someone|specialist|supervisor|courier|engineer|technician|code|refund"
    r"|parcel|order|replacement|it|he|she|they|warehouse|label|delivery|lead)\b[^.]{0,60}?(?:\bwill\b|'ll\b"
    r"|\bis going to\b|\bwants to\b)"
    r"|\b(?:confirmed|booked|scheduled|due) (?:for|by|on) \w"
    r"|\b(?:our|my|your|the|an?|his|her) (?:\w+ ){1,3}(?:will|'ll) \w"
    r"|^\W*(?:noted, )?will \w+",
    re.IGNORECASE,
)
_TIMED_PLEDGE = re.compile(
    r"回[复覆撥拨]|答[复覆]|联系|聯繫|聯絡|打[给給]|到[货貨]|[撥拨]款|有[结結]果|可[取领領]|可[开開改]|出[货貨]|返[货貨]|闪送|閃送"
    r"|[发發]您|退[还還款]|[天日晚午前点點时時内內钟鐘一二三四五六](?:就|能|会|會|可|先)?.{0,3}?(?:到(?!期|店|账单|过|過)|送|派|撥|寄|发|發(?!票)|补|補|给您|給您)"
    r"|\b(?:arriv\w+|brings?|comes?|deliver(?:ed|y)?|refund(?:ed)?|see it|ready|shipped|dispatched|posted|sent|fitted"
    r"|booked|rebook|there|with you|mail|van|eta|ring|call|email|credited)\b",
    re.IGNORECASE,
)
_NO_PLEDGE = re.compile(
    r"一般|通常|系统会|系統會|[出的]的$|上门费|上門費|可选|可選|有效|到期|截止|营业|營業|失效"
    r"|\b(?:transfer|put you|pass you|pop you|connect) |\b(?:expires?|expired|valid|ends?|opens?|closes?|shut"
    r"|if you|once you|customers?)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[,，;；:：]\s*(?!\d)")
_WHEN = re.compile(
    r"几点|幾點|多久|几天|幾天|什么时候|什麼時候|啥时候|何时|何時|哪天|到得了|能到|日期"
    r"|\b(?:when|how (?:long|soon|many days)|what time|which day|date|by (?:when|then)|(?:today|tomorrow|tmrw"
    r"|tonight)\W*\?)\b",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"[发發寄退改补補换換]了|有發|有发|应该是|應該是|已(?:经|經)?(?:为|為|帮|幫|给|給)?|刚刚|剛剛"
    r"|\b(?:i've|we've|has been|have been|have just)\b",
    re.IGNORECASE,
)

_DONE = re.compile(
    r"已(?:经|經)?(?:为您|為您|帮您|幫您|给您|給您|帮你|幫你)?(?!.{0,6}(?:签收|簽收|知悉|超时|超時))(?:改|发|發|退|补|補|换|換|取消|提交|登记|登記|处理|處理|安排|办(?!法)"
    r"|辦(?!法)|送出|修改|重新|加急|升级|升級|反馈|反饋|通知|联系|聯繫|聯絡|预约|預約|寄|恢复|恢復|开通|開通|更新|锁定|鎖定|保留|记录|記錄|核准)"
    r"|(?:修改|退款|取消|提交|预约|預約|登记|登記|补发|補發|改期|申请|申請|办理)(?:成功|完成|好了)"
    r"|\b(?:i|we)(?:'ve| have) (?:just |now |already |also )?(?!been|had|no\b|not\b|a\b|the\b|taken over|noted"
    r"|received|seen|checked)\w+(?:ed|t|one|ade|ut|et)\b"
    r"|\b(?:has|have) been (?:\w+ )?\w+(?:ed|t)\b|^\W*(?:done|moved|sent|cancelled|canceled|refunded|updated"
    r"|changed|emailed|fixed|booked|added|removed|credited)\b",
    re.IGNORECASE,
)

CUSTOMER = frozenset({"customer"})
AGENT = frozenset({"agent"})


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence: the turn it is in and its place there, in code points."""

    turn: Turn
    index: int
    start: int
    end: int

    @property
    def text(self) -> str:
        """The words as they were said."""
        return self.utterance.text[self.start : self.end]

    @property
    def utterance(self) -> Utterance:
        """What it is a part of."""
        return self.turn.utterance


def sentences_of(turns: Sequence[Turn], speakers: frozenset[str]) -> Iterator[Sentence]:
    """The sentences of these speakers in the order in which they were said."""
    for index, turn in enumerate(turns):
        if turn.utterance.speaker in speakers:
            for start, end in sentences(turn.utterance.text):
                yield Sentence(turn, index, start, end)


def is_promise(text: str, *, time: str | None, before: str) -> bool:
    """Whether an agent's sentence commits the shop to something that has not happened yet.

    `time` are the words that name a certain moment, `before` is what the customer said before it: "To the card, 5
    days." is a promise where somebody asked when, and so is "5 days." alone.
    """
    if _QUESTION.search(text):
        return False
    has_time = time is not None
    is_bare = has_time and weight_of(text) - weight_of(time or "") <= _BARE
    if has_time and (_WHEN.search(before) or is_bare) and not _ASKED.search(text) and not _NO_PLEDGE.search(text):
        return True
    return any(_is_pledge(clause, has_time) for clause in _CLAUSE.split(text))


def _is_pledge(clause: str, has_time: bool) -> bool:
    if not _PLEDGE.search(clause) and not (has_time and _TIMED_PLEDGE.search(clause)):
        return False
    if _ASKED.search(clause) or _NO_PLEDGE.search(clause) or (_OVER.search(clause) and not has_time):
        return False
    return not _MOMENT.search(clause) or has_time or _BACK.search(clause) is not None


def problem_of(turns: Sequence[Turn]) -> list[Sentence]:
    """The customer's one or two sentences that tell what it is about.

    The first that says something, and the next if nobody has answered in between, unless the first is a question:
    people open with "My exchange has arrived" and go on with "Why is it the same size".
    """
    said = list(sentences_of(turns, CUSTOMER))
    telling = [s for s in said if weight_of(s.text) >= _TELLING and not _is_preliminary(s.text)]
    if not telling:
        return [s for s in said if not is_small_talk(s.text)][:1]
    first = telling[0]
    if _QUESTION.search(first.text):
        return [first]
    return [first, *(s for s in telling[1:2] if all(_is_customers(turn) for turn in turns[first.index : s.index]))]


def _is_customers(turn: Turn) -> bool:
    return turn.utterance.speaker == "customer"


def is_done(text: str) -> bool:
    """Whether an agent's sentence says that something has been done."""
    return _DONE.search(text) is not None and not _QUESTION.search(text)


def is_refusal(text: str) -> bool:
    """Whether the customer turns down what was offered, or gives up."""
    return _REFUSAL.search(text) is not None


def _is_preliminary(text: str) -> bool:
    return is_small_talk(text) or _REFERENCE.fullmatch(text) is not None or _GREETING.fullmatch(text) is not None


def weight_of(text: str) -> int:
    """How much a sentence holds, in Latin letters."""
    return sum(3 if "㐀" <= char <= "鿿" else char.isalnum() for char in text)
