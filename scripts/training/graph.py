"""The encoder as an ONNX graph, built by hand: fp32 to find the peaks of its activations, int8 to ship.

The layers' names are known, so SmoothQuant needs no pattern matching and the export no tracing. The emotion head is
part of the graph: one pass gives the sentence vector, the emotion, the flags, and the state that the next turns read.
"""

import dataclasses
import json
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from assist.domain import EMOTIONS, FLAGS
from assist.inference.encoder import CONTEXT_KINDS, no_context

CALIBRATION = Path(__file__).parents[2] / "models" / "encoder" / "calibration.txt"
BLOCK = 32  # weights per 4-bit scale, as in llama.cpp's Q4_0
SMOOTHING = 0.8  # alpha of SmoothQuant (Xiao et al. 2023, arXiv:2211.10438, eq. 4)
# Layers that the emotion head reads, and its sizes; models/README.md has the comparison.
HEAD_DEPTHS = (1 / 3, 2 / 3, 1)
HEAD_UNITS, HEAD_EPSILON = 192, 1e-5
READINGS = len(EMOTIONS) + len(FLAGS) + 1  # emotions, flags, intensity
OPSET = 20
console = Console(stderr=True)


@dataclasses.dataclass
class Source:
    """An encoder in memory: Hugging Face config, weights by their BERT names, tokenizer.json and pooling."""

    config: dict
    weights: dict[str, np.ndarray]
    tokenizer: dict
    pooling: str

    @property
    def first_position(self) -> int:
        """RoBERTa counts positions from padding_idx + 1, BERT from 0."""
        return 0 if self.config["model_type"] == "bert" else self.config["pad_token_id"] + 1

    def save(self, folder: Path) -> None:
        """Write it as a Hugging Face folder that `read_folder` and transformers read."""
        from safetensors.numpy import save_file

        (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
        mode = {"mean": "pooling_mode_mean_tokens", "cls": "pooling_mode_cls_token"}[self.pooling]
        (folder / "1_Pooling" / "config.json").write_text(json.dumps({mode: True}))
        config = self.config | {"vocab_size": len(self.weights["embeddings.word_embeddings.weight"])}
        (folder / "config.json").write_text(json.dumps(config, indent=1))
        (folder / "tokenizer.json").write_text(json.dumps(self.tokenizer, ensure_ascii=False), encoding="utf-8")
        save_file(
            {name: np.ascontiguousarray(value) for name, value in self.weights.items()}, folder / "model.safetensors"
        )


def read_folder(folder: Path) -> Source:
    """Read a BERT, RoBERTa or XLM-RoBERTa folder. Exits with a clear line if it is another architecture."""
    from safetensors.numpy import load_file

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config["model_type"] not in ("bert", "roberta", "xlm-roberta") or config.get("hidden_act") != "gelu":
        raise SystemExit(f"{folder}: need a BERT, RoBERTa or XLM-R encoder with gelu, not {config['model_type']}")
    if not (folder / "model.safetensors").is_file():
        raise SystemExit(f"{folder}: no model.safetensors; save the model with transformers' save_pretrained first")
    stored = load_file(folder / "model.safetensors")
    anchor = "embeddings.word_embeddings.weight"
    prefix = next(name for name in stored if name.endswith(anchor)).removesuffix(anchor)
    weights = {name.removeprefix(prefix): value.astype(np.float32) for name, value in stored.items()}
    pooling_file = folder / "1_Pooling" / "config.json"
    pooling = json.loads(pooling_file.read_text()) if pooling_file.is_file() else {"pooling_mode_mean_tokens": True}
    modes = [mode for mode in ("mean_tokens", "cls_token") if pooling.get(f"pooling_mode_{mode}")]
    if len(modes) != 1:
        raise SystemExit(f"{pooling_file}: need mean or cls pooling")
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    return Source(config, weights, tokenizer, modes[0].split("_")[0])


class Graph:
    """A growing ONNX graph: constants and nodes, each node's output named after it."""

    def __init__(self) -> None:
        self.nodes: list = []
        self.constants: dict = {}

    def constant(self, name: str, value: np.ndarray) -> str:
        from onnx import numpy_helper

        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def axes(self, *values: int) -> str:
        return self.constant("axes_" + "_".join(map(str, values)).replace("-", "m"), np.array(values, np.int64))

    def add(self, operator: str, *inputs: str, outputs: int = 1, name: str = "", domain: str = "", **attributes):
        from onnx import helper

        name = name or f"{operator}_{len(self.nodes)}"
        names = [name] if outputs == 1 else [f"{name}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, name=name, domain=domain, **attributes))
        return names[0] if outputs == 1 else names


def q4_0_blocks(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """fp16 scale per block of 32 and two 4-bit values per byte, by Q4_0's rule: the value farthest from 0 becomes -8.

    A matrix that was Q4_0 before comes out bit for bit as it was.
    """
    blocks = matrix.reshape(len(matrix), -1, BLOCK)
    farthest = np.take_along_axis(blocks, np.abs(blocks).argmax(-1)[..., None], -1)
    scale = (farthest / -8).astype(np.float16)
    divisor = np.where(scale == 0, 1, scale).astype(np.float32)
    values = np.clip(np.round(blocks / divisor) + 8, 0, 15).astype(np.uint8).reshape(len(matrix), -1)
    return scale[..., 0], values[:, 0::2] | values[:, 1::2] << 4


def smoothing_scales(source: Source, peaks: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Per input channel of every linear layer the factor s_j = max|X_j|^α / max|W_j|^(1-α) (SmoothQuant, eq. 4).

    Factors are divided by their geometric mean and rounded to quarter octaves, so that the last bit of a peak, which
    differs between processors, cannot change the file.
    """
    scales = {}
    for name, peak in peaks.items():
        weight = np.concatenate([source.weights[f"{part}.weight"] for part in linear_parts(name)])
        scale = np.maximum(peak, 1e-3) ** SMOOTHING / np.maximum(np.abs(weight).max(0), 1e-4) ** (1 - SMOOTHING)
        exponent = np.log2(scale) - np.log2(scale).mean()
        scales[name] = (2 ** (np.round(exponent * 4) / 4)).astype(np.float32)
    return scales


def linear_parts(name: str) -> list[str]:
    """Query, key and value share one input and are computed as one matrix."""
    return [name + part for part in ("query", "key", "value")] if name.endswith("attention.self.") else [name]


@dataclasses.dataclass
class Trunk:
    """A graph up to the last layer: the names of its states, of the keys and values that later turns look back at, of
    the mask of its tokens, and of the peaks of its layers' inputs.
    """

    graph: Graph
    states: list[str]
    memories: list[str]
    mask: str
    peaks: dict[str, str]


def trunk_graph(
    source: Source, looking_back: np.ndarray, *, scales: dict[str, np.ndarray] | None, probe: bool = False
) -> Trunk:
    """The layers: fp32 if `scales` is None, else int8 layers and 4-bit embedding.

    The upper half of the layers attends to the turn's tokens and to the keys and values that the turns before had
    there, with a learned bias for how long ago and by whom it was said (`looking_back` [layers, kinds, heads]). So a
    turn is read once and looked back at for nearly nothing, and the lower half stays free of context.

    Inputs: input_ids and attention_mask, int64 [batch, tokens]; context, fp16 [batch, earlier tokens, memory], the
    `turn_memory` of the turns before, and context_kinds, fp32 [batch, earlier tokens, kinds], zeros where a place is
    empty. With `probe` the largest absolute value of every linear layer's input channels is an output.
    """
    from onnx import TensorProto

    config, weights, graph = source.config, source.weights, Graph()
    hidden, heads, epsilon = config["hidden_size"], config["num_attention_heads"], config["layer_norm_eps"]
    peaks: dict[str, str] = {}

    def linear(x: str, name: str) -> str:
        parts = linear_parts(name)
        weight = np.concatenate([weights[f"{part}.weight"] for part in parts])
        bias = np.concatenate([weights[f"{part}.bias"] for part in parts])
        if probe:
            peaks[name] = graph.add("ReduceMax", graph.add("Abs", x), graph.axes(0, 1), keepdims=0, name=f"peak:{name}")
        if scales is None:
            product = graph.add("MatMul", x, graph.constant(f"{name}.weight", weight.T))
            return graph.add("Add", product, graph.constant(f"{name}.bias", bias))
        if name.endswith("attention.self."):
            # The output projection's factors are undone here, in the values: exact, and free at run time.
            values = scales[name.replace("self.", "output.dense")]
            weight[-hidden:] /= values[:, None]
            bias[-hidden:] /= values
        if not name.endswith("attention.output.dense"):
            x = graph.add("Mul", x, graph.constant(f"{name}.smooth", 1 / scales[name]))
        weight = weight * scales[name]
        step = np.abs(weight).max(1) / 127
        quantised = np.round(weight / step[:, None]).astype(np.int8)
        values, scale, zero = graph.add("DynamicQuantizeLinear", x, outputs=3)
        product = graph.add("MatMulInteger", values, graph.constant(f"{name}.weight", quantised.T), zero)
        step_name = graph.constant(f"{name}.step", step.astype(np.float32))
        product = graph.add("Mul", graph.add("Cast", product, to=TensorProto.FLOAT), graph.add("Mul", scale, step_name))
        return graph.add("Add", product, graph.constant(f"{name}.bias", bias))

    def normalised(x: str, name: str) -> str:
        gain, offset = (graph.constant(f"{name}.{part}", weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return graph.add("LayerNormalization", x, gain, offset, axis=-1, epsilon=epsilon)

    words = weights["embeddings.word_embeddings.weight"]
    if scales is None:
        x = graph.add("Gather", graph.constant("words", words), "input_ids")
    else:
        step, nibbles = q4_0_blocks(words)
        names = graph.constant("words.nibbles", nibbles), "input_ids", graph.constant("words.step", step)
        kind = {"bits": 4, "block_size": BLOCK, "gather_axis": 0, "quantize_axis": 1, "domain": "com.microsoft"}
        x = graph.add("Cast", graph.add("GatherBlockQuantized", *names, **kind), to=TensorProto.FLOAT)
    positions = weights["embeddings.position_embeddings.weight"][source.first_position :]
    positions = positions + weights["embeddings.token_type_embeddings.weight"][0]
    length = graph.add("Shape", "input_ids", start=1, end=2)
    x = graph.add(
        "Add", x, graph.add("Slice", graph.constant("positions", positions), graph.axes(0), length, graph.axes(0))
    )
    x = normalised(x, "embeddings.LayerNorm")
    mask = graph.add("Cast", "attention_mask", to=TensorProto.INT32)
    is_there = graph.add("ReduceMax", "context_kinds", graph.axes(-1), keepdims=0)
    longer_mask = graph.add("Concat", mask, graph.add("Cast", is_there, to=TensorProto.INT32), axis=1)
    # The biases of all layers that look back, in one go: heads of all layers, then own tokens beside earlier ones.
    layers = len(looking_back)
    of_all = np.concatenate(looking_back, axis=-1)
    bias = graph.add("MatMul", "context_kinds", graph.constant("looking_back", of_all))
    bias = graph.add("Unsqueeze", graph.add("Transpose", bias, perm=[0, 2, 1]), graph.axes(2))
    own_sizes = graph.add(
        "Concat",
        graph.add("Shape", "input_ids", start=0, end=1),
        graph.axes(layers * heads),
        length,
        length,
        axis=0,
    )
    back_sizes = graph.add("Concat", graph.axes(1, 1), length, graph.add("Shape", "context", start=1, end=2), axis=0)
    bias = graph.add("Expand", bias, back_sizes)
    bias = graph.add("Concat", graph.add("ConstantOfShape", own_sizes), bias, axis=-1)
    biases = graph.add("Split", bias, outputs=layers, axis=1, num_outputs=layers)
    earlier = graph.add("Cast", "context", to=TensorProto.FLOAT)
    pasts = graph.add("Split", earlier, outputs=2 * layers, axis=-1, num_outputs=2 * layers)
    states, memories = [x], []
    for layer in range(config["num_hidden_layers"]):
        prefix = f"encoder.layer.{layer}."
        query, key, value = graph.add("Split", linear(x, prefix + "attention.self."), outputs=3, axis=-1, num_outputs=3)
        inputs = [query, key, value, "", mask]
        back = layer - first_looking_back(config)
        if back >= 0:
            memories += [key, value]
            keys, values = (
                graph.add("Concat", now, past, axis=1)
                for now, past in zip((key, value), pasts[2 * back : 2 * back + 2], strict=True)
            )
            inputs = [query, keys, values, "", longer_mask, biases[back]]
        attended = graph.add("MultiHeadAttention", *inputs, num_heads=heads, domain="com.microsoft")
        attended = linear(attended, prefix + "attention.output.dense")
        x = normalised(graph.add("Add", attended, x), prefix + "attention.output.LayerNorm")
        inner = graph.add("Gelu", linear(x, prefix + "intermediate.dense"))
        x = normalised(graph.add("Add", linear(inner, prefix + "output.dense"), x), prefix + "output.LayerNorm")
        states.append(x)

    float_mask = graph.add("Unsqueeze", graph.add("Cast", "attention_mask", to=TensorProto.FLOAT), graph.axes(-1))
    return Trunk(graph, states, memories, float_mask, peaks)


def encoder_graph(
    source: Source, head: dict[str, np.ndarray], *, scales: dict[str, np.ndarray] | None, probe: bool = False
):
    """The ONNX model of the encoder; see `trunk_graph` for its inputs.

    Outputs: sentence_vector [batch, hidden], turn_memory [batch, tokens, memory], emotion_logits [batch, 7],
    flag_logits [batch, 7], intensity_logit [batch, 1], emotion_token_logits [batch, tokens, 7], and the peaks.
    """
    from onnx import TensorProto, helper

    trunk = trunk_graph(source, head["looking_back"], scales=scales, probe=probe)
    graph, x, hidden = trunk.graph, trunk.states[-1], source.config["hidden_size"]
    graph.add("Cast", graph.add("Concat", *trunk.memories, axis=-1), to=TensorProto.FLOAT16, name="turn_memory")
    if source.pooling == "mean":  # the norm that follows makes the division by the count redundant
        pooled = graph.add("ReduceSum", graph.add("Mul", x, trunk.mask), graph.axes(1), keepdims=0)
    else:
        pooled = graph.add("Squeeze", graph.add("Slice", x, graph.axes(0), graph.axes(1), graph.axes(1)), graph.axes(1))
    graph.add("LpNormalization", pooled, axis=-1, p=2, name="sentence_vector")
    readings, shares = readings_of(trunk, head)
    parts = graph.constant("emotion.parts", np.array([len(EMOTIONS), len(FLAGS), 1]))
    for name, part in zip(
        ("emotion_logits", "flag_logits", "intensity_logit"),
        graph.add("Split", readings, parts, outputs=3, axis=-1),
        strict=True,
    ):
        graph.add("Identity", part, name=name)
    bounds = graph.axes(0), graph.constant("emotion.labels", np.array([len(EMOTIONS)])), graph.axes(2)
    graph.add("Slice", shares, *bounds, name="emotion_token_logits")
    tokens = ["batch", "tokens"]
    outputs = [
        helper.make_tensor_value_info("sentence_vector", TensorProto.FLOAT, ["batch", hidden]),
        helper.make_tensor_value_info("turn_memory", TensorProto.FLOAT16, [*tokens, memory_units(trunk, hidden)]),
        helper.make_tensor_value_info("emotion_logits", TensorProto.FLOAT, ["batch", len(EMOTIONS)]),
        helper.make_tensor_value_info("flag_logits", TensorProto.FLOAT, ["batch", len(FLAGS)]),
        helper.make_tensor_value_info("intensity_logit", TensorProto.FLOAT, ["batch", 1]),
        helper.make_tensor_value_info("emotion_token_logits", TensorProto.FLOAT, [*tokens, len(EMOTIONS)]),
        *(helper.make_tensor_value_info(peak, TensorProto.FLOAT, [None]) for peak in trunk.peaks.values()),
    ]
    return model_of(trunk, hidden, len(CONTEXT_KINDS), outputs)


def draft_graph(source: Source, head: dict[str, np.ndarray], *, scales: dict[str, np.ndarray]):
    """The ONNX model of the draft reader; see `trunk_graph` for its inputs.

    Outputs: fault_logits [batch, codes] and fault_token_logits [batch, tokens, codes], the tokens' shares of them.
    """
    from onnx import TensorProto, helper

    trunk = trunk_graph(source, head["looking_back"], scales=scales)
    readings, shares = readings_of(trunk, head)
    trunk.graph.add("Identity", readings, name="fault_logits")
    trunk.graph.add("Identity", shares, name="fault_token_logits")
    codes = len(head["bias"])
    outputs = [
        helper.make_tensor_value_info("fault_logits", TensorProto.FLOAT, ["batch", codes]),
        helper.make_tensor_value_info("fault_token_logits", TensorProto.FLOAT, ["batch", "tokens", codes]),
    ]
    return model_of(trunk, source.config["hidden_size"], head["looking_back"].shape[1], outputs)


def memory_units(trunk: Trunk, hidden: int) -> int:
    """Numbers that are kept of a token for later turns: its keys and values."""
    return len(trunk.memories) * hidden


def model_of(trunk: Trunk, hidden: int, kinds: int, outputs: list):
    """The ONNX model of a finished graph."""
    from onnx import TensorProto, helper

    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    for name, kind, width in (
        ("context", TensorProto.FLOAT16, memory_units(trunk, hidden)),
        ("context_kinds", TensorProto.FLOAT, kinds),
    ):
        inputs.append(helper.make_tensor_value_info(name, kind, ["batch", "earlier tokens", width]))
    graph = trunk.graph
    body = helper.make_graph(graph.nodes, "encoder", inputs, outputs, list(graph.constants.values()))
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(body, opset_imports=opsets, ir_version=10, producer_name="assist")


def empty_head(config: dict) -> dict[str, np.ndarray]:
    """A head that says nothing, for an encoder of that shape: all readings 0 whatever the text."""
    width, heads = config["hidden_size"] * len(HEAD_DEPTHS), config["num_attention_heads"]
    looking_back = config["num_hidden_layers"] - first_looking_back(config)
    shapes = {
        "norm.weight": (width,),
        "norm.bias": (width,),
        "query": (width, READINGS),
        "hidden.weight": (HEAD_UNITS, width),
        "hidden.bias": (HEAD_UNITS,),
        "value": (HEAD_UNITS, READINGS),
        "bias": (READINGS,),
        "looking_back": (looking_back, len(CONTEXT_KINDS), heads),
    }
    return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}


def first_looking_back(config: dict) -> int:
    """The first layer, counted from 0, that attends to the turns before."""
    return config["num_hidden_layers"] // 2


def readings_of(trunk: Trunk, head: dict[str, np.ndarray]) -> tuple[str, str]:
    """An attention for each reading over the tokens of the turn: (readings, the tokens' exact shares of them).

    reading_c = b_c + Σ_t softmax_t(x_t · q_c) (gelu(W x_t) · v_c), where x_t joins the normalised hidden states at
    HEAD_DEPTHS.
    """
    graph, last = trunk.graph, len(trunk.states) - 1

    def given(name: str) -> str:
        value = head[name].T if name == "hidden.weight" else head[name]
        return graph.constant(f"emotion.{name}", value.astype(np.float32))

    joined = graph.add("Concat", *(trunk.states[round(last * share)] for share in HEAD_DEPTHS), axis=-1)
    joined = graph.add(
        "LayerNormalization", joined, given("norm.weight"), given("norm.bias"), axis=-1, epsilon=HEAD_EPSILON
    )
    missing = graph.add("Sub", trunk.mask, graph.constant("one", np.float32(1)))
    scores = graph.add("MatMul", joined, given("query"))
    scores = graph.add("Add", scores, graph.add("Mul", missing, graph.constant("large", np.float32(1e4))))
    inner = graph.add(
        "Gelu", graph.add("Add", graph.add("MatMul", joined, given("hidden.weight")), given("hidden.bias"))
    )
    shares = graph.add("Mul", graph.add("Softmax", scores, axis=1), graph.add("MatMul", inner, given("value")))
    readings = graph.add("Add", graph.add("ReduceSum", shares, graph.axes(1), keepdims=0), given("bias"))
    return readings, shares


def channel_peaks(source: Source, texts: list[str]) -> dict[str, np.ndarray]:
    """Largest absolute input value per channel of every linear layer over the calibration texts."""
    import onnxruntime
    from tokenizers import Tokenizer

    model = encoder_graph(source, empty_head(source.config), scales=None, probe=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [output.name for output in session.get_outputs() if output.name.startswith("peak:")]
    tokenizer = Tokenizer.from_str(json.dumps(source.tokenizer))
    hidden, layers = source.config["hidden_size"], source.config["num_hidden_layers"]
    nothing_said = no_context(2 * hidden * (layers - first_looking_back(source.config)))
    peaks: dict[str, np.ndarray] = {}
    for text in track(texts, "calibrating", console=console):
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), **nothing_said}
        values = session.run(names, feed)
        for name, value in zip(names, values, strict=True):
            peaks[name] = np.maximum(value, peaks.get(name, 0))
    return {name.removeprefix("peak:"): value for name, value in peaks.items()}


def int8_scales(source: Source, prefixes: tuple[str, str]) -> dict[str, np.ndarray]:
    """Smoothing factors, calibrated on our own texts as queries and passages by turns."""
    texts = [prefixes[index % 2] + text for index, text in enumerate(read_lines(CALIBRATION))]
    return smoothing_scales(source, channel_peaks(source, texts))


def int8_model(source: Source, head: dict[str, np.ndarray], prefixes: tuple[str, str]) -> bytes:
    """The ONNX file to ship."""
    scales = int8_scales(source, prefixes)
    return encoder_graph(source, head, scales=scales).SerializeToString(deterministic=True)


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that are not empty."""
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line]
