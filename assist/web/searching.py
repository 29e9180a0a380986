"""The agent's own search: hits of every kind in one list."""

from datetime import date

import numpy as np

from assist.domain import ArticleLanguage, Hit, Phrase, Product, Source
from assist.inference.encoder import Encoding
from assist.knowledge.search import Knowledge
from assist.text.language import detect
from assist.web.schemas import HitOut, SearchInput


def search(knowledge: Knowledge, asked: SearchInput, encoding: Encoding, *, on: date) -> list[HitOut]:
    """Hits of the wanted kinds, the most relevant first, at most `limit` of each kind."""
    language = asked.language or _language(asked.query)
    kinds = set(asked.kinds)
    hits: list[HitOut] = []
    texts = tuple(kind for kind in ("article", "case") if kind in kinds)
    if texts:
        found = knowledge.search(
            asked.query, encoding.vector, language=language, kinds=texts, limit=asked.limit, on=on, audience="agent"
        )
        hits += [_hit(hit) for hit in found]
    if "phrase" in kinds:
        hits += _phrases(knowledge, encoding, language, asked.limit)
    if "product" in kinds:
        found_products = knowledge.product_search(asked.query, encoding.vector, language=language, limit=asked.limit)
        hits += [_product(product, relevance, language) for product, relevance in found_products]
    return sorted(hits, key=lambda hit: -hit.relevance)


def _language(query: str) -> ArticleLanguage:
    found = detect(query)
    return "zh-Hans" if found == "mixed" else "en" if found == "other" else found


def _hit(hit: Hit) -> HitOut:
    return HitOut(
        kind=hit.kind,
        id=hit.id,
        title=hit.title,
        language=hit.language,
        text=hit.reply or None,
        excerpt=hit.excerpt,
        relevance=hit.relevance,
        why=hit.why,
        source=hit.source,
    )


def _phrases(knowledge: Knowledge, encoding: Encoding, language: ArticleLanguage, limit: int) -> list[HitOut]:
    indices = [at for at, phrase in enumerate(knowledge.phrases) if phrase.language == language]
    if not indices:
        return []
    likeness = knowledge.phrase_similarities(encoding.vector, indices)
    best = np.argsort(-likeness)[:limit]
    return [_phrase(knowledge.phrases[indices[at]], float(likeness[at]), knowledge.version) for at in best]


def _phrase(phrase: Phrase, likeness: float, version: str) -> HitOut:
    return HitOut(
        kind="phrase",
        id=phrase.id,
        title=phrase.stage,
        language=phrase.language,
        # With an open slot it cannot be sent as it stands.
        text=None if phrase.slots else phrase.text,
        excerpt=phrase.text,
        relevance=min(max(likeness, 0.0), 1.0),
        why="",
        source=Source("phrase", phrase.id, version),
    )


def _product(product: Product, relevance: float, language: ArticleLanguage) -> HitOut:
    title = product.titles.get(language) or next(iter(product.titles.values()), product.sku)
    pitch = product.pitches.get(language, "")
    return HitOut(
        kind="product",
        id=product.sku,
        title=title,
        language=language,
        text=pitch or None,
        excerpt=f"{title} · ¥{product.price:g}",
        relevance=min(max(float(relevance), 0.0), 1.0),
        why="",
        source=Source("product", product.sku, ""),
    )
