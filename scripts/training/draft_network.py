"""The draft reader in torch: the encoder's upper half once more, with a head of its own for what is wrong in a draft.

The lower half and the word embedding stay the encoder's, so their states are computed once, before the training. The
turns before a draft, and the article that is cited, are what the shipped encoder keeps of them.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from rich.progress import Progress
from torch.nn import functional

from assist.inference.encoder import CONTEXT_SPEAKERS, CONTEXT_TURNS, Encoder
from assist.suggest.drafts.reader import ARTICLE_KIND, ARTICLE_TOKENS, CODES, DRAFT_TOKENS, IN_CONTEXT
from scripts.training.draft_rows import DraftRow
from scripts.training.network import Head, Network, by_length

LEARNING_RATE, HEAD_LEARNING_RATE, WEIGHT_DECAY, WARM_UP = 1e-4, 1e-3, 0.01, 0.06
BATCH, DROPPED_ATTENTION = 32, 0.1
LEAST, MOST = 0.01, 0.98  # targets are softened: a label may be wrong
FAULT_WEIGHT = 2.0  # of a fault beside its absence, which is nine times as frequent
AVERAGING, AVERAGE_FROM = 0.02, 0.4  # step of the running mean of the weights, and the share of steps before it
READ_BATCH = 64


class DraftNetwork(torch.nn.Module):
    """The upper half and the head; see `graph.draft_graph`."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        first = network.first_looking_back
        self.layers = torch.nn.ModuleList(network.trunk.encoder.layer[first:])
        self.heads = network.trunk.config.num_attention_heads
        self.hidden = network.trunk.config.hidden_size
        article = torch.zeros(len(self.layers), 1, self.heads)
        self.looking_back = torch.nn.Parameter(torch.cat([network.looking_back.detach(), article], 1))
        self.head = Head(self.hidden, len(CODES))
        self.middle = network.depths[1] - first  # layers after which the head reads a second time
        torch.nn.init.constant_(self.head.bias, -2.0)

    def forward(self, rows: Sequence[DraftRow]) -> torch.Tensor:
        """Logits [batch, codes] of prepared rows."""
        states, mask, memory, kinds = _batch(rows, self.hidden)
        early, x = states.split(self.hidden, -1)
        batch, length = mask.shape
        is_there = torch.cat([mask, kinds.amax(-1)], 1)
        bias_of_place = torch.where(is_there > 0, 0.0, -1e9)[:, None, None, :]
        middle = x
        for number, layer in enumerate(self.layers):
            attention = layer.attention.self
            keys, values = memory[..., 2 * number * self.hidden :].split(self.hidden, -1)[:2]
            key = torch.cat([attention.key(x), keys.to(x.dtype)], 1)
            value = torch.cat([attention.value(x), values.to(x.dtype)], 1)
            back = (kinds @ self.looking_back[number]).permute(0, 2, 1)[:, :, None, :]
            bias = bias_of_place + torch.cat([torch.zeros(batch, self.heads, 1, length), back], -1)
            query, key, value = (self._split(part) for part in (attention.query(x), key, value))
            attended = functional.scaled_dot_product_attention(
                query,
                key,
                value.to(query.dtype),
                attn_mask=bias.expand(-1, -1, length, -1).to(query.dtype),
                dropout_p=DROPPED_ATTENTION if self.training else 0.0,
            )
            x = layer.attention.output(attended.transpose(1, 2).reshape(batch, length, self.hidden), x)
            x = layer.output(layer.intermediate(x), x)
            if number + 1 == self.middle:
                middle = x
        return self.head(torch.cat([early, middle.float(), x.float()], -1), mask)

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(len(x), -1, self.heads, self.hidden // self.heads).transpose(1, 2)

    def read(self, rows: Sequence[DraftRow]) -> np.ndarray:
        """Logits [n, codes], in evaluation mode."""
        self.eval()
        logits = np.zeros((len(rows), len(CODES)), np.float32)
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            for batch in by_length(list(enumerate(rows)), lambda pair: len(pair[1].ids), READ_BATCH):
                logits[[index for index, _ in batch]] = self([row for _, row in batch]).float().numpy()
        return logits

    def exported(self) -> dict[str, np.ndarray]:
        """The head's parameters by the names of `graph.empty_head`."""
        return self.head.exported() | {"looking_back": self.looking_back.detach().numpy()}


def prepare(rows: Sequence[DraftRow], network: Network, encoder: Encoder, progress: Progress) -> None:
    """Give rows what the encoder keeps of what came before, and the states of the lower half."""
    kept: dict[tuple, tuple[np.ndarray, np.ndarray]] = {}
    for row in progress.track(rows, description="reading what came before"):
        turns = [turn for turn in row.context if turn[0] in CONTEXT_SPEAKERS][-CONTEXT_TURNS:]
        key = (tuple(turns), row.article)
        if key not in kept:
            kept[key] = _before(turns, row.article, encoder)
        row.memory, row.kinds = kept[key]
        row.ids = network.token_ids(row.text, DRAFT_TOKENS)
    network.eval()
    trunk, first = network.trunk, network.first_looking_back
    batches = list(by_length(rows, lambda row: len(row.ids), READ_BATCH))
    with torch.inference_mode():
        for batch in progress.track(batches, description="lower layers"):
            shape = len(batch), max(len(row.ids) for row in batch)
            ids, mask = torch.full(shape, trunk.config.pad_token_id), torch.zeros(shape)
            for index, row in enumerate(batch):
                ids[index, : len(row.ids)], mask[index, : len(row.ids)] = torch.tensor(row.ids), 1
            never = torch.where(mask[:, None, None, :] > 0, 0.0, torch.finfo(torch.float32).min / 4)
            x = trunk.embeddings(input_ids=ids)
            early = x
            for number, layer in enumerate(trunk.encoder.layer[:first]):
                x = layer(x, attention_mask=never)
                if number + 1 == network.depths[0]:
                    early = x
            for index, row in enumerate(batch):
                row.states = torch.cat([early, x], -1)[index, : len(row.ids)].half().clone()


def _before(turns: list[tuple[str, str]], article: str | None, encoder: Encoder) -> tuple[np.ndarray, np.ndarray]:
    said: list = []
    for speaker, text in turns:
        said.append((speaker, encoder.encode_query(text, said).memory))
    feed = encoder.feed([], said)
    memory, kinds = feed["context"][0], np.pad(feed["context_kinds"][0], ((0, 0), (0, 1)))
    if article:
        cited = encoder.memory_of(article, ARTICLE_TOKENS)
        told = np.zeros((len(cited), ARTICLE_KIND + 1), np.float32)
        told[:, ARTICLE_KIND] = 1
        memory, kinds = np.concatenate([memory, cited]), np.concatenate([kinds, told])
    return memory, kinds


def _batch(rows: Sequence[DraftRow], hidden: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    length, earlier = max(len(row.ids) for row in rows), max(len(row.kinds) for row in rows)
    states, mask = torch.zeros(len(rows), length, 2 * hidden), torch.zeros(len(rows), length)
    memory = torch.zeros(len(rows), earlier, rows[0].memory.shape[1])
    kinds = torch.zeros(len(rows), earlier, ARTICLE_KIND + 1)
    for index, row in enumerate(rows):
        states[index, : len(row.ids)], mask[index, : len(row.ids)] = row.states.float(), 1
        memory[index, : len(row.kinds)] = torch.from_numpy(row.memory.astype(np.float32))
        kinds[index, : len(row.kinds)] = torch.from_numpy(row.kinds)
    return states, mask, memory, kinds


def train(network: DraftNetwork, rows: list[DraftRow], epochs: int, seed: int, progress: Progress) -> None:
    """Fit the upper half and the head; afterwards the network holds the running mean of its weights."""
    shuffle = np.random.default_rng(seed)
    wanted = torch.tensor([[MOST if code in row.codes else LEAST for code in CODES] for row in rows])
    counts = torch.tensor([[float(bool(row.context) or code not in IN_CONTEXT) for code in CODES] for row in rows])
    counts = counts * torch.tensor([row.weight for row in rows])[:, None]
    groups = [
        {"params": [*network.head.parameters(), network.looking_back], "base": HEAD_LEARNING_RATE},
        {"params": list(network.layers.parameters()), "base": LEARNING_RATE},
    ]
    optimiser = torch.optim.AdamW(groups, lr=HEAD_LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    steps, step = epochs * math.ceil(len(rows) / BATCH), 0
    faults = torch.full((len(CODES),), FAULT_WEIGHT)
    mean: dict[str, torch.Tensor] = {}
    task = progress.add_task("training", total=steps)
    for _ in range(epochs):
        network.train()
        for batch in _shuffled(rows, shuffle):
            for group in optimiser.param_groups:
                group["lr"] = group["base"] * _rate(step / steps)
            with torch.autocast("cpu", torch.bfloat16):
                logits = network([rows[index] for index in batch])
            losses = functional.binary_cross_entropy_with_logits(
                logits.float(), wanted[batch], reduction="none", pos_weight=faults
            )
            (losses * counts[batch]).sum(1).mean().backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad()
            step += 1
            if step > AVERAGE_FROM * steps:
                for name, weight in network.named_parameters():
                    if name in mean:
                        mean[name].lerp_(weight.detach(), AVERAGING)
                    else:
                        mean[name] = weight.detach().clone()
            progress.advance(task)
    network.load_state_dict(mean, strict=False)


def _shuffled(rows: Sequence[DraftRow], shuffle: np.random.Generator) -> Iterator[np.ndarray]:
    """Batches of numbers of rows of like length, in any order."""
    ordered = np.argsort([len(row.ids) + 12 * shuffle.random() for row in rows])
    batches = [ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)]
    shuffle.shuffle(batches)
    yield from batches


def _rate(done: float) -> float:
    """Share of the learning rate: a linear warm-up, then half a cosine."""
    return (
        done / WARM_UP if done < WARM_UP else max(0.02, (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP))) / 2)
    )


def trained_network(folder: Path, prefix: str) -> Network:
    """What scripts/train_encoder left in `folder`."""
    network = Network(folder, prefix)
    network.looking_back.data = torch.from_numpy(np.load(folder / "head.npz")["looking_back"])
    return network
