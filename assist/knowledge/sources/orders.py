"""Reads the retailer's order lines in `orders/*.csv`: which products were bought together."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from assist.knowledge.sources.blocks import sound
from assist.knowledge.sources.files import files_of
from assist.knowledge.sources.report import Report
from assist.knowledge.sources.tables import Row, csv_rows

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "order": ("order_id", "order", "invoice", "订单号", "订单编号", "訂單編號", "訂單號"),
    "sku": ("sku", "商品编号", "商品编码", "商品編號", "貨號"),
    "date": ("date", "placed_at", "日期", "下单时间", "訂購日期", "下單時間"),
    "quantity": ("quantity", "qty", "数量", "數量"),
}
"""Names of the columns; others, such as the customer's, are not looked at. Date and quantity may be missing."""
_FIELD: Final = {name: field for field, names in COLUMNS.items() for name in names}


class Basket(NamedTuple):
    """What one order held; `at` is None where its file tells no date that can be read."""

    order: str
    at: datetime | None
    skus: frozenset[str]


def baskets(source: Path, report: Report) -> tuple[Basket, ...]:
    """The orders of all `orders/*.csv`, the oldest first. Lines with a quantity below 1 were sent back: left out."""
    moments: dict[str, datetime | None] = {}
    skus: dict[str, set[str]] = {}
    for file in files_of(source, "orders", report):
        if file.suffix != ".csv":
            report.drop("orders", f"not a list of order lines in .csv ({file.suffix or 'no suffix'})"[:40])
            continue
        rows = csv_rows(file, report)
        columns = _columns(next(rows, None))
        if columns is None:
            report.problem(file.name, 1, "its first line has to name a column order_id and a column sku")
            continue
        for row in rows:
            cells = {
                field: sound(row.cells[place]).strip() for field, place in columns.items() if place < len(row.cells)
            }
            order, sku = cells.get("order", ""), cells.get("sku", "")
            if not order or not sku:
                report.problem(file.name, row.line, "an order line needs an order_id and a sku")
            elif _is_bought(cells.get("quantity", "")):
                skus.setdefault(order, set()).add(sku)
                moments[order] = moments.get(order) or _moment(cells.get("date", ""))
    found = [Basket(order, moments[order], frozenset(bought)) for order, bought in skus.items()]
    return tuple(sorted(found, key=lambda basket: (basket.at is not None, basket.at or datetime.min)))


def _columns(header: Row | None) -> dict[str, int] | None:
    cells: Sequence[str] = header.cells if header else ()
    columns = {
        _FIELD[name]: place for place, cell in enumerate(cells) if (name := sound(cell).strip().lower()) in _FIELD
    }
    return columns if {"order", "sku"} <= columns.keys() else None


def _is_bought(quantity: str) -> bool:
    try:
        return not quantity or float(quantity.replace(",", ".")) > 0
    except ValueError:
        return True


def _moment(text: str) -> datetime | None:
    """An ISO date or time, without its zone: only the order of the orders matters."""
    try:
        return datetime.fromisoformat(text.replace("/", "-")).replace(tzinfo=None)
    except ValueError:
        return None
