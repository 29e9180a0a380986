"""How a draft sounds: blame, playing down, sarcasm, coldness and shouting, by their wording."""

import re
from collections.abc import Iterator
from typing import Final

from assist.suggest.drafts.text import Draft, Found

_WORDED: Final = {
    "blame": re.compile(
        r"(?:是|因为|由于|怪)(?:您|你)(?!好|说得对|的顾虑|对)[^,。!?]{0,6}?(?:自己|没|未|忘|弄|填|选|装|洗|摔|操作|使用|保存|保管|点错|买错|拍错|太|技术|手艺|手机|家|水放|说错|写错|输错)"
        r"|(?<!不)是(?:您|你)(?:自己)?(?:的)?(?:责任|问题|失误|疏忽|错|手艺|技术)|(?:您|你)自己(?:平常|平时|当时|在)?[^,。!?]{0,6}(?:没|不(?!用|妨|同)|填错|选错|弄|洗缩|勾|摔|买错|忘|点错|点的|拆|造成|要的|选的|的问题)"
        r"|自己.{0,4}(?:贴歪|装反|弄坏|摔|装错|填错|选错)|谁(?:让|叫)(?:您|你)|怪谁|怪得了谁|怪不(?:了|着|得|到)我们|不能怪我们|别怪我们|自找|早干(?:嘛|什么|啥)|(?:您|你)(?:当时|当初|之前|下单的?时候|下单时|就)?(?:怎么|为什么|为啥|干嘛|咋)(?:就)?(?:不|没)(?!能|好)"
        r"|(?:您|你)(?:当时|当初|又|都|可能)?(?:没有|没|未)(?:仔细|认真|按|看|注意|及时|提前|保留|说清|写清|讲清|检查|先量|留意|依)|(?:写|标|说|提醒|通知|讲)[^,。!?]{0,8},?(?:是)?(?:您|你)(?:自己)?(?:没看|不看|没注意|看不|没有看|不听)"
        r"|(?:您|你)(?:应该|该)早|(?:您|你)(?:要是|如果|若)?(?:早|当时|当初)[^,。!?]{0,10},?(?:就|也)(?:不会|不用|好了|没事|来得及)|(?:使用|操作|保管|保存|洗涤|安装)不当|一般人[^,。]{0,8}不会|常识|(?:这|那)就是(?:您|你)的?(?:不对|责任)|(?:您|你)(?:的)?(?:责任|技术的问题|体质)|别人(?:用)?(?:都|怎么)没(?:有)?(?:问题|事)"
        r"|(?:您|你)(?:电话|手机)(?:老|都|一直)?(?:打不通|不接|关机)|页面.{0,8}您没看"
        r"|\byou (?:really )?should(?:'ve| have| of)\b(?! (?:received|got|had|been|to))|\byou shouldn't have (?!to|been)|\byou must(?:'ve| have) (?!been (?:so|very|waiting|worried|frustrat|disappoint|upset)|felt|had an? (?:awful|terrible))|\byou (?:probably|clearly|obviously|most likely|likely|simply|just) (?:\w+ed|didn't|left|broke|put|chose|forgot|missed|typed|wrote)"
        r"|\byou (?:didn't|did not) (?!receive|get|hear|need|ask for|do anything|order|want|like)|\byou (?:failed|forgot|neglected|ignored|missed|never (?:told|read|checked|sent))\b|\byou (?:left it|waited) too|\byou were (?:told|warned|informed)|\bif you(?:'d| had) (?:read|checked|told|bothered|listened|been|answered|kept|followed|just|only|paid|measured|contacted)"
        r"|\byou'd have .{3,40} if\b|\byour (?:own )?(?:fault|mistake|responsibility to|negligence|carelessness)|\b(?:is|that's|it's) on you\b|\bdown to you\b|\bonly yourself\b|\buser error\b|\bwhy (?:didn't|did) you (?!need)|\bdid you even\b|\bdidn't you (?:read|check|see)|\bwhen (?:people|customers|users) (?:don't|do not|fail|let|leave|put|use)"
        r"|\b(?:bother|bothered) to (?:read|check)|\bnot our (?:fault|mistake)|\bnobody else (?:has )?(?:complain|had)|\byou (?:gave|entered|typed|put|wrote|chose|picked|selected) (?:us |in )?(?:the|a|an) (?:wrong|incorrect)|\bmore careful\b|\bthat was your (?:choice|decision)|\byou agreed to"
    ),
    "dismissive": re.compile(
        r"(?:先|请|要|您|你)冷静(?!期)|冷静(?:一下|点|下来|些)|消消气|别上火|别激动|不要(?:这么|那么)?激动|(?:不用|没必要|不必|别|不要|犯不着|用不着|无需|不需要)(?:这么|那么|太|特地|特别|再|跟我)?(?:激动|生气|发火|大惊小怪|紧张成|较真|计较|纠结|在意|介意|夸张|上纲|敏感|小题大做|大动干戈|发脾气|换吧|这样)|没必要这(?:么|样)|不至于|至于吗|多大(?:点)?(?:个)?事|大惊小怪|小题大做|(?:太|别|这么)(?:较真|计较|敏感|紧张了)|别计较|计较这么"
        r"|没什么(?:大不了|大问题|的啦|啦|好(?:生气|气|急))|没啥(?:大不了|大问题)|大不了的|不就(?:是)?[^,。?]{1,10}(?:嘛|吗|而已|么)|不过(?:就)?是[^,。]{1,10}(?:而已|嘛|罢了)|(?<!只要)(?<!只需)(?<!举手之劳)而已|罢了|小事(?:一桩|情?嘛|啦|而已|您)|又不是(?:什么|不|多)|想(?:太)?多了|反应过(?:度|激|大)|没(?:有)?那么(?:严重|夸张|娇气)|哪有那么|不算(?:高|久|什么|大|慢|贵)|(?:凑合|将就|忍一?忍|忍一下)|习惯(?:就好|了就)|急也没用|别老?催"
        r"|(?:很|挺|蛮)?正常(?:的|啦|嘛)?[^。!?]{0,6}(?:大家|都有|都这样|都是这样|别人)|大家都(?:有|一样|这样|能等)|(?:不影响|没影响)[^,。]{0,6}(?:的|啦|呀|嘛|吧)?,?(?:没必要|您就|不用|将就|凑合)|差[^,。]{1,6}没(?:什么|关系)|小毛病|也还能(?:用|穿)"
        r"|\bcalm down\b|\brelax\b|\bno need to (?:be|get|make|shout|panic|worry so|fuss)|\b(?:not|n't|hardly|no) (?:really |that |such )?(?:a )?(?:big deal|worth (?:worry|the (?:hassle|fuss|time)|getting|complain)|the end of the world|much of a|reason to complain|that serious|that bad)|\boverreact|\b(?:a )?fuss (?:over|about)|\bmake a fuss|\bnothing to (?:fuss|worry so|get|make)"
        r"|\bit's (?:only|just) (?:a|an|one|the|some|cosmetic|packag\w*|\w+ (?:pounds|days|quid|dollars))\b(?! (?:moment|case of|matter of|guide|step))|\bit's (?:purely )?cosmetic\b|\b(?:nobody|no one|most people|you)(?:'s| is|'d| will| would|'ll|wouldn't)?(?: ever| even| probably| hardly| barely| won't)*(?: going to)? (?:see|notice) (?:it|that|the (?:mark|dent|scratch|difference))\b|\b(?:nobody|no one|most people)[^.?!]{0,20} notice\b|\bthese things happen|\bthat's (?:just )?life\b|\b(?:could|might) be worse|\bworry(?:ing)? about nothing|\bbeing (?:a bit |so |too |very )?(?:sensitive|dramatic|picky|fussy)|\bso dramatic|\bget used to it|\beveryone (?:has to|else (?:has|is))|\bothers have (?:waited|had)|\bout of proportion|\bso personally|\byou'll (?:live|survive|get over)|\bcan't expect|\blose sleep|\bworked up\b|\bhonestly not worth"
    ),
    "sarcasm": re.compile(
        r"呵呵|哦豁|(?:您|你)(?:可|还)?真(?:厉害|聪明|逗|幽默|会|行|有趣|能)|(?:您|你)说(?:的)?都对|恭喜(?:您|你)?(?:呀|啊|哦|喔|咯|中奖了呗|,.{0,10}(?:得了|隐藏|中了))|八抬大轿|伺候|皇帝|跪下|好(?:厉害|怕|棒棒)(?:哦|喔|呀|啊)|(?:怎么不|不如|要不)(?:您|你)?自己(?:开|来|去当|做|整)|要不(?:您|你|我)?请?[^,。]{0,6}(?:自己洗|亲自|来当|自己送)|(?:您|你)(?:要求)?这么(?:厉害|懂|会|高|急|讲究)|我们得请|开心就好|全(?:公司|世界)就|谢谢您的(?:夸奖|鞭策)呢|碎碎平安|xd\b|笑死|(?:您|你)(?:眼神|运气)可?真好|大开眼界|了不起(?:呀|啊|哦)|旅(?:游|行)去?了|试试让[^,。]{1,6}(?:送|来)|够您买个|也没说是您|应该很香"
        r"|\boh,? (?:wow|dear me)\b|^wow\b|\bgood for you\b|\bwhatever you say|\bif you say so|\bcongratulations,? you(?:'ve)? (?:found|managed|broke|discovered)|\blucky you\b|\baren't (?:you|we) (?:lucky|special|clever|fancy)|\bhow will you (?:ever )?survive|\bmagic wand|\bred carpet|\bhere you are, still|\bthink of it as|\bsome people (?:would )?pay|\bbright side|\bquite the (?:grip|talent|expert|skill)|\blol\b|\bnice try\b|\bgenius\b|\bwell done for\b|\bshall i come (?:round|over)|\bi'm sure the world|\bhow (?:awful|terrible|tragic) for you\b|\bmust be (?:fun|hard being)|\bcrystal ball\b|\bmind.?reader|\brevolves around you"
    ),
    "cold": re.compile(
        r"管不了|不归我(?:们)?管|跟我(?:们)?(?:没|无)关|与我(?:们)?无关|概不负责|爱(?:要|买|信)不|随便(?:您|你)|说了(?:不行|不能|没有)|规定就是(?:这样|如此)|我(?:也)?(?:不知道|不清楚),?(?:您|你)?(?:等|问|去|打)|(?:您|你)(?:去)?(?:问|找|打)[^,。]{1,6}去(?=[。!~]*$)"
        r"|\bnot (?:my|our) (?:job|problem|department)|\bnot us\b[.!]*$|\btake it or leave it|\bit is what it is\b|\bthat's (?:just )?(?:our|the|company) (?:policy|rule)s?[.!]*$|\bas i (?:already )?said\b"
    ),
}  # fmt: skip
_SPARED: Final = {
    "blame": re.compile(r"不(?:是|怪|能怪|全是)(?:您|你)|别(?:自责|责怪)|我们(?:没|的责任|的疏忽|的问题|弄)|not (?:your|you)\b|isn't your|n't your|on us\b|our (?:fault|mistake)|if you'd (?:like|prefer|rather)"),
    "dismissive": re.compile(r"不是小|是大事|我(?:来|帮|给|这就|马上)(?:您)?(?:弄|处理|办|换|补|安排)|isn't (?:just|only)|not just"),
    "sarcasm": re.compile(r"感谢(?:您)?|谢谢您(?!的夸奖呢)|恭喜您(?:成功|获得|升级|抽中周年)"),
    "cold": re.compile(r"抱歉|不好意思|对不起|sorry|帮您|给您|let me|but i"),
}  # fmt: skip

_REFUSES: Final = re.compile(
    r"不(?:行|能|可以|可|了|退|换|保|赔|支持|知道|清楚|提供|接受|处理|负责|予|是我|做|改|补|卖)|没(?:有|货|办法|法|这个?|得)|无(?:法|货|效)?|等着|等(?:物流|快递|系统)?通知|自己(?:看|查|去|找|问)|自行|问.{1,6}去|请?(?:找|打|问|去)(?:快递|物流|厂家|卖家|门市|门店|客服|店)|页面(?:有|写)|过期|超(?:时|过)|规定|投诉吧|拒收|唔得|冇|唔"
    r"|\b(?:no|nope|not|never|can't|cannot|don't|doesn't|won't|wait|check|read|contact|ask|call|policy|too late|sold out|expired|denied|rejected|closed|terms|website|page|faq|cancelled|have to|out of)\b"
)
_SOFT: Final = re.compile(
    r"抱歉|不好意思|对不起|请问|帮您|帮你|给您|我(?:这边|给|来|帮|马上|查|问)|稍等|哦|呢|哈|呀|喔|唷|囉|啦|~|可以|建议|请放心|谢|感谢|您好|要不要|预计|需要(?:我|帮)|没(?:有)?(?:关系|问题|事)|不(?:客气|用|会|含|防)|不是(?:您|我们)|别"
    r"|\b(?:sorry|please|i can|i'll|let me|happy|but|however|you can|thank\w*|welcome|worries|unfortunately|afraid|hi|hello|yes|sure|we'll|would you|shall|isn't|it's not your|no (?:problem|need|rush)|it does|just a|unplug|though|if)\b|[:)]"
)
_SHORT_HAN: Final = 18
_SHORT_WORDS: Final = 11
_HAN: Final = re.compile(r"[\u3400-\u9fff]")

_LOUD: Final = re.compile(r"[!?~]*[!?]{3,}|[!]{2,}[^!]{1,20}!{2,}|(?:\w!){3,}|~{3,}!*")
_CAPITALS: Final = re.compile(r"\b[A-Z][A-Z']*[A-Z]\b(?:[ ,!.]+\b[A-Z][A-Z']*\b){2,}[!.]*")
_LEAST_CAPITALS: Final = 10


def worded(draft: Draft) -> Iterator[Found]:
    """Clauses whose wording alone says how they sound, or the whole of a draft that is a bare refusal."""
    is_plain = True
    for code, pattern in _WORDED.items():
        for clause in draft.clauses:
            if pattern.search(clause.text) and not _SPARED[code].search(clause.text):
                yield Found(code, clause.start, clause.end)
                is_plain = False
                break
        else:
            # A wording may reach over a comma; a sentence is looked at only where no clause has it.
            for sentence in draft.sentences:
                if pattern.search(sentence.text) and not _SPARED[code].search(sentence.text):
                    yield Found(code, sentence.start, sentence.end)
                    is_plain = False
                    break
    if is_plain and draft.clauses and _is_curt(draft.folded):
        yield Found("cold", draft.clauses[0].start, draft.clauses[-1].end)


def shouting(draft: Draft) -> Iterator[Found]:
    """Rows of exclamation marks and whole phrases in capitals."""
    for match in _LOUD.finditer(draft.folded):
        begin = next(
            (clause.start for clause in draft.clauses if clause.start <= match.start() < clause.end), match.start()
        )
        yield Found("shouting", begin, match.end())
    for match in _CAPITALS.finditer(draft.text[: len(draft.folded)]):
        if sum(character.isupper() for character in match.group()) >= _LEAST_CAPITALS:
            yield Found("shouting", *match.span())


def _is_curt(folded: str) -> bool:
    han = len(_HAN.findall(folded))
    short = 0 < han <= _SHORT_HAN if han else len(folded.split()) <= _SHORT_WORDS
    return short and not folded.rstrip().endswith("?") and bool(_REFUSES.search(folded)) and not _SOFT.search(folded)
