"""What others wrote becomes articles and cases: documents, FAQ tables and help desk exports."""

import json
from datetime import date
from pathlib import Path

import pytest
from made_documents import docx, pdf, xlsx

from assist.domain import Article
from assist.errors import KnowledgeError
from assist.knowledge.passages import answer_of, split, steps_of, tokens
from assist.knowledge.sources import Content, read_folder
from assist.knowledge.sources.blocks import of_text
from assist.knowledge.sources.convert import Converter, Unreadable
from assist.knowledge.sources.documents import MAX_TOKENS

ZH = "签收后7天内可以申请退货，商品须未使用、包装完整。退款会退回原付款方式。"
TW = "簽收後7天內可以申請退貨，商品須未使用、包裝完整。退款會退回原付款方式。"
EN = "You can return unused goods within 7 days of receipt. We refund the price to your card."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "articles").mkdir()
    (tmp_path / "cases").mkdir()
    (tmp_path / "situations.toml").write_text(
        '[returns]\nnames = {zh-Hans = "退货", zh-Hant = "退貨", en = "returns"}\nexamples = ["return it"]\n'
    )
    return tmp_path


def read(folder: Path, files: dict[str, str | bytes]) -> Content:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_folder(folder)


def articles(folder: Path, name: str, data: str | bytes) -> tuple[Article, ...]:
    content = read(folder, {f"articles/{name}": data})
    assert content.problems == ()
    return content.articles


def said(content: Content) -> list[str]:
    return [str(problem) for problem in content.problems]


STEPS_PAGE = f"""<html lang=en><head><title>Help | Shop</title></head><body><nav>Home</nav>
<h1>Returning a parcel</h1><p>{EN}</p>
<ol><li><p>Open the <b>order</b></p></li><li>Choose return<br>and confirm</li></ol>
<p>See <a href="https://shop.example/returns">our page</a> or <a href="javascript:x()">this</a>.</p>
<h2>Agent notes</h2><p>Never promise a date.</p></body></html>"""


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("returns.html", STEPS_PAGE),
        (
            "returns.md",
            f"# Returning a parcel\n\n{EN}\n\n1. Open the **order**\n2. Choose return\n   and confirm\n\n"
            "See [our page](https://shop.example/returns) or this.\n\n## Agent notes\n\nNever promise a date.\n",
        ),
    ],
)
def test_a_page_becomes_an_article_with_answer_steps_and_notes(folder, name, data):
    (article,) = articles(folder, name, data)
    assert article.body == (
        f"{EN}\n\n## Steps\n\n1. Open the order\n2. Choose return and confirm\n\n"
        "See [our page](https://shop.example/returns) or this.\n\n## Agent notes\n\nNever promise a date."
    )
    assert (article.id, article.language, article.title) == (name, "en", "Returning a parcel")
    assert (article.status, article.situation, article.audience) == ("published", "", "customer")
    assert [cut.section for cut in split(article.body)] == ["answer", "steps", "notes"]


@pytest.mark.parametrize(("text", "language", "heading"), [(ZH, "zh-Hans", "步骤"), (TW, "zh-Hant", "步驟")])
def test_language_is_detected_and_steps_are_named_in_it(folder, text, language, heading):
    data = docx([("Heading1", text[:6]), ("", text), ("Number", text[3:9]), ("Number", text[10:14])])
    (article,) = articles(folder, "a.docx", data)
    assert article.language == language
    assert f"\n## {heading}\n\n1. {text[3:9]}\n2. {text[10:14]}" in article.body
    assert answer_of(article.body) == text and steps_of(article.body) == (text[3:9], text[10:14])


def test_chinese_with_english_product_names_stays_chinese(folder):
    (article,) = articles(folder, "a.html", f"<p>{ZH}</p><p>请在 My Account 页面选择 AirFryer Pro return label。</p>")
    assert article.language == "zh-Hans"


def test_language_versions_share_an_id(folder):
    content = read(folder, {"articles/a.en.html": f"<p>{EN}</p>", "articles/a.zh-Hans.html": f"<p>{ZH}</p>"})
    assert [(a.id, a.language) for a in content.articles] == [("a.html", "en"), ("a.html", "zh-Hans")]


def test_a_title_comes_from_heading_title_tag_or_file_name(folder):
    files = {
        "articles/one.html": f"<title>tag</title><h1>heading</h1><p>{EN}</p>",
        "articles/two.html": f"<title>tag</title><p>{EN}</p>",
        "articles/three.html": f"<p>{EN}</p>",
    }
    assert sorted(a.title for a in read(folder, files).articles) == ["heading", "tag", "three"]


def test_a_list_that_is_all_there_is_can_be_sent(folder):
    (article,) = articles(folder, "a.html", "<h1>Return it</h1><ol><li>Open the order<li>Choose return</ol>")
    assert answer_of(article.body) == "1. Open the order\n2. Choose return"


def test_what_is_only_for_agents_is_an_article_for_agents(folder):
    (article,) = articles(folder, "a.html", f"<h1>Refunds</h1><h2>Agent notes</h2><p>{EN}</p>")
    assert article.audience == "agent"


def test_a_long_document_is_cut_at_its_headings(folder):
    page = f"<h1>Returns</h1><p>{EN}</p>" + "".join(f"<h2>Part {n}</h2>{f'<p>{EN}</p>' * 5}" for n in range(4))
    found = articles(folder, "a.html", page)
    assert [a.title for a in found] == ["Returns", *(f"Returns: Part {n}" for n in range(4))]
    assert len({a.id for a in found}) == 5 and all("##" not in a.body for a in found)


def test_an_article_keeps_its_id_when_another_section_is_put_before_it(folder):
    parts = "".join(f"<h2>Part {n}</h2>{f'<p>{EN}</p>' * 9}" for n in range(3))
    before = {a.title: a.id for a in articles(folder, "a.html", f"<h1>Returns</h1>{parts}")}
    after = {a.title: a.id for a in articles(folder, "a.html", f"<h1>Returns</h1><h2>New</h2><p>{EN}</p>{parts}")}
    assert before.items() < after.items()


def test_headings_that_are_questions_make_an_article_each(folder):
    page = f"<title>FAQ</title><h2>How long does it take?</h2><p>{EN}</p><h2>Who pays?</h2><p>We do, for faults.</p>"
    found = articles(folder, "faq.html", page)
    assert [(a.title, a.questions) for a in found] == [
        ("How long does it take?", ("How long does it take?",)),
        ("Who pays?", ("Who pays?",)),
    ]


def test_a_pdf_is_read_without_running_lines_and_cut_by_heading(folder):
    pages = [
        [(9.0, "Clearwater manual"), *lines, (9.0, str(number))]
        for number, lines in enumerate(
            [
                [
                    (22.0, "Kettle"),
                    (11.0, "Fill the kettle up to the mark before you switch"),
                    (11.0, "it on. Then wait."),
                ],
                [(16.0, "Warranty"), *[(11.0, EN)] * 9],
                [(16.0, "保修"), (11.0, "电热水壶保修两年，请保留发票。"), *[(11.0, EN)] * 9],
            ],
            1,
        )
    ]
    found = articles(folder, "manual.pdf", pdf(pages))
    assert [a.title for a in found] == ["Kettle", "Kettle: Warranty", "Kettle: 保修"]
    assert found[0].body == "Fill the kettle up to the mark before you switch it on. Then wait."
    assert not any("Clearwater" in a.body for a in found)


def test_a_long_pdf_without_headings_is_cut_by_pages(folder):
    words = "First Second Third Fourth Fifth Sixth Seventh Eighth Ninth Tenth Eleventh Twelfth".split()
    found = articles(
        folder, "manual.pdf", pdf([[(11.0, f"{word} {EN}") for word in words[page:]] for page in range(6)])
    )
    assert len(found) > 2
    assert found[0].title.startswith("manual (p. 1") and found[-1].title.endswith("6)")
    assert all(tokens(a.body) <= MAX_TOKENS for a in found)


def test_one_endless_paragraph_is_cut_at_sentences(folder):
    found = articles(folder, "a.html", f"<p>{ZH * 200}</p>")
    assert all(tokens(a.body) <= MAX_TOKENS and a.body.endswith("。") for a in found)
    assert "".join(a.body for a in found) == ZH * 200


@pytest.mark.parametrize(
    ("language", "header"),
    [
        ("en", ["ID", "Question", "Answer", "Tags", "Valid until"]),
        ("zh-Hans", ["编号", "问题", "答案", "标签", "有效期至"]),
        ("zh-Hant", ["編號", "問題", "回答", "標籤", "到期日"]),
    ],
)
@pytest.mark.parametrize("form", ["csv", "xlsx", "semicolons"])
def test_a_row_of_a_table_is_an_article(folder, form, language, header):
    text = {"en": EN, "zh-Hans": ZH, "zh-Hant": TW}[language]
    rows = [
        header,
        ["refund", f"{text[:8]}？\n{text[4:9].strip()}？", text, "a、b", "2030/1/31"],
        ["", text[5:12], text, "", ""],
    ]
    if form == "xlsx":
        (first, second) = articles(folder, "faq.xlsx", xlsx({"FAQ": [["标题行"], [], *rows]}))
        ids = ("faq.xlsx.refund", "faq.xlsx.r5")
    else:
        mark = "," if form == "csv" else ";"
        data = "\r\n".join(mark.join(f'"{cell}"' for cell in row) for row in rows)
        (first, second) = articles(folder, "faq.csv", data.encode("utf-8-sig"))
        ids = ("faq.csv.refund", "faq.csv.r4")
    assert (first.id.split(".")[-1], second.id) == ("refund", ids[1])
    assert (first.language, first.tags, first.valid_until) == (language, ("a", "b"), date(2030, 1, 31))
    assert (first.title, first.questions) == (f"{text[:8]}？", (f"{text[:8]}？", f"{text[4:9].strip()}？"))
    assert first.body == second.body == text


def test_cells_of_a_table_are_named_in_problems(folder):
    rows = [
        ["question", "answer", "valid_until", "language", "situation"],
        ["How?", None, None, None, None],
        ["How?", EN, "soon", None, None],
        ["How?", EN, None, "fr", "refund"],
        ["How?", EN, None, "en-GB", "returns"],
        [None, EN, None, None, None],
        ["Comment?", "Vous pouvez retourner les articles dans les sept jours.", None, None, None],
    ]
    content = read(folder, {"articles/faq.xlsx": xlsx({"Returns": rows, "Cover": [["by", "Lin"]]})})
    assert [(a.situation, a.language) for a in content.articles] == [("returns", "en")]
    assert said(content) == [
        "articles/faq.xlsx:2: sheet 'Returns', cell B2: answer: is empty",
        "articles/faq.xlsx:3: sheet 'Returns', cell C3: valid_until: soon is not a date such as 2026-11-23",
        "articles/faq.xlsx:4: sheet 'Returns', cell D4: language: fr is not one of zh-Hans, zh-Hant, en",
        "articles/faq.xlsx:4: sheet 'Returns', cell E4: situation: refund is not one of returns",
        "articles/faq.xlsx:6: sheet 'Returns', cell A6: question: is empty",
        "articles/faq.xlsx:7: sheet 'Returns', cell B7: answer: is in none of zh-Hans, zh-Hant, en",
    ]
    assert content.dropped == {"articles: a sheet without a question and an answer column": 1}


def test_a_row_with_an_unquoted_comma_is_named_and_not_cut_short(folder):
    rows = "question,answer\nHow long?,Seven days, except opened food\nWho pays?,The shop pays for every return\n"
    content = read(folder, {"articles/faq.csv": rows})
    assert [article.title for article in content.articles] == ["Who pays?"]
    (problem,) = said(content)
    assert problem.startswith("articles/faq.csv:2: has 3 cells, the header 2")


def test_aliases_in_front_matter_are_refused_before_they_grow(folder):
    bomb = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    content = read(folder, {"articles/bomb.en.md": f"---\n{bomb}---\n{EN}\n", "articles/good.html": f"<p>{EN}</p>"})
    assert len(content.articles) == 1
    assert said(content)[0].startswith("articles/bomb.en.md:4: an alias (*) is not read here")


def test_each_unclosed_quote_costs_its_own_line_only(folder):
    rows = "".join(f'"never {n},x\nWhat of {n}?,{EN}\n' for n in range(60)) + f'"a"b,c\nWho pays?,{EN}\n' * 60
    content = read(folder, {"articles/faq.csv": f"question,answer\n{rows}"})
    assert len(content.articles) == 120


def test_lines_that_an_unclosed_quote_takes_with_it_are_named(folder, monkeypatch):
    monkeypatch.setattr("assist.knowledge.sources.tables._MAX_REWINDS", 0)
    content = read(
        folder, {"articles/faq.csv": f'question,answer\nHow?,{EN}\n"never,x\nWhen?,{EN}\n"b"c,d\nWho?,{EN}\n'}
    )
    assert [article.title for article in content.articles] == ["How?", "Who?"]
    (problem,) = said(content)
    assert problem.startswith("articles/faq.csv:3: not valid CSV") and problem.endswith(
        "the lines up to 5 are not read"
    )


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [("en", ZH, None), ("zh-TW", ZH, None), ("en", EN, "en"), ("中文", TW, "zh-Hant"), ("zh", ZH, "zh-Hans")],
)
def test_a_row_is_in_the_language_that_it_claims(folder, language, text, expected):
    content = read(folder, {"articles/faq.csv": f"问题,答案,语言\n{text[:9]},{text},{language}\n"})
    assert [article.language for article in content.articles] == ([expected] if expected else [])
    assert all("but the language is" in problem for problem in said(content)) and bool(said(content)) != bool(expected)


def test_html_in_a_cell_is_read_as_html(folder):
    answer = f"<p>{EN}</p><script>alert(1)</script><ol><li>Open it</li><li>Send it</li></ol>"
    (article,) = articles(folder, "faq.csv", f'question,answer\nHow?,"{answer}"\n')
    assert article.body == f"{EN}\n\n## Steps\n\n1. Open it\n2. Send it"


def test_notes_of_a_table_are_for_the_agent(folder):
    (article,) = articles(folder, "faq.csv", f"问题,答案,备注\n怎么退货？,{ZH},不要承诺日期\n")
    assert article.body == f"{ZH}\n\n## 内部说明\n\n不要承诺日期"


def test_lines_of_json_are_articles(folder):
    lines = [
        {"_id": "gift-cards", "title": "Gift cards", "text": "Gift cards are valid for 3 years.", "metadata": {}},
        {"body": ZH, "language": "zh-CN"},
        {"title": "Empty", "text": " "},
    ]
    content = read(folder, {"articles/a.jsonl": "\n".join(json.dumps(line) for line in lines)})
    assert [(a.id, a.language, a.title) for a in content.articles] == [
        ("gift-cards", "en", "Gift cards"),
        ("a.jsonl.r2", "zh-Hans", ZH),
    ]
    assert said(content) == ["articles/a.jsonl:3: answer: is empty"]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        *((encoding, text) for encoding in ("utf-8", "utf-8-sig", "utf-16", "gb18030") for text in (ZH, EN)),
        ("utf-16-le", EN),
        ("utf-16-be", EN),
        ("big5", TW),
        ("utf-8", TW),
        ("utf-16", TW),
    ],
)
def test_encodings_are_told_apart(folder, encoding, text):
    files = {
        "articles/a.md": f"# {text[:4]}\n\n{text}\n".encode(encoding),
        "articles/b.html": f"<h1>{text[:4]}</h1><p>{text}</p>".encode(encoding),
        "articles/c.csv": f"question,answer\n{text[:4]},{text}\n".encode(encoding),
        "articles/d.jsonl": json.dumps({"text": text}, ensure_ascii=False).encode(encoding),
    }
    content = read(folder, files)
    assert content.problems == ()
    assert [a.body for a in content.articles] == [text] * 4


def test_a_page_that_names_its_encoding_is_believed(folder):
    page = '<meta charset="big5"><p>退</p>'.encode("big5")
    assert articles(folder, "a.html", page)[0].body == "退"


KOREAN = "상품은 수령 후 칠일 이내에 반품할 수 있습니다. 환불은 원래 결제 수단으로 진행됩니다. 포장을 보관해 주세요."
JAPANESE = "商品は受け取り後七日以内に返品できます。返金は元の支払い方法で行われます。包装と領収書を保管してください。"


@pytest.mark.parametrize(("encoding", "text"), [("utf-16-le", ZH), ("utf-16-be", ZH), ("utf-16-le", TW)])
def test_utf_16_without_a_mark_is_read_in_chinese_too(folder, encoding, text):
    assert articles(folder, "a.md", f"# {text[:4]}\n\n{text}\n".encode(encoding))[0].body == text


@pytest.mark.parametrize(
    ("encoding", "text"), [("euc_kr", KOREAN), ("euc_jp", JAPANESE), ("shift_jis", JAPANESE), ("utf-16-le", KOREAN)]
)
def test_other_languages_never_become_wrong_chinese(folder, encoding, text):
    files = {
        "articles/a.md": f"{text}\n".encode(encoding),
        "articles/b.csv": f"question,answer\n{text[:9]},{text}\n".encode(encoding),
    }
    content = read(folder, files)
    assert content.articles == ()
    assert {problem.path for problem in content.problems} == {"articles/a.md", "articles/b.csv"}


def test_a_page_of_several_articles_is_read_whole(folder):
    gifts = "<article><h2>Gifts</h2><p>Gift cards never expire.</p></article>"
    page = f"<article><h2>Returns</h2><p>{EN}</p></article>{gifts}"
    (article,) = articles(folder, "a.html", page)
    assert EN in article.body and "Gift cards never expire." in article.body


def test_a_folded_list_of_questions_keeps_questions_and_answers(folder):
    page = f"""<h1>FAQ</h1><button>Menu</button>
<button aria-expanded="false" aria-controls="one">How long does it take?</button><div id="one" hidden>{EN}</div>
<button class="accordion">Who pays?</button><div class="panel"><p>We do, for faults.</p></div>
<details><summary>Is it insured?</summary><p>Every parcel is.</p></details>
<button aria-expanded="false" aria-controls="four x">Can I swap?</button><div id="four" aria-hidden="true">Yes.</div>
<p hidden>A draft.</p>"""
    found = articles(folder, "faq.html", page)
    assert {a.title.removeprefix("FAQ: "): a.body for a in found} == {
        "How long does it take?": EN,
        "Who pays?": "We do, for faults.",
        "Is it insured?": "Every parcel is.",
        "Can I swap?": "Yes.",
    }
    page = f"""<h3><button aria-controls="one">How long?</button></h3><p id="one" hidden>{EN}</p>
<h3><button aria-controls="two">Who pays?</button></h3><p id="two" hidden>We do, for faults.</p>"""
    found = articles(folder, "faq.html", page)
    assert [(a.title, a.body) for a in found] == [("How long?", EN), ("Who pays?", "We do, for faults.")]


def test_a_link_around_blocks_and_in_a_heading_leaves_no_marks(folder):
    page = (
        f'<h1><a href="https://x.example/1">Returns</a></h1><a href="https://x.example/2"><div>{EN}</div></a>'
        '<p>See <a href="https://x.example/3">here</a><a href="https://x.example/4"></a>.</p>'
    )
    (article,) = articles(folder, "a.html", page)
    assert (article.title, article.body) == ("Returns", f"{EN}\n\nSee [here](https://x.example/3).")


def test_links_out_of_the_folder_are_not_followed_for_single_files(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "glossary.txt").write_text("secret | word\n")
    (outside / "columns.toml").write_text(COLUMNS)
    (folder / "glossary.txt").symlink_to(outside / "glossary.txt")
    (folder / "cases" / "columns.toml").symlink_to(outside / "columns.toml")
    content = read(folder, {"articles/a.html": f"<p>{EN}</p>"})
    assert content.glossary == () and len(content.articles) == 1
    assert {problem.path for problem in content.problems} == {"glossary.txt", "cases/columns.toml"}
    (folder / "situations.toml").rename(outside / "situations.toml")
    (folder / "situations.toml").symlink_to(outside / "situations.toml")
    with pytest.raises(KnowledgeError, match=r"situations\.toml:1: a link out"):
        read_folder(folder)


def test_what_is_not_read_is_said(folder):
    files = {f"{name}/{file}": "x" for name in ("phrases", "products") for file in ("old.csv", "notes")}
    content = read(folder, {**files, "cases/2025/a.jsonl": "{}", "articles/a.html": f"<p>{EN}</p>"})
    assert content.dropped == {
        "phrases: not a list in .jsonl (.csv)": 1,
        "phrases: not a list in .jsonl (no suffix)": 1,
        "products: not a list in .jsonl (.csv)": 1,
        "products: not a list in .jsonl (no suffix)": 1,
    }
    assert said(content) == ["cases/2025:1: a folder inside cases/ is not read"]


@pytest.mark.timeout(120)
def test_hostile_text_is_read_once(folder):
    pieces = ["# ", "#\t#", "[](", "[", "!", "☺ ", "<a href=https://x.example/>[](", "步骤", "- "]
    files = {
        f"articles/{number}.html": f"<pre>{piece * (200_000 // len(piece))}" for number, piece in enumerate(pieces)
    }
    files["articles/alike.html"] = f"<h1>All</h1>{f'<h2>Same</h2><p>{EN}</p>' * 4000}"
    files["articles/headings.html"] = "<h2>☺</h2>" * 30_000 + f"<p>{EN}</p>"
    content = read(folder, files)
    assert len([article for article in content.articles if article.id.startswith("alike.html")]) == 4000
    for block in ("# " + " " * 200_000 + "x", "# " * 100_000, "#" * 200_000):
        assert of_text(block)[0].text


def test_links_inside_the_folder_are_followed_to_files_only(folder):
    (folder / "store").mkdir()
    (folder / "store" / "a.html").write_text(f"<p>{EN}</p>")
    (folder / "articles" / "a.html").symlink_to("../store/a.html")
    (folder / "articles" / "more").symlink_to("../store")
    content = read_folder(folder)
    assert [a.id for a in content.articles] == ["a.html"]
    assert said(content) == ["articles/more:1: a link to a folder is not followed"]


def test_pictures_are_counted_and_old_formats_named(folder):
    content = read(folder, {"articles/a.png": b"x", "articles/b.doc": b"x", "articles/.DS_Store": b"x"})
    assert content.dropped == {"articles: not an article (.png)": 1}
    assert said(content) == ["articles/b.doc:1: .doc files are not read; save it as .docx"]


def test_strict_stops_at_what_is_broken(folder):
    (folder / "articles" / "a.pdf").write_bytes(pdf([[]]))
    with pytest.raises(KnowledgeError, match=r"articles/a\.pdf:1: holds pictures of text"):
        read_folder(folder, strict=True)


COLUMNS = """
[[export]]
files = ["desk*.csv", "desk*.jsonl"]
csat_scale = [0, 100]

[export.columns]
"Ticket ID" = "id"
Subject = "problem"
Description = "problem"
"Last reply" = "reply"
Status = "outcome"
Score = "csat"
Solved = "closed_at"
Requester = "name"

[export.values.outcome]
solved = "resolved"
open = "unresolved"

[export.values.csat]
great = 5

[export.defaults]
channel = "email"
"""
HEADER = "Ticket ID,Subject,Description,Last reply,Status,Score,Solved,Requester\n"
REPLY = "the refund was sent again today and reaches your card within 3 days."


def test_an_export_becomes_redacted_cases(folder):
    row = f'71,Refund,"<p>I am Ann Poe, write to ann@poe.example. The refund is late</p>","Hello Ann, {REPLY}",'
    content = read(
        folder, {"cases/columns.toml": COLUMNS, "cases/desk.csv": f"{HEADER}{row}Solved,75,2026-05-01T10:00,Ann Poe\n"}
    )
    (case,) = content.cases
    assert case.problem == "Refund\nI am [NAME], write to [EMAIL]. The refund is late"
    assert case.reply == case.resolution == f"Hello [NAME], {REPLY}"
    assert (case.id, case.channel, case.outcome, case.csat) == ("desk.71", "email", "resolved", 4)
    assert (case.language, case.situation, case.closed_at) == ("en", "", date(2026, 5, 1))
    assert content.problems == ()


@pytest.mark.parametrize("before", range(4985, 5001))
def test_a_number_that_the_longest_text_would_cut_is_redacted(folder, before):
    problem = ("The parcel is late. " * 300)[:before] + " 13812345678"
    row = f'1,Late,"{problem}",{REPLY},Solved,75,2026-05-01,Ann Poe'
    (case,) = read(folder, {"cases/columns.toml": COLUMNS, "cases/desk.csv": f"{HEADER}{row}\n"}).cases
    assert "138" not in case.problem


def test_markup_before_a_number_does_not_cut_it_in_half(folder):
    for before in range(19_960, 20_000, 7):
        problem = "<p>The parcel is late.</p>" + "<b></b>" * (before // 7) + "call 13812345678 today"
        row = f'1,Late,"{problem}",{REPLY},Solved,75,2026-05-01,Ann Poe'
        (case,) = read(folder, {"cases/columns.toml": COLUMNS, "cases/desk.csv": f"{HEADER}{row}\n"}).cases
        assert "138" not in case.problem and "today" in case.problem


@pytest.mark.parametrize(
    ("theirs", "id_"),
    [
        ("ann@poe.example", "desk.r2"),
        ("13812345678", "desk.r2"),
        ("Ann Poe", "desk.r2"),
        ("202605010001", "desk.202605010001"),
        ("TK-7", "desk.TK-7"),
    ],
)
def test_an_id_that_names_a_person_is_not_kept(folder, theirs, id_):
    row = f"{theirs},Refund late,My refund is two weeks late,Hello; {REPLY},Solved,75,2026-05-01,Ann Poe"
    (case,) = read(folder, {"cases/columns.toml": COLUMNS, "cases/desk.csv": f"{HEADER}{row}\n"}).cases
    assert case.id == id_


@pytest.mark.parametrize(
    ("problem", "reply", "language"),
    [
        ("商品有破洞，可以退嗎", "您好，已在今天安排全部退回，您可以放心，明天就能收到", "zh-Hant"),
        ("明天可以送到家吗", "您好，已在今天安排全部退回，您可以放心，明天就能收到", "zh-Hans"),
        ("明天可以送到家中", "您好，這筆訂單已經安排出貨，三天之內會送達，請您放心", "zh-Hant"),
        ("包裹還沒收到，請問", "您好，这笔订单已经安排发货，三天之内会送达，请您放心", None),
    ],
)
def test_a_text_of_shared_characters_fits_both_scripts(folder, problem, reply, language):
    row = f"1,,{problem},{reply},Solved,75,2026-05-01,"
    content = read(folder, {"cases/columns.toml": COLUMNS, "cases/desk.csv": f"{HEADER}{row}\n"})
    assert [case.language for case in content.cases] == ([language] if language else [])


def test_a_channel_that_nobody_explained_does_not_cost_the_case(folder):
    columns = (
        COLUMNS.replace('Requester = "name"', 'Requester = "channel"')
        .replace("[export.defaults]", "")
        .replace('channel = "email"', "")
    )
    rows = [
        f"{n},{what},My {what} is two weeks late,Hello; {REPLY},Solved,75,,"
        for n, what in ((1, "parcel"), (2, "refund"))
    ]
    content = read(
        folder, {"cases/columns.toml": columns, "cases/desk.csv": HEADER + "\n".join(row + "WhatsApp" for row in rows)}
    )
    assert [case.channel for case in content.cases] == ["chat", "chat"][: len(content.cases)] and content.cases
    assert said(content) == [
        "cases/desk.csv:2: channel: WhatsApp is not explained in columns.toml, [export.values.channel]"
    ]


def test_cases_that_differ_in_placeholders_only_are_copies(folder):
    rows = [
        f"{n},Refund late,My refund to {who} is late,Hello; {REPLY},Solved,75,2026-05-01,"
        for n, who in ((1, "ann@poe.example"), (2, "13812345678"))
    ]
    content = read(folder, {"cases/columns.toml": COLUMNS, "cases/desk.csv": HEADER + "\n".join(rows)})
    assert content.dropped == {"cases: copy": 1}


def test_cases_that_teach_nothing_are_dropped_and_counted(folder):
    rows = [
        f"1,Refund late,My refund for order 1111 is two weeks late,Hello; {REPLY},Solved,20,2026-05-01,",
        f"2,Refund late,My refund for order 2222 is two weeks late,Hello; {REPLY},Solved,great,2026-05-01,",
        f"3,Refund late,My refund for order 2222 is three weeks late,Hello; {REPLY},Solved,,2026-05-01,",
        f"4,Kettle leaks,The kettle leaks at the bottom,Hello; {REPLY},Open,,,",
        "5,hi,hello,thanks,Solved,,,",
        f"6,Kettle leaks,The kettle leaks at the bottom,{ZH},Solved,,,",
        f"7,Kettle leaks,The kettle leaks at the bottom,Hello; {REPLY},Pending,,,",
        f"8,Kettle leaks,The kettle leaks at the bottom,Hello; {REPLY},Pending,,,",
        f"9,Kettle leaks,The kettle leaks at the bottom,Hello; {REPLY},,,,",
    ]
    content = read(folder, {"cases/columns.toml": COLUMNS, "cases/desk.csv": HEADER + "\n".join(rows)})
    assert [(case.id, case.csat) for case in content.cases] == [("desk.2", 5)]
    assert content.dropped == {
        "cases: another language, or answered in another one": 1,
        "cases: copy": 1,
        "cases: near copy": 1,
        "cases: no outcome": 1,
        "cases: outcome not understood": 2,
        "cases: too thin": 1,
        "cases: unresolved": 1,
    }
    assert said(content) == [
        "cases/desk.csv:8: outcome: Pending is not explained in columns.toml, [export.values.outcome]"
    ]


def test_an_export_in_json_may_be_nested(folder):
    columns = COLUMNS.replace("Subject =", '"ticket.subject" =').replace("Description =", '"ticket.comments" =')
    record = {
        "Ticket ID": 5,
        "ticket": {"subject": "退款", "comments": ["退款两周了还没到账", "已经等了很久"]},
        "Last reply": "您好，退款今天已经重新发起，三个工作日内会退回您的银行卡，请您留意。",
        "Status": "solved",
        "Score": 100,
        "Solved": None,
        "Requester": "王小明",
    }
    files = {"cases/columns.toml": columns, "cases/desk.jsonl": json.dumps(record, ensure_ascii=False)}
    (case,) = read(folder, files).cases
    assert (case.language, case.problem) == ("zh-Hans", "退款\n退款两周了还没到账\n已经等了很久")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("files = [", "files = 1 #", "files: a list of file names such as"),
        ('"problem"', '"trouble"', "trouble is not one of id, language"),
        ('Status = "outcome"', "", "columns: problem, outcome, and reply or resolution are needed"),
        ("[0, 100]", "[0]", "csat_scale: the worst and the best mark are needed"),
        ('"resolved"', '"done"', "values.outcome: only resolved, partly, unresolved are known"),
        ('open = "unresolved"', 'open = ["unresolved"]', "values.outcome: each of our words has to be a text"),
        ("great = 5", "great = 9", "values.csat: whole numbers from 1 to 5 are needed"),
        ("[export.defaults]", "[export.default]", "default: unknown field"),
        ("[[export]]", "[export]", "each export needs a table that begins with [[export]]"),
        ("[[export]]", "[[export", "not valid TOML"),
    ],
)
def test_a_wrong_mapping_is_explained(folder, old, new, message):
    content = read(folder, {"cases/columns.toml": COLUMNS.replace(old, new, 1), "cases/own.jsonl": ""})
    assert any(message in problem for problem in said(content)), said(content)


def test_an_export_without_its_columns_is_named(folder):
    content = read(folder, {"cases/columns.toml": COLUMNS, "cases/desk.csv": "a,b\n", "cases/other.csv": HEADER})
    assert "cases/desk.csv:1: has no column Ticket ID, which columns.toml names" in said(content)
    assert "cases/other.csv:1: cases/columns.toml does not say what its columns mean" in said(content)


def test_a_file_that_takes_too_long_or_too_much_costs_only_itself(tmp_path):
    good, far = tmp_path / "good.html", tmp_path / "far.xlsx"
    good.write_text(f"<p>{EN}</p>")
    far.write_bytes(xlsx({"FAQ": [["question"]]}, tail='<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'))
    with Converter(seconds=0) as hasty, pytest.raises(Unreadable, match="takes longer than 0 s"):
        hasty.convert(good)
    with Converter() as converter:
        with pytest.raises(Unreadable, match="memory"):
            converter.convert(far)
        assert converter.convert(good)["blocks"] == [["text", EN, 0, 0]]
