"""Cutting articles into passages."""

import pytest

from assist.knowledge.passages import MAX_TOKENS, answer_of, plain, reply_of, split, steps_of, tokens

BODY = """We look into it **today**. See [refunds](article:refund-time).

## Steps
1. Open the order.
2. Tap "help".
   - with a photo
10. Wait.

## Agent notes
Never say this.
"""


def test_sections_become_passages_with_exact_spans():
    cuts = split(BODY)
    assert [cut.section for cut in cuts] == ["answer", "steps", "notes"]
    assert BODY[cuts[1].start : cuts[1].end].startswith("## Steps\n1. Open")
    assert BODY[cuts[2].start :] == "## Agent notes\nNever say this.\n"


def test_the_answer_can_be_sent_as_it_stands():
    assert answer_of(BODY) == "We look into it today. See refunds."
    assert answer_of("Only an answer.") == "Only an answer."
    assert answer_of("## Steps\n1. x") == ""


def test_steps_lose_their_numbers():
    assert steps_of(BODY) == ("Open the order.", 'Tap "help".', "Wait.")
    assert steps_of("答案\n\n## 步驟\n1、打開。\n2．完成。") == ("打開。", "完成。")
    assert steps_of("no steps") == ()


@pytest.mark.parametrize("heading", ["Internal remarks", "内部备注"])
def test_what_stands_under_an_unknown_heading_is_internal(heading):
    assert [cut.section for cut in split(f"Answer.\n\n## {heading}\nsecret")] == ["answer", "notes"]


def test_long_sections_are_cut_at_sentence_ends():
    body = "".join(f"这是第{n}句话,说的是一件很长的事情。" for n in range(60))
    cuts = split(body)
    assert len(cuts) > 3
    assert all(tokens(body[cut.start : cut.end]) <= MAX_TOKENS for cut in cuts)
    assert all(body[cut.end - 1] == "。" for cut in cuts)


def test_a_sentence_without_end_stays_whole():
    body = "很" * 2000
    assert [(cut.start, cut.end) for cut in split(body)] == [(0, 2000)]


def test_of_a_long_answer_only_the_passage_that_was_found_can_be_sent():
    long = "".join(f"第{number}条写在这里是为了凑足篇幅。" for number in range(60)) + "海外的包裹请寄往保税区。"
    body = f"{long}\n\n## 步骤\n1. 打包。\n"
    cuts = split(body)
    last = next(cut for cut in cuts if "保税区" in body[cut.start : cut.end])
    assert reply_of(body, last.start, last.end) == body[last.start : last.end].strip()
    assert tokens(reply_of(body, last.start, last.end)) <= MAX_TOKENS
    # Found by its steps, it is answered with its beginning; a short answer is always sent whole.
    assert reply_of(body, cuts[-1].start, cuts[-1].end) == plain(body[cuts[0].start : cuts[0].end])
    assert reply_of("短答。\n\n## 步骤\n1. 打包。\n", 5, 20) == "短答。"


def test_plain_takes_markup_out():
    assert plain("## Steps ##\n**bold** and `code`, [a link](https://x.example/)") == "Steps\nbold and code, a link"
