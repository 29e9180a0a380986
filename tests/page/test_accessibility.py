"""axe-core (from the package axe-playwright-python) over every page, in both colour schemes, wide and narrow."""

from collections.abc import Callable
from importlib import resources
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from windows import Api, Window

Windows = Callable[..., Window]

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """Serious and critical findings, one line each."""
    page.evaluate(AXE)
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run(document)).violations")
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


@pytest.fixture
def conversation(api: Api) -> str:
    opened = api.open(customer={
        "id": "cust_axe", "name": "陳嘉儀", "tier": "platinum",
        "orders": [{"id": "CW20261101-0001", "sku": "S1", "title": "Aqua 電壓力鍋", "price": 499, "status": "shipped"}],
        "cart": [{"sku": "S2", "title": "濾芯", "price": 59, "quantity": 2}],
        "contacts": [{"at": "2026-11-01T08:00:00Z", "channel": "voice", "summary": "詢問配送進度", "open": True}],
        "attributes": {"city": "香港"},
    })  # fmt: skip
    for text in ("都催三次了，到底什麼時候到？", "你們就是騙子！我要找消保會！"):
        api.say(opened, text)
    return opened


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1440, 400])
def test_desk(window: Windows, conversation: str, dark: bool, width: int) -> None:
    page = window(dark=dark, width=width, language="zh-TW").go(f"/desk?conversation={conversation}")
    expect(page.locator(".row-customer")).to_have_count(2)
    page.wait_for_timeout(400)
    assert violations(page) == []
    if width == 400:
        page.locator("#pane-tabs [data-pane=assist]").click()
    page.locator("#history summary").click()
    assert violations(page) == []
    page.locator("#search").fill("退款")
    expect(page.locator("#results .card, #results .empty").first).to_be_visible()
    page.wait_for_timeout(400)
    assert violations(page) == []


def test_desk_dialogs(window: Windows, conversation: str) -> None:
    page = window(language="en").go(f"/desk?conversation={conversation}")
    expect(page.locator(".row-customer")).to_have_count(2)
    dialogs = {
        "#show-shortcuts": "#shortcuts",
        "#choose-demo": "#demos",
        "#new-conversation": "#opening",
        "#close-conversation": "#wrapup",
    }
    for button, dialog in dialogs.items():
        page.locator(button).click()
        expect(page.locator(dialog)).to_be_visible()
        page.wait_for_timeout(200)
        assert violations(page) == []
        page.keyboard.press("Escape")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", ["/desk", "/review", "/board"])
def test_pages(window: Windows, conversation: str, path: str, dark: bool) -> None:
    page = window(dark=dark, language="en").go(path)
    page.wait_for_timeout(800)
    assert conversation
    assert violations(page) == []


def test_skip_link_and_keyboard_reach_the_list(window: Windows, conversation: str, api: Api) -> None:
    api.open("Second")
    page = window().go(f"/desk?conversation={conversation}")
    expect(page.locator(".row-customer")).to_have_count(2)
    page.locator(".skip-link").focus()
    expect(page.locator(".skip-link")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#message")).to_be_focused()
    stops = page.locator(".inbox-entry[tabindex='0']")
    expect(stops).to_have_count(1)
    stops.focus()
    entries = page.locator(".inbox-entry")
    page.keyboard.press("Home")
    expect(entries.first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(entries.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(entries.last).to_be_focused()
