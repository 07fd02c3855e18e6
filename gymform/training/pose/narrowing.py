"""Makes a narrow ViTPose from a wide one by fitting it layer by layer.

The token stream is projected onto its first principal components, as in SliceGPT (Ashkboos et al.,
"SliceGPT: Compress Large Language Models by Deleting Rows and Columns", ICLR 2024). The least
important heads and hidden units are removed. Each remaining linear layer is then fitted by least
squares: its inputs come from the narrow stream, its targets from the wide network, for some crops.
So each layer corrects errors of the layers below as far as a linear map can; training does the
rest.

Shapes in comments: B crops, N tokens, C channels of the wide network, c of the narrow one.
"""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gymform.errors import OptionsError
from gymform.pose.vitpose import Block, SimpleDecoder, ViTPose, ViTPoseConfig

RIDGE = 1e-4
"""Weight decay of the fits, over the inputs' mean square."""

DECODER_CROPS = 48
"""Number of crops to which the decoder is fitted: each gives an equation for every heatmap px."""


@torch.no_grad()
def narrow_network(wide: ViTPose, config: ViTPoseConfig, images: Tensor) -> ViTPose:
    """A network of the smaller ``config`` whose heatmaps approximate those of ``wide``.

    ``images`` (B, 3, 256, 192) are normalised crops to fit to; a hundred are enough. Raises
    OptionsError unless the networks differ in width and number of heads only and have the simple
    decoder.
    """
    _check(wide.config, config)
    narrow = ViTPose(config).eval()
    wide.eval()
    cut = _principal_cut(wide, config.dim, images)  # (c, C)
    ours, theirs = narrow.backbone, wide.backbone
    weight = theirs.patch_embed.proj.weight
    _set(ours.patch_embed.proj.weight, (cut @ weight.flatten(1)).reshape(-1, *weight.shape[1:]))
    _set(ours.patch_embed.proj.bias, cut @ _of(theirs.patch_embed.proj.bias))
    _set(ours.pos_embed, theirs.pos_embed @ cut.T)
    if ours.cls_token is not None:
        _set(ours.cls_token, _of(theirs.cls_token) @ cut.T)
    stream = theirs.tokens(images)  # (B, N, C)
    narrow_stream = stream @ cut.T  # (B, N, c)
    for mine, block in zip(ours.blocks, theirs.blocks, strict=True):
        assert isinstance(mine, Block)
        assert isinstance(block, Block)
        stream, narrow_stream = _fit_block(mine, block, stream, narrow_stream, cut)
    _fit_decoder(narrow, wide, stream[:DECODER_CROPS], narrow_stream[:DECODER_CROPS])
    return narrow


def _check(wide: ViTPoseConfig, narrow: ViTPoseConfig) -> None:
    for name in ("depth", "patch_size", "patch_padding", "class_token", "decoder", "mlp_ratio"):
        if getattr(wide, name) != getattr(narrow, name):
            raise OptionsError(f"--init: expected a network with {name} {getattr(narrow, name)}, "
                               f"got {getattr(wide, name)}.")  # fmt: skip
    head = wide.dim // wide.heads
    if head != narrow.dim // narrow.heads or narrow.dim > wide.dim:
        raise OptionsError(f"--init: expected heads of {narrow.dim // narrow.heads} channels in a "
                           f"wider network, got {head}.")  # fmt: skip
    if wide.decoder != "simple":
        raise OptionsError("--init: expected a network with the simple decoder, got the classic.")


def _principal_cut(wide: ViTPose, dim: int, images: Tensor) -> Tensor:
    """The matrix (c, C) that maps a token of the wide stream to one of the narrow stream.

    It holds the first c - 1 principal components of the inputs of the layer norms, in a basis whose
    coordinates sum to zero, so that the mean that a layer norm subtracts is zero.
    """
    scatter = torch.zeros(wide.config.dim, wide.config.dim, dtype=torch.float64)

    def add(norm: nn.LayerNorm, inputs: tuple[Tensor]) -> None:
        seen = F.layer_norm(inputs[0], norm.normalized_shape).flatten(0, 1)
        scatter.add_((seen.T @ seen).double())

    norms = [m for m in wide.modules() if isinstance(m, nn.LayerNorm)]
    hooks = [norm.register_forward_pre_hook(add) for norm in norms]
    wide(images)
    for hook in hooks:
        hook.remove()
    strongest = torch.linalg.eigh(scatter)[1][:, 1 - dim :]  # (C, c - 1), by rising strength
    columns = torch.cat((torch.ones(dim, 1), torch.eye(dim)[:, : dim - 1]), dim=1).double()
    balanced = torch.linalg.qr(columns)[0][:, 1:]  # (c, c - 1), each column sums to zero
    cut: Tensor = balanced @ strongest.T
    return cut.float()


def _fit_block(
    mine: Block, block: Block, stream: Tensor, narrow_stream: Tensor, cut: Tensor
) -> tuple[Tensor, Tensor]:
    """Fit a narrow block; return both streams after it."""
    joint = block.attn.qkv(block.norm1(stream))  # (B, N, 3C)
    inner = block.attn.attend(joint)
    stream = stream + block.attn.proj(inner)
    wanted = stream @ cut.T - narrow_stream
    kept = _best_heads(inner, wanted, block.attn.heads, mine.attn.heads)
    seen = F.layer_norm(narrow_stream, mine.norm1.normalized_shape, eps=mine.norm1.eps)
    channels = torch.cat([kept + part * stream.shape[-1] for part in range(3)])
    _fit(mine.attn.qkv, seen, joint[..., channels])
    inner = mine.attn.attend(mine.attn.qkv(seen))
    _fit(mine.attn.proj, inner, wanted)
    narrow_stream = narrow_stream + mine.attn.proj(inner)

    hidden = block.mlp.fc1(block.norm2(stream))  # (B, N, 4C)
    active = F.gelu(hidden)
    stream = stream + block.mlp.fc2(active)
    wanted = stream @ cut.T - narrow_stream
    importance = active.flatten(0, 1).std(0) * (cut @ block.mlp.fc2.weight).norm(dim=0)
    kept = importance.topk(mine.mlp.fc1.out_features).indices.sort().values
    seen = F.layer_norm(narrow_stream, mine.norm2.normalized_shape, eps=mine.norm2.eps)
    _fit(mine.mlp.fc1, seen, hidden[..., kept])
    active = F.gelu(mine.mlp.fc1(seen))
    _fit(mine.mlp.fc2, active, wanted)
    return stream, narrow_stream + mine.mlp.fc2(active)


def _best_heads(inner: Tensor, wanted: Tensor, heads: int, keep: int) -> Tensor:
    """Channels of the ``keep`` heads that explain most of ``wanted``."""
    size = inner.shape[-1] // heads
    x, y = (t.flatten(0, 1) - t.flatten(0, 1).mean(0) for t in (inner, wanted))
    square, product = (x.T @ x).double(), (x.T @ y).double()
    square += RIDGE * square.diagonal().mean() * torch.eye(len(square))
    best, most = torch.arange(keep * size), -1.0
    for chosen in combinations(range(heads), keep):
        rows = (torch.tensor(chosen)[:, None] * size + torch.arange(size)).flatten()
        part = product[rows]
        explained = float((part * torch.linalg.solve(square[rows][:, rows], part)).sum())
        if explained > most:
            best, most = rows, explained
    return best


def _fit_decoder(narrow: ViTPose, wide: ViTPose, stream: Tensor, narrow_stream: Tensor) -> None:
    """Fit the last layer to the wide network's heatmaps.

    The norm before it gets a bias of one standard deviation, so that the ReLU clips little: the
    channels that the wide network clips no longer exist.
    """
    _set(narrow.backbone.last_norm.bias, torch.ones(narrow.config.dim))
    heatmaps = wide.keypoint_head(_map(wide, stream))  # (B, K, 64, 48)
    decoder = narrow.keypoint_head
    assert isinstance(decoder, SimpleDecoder)
    large = decoder.upsample(_map(narrow, narrow_stream))
    layer = decoder.final_layer
    sums: list[tuple[Tensor, Tensor]] = []
    for crop, heatmap in zip(large, heatmaps, strict=True):
        x = F.unfold(crop[None], 3, padding=1)[0].T  # (64 * 48, 9c)
        sums.append(_products(x, heatmap.flatten(1).T))
    square, product = (torch.stack(part).sum(0) for part in zip(*sums, strict=True))
    weight, bias = _solve(square, product)
    _set(layer.weight, weight.reshape(layer.weight.shape))
    _set(layer.bias, bias)


def _map(network: ViTPose, stream: Tensor) -> Tensor:  # (B, N, C)
    """The decoder's input, from the last block's tokens."""
    return network.backbone.arrange(network.backbone.last_norm(stream))


# ---- least squares -------------------------------------------------------------------------


def _fit(layer: nn.Linear, inputs: Tensor, wanted: Tensor) -> None:
    """Set the weights of ``layer`` to the least-squares fit of ``wanted`` from ``inputs``."""
    weight, bias = _solve(*_products(inputs.flatten(0, -2), wanted.flatten(0, -2)))
    _set(layer.weight, weight)
    _set(layer.bias, bias)


def _products(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The normal equations of y = x w + b: (p + 1, p + 1) and (p + 1, q), the constant last."""
    x = F.pad(x, (0, 1), value=1.0)
    return (x.T @ x).double(), (x.T @ y).double()


def _solve(square: Tensor, product: Tensor) -> tuple[Tensor, Tensor]:
    """Weight (q, p) and bias (q,) that solve the normal equations."""
    decay = torch.full((len(square),), RIDGE * float(square.diagonal()[:-1].mean()))
    decay[-1] = 0.0  # a bias does not decay
    solution = torch.linalg.solve(square + decay.diag().double(), product)
    return solution[:-1].T.float(), solution[-1].float()


def _of(parameter: Tensor | None) -> Tensor:
    """``parameter``, which by PyTorch's types could be None."""
    assert parameter is not None
    return parameter


def _set(parameter: Tensor | None, value: Tensor) -> None:
    _of(parameter).copy_(value)
