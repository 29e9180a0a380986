"""Whatever stands in a folder of customers, it is read or named; and identifiers keep to one spelling."""

import csv
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from assist.storage.customer_folder import FolderSource
from assist.text.identifiers import KINDS, named_by, normal, normalised, stand_in_id
from assist.web.profiles import parse

NAMES = ("customers.csv", "orders.csv", "cart.csv", "viewed.csv", "contacts.csv", "people.jsonl")
CELLS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)


def read(files: dict[str, bytes]) -> FolderSource:
    with TemporaryDirectory() as place:
        for name, content in files.items():
            (Path(place) / name).write_bytes(content)
        source = FolderSource(Path(place), parse=parse)
        source.find({"customer_id": "a"})
        return source


@given(st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=200)))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_or_named(files: dict[str, bytes]) -> None:
    for problem in read(files).problems:
        assert problem.partition(":")[0] in files or problem.startswith("a ")


@given(
    st.lists(
        st.sampled_from(["id", "customer_id", "name", "phone", "email", "price", "at", "placed_at", "open", "x"]),
        max_size=6,
    ),
    st.lists(st.lists(CELLS | st.sampled_from(["a", "b", "1.5", "2026-11-01", "yes"]), max_size=6), max_size=6),
    st.sampled_from(NAMES[:5]),
)
@settings(max_examples=150, deadline=None)
def test_every_csv_row_is_read_or_named(header: list[str], rows: list[list[str]], name: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    read({"customers.csv": b"id\na\nb\n"} | {name: text.getvalue().encode()})


PROFILES = st.fixed_dictionaries(
    {"id": st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)},
    optional={
        "name": st.text(max_size=8),
        "orders": st.lists(
            st.fixed_dictionaries({"id": st.text(max_size=5)}, optional={"price": st.floats(-1, 9)}), max_size=3
        ),
        "identifiers": st.dictionaries(st.sampled_from(KINDS), st.text(max_size=12), max_size=3),
    },
)


@given(st.lists(PROFILES, max_size=6))
@settings(max_examples=150, deadline=None)
def test_every_profile_of_a_jsonl_file_is_found_by_its_id_or_named(profiles: list[dict[str, Any]]) -> None:
    lines = "\n".join(json.dumps(profile) for profile in profiles)
    with TemporaryDirectory() as place:
        (Path(place) / "people.jsonl").write_text(lines, encoding="utf-8")
        source = FolderSource(Path(place), parse=parse)
        named = {problem.partition(": ")[0] for problem in source.problems}
        shared = any(problem.startswith("a customer_id") for problem in source.problems)
        for number, profile in enumerate(profiles, start=1):
            if f"people.jsonl:{number}" not in named and not shared:
                customer = source.find({"customer_id": profile["id"].strip()})
                assert customer is not None
                assert customer.id == profile["id"]


@given(st.sampled_from(KINDS), st.text(max_size=30))
def test_one_spelling_stays_as_it_is(kind: Any, value: str) -> None:
    once = normal(kind, value)
    assert normal(kind, once) == once


@given(st.dictionaries(st.sampled_from(KINDS), st.text(max_size=20)))
def test_an_id_that_stands_in_tells_its_identifier(identifiers: Any) -> None:
    known = normalised(identifiers)
    stand_in = stand_in_id(identifiers)
    assert (stand_in is None) is (not known)
    if stand_in is not None and "customer_id" not in known:
        kind, value = next(iter(known.items()))
        assert named_by(stand_in) == {kind: value}
