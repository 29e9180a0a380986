"""The agents' page, driven as an agent does: by keyboard, with a second screen, with a broken line."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect
from windows import Api, Window

Windows = Callable[..., Window]

QUESTION = "请问退款多久能到账？"
NO_INVOICE = "发票到现在都没开，催了好几次了"
ANGRY = "都催了三次了，你们就是骗子！再不退款我就打12315投诉！"


@pytest.fixture
def conversation(api: Api) -> str:
    """A conversation in which a question has been asked."""
    opened = api.open()
    api.say(opened, QUESTION)
    return opened


def desk(window: Window, conversation: str) -> Page:
    page = window.go(f"/desk?conversation={conversation}")
    expect(page.locator(".row-customer").first).to_be_visible()
    return page


def test_demo_customer_is_seen_in_two_windows(window: Windows) -> None:
    first, second = window(), window(language="en")
    page = first.go("/desk")
    page.locator("#choose-demo").click()
    page.locator(".demo-choice", has_text="退款催了三次").click()
    expect(page.locator("#player")).to_be_visible()
    page.locator("[data-control=play]").click()  # pause: from here on the test says when
    page.wait_for_url(re.compile(r"conversation="))
    other = second.go(page.url.removeprefix(first.url))
    before = other.locator(".row").count()
    for _ in range(3):
        page.locator("[data-control=step]").click()
        before += 1
        expect(page.locator(".row")).to_have_count(before)
        expect(other.locator(".row")).to_have_count(before)
    expect(other.locator(".row-customer .emotion").first).to_be_visible()
    expect(other.locator("#strip [role=meter]")).to_be_visible()
    page.locator("#message").fill("我来处理")
    page.locator("#message").press("Enter")
    expect(other.locator(".row-agent .bubble").last).to_have_text("我来处理")


def test_scripted_agent_lines_can_be_offered_instead_of_sent(window: Windows) -> None:
    page = window().go("/desk")
    page.locator("#choose-demo").click()
    page.locator(".demo-choice", has_text="退款催了三次").click()
    page.locator("[data-control=play]").click()
    page.locator("[data-control=replies]").uncheck()
    for _ in range(4):
        if page.locator("#scripted").is_visible():
            break
        page.locator("[data-control=step]").click()
        page.wait_for_timeout(300)
    page.locator("#scripted button").first.click()
    expect(page.locator("#message")).to_have_value(re.compile("许诺"))
    assert page.locator(".row-agent").count() == 0


def test_enter_sends_but_not_while_composing(window: Windows, conversation: str) -> None:
    page = desk(window(), conversation)
    page.locator("#message").fill("ni hao")
    page.locator("#message").evaluate(
        "node => node.dispatchEvent(new KeyboardEvent("
        "'keydown', {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    page.locator("#message").press("Shift+Enter")
    expect(page.locator("#message")).to_have_value("ni hao\n")
    assert page.locator(".row-agent").count() == 0
    page.locator("#message").fill("您好")
    page.locator("#message").press("Enter")
    expect(page.locator(".row-agent.row-sent .bubble")).to_have_text("您好")
    expect(page.locator("#message")).to_have_value("")


def test_inserting_by_keyboard_and_sending_is_accepted(window: Windows, conversation: str, api: Api) -> None:
    page = desk(window(), conversation)
    card = page.locator("#suggestions .card:not([data-kind=alert])").first
    suggestion = card.get_attribute("data-suggestion")
    text = card.locator(".card-text").inner_text()
    page.locator("#message").focus()
    page.keyboard.press("Alt+Digit1")
    expect(page.locator("#message")).to_be_focused()
    assert page.locator("#message").input_value() == text
    page.keyboard.press("Enter")
    expect(page.locator(f"[data-suggestion={suggestion}]")).to_have_count(0)
    page.wait_for_function("() => !document.querySelector('.row-pending')")
    assert outcome_of(api, page, conversation, suggestion)["outcome"] == "accepted"


@pytest.mark.parametrize("first", ["calming", "answer"])
def test_feeling_and_fact_are_inserted_as_one_reply(window: Windows, api: Api, first: str) -> None:
    opened = api.open()
    api.say(opened, NO_INVOICE)
    page = desk(window(), opened)
    cards = {kind: page.locator(f"#suggestions [data-kind={kind}]").first for kind in ("calming", "answer")}
    calming, answer = (cards[kind].locator(".card-text").inner_text() for kind in ("calming", "answer"))
    cards[first].locator("[data-act=insert]").click()
    if first == "calming":
        expect(page.locator("#message")).to_have_value(calming)
        cards["answer"].locator("[data-act=insert]").click()
    expect(page.locator("#message")).to_have_value(f"{calming}\n\n{answer}")
    page.locator("#message").press("Enter")
    expect(cards["calming"]).to_have_count(0)
    expect(cards["answer"]).to_have_count(0)


def test_digit_outside_of_a_field_inserts_and_editing_is_told(window: Windows, conversation: str, api: Api) -> None:
    page = desk(window(), conversation)
    suggestion = page.locator("#suggestions .card:not([data-kind=alert])").first.get_attribute("data-suggestion")
    page.locator("#transcript").focus()
    page.keyboard.press("1")
    page.keyboard.type("谢谢您的耐心。")
    sent = page.locator("#message").input_value()
    page.keyboard.press("Enter")
    logged = outcome_of(api, page, conversation, suggestion)
    assert logged["outcome"] == "edited"
    assert logged["final_text"] == sent


def test_a_rewritten_draft_is_no_edit(window: Windows, conversation: str, api: Api) -> None:
    page = desk(window(), conversation)
    suggestion = page.locator("#suggestions .card:not([data-kind=alert])").first.get_attribute("data-suggestion")
    page.locator("[data-act=insert]").first.click()
    page.locator("#message").fill("Hm")
    page.locator("#message").press("Enter")
    expect(page.locator(".row-agent.row-sent")).to_have_count(1)
    expect(page.locator(f"[data-suggestion={suggestion}]")).to_have_count(1)
    assert {row["outcome"] for row in api.logged(conversation)} == {"shown"}


def test_dismissing_with_a_reason(window: Windows, conversation: str, api: Api) -> None:
    page = desk(window(language="en"), conversation)
    card = page.locator("#suggestions .card:not([data-kind=alert])").first
    suggestion = card.get_attribute("data-suggestion")
    card.locator("[data-act=dismiss]").click()
    expect(page.locator("[data-reason=not_relevant]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(card.locator("[data-act=dismiss]")).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("[data-reason=badly_timed]").click()
    expect(page.locator(f"[data-suggestion={suggestion}]")).to_have_count(0)
    logged = outcome_of(api, page, conversation, suggestion)
    assert (logged["outcome"], logged["outcome_reason"]) == ("dismissed", "badly_timed")


def test_feeling_is_said_in_word_shape_and_colour_and_alerts_are_announced(window: Windows, api: Api) -> None:
    opened = api.open()
    page = window().go(f"/desk?conversation={opened}")
    expect(page.locator("#suggestions .empty")).to_be_visible()
    page.wait_for_timeout(300)
    result = api.say(opened, ANGRY)
    label = result["emotion"]["label"]
    chip = page.locator(".row-customer .emotion")
    expect(chip).to_have_attribute("data-emotion", label)
    assert chip.locator("svg.mark > *").count() == 1
    assert chip.inner_text().strip()
    evidence = [span["text"] for span in result["emotion"]["evidence"]]
    assert page.locator(".evidence").all_inner_texts() == evidence
    alerts = [card["text"] for card in result["suggestions"] if card["kind"] == "alert"]
    assert alerts
    expect(page.locator("#alarm")).to_have_text(" ".join(alerts))
    expect(page.locator("#suggestions .card").first).to_have_attribute("data-kind", "alert")
    cards = page.locator("#suggestions .card:not([data-kind=alert])")
    order = cards.evaluate_all("all => all.map(n => n.dataset.suggestion)")
    assert order == [card["id"] for card in result["suggestions"] if card["kind"] != "alert"][:5]


def test_superseded_cards_leave(window: Windows, conversation: str, api: Api) -> None:
    page = desk(window(), conversation)
    for text in (ANGRY, "算了，我想问下优惠券到底怎么叠加"):
        result = api.say(conversation, text)
        for gone in result["superseded"]:
            expect(page.locator(f"[data-suggestion={gone}]")).to_have_count(0)
        for shown in [card["id"] for card in result["suggestions"]][:3]:
            expect(page.locator(f"[data-suggestion={shown}]")).to_have_count(1)


def test_failure_stands_on_the_row_and_can_be_retried(window: Windows, conversation: str) -> None:
    one = window()
    one.is_offline_test = True
    page = desk(one, conversation)

    def refuse(route: Route) -> None:
        route.fulfill(status=503, json={"error": {"code": "unavailable", "message": "", "details": {}}})

    page.route("**/utterances", refuse)
    page.locator("#message").fill("我来查一下")
    page.locator("#message").press("Enter")
    expect(page.locator(".row-failed .bubble")).to_have_text("我来查一下")
    page.unroute("**/utterances")
    page.locator(".row-failed button").first.click()
    expect(page.locator(".row-agent.row-sent .bubble")).to_have_text("我来查一下")
    expect(page.locator(".row-agent")).to_have_count(1)


def test_offline_is_said_and_what_was_missed_comes_after(window: Windows, conversation: str, api: Api) -> None:
    one = window()
    one.is_offline_test = True
    page = desk(one, conversation)
    one.context.set_offline(True)
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    expect(page.locator("#offline")).to_be_visible()
    page.locator("#message").fill("写到一半")
    expect(page.locator("#send")).to_be_disabled()
    api.say(conversation, "还在吗？")
    api.say(conversation, "请尽快回复我")
    one.context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()
    expect(page.locator(".row-customer .bubble")).to_have_text([QUESTION, "还在吗？", "请尽快回复我"])
    expect(page.locator("#message")).to_have_value("写到一半")
    expect(page.locator("#send")).to_be_enabled()


def test_reader_keeps_the_place(window: Windows, api: Api) -> None:
    opened = api.open()
    for number in range(24):
        api.say(opened, f"第 {number} 条记录，请看一下", speaker="system" if number % 2 else "agent")
    page = window(height=640).go(f"/desk?conversation={opened}")
    expect(page.locator(".row")).to_have_count(24)
    frame = page.locator("#transcript")
    expect(page.locator(".row").last).to_be_in_viewport()
    frame.evaluate("node => { node.scrollTop = 0 }")
    page.wait_for_timeout(100)
    api.say(opened, QUESTION)
    expect(page.locator("#new-messages")).to_be_visible()
    assert frame.evaluate("node => node.scrollTop") == 0
    page.locator("#new-messages").click()
    expect(page.locator("#new-messages")).to_be_hidden()
    expect(page.locator(".row").last).to_be_in_viewport()


def test_search(window: Windows, conversation: str) -> None:
    page = desk(window(), conversation)
    page.locator("#transcript").focus()
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("退款 多久")
    hit = page.locator("#results .card").first
    expect(hit).to_be_visible()
    hit.locator("[data-act=source]").click()
    expect(page.locator("#source .source-text")).to_be_visible()
    expect(page.locator("#source dl")).to_contain_text("2026")  # when the article was confirmed
    assert page.locator("#source dl > :not(dt):not(dd)").count() == 0
    assert page.locator("#source dl").evaluate("list => [...list.childNodes].every(node => node.nodeType === 1)")
    page.keyboard.press("Escape")
    expect(page.locator("#source")).to_be_hidden()
    page.locator("#results [data-act=insert]").first.click()
    assert page.locator("#message").input_value()
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(page.locator("#results")).to_be_hidden()
    expect(page.locator("#message")).to_be_focused()


def test_draft_check_underlines_and_rewords(window: Windows, conversation: str) -> None:
    page = desk(window(), conversation)
    page.locator("#message").fill("😀您先冷静一点，我在查。")
    expect(page.locator("#mirror mark")).to_have_count(1)
    marked = page.locator("#mirror mark").inner_text()
    assert "冷静" in marked and "😀" not in marked
    page.locator(".issue button").click()
    expect(page.locator("#message")).not_to_have_value(re.compile("冷静"))
    assert page.locator("#message").input_value().endswith("我在查。")
    expect(page.locator("#issues")).to_be_hidden()
    expect(page.locator("#draft-state")).not_to_be_empty()


def test_better_wording_is_taken_with_a_key(window: Windows, conversation: str) -> None:
    page = desk(window(), conversation)
    page.locator("#message").fill("您先冷静一点。我在查。")
    expect(page.locator(".issue button")).to_be_visible()
    page.locator("#message").press("Alt+Enter")
    expect(page.locator("#message")).not_to_have_value(re.compile("冷静"))
    assert page.locator("#message").input_value().endswith("我在查。")
    expect(page.locator(".row-agent.row-sent")).to_have_count(0)


def test_a_draft_that_cannot_be_checked_says_so(window: Windows, conversation: str) -> None:
    one = window(language="en")
    one.is_offline_test = True  # the browser itself complains about the answer
    page = desk(one, conversation)
    page.route("**/v1/draft_checks", lambda route: route.fulfill(status=429, json={"error": {"code": "overloaded"}}))
    page.locator("#message").fill("I am looking into it")
    expect(page.locator("#draft-state")).to_have_text("Could not check this draft")
    page.locator("#message").fill("")
    expect(page.locator("#draft-state")).to_be_empty()


def test_new_conversation_by_hand_and_wrap_up(window: Windows) -> None:
    page = window(language="en").go("/desk")
    page.locator("#new-conversation").click()
    page.locator("[name=name]").fill("Ada Wong")
    page.locator("[name=tier]").select_option("platinum")
    page.locator("#opening [name=text]").fill("My parcel has not moved for four days, will it arrive by Friday?")
    page.locator("#opening button[type=submit]").click()
    expect(page.locator("#talk-name")).to_have_text("Ada Wong")
    expect(page.locator(".row-customer")).to_have_count(1)
    page.locator("#close-conversation").click()
    expect(page.locator("#wrapup .wrapup-summary li").first).to_be_visible()
    page.locator("#wrapup .quote").first.click()
    expect(page.locator("#wrapup")).to_be_hidden()
    expect(page.locator(".row-customer")).to_be_focused()
    page.locator("#close-conversation").click()
    expect(page.locator("#wrapup .follow-up")).to_contain_text("Call to tell the customer")
    page.keyboard.press("Escape")
    expect(page.locator("#composer")).to_be_hidden()
    page.locator("#close-conversation").click()
    expect(page.locator("#wrapup")).to_be_visible()


def test_watching_cannot_write(window: Windows, conversation: str) -> None:
    page = window().go(f"/desk?conversation={conversation}&watch=1")
    expect(page.locator(".row-customer").first).to_be_visible()
    expect(page.locator("#watching")).to_be_visible()
    expect(page.locator("#composer")).to_be_hidden()
    expect(page.locator("#close-conversation")).to_be_hidden()
    page.locator("#transcript").focus()
    page.keyboard.press("1")
    expect(page.locator("#message")).to_have_value("")


def test_supervisor_reads_along_and_cannot_write(window: Windows, conversation: str) -> None:
    one = window(language="en")
    who = {"name": "Sam", "role": "supervisor", "language": "zh-Hant", "can_write": False}
    one.page.route("**/v1/me", lambda route: route.fulfill(json=who))
    page = desk(one, conversation)
    expect(page.locator("#me")).to_have_text("Sam")
    assert page.evaluate("document.documentElement.lang") == "zh-Hant"
    expect(page.locator("#watching")).to_be_visible()
    for hidden in ("#composer", "#choose-demo", "#new-conversation", "#suggestions [data-act=insert] >> nth=0"):
        expect(page.locator(hidden)).to_be_hidden()


def test_agent_sees_only_the_desk_in_the_menu(window: Windows) -> None:
    one = window()
    who = {"name": "Amy", "role": "agent", "language": None, "can_write": True}
    one.page.route("**/v1/me", lambda route: route.fulfill(json=who))
    page = one.go("/desk")
    expect(page.locator("#me")).to_have_text("Amy")
    expect(page.locator(".topbar nav a:visible")).to_have_count(1)


def test_drafts_stay_with_their_conversation(window: Windows, conversation: str, api: Api) -> None:
    other = api.open("陈思远")
    api.say(other, QUESTION)
    page = desk(window(), conversation)
    page.locator("#message").fill("给赵先生的话")
    page.locator(f"[data-conversation={other}]").click()
    expect(page.locator("#talk-name")).to_have_text("陈思远")
    expect(page.locator("#message")).to_have_value("")
    page.locator(f"[data-conversation={conversation}]").click()
    expect(page.locator("#message")).to_have_value("给赵先生的话")


def test_languages_and_colours_switch_in_place(window: Windows, conversation: str) -> None:
    page = desk(window(language="zh-TW"), conversation)
    assert page.evaluate("document.documentElement.lang") == "zh-Hant"
    expect(page.locator("#send")).to_have_text("傳送")
    page.locator("#message").fill("draft")
    page.locator("#language").select_option("en")
    expect(page.locator("#send")).to_have_text("Send")
    expect(page.locator("#message")).to_have_value("draft")
    expect(page.locator(".row-customer")).to_have_count(1)
    page.reload()
    expect(page.locator("#send")).to_have_text("Send")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    page.locator("#theme").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_narrow_panel_shows_one_pane_and_never_scrolls_sideways(window: Windows, conversation: str) -> None:
    page = desk(window(width=320, height=640, language="en"), conversation)
    for pane in ("inbox", "assist", "talk"):
        page.locator(f"#pane-tabs [data-pane={pane}]").click()
        expect(page.locator(f".pane-{pane}")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.locator("#pane-tabs [data-pane=assist]").click()
    page.locator("[data-act=insert]").first.click()
    expect(page.locator("#message")).to_be_focused()


def outcome_of(api: Api, page: Page, conversation: str, suggestion: str | None) -> dict[str, str]:
    """The log's row of a suggestion once its outcome is in; the page reports it after the message has gone."""
    for _ in range(50):
        row = next(row for row in api.logged(conversation) if row["id"] == suggestion)
        if row["outcome"] != "shown":
            break
        page.wait_for_timeout(100)
    return dict(row)


def test_what_is_known_is_shown_and_grows_with_the_talk(window: Windows, api: Api) -> None:
    order = {"id": "CW20261108-4471", "sku": "K1", "title": "恒温电水壶", "price": 199, "status": "shipped"}
    opened = api.open(customer={"id": "cust_k", "orders": [order], "attributes": {"shoe_size": 38}})
    page = window(language="en").go(f"/desk?conversation={opened}")
    known = page.locator("#known")
    expect(known.locator("[data-known=size]")).to_contain_text("38")
    expect(known.locator("[data-known=size]")).to_contain_text("profile")
    api.say(opened, "电水壶周五之前要到，预算300以内，电话13812345678")
    expect(known.locator("[data-known=order]")).to_contain_text("on its way")
    expect(known.locator("[data-known=deadline]")).to_contain_text("周五")
    expect(known.locator("[data-known=budget]")).to_contain_text("said in turn 1")
    expect(known.locator("[data-known=phone]")).to_contain_text("13812345678")
    expect(known.locator("[data-known=routing]")).to_contain_text("priority")
    page.locator("#language").select_option("zh-Hans")
    expect(known.locator("[data-known=budget]")).to_contain_text("本次对话第 1 句")
    known.locator("summary").click()
    page.reload()
    expect(known.locator("[data-known=budget]")).to_be_hidden()
    expect(known.locator("summary")).to_be_visible()
