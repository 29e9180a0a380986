"""What every document is read into: headings, paragraphs and list items in order. HTML and plain text are read here.

Only text leaves: scripts, styles, forms, comments, attributes and hidden parts of a page never do.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from typing import Final, Literal, NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

Kind = Literal["heading", "text", "step", "item"]


class Block(NamedTuple):
    """One line of a document. `level` is a heading's (1–7); `page` is 0 where there are no pages.

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
    "aside audio base canvas datalist dialog embed footer form frame frameset head header iframe img input link "
    "map meta nav noembed noframes noscript object option param script select style svg math template textarea title "
    "video xmp plaintext".split()
)
_OPENERS: Final = ("button", "summary")
_OPENER_LEVEL: Final = 7
"""What opens a part of the page is its heading, below all others."""
_HIDDEN_STYLE: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])", re.I)
_LINK: Final = re.compile(r"https?://[^\s()<>\[\]\\\"'`]{1,500}")
HTML: Final = re.compile(
    r"<(?:/?(?:p|div|span|br|ul|ol|li|h[1-6]|table|tr|td|b|strong|em|i|a|script|style|html|body|img|iframe|svg|font)"
    r"(?=[\s/>])|!--|!doctype)",
    re.I,
)
_SPACE: Final = re.compile(r"\s+")
_CONTROLS: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
_NUMBERED: Final = re.compile(r"[ \t]*(?:步[骤驟]|[Ss]tep[ \t]*)?[（(]?(\d{1,2})[.)、．）:：][ \t]*(?=[^\d\s])(.+)")
_CIRCLED: Final = re.compile(r"[ \t]*([①-⑳])[ \t]*(\S.*)")
_BULLET: Final = re.compile(r"[ \t]*[-*•·●▪‣–][ \t]+(\S.*)")
_MARKED_HEADING: Final = re.compile(r"[ \t]{0,3}(#{1,6})[ \t]+(.+)")


def clean(text: str) -> str:
    """One line of `sound` text with its white space collapsed."""
    return _SPACE.sub(" ", sound(text)).strip()


def sound(text: str) -> str:
    """The text without control, invisible and direction-changing characters and halves of surrogate pairs."""
    return _CONTROLS.sub("", text)


def of_html(html: str) -> tuple[str, list[Block]]:
    """(content of the title tag, blocks) of an HTML page or fragment.

    If the page marks one main part, only that is read. Links keep their address if it is http(s). A hidden part is read
    if a button opens it, as the answers of a folded list of questions are.
    """
    tree = LexborHTMLParser(html)
    title = tree.css_first("title")
    marked = (tree.css(selector) for selector in ("main", "[role=main]", "article"))
    root = next((found[0] for found in marked if len(found) == 1), tree.body)
    opened = {id_ for node in tree.css("[aria-controls]") for id_ in _attribute(node, "aria-controls").split()}
    blocks = list(_walk(root, opened)) if root is not None else []
    return clean(title.text()) if title is not None else "", blocks


def of_text(text: str, page: int = 0) -> list[Block]:
    """Blocks of plain text or light Markdown: `#` headings, numbered lines, bullets; a blank line ends a paragraph.

    A text that holds HTML is read as HTML.
    """
    if HTML.search(text):
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
            if heading := _unmarked(clean(found[2])):
                blocks.append(Block("heading", heading, len(found[1]), page))
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


def _unmarked(heading: str) -> str:
    """A heading without the # that may close it; the one of C# stays."""
    text = heading.rstrip("#")
    return text.rstrip() if not text or text.endswith(" ") else heading


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


def _walk(root: LexborNode, opened: Collection[str]) -> Iterator[Block]:
    """Text in document order. Iterative, since a hostile page may be nested a million deep."""
    words: list[str] = []
    lists: list[str] = []
    level = 0
    in_item = False
    link: int | None = None
    kind: Kind = "text"

    def flush() -> Iterator[Block]:
        nonlocal kind, link
        if text := clean("".join(words)).strip("| "):
            yield Block("heading" if level else kind, text, level)
            kind = "text"
        words.clear()
        link = None  # one around several blocks has no words of its own

    node: LexborNode | None = root
    while node is not None:
        tag = node.tag or ""
        entered = False
        if node.is_text_node:
            words.append(node.text_content or "")
        elif node.is_element_node and _is_read(node, tag, level, opened):
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
            elif tag in _OPENERS and not level:
                yield from flush()
                level = _OPENER_LEVEL
            elif tag in ("td", "th"):
                words.append(" | " if words else "")
            elif tag == "a":
                link = len(words)
        if entered and node.child is not None:
            node = node.child
            continue
        while node is not None:
            tag = node.tag or ""
            if entered:
                if tag == "a" and link is not None and not level and (address := _address(node)):
                    if any(map(str.strip, words[link:])):
                        words.insert(link, "[")
                        words.append(f"]({address})")
                if tag in _BLOCKS and not (in_item and tag in ("p", "div", "br")):
                    yield from flush()
                if tag in ("ul", "ol") and lists:
                    lists.pop()
                elif tag == "li":
                    in_item, kind = False, "text"
                elif tag in _HEADINGS:
                    level = 0
                elif tag in _OPENERS and level == _OPENER_LEVEL:
                    yield from flush()
                    level = 0
            if node.mem_id == root.mem_id:
                node = None
            elif node.next is not None:
                node = node.next
                break
            else:
                node, entered = node.parent, True
    yield from flush()


def _is_read(node: LexborNode, tag: str, level: int, opened: Collection[str]) -> bool:
    if tag in _UNREAD:
        return False
    attributes = node.attributes
    if tag == "button" and not level and not attributes.keys() & {"aria-expanded", "aria-controls"}:
        return "accordion" in _attribute(node, "class")
    is_hidden = (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or _HIDDEN_STYLE.search(_attribute(node, "style")) is not None
    )
    return not is_hidden or _attribute(node, "id") in opened


def _address(node: LexborNode) -> str | None:
    found = _LINK.fullmatch(_attribute(node, "href").strip())
    return found[0] if found else None


def _attribute(node: LexborNode, name: str) -> str:
    return node.attributes.get(name) or ""
