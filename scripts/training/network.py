"""The encoder with its emotion head in torch: what scripts/train_encoder fits, named as graph.py expects it."""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import AutoModel

from assist.domain import EMOTIONS
from assist.inference.encoder import CONTEXT_KINDS, CONTEXT_SPEAKERS, CONTEXT_TOKENS, CONTEXT_TURNS, HEAD_SHARE
from scripts.training.graph import HEAD_DEPTHS, HEAD_EPSILON, HEAD_UNITS, READINGS, first_looking_back
from scripts.training.rows import Row

TEXT_TOKENS = 96  # longer turns lose their middle, as in Encoder, which reads up to 256
DROPOUT = 0.2
# The attention starts flat and its queries act on normalised states of length √width; without the factor they would
# move only a hundredth as fast as the rest of the head.
QUERY_SCALE = 8
READ_BATCH = 64

Item = TypeVar("Item")


class Head(torch.nn.Module):
    """The readings of a turn from its tokens' states; see `graph.readings_of`."""

    def __init__(self, hidden: int, readings: int = READINGS) -> None:
        super().__init__()
        width = hidden * len(HEAD_DEPTHS)
        self.norm = torch.nn.LayerNorm(width, eps=HEAD_EPSILON)
        self.query = torch.nn.Parameter(torch.zeros(width, readings))
        self.hidden = torch.nn.Linear(width, HEAD_UNITS)
        self.value = torch.nn.Parameter(torch.randn(HEAD_UNITS, readings) * 0.05)
        self.bias = torch.nn.Parameter(torch.zeros(readings))
        self.dropout = torch.nn.Dropout(DROPOUT)
        self.query_scale = QUERY_SCALE / math.sqrt(width)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Readings [batch, readings] of joined states [batch, tokens, width]."""
        x = self.dropout(self.norm(x))
        attention = torch.softmax(x @ self.query * self.query_scale + (mask[..., None] - 1) * 1e4, 1)
        inner = self.dropout(functional.gelu(self.hidden(x)))
        return (attention * (inner @ self.value)).sum(1) + self.bias

    def exported(self) -> dict[str, np.ndarray]:
        """Its parameters by the names of `graph.empty_head`."""
        values = {name: value.detach().numpy() for name, value in self.state_dict().items()}
        return values | {"query": values["query"] * np.float32(self.query_scale)}


class Network(torch.nn.Module):
    """Trunk and head. The word embedding is not trained: it ships in 4 bits, bit for bit as it came.

    A row is one sequence: its turn, then the turns before, each with positions of its own. In the lower layers a turn
    attends to itself; in the upper ones also to those before it, so that their keys and values do not depend on what
    comes later and can be kept.
    """

    def __init__(self, trunk: Path, prefix: str) -> None:
        super().__init__()
        self.trunk = AutoModel.from_pretrained(trunk, add_pooling_layer=False)
        self.trunk.embeddings.word_embeddings.weight.requires_grad = False
        config = self.trunk.config
        self.head = Head(config.hidden_size)
        self.first_looking_back = first_looking_back(config.to_dict())
        looking_back = config.num_hidden_layers - self.first_looking_back
        self.looking_back = torch.nn.Parameter(
            torch.zeros(looking_back, len(CONTEXT_KINDS), config.num_attention_heads)
        )
        self.depths = [round(config.num_hidden_layers * share) for share in HEAD_DEPTHS]
        self.prefix = prefix
        self.tokenizer = Tokenizer.from_file(str(trunk / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()

    def token_ids(self, text: str, limit: int) -> list[int]:
        """Ids of a prefixed text; over the limit it loses its middle."""
        ids = self.tokenizer.encode(self.prefix + text).ids
        head = int(limit * HEAD_SHARE)
        return ids if len(ids) <= limit else ids[:head] + ids[head - limit :]

    def tokenise(self, rows: Sequence[Row]) -> None:
        """Give rows their token ids; the context's turns newest first."""
        for row in rows:
            row.ids = self.token_ids(row.text, TEXT_TOKENS)
            before = [(speaker, text) for speaker, text in row.context if speaker in CONTEXT_SPEAKERS][-CONTEXT_TURNS:]
            row.context_ids = [(speaker, self.token_ids(text, CONTEXT_TOKENS)) for speaker, text in reversed(before)]

    def forward(self, rows: Sequence[Row]) -> tuple[torch.Tensor, torch.Tensor]:
        """Readings [batch, READINGS] and unit sentence vectors [batch, hidden] of tokenised rows."""
        lengths = [[len(row.ids), *(len(ids) for _, ids in row.context_ids)] for row in rows]
        shape = len(rows), max(map(sum, lengths))
        ids, places = torch.full(shape, self.trunk.config.pad_token_id), torch.zeros(shape, dtype=torch.long)
        # Which turn a token belongs to, 0 the row's own, and what the model is told of it.
        turn, kinds = torch.full(shape, -1), torch.zeros(*shape, len(CONTEXT_KINDS))
        for index, row in enumerate(rows):
            begin = 0
            for age, (speaker, said) in enumerate([("", row.ids), *row.context_ids]):
                span = slice(begin, begin + len(said))
                ids[index, span], turn[index, span] = torch.tensor(said), age
                places[index, span] = torch.arange(len(said))
                if age:
                    kinds[index, span, CONTEXT_KINDS.index(speaker)] = 1
                begin += len(said)
        own = turn[:, :, None] == turn[:, None, :]
        earlier = (turn[:, None, :] > turn[:, :, None]) & (turn[:, :, None] >= 0)
        age = turn[:, None, :] - turn[:, :, None] - 1
        ages = torch.stack([age == number for number in range(CONTEXT_TURNS)], -1)
        told = torch.cat([ages, kinds[:, None, :, CONTEXT_TURNS:].expand(-1, shape[1], -1, -1)], -1)
        told = told * earlier[..., None].float()
        never = torch.finfo(torch.float32).min / 4
        within = torch.where(own, 0.0, never)[:, None]
        with_earlier = torch.where(own | earlier, 0.0, never)[:, None]
        state = self.trunk.embeddings(input_ids=ids, position_ids=places)
        states = [state]
        for number, layer in enumerate(self.trunk.encoder.layer):
            mask = within
            if number >= self.first_looking_back and bool(earlier.any()):
                bias = told @ self.looking_back[number - self.first_looking_back]
                mask = with_earlier + bias.permute(0, 3, 1, 2)
            state = layer(state, attention_mask=mask.to(state.dtype))
            states.append(state)
        length = max(len(row.ids) for row in rows)
        is_own = (turn[:, :length] == 0).float()
        vectors = functional.normalize((state[:, :length].float() * is_own[..., None]).sum(1), dim=-1)
        joined = torch.cat([states[depth][:, :length].float() for depth in self.depths], -1)
        return self.head(joined, is_own), vectors

    def read(self, rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray]:
        """Readings [n, READINGS] and sentence vectors [n, hidden] of tokenised rows, in evaluation mode."""
        self.eval()
        readings = np.zeros((len(rows), READINGS), np.float32)
        vectors = np.zeros((len(rows), self.trunk.config.hidden_size), np.float32)
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            for batch in by_length(list(enumerate(rows)), lambda pair: pair[1].tokens, READ_BATCH):
                chosen = [index for index, _ in batch]
                said, found = self([row for _, row in batch])
                readings[chosen], vectors[chosen] = said.float().numpy(), found.numpy()
        return readings, vectors

    def exported(self) -> dict[str, np.ndarray]:
        """The head's parameters by the names of `graph.empty_head`."""
        return self.head.exported() | {"looking_back": self.looking_back.detach().numpy()}


def by_length(items: Sequence[Item], length: Callable[[Item], int], size: int) -> Iterator[list[Item]]:
    """Batches of items of like length: less padding, a third of the time."""
    ordered = sorted(items, key=length)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def losses(readings: torch.Tensor, rows: Sequence[Row], class_weights: torch.Tensor, smoothing: float) -> torch.Tensor:
    """Loss of each row: cross-entropy of the label shares, half of flags and intensity where they are known."""
    labels, flags, intensity = readings.split([len(EMOTIONS), READINGS - len(EMOTIONS) - 1, 1], -1)
    shares = torch.tensor([row.labels for row in rows])
    smooth = shares * (1 - smoothing) + smoothing / len(EMOTIONS)
    loss = -(smooth * torch.log_softmax(labels, -1)).sum(-1) * (shares * class_weights).sum(-1)
    knows_flags = torch.tensor([float(row.flags is not None) for row in rows])
    wanted = torch.tensor([row.flags or (0.0,) * flags.shape[1] for row in rows])
    by_flag = functional.binary_cross_entropy_with_logits(flags, wanted, reduction="none")
    felt = torch.tensor([float(row.intensity is not None) for row in rows])
    strength = torch.tensor([row.intensity or 0.0 for row in rows])
    missed = (torch.sigmoid(intensity[:, 0]) - strength).abs() * felt
    weights = torch.tensor([row.weight for row in rows])
    return (loss + by_flag.sum(-1) * knows_flags + 0.5 * missed) * weights
