import pytest
import torch

from gymform.pose.vitpose import HEATMAP_SIZE, INPUT_SIZE, OFFICIAL_SIZES, ViTPose, ViTPoseConfig
from tests.pose.layouts import small_network

IMAGES = torch.randn(2, 3, 256, 192, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("size", "decoder", "millions"),
    [
        ("S", "classic", 24.3),
        ("S", "simple", 21.7),
        ("B", "classic", 90.0),
        ("B", "simple", 85.9),
        ("L", "classic", 308.5),
        ("L", "simple", 303.5),
        ("H", "classic", 637.2),
        ("H", "simple", 631.1),
    ],
)
def test_official_sizes_have_the_published_number_of_parameters(size, decoder, millions):
    with torch.device("meta"):
        network = ViTPose(ViTPoseConfig(**OFFICIAL_SIZES[size], decoder=decoder))
    count = sum(parameter.numel() for parameter in network.parameters())
    assert round(count / 1e6, 1) == millions


@pytest.mark.parametrize("decoder", ["classic", "simple"])
@pytest.mark.parametrize("patch_padding", [0, 2])
@pytest.mark.parametrize("class_token", [False, True])
@pytest.mark.parametrize("heads", [1, 4])
def test_every_variant_gives_heatmaps(decoder, patch_padding, class_token, heads):
    network = small_network(
        decoder, patch_padding=patch_padding, class_token=class_token, heads=heads
    )
    with torch.inference_mode():
        heatmaps = network(IMAGES)
    assert heatmaps.shape == (2, 17, HEATMAP_SIZE[1], HEATMAP_SIZE[0])
    assert heatmaps.isfinite().all()


def test_heads_padding_and_class_token_change_the_heatmaps():
    """No shape depends on them, so a loader that dropped one of them would not notice."""
    base = small_network()
    with torch.inference_mode():
        expected = base(IMAGES)
        for option in ({"heads": 2}, {"patch_padding": 0}):
            other = small_network(**option)
            other.load_state_dict(base.state_dict())
            assert not torch.allclose(other(IMAGES), expected, atol=1e-3)
        with_token = small_network(class_token=True)
        with_token.load_state_dict(base.state_dict(), strict=False)
        assert not torch.allclose(with_token(IMAGES), expected, atol=1e-3)


def test_without_a_class_token_its_position_is_added_to_every_patch():
    network = small_network()
    with torch.inference_mode():
        expected = network(IMAGES)
        positions = network.backbone.pos_embed
        positions[:, 1:] += positions[:, :1].clone()
        positions[:, :1] = 0
        torch.testing.assert_close(network(IMAGES), expected, rtol=0, atol=1e-5)


def test_crops_of_a_batch_do_not_see_each_other():
    network = small_network()
    with torch.inference_mode():
        together = network(IMAGES)
        alone = torch.cat([network(image[None]) for image in IMAGES])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


def test_heatmaps_are_a_quarter_of_the_input():
    assert tuple(4 * side for side in HEATMAP_SIZE) == INPUT_SIZE


@pytest.mark.parametrize("decoder", ["classic", "simple"])
@pytest.mark.parametrize(("height", "width"), [(128, 96), (320, 240)])
def test_crops_may_be_of_other_sizes(decoder, height, width):
    network = small_network(decoder, input_height=height)
    assert network.config.input_size == (width, height)
    with torch.inference_mode():
        heatmaps = network(torch.zeros(1, 3, height, width))
    assert heatmaps.shape == (1, 17, height // 4, width // 4)
    assert network.config.heatmap_size == (width // 4, height // 4)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"heads": 7}, "heads"),
        ({"heads": True}, "heads"),
        ({"dim": 0}, "dim"),
        ({"dim": "384"}, "dim"),
        ({"depth": 10**9}, "depth"),
        ({"mlp_ratio": 4.0}, "mlp_ratio"),
        ({"decoder": "unet"}, "decoder"),
        ({"class_token": "false"}, "class_token"),
        ({"patch_size": 32}, "patch_size"),
        ({"patch_padding": -1}, "patch_padding"),
        ({"patch_padding": 9}, "patch_padding"),
        ({"padding": 0.9}, "padding"),
        ({"padding": float("nan")}, "padding"),
        ({"padding": "1.1"}, "padding"),
        ({"input_height": 300}, "input_height: expected a multiple of 64"),
        ({"input_height": 0}, "input_height"),
        ({"input_height": 10**6}, "input_height"),
    ],
)
def test_an_impossible_configuration_is_refused_by_name(options, named):
    with pytest.raises(ValueError, match=named):
        ViTPoseConfig(**options)


def test_the_simple_decoder_upsamples_bilinearly_then_convolves():
    """... though it computes both in reverse order."""
    decoder = small_network("simple").keypoint_head
    features = torch.randn(2, decoder.final_layer.in_channels, 16, 12)
    with torch.inference_mode():
        expected = decoder.final_layer(decoder.upsample(features))
        torch.testing.assert_close(decoder(features), expected)


def test_attention_in_training_equals_that_of_inference():
    network = small_network("simple", heads=4)
    with torch.inference_mode():
        expected = network(IMAGES)
    torch.testing.assert_close(network(IMAGES).detach(), expected)
