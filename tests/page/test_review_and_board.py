"""The reviewers' log and the supervisors' board."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from playwright.sync_api import expect
from windows import Api, Window

Windows = Callable[..., Window]


def test_verdict_by_keyboard_is_in_the_log(window: Windows, api: Api) -> None:
    conversation = api.open()
    api.say(conversation, "请问退款多久能到账？")
    page = window().go("/review")
    row = page.locator("#log-rows tr").first
    expect(row).to_have_attribute("aria-selected", "true")
    judged = row.get_attribute("data-suggestion")
    row.focus()
    page.keyboard.press("j")
    expect(page.locator("#log-rows tr").nth(1)).to_be_focused()
    page.keyboard.press("k")
    page.locator("#note").fill("数字有误 2")
    page.locator("[data-verdict=wrong]").click()
    expect(page.locator("#verdict-state")).not_to_be_empty()
    (review,) = next(row for row in api.logged(conversation) if row["id"] == judged)["reviews"]
    assert (review["verdict"], review["note"]) == ("wrong", "数字有误 2")
    row.focus()
    page.keyboard.press("1")
    expect(page.locator("[data-verdict=helpful]")).to_have_attribute("aria-pressed", "true")


def test_filters_narrow_the_log_and_stay_in_the_address(window: Windows, api: Api) -> None:
    agent = f"agent_{uuid4().hex}"
    conversation = api.open(agent={"id": agent})
    api.say(conversation, "请问退款多久能到账？")
    expected = {row["id"] for row in api.logged(conversation)}
    page = window(language="en").go("/review")
    page.locator("[name=agent]").fill(agent)
    expect(page.locator("#log-rows tr")).to_have_count(len(expected))
    assert set(page.locator("#log-rows tr").evaluate_all("all => all.map(n => n.dataset.suggestion)")) == expected
    expect(page.locator("#detail .context li[aria-current=true]")).to_be_visible()
    page.reload()
    expect(page.locator("#log-rows tr")).to_have_count(len(expected))
    page.locator("[name=outcome]").select_option("dismissed")
    expect(page.locator("#log-foot .empty")).to_be_visible()
    expect(page.locator("#verdict")).to_be_hidden()
    page.locator("#filters button").click()
    expect(page.locator("#log-rows tr").first).to_be_visible()


def test_long_log_is_paged(window: Windows, api: Api) -> None:
    while len(api.call("GET", "/v1/suggestions?limit=60")["suggestions"]) < 60:
        conversation = api.open()
        for text in ("请问退款多久能到账？", "可以换尺码吗？", "优惠券怎么叠加？", "会不会丢件啊，我很担心"):
            api.say(conversation, text)
    page = window().go("/review")
    expect(page.locator("#log-rows tr")).to_have_count(50)
    page.locator("#log-foot button").click()
    page.wait_for_function("() => document.querySelectorAll('#log-rows tr').length > 50")
    ids = page.locator("#log-rows tr").evaluate_all("all => all.map(n => n.dataset.suggestion)")
    assert len(ids) == len(set(ids))


def test_board_shows_a_conversation_rise_and_opens_it_to_watch(window: Windows, api: Api) -> None:
    calm, hot = api.open("Calm"), api.open("Hot")
    api.say(calm, "这款有黑色的吗？")
    api.say(hot, "这款有黑色的吗？")
    page = window().go("/board")
    row = page.locator(f"[data-conversation={hot}]")
    expect(row).to_have_attribute("data-risk", "low")
    risk = 0.0
    for text in ("都催了三次了！", "你们就是骗子！马上退钱！", "一群废物，我要打12315投诉，再也不买了！！"):
        risk = api.say(hot, text)["conversation"]["escalation_risk"]
    expect(row.locator(".board-risk")).to_contain_text(f"{round(risk * 100)}%")
    expect(row).to_have_attribute("data-risk", "high")
    order = page.locator(".board-row").evaluate_all("all => all.map(n => n.dataset.conversation)")
    assert order.index(hot) < order.index(calm)
    expect(page.locator("#alarm")).to_contain_text("Hot")
    expect(page.locator("#sound")).to_have_attribute("aria-pressed", "false")
    page.locator("[name=risk]").select_option("high")
    expect(page.locator(f"[data-conversation={calm}]")).to_have_count(0)
    row.click()
    page.wait_for_url(re.compile("watch=1"))
    expect(page.locator("#watching")).to_be_visible()


def test_board_and_desk_say_that_a_clock_runs_out_though_nobody_speaks(window: Windows, api: Api) -> None:
    conversation = api.open("Waiting")
    asked = datetime.now(UTC) - timedelta(seconds=50)
    said = {"speaker": "customer", "text": "请问退款多久能到账？", "at": asked.isoformat()}
    board = window(language="en").go("/board")
    row = board.locator(f"[data-conversation={conversation}]")
    expect(row).to_be_visible()
    desk = window(language="en").go(f"/desk?conversation={conversation}")
    api.call("POST", f"/v1/conversations/{conversation}/utterances", said)
    expect(row.locator(".clock[data-state=due_soon]")).to_contain_text("First reply")
    expect(row.locator(".badge-priority")).to_contain_text("priority 4")
    expect(desk.locator("#overdue")).to_be_hidden()
    expect(row.locator(".clock[data-state=overdue]")).to_contain_text("First reply", timeout=20_000)
    expect(row.locator(".badge-priority")).to_contain_text("priority 3")
    expect(board.locator("#announcer")).to_contain_text("First reply is overdue")
    expect(desk.locator("#overdue")).to_contain_text("First reply is overdue")
    expect(desk.locator("#alarm")).to_contain_text("First reply is overdue")
    desk.reload()
    expect(desk.locator("#overdue")).to_contain_text("First reply is overdue")
    api.say(conversation, "您好，我来查", speaker="agent")
    expect(desk.locator("#overdue")).to_be_hidden()
    expect(row.locator(".clock[data-state=overdue]")).to_have_count(0)


def test_closed_conversations_leave_the_board(window: Windows, api: Api) -> None:
    conversation = api.open()
    page = window().go("/board")
    expect(page.locator(f"[data-conversation={conversation}]")).to_be_visible()
    api.call("POST", f"/v1/conversations/{conversation}/closure", {})
    expect(page.locator(f"[data-conversation={conversation}]")).to_have_count(0)
