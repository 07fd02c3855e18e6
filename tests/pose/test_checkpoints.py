"""Checkpoints of all families in, the same heatmaps out; and nothing else gets in (R7)."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from gymform import weights
from gymform.errors import WeightsError
from gymform.pose import checkpoints
from gymform.pose.checkpoints import (
    available_models,
    convert,
    list_weights,
    load_pose_model,
    read_pose_file,
    save_checkpoint,
    verify,
)
from gymform.pose.vitpose import OFFICIAL_SIZES, ViTPose, ViTPoseConfig
from tests.pose.layouts import LAYOUTS, State, official, small_network

IMAGES = torch.randn(1, 3, 256, 192, generator=torch.Generator().manual_seed(1))
HEADS = 4  # of the small networks: no official size


def write(state: State, path: Path) -> Path:
    if path.suffix == ".pth":
        # what OpenMMLab publishes has the container from before PyTorch 1.6
        old = "old" in path.stem
        content = {"state_dict": state, "meta": {"epoch": 210, "CLASSES": ["person"]}}
        torch.save(content, path, _use_new_zipfile_serialization=not old)
    else:
        save_file({key: tensor.contiguous().clone() for key, tensor in state.items()}, path)
    return path


def heatmaps(network: ViTPose) -> torch.Tensor:
    width, height = network.config.input_size
    with torch.inference_mode():
        return network(F.interpolate(IMAGES, (height, width)))


# --- the embedded model -------------------------------------------------------------------------


def test_the_embedded_default_loads_and_finds_peaks():
    loaded = load_pose_model()
    assert loaded.name == weights.read_manifest().default_pose
    assert loaded.sha256 == weights.manifest_entry().sha256
    assert not loaded.network.training
    assert {p.dtype for p in loaded.network.parameters()} == {torch.float32}
    answer = heatmaps(loaded.network)
    assert answer.shape == (1, 17, 80, 60)
    assert answer.isfinite().all()


def test_every_embedded_file_is_what_the_manifest_says():
    assert all(problem is None for _, problem in verify())
    for entry in weights.read_manifest().models:
        assert entry.path.with_suffix(".md").is_file(), f"{entry.name} has no model card"


def test_the_folder_holds_the_manifest_s_files_and_cards_that_say_what_is_gone():
    folder, models = weights.embedded_dir(), weights.read_manifest().models
    assert {path.name for path in folder.glob("*.safetensors")} == {m.file for m in models}
    cards = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    gone = cards.keys() - {entry.name for entry in models}
    assert gone == {"vitpose-s-start"}
    for name in gone:
        assert "No longer shipped" in cards[name]
        assert re.search(r"sha256 \| `[0-9a-f]{64}`", cards[name])
        assert f"weights/{name}.safetensors > {name}.safetensors" in cards[name]


def test_the_embedded_file_converts_to_itself():
    """Heads, padding and class token do not show in shapes: they come from its metadata."""
    embedded = weights.manifest_entry()
    entry = convert(embedded.path, name="again")
    assert entry.config == dataclasses.asdict(ViTPoseConfig(**embedded.config))
    before, after = load_file(embedded.path), load_file(entry.path)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_an_unknown_model_is_refused_with_the_known_ones():
    with pytest.raises(WeightsError, match=r"'nope'.*vitpose-s"):
        load_pose_model("nope")


# --- families -----------------------------------------------------------------------------------


@pytest.mark.parametrize("decoder", ["classic", "simple"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("file", ["new.pth", "old.pth", "new.safetensors"])
def test_a_converted_checkpoint_gives_the_same_heatmaps(layout, decoder, file, tmp_path):
    network = small_network(decoder)
    path = write(LAYOUTS[layout](network), tmp_path / file)
    entry = convert(path, name="round-trip", heads=HEADS)
    loaded = load_pose_model("round-trip")
    assert entry in available_models()
    assert loaded.config == ViTPoseConfig(**entry.config)
    assert loaded.config.decoder == decoder
    # mmpose's file holds the sum of two tables, rounded once more
    exact = layout != "mmpose"
    torch.testing.assert_close(
        heatmaps(loaded.network), heatmaps(network), rtol=0, atol=0 if exact else 1e-5
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floating_types_load_as_fp32(dtype, tmp_path):
    network = small_network().to(dtype)
    state = {key: tensor.to(dtype) for key, tensor in official(network).items()}
    entry = convert(write(state, tmp_path / "half.safetensors"), heads=HEADS)
    loaded = load_pose_model(entry.name)
    assert {p.dtype for p in loaded.network.parameters()} == {torch.float32}
    torch.testing.assert_close(heatmaps(loaded.network), heatmaps(network.float()))
    if dtype != torch.float64:  # a half precision file stays as small as it was
        assert entry.bytes < 1.1 * (tmp_path / "half.safetensors").stat().st_size


def test_the_head_count_follows_the_official_sizes(tmp_path):
    network = small_network(**OFFICIAL_SIZES["S"] | {"depth": 1})
    entry = convert(write(official(network), tmp_path / "s.pth"))
    assert entry.config["heads"] == 12
    assert convert(write(official(network), tmp_path / "s6.pth"), heads=6).config["heads"] == 6


def test_an_unofficial_size_needs_its_head_count(tmp_path):
    path = write(official(small_network()), tmp_path / "small.pth")
    with pytest.raises(WeightsError, match=r"small\.pth.*number of heads"):
        convert(path)
    with pytest.raises(WeightsError, match=r"small\.pth.*heads"):
        convert(path, heads=5)


def test_a_saved_checkpoint_brings_its_own_facts(tmp_path):
    unseen = {"patch_padding": 0, "class_token": True, "score_power": 0.625, "padding": 1.1,
              "input_height": 320}  # fmt: skip
    network = small_network("simple", heads=2, **unseen)
    path = tmp_path / "trained.safetensors"
    save_checkpoint(network.state_dict(), network.config, path)
    loaded = load_pose_model(convert(path).name)
    # the simple decoder has no channels of its own
    assert dataclasses.replace(loaded.config, decoder_channels=16) == network.config
    assert torch.equal(heatmaps(loaded.network), heatmaps(network))


def is_ignored(key: str) -> bool:
    return (
        key in ("backbone.cls_token", "data_preprocessor.mean")
        or "num_batches_tracked" in key
        or key.startswith("associate_keypoint_heads.")
        or any(f".experts.{k}." in key for k in range(1, 6))
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_missing_key_is_named_unless_a_rule_ignores_it(layout, tmp_path):
    state = LAYOUTS[layout](small_network(depth=1, dim=16))
    for key in state:
        path = write({k: t for k, t in state.items() if k != key}, tmp_path / "m.safetensors")
        if is_ignored(key):
            convert(path, name="ignored", heads=HEADS).path.unlink()
            (weights.local_dir() / weights.MANIFEST).unlink()
        else:
            with pytest.raises(WeightsError) as raised:
                convert(path, heads=HEADS)
            assert "m.safetensors" in str(raised.value)
            assert repr(key) in str(raised.value)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_wrong_shape_is_named(layout, tmp_path):
    state = LAYOUTS[layout](small_network(depth=1, dim=16))
    for key, tensor in state.items():
        if is_ignored(key):
            continue
        for wrong in (torch.cat((tensor, tensor)), tensor[None], tensor.flatten()[0]):
            path = write(state | {key: wrong}, tmp_path / "m.safetensors")
            with pytest.raises(WeightsError, match=r"m\.safetensors: ") as raised:
                convert(path, heads=HEADS)
            # a wrong decisive shape (of patches, fc1, final layer) contradicts others' first
            decisive = ("patch", "fc1", "ffn.layers.0", "final_layer", "head.conv", "experts")
            if not any(word in key for word in decisive):
                assert key.replace(".experts.0.", ".fc2.") in str(raised.value)


@pytest.mark.parametrize(
    "extra",
    [
        "backbone.blocks.0.attn.rel_pos",
        "backbone.blocks.7.norm1.weight",
        "keypoint_head.deconv_layers.6.weight",
        "optimizer.state",
        "",
    ],
)
def test_an_unexpected_key_is_named(extra, tmp_path):
    state = official(small_network()) | {extra: torch.zeros(3)}
    with pytest.raises(WeightsError) as raised:
        convert(write(state, tmp_path / "m.pth"), heads=HEADS)
    # a seventh block alone makes the file one of three, whose third lacks everything
    named = "backbone.blocks.2." if "blocks.7" in extra else repr(extra)
    assert named in str(raised.value)


@pytest.mark.parametrize("keypoints", [18, 26, 133])
@pytest.mark.parametrize("decoder", ["classic", "simple"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_of_more_keypoints_the_first_17_are_kept_and_that_is_said(
    layout, decoder, keypoints, tmp_path
):
    network = small_network(decoder, depth=1, dim=16, keypoints=keypoints)
    path = write(LAYOUTS[layout](network), tmp_path / "more.pth")
    said: list[str] = []
    entry = convert(path, heads=HEADS, tell=said.append)
    assert len(said) == 1
    assert said[0].startswith(f"more.pth has {keypoints} keypoints. Kept are the first 17, ")
    assert said[0].endswith(f"the other {keypoints - 17} are left out.")
    assert f"the first 17 of its {keypoints} keypoints" in entry.provenance
    loaded = load_pose_model(entry.name)
    assert loaded.config.keypoints == 17
    # the simple decoder multiplies matrices of other shapes, mmpose's file holds a rounded sum
    exact = layout != "mmpose" and decoder == "classic"
    torch.testing.assert_close(
        heatmaps(loaded.network), heatmaps(network)[:, :17], rtol=0, atol=0 if exact else 1e-5
    )
    assert convert(path, heads=HEADS) == entry


def test_nothing_is_said_of_a_network_of_17(tmp_path):
    path = write(official(small_network()), tmp_path / "a.pth")
    entry = convert(path, heads=HEADS, tell=lambda text: pytest.fail(text))
    assert re.fullmatch(r"Converted from a\.pth \(.*\), sha256 [0-9a-f]{64}", entry.provenance)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_network_of_fewer_keypoints_is_refused_in_words(layout, tmp_path):
    path = write(LAYOUTS[layout](small_network(keypoints=14)), tmp_path / "aic.pth")
    with pytest.raises(WeightsError, match=r"aic\.pth: expected 17 .*, got 14\..*needs every"):
        convert(path, heads=HEADS)


@pytest.mark.parametrize("rows", [17, 20])
def test_a_last_layer_that_contradicts_itself_is_refused(rows, tmp_path):
    state = official(small_network(keypoints=26))
    bias = "keypoint_head.final_layer.bias"
    path = write(state | {bias: state[bias][:rows].clone()}, tmp_path / "m.pth")
    with pytest.raises(WeightsError, match=rf"{re.escape(bias)}: expected 26 rows, got .*{rows}"):
        convert(path, heads=HEADS)


def test_only_conversion_keeps_a_part(tmp_path):
    """A file that is opened as it is must have 17; the error says what makes it so."""
    network = small_network(**OFFICIAL_SIZES["S"] | {"depth": 1, "keypoints": 26})
    path = write(official(network), tmp_path / "halpe.pth")
    with pytest.raises(WeightsError, match=r"halpe\.pth: .* got 26\. `weights convert` keeps"):
        read_pose_file(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused_by_key(value, tmp_path):
    state = {key: tensor.clone() for key, tensor in official(small_network()).items()}
    state["backbone.blocks.1.attn.qkv.bias"][3] = value
    with pytest.raises(WeightsError, match=r"m\.pth: backbone\.blocks\.1\.attn\.qkv\.bias"):
        convert(write(state, tmp_path / "m.pth"), heads=HEADS)


# --- hostile files ------------------------------------------------------------------------------


class Bomb:
    """Unpickled, it leaves a file."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


def crafted(kind: str, path: Path, trace: Path) -> Path:
    """A file of the given kind, which would leave ``trace`` if code from it ran."""
    bomb, state = Bomb(trace), official(small_network())
    path = path / f"crafted.{'safetensors' if kind.startswith('safetensors') else 'pth'}"
    if kind == "pickle":
        path.write_bytes(pickle.dumps({"state_dict": bomb}))
    elif kind == "zip":
        torch.save({"state_dict": state, "meta": bomb}, path)
    elif kind == "old":
        torch.save({"state_dict": state, "m": bomb}, path, _use_new_zipfile_serialization=False)
    elif kind == "value":
        torch.save(state | {"backbone.pos_embed": bomb}, path)
    elif kind == "safetensors-pickle":
        path.write_bytes(pickle.dumps(bomb))
    elif kind == "safetensors-zip":
        torch.save({"state_dict": state, "meta": bomb}, path)
    elif kind == "script":

        class Net(torch.nn.Module):
            def forward(self, x):
                return x

        torch.jit.save(torch.jit.trace(Net(), torch.zeros(1)), str(path))
    return path


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "kind", ["pickle", "zip", "old", "value", "safetensors-pickle", "safetensors-zip", "script"]
)
def test_no_code_from_a_file_ever_runs(kind, tmp_path, monkeypatch):
    trace = tmp_path / "executed"
    monkeypatch.setattr(torch.jit, "load", lambda *a, **o: pytest.fail("a program was loaded"))
    path = crafted(kind, tmp_path, trace)
    with pytest.raises(WeightsError, match=path.name) as raised:
        convert(path, heads=HEADS)
    assert not trace.exists()
    assert str(tmp_path) not in str(raised.value)
    if kind in ("zip", "old", "value"):
        assert "posix.mkdir" in str(raised.value)  # says what it wanted


def test_the_crafted_file_would_run_code_elsewhere(tmp_path):
    """The test above proves nothing unless its files are dangerous."""
    torch.load(crafted("zip", tmp_path, tmp_path / "executed"), weights_only=False)
    assert (tmp_path / "executed").exists()


def test_only_the_restricted_unpickler_is_used(tmp_path, monkeypatch):
    asked = []
    real = torch.load
    monkeypatch.setattr(
        torch, "load", lambda *args, **options: asked.append(options) or real(*args, **options)
    )
    convert(write(official(small_network()), tmp_path / "a.pth"), heads=HEADS)
    with pytest.raises(WeightsError):
        convert(crafted("zip", tmp_path, tmp_path / "executed"), heads=HEADS)
    assert [options["weights_only"] for options in asked] == [True, True]


def test_a_file_that_inflates_is_refused_before_it_is_read(tmp_path, monkeypatch):
    plain = write(official(small_network()), tmp_path / "plain.pth")
    bomb = tmp_path / "bomb.pth"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            new.writestr(member.filename, old.read(member))
        new.writestr("archive/data/999", b"\0" * 50_000_000)
    monkeypatch.setattr(torch, "load", lambda *args, **options: pytest.fail("it was read"))
    with pytest.raises(WeightsError, match=r"bomb\.pth.*larger"):
        convert(bomb, heads=HEADS)


@pytest.mark.parametrize(
    "content",
    [
        {"state_dict": [torch.zeros(1)]},
        {"state_dict": {}},
        [torch.zeros(1)],
        torch.zeros(3),
        {"weights": 3},
        {1: torch.zeros(1)},
    ],
    ids=["list", "empty", "only-list", "tensor", "number", "key-no-text"],
)
def test_a_pth_of_something_else_is_refused(content, tmp_path):
    torch.save(content, tmp_path / "else.pth")
    with pytest.raises(WeightsError, match=r"else\.pth"):
        convert(tmp_path / "else.pth", heads=HEADS)


@pytest.mark.parametrize(
    "make",
    [
        lambda zeros: zeros.long(),
        lambda zeros: zeros.to_sparse(),
        lambda zeros: zeros.to("meta"),
        lambda zeros: zeros.to(torch.complex64),
        lambda zeros: torch.quantize_per_tensor(zeros, 0.1, 0, torch.qint8),
    ],
    ids=["integer", "sparse", "meta", "complex", "quantised"],
)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_tensors_of_other_kinds_are_refused_by_key(make, tmp_path):
    key = "backbone.blocks.0.mlp.fc1.bias"
    torch.save(official(small_network()) | {key: make(torch.zeros(128))}, tmp_path / "m.pth")
    with pytest.raises(WeightsError, match=rf"m\.pth: ({re.escape(key)}: expected|refused)"):
        convert(tmp_path / "m.pth", heads=HEADS)


def test_a_few_bytes_cannot_ask_for_a_huge_network(tmp_path):
    """Tensors of stride 0 and forged block numbers cost a file nothing."""
    with torch.device("meta"):
        huge = ViTPose(ViTPoseConfig(dim=4096, depth=10, heads=HEADS))
    state = {key: torch.zeros(()).expand(t.shape) for key, t in huge.state_dict().items()}
    torch.save(state, tmp_path / "huge.pth")
    assert (tmp_path / "huge.pth").stat().st_size < 1_000_000
    with pytest.raises(WeightsError, match=r"huge\.pth: the network would be larger"):
        convert(tmp_path / "huge.pth", heads=HEADS)
    rows = {f"keypoint_head.final_layer.{kind}": shape for kind, shape in
            (("weight", (10**11, 16, 1, 1)), ("bias", (10**11,)))}  # fmt: skip
    many = {key: torch.zeros(()).expand(shape) for key, shape in rows.items()}
    torch.save(official(small_network()) | many, tmp_path / "many.pth")
    assert convert(tmp_path / "many.pth", heads=HEADS).bytes < 1_000_000
    forged = official(small_network()) | {"backbone.blocks.999999999.x": torch.zeros(1)}
    with pytest.raises(WeightsError, match=r"forged\.pth: key .* is missing"):
        convert(write(forged, tmp_path / "forged.pth"), heads=HEADS)


MUTATIONS = 100


@pytest.mark.parametrize("file", ["new.pth", "old.pth", "new.safetensors"])
def test_mutated_files_are_refused_or_hold_plain_numbers(file, tmp_path):
    """Without a sha256 to compare with (a conversion) damage may go unseen, but never get loose."""
    plain = write(official(small_network("simple", depth=1, dim=16)), tmp_path / file)
    content = plain.read_bytes()
    generator = np.random.default_rng(0)
    refused = 0
    for i in range(MUTATIONS):
        path = tmp_path / f"mutated-{i}{plain.suffix}"
        path.write_bytes(mutate(content, generator))
        try:
            entry = convert(path, heads=HEADS)
        except WeightsError as error:
            assert path.name in str(error)  # noqa: PT017
            assert str(tmp_path) not in str(error)  # noqa: PT017
            refused += 1
        else:
            load_pose_model(entry.name)
        path.unlink()
    assert refused > MUTATIONS // 4


def mutate(content: bytes, generator: np.random.Generator) -> bytes:
    """``content`` with bytes changed (half the time near an end, where headers are), or cut."""
    mutated = bytearray(content)
    kind = generator.integers(4)
    if kind == 0:
        return bytes(mutated[: generator.integers(1, len(mutated))])
    for _ in range(generator.integers(1, 9)):
        reach = len(mutated) if kind == 1 else 2000
        at = int(generator.integers(reach))
        mutated[at if kind != 3 else -1 - at] = int(generator.integers(256))
    return bytes(mutated)


def test_a_damaged_model_is_refused_before_it_is_parsed(tmp_path, monkeypatch):
    convert(write(official(small_network()), tmp_path / "a.pth"), name="mine", heads=HEADS)
    entry = weights.manifest_entry("mine")
    content = entry.path.read_bytes()
    monkeypatch.setattr(checkpoints, "safe_open", lambda *a, **o: pytest.fail("it was parsed"))
    generator = np.random.default_rng(0)
    for _ in range(100):
        mutated = bytearray(content)
        mutated[int(generator.integers(len(mutated)))] ^= int(generator.integers(1, 256))
        entry.path.write_bytes(mutated)
        with pytest.raises(WeightsError, match=r"mine\.safetensors: expected sha256"):
            load_pose_model("mine")
    for wrong in (content[:-1], content + b"\0", b""):
        entry.path.write_bytes(wrong)
        with pytest.raises(WeightsError, match=r"mine\.safetensors: expected \d+ bytes"):
            load_pose_model("mine")
    entry.path.unlink()
    with pytest.raises(WeightsError, match=r"mine\.safetensors is missing"):
        load_pose_model("mine")
    assert [p for e, p in verify() if e.name == "mine"] == [
        "mine.safetensors is missing. Fetch or convert the model again."
    ]


def test_a_manifest_that_contradicts_the_file_is_refused_by_key(tmp_path):
    convert(write(official(small_network()), tmp_path / "a.pth"), name="mine", heads=HEADS)
    path = weights.local_dir() / weights.MANIFEST
    content = json.loads(path.read_text())
    for option, text in (
        ({"depth": 3}, r"mine\.safetensors: key 'backbone\.blocks\.2\..* is missing"),
        ({"depth": 1}, r"mine\.safetensors: unexpected key 'backbone\.blocks\.1\."),
        ({"mlp_ratio": 2}, r"mine\.safetensors: backbone\.blocks\.0\.mlp\.fc1\.weight: expected"),
        ({"class_token": True}, r"mine\.safetensors: key 'backbone\.cls_token' is missing"),
        ({"heads": 0}, r"MANIFEST\.json, model 'mine': config: heads"),
        ({"layers": 3}, r"MANIFEST\.json, model 'mine': config: .*layers"),
    ):
        changed = json.loads(json.dumps(content))
        changed["models"][0]["config"] |= option
        path.write_text(json.dumps(changed))
        with pytest.raises(WeightsError, match=text):
            load_pose_model("mine")


# --- conversion's own rules ---------------------------------------------------------------------


def test_a_model_converted_before_a_fact_was_known_converts_again(tmp_path):
    path = write(official(small_network()), tmp_path / "small.pth")
    entry = convert(path, heads=4)
    known = {name: value for name, value in entry.config.items() if name != "input_height"}
    weights.write_entry(dataclasses.replace(entry, config=known))
    assert convert(path, heads=4).config == entry.config


def test_converting_twice_is_the_same_model_and_another_needs_another_name(tmp_path):
    path = write(official(small_network()), tmp_path / "a.pth")
    first = convert(path, name="mine", heads=HEADS)
    assert convert(path, name="mine", heads=HEADS) == first
    other = write(official(small_network("simple")), tmp_path / "b.pth")
    for name in ("mine", "vitpose-s"):
        with pytest.raises(WeightsError, match=f"already a model '{name}'"):
            convert(other, name=name, heads=HEADS)
    assert load_pose_model("mine").config.decoder == "classic"


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "ä", "x" * 65, "a b", "C:\\x", "a\n"])
def test_a_name_that_is_no_file_name_is_refused(name, tmp_path):
    path = write(official(small_network()), tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="cannot be a model's name"):
        convert(path, name=name, heads=HEADS)
    assert list(weights.local_dir().iterdir()) == []


def test_a_failed_conversion_leaves_nothing(tmp_path):
    with pytest.raises(WeightsError):
        convert(write({"x": torch.zeros(1)}, tmp_path / "a.pth"))
    assert list(weights.local_dir().iterdir()) == []
    assert [entry.embedded for entry in list_weights()] == [True] * len(list_weights())


@pytest.mark.parametrize(
    "file", ["absent.pth", "text.txt", "empty.pth", "empty.safetensors", "d.pth"]
)
def test_what_is_no_checkpoint_is_refused_by_name(file, tmp_path):
    path = tmp_path / file
    if file == "d.pth":
        path.mkdir()
    elif file != "absent.pth":
        path.write_bytes(b"")
    with pytest.raises(WeightsError, match=file.replace(".", r"\.")) as raised:
        convert(path)
    assert str(tmp_path) not in str(raised.value)


def test_a_file_over_the_cap_is_not_opened(tmp_path, monkeypatch):
    path = write(official(small_network()), tmp_path / "a.pth")
    monkeypatch.setattr(checkpoints, "MAX_WEIGHTS_BYTES", path.stat().st_size - 1)
    monkeypatch.setattr(io, "open", lambda *a, **o: pytest.fail("it was opened"))
    with pytest.raises(WeightsError, match=r"a\.pth: expected a file of 1 to"):
        convert(path, heads=HEADS)
