"""A product beside others: what is like it, how near it is, and what is better about it, in words."""

from collections.abc import Mapping
from math import log
from typing import TypeGuard

from assist.domain import ArticleLanguage, Product
from assist.suggest.wording import say

# Attributes of which more (1) or less (-1) is better for whoever would have bought the other one.
_BETTER: Mapping[str, int] = {
    "anc": 1,  # codespell:ignore anc
    "battery_h": 1,
    "noise_db": -1,
    "suction_pa": 1,
    "suction_aw": 1,
    "airflow_m3h": 1,
    "cadr_m3h": 1,
    "area_m2": 1,
    "capacity_l": 1,
    "capacity_ml": 1,
    "capacity_mah": 1,
    "run_h": 1,
    "self_empty": 1,
    "gps": 1,
    "waterproof_mm": 1,
    "max_load_kg": 1,
    "comfort_c": -1,
    "meals_day": 1,
}
_NOTICEABLE = 0.1
"""A tenth more or less is the least that is told; a smaller step is a figure and no difference."""
_RATING_STEP = 0.2
_MOST = 2
"""Advantages told: more are not read."""


def similar(products: Mapping[str, Product], wanted: Product) -> list[Product]:
    """Others of its kind in stock, the nearest first: its alternatives, or theirs where none of them is to be had."""
    near = [products[sku] for sku in wanted.alternatives if sku in products]
    if not any(other.stock > 0 for other in near):
        further = dict.fromkeys(sku for other in near for sku in other.alternatives)
        near = [products[sku] for sku in further if sku in products and sku != wanted.sku]
    return sorted(
        (other for other in near if other.stock > 0 and other.category == wanted.category),
        key=lambda other: (_distance(wanted, other), other.sku),
    )


def advantages(product: Product, other: Product, language: ArticleLanguage) -> list[str]:
    """What is better about a product than about another one of its kind, in words; only what the catalogue says."""
    told = []
    for name, direction in _BETTER.items():
        mine, its = product.attributes.get(name), other.attributes.get(name)
        if mine is True and its is False:
            told.append(say(f"better.{name}", language))
        elif _is_number(mine) and _is_number(its) and (mine - its) * direction > _NOTICEABLE * abs(its):
            told.append(say(f"better.{name}", language, value=f"{mine:,g}", other=f"{its:,g}"))
    if product.rating and other.rating and product.rating - other.rating >= _RATING_STEP:
        told.append(say("better.rating", language, value=f"{product.rating:g}", other=f"{other.rating:g}"))
    return told[:_MOST]


def _distance(wanted: Product, other: Product) -> float:
    """The price's ratio and the share of attributes that differ; one as heavy as a price doubled."""
    shared = wanted.attributes.keys() & other.attributes.keys()
    differing = sum(wanted.attributes[name] != other.attributes[name] for name in shared)
    return abs(log(other.price / wanted.price)) + log(2) * (differing / len(shared) if shared else 1.0)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
