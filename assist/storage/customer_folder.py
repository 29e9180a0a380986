"""Customers from a folder of CSV and JSONL files, e.g. a nightly export. Read anew when a file has changed.

`*.jsonl` has one profile a line, in the form of a request. `customers.csv` has one customer a row; `orders.csv`,
`cart.csv`, `viewed.csv` and `contacts.csv` have one entry a row with the column `customer_id`.
"""

import csv
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from assist.domain import Customer
from assist.storage.customers import PARTS, Identifiers, Parse, log, profile_of, profile_of_row, with_entry
from assist.text.identifiers import normalised

_Signature = tuple[tuple[str, int, int], ...]
_Key = tuple[str, str]


class FolderSource:
    """All customers of a folder in memory. `problems` names each bad row with its file and line; it is left out."""

    def __init__(self, folder: Path, *, parse: Parse) -> None:
        self._folder, self._parse = folder, parse
        self._lock = threading.Lock()
        self._signature: _Signature = ()
        self._customers: dict[_Key, Customer | None] = {}
        self.problems: tuple[str, ...] = ()
        self._refresh()

    def find(self, identifiers: Identifiers) -> Customer | None:
        """The customer named by the strongest identifier that is known here and belongs to one person only."""
        self._refresh()
        found = (self._customers.get(pair) for pair in identifiers.items())
        return next((customer for customer in found if customer is not None), None)

    def close(self) -> None:
        """Nothing is open."""

    def _refresh(self) -> None:
        with self._lock:
            signature = _signature(self._folder)
            if signature == self._signature:
                return
            problems: list[str] = []
            people = self._read(problems)
            self._customers = _index(people, problems)
            self._signature, self.problems = signature, tuple(problems)
        for problem in problems:
            log.warning("customers left out: %s", problem)

    def _read(self, problems: list[str]) -> dict[str, Customer]:
        people: dict[str, Customer] = {}
        for path in sorted(self._folder.glob("*.jsonl")):
            for number, line in enumerate(_text(path, problems).split("\n"), start=1):
                if line.strip():
                    self._add(people, f"{path.name}:{number}", lambda line=line: from_json(line), problems)
        for place, row in _rows(self._folder / "customers.csv", problems):
            self._add(people, place, lambda row=row: profile_of_row(row.items()), problems)
        for part in PARTS:
            for place, row in _rows(self._folder / f"{part}.csv", problems):
                customer = people.get(row.pop("customer_id", ""))
                if customer is None:
                    problems.append(f"{place}: no customer has this customer_id")
                    continue
                entry = {name: value for name, value in row.items() if value}
                try:
                    people[customer.id] = with_entry(customer, part, entry, self._parse)
                except ValueError as error:
                    problems.append(f"{place}: {error}")
        return people

    def _add(self, people: dict[str, Customer], place: str, raw: Any, problems: list[str]) -> None:
        try:
            customer, bad = profile_of(raw(), self._parse)
        except ValueError as error:
            problems.append(f"{place}: {error}")
            return
        problems += [f"{place}: {problem}" for problem in bad]
        if customer.id in people:
            problems.append(f"{place}: an earlier row has this id")
        else:
            people[customer.id] = customer


def _index(people: dict[str, Customer], problems: list[str]) -> dict[_Key, Customer | None]:
    """Customers by each of their identifiers; one that two people share names nobody."""
    index: dict[_Key, Customer | None] = {}
    for customer in people.values():
        for pair in normalised({**customer.identifiers, "customer_id": customer.id}).items():
            if pair in index:
                problems.append(f"a {pair[0]} belongs to more than one customer and is not used")
            index[pair] = None if pair in index else customer
    return index


def _signature(folder: Path) -> _Signature:
    wanted = {"customers.csv", *(f"{part}.csv" for part in PARTS)}
    stats = (
        (path.name, path.stat())
        for path in sorted(folder.glob("*.*"))
        if path.suffix == ".jsonl" or path.name in wanted
    )
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


def _text(path: Path, problems: list[str]) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problems.append(f"{path.name}:{line}: not UTF-8")
        return error.object.decode("utf-8-sig", "replace")


def _rows(path: Path, problems: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row with its place. Without the file there are none."""
    if not path.is_file():
        return
    reader = csv.reader(_text(path, problems).replace("\x00", "").splitlines(keepends=True), strict=True)
    names: list[str] | None = None
    while True:
        place = f"{path.name}:{reader.line_num + 1}"
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.append(f"{place}: {error}")
            continue
        if names is None:
            names = [cell.strip().lower() for cell in cells]
        elif len(cells) == len(names):
            yield place, dict(zip(names, (cell.strip() for cell in cells), strict=True))
        elif cells:
            problems.append(f"{place}: {len(cells)} columns where the first row has {len(names)}")
