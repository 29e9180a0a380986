"""Tells greetings, acknowledgements and empty messages from something that wants an answer.

A closed list on purpose: a wrong "small talk" hides help from the agent, so only whole messages that consist of nothing
but these words count.
"""

import re
import unicodedata

_WORDS = (
    # zh-Hans and zh-Hant
    "你好 您好 你們好 你们好 哈喽 哈囉 嗨 早 早安 早上好 上午好 中午好 下午好 晚上好 晚安 午安 在吗 在嗎 在不在 在么 有人吗 有人嗎 "
    "好 好的 好滴 好哒 好噠 好呀 好吧 好喔 好哦 好啦 好嘞 行 行吧 行的 可以 可以的 嗯 嗯嗯 嗯呢 恩 恩恩 哦 哦哦 噢 喔 喔喔 是 是的 是啊 对 对的 對 對的 對啊 对啊 "
    "没错 沒錯 收到 了解 瞭解 明白 明白了 知道了 知道 懂了 清楚了 ok了 没了 沒了 没有了 沒有了 没事了 沒事了 没有 沒有 "
    "谢谢 謝謝 谢谢你 謝謝你 谢谢您 謝謝您 谢啦 謝啦 谢了 謝了 多谢 多謝 感谢 感謝 感恩 辛苦了 辛苦 麻烦了 麻煩了 麻烦你了 麻煩你了 麻烦您了 麻煩您了 唔該 唔该 "
    "再见 再見 拜拜 掰掰 88 886 先这样 先這樣 那先这样 那先這樣 就这样 就這樣 不用了 不用 不客气 不客氣 没关系 沒關係 "
    "稍等 等一下 等下 我看看 我看下 我看一下 我找找 亲 亲爱的 客服 "
    # en
    "hi hello hey hiya morning good afternoon evening night ok okay okey k kk sure yes yep yeah yup ya right alright fine great cool nice perfect "
    "got it gotcha i see understood noted thanks thank you thx ty tks cheers much very so a lot many for your the help that's thats all that is everything nothing else no nope nah "
    "bye goodbye see take care have day one moment sec second just wait hold on please hang there anyone you too welcome will do sounds good lol haha"
).split()
_HAN = re.compile(r"[㐀-鿿]+")
_LATIN = re.compile(r"[a-z0-9']+")
_PARTICLES = "啊呀呢吧哦喔噢啦嘛哈的了嗯恩唉哎诶欸耶咯囉喽~"

_HAN_WORDS = sorted({w for w in _WORDS if _HAN.search(w)}, key=len, reverse=True)
_LATIN_WORDS = frozenset(w for w in _WORDS if not _HAN.search(w))
_LATIN_LIMIT = 8
"""Longer English messages may consist of common words and still say something."""

_HAN_ONLY = re.compile(rf"^(?:{'|'.join(_HAN_WORDS)}|[{_PARTICLES}])+$")


def is_small_talk(text: str) -> bool:
    """Whether the whole message is greeting, acknowledgement or filler, or holds no letter and no digit at all.

    A message of symbols or emoji alone counts too: the feeling in it is read, but there is nothing to look up.
    """
    folded = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    if "?" in folded and not re.fullmatch(
        r"\W*(在吗|在嗎|在么|在不在|有人吗|有人嗎|anyone there|hello|hi|ok|okay)\W*", folded
    ):
        return False
    han = "".join(_HAN.findall(folded))
    latin = _LATIN.findall(folded)
    if han and not _HAN_ONLY.match(han):
        return False
    return len(latin) <= _LATIN_LIMIT and all(word in _LATIN_WORDS for word in latin)
