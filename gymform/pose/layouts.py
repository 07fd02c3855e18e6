"""Under which names files keep a ViTPose's parameters.

Four families of files hold one: the authors' own (ViTPose and ViTPose++, told apart by their
experts), mmpose 1.x, and Hugging Face. The parameters of :class:`ViTPose` carry the authors' names;
a :class:`Family` says under which names a file keeps them, and which of its keys nobody needs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

POSITIONS = "backbone.pos_embed"
CLASS_TOKEN = "backbone.cls_token"


@dataclass(frozen=True)
class Family:
    """One layout of keys.

    ``blocks`` starts the keys of the transformer blocks, which tells the family. ``renames`` are
    replaced one after the other in a parameter's name to get the file's; ``{a,b}`` stands for
    several keys whose rows follow each other. ``ignored`` are patterns of keys that a network
    does not need, each with the reason.
    """

    name: str
    blocks: str
    renames: tuple[tuple[str, str], ...] = ()
    ignored: tuple[tuple[str, str], ...] = ()
    first_position: bool = True  # does the position table start with the class token's row?

    def keys_of(self, parameter: str, experts: bool = False) -> tuple[str, ...]:
        """The file's keys whose rows make up ``parameter``.

        ``experts``: ViTPose++ keeps the last rows of ``fc2`` apart, once for each data set. The
        first is COCO's, and with it the network is a plain one again, exactly.
        """
        key = parameter
        for ours, theirs in self.renames:
            key = key.replace(ours, theirs)
        if experts and ".mlp.fc2." in key:
            return key, key.replace(".mlp.fc2.", ".mlp.experts.0.")
        several = re.fullmatch(r"(.*)\{(.*)\}(.*)", key)
        if several:
            start, names, end = several.groups()
            return tuple(f"{start}{name}{end}" for name in names.split(","))
        return (key,)

    def ignores(self, key: str) -> bool:
        """Is there a rule by which ``key`` is not needed?"""
        return is_counter(key) or any(re.fullmatch(rule, key) for rule, _ in self.ignored)


def is_counter(key: str) -> bool:
    """Does ``key`` count a batch norm's training steps? No network needs that to answer."""
    return key.endswith(".num_batches_tracked")


_OTHER_EXPERTS = (r".*\.mlp\.experts\.[1-9]\d*\.(weight|bias)", "experts of other data sets")

FAMILIES = (
    Family(
        name="official ViTPose",
        blocks="backbone.blocks.",
        ignored=(
            (re.escape(CLASS_TOKEN), "left from pretraining; not part of the sequence"),
            _OTHER_EXPERTS,
            (r"associate_keypoint_heads\..*", "decoders of other data sets"),
        ),
    ),
    Family(
        name="mmpose 1.x",
        blocks="backbone.layers.",
        renames=(
            ("patch_embed.proj.", "patch_embed.projection."),
            ("backbone.blocks.", "backbone.layers."),
            (".norm1.", ".ln1."),
            (".norm2.", ".ln2."),
            (".mlp.fc1.", ".ffn.layers.0.0."),
            (".mlp.fc2.", ".ffn.layers.1."),
            ("backbone.last_norm.", "backbone.ln1."),
            ("keypoint_head.", "head."),
        ),
        ignored=(
            (re.escape(CLASS_TOKEN), "left from pretraining; not part of the sequence"),
            (r"data_preprocessor\.(mean|std)", "ImageNet's statistics, which crops.py has"),
        ),
        first_position=False,
    ),
    Family(
        name="Hugging Face",
        blocks="backbone.encoder.layer.",
        renames=(
            ("backbone.pos_embed", "backbone.embeddings.position_embeddings"),
            ("patch_embed.proj.", "embeddings.patch_embeddings.projection."),
            ("backbone.blocks.", "backbone.encoder.layer."),
            (".norm1.", ".layernorm_before."),
            (".norm2.", ".layernorm_after."),
            (".attn.qkv.", ".attention.attention.{query,key,value}."),
            (".attn.proj.", ".attention.output.dense."),
            ("backbone.last_norm.", "backbone.layernorm."),
            ("keypoint_head.deconv_layers.0.", "head.deconv1."),
            ("keypoint_head.deconv_layers.1.", "head.batchnorm1."),
            ("keypoint_head.deconv_layers.3.", "head.deconv2."),
            ("keypoint_head.deconv_layers.4.", "head.batchnorm2."),
            ("keypoint_head.final_layer.", "head.conv."),
        ),
        ignored=(_OTHER_EXPERTS,),
    ),
)
