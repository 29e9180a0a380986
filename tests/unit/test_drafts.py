"""The draft check finds what a careful team lead would, and lets good drafts pass."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assist.conversation.assistant import Assistant
from assist.domain import (
    Article,
    ArticleLanguage,
    AssistResult,
    Conversation,
    ConversationReading,
    Customer,
    Order,
    Source,
    Speaker,
    Suggestion,
    Utterance,
    Versions,
)
from assist.errors import KnowledgeError, ModelError
from assist.inference.encoder import Encoder
from assist.inference.manifest import Manifest
from assist.suggest.drafts import DraftChecker, DraftContext, DraftReader, DraftRules, Heard
from assist.suggest.drafts.claims import beside_article
from assist.suggest.drafts.reader import ARTICLE_WIDTH, BARS_FILE, CLAIM_FACTS, CODES, IN_CONTEXT, Bars, nearest_passage
from assist.suggest.drafts.text import Draft, fold
from assist.suggest.drafts.words import WORDS_FILE, WordLayers

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
CHECKER = DraftChecker(DraftRules.read(ROOT / "knowledge_base"))
ORDER = Customer("c1", "Priya Shah", orders=(Order("48377", "K-1", "Glass kettle", 39.0, "shipped"),))
RETURNS = "# Returns\n\nReturn unworn clothes within 7 days. Shipping back costs ¥8.\n\nNo gift cards in outlet stores."
FILTERS = "PP棉3至6个月更换一次，活性炭6至12个月，RO膜24至36个月。秒杀、拼团商品除外。"


def codes(text: str, *turns: tuple[Speaker, str], **about: object) -> set[str]:
    context = DraftContext(turns=turns, **about)  # type: ignore[arg-type]
    return {issue.code for issue in CHECKER.check(text, context)}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("您先冷静一下", "dismissive"),
        ("Please calm down.", "dismissive"),
        ("這點小瑕疵而已，不用計較啦", "dismissive"),
        ("这是您自己没看清楚规则", "blame"),
        ("You should have read the terms.", "blame"),
        ("不行。", "cold"),
        ("That's our policy.", "cold"),
        ("保证明天送到", "forbidden_promise"),
        ("I guarantee it will arrive tomorrow", "forbidden_promise"),
        ("這週五絕對會下來", "forbidden_promise"),
        ("他的电话是13812345678", "personal_data"),
        ("身份证是320981199203174528", "personal_data"),
        ("HELLO PLEASE READ THIS", "shouting"),
        ("券！一！張！一！人！", "shouting"),
    ],
)
def test_finds_by_the_words_alone(text: str, code: str) -> None:
    found = [issue for issue in CHECKER.check(text, DraftContext()) if issue.code == code]
    assert found
    assert text[found[0].start : found[0].end] == found[0].text


@pytest.mark.parametrize(
    "text",
    [
        "给您添麻烦了，我马上查一下物流，24 小时内给您答复。",
        "I'm sorry about the wait. I have opened an investigation and will write to you within 24 hours.",
        "不好意思讓您久等了，退款會在 3–5 個工作天內入帳。",
        "这款不可以机洗，建议手洗哦。",
        "这个我不敢跟您打包票，得看海关",
        "I can't guarantee it makes it tomorrow, but I'm calling the depot now.",
        "It's not your fault, the page isn't clear.",
        "本店正品保证，可以到官网验真。",
        "您可以拨打官方热线400-810-0099",
        "没问题，慢慢来！",
    ],
)
def test_lets_good_drafts_pass(text: str) -> None:
    assert CHECKER.check(text, DraftContext()) == []


def test_language_of_the_customer_decides() -> None:
    assert codes("您的包裹已经发出", language="zh-Hant") == {"wrong_language"}
    assert codes("Your parcel has left us today", language="zh-Hans") == {"wrong_language"}
    assert codes("您的包裹已经发出", language="zh-Hans") == set()
    assert codes("OK", language="zh-Hans") == set()


@pytest.mark.parametrize(
    "text",
    [
        "Hola, la dirección de devoluciones es la que viene en el paquete.",
        "안녕하세요 고객님, 확인해 드리겠습니다.",
        "Здравствуйте, проверю.",
    ],
)
def test_other_languages_than_ours(text: str) -> None:
    assert codes(text, language="en") == codes(text, language="zh-Hant") == {"wrong_language"}


def test_a_customer_whose_words_are_the_same_in_both_scripts() -> None:
    asked: tuple[Speaker, str] = ("customer", "保固多久？")
    assert codes("您好，主機保固一年", asked, language="zh-Hans") == set()
    assert codes("您好，主機保固一年", ("customer", "这个保多久？"), language="zh-Hans") == {"wrong_language"}


@pytest.mark.parametrize(
    ("asked", "draft"),
    [
        ("Who sent this?", "It was Daniel Okafor, he paid by card."),
        ("名字怎么是别人的", "那个是马会芳的，她住隔壁楼"),
        ("Which ID did I use?", "It is passport number K4471920."),
        ("能打给我家人吗", "我这边显示手机 98200 41176"),
    ],
)
def test_names_and_numbers_of_others(asked: str, draft: str) -> None:
    assert codes(draft, ("customer", asked)) == {"personal_data"}


def test_names_of_staff_are_no_secret() -> None:
    assert codes("It's Jane Holt.", ("customer", "What is your manager's name?")) == set()


def test_trouble_is_known_only_once_told() -> None:
    draft = "请问商品是什么问题呢"
    assert "asks_again" in codes(draft, ("customer", "我的锅用了两次涂层全掉了"))
    assert codes(draft, ("customer", "我要反馈一个锅子，订单在这里")) == set()


def test_the_other_half_of_a_question() -> None:
    asked: tuple[Speaker, str] = ("customer", "Is there parking, and can I bring a bottle in?")
    assert codes("Parking is right beside the hall.", asked) == {"unanswered_question"}
    assert codes("Parking is right beside the hall. A bottle is fine.", asked) == set()


def test_proof_that_the_article_requires() -> None:
    article = "过敏凭三甲医院诊断证明可退货。"
    asked: tuple[Speaker, str] = ("customer", "过敏了能退吗")
    assert codes("能退的，不用诊断证明", asked, articles=(article,)) == {"contradicts_article"}
    assert codes("能退的，请带诊断证明", asked, articles=(article,)) == set()


def test_the_next_day_is_a_figure() -> None:
    article = "Northern Ireland takes 3 to 5 working days."
    asked: tuple[Speaker, str] = ("customer", "How long to Northern Ireland?")
    assert codes("It's next day to Northern Ireland.", asked, articles=(article,)) == {"contradicts_article"}
    assert codes("It takes 3 to 5 working days.", asked, articles=(article,)) == set()


def test_words_of_the_mainland_are_a_note_only() -> None:
    [issue] = CHECKER.check("請您拍一段視頻給我們", DraftContext(language="zh-Hant"))
    assert (issue.code, issue.severity, issue.text, issue.better) == ("wrong_variant", "note", "視頻", "影片")
    assert codes("請您拍一段視頻給我們", ("customer", "要拍視頻嗎"), language="zh-Hant") == set()


def test_numbers_that_were_said_here_are_no_secret() -> None:
    said: tuple[Speaker, str] = ("customer", "my mobile is 07911 234 508")
    assert codes("I'll ring 07911 234 508 now.", said) == set()
    assert codes("I'll ring 07911 234 509 now.", said) == {"personal_data"}


def test_orders_and_names_of_others() -> None:
    assert codes("Order 48377 is on its way.", customer=ORDER) == set()
    assert codes("Order 49466 is on its way.", customer=ORDER) == {"personal_data"}
    assert codes("Hi Priya, it is on its way.", customer=ORDER) == set()
    assert codes("Hi Martin, it is on its way.", customer=ORDER) == {"personal_data"}
    assert codes("Signed by your neighbour Mrs Whitcombe.", customer=ORDER) == {"personal_data"}


@pytest.mark.parametrize(
    ("said", "draft"),
    [
        ("我想查下我的订单到哪了 订单号25110411853", "请问您的订单号是多少呢？"),
        ("TW98120,姓賴", "請問您的訂單編號"),
        ("I said twice it's the 256GB blue one", "Which colour was it?"),
        ("拍了发你了 视频里有条亮线", "麻烦再拍个屏幕的视频给我们"),
        ("the kettle leaks at the spout and trips the fuse", "What seems to be the problem?"),
    ],
)
def test_asks_again_for_what_was_said(said: str, draft: str) -> None:
    assert "asks_again" in codes(draft, ("customer", said))
    assert "asks_again" not in codes(draft, ("customer", "hi"))


def test_asks_again_for_what_the_profile_holds() -> None:
    turn: tuple[Speaker, str] = ("customer", "where is it")
    assert codes("Could I have your order number?", turn, customer=ORDER) == {"asks_again"}
    assert codes("No need to send your order number.", turn, customer=ORDER) == set()
    two = Customer("c1", orders=(*ORDER.orders, Order("48378", "K-2", "Lamp", 9.0, "shipped")))
    assert codes("Could I have your order number?", turn, customer=two) == set()


def test_other_figures_than_the_article_states() -> None:
    asked: tuple[Speaker, str] = ("customer", "How long do I have to return clothes?")
    context = DraftContext((asked,), "en", None, (RETURNS,))
    [issue] = CHECKER.check("You can return unworn clothes within 15 days.", context)
    assert (issue.code, issue.severity) == ("contradicts_article", "block")
    assert "within 7 days" in issue.message
    assert codes("You can return unworn clothes within a week, so 7 days.", asked, articles=(RETURNS,)) == set()
    assert codes("I'll get back to you within 15 minutes.", asked, articles=(RETURNS,)) == set()


def test_the_figure_of_another_thing_is_no_excuse() -> None:
    assert codes("RO膜一年换一次就可以了", articles=(FILTERS,)) == {"contradicts_article"}
    assert codes("活性炭一年换一次，RO膜两年到三年", articles=(FILTERS,)) == set()


def test_yes_where_the_article_says_no() -> None:
    assert codes("秒杀、拼团的也都能保", articles=(FILTERS,)) == {"contradicts_article"}
    assert codes("秒杀、拼团的保不了哦", articles=(FILTERS,)) == set()


def test_praise_is_no_answer() -> None:
    asked: tuple[Speaker, str] = ("customer", "我女儿对坚果过敏，这款饼干有没有含坚果？")
    [issue] = CHECKER.check("这款饼干是人气第一名，很多妈妈回购哦！", DraftContext(turns=(asked,)))
    assert issue.code == "unanswered_question"
    assert "有没有含坚果" in issue.message
    assert codes("含坚果的，建议不要吃。", asked) == set()
    assert codes("我查一下配料表，稍等。", asked) == set()


def test_better_wording_can_stand_in_place_of_the_span() -> None:
    for issue in CHECKER.check("您先冷静一下。STOP WRITING IN CAPITALS PLEASE!!!", DraftContext()):
        assert issue.better
        assert issue.better != issue.text
    [loud] = CHECKER.check("YOUR REFUND WAS SENT!!!", DraftContext())[:1]
    assert loud.better == "Your refund was sent."


def test_rules_of_the_retailer(tmp_path: Path) -> None:
    (tmp_path / "draft_rules.toml").write_text(
        '[promises]\nforbidden = ["送到…為止", "price lock"]\nallowed = ["保证明天"]\n', encoding="utf-8"
    )
    checker = DraftChecker(DraftRules.read(tmp_path))
    assert [issue.code for issue in checker.check("我们送到您满意为止", DraftContext())] == ["forbidden_promise"]
    assert [issue.code for issue in checker.check("It has a Price Lock on it", DraftContext())] == ["forbidden_promise"]
    assert checker.check("It has a price locked in", DraftContext()) == []
    assert checker.check("保证明天送到", DraftContext()) == []
    assert DraftRules.read(tmp_path / "nothing") == DraftRules()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[promises", "not valid TOML"),
        ("[promise]\n", "only [promises]"),
        ("[promises]\nforbiden = []\n", "only [promises]"),
        ('[promises]\nforbidden = "x"\n', "must be a list"),
        ("[promises]\nforbidden = [3]\n", "no text: 3"),
        ('[promises]\nforbidden = [" … "]\n', "needs words"),
        ('[promises]\nallowed = ["a…b…c…d"]\n', "at most 2 gaps"),
    ],
)
def test_broken_rules_are_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "draft_rules.toml").write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError) as error:
        DraftRules.read(tmp_path)
    assert says in str(error.value)
    assert "draft_rules.toml" in str(error.value)


def answer(article: str, name: str) -> Suggestion:
    source = Source("article", article, "v1")
    return Suggestion(name, "answer", "text", "title", "en", 0.9, "reason", source)


def test_a_session_brings_its_turns_profile_and_cited_article() -> None:
    articles = [
        Article(name, "en", "Returns", "published", body, "v1", "return_policy")
        for name, body in (("returns", "Return unworn clothes within 7 days."), ("old", "Nothing of the kind."))
    ]
    assistant = Assistant(
        emotions=None,  # type: ignore[arg-type]
        knowledge=lambda: SimpleNamespace(articles=articles),  # type: ignore[arg-type,return-value]
        clock=lambda: NOW,
        new_id=str,
    )
    session = assistant.start(Conversation("c", "chat", NOW, ORDER))
    draft = "You can return unworn clothes within 15 days. Could I have your order number?"
    assert assistant.check_draft(draft, session) == []
    said = Utterance("u1", 1, "customer", "How long do I have to return clothes?", "en", NOW)
    shown = (answer("returns", "s1"), answer("old", "s2"))
    reading = ConversationReading("steady", 0.0, 0, None, ())
    result = AssistResult(said, None, reading, shown, (), Versions("m", "i", "p"), 1.0)
    session.language = "en"
    session.record(said, result, is_small_talk=False)
    assert [issue.code for issue in assistant.check_draft(draft, session)] == ["contradicts_article", "asks_again"]
    assert assistant.check_draft(draft, None) == []
    session.set_outcome("s2", "accepted")  # the other answer is what the agent relies on now
    assert [issue.code for issue in assistant.check_draft(draft, session)] == ["asks_again"]


@pytest.mark.parametrize("language", ["zh-Hans", "zh-Hant", "en"])
def test_a_better_wording_has_no_blank_and_is_no_fault_itself(language: ArticleLanguage) -> None:
    faults = ["Please calm down.", "It's your own fault.", "No.", "It will definitely arrive tomorrow."]
    better = [i.better for text in faults for i in CHECKER.check(text, DraftContext(language=language)) if i.better]
    assert len(better) >= 3
    for text in better:
        assert "…" not in text and "..." not in text
        assert CHECKER.check(text, DraftContext(language=language)) == []


NOTHING_CLAIMED = dict.fromkeys(CLAIM_FACTS, 0.0)


class Hearing:
    """In place of a `DraftReader`: believes the network by half and the wording rules a little."""

    bars = Bars(dict.fromkeys(CODES, (1.0, 0.0, 0.0, 1.0, 1.0, 0.0)), dict.fromkeys(CODES, 0.5), NOTHING_CLAIMED)


def heard(**logits: tuple[float, int, int]) -> dict[str, Heard]:
    silent = dict.fromkeys(CODES, Heard((-3.0, 0.0, 0.0), 0, 1))
    return silent | {code: Heard((logit, 0.0, 0.0), start, end) for code, (logit, start, end) in logits.items()}


def test_the_network_finds_what_no_wording_has_and_may_overrule_one() -> None:
    checker = DraftChecker(reader=Hearing())  # type: ignore[arg-type]
    text = "Your parcel went wandering. I am calling them."
    assert checker.check(text, DraftContext()) == []
    [issue] = checker.check(text, DraftContext(), heard(sarcasm=(2.0, 0, 26)))
    assert (issue.code, issue.text) == ("sarcasm", "Your parcel went wandering")
    assert checker.check("Relax, it is on its way.", DraftContext(), heard()) == []  # a probability of 0.12
    [blunt] = checker.check("Please calm down.", DraftContext(), heard())
    assert blunt.code == "dismissive", "what is never right to say is not overruled"
    assert checker.check('They told you to "calm down", and I am sorry.', DraftContext(), heard()) == []


def test_how_a_draft_stands_beside_the_article_speaks_with_the_network() -> None:
    weights = NOTHING_CLAIMED | {"new_number_beside_one": 4.0, "bias": -1.0}
    doubting = Hearing()
    doubting.bars = Bars(doubting.bars.mix, doubting.bars.bar, weights)  # type: ignore[misc]
    checker = DraftChecker(reader=doubting)  # type: ignore[arg-type]
    context = DraftContext(articles=("Every lamp comes with a cable of 150 cm and a bag.",))
    unsure = heard(contradicts_article=(-2.0, 0, 40))
    [issue] = checker.check("The cable of the lamp is 180 cm long.", context, unsure)
    assert issue.code == "contradicts_article"
    assert "150 cm" in issue.message
    assert checker.check("The cable of the lamp is 150 cm long.", context, unsure) == []


@pytest.mark.parametrize(
    ("draft", "article", "facts"),
    [
        ("到店凭券提，可以退三分之二", "满一半者退二分之一。到店凭券提取", {"new_number": 1, "limits_kept": 1}),
        ("A refundable deposit, £50", "A refundable deposit of £75", {"new_figures": 1, "new_number_shares": 0}),
        ("The refundable deposit is £50", "A refundable deposit of £75", {"new_number_beside_one": 1}),
        ("It is a £75 deposit", "A deposit of £75 is taken", {"new_figures": 0, "agreeing_figures": 1}),
        ("开封也能退", "开封后不能退", {"refuses_only_there": 1, "yes_for_no_shares": 3}),
        ("任何门店都能用", "仅限本店使用", {"new_scope": 1, "limits_lost": 2}),
        ("Is it twelve?", "There are 12 of them", {"asks": 1, "new_number": 0}),
        ("您自己付运费", "运费由我们承担", {"you_pay_for_we_pay": 1, "we_pay_for_you_pay": 0}),
    ],
)
def test_a_draft_is_compared_with_the_article_in_counts(draft: str, article: str, facts: dict[str, float]) -> None:
    found = beside_article(Draft.of(draft), DraftContext(articles=(article,)))
    assert {name: found[name] for name in facts} == facts


@given(st.text(), st.text(), st.text())
def test_any_texts_can_be_compared(draft: str, article: str, said: str) -> None:
    found = beside_article(Draft.of(draft), DraftContext((("customer", said),), articles=(article,)))
    assert all(0 <= value <= 6 for value in found.values())


def test_of_several_faults_of_manner_the_surest_is_told() -> None:
    checker = DraftChecker(reader=Hearing())  # type: ignore[arg-type]
    text = "Your parcel went wandering. I am calling them."
    found = checker.check(text, DraftContext(), heard(sarcasm=(2.0, 0, 26), blame=(1.0, 0, 26)))
    assert [issue.code for issue in found] == ["sarcasm"]


def test_what_only_the_network_hears_says_which_question_and_which_rule() -> None:
    checker = DraftChecker(reader=Hearing())  # type: ignore[arg-type]
    context = DraftContext((("customer", "Do you repair zips? And where?"),), "en", articles=(RETURNS,))
    text = "We have a large workshop. Sending it back is on us."
    found = checker.check(text, context, heard(unanswered_question=(2.0, 0, 10), contradicts_article=(2.0, 26, 50)))
    by_code = {issue.code: issue for issue in found}
    assert set(by_code) == {"unanswered_question", "contradicts_article"}
    assert "And where?" in by_code["unanswered_question"].message
    assert by_code["contradicts_article"].text == "Sending it back is on us"
    assert "Shipping back costs ¥8" in by_code["contradicts_article"].message


def test_where_nothing_was_asked_or_cited_nothing_is_left_open_or_contradicted() -> None:
    checker = DraftChecker(reader=Hearing())  # type: ignore[arg-type]
    context = DraftContext((("customer", "Thanks, that helps."),), "en")
    both = heard(unanswered_question=(2.0, 0, 4), contradicts_article=(2.0, 0, 4))
    assert checker.check("Glad to hear it.", context, both) == []


@pytest.fixture(scope="module")
def reader() -> DraftReader:
    models = ROOT / "models"
    return DraftReader(models, Encoder(models))


def test_the_shipped_network_reads_a_draft_in_its_conversation(reader: DraftReader) -> None:
    checker = DraftChecker(reader=reader)
    blaming = "您好，是您自己没看清楚说明书才弄坏的。我帮您查。"
    alone = checker.hear(blaming, (), ())
    assert alone is not None and set(alone) == set(CODES) - IN_CONTEXT
    assert alone["blame"].logits[0] > alone["sarcasm"].logits[0]
    begin, end = alone["blame"].start, alone["blame"].end
    assert "您自己没看清楚" in blaming[begin:end]
    said = [("customer", Encoder(ROOT / "models").encode_query("七天内能退吗？运费谁出？").memory)]
    in_talk = checker.hear(blaming, said, ("七天内可以退货，运费由买家承担。",))
    assert in_talk is not None and set(in_talk) == set(CODES)
    assert in_talk["blame"].logits[0] != alone["blame"].logits[0]


def test_the_same_draft_is_heard_the_same_again(reader: DraftReader) -> None:
    first, again = (reader.hear("Please read the label next time.", (), None) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("text", ["", " ", "…", "\ud800", "好" * 3000, "a\x00b"])
def test_anything_can_be_heard(reader: DraftReader, text: str) -> None:
    checker = DraftChecker(reader=reader)
    checker.check(text, DraftContext(), checker.hear(text, (), ("七天内可以退货。",)))


def test_the_passage_that_is_read_is_the_one_the_draft_is_about() -> None:
    wanted = "Shoes can be returned within 30 days, unworn. "
    article = "Gift wrapping costs £4 an item. " * 20 + wanted + "Shops open at ten. " * 20
    passage = nearest_passage("You have 30 days to return the shoes.", ("Nothing here.", article))
    assert passage is not None and "Shoes can be returned within 30 days" in passage
    assert len(passage) <= ARTICLE_WIDTH
    assert nearest_passage("Hello", ()) is None


def test_a_damaged_or_foreign_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not valid"):
        (tmp_path / "bad.npz").write_bytes(b"PK nothing")
        WordLayers.load(tmp_path / "bad.npz", len(CODES))
    with pytest.raises(ModelError, match="shapes"):
        WordLayers.load(ROOT / "models" / WORDS_FILE, len(CODES) + 1)
    models = ROOT / "models"
    for name in ("encoder", "drafts"):
        shutil.copytree(models / name, tmp_path / "models" / name)
    bars = json.loads((models / BARS_FILE).read_text())
    wrong = (({"encoder": "other"}, "another encoder"), ({"bar": {}}, "codes differ"), ({"mix": 3}, "not valid"))
    for changed, problem in wrong:
        (tmp_path / "models" / BARS_FILE).write_text(json.dumps(bars | changed))
        manifest = Manifest.load(models).with_file(tmp_path / "models", BARS_FILE, licence="x", origin="y")
        manifest.save(tmp_path / "models")
        with pytest.raises(ModelError, match=problem):
            DraftReader(tmp_path / "models", Encoder(tmp_path / "models"))


HARD = st.sampled_from(
    [
        *"!?.,~…。！，的您我不一三１９ \n\t\x00İßﬀ𠮷😀\u200d\ud800",
        "您自己", "订单号", "保证", "100%", "13812345678", "7天", "¥8", "市", "no ", "NOT ", "you ", "a", "1", "(", "@",
    ]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=200), st.lists(HARD, max_size=60).map("".join))
TURNS = st.lists(st.tuples(st.sampled_from(["customer", "agent", "bot"]), TEXTS), max_size=4).map(tuple)


@settings(deadline=None)  # the first call makes the table of characters
@given(TEXTS, TURNS, st.sampled_from([None, "zh-Hans", "zh-Hant", "en"]), TEXTS)
def test_spans_are_in_the_text(text: str, turns: object, language: str | None, article: str) -> None:
    context = DraftContext(turns, language, ORDER, (article,))  # type: ignore[arg-type]
    for issue in CHECKER.check(text, context):
        assert 0 <= issue.start < issue.end <= len(text)
        assert text[issue.start : issue.end] == issue.text
        assert issue.message


@settings(deadline=None)
@given(TEXTS)
def test_folding_keeps_every_character_in_its_place(text: str) -> None:
    assert len(fold(text)) == len(text)


@pytest.mark.parametrize(
    "unit",
    ["a", "您", "1", "!", "，", "您自己", "no ", "A ", "市", "保证,", "不", "(1", "you should ", "a@", "7天", "x\n"],
)
def test_long_texts_of_one_kind_come_to_an_end(unit: str) -> None:
    text = (unit * 20_000)[:20_000]
    context = DraftContext((("customer", text), ("agent", text), ("customer", text)), "en", ORDER, (text,))
    for issue in CHECKER.check(text, context):
        assert issue.end <= len(text)
