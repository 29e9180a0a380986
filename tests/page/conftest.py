"""A real browser before the real server. No page may complain in the console or call elsewhere."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from windows import Api, Window

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NO_BROWSER = f"no browser: none of {', '.join(BROWSERS)} is installed, so NO PAGE WAS TESTED"
_skipped: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents and "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.page)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _skipped:
        terminalreporter.section("page tests", red=True, bold=True)
        terminalreporter.line(_skipped[0], red=True, bold=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        _skipped.append(NO_BROWSER)
        pytest.skip(NO_BROWSER)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.fixture
def api(browser: Browser, server: str) -> Api:
    """The service as another system uses it. Asks for the browser first: without one no server is needed."""
    return Api(server)


@pytest.fixture
def window(browser: Browser, api: Api) -> Iterator[Callable[..., Window]]:
    """Opens windows: `window(language="en", width=400)`. At the end none of them may have complained or called out."""
    opened: list[Window] = []
    with ExitStack() as stack:

        def make(*, language: str = "zh-CN", width: int = 1440, height: int = 900, dark: bool = False) -> Window:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                locale=language,
                color_scheme="dark" if dark else "light",
                reduced_motion="reduce",
            )
            stack.callback(context.close)
            context.set_default_timeout(15_000)
            made = Window(context, api.url)
            opened.append(made)
            return made

        yield make
        for one in opened:
            assert one.foreign == []
            if not one.is_offline_test:
                assert one.complaints == []
