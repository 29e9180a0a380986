"""The only door to onnxruntime: opens a session on a model file that matches the manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime
from numpy.typing import NDArray

from assist.errors import ModelError
from assist.inference.manifest import Manifest

FATAL_ONLY = 4


class Session:
    """One loaded ONNX model. Safe to use from several threads; the GIL is released while it computes."""

    def __init__(self, model_dir: Path, name: str, manifest: Manifest) -> None:
        """Load the file `name` of `model_dir`. Raises ModelError if it is missing, damaged or does not load."""
        path = manifest.verified(model_dir, name)
        options = onnxruntime.SessionOptions()
        # One thread a pass: int8 layers this small gain nothing from a second one, and passes run side by side instead.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = FATAL_ONLY
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors share no public base class
            raise ModelError(f"onnxruntime cannot load {path}: {error}") from error
        self._path = path

    def input_size(self, name: str) -> int:
        """Size of an input's last axis. Raises ModelError if the model has no such input or leaves its size open."""
        size = next((node.shape[-1] for node in self._session.get_inputs() if node.name == name), None)
        if not isinstance(size, int):
            raise ModelError(f"{self._path} has no input {name} of a fixed size: build it with scripts/train_encoder")
        return size

    def run(self, outputs: Sequence[str], inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """The named outputs for one set of inputs."""
        values: list[NDArray[Any]] = self._session.run(list(outputs), dict(inputs))
        return values
