"""The manifest: what it says, and that a file which differs from it is refused with a reason."""

from pathlib import Path

import pytest

from assist.errors import ModelError
from assist.inference.manifest import Manifest
from assist.inference.runtime import Session

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "weights.bin").write_bytes(b"0123456789")
    manifest = Manifest("tiny", 4, 10, 8, 8, "q: ", "p: ", ("neutral", "angry"), ())
    manifest.with_file(tmp_path, "weights.bin", licence="MIT", origin='made "here"').save(tmp_path)
    return tmp_path


def test_a_saved_manifest_reads_back_the_same(folder: Path) -> None:
    manifest = Manifest.load(folder)
    assert (manifest.name, manifest.dimension, manifest.labels) == ("tiny", 4, ("neutral", "angry"))
    assert manifest.query_prefix == "q: "
    assert manifest.files[0].origin == 'made "here"'
    assert manifest.verified(folder, "weights.bin") == folder / "weights.bin"


@pytest.mark.parametrize(
    ("content", "reason"), [(b"01234", "5 bytes"), (b"0123456780", "SHA-256"), (None, "missing")], ids=str
)
def test_a_file_that_differs_is_refused(folder: Path, content: bytes | None, reason: str) -> None:
    if content is None:
        (folder / "weights.bin").unlink()
    else:
        (folder / "weights.bin").write_bytes(content)
    with pytest.raises(ModelError, match=reason):
        Manifest.load(folder).verified(folder, "weights.bin")


def test_a_file_that_is_not_listed_is_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"other\.bin is not listed"):
        Manifest.load(folder).verified(folder, "other.bin")


@pytest.mark.parametrize(
    "text", ["", "not toml at all [", "[encoder]\nname = 1\n", "[encoder]\nlabels = []\n[files]\n"]
)
def test_a_broken_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.toml").write_text(text)
    with pytest.raises(ModelError, match="not a valid manifest"):
        Manifest.load(tmp_path)


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot read"):
        Manifest.load(tmp_path)


def test_the_version_changes_with_a_file(folder: Path) -> None:
    before = Manifest.load(folder)
    (folder / "weights.bin").write_bytes(b"other")
    after = before.with_file(folder, "weights.bin", licence="MIT", origin="")
    assert len(after.files) == 1
    assert before.version != after.version


def test_a_file_that_is_no_model_is_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match="onnxruntime cannot load"):
        Session(folder, "weights.bin", Manifest.load(folder))


def test_every_shipped_file_matches_its_manifest() -> None:
    manifest = Manifest.load(MODELS)
    assert {file.path for file in manifest.files} >= {"encoder/model.onnx", "encoder/tokenizer.json"}
    for file in manifest.files:
        manifest.verified(MODELS, file.path)
        assert file.licence
        assert file.origin
    assert sum(file.bytes for file in manifest.files) < 80_000_000, (
        "two networks of 36 MB each and what belongs to them"
    )
