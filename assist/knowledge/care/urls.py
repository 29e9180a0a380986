"""Asks web addresses whether they are still there."""

import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

TIMEOUT_S: Final = 10.0
AT_ONCE: Final = 8
GONE: Final = frozenset({404, 410})
"""Other refusals (403, 429, 5xx) mean that the server does not like to be asked, not that the page is gone."""
_HEADERS: Final = {"User-Agent": "assist-knowledge-check"}


def dead_urls(urls: Sequence[str], progress: Callable[[int, int], None] | None = None) -> Mapping[str, str]:
    """Those of the http(s) addresses that lead nowhere, each with the reason. One that does not answer counts."""
    dead: dict[str, str] = {}
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for done, (url, reason) in enumerate(zip(urls, threads.map(_reason, urls), strict=True), 1):
            if reason:
                dead[url] = reason
            if progress is not None:
                progress(done, len(urls))
    return dead


def _reason(url: str) -> str:
    """Why the address is dead; empty if it is not. Servers that refuse HEAD are asked with GET."""
    for method in ("HEAD", "GET"):
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, method=method, headers=_HEADERS), timeout=TIMEOUT_S
            ):
                return ""
        except urllib.error.HTTPError as error:
            if method == "GET":
                return f"the server says {error.code}" if error.code in GONE else ""
        except (OSError, ValueError) as error:
            return f"no answer: {getattr(error, 'reason', None) or error}"
        except Exception as error:  # http.client raises its own for a broken reply
            return f"no answer: {error}"
    return ""
