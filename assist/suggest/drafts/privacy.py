"""Data of somebody else in a draft: numbers, addresses and names that are neither this customer's nor said here."""

import re
from collections.abc import Iterator
from typing import Final

from assist.suggest.drafts.text import Draft, DraftContext, Found, fold, known_values
from assist.text.redact import redact

_LOOK_BACK: Final = 16
_OURS: Final = re.compile(
    r"热线|客服电话|服务电话|官方|专线|总机|门店|门市|柜台|银行|银联|报警|反诈|厂家|品牌方|保险"
    r"|hotline|helpline|customer (?:service|care)|call us|our (?:number|line|store)|bank|freephone|support line"
)
_STORE: Final = re.compile(
    r"店|门市|仓|驿站|自提|柜|网点|维修点|服务中心|退货地址|超商|营业|stores?\b|shop|branch|unit|returns?\b|depot|warehouse|collection|pick.?up|open (?:till|until)|centre|center"
)
_PERSON: Final = re.compile(
    r"收货|收件|登记的|住|家|邻居|对方|客户|顾客|买家|送到|寄到|您(?:的|留的)|neighbou?r|lives?\b|going to|deliver|signed|customer|on file|registered|sent (?:it )?to"
)
_SERIAL: Final = re.compile(
    r"运单|快递单|物流|顺丰|圆通|中通|申通|韵达|京东|黑猫|宅配|追踪|工单|受理|案件|退货单|退款单|补发|换货单|补寄|新(?:的)?(?:订|单)|序列|型号|货号|批号|验证码|券码|tracking|rma|ticket|case|reference|ref\b|replacement|new order|serial|model|code"
)
_SHOP_MAILBOX: Final = re.compile(
    r"^(?:service|support|help|info|returns?|care|cs|kefu|hello|contact|orders?|privacy|no-?reply|sales|refunds?|press|vip|complaints?|feedback|team|shop)[\w.+-]*@"
)
_ID: Final = re.compile(r"(?<![\da-z])[1-9]\d{5}(?:19|20)\d{9}[\dx](?![\da-z])")
"""Mainland identity numbers, mistyped ones too."""
_ORDER_WORD: Final = re.compile(
    r"(?:订单|单号|编号|\border)(?: ?(?:no\.?|number|id|号|编号))?[^0-9a-z\n]{0,3}#?(?P<id>[a-z]{0,3}-?\d{4,20})(?![\d-]|\.\d)"
)
_SHAPE: Final = re.compile(r"(?<![a-z\d])[a-z]{1,4}-?\d{4,}(?:-\d+)*(?![a-z\d])|(?<![\d.])\d{5,}(?!\d)")
_OTHERS: Final = re.compile(
    r"(?:邻居|同栋|同楼|隔壁|楼上|楼下|另一位|另外一位|别的|其他|上一位|前一位|上个|室友|同学|同事|您(?:母亲|父亲|妈妈|爸爸|太太|先生|老公|老婆|朋友|家人))的?(?:客户|顾客|买家|住户|客人|邻居)?(?:是|叫|,)?"
    r"(?P<zh>[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛赖][\u4e00-\u9fff]{0,2}?(?:先生|女士|小姐|太太)|[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范廖贾夏韦邹孟熊秦邱尹薛赖][\u4e00-\u9fff]{1,2}(?=的|[,。(]|\d|$))"
)
_ENGLISH_NAME: Final = r"(?:(?:Mrs?|Ms|Miss|Dr)\.? )?[A-Z][a-z]+(?: [A-Z][a-z]+)*"
_OTHERS_EN: Final = re.compile(
    rf"(?:[Nn]eighbou?r|[Aa]nother customer|[Oo]ther customer|[Pp]revious customer|[Ss]igned (?:for )?by|[Cc]ustomer named?),? (?:your neighbou?r |called |named )?(?P<en>{_ENGLISH_NAME})"
    rf"|(?P<whose>[A-Z][a-z]+ [A-Z][a-z]+)'s (?:order|parcel|address|account|refund|number|phone)"
)
_OWN_NAME: Final = re.compile(r"(?:我姓|我叫|免贵)([\u4e00-\u9fff])")
_SURNAMES: Final = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛赖"
_TOLD_OF: Final = re.compile(
    rf"(?:(?:那(?:个|位|单)?是|就是|登记(?:的|在)?是?|(?:你|您)(?:的)?(?:姐姐?|妹妹?|哥哥?|弟弟?|妈|爸|朋友|同事|室友|邻居|老公|老婆|先生|太太)|印成|寄给|发给|送到|给了?|小区的|同楼的)了?"
    rf"(?P<zh>[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}(?:的(?=[,。了!]|单|订|件|包)|(?=[,。]?(?:先生|女士|小姐|太太|(?:她|他)(?:住|的|是|也|上)|那单|上个?月|昨天|今天|住))))"
    rf"|(?<=.{{6}})(?<!您是)(?<!我是)(?<!请问是)(?P<titled>[{_SURNAMES}][\u4e00-\u9fff]{{0,2}}(?:先生|女士|小姐|太太|阿姨|大爷|奶奶|爷爷)))"
)
_TOLD_OF_EN: Final = re.compile(
    r"(?:(?:[Tt]hat(?:'s| one is| was| is)|[Ii]t(?:'s| was| is)|[Ff]riend|[Ss]ister|[Bb]rother|[Ww]ife|[Hh]usband|[Mm]um|[Mm]om|[Dd]ad|[Rr]oommate|[Bb]elongs to|[Mm]eant for|[Gg]oes to|[Ss]ent (?:it )?to|(?:[Bb]ought|[Oo]rdered|[Pp]aid|[Ss]igned|[Tt]aken) (?:for )?by),? (?:a |for |to )?"
    r"(?P<en>[A-Z][a-z]+ [A-Z][a-z]+))|(?<=.{8})(?P<titled>(?:Mrs?|Ms|Miss)\.? [A-Z][a-z]+(?: [A-Z][a-z]+)?)"
    r"|(?P<placed>[A-Z][a-z]+ [A-Z][a-z]+)(?:'s|,| \(|:)? ?(?=(?:at|of|in) \d|(?:her|his|their) (?:mobile|number|address|email)|who (?:lives|ordered|bought)|\d+ [A-Z])"
)
_STAFF: Final = re.compile(
    r"师傅|专员|客服|同事|经理|主管|店长|骑手|司机|快递员|技术|医生|rider|courier|driver|manager|store|colleague|engineer|\bour "
)
_PASSPORT: Final = re.compile(
    r"(?:护照|通行证|证件|passport)[^0-9a-z]{0,4}(?:号码?|number|no\.?)?[^0-9a-z]{0,5}(?:is )?(?P<id>[a-z]{0,2}\d{6,9})"
)
_SHORT_PHONE: Final = re.compile(
    r"(?:手机|电话|mobile|cell|phone|tel)[^0-9]{0,16}(?P<number>\d{3,5}[ -]\d{3,6}(?:[ -]\d{3,4})?)"
)
_BORN: Final = re.compile(
    r"(?:出生(?:日期|年月)|生日|date of birth|born(?: on)?)[^0-9]{0,8}(?P<date>(?:19|20)\d\d ?[年./-] ?\d{1,2}|\d{1,2} \w+ (?:19|20)\d\d)"
)
_GREETED_ZH: Final = re.compile(
    r"^\W*(?:亲爱的|尊敬的)?(?P<name>[\u4e00-\u9fff]{1,3})(?:先生|女士|小姐|太太)(?=您|你|[,。!~]|早|下|晚)"
)
_GREETED_EN: Final = re.compile(
    r"^\W*(?:Hi|Hello|Dear|Hey|Good \w+),? (?:(?:Mrs?|Ms|Miss|Dr)\.? )?(?P<name>[A-Z][a-z]+)(?=[ ,.!:;-]|$)"
)
_NOT_NAME: Final = frozenset(
    "black friday monday tuesday wednesday thursday saturday sunday christmas boxing new year royal mail post office royal customer care gift card january february march april may june july august september october november december north south east west street road store city park united kingdom hong kong high the my your".split()
)
_NOBODY: Final = frozenset(
    "there again all team sir madam customer everyone thanks thank sorry so yes no it this your you we i and for just friend guest valued dear our the".split()
)


def others_data(draft: Draft, context: DraftContext) -> Iterator[Found]:
    """Each stretch of the draft with data that should not go to this customer."""
    said = fold(" \n ".join([text for _, text in context.turns] + list(known_values(context.customer))))
    digits = re.sub(r"\D", "", said)
    compact = re.sub(r"[\s-]", "", said)
    text = draft.text[: len(draft.folded)]
    spans: list[tuple[int, int]] = []
    for span in redact(text).spans:
        value = draft.folded[span.start : span.end]
        if _is_foreign(span.kind, value, draft.folded, span.start, span.end, digits, compact):
            spans.append((span.start, span.end))
    spans += [match.span() for match in _ID.finditer(draft.folded)]
    spans += [match.span("id") for match in _PASSPORT.finditer(draft.folded)]
    for pattern, group in ((_SHORT_PHONE, "number"), (_BORN, "date")):
        for match in pattern.finditer(draft.folded):
            own = re.sub(r"\D", "", match[group])
            if own not in digits and not _OURS.search(draft.folded[max(0, match.start() - _LOOK_BACK) : match.end()]):
                spans.append(match.span(group))
    spans += _other_orders(draft, said)
    spans += _other_names(text, draft.folded, said, context)
    end = -1
    for start, stop in sorted(spans):
        if start >= end:
            yield Found("personal_data", start, stop)
            end = stop


def _is_foreign(kind: str, value: str, folded: str, start: int, end: int, digits: str, compact: str) -> bool:
    before = folded[max(0, start - _LOOK_BACK) : start]
    own = re.sub(r"\D", "", value)
    if kind in ("ID", "CARD"):
        return True
    if kind == "PHONE":
        return own not in digits and not own.startswith(("400", "800")) and not _OURS.search(before)
    if kind == "EMAIL":
        return value not in compact and not _SHOP_MAILBOX.search(value)
    if kind == "ADDRESS":
        around = folded[max(0, start - 2 * _LOOK_BACK) : end + 4]
        return re.sub(r"\s", "", value) not in compact and bool(_PERSON.search(around)) and not _STORE.search(around)
    return False


def _other_orders(draft: Draft, said: str) -> Iterator[tuple[int, int]]:
    known = set(_SHAPE.findall(said))
    if not known:
        return  # nothing to compare with: it may well be the customer's own
    shapes = {_shape(number) for number in known}
    for match in _ORDER_WORD.finditer(draft.folded):
        yield from _order(draft, match.span("id"), known, said)
    for match in _SHAPE.finditer(draft.folded):
        worded = not match.group().isdigit() or len(match.group()) > 8
        near = "order" in draft.folded[max(0, match.start() - 9) : match.start()]
        if (worded or near) and _shape(match.group()) in shapes:
            yield from _order(draft, match.span(), known, said)


def _order(draft: Draft, span: tuple[int, int], known: set[str], said: str) -> Iterator[tuple[int, int]]:
    value = draft.folded[span[0] : span[1]]
    before = draft.folded[max(0, span[0] - _LOOK_BACK) : span[0]]
    ends_alike = any(number.endswith(value) or value.endswith(number) for number in known)
    if value not in said and not ends_alike and not _SERIAL.search(before):
        yield span


def _shape(number: str) -> tuple[str, int]:
    letters = "".join(character for character in number if character.isalpha())
    return letters, len(number)


def _other_names(text: str, folded: str, said: str, context: DraftContext) -> Iterator[tuple[int, int]]:
    own = "".join(_OWN_NAME.findall(said)) + (context.customer.name or "" if context.customer else "")
    for match in _OTHERS.finditer(folded):
        if match["zh"] not in said:
            yield match.span("zh")
    for match in _OTHERS_EN.finditer(text):
        group = "en" if match["en"] else "whose"
        if match[group].split()[-1].lower() not in said:
            yield match.span(group)
    for match in _TOLD_OF.finditer(folded):
        group = match.lastgroup or "zh"
        around = folded[max(0, match.start() - 8) : match.end() + 2]
        is_own = group == "titled" and match[group][0] in own
        if match[group].rstrip("的") not in said and not is_own and not _STAFF.search(around):
            yield match.span(group)
    asked = fold(next((turn for speaker, turn in reversed(context.turns) if speaker == "customer"), ""))
    for match in _TOLD_OF_EN.finditer(text) if not _STAFF.search(asked) else ():
        group = match.lastgroup or "en"
        words = match[group].lower().split()
        around = folded[max(0, match.start() - 20) : match.end() + 14]
        if words[-1] not in said and not _STAFF.search(around) and not _NOT_NAME & set(words):
            yield match.span(group)
    name = fold(context.customer.name or "") if context.customer else ""
    if not name:
        return
    greeted = _GREETED_ZH.search(folded)
    if greeted and not name.isascii() and greeted["name"][0] != name[0] and greeted["name"] not in said:
        yield greeted.span("name")
    greeted = _GREETED_EN.search(text)
    if greeted and name.isascii():
        called = greeted["name"].lower()
        if called not in _NOBODY and called not in said:
            yield greeted.span("name")
