"""Questions in both directions: what the agent asks although it is known, and what the customer asked in vain."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from assist.suggest.drafts.text import (
    Draft,
    DraftContext,
    Found,
    Piece,
    clauses,
    content,
    fold,
    is_question,
    known_values,
)
from assist.text.redact import redact

_SLOTS: Final = {
    "order_id": r"订单(?:编)?号|订单编号|单号|order (?:number|no\b|id\b|ref|#)|order's number|which order|哪(?:个|笔|张)(?:订)?单",
    "phone": r"手机号|电话号码|联系电话|联系方式|phone number|mobile number|contact number|number (?:can|should) we (?:reach|call)",
    "name": r"姓名|贵姓|姓氏|怎么称呼|您的名字|全名|full name|your name",
    "email": r"邮箱|电子邮件|email address|your email|e-mail",
    "address": r"地址|门牌|\baddress|postcode|zip code",
    "photo": r"照片|图片|视频|影片|截图|拍(?:个|张|一|下|照)|photo|picture|video|screenshot",
    "size": r"尺码|尺寸|码数|几码|多大码|身高|体重|什么码|哪个码|storage|\bsize\b",
    "colour": r"颜色|什么色|哪个色|\bcolou?r\b",
    "model": r"型号|哪(?:一)?款|哪个款|什么机型|哪(?:一)?台|model|which (?:item|product|one|wardrobe|phone|machine)",
    "date": r"(?:什么时候|几号|哪天|何时)(?:下单|购买|买|收到|签收|订)|(?:购买|下单|签收|订购)(?:日期|时间)|when did you (?:place|order|buy|purchase|receive|get)|(?:purchase|order) date|date (?:of|you)",
    "member": r"会员(?:编?号|卡号|码)|member(?:ship)? (?:number|no\b|id)",
    "problem": r"(?:什么|啥|哪里有)(?:问题|情况(?!下)|事|异常|故障)|(?:什么|哪里)不(?:舒服|对劲|对)|怎么(?:了|回事)呢?|what(?:'s| is| was| seems to be)? ?(?:the (?:problem|issue|matter)|wrong|happened|going on)|describe (?:the|your)",
    "product": r"(?:什么|哪(?:个|件|款|一款|双|台|样))(?:商品|产品|东西|宝贝|款式|货)|买的(?:是)?(?:什么|哪)|which (?:item|product)|what (?:item|product)|what (?:did you|you) (?:buy|order|bought|ordered)",
    "payment": r"(?:支付|付款)方式|(?:用|怎么)(?:什么|哪种)?.{0,2}(?:付|支付)的|how did you pay|payment method|which card",
    "free_time": r"(?:什么|哪个|几点).{0,3}时间.{0,3}方便|方便的时间|(?:什么时候|哪天|几点)(?:您)?(?:方便|在家|有空)|what (?:time|day) (?:suits|works|would)|when (?:are you|would you be|is) (?:free|available|home|convenient)",
    "invoice": r"抬头|税号|统编|统一编号|vat number|company name",
}
_ASKS_FOR: Final = {name: re.compile(pattern) for name, pattern in _SLOTS.items()}
_ASK: Final = re.compile(
    r"\?|请问|提供|发(?:我|给我|一下|来|下|过来)|告诉我|告知|报(?:一下|下|给)|说(?:一下|下)|是多少|是什么|是哪|呢$|确认(?:一下|下)?|核对|再.{0,3}(?:发|说|报|拍|提供|填)|麻烦.{0,4}拍|需要您的|(?:俾|比|畀).{1,12}我|唔该.{0,4}(?:俾|比|畀)"
    r"|\b(?:(?:could|can|may) (?:you|i|we)|what|which|when|where|send|attach|upload|provide|give|confirm|let me (?:know|have)|tell me|share|need your|remind me|what's|just need)\b"
)
_NOT_ASKED: Final = re.compile(
    r"不用|无需|无须|不必|不需要|毋须|免|别再|已经(?:收到|看到|有)|收到(?:您的)?(?:图片|照片|视频|截图)|看到您的|收到了|看到了|都在|有了|no need|don't need|needn't|without|don't have to|not (?:need|have)|already have|(?<!could )(?<!can )(?<!may )i have your|got your|thanks for|核对姓名|末四码|修改|改成|变更|更换|填到|填在|里填|补好"
)
_WANTED: Final = re.compile(
    r"想要|想换|换成|要换|换(?:什么|哪|多大|几码)|要改|改成|新的?(?:地址|手机|电话|邮箱|号)|另(?:外|一)|其他|别的|其它|近照|清晰|特写|正面|背面|底部|序列号|外箱|内包装|全身|整体|\bnew\b|instead|would you like|do you (?:want|need|prefer)|prefer|another|close.?up|\bouter\b|\binner\b|all \w+ sides|different|rather|want to"
)
_AGAIN: Final = re.compile(
    r"(?:再|重新|重复)(?:跟您|跟你|给我|和您|向您)?(?:说|提供|描述|发|讲|报|确认|核对|填)(?:一遍|一次|一下|我一遍|我一次|我一下|下|给我)?.{0,6}(?:订单|单号|号码|手机|电话|地址|姓名|贵姓|照片|图片|截图|情况|问题|信息|资料|抬头|税号|邮箱|尺码|型号)|(?:再|重新)(?:说|讲|描述)(?:一|下)|(?:订单|单号|手机|电话|地址|姓名|照片|图片|截图|抬头|税号|邮箱|尺码|型号|资料).{0,6}再.{0,2}(?:发|说|报|提供|填)"
    r"|(?:could|can|would) you (?:please )?(?:repeat|tell me again|send (?:it|that|them|me .{0,30}) again|explain again|resend|remind me)|\bwas it again|once more what|again\?$"
)
_ORDER_SAID: Final = re.compile(
    r"(?:订单|单号|编号|order|#)[^0-9a-z\n]{0,6}(?:no\.?|number|is|号|是|编号)?[^0-9a-z\n]{0,3}[a-z]{0,4}-?\d{4,}|(?<![a-z\d])[a-z]{2,3}-?\d{5,}|(?<![\d.])\d{9,}(?!\d)"
)
_SENT: Final = re.compile(
    r"发(?:你|您|了|过|给)|拍了|已发|传了|上传|给你(?:看|发)|\[图片\]|\[照片\]|\[视频\]|寄给你|\bsent\b|attached|uploaded|here(?:'s| is| are) (?:the|a|my)|\[(?:image|photo|picture|video)\]"
)
_SAID: Final = {
    "phone": re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)|(?<!\d)09\d{2}-?\d{3}-?\d{3}(?!\d)|(?<!\d)0\d{4} ?\d{6}(?!\d)"),
    "email": re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+|邮箱.{0,6}(?:发|给|填)"),
    "name": re.compile(r"我叫|我姓|,姓|my name(?:'s| is)|姓名"),
    "address": re.compile(r"地址.{0,8}(?:发|给|说)|(?:gave|told|sent) you (?:my|the) (?:new )?address"),
    "size": re.compile(
        r"\b(?:xs|s|m|l|xl|xxl|[2-5]xl)码|\d{2,3}码|\bsize (?:\d+|xs|s|m|l|xl)\b|\buk ?\d+|\d+ ?(?:gb|寸|吋|cm)\b|\d+gb|身高\d|1米[5-9]"
    ),
    "colour": re.compile(
        r"(?:黑|白|红|蓝|绿|灰|粉|紫|棕|米|黄)色|米白|藏青|深灰|\b(?:black|white|red|blue|green|gr[ea]y|pink|purple|brown|beige|yellow|navy|cream)\b"
    ),
    "date": re.compile(
        r"(?:\d{1,2}(?:号|月|日)|昨天|前天|上周|上个?月|上星期|去年|双11|双十一|今早).{0,8}(?:买|下单|订|拍|收)|(?:买|下单|订|收).{0,6}(?:\d{1,2}(?:号|月|日)|昨天|前天|上周)|(?:bought|ordered|purchased|placed|got|received|arrived)[^.!?]{0,25}(?:\d|yesterday|last \w+|in \w+|on \w+|today)"
    ),
    "payment": re.compile(
        r"支付宝|微信|信用卡|花呗|银行卡|刷卡|转账|货到付款|line pay|paypal|\bcard\b|visa|apple pay|cash"
    ),
    "free_time": re.compile(
        r"(?:周[一二三四五六日末]|星期.|下午|上午|晚上|明天|后天|\d点).{0,10}(?:在家|方便|可以|有空|有人)|(?:在家|方便|有空).{0,8}(?:周[一二三四五六日末]|下午|上午|晚上|明天|\d点)|\b(?:free|home|available|in) (?:all |on |after |before |until |from )?(?:\w+day|mornings?|evenings?|afternoons?|\d)"
    ),
    "member": re.compile(
        r"会员(?:编?号|卡号|码)[^a-z\d]{0,4}[a-z]{0,4}-?\d{4,}|member(?:ship)? (?:number|no|id)\D{0,6}[a-z]{0,4}-?\d{4,}"
    ),
    "invoice": re.compile(r"(?:抬头|税号|统编).{0,10}(?:发|给|是|:)|公司 ?税号"),
    "model": re.compile(r"型号(?:是|:)|(?:是|就是)[^,。?]{0,10}那?(?:个|款)$|\bmodel (?:is|no)|it's the \w+"),
}
_KNOWN_KEYS: Final = {
    "phone": ("phone", "mobile"),
    "email": ("email",),
    "size": ("size",),
    "date": ("placed", "bought", "ordered", "purchased"),
}
_DONE: Final = re.compile(r"了|过|已经|\balready\b|\bi've\b|\bi have\b|\btried\b|\bdid\b|\bboth\b|\bchanged\b")
_TRIED: Final = re.compile(r"过吗|了吗|了没|有没有|是否|试试|有试|have you|did you|are you sure")
_SAME: Final = 0.6
_TROUBLE: Final = re.compile(
    r"不|没|坏|漏|碎|裂|错|少|掉|断|破|烂|臭|味|过敏|红|肿|痒|痛|疼|烧|冒|卡|死|响|脏|霉|虫|旧|丢|慢|迟|反复|失败|异常|打不开|唔|冇|爆|起球|缩|褪|崩|进水|湿|松|歪|变"
    r"|n't\b|\b(?:not|no|never|broke\w*|leak\w*|crack\w*|wrong|missing|late|damaged|faulty|dead|stain\w*|ripped|torn|smell\w*|burn\w*|loose|rash|sick|charged|lost|empty|stuck|error|fail\w*|keeps?|came (?:off|apart)|snapped|scratch\w*|dent\w*|smashed|shattered|melted|stopped|refus\w*)\b"
)
_WAITED: Final = re.compile(
    r"等了|没人(?:理|回|接)|才(?:有人)?回|什么态度|转人工|\b(?:on hold|waited|waiting|no reply|hung up|answer(?:ed|ing)? the phone)\b"
)
"""Anger at the service itself does not yet tell what is wrong."""
_TOLD: Final = 5
"""Words of content in a turn that has told what is wrong; a greeting or a name has fewer."""
_LEAST_CONTENT: Final = 2


def asks_again(draft: Draft, context: DraftContext) -> Iterator[Found]:
    """Clauses that ask for something the customer has said or the profile holds."""
    if not any(speaker == "customer" for speaker, _ in context.turns):
        return
    heard = _Heard.of(context)
    for place, clause in enumerate(draft.clauses):
        if _NOT_ASKED.search(clause.text):
            continue
        again = bool(_AGAIN.search(clause.text))
        wanted = bool(_WANTED.search(clause.text)) and not again
        asked = {name for name, pattern in _ASKS_FOR.items() if pattern.search(clause.text)}
        asks = again or bool(_ASK.search(clause.text)) or _asked_around(draft, place)
        if (
            again
            or (asks and not wanted and any(heard.knows(name) for name in asked))
            or (not wanted and _repeats(clause, heard))
        ):
            yield Found("asks_again", clause.start, clause.end)


def _asked_around(draft: Draft, place: int) -> bool:
    """Whether a clause only begins or ends what the one beside it asks: 订单号, 麻烦发我一下."""
    beside = [draft.clauses[near].text for near in (place - 1, place + 1) if 0 <= near < len(draft.clauses)]
    return len(draft.clauses[place].text) <= 8 and any(_ASK.search(text) and len(text) <= 16 for text in beside)


@dataclass(frozen=True, slots=True)
class _Heard:
    """What was said, folded: the customer's turns, the questions replied to, and whether a picture was sent."""

    customer: tuple[str, ...]
    answered: tuple[str, ...]
    sent_photo: bool
    context: DraftContext

    @classmethod
    def of(cls, context: DraftContext) -> "_Heard":
        folded = [(speaker, fold(text)) for speaker, text in context.turns]
        last = max(place for place, (speaker, _) in enumerate(folded) if speaker == "customer")
        answered = [text for speaker, text in folded[:last] if speaker != "customer"]
        photo, asked, sent = _ASKS_FOR["photo"], False, False
        for speaker, text in folded:
            if speaker == "customer":
                sent = sent or bool(_SENT.search(text) and (asked or photo.search(text)))
            else:
                asked = asked or bool(photo.search(text))
        return cls(
            tuple(text for speaker, text in folded if speaker == "customer"),
            tuple(
                clause for text in answered for clause in clauses(text) if is_question(clause) or _ASK.search(clause)
            ),
            sent,
            context,
        )

    def knows(self, slot: str) -> bool:
        customer = self.context.customer
        if slot == "order_id":
            ids = {order.id for order in customer.orders if order.id} if customer else set()
            return len(ids) == 1 or any(_ORDER_SAID.search(text) for text in self.customer)
        if slot == "name" and customer is not None and customer.name:
            return True
        if slot == "photo":
            return self.sent_photo
        if slot == "problem":
            return any(
                len(content(text)) >= _TOLD and _TROUBLE.search(text) and not _WAITED.search(text)
                for text in self.customer
            )
        if slot == "product":
            return customer is not None and len({order.title for order in customer.orders if order.title}) == 1
        if slot == "address" and any(span.kind == "ADDRESS" for text in self.customer for span in redact(text).spans):
            return True
        keys = _KNOWN_KEYS.get(slot, ())
        if customer is not None and any(
            key in str(name).lower() for name in _names(customer.attributes) for key in keys
        ):
            return True
        if slot == "colour" or slot == "size":
            items = [fold(value) for value in known_values(customer)]
            if any(_SAID[slot].search(text) for text in items):
                return True
        pattern = _SAID.get(slot)
        if pattern is not None and any(pattern.search(text) for text in self.customer):
            return True
        return any(_ASKS_FOR[slot].search(question) for question in self.answered) and not _evaded(self.customer[-1])


def _names(attributes: object) -> Iterator[str]:
    if hasattr(attributes, "items"):
        for name, value in attributes.items():
            yield str(name)
            yield from _names(value)


def _evaded(answer: str) -> bool:
    return (
        len(answer) < 2
        or (is_question(answer) and len(answer) < 12)
        or bool(re.search(r"稍等|等下|找不到|不知道|没有|\bwait|don't know|no idea|can't find", answer))
    )


def _repeats(clause: Piece, heard: _Heard) -> bool:
    """Whether the clause is a question that was asked and answered, or that the customer's own words answer."""
    if not (is_question(clause.text) or _ASK.search(clause.text)):
        return False
    own = content(clause.text)
    for question in heard.answered:
        asked = content(question)
        if (
            len(asked) >= _LEAST_CONTENT
            and is_question(clause.text)
            and len(asked & own) >= _SAME * len(asked)
            and len(asked & own) >= _LEAST_CONTENT
        ):
            return True
    if not _TRIED.search(clause.text) or len(own) <= _LEAST_CONTENT:
        return False
    return any(
        _DONE.search(told) and not is_question(told) and len(content(told) & own) > _SAME * len(own)
        for text in heard.customer
        for told in clauses(text)
    )


_WHEN: Final = re.compile(
    r"什么时候|多久|多长时间|几(?:天|点|号|时)|何时|哪天|啥时候|几耐|\bwhen\b|how (?:long|soon)|what time"
)
_HOW_MUCH: Final = re.compile(
    r"多少钱|多少(?:费|元|块)|怎么收费|运费多少|几钱|\bhow much\b|what's the (?:price|cost|fee)|what does it cost"
)
_TIME: Final = re.compile(
    r"\d|今|明|后天|周|星期|礼拜|马上|立刻|很快|现在|随时|[一二两三四五六七八九十半]个?(?:天|小时|月|年|分钟|工作日)|年底|月底|排期"
    r"|\b(?:today|tonight|tomorrow|now|soon|immediately|days?|weeks?|hours?|minutes?|months?|\w+day|morning|evening|night|noon|midnight|year|until|yet)\b"
)
_AMOUNT: Final = re.compile(
    r"\d|免费|不收|不要钱|包邮|免运|[一二两三四五六七八九十百]+(?:元|块)|\bfree\b|no charge|nothing"
)
_POLAR: Final = re.compile(
    r"可以(?!先|看看|随时|给您|帮您|联系|点|加入|考虑|了解|安排|放心购)|能(?!效|量|源|力)|不行|不会|没法|无法|没办法|有的|有货|有现货|没有|没含|不含|含有|是的|对的|会的|支持(?!与|和|七天|7天)|需要(?!的话)|不用|不需|建议|没问题|不是|是有|适合|适用|要的|行的|得嘅|唔得|冇|有㗎|确实|没错|不敢|不能保证|属于|都是(?:可|能|没)|正常|因为|由于|原因"
    r"|\b(?:yes|no|yep|yeah|yup|nope|sure|certainly|absolutely|of course|unfortunately|afraid|not|only|right|correct|because|recommend|suggest|happy to|no need)\b|n't\b"
    r"|(?:^|[,.!?;-] ?)(?:they|it|we|you|i|that|this|there)(?:'s| is| are| do| does| can| did| will|'ll|'ve| have got)\b|in stock|out of stock"
)
_SAME_THING: Final = (
    ("return", "back"),
    ("return", "refund"),
    ("deliver", "arrive"),
    ("cost", "free"),
    ("pay", "free"),
)
"""A question's word and one by which it is answered."""
_WHY: Final = re.compile(r"为什么|为啥|为何|点解|怎么回事|\b(?:why|how come)\b")
_BECAUSE: Final = re.compile(
    r"因为|由于|原因|所以|是(?!我们家|正品)|没(?:有)?|不|已经|\b(?:because|since|due|as|reason|was|were|isn't|not|happens?)\b|n't\b"
)
_CARING: Final = re.compile(
    r"查|核实|确认|问一下|问下|看一下|看下|帮您看|稍等|催|转(?:给|接|到|交)|了解一下|登记|申请|处理|马上|联系|抱歉|不好意思|对不起|道歉|停用|医生|先别|别再|拔掉|节哀"
    r"|\b(?:check\w*|look\w* into|find out|let me|moment|ask\w*|sorry|apolog\w*|raise[d]?|escalat\w*|arrang\w*|refund\w*|replac\w*|doctor|unplug|stop using|transfer\w*|get back|understand)\b"
)
_PRAISE: Final = re.compile(
    r"收藏店铺|新的玩法|欢迎光临|卖得可?好|小样|热销|人气|爆款|销量|回购|好评|买一送一|购物车|正品保障|正品|购物愉快|生活愉快|随时联系|感谢您(?:的|对|一直).{0,10}(?:支持|理解|关注)|谢谢您的(?:支持|关注|理解)|非常重视|满减|补贴|优惠活动|限时|新品上市|一级能效|下单.{0,4}送|数量有限|选购|服务宗旨|上新|新款|明星同款|颜值|做工|手感|专柜同步|会员日|关注店铺|秒杀|赠品|折扣|活动价|换季|直播间|口碑|物美价廉|品质.{0,4}放心|放心购|多年老店|相关部门|宝贵(?:的)?(?:意见|建议)"
    r"|best.?sell|popular|thank(?:s| you) for (?:shopping|choosing|being|contacting|your (?:interest|patience|understanding|support|feedback|loyalty))|free (?:doorstep )?delivery|\d+ year .{0,12}guarantee|customers love|love (?:it|this|them)|best sellers?|great news|(?:lovely|awesome|great|nice) (?:day|evening|weekend)|loyal member|keep an eye|on sale|% off|while stocks|valued|highly value|great quality|premium|check out our|happy shopping|packed with care|any time|enjoy|award|five.star|bestseller|new (?:collection|range|arrivals)|wide range|discount|special offer|follow us|made from|harness|one-hand|grows with|award|trusted|years of experience|leave (?:us )?a review|app download|newsletter"
)
_LOOKING: Final = re.compile(
    r"查|核实|确认(?!收货)|问一下|问下|看一下|看下|帮您看|稍等|转(?:给|接|到|交)|了解一下|马上|停用|医生|先别|别再|拔掉|节哀"
    r"|\b(?:check\w*|look\w* into|find out|let me|moment|i'll ask|doctor|unplug|stop using|transfer\w*|get back)\b"
)
_TOUCHED: Final = 0.5
_ONE_ANSWERED: Final = 0.1
_MOST_ABOUT: Final = 12
"""Words of content in a question; longer ones are mostly reproaches."""


def unanswered(draft: Draft, context: DraftContext) -> Iterator[Found]:
    """The whole draft, if it does not touch the customer's last question: praise, phrases or the answer to another.

    A question back, a look-up, an apology or an answer of the asked kind counts as touching it.
    """
    raw = _last_questions(context)
    asked = [fold(one) for one in raw]
    if not asked or not draft.clauses or any(is_question(clause.text) for clause in draft.clauses):
        return
    said = content(draft.folded)
    shares = [len(content(question) & said) / max(1, len(content(question))) for question in asked]
    text = draft.folded
    if _LOOKING.search(text):
        return
    missed = [place for place, one in enumerate(asked) if _is_missed(one, said)]
    if missed and len(missed) < len(asked) and max(shares) >= _ONE_ANSWERED:
        yield _whole(draft, raw[missed[0]])  # one of several is answered, and nothing of the other is taken up
        return
    if _CARING.search(text):
        return
    question = " ".join(asked)
    answers_when = _WHEN.search(question) and _TIME.search(text)
    answers_price = _HOW_MUCH.search(question) and _AMOUNT.search(text)
    answers = (_BECAUSE if _WHY.search(question) else _POLAR).search(text)
    if _PRAISE.search(text) and max(shares) < _TOUCHED and not (answers_when or answers_price or answers):
        yield _whole(draft, raw[-1])


def _is_missed(question: str, said: set[str]) -> bool:
    about = content(question)
    about |= {same for word, same in _SAME_THING if word in about}
    return 1 < len(about) <= _MOST_ABOUT and not about & said and not _EMPTY_QUESTION.search(question)


def _whole(draft: Draft, question: str) -> Found:
    return Found(
        "unanswered_question", draft.clauses[0].start, draft.clauses[-1].end, (("question", question.strip()),)
    )


_EMPTY_QUESTION: Final = re.compile(
    r"什么意思|怎么回事|怎么办|凭什么|谁负责|行不行$|anyone there|what now|what happens|why|are you|hello"
)


def last_question(context: DraftContext) -> str:
    """What the customer has asked last since anybody else spoke; empty if nothing."""
    asked = _last_questions(context)
    return asked[-1].strip() if asked else ""


def _last_questions(context: DraftContext) -> list[str]:
    """The questions among what the customer has said since anybody else spoke."""
    latest: list[str] = []
    for speaker, text in reversed(context.turns):
        if speaker != "customer":
            break
        latest.insert(0, text)
    return [
        part for text in latest for part in _QUESTION_PART.findall(text) if is_question(fold(part)) or _AND.search(part)
    ]


_AND: Final = re.compile(r"呢[。.!！~]*$")
"""那12寸的呢: no more than this makes it a question."""
_QUESTION_PART: Final = re.compile(
    r"(?:(?!还有|還有|另外|顺便|順便|以及|同埋|,? and (?:can|do|does|is|are|will|how|what|when|where|which)\b)[^?!？！。.\n]|(?<=\d)\.)+[?!？！。.]*"
    r"|(?:还有|還有|另外|顺便|順便|以及|同埋|,? and )[^?!？！。.\n]+[?!？！。.]*"
)
