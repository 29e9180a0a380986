"""Which language an utterance is in: script shares first, a detector for Latin text that is not plainly English."""

import re
from functools import cache
from typing import Final

import opencc
from lingua import Language as Lingua
from lingua import LanguageDetector, LanguageDetectorBuilder

from assist.domain import Language
from assist.text.normalise import normalise

_HAN: Final = re.compile(r"[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_BOPOMOFO: Final = re.compile(r"[\u3105-\u312f]")
_LATIN: Final = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_LETTER: Final = re.compile(r"[^\W\d_]")
_WORD: Final = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff']+")
# Addresses, links, codes and quantities say nothing about the language. Each begins where a word does and gives nothing
# back, so that a long run of letters or marks is gone through once.
_NOISE: Final = re.compile(
    r"(?:https?://|www\.)[!-~]+|(?<![\w.+-])[\w.+-]++@[\w-]+\.[\w.-]+"
    r"|(?<![A-Za-z\d])[A-Za-z]*+\d[A-Za-z\d]*(?:[-_/][A-Za-z\d]+)*"
    r"|(?<![A-Za-z])[A-Za-z]++(?:[-_][A-Za-z]*\d[A-Za-z\d]*)+",
    re.ASCII,
)
_BRAND: Final = re.compile(r"[a-z][A-Z]")
_CANTONESE: Final = frozenset("嘅咗喺佢哋冇唔嚟嗰啲乜嘢攞俾畀睇妳祂牠")

FOREIGN_SHARE: Final = 0.2
"""Share of letters of a third script from which a text counts as `other`; a single の in Chinese stays Chinese."""
MIXED_WORDS: Final = 2
"""Ordinary English words beside Han characters that make a text `mixed`."""
OTHER_PROBABILITY: Final = 0.5
"""Probability that the detector must give a third language; chosen on `tests/unit/test_text_language.py`."""
MIN_WORDS: Final = 3
"""Shorter unaccented text that is on no list counts as English: the detector guesses at two words."""

_ENGLISH_WORDS: Final = """
    a about account actually after again agent all already also always am amazing an and angry another answer any
    anyone anything app are aren't around arrive arrived arrives as ask asked at available away awesome awful back
    bad bag balance be because been before being believe best better between big bill black blue bought box bring
    broke broken but buy by bye call called can can't cancel cancelled card cart cash change charge charged charger
    charging cheap check checkout child click close closed code cold collect color colour come coming complain
    complaint confirm contact cost could couldn't coupon courier credit customer damaged damn date day days deal
    dear deliver delivered delivery deserve did didn't different discount do does doesn't doing don't done door
    driver each early either else email empty english enough even ever every everything exchange excuse expect
    expensive express explain fault faulty feel few figure find fine first fit fix follow for found free friday from
    front full fully fuck fucking gave get getting gift give given go going gonna gone good got great guess guys had
    half happen happened happy has hasn't have haven't he hello help her here hey hi high him his hold home hope
    horrible hot hour hours house how however human i i'd i'll i'm i've idea if ignore in information instead into
    invoice is isn't issue it it's item items its just keep kettle kidding kind knew know large last late later law
    lawyer least leave left less let let's life like little live lol long look looking lost lot love lower made mail
    make manager many maybe me mean member message mine minute minutes missing mistake monday money month more
    morning most much must my name near need never new next nice night no nobody none not nothing now number of off
    offer ok okay old omg on once one online only open or order ordered orders other our out over package paid
    parcel part pass password pay payment people perfect phone photo pick plan please pls plz point points poor
    possible post price problem product promise properly purchase put quality question quick quickly quite rather
    read ready real really reason receive received red refund refunded refuse remove repair replace replacement
    reply request response return returned returning review ridiculous right rubbish rude said same say saying says
    scam seem seems seen sell send sent serious seriously service several shall she ship shipped shipping shit shop
    should show sick since size skin slow small smell so sold some someone something soon sorry speak staff standard
    still stock stop store stuff stupid such suck sucks suggest supervisor support sure take talk tell tbh team
    terrible than thank thanks thankyou that that's the their them then there there's these they thing things think
    this those though thought three thx time times tired to today together told tomorrow tonight too took top
    totally track tracking tried trust try trying turn two u under understand until up update upset ur urgent us use
    used useful useless using very visa voucher wait waited waiting wanna want wanted warehouse warranty was wash
    wasn't waste way we website week weeks well went were what what's when where which while white who whole why
    will wish with without won't word work worked working works worry worse worst worth would wouldn't wrap wrong
    wtf wow y'all yeah yep yes yesterday yet you you'll you're your yours yup zero asap fyi idk btw smh ugh hmm haha
    cheers mate gotta dunno nope gr8 cuz coz bro bruh legit cute label declined gold silver
"""
_ENGLISH: Final = frozenset(_ENGLISH_WORDS.split()) | frozenset(_ENGLISH_WORDS.replace("'", "").split())  # as typed
# Spelt alike in English and elsewhere, so they prove nothing by themselves.
_SHARED: Final = frozenset(
    "a i in is on no so me am an as at be do go he we war was die den man to of us it or u".split()
)
_FOREIGN: Final = frozenset(
    """
    merci bonjour salut bonsoir oui svp hola gracias adios quiero donde dónde buenos buenas danke hallo bitte guten
    ja nein obrigado obrigada olá ola grazie ciao prego terima kasih tolong selamat halo barang salamat po ang xin
    chào cảm ơn dziękuję cześć merhaba teşekkürler dank tack takk kiitos sayang belum saya gak tidak wo où colis
    pedido 
    """.split()
)
_LANGUAGES: Final = (
    Lingua.ENGLISH, Lingua.FRENCH, Lingua.SPANISH, Lingua.GERMAN, Lingua.INDONESIAN, Lingua.MALAY, Lingua.VIETNAMESE,
    Lingua.PORTUGUESE, Lingua.ITALIAN, Lingua.DUTCH, Lingua.TAGALOG, Lingua.TURKISH, Lingua.POLISH,
)  # fmt: skip


def detect(text: str, hint: Language | None = None) -> Language:
    """The language of one utterance.

    `hint` (the conversation's language so far) decides where the text itself cannot: Han text whose characters
    are the same in both scripts (好的), and text without letters (emoji, digits). Without a hint both are zh-Hans.
    """
    plain = _NOISE.sub(" ", normalise(text))
    letters = len(_LETTER.findall(plain))
    han = _HAN.findall(plain)
    bopomofo = len(_BOPOMOFO.findall(plain))
    latin = len(_LATIN.findall(plain))
    if letters == 0:
        return hint or "zh-Hans"
    if (letters - len(han) - bopomofo - latin) >= FOREIGN_SHARE * letters:
        return "other"
    if not han and not bopomofo:
        return _latin(plain)
    if _ordinary_english(plain) >= MIXED_WORDS:
        return "mixed"
    return _variant(han, bopomofo, hint)


def _variant(han: list[str], bopomofo: int, hint: Language | None) -> Language:
    simplified, traditional = _exclusive()
    s = sum(c in simplified for c in han)
    t = sum(c in traditional for c in han) + bopomofo
    if s == t:
        return hint if hint in ("zh-Hans", "zh-Hant") else "zh-Hans"
    return "zh-Hans" if s > t else "zh-Hant"


def _ordinary_english(plain: str) -> int:
    """English words that are no abbreviation and no capitalised name (VIP, AirPods Pro)."""
    words = _WORD.findall(plain)
    return sum(
        (w.lower() in _ENGLISH and not (w.isupper() and len(w) > 1)) or (len(w) > 2 and w.islower()) for w in words
    )


def _latin(plain: str) -> Language:
    words = [w.strip("'").lower() for w in _WORD.findall(plain) if not _BRAND.search(w)]
    foreign = sum(w in _FOREIGN for w in words)
    telling = sum(w in _ENGLISH and w not in _SHARED for w in words)
    known = sum(w in _ENGLISH for w in words)
    if foreign > known:
        return "other"
    if (telling and telling + known >= 0.5 * len(words)) or (len(words) < MIN_WORDS and plain.isascii()):
        return "en"
    best = _detector().compute_language_confidence_values(plain)[0]
    return "other" if best.language != Lingua.ENGLISH and best.value >= OTHER_PROBABILITY and not telling else "en"


@cache
def _exclusive() -> tuple[frozenset[str], frozenset[str]]:
    """Characters of one script only: changed by OpenCC, and absent from the other side's classic character set."""
    han = "\n".join(map(chr, range(0x4E00, 0xA000)))
    pairs = zip(
        han.split("\n"),
        opencc.OpenCC("s2t").convert(han).split("\n"),
        opencc.OpenCC("t2s").convert(han).split("\n"),
        strict=True,
    )
    simplified, traditional = set(), set(_CANTONESE)
    for char, as_traditional, as_simplified in pairs:
        if char != as_traditional and not _encodes(char, "big5"):
            simplified.add(char)
        elif char != as_simplified and not _encodes(char, "gb2312"):
            traditional.add(char)
    return frozenset(simplified), frozenset(traditional)


def _encodes(char: str, charset: str) -> bool:
    try:
        char.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


@cache
def _detector() -> LanguageDetector:
    # Low accuracy loads trigrams only: 20 MB and 0.4 ms a text instead of some 100 MB.
    return LanguageDetectorBuilder.from_languages(*_LANGUAGES).with_low_accuracy_mode().build()
