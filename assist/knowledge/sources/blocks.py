"""What every document is read into: headings, paragraphs and list items in order. HTML and plain text are read here.

Only text leaves: scripts, styles, forms, comments, attributes and hidden parts of a page never do.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

Kind = Literal["heading", "text", "step", "item"]


class Block(NamedTuple):
    """One line of a document. `level` is a heading's (1–6); `page` is 0 where there are no pages.

    `step` is an item of a numbered list, `item` one of a list without numbers.
    """

    kind: Kind
    text: str
    level: int = 0
    page: int = 0


_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
_BLOCKS: Final = frozenset(
    "address article blockquote body br dd details div dl dt fieldset figcaption figure hr html li main ol p pre "
    "section summary table tbody tfoot thead tr ul".split()
) | frozenset(_HEADINGS)
_UNREAD: Final = frozenset(
    "aside audio base button canvas datalist dialog embed footer form frame frameset head header iframe img input link "
    "map meta nav noembed noframes noscript object option param script select style svg math template textarea title "
    "video xmp plaintext".split()
)
_HIDDEN_STYLE: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])", re.I)
_LINK: Final = re.compile(r"https?://[^\s()<>\[\]\\\"'`]{1,500}")
_EMPTY_LINK: Final = re.compile(r"\[\s*\]\([^)\s]*\)")
_IS_HTML: Final = re.compile(
    r"<(?:/?(?:p|div|span|br|ul|ol|li|h[1-6]|table|tr|td|b|strong|em|i|a|script|style|html|body|img|iframe|svg|font)"
    r"(?=[\s/>])|!--|!doctype)",
    re.I,
)
_SPACE: Final = re.compile(r"\s+")
_CONTROLS: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_NUMBERED: Final = re.compile(r"[ \t]*(?:步[骤驟]|[Ss]tep[ \t]*)?[（(]?(\d{1,2})[.)、．）:：][ \t]*(?=[^\d\s])(.+)")
_CIRCLED: Final = re.compile(r"[ \t]*([①-⑳])[ \t]*(\S.*)")
_BULLET: Final = re.compile(r"[ \t]*[-*•·●▪‣–][ \t]+(\S.*)")
_MARKED_HEADING: Final = re.compile(r"[ \t]{0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*")


def clean(text: str) -> str:
    """One line of `sound` text with its white space collapsed."""
    return _SPACE.sub(" ", sound(text)).strip()


def sound(text: str) -> str:
    """The text without control, invisible and direction-changing characters and halves of surrogate pairs."""
    return _CONTROLS.sub("", text)


def of_html(html: str) -> tuple[str, list[Block]]:
    """(content of the title tag, blocks) of an HTML page or fragment.

    If the page marks its main part, only that is read. Links keep their address if it is http(s).
    """
    tree = LexborHTMLParser(html)
    title = tree.css_first("title")
    root = tree.css_first("main") or tree.css_first("[role=main]") or tree.css_first("article") or tree.body
    blocks = list(_walk(root)) if root is not None else []
    return clean(title.text()) if title is not None else "", blocks


def of_text(text: str, page: int = 0) -> list[Block]:
    """Blocks of plain text or light Markdown: `#` headings, numbered lines, bullets; a blank line ends a paragraph.

    A text that holds HTML is read as HTML.
    """
    if _IS_HTML.search(text):
        return of_html(text)[1]
    blocks: list[Block] = []
    paragraph: list[str] = []

    def close() -> None:
        if joined := clean(join(paragraph)):
            blocks.append(Block("text", joined, 0, page))
        paragraph.clear()

    for raw in text.splitlines():
        line = sound(raw)
        if not line.strip():
            close()
        elif found := _MARKED_HEADING.fullmatch(line):
            close()
            blocks.append(Block("heading", clean(found[2]), len(found[1]), page))
        elif found := _NUMBERED.fullmatch(line):
            close()
            blocks.append(Block("step", clean(found[2]), int(found[1]), page))
        elif found := _CIRCLED.fullmatch(line):
            close()
            blocks.append(Block("step", clean(found[2]), int(unicodedata.numeric(found[1])), page))
        elif found := _BULLET.fullmatch(line):
            close()
            blocks.append(Block("item", clean(found[1]), 0, page))
        else:
            paragraph.append(line)
    close()
    return _real_lists(blocks)


def join(lines: list[str]) -> str:
    """Lines of one paragraph in one: a space between Latin words, nothing between Han characters."""
    joined = ""
    for line in map(str.strip, lines):
        joined += f" {line}" if joined[-1:].isascii() and line[:1].isascii() and joined else line
    return joined


def _real_lists(blocks: list[Block]) -> list[Block]:
    """Numbered lines that count up from 1 are steps; any other is a paragraph that begins with a number."""
    kept: list[Block] = []
    at = 0
    while at < len(blocks):
        end = at
        while end < len(blocks) and blocks[end].kind == "step" and blocks[end].level == end - at + 1:
            end += 1
        if end - at >= 2:
            kept += [block._replace(level=0) for block in blocks[at:end]]
            at = end
            continue
        block = blocks[at]
        kept.append(Block("text", f"{block.level}. {block.text}", 0, block.page) if block.kind == "step" else block)
        at += 1
    return kept


def _walk(root: LexborNode) -> Iterator[Block]:
    """Text in document order. Iterative, since a hostile page may be nested a million deep."""
    words: list[str] = []
    lists: list[str] = []
    level = 0
    in_item = False
    kind: Kind = "text"

    def flush() -> Iterator[Block]:
        nonlocal kind
        if text := clean(_EMPTY_LINK.sub("", "".join(words))).strip("| "):
            yield Block("heading" if level else kind, text, level)
            kind = "text"
        words.clear()

    node: LexborNode | None = root
    while node is not None:
        tag = node.tag or ""
        entered = False
        if node.is_text_node:
            words.append(node.text_content or "")
        elif node.is_element_node and tag not in _UNREAD and not _is_hidden(node):
            entered = True
            if tag in _BLOCKS and not (in_item and tag in ("p", "div", "br")):
                yield from flush()
            elif tag in _BLOCKS:
                words.append(" ")
            if tag in ("ul", "ol"):
                lists.append(tag)
                in_item = False
            elif tag == "li":
                kind = "step" if lists and lists[-1] == "ol" else "item"
                in_item = True
            elif tag in _HEADINGS:
                level = _HEADINGS[tag]
            elif tag in ("td", "th"):
                words.append(" | " if words else "")
            elif tag == "a" and (address := _address(node)):
                words.append("[")
        if entered and node.child is not None:
            node = node.child
            continue
        while node is not None:
            tag = node.tag or ""
            if entered:
                if tag == "a" and (address := _address(node)):
                    words.append(f"]({address})")
                if tag in _BLOCKS and not (in_item and tag in ("p", "div", "br")):
                    yield from flush()
                if tag in ("ul", "ol") and lists:
                    lists.pop()
                elif tag == "li":
                    in_item, kind = False, "text"
                elif tag in _HEADINGS:
                    level = 0
            if node.mem_id == root.mem_id:
                node = None
            elif node.next is not None:
                node = node.next
                break
            else:
                node, entered = node.parent, True
    yield from flush()


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    return bool(attributes) and (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or _HIDDEN_STYLE.search(attributes.get("style") or "") is not None
    )


def _address(node: LexborNode) -> str | None:
    found = _LINK.fullmatch((node.attributes.get("href") or "").strip())
    return found[0] if found else None
