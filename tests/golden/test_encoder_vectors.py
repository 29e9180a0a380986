"""Known vectors and labels of the shipped model: it gives on this machine what it gave where it was built."""

import json
from pathlib import Path

import numpy as np
import pytest

from assist.inference.emotion import EmotionReader
from assist.inference.encoder import Encoder
from assist.text.language import detect

MODELS = Path(__file__).parents[2] / "models"
ROWS = json.loads(Path(__file__).with_name("encoder_vectors.json").read_text(encoding="utf-8"))
# int8 kernels differ between processors by single rounding steps, some 0.002 in a number of about 0.05.
TOLERANCE = 0.01


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(MODELS)


@pytest.fixture(scope="module")
def reader() -> EmotionReader:
    return EmotionReader(MODELS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["text"])
def test_vector_and_label(encoder: Encoder, reader: EmotionReader, row: dict) -> None:
    encoding = encoder.encode_query(row["text"])
    np.testing.assert_allclose(encoding.vector[:5], row["vector"], atol=TOLERANCE)
    emotion = reader.read(row["text"], detect(row["text"]), encoding)
    assert emotion.label == row["label"]
    assert emotion.probability == pytest.approx(row["probability"], abs=0.1)


def test_the_original_is_still_near(encoder: Encoder) -> None:
    texts = (MODELS / "encoder" / "reference.txt").read_text(encoding="utf-8").splitlines()
    reference = np.load(MODELS / "encoder" / "reference.npy")
    vectors = np.stack([encoder.encode_query(text).vector for text in texts])
    cosines = (vectors * reference).sum(1)
    assert len(texts) >= 100
    # Fine-tuned for emotion and for search, with the vector held near by distillation.
    assert cosines.mean() > 0.94
    assert cosines.min() > 0.87
