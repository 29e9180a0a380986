"""What agents did with suggestions, as factors: what they use comes sooner, what they turn away later.

Factors order and choose within what the policy table allows. They cannot add a kind to a row, open the gate of offers,
or hide what helps where someone may be harmed; and none can hide a source for good (see `FLOOR` and `EXPLORED`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Literal
from zlib import crc32

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from assist.errors import SettingsError

FLOOR: Final = 0.5
CAP: Final = 2.0
"""No factor is below or above. At the floor an answer needs a relevance of 2/3 where 1/2 does without a factor."""

EXPLORED: Final = 20
"""One conversation in so many is served without factors, so that the next log shows what they hold down, and how
conversations go without them: a floor of exploration (Li et al. 2010, "A contextual-bandit approach")."""

Factor = Annotated[float, Field(ge=FLOOR, le=CAP, allow_inf_nan=False, strict=True)]
WeighedKind = Literal["answer", "case", "next_step", "question", "offer"]
"""Alerts and what calms are shown whenever the policy says so."""
WeighedSource = Literal["article", "case", "phrase", "product"]
SourceId = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Weights:
    """One version of the factors; what is not named has the factor 1. Read one from a file with `parse`."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    version: Annotated[str, Field(pattern=r"^w[1-9]\d{0,5}$")]
    kinds: Mapping[WeighedKind, Factor] = field(default_factory=dict)
    sources: Mapping[WeighedSource, Mapping[SourceId, Factor]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str | bytes, name: str) -> "Weights":
        """The weights of a policy file. Raises SettingsError that says where the file is wrong."""
        try:
            return _FILE.validate_json(text)
        except ValidationError as error:
            wrong = [
                ": ".join(filter(None, (".".join(map(str, one["loc"])), one["msg"])))
                for one in error.errors(include_input=False, include_url=False)
            ]
            raise SettingsError(f"{name} is no policy: {'; '.join(wrong[:5])}") from error

    def dump(self) -> bytes:
        """The policy file of these weights."""
        return _FILE.dump_json(self, indent=1) + b"\n"

    def of(self, source_type: str, source_id: str) -> float:
        """The factor of an article, case, phrase or product."""
        known = self.sources.get(source_type)  # type: ignore[call-overload]
        return known.get(source_id, 1.0) if known else 1.0

    def of_kind(self, kind: str) -> float:
        """The factor of a kind of suggestion."""
        return self.kinds.get(kind, 1.0)  # type: ignore[call-overload, no-any-return]

    def weigh(self, relevance: float, kind: str, source_type: str, source_id: str) -> float:
        """A relevance in 0–1 as it is held against a threshold: its odds multiplied by the factors of kind and source.

        Odds, because a product could put a source below its threshold whatever its relevance. What is only put in order
        is ordered by score × `of`.
        """
        factor = self.of_kind(kind) * self.of(source_type, source_id)
        if factor == 1.0:
            return relevance
        factor = min(max(factor, FLOOR), CAP)
        return factor * relevance / (1 - relevance + factor * relevance)

    def for_conversation(self, conversation_id: str) -> "Weights":
        """These weights, or neutral ones for the conversations that explore; a conversation's id decides, for good."""
        return NEUTRAL if crc32(conversation_id.encode("utf-8", "replace")) % EXPLORED == 0 else self

    def versioned(self, policy_version: str) -> str:
        """The version of the policy with the version of the factors, e.g. 2026-11-23+w3."""
        return f"{policy_version}+{self.version}" if self.version else policy_version


NEUTRAL: Final = Weights("")
"""Every factor 1."""

_FILE: Final = TypeAdapter(Weights)
