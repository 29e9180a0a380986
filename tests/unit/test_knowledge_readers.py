"""Our own formats: what is right becomes records, what is wrong is named with file and line and left out."""

import json
import shutil
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pytest

from assist.errors import KnowledgeError
from assist.knowledge.sources import read_folder, read_phrases

SAMPLE = Path(__file__).parent.parent / "data" / "knowledge"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE, tmp_path / "knowledge"))


def problems(folder: Path) -> list[str]:
    with pytest.raises(KnowledgeError) as caught:
        read_folder(folder, strict=True)
    assert caught.value.details["problems"] == [str(problem) for problem in caught.value.problems]
    return caught.value.details["problems"]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_sample_becomes_records():
    content = read_folder(SAMPLE)
    article = next(a for a in content.articles if (a.id, a.language) == ("refund-time", "zh-Hant"))
    assert article.situation == "refund"
    assert article.valid_from == date(2026, 1, 1) and article.valid_until is None
    assert article.questions == ("退款要幾天", "刷卡的錢何時退回")
    assert article.body.startswith("退款會退回原付款方式")
    assert content.phrases[1].slots == ("name",)
    assert content.products[1].price == 99.5
    assert content.cases[3].csat == 5
    assert [s.id for s in content.situations] == ["refund", "cancel", "safety", "delivery", "small_talk"]
    assert ("退款", "退钱", "退錢", "refund", "money back") in content.glossary


def test_an_articles_version_changes_with_its_file(folder):
    path = folder / "articles/late-parcel.en.md"
    before = {(a.id, a.language): a.version for a in read_folder(folder).articles}
    edit(path, "48 hours", "49 hours")
    after = {(a.id, a.language): a.version for a in read_folder(folder).articles}
    assert {key for key in before if before[key] != after[key]} == {("late-parcel", "en")}


INVISIBLE = "\u202e\u061c\u200c\u200d\u180e\ufff9\U000e0041"


def test_invisible_and_direction_changing_characters_do_not_come_in(folder):
    edit(folder / "articles/late-parcel.en.md", "A late parcel", f"A {INVISIBLE}late parcel")
    edit(folder / "articles/late-parcel.en.md", "48 hours", f"48 {INVISIBLE}hours")
    edit(folder / "cases/cases.jsonl", '"reply": "', r'"reply": "\u202e\u061c\u180e')
    content = read_folder(folder, strict=True)
    said = json.dumps([asdict(content)], default=str, ensure_ascii=False)
    assert not any(char in said for char in INVISIBLE)


@pytest.mark.parametrize(
    ("file", "old", "new", "line"),
    [
        ("articles/late-parcel.en.md", "the carrier.", "the carrier.\n<!-- not\nyet -->", 20),
        ("articles/late-parcel.en.md", "the carrier.", "the <b>carrier</b>.", 19),
        ("cases/cases.jsonl", '"reply": "', '"reply": "<br>', 1),
        ("phrases/phrases.jsonl", '"text": "', '"text": "<script>x</script>', 1),
    ],
)
def test_html_in_what_customers_get_is_named(folder, file, old, new, line):
    edit(folder / file, old, new)
    assert any(said.startswith(f"{file}:{line}: ") and "holds HTML" in said for said in problems(folder))


def test_windows_line_ends_and_a_byte_order_mark_are_fine(folder):
    path = folder / "articles/late-parcel.en.md"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert next(a for a in read_folder(folder).articles if a.id == "late-parcel").body.count("\r") == 0


def test_everything_wrong_is_said_at_once(folder):
    edit(folder / "articles/late-parcel.en.md", "status: published", "status: printed")
    edit(folder / "cases/cases.jsonl", '"csat": 5', '"csat": 9')
    edit(folder / "phrases/phrases.jsonl", "ph_3", "ph_1")
    assert problems(folder) == [
        "articles/late-parcel.en.md:5: status: printed is not one of archived, draft, published",
        "cases/cases.jsonl:1: csat: a whole number from 1 to 5 is needed",
        "phrases/phrases.jsonl:3: phrase ph_1 stands in phrases/phrases.jsonl:1 already",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("id: late-parcel", "id: later-parcel", "2: id: the file should be called later-parcel.en.md"),
        ("id: late-parcel", "id: [1]", "2: id: a text is needed"),
        ('"A late parcel"', "", "3: title: a text is needed"),
        ("language: en", "language: fr", "4: language: fr is not one of en, zh-Hans, zh-Hant"),
        ("valid_from: 2026-01-01", "valid_from: 2026-13-01", "not valid YAML: month must be in 1..12"),
        ("valid_from: 2026-01-01", "valid_from: soon", "6: valid_from: a date such as 2026-11-23 is needed, or null"),
        ("valid_from: 2026-01-01", "valid_from: 2026-01-01 10:00:00", "6: valid_from: a date such as"),
        ("valid_until: null", "valid_until: 2025-01-01", "7: valid_until: lies before valid_from"),
        ("channel: [all]", "channel: all", "9: channel: a list of texts is needed"),
        ("channel: [all]", "channel: [fax]", "9: channel: fax is not known"),
        ("products: []", "products: [T-KIT-0009]", "1: products: T-KIT-0009 is neither a SKU nor a category"),
        ("situation: delivery", "situation: deliverance", "12: situation: deliverance is not one of cancel, delivery"),
        ("audience: customer", "audience: everyone", "13: audience: everyone is not one of agent, customer"),
        ("tags: []", "tags: []\ntags: []", "12: tags stands here twice"),
        ("tags: []", "tag: []", "11: tag: unknown field"),
        ("tags: []", "tags: [", "not valid YAML"),
        ("tags: []", "? [a]\n: b", "not valid YAML"),
        ("---\nid", "id", "1: front matter between two lines of --- is needed"),
        ("A parcel without a scan", "## Steps\nA parcel", "19: the body has to begin with the answer"),
        ("the carrier.", "the carrier.\n\n## Secrets\nx", "21: heading Secrets is not one of"),
        ("the carrier.", "[it](article:nowhere).", "1: the link article:nowhere leads nowhere"),
        (
            "A parcel without a scan for 48 hours is",
            "超过48小时没有物流的包裹会被调查，请放心",
            "4: language: reads as mixed",
        ),
    ],
)
def test_a_broken_article_is_named(folder, old, new, said):
    edit(folder / "articles/late-parcel.en.md", old, new)
    found = problems(folder)
    assert all(problem.startswith("articles/late-parcel.en.md:") for problem in found)
    assert any(said in problem for problem in found), found


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("cases/cases.jsonl", '"outcome": "resolved"', '"outcome": "solved"', "1: outcome: solved is not one of"),
        ("cases/cases.jsonl", '"closed_at": "2026-05-01"', '"closed_at": "May"', "1: closed_at: a date such as"),
        ("cases/cases.jsonl", '"csat": 5', '"csat": NaN', "1: not valid JSON: NaN is not a number"),
        ("cases/cases.jsonl", '"csat": 5', '"csat": 5, "csat": 4', "1: not valid JSON: a field stands here twice"),
        ("cases/cases.jsonl", '"products": []', '"products": ["X"]', "1: products: X is neither a SKU nor a category"),
        ("cases/cases.jsonl", "退货两周了信用卡还没收到钱", "still no money after weeks", "1: problem: reads as en"),
        ("cases/cases.jsonl", "退货两周了信用卡还没收到钱", "退貨兩週了錢還沒到", "1: problem: reads as zh-Hant"),
        ("phrases/phrases.jsonl", "{name}", "{other}", "2: slots: the text uses {other}, the list says {name}"),
        ("phrases/phrases.jsonl", "{name}", "{name}}", "2: text: a brace without its partner"),
        ("phrases/phrases.jsonl", '["angry"]', '["cross"]', "1: emotions: cross is not known"),
        ("phrases/phrases.jsonl", '["angry"]', "[]", "1: emotions: may not be empty"),
        ("phrases/phrases.jsonl", '["angry"]', '["angry"], "review": "done"', "1: review: done is not one of approved"),
        ("phrases/phrases.jsonl", '["angry"]', '["angry"], "author": 7', "1: author: a text is needed"),
        ("products/products.jsonl", '"price": 199', '"price": "199"', "1: price: a number from"),
        ("products/products.jsonl", '"price": 199', '"price": 0', "1: price: a number from"),
        ("products/products.jsonl", '"stock": 5', '"stock": 5.5', "1: stock: a whole number from"),
        ("products/products.jsonl", '"stock": 5', '"stock": true', "1: stock: a whole number from"),
        ("products/products.jsonl", '"consumable": false', '"consumable": 1', "1: consumable: true or false is needed"),
        ("products/products.jsonl", '"en": "air fryer"', '"fr": "x"', "1: title: needs zh-Hans, zh-Hant, en"),
        ("products/products.jsonl", '["T-KIT-0002"]', '["T-KIT-0001"]', "1: alternatives: T-KIT-0001 is not another"),
        ("products/products.jsonl", '{"sku"', '[{"sku"', "1: not valid JSON"),
        ("situations.toml", "[cancel]", "[cancel", "5: not valid TOML"),
        ("situations.toml", "examples = [", "example = [", "1: examples: a list of texts is needed"),
        ("glossary.txt", "快递|包裹", "快递|退款|包裹", "3: 退款 stands in line 2 already"),
        ("glossary.txt", "充电宝|行動電源|power bank", "充电宝", "4: two or more words"),
    ],
)
def test_a_broken_line_is_named(folder, file, old, new, said):
    edit(folder / file, old, new)
    assert any(problem.startswith(f"{file}:") and said in problem for problem in problems(folder)), problems(folder)


def test_only_approved_phrases_are_content(folder):
    path = folder / "phrases/phrases.jsonl"
    edit(path, '["angry"]', '["angry"], "review": "draft", "author": "Mei", "reason": "for the shy"')
    content, everything = read_folder(folder), read_phrases(folder)
    assert [phrase.review for phrase in everything] == ["draft"] + ["approved"] * (len(everything) - 1)
    assert (everything[0].author, everything[0].reason) == ("Mei", "for the shy")
    assert content.phrases == everything[1:] and content.dropped["phrases: draft"] == 1
    edit(path, '["angry"]', '["cross"]')
    with pytest.raises(KnowledgeError, match=r"phrases.jsonl:1: emotions: cross is not known"):
        read_phrases(folder)


def test_reading_goes_on_past_what_is_wrong(folder):
    edit(folder / "articles/late-parcel.en.md", "status: published", "status: printed")
    edit(folder / "cases/cases.jsonl", '"csat": 5', '"csat": 9')
    edit(folder / "products/products.jsonl", '"price": 199', '"price": "199"')
    edit(folder / "glossary.txt", "快递|包裹", "快递|退款|包裹")
    whole, content = read_folder(SAMPLE), read_folder(folder)
    assert [a for a in whole.articles if a.id != "late-parcel"] == list(content.articles)
    assert whole.cases[1:] == content.cases and whole.phrases == content.phrases
    assert [p.sku for p in content.products] == ["T-KIT-0002", "T-AUD-0001"]
    assert not any("T-KIT-0001" in (*p.alternatives, *p.complements) for p in content.products)
    assert len(content.glossary) == len(whole.glossary) - 1
    assert {problem.path for problem in content.problems} == {
        "articles/late-parcel.en.md",
        "cases/cases.jsonl",
        "glossary.txt",
        "products/products.jsonl",
    }
    assert whole.problems == () and whole.dropped == {}


def test_links_and_products_that_do_not_exist_are_named_but_cost_no_article(folder):
    edit(folder / "articles/late-parcel.en.md", "products: []", "products: [T-KIT-0009]")
    edit(folder / "articles/late-parcel.en.md", "the carrier.", "[it](article:nowhere).")
    content = read_folder(folder)
    assert next(a for a in content.articles if a.id == "late-parcel").products == ()
    assert len(content.problems) == 2


def test_the_first_of_two_records_with_one_id_stays(folder):
    lines = (folder / "phrases/phrases.jsonl").read_text()
    (folder / "phrases/zz.jsonl").write_text(lines.splitlines()[0] + "\n")
    content = read_folder(folder)
    assert content.phrases == read_folder(SAMPLE).phrases
    assert [str(p).partition(" stands")[0] for p in content.problems] == ["phrases/zz.jsonl:1: phrase ph_1"]


def test_nothing_is_read_without_situations_or_when_nothing_is_valid(folder, tmp_path):
    (folder / "situations.toml").write_text("[refund")
    with pytest.raises(KnowledgeError, match="not valid TOML"):
        read_folder(folder)
    bare = tmp_path / "bare"
    (bare / "articles").mkdir(parents=True)
    (bare / "situations.toml").write_text("")
    (bare / "articles/a.jsonl").write_text("[]")
    with pytest.raises(KnowledgeError, match="a JSON object is needed"):
        read_folder(bare)


def test_only_the_first_problems_of_a_file_are_listed(folder):
    with (folder / "cases/cases.jsonl").open("a") as file:
        file.write("[]\n" * 500)
    found = read_folder(folder).problems
    assert len(found) == 101
    assert str(found[-1]) == "cases/cases.jsonl:1: 400 further problems in this file are not listed"


def test_endless_aliases_in_front_matter_are_not_spelt_out(folder):
    laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
        for before, name in zip("abcdefghi", "bcdefghij", strict=True)
    )
    edit(folder / "articles/late-parcel.en.md", "language: en\n", f"{laughs}language: *j\n")
    assert any("an alias (*) is not read here" in problem for problem in problems(folder))


def test_broken_bytes_are_named_by_line(folder):
    with (folder / "cases/cases.jsonl").open("ab") as file:
        file.write(b'{"id": "\xff"}\n')
    assert problems(folder)[0].startswith("cases/cases.jsonl:5: byte ")


def test_a_copy_of_an_article_is_named(folder):
    shutil.copy(folder / "articles/late-parcel.en.md", folder / "articles/copy.en.md")
    assert problems(folder) == ["articles/copy.en.md:2: id: the file should be called late-parcel.en.md"]


def test_huge_files_and_lines_are_refused(folder):
    (folder / "articles/big.en.md").write_text("x" * 1_000_001)
    with (folder / "cases/cases.jsonl").open("a") as file:
        file.write(json.dumps({"id": "x" * 200_000}) + "\n")
    assert problems(folder) == [
        "articles/big.en.md:1: larger than 1,000,000 bytes; split it",
        "cases/cases.jsonl:5: longer than 100,000 characters",
    ]


def test_deep_nesting_is_a_problem_not_a_crash(folder):
    with (folder / "cases/cases.jsonl").open("a") as file:
        file.write("[" * 50_000 + "\n")
    edit(folder / "articles/late-parcel.en.md", "tags: []", "tags: " + "[" * 20_000)
    assert len(problems(folder)) == 2


def test_a_folder_in_place_of_a_file_is_a_problem(folder):
    (folder / "articles/dir.en.md").mkdir()
    assert problems(folder) == ["articles/dir.en.md:1: cannot be read: Is a directory"]


def test_a_missing_folder_and_missing_situations(tmp_path):
    with pytest.raises(KnowledgeError, match="no knowledge folder"):
        read_folder(tmp_path / "none")
    assert problems(tmp_path) == ["situations.toml:1: cannot be read: No such file or directory"]


def test_only_situations_are_needed(tmp_path):
    (tmp_path / "situations.toml").write_text("")
    content = read_folder(tmp_path)
    assert content.articles == content.cases == content.products == content.glossary == ()
