"""Asks web addresses whether they are still there."""

import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

TIMEOUT_S: Final = 10.0
AT_ONCE: Final = 8
GONE: Final = frozenset({404, 410})
"""Other refusals (403, 429, 5xx) mean that the server does not like to be asked, not that the page is gone."""
_SAFE: Final = "%/:=&?~#+!$,;'@()*[]"
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
    """Why the address is dead; empty if it is not. Servers that refuse or do not answer HEAD are asked with GET."""
    said = ""
    for method in ("HEAD", "GET"):
        try:
            request = urllib.request.Request(_in_ascii(url), method=method, headers=_HEADERS)
            with urllib.request.urlopen(request, timeout=TIMEOUT_S):
                return ""
        except urllib.error.HTTPError as error:
            said = f"the server says {error.code}" if error.code in GONE else ""
        except Exception as error:  # beside OSError and ValueError, http.client raises its own for a broken reply
            said = f"no answer: {getattr(error, 'reason', None) or error}"
    return said


def _in_ascii(url: str) -> str:
    """The address as it goes over the wire, where people write it with Chinese characters."""
    parts = urlsplit(url)
    host = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
    return urlunsplit((parts.scheme, host, *(quote(part, safe=_SAFE) for part in parts[2:])))
