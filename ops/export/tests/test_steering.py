"""Graphs that pictures and earlier frames steer, compared with diffusers row by row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline
from millrace_export.steering.ip_adapter import load_ip_adapter
from models import save_model
from running import assert_close, export_model, run, session, torch_unet, unet_inputs
from steering_models import IMAGE_SIZE, save_adapter, save_controlnet, save_ip_adapter
from steering_reference import Reference, RowSteering

TYPES = {"fp32": ([], 1e-4), "fp16": (["--fp16"], 2e-2), "weights-fp16": (["--weights-fp16"], 1e-2)}
# An IP-Adapter "plus" for two of them, the plain one for the others.
PLUS = {"sd-turbo", "sdxl-turbo"}
ROWS, HEIGHT, WIDTH, SLOTS = 3, 16, 8, 2
CONTROLNETS = ("canny", "depth")
# Channels of the pictures that they take.
ADAPTERS = {"sketch": 1, "color": 3}

Tensors = dict[str, torch.Tensor]


class Steered:
    """A model with two ControlNets, two T2I-Adapters, an IP-Adapter and banks, and rows that use them."""

    def __init__(self, architecture: str, kind: str, folder: Path):
        options, self.allowed = TYPES[kind]
        self.plus = architecture in PLUS
        model = save_model(architecture, folder / "model")
        unet = DiffusionPipeline.from_pretrained(model).unet
        controlnets = {name: save_controlnet(unet, folder / name, i) for i, name in enumerate(CONTROLNETS, 31)}
        adapters = {name: save_adapter(unet, folder / name, i, channels=i) for name, i in ADAPTERS.items()}
        ip = save_ip_adapter(unet, folder / "ip", "plus" if self.plus else "plain")
        self.folder = export_model(
            model,
            folder / "exported",
            *(part for name, place in controlnets.items() for part in ("--controlnet", f"{name}={place}")),
            *(part for name, place in adapters.items() for part in ("--t2i-adapter", f"{name}={place}")),
            *("--ip-adapter", str(ip), "--attention-bank", "mid_block, up_blocks.1", *options),
        )
        self.config = json.loads((self.folder / "unet_steered/config.json").read_text())
        self.reference = Reference(model, controlnets, adapters, ip)
        self.inputs = unet_inputs(unet, ROWS, HEIGHT, WIDTH, 77)
        self._draw()

    def _draw(self) -> None:
        random = torch.Generator().manual_seed(7)
        layers = self.config["attention_bank"]["layers"]
        self.images = torch.rand(len(CONTROLNETS) + len(ADAPTERS), ROWS, 3, 8 * HEIGHT, 8 * WIDTH, generator=random)
        self.pixels = torch.randn(ROWS, 3, IMAGE_SIZE, IMAGE_SIZE, generator=random)
        self.scales = torch.rand(len(CONTROLNETS) + len(ADAPTERS), ROWS, generator=random)
        self.image_scales = torch.rand(ROWS, len(self.config["ip_adapter"]["layers"]), generator=random)
        self.image_scales[1, 0] = 0
        self.mask = torch.tensor([[1.0, 0], [1, 1], [0, 0]])
        self.banks = [
            torch.randn(
                ROWS,
                SLOTS,
                2,
                (HEIGHT // layer["divisor"]) * (WIDTH // layer["divisor"]),
                layer["width"],
                generator=random,
            )
            for layer in layers
        ]

    def adapter_image(self, name: str, images: torch.Tensor) -> torch.Tensor:
        """Return the picture as diffusers' pipelines prepare it for an adapter of one channel."""
        if name != "sketch":
            return images
        weights = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
        return (images * weights).sum(-3, keepdim=True)

    def all_inputs(self) -> Tensors:
        """Return the inputs of all rows, with what the graphs of their own make of the pictures."""
        found = dict(self.inputs)
        for index, control in enumerate(self.config["controls"]):
            features = run(self.folder / "controls" / control["name"], {"image": self.images[index]})
            for k, feature in enumerate(features):
                found[f"control_{index}_feature_{k}"] = torch.from_numpy(feature)
            found[f"control_{index}_scale"] = self.scales[index]
        tokens, negative = run(self.folder / "image_encoder", {"pixel_values": self.pixels})
        # The last row is one of a negative prompt.
        found["image_tokens"] = torch.from_numpy(np.concatenate([tokens[:-1], negative[-1:]]))
        found["ip_adapter_scale"] = self.image_scales
        found |= {f"bank_{index}": bank for index, bank in enumerate(self.banks)}
        found["bank_mask"] = self.mask
        return found

    def wanted(self, row: int) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return what diffusers predicts for a row, and the keys and values of the layers with banks."""
        count = len(CONTROLNETS)
        embeds = self.reference.image_embeds(self.pixels, self.plus)[int(row == ROWS - 1)]
        layers = [layer["name"] for layer in self.config["attention_bank"]["layers"]]
        filled = [slot for slot in range(SLOTS) if self.mask[row, slot]]
        steering = RowSteering(
            controls=[(name, self.images[i, row], float(self.scales[i, row])) for i, name in enumerate(CONTROLNETS)],
            adapters=[
                (name, self.adapter_image(name, self.images[i, row]), float(self.scales[i, row]))
                for i, name in enumerate(ADAPTERS, count)
            ],
            image_embeds=embeds[row],
            image_scales=self.image_scales[row].tolist(),
            banks={
                name: [(bank[row, slot, 0], bank[row, slot, 1]) for slot in filled]
                for name, bank in zip(layers, self.banks, strict=True)
            },
        )
        return self.reference.predict(self.inputs, row, steering), [self.reference.kept[name] for name in layers]


@pytest.fixture(
    scope="module",
    params=[("sd-1.5", "fp32"), ("sd-2.1", "fp32"), ("sd-turbo", "fp32"), ("sdxl-turbo", "fp32")]
    + [("sd-2.1", "fp16"), ("sdxl-turbo", "weights-fp16")],
    ids="-".join,
)
def steered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Steered]:
    yield Steered(*request.param, tmp_path_factory.mktemp("-".join(request.param)))


def test_all_at_once(steered: Steered) -> None:
    names = [output.name for output in session(steered.folder / "unet_steered").get_outputs()]
    found = dict(zip(names, run(steered.folder / "unet_steered", steered.all_inputs()), strict=True))
    plain = torch_unet(DiffusionPipeline.from_pretrained(steered.folder.parent / "model").unet, steered.inputs)
    for row in range(ROWS):
        wanted, kept = steered.wanted(row)
        assert_close(found["out_sample"][row : row + 1], wanted, steered.allowed)
        assert (wanted - plain[row]).abs().max() > 0.1 * plain.abs().max()
        for index, one in enumerate(kept):
            assert_close(found[f"bank_{index}_out"][row], one, steered.allowed)


def test_each_alone(steered: Steered) -> None:
    """With all but one at zero: the others do not leak in."""
    inputs = steered.all_inputs()
    zeros = {name: value * 0 for name, value in inputs.items() if name.endswith("_scale") or name == "bank_mask"}
    scales, image_scales, mask = steered.scales, steered.image_scales, steered.mask
    for name in zeros:
        (found, *_) = run(steered.folder / "unet_steered", inputs | zeros | {name: inputs[name]})
        used = {f"control_{index}_scale": scales[index] for index in range(len(scales))}
        steered.scales = torch.stack([value if key == name else value * 0 for key, value in used.items()])
        steered.image_scales = image_scales if name == "ip_adapter_scale" else image_scales * 0
        steered.mask = mask if name == "bank_mask" else mask * 0
        assert_close(found[:1], steered.wanted(0)[0], steered.allowed)
        assert_close(found[1:2], steered.wanted(1)[0], steered.allowed)
        steered.scales, steered.image_scales, steered.mask = scales, image_scales, mask


def test_zero_is_the_plain_graph(steered: Steered) -> None:
    inputs = steered.all_inputs()
    zeros = {name: value * 0 for name, value in inputs.items() if name.endswith("_scale") or name == "bank_mask"}
    (found, *_) = run(steered.folder / "unet_steered", inputs | zeros)
    (plain,) = run(steered.folder / "unet", steered.inputs)
    assert_close(found, plain, 1e-5 if steered.allowed < 1e-3 else steered.allowed)


def test_nothing_unused_runs(steered: Steered) -> None:
    """A ControlNet whose scale is 0 for all rows could not take such hints; a bank may have no slots."""
    inputs = steered.all_inputs()
    banks = {name: value[:, :0] for name, value in inputs.items() if name.startswith("bank_")}
    empty = {name: value * 0 for name, value in inputs.items() if name == "bank_mask"}
    for index in range(len(CONTROLNETS)):
        off, hint = {f"control_{index}_scale": steered.scales[index] * 0}, f"control_{index}_feature_0"
        (wanted, *_) = run(steered.folder / "unet_steered", inputs | off | empty)
        off[hint] = inputs[hint][:, :, :0]
        (found, *_) = run(steered.folder / "unet_steered", inputs | off | banks)
        assert_close(found, wanted, 1e-5 if steered.allowed < 1e-3 else steered.allowed)


def test_rows_do_not_depend_on_their_neighbours(steered: Steered) -> None:
    inputs = steered.all_inputs()
    (together, *_) = run(steered.folder / "unet_steered", inputs)
    for row in range(ROWS):
        one = {name: value[row : row + 1] for name, value in inputs.items()}
        assert_close(run(steered.folder / "unet_steered", one)[0], together[row : row + 1], steered.allowed)


def test_graphs_of_pictures(steered: Steered) -> None:
    """The parts that depend on a picture alone."""
    with torch.no_grad():
        for index, name in enumerate(CONTROLNETS):
            network = steered.reference.controlnets[name].controlnet_cond_embedding
            (hint,) = run(steered.folder / "controls" / name, {"image": steered.images[index]})
            assert_close(hint, network(steered.images[index]), steered.allowed)
        for index, name in enumerate(ADAPTERS, len(CONTROLNETS)):
            wanted = steered.reference.adapters[name](steered.adapter_image(name, steered.images[index]))
            found = run(steered.folder / "controls" / name, {"image": steered.images[index]})
            for one, other in zip(found, wanted, strict=True):
                assert_close(one, other, steered.allowed)
    found = run(steered.folder / "image_encoder", {"pixel_values": steered.pixels})
    embeds = steered.reference.image_embeds(steered.pixels, steered.plus)
    for tokens, one in zip(found, embeds, strict=True):
        assert_close(tokens, steered.reference.image_tokens(one), steered.allowed)


def test_configuration(steered: Steered) -> None:
    controls = steered.config["controls"]
    assert [(one["name"], one["type"], one["preprocessor"]) for one in controls] == [
        ("canny", "controlnet", "canny"),
        ("depth", "controlnet", None),
        ("sketch", "t2i_adapter", None),
        ("color", "t2i_adapter", "passthrough"),
    ]
    graph = session(steered.folder / "unet_steered")
    shapes = {item.name: item.shape for item in graph.get_inputs()}
    for index, control in enumerate(controls):
        for k, feature in enumerate(control["features"]):
            assert shapes[f"control_{index}_feature_{k}"][1] == feature["channels"]
        assert shapes[f"control_{index}_scale"] == ["batch"]
    is_xl = "text_embeds" in steered.inputs
    assert [one["divisor"] for one in controls[2]["features"]] == ([2, 2, 4, 4] if is_xl else [1, 2, 4, 8])
    adapter = steered.config["ip_adapter"]
    assert (adapter["tokens"], adapter["image_size"]) == (5 if steered.plus else 4, IMAGE_SIZE)
    assert len(adapter["image_mean"]) == len(adapter["image_std"]) == 3
    assert adapter["layers"][0] == ("down_blocks.1" if is_xl else "down_blocks.0")
    # diffusers lists the processors of the mid block last.
    assert adapter["layers"][-1] == "mid_block"
    assert shapes["ip_adapter_scale"] == ["batch", len(adapter["layers"])]
    for index, layer in enumerate(steered.config["attention_bank"]["layers"]):
        assert layer["name"].startswith(("mid_block.attentions.0", "up_blocks.1.attentions."))
        assert shapes[f"bank_{index}"] == ["batch", "slots", 2, f"positions_{layer['divisor']}", layer["width"]]
    assert shapes["bank_mask"] == ["batch", "slots"]


def test_only_what_was_asked_for(tmp_path: Path) -> None:
    model = save_model("sd-1.5", tmp_path / "model")
    unet = DiffusionPipeline.from_pretrained(model).unet
    place = save_controlnet(unet, tmp_path / "My ControlNet.v1-softedge", 31)
    exported = export_model(model, tmp_path / "exported", "--controlnet", str(place))
    config = json.loads((exported / "unet_steered/config.json").read_text())
    name = "my_controlnet_v1-softedge"
    assert config == {
        "controls": [
            {
                "name": name,
                "type": "controlnet",
                "preprocessor": "soft_edge",
                "features": [{"channels": 16, "divisor": 1}],
            }
        ],
        "ip_adapter": None,
        "attention_bank": None,
    }
    assert [path.name for path in (exported / "controls").iterdir()] == [name]
    assert not (exported / "image_encoder").exists()
    plain = [item.name for item in session(exported / "unet").get_inputs()]
    graph = session(exported / "unet_steered")
    assert [item.name for item in graph.get_inputs()] == [*plain, "control_0_feature_0", "control_0_scale"]
    assert [item.name for item in graph.get_outputs()] == ["out_sample"]


def test_light_adapters_and_pictures_of_bgr(tmp_path: Path) -> None:
    model = save_model("sd-turbo", tmp_path / "model")
    unet = DiffusionPipeline.from_pretrained(model).unet
    bgr = save_controlnet(unet, tmp_path / "bgr", 31, controlnet_conditioning_channel_order="bgr")
    light = save_adapter(unet, tmp_path / "light", 32, "light_adapter")
    exported = export_model(
        model, tmp_path / "exported", "--controlnet", str(bgr), "--t2i-adapter", str(light), "--attention-bank", "all"
    )
    config = json.loads((exported / "unet_steered/config.json").read_text())
    layers = config["attention_bank"]["layers"]
    assert len(layers) == sum("attn1" in name for name in unet.attn_processors)
    assert [one["divisor"] for one in config["controls"][1]["features"]] == [1, 2, 4, 8]
    random = torch.Generator().manual_seed(3)
    images = torch.rand(2, 1, 3, 128, 64, generator=random)
    inputs = unet_inputs(unet, 1, 16, 8, 77)
    steered = dict(inputs)
    for index, name in enumerate(("bgr", "light")):
        for k, feature in enumerate(run(exported / "controls" / name, {"image": images[index]})):
            steered[f"control_{index}_feature_{k}"] = torch.from_numpy(feature)
        steered[f"control_{index}_scale"] = torch.tensor([0.7])
    for index, layer in enumerate(layers):
        steered[f"bank_{index}"] = torch.zeros(1, 1, 2, 128 // layer["divisor"] ** 2, layer["width"])
    steered["bank_mask"] = torch.zeros(1, 1)
    reference = Reference(model, {"bgr": bgr}, {"light": light}, None)
    wanted = reference.predict(inputs, 0, RowSteering([("bgr", images[0, 0], 0.7)], [("light", images[1, 0], 0.7)]))
    assert_close(run(exported / "unet_steered", steered)[0], wanted, 1e-4)


def test_full_ip_adapters(tmp_path: Path) -> None:
    """Every position of the encoder becomes a token."""
    model = save_model("sd-1.5", tmp_path / "model")
    unet = DiffusionPipeline.from_pretrained(model).unet
    place = save_ip_adapter(unet, tmp_path / "ip", "full")
    adapter = load_ip_adapter(str(place / "ip-adapter.safetensors"), None, unet, torch.float32)
    assert adapter.tokens == (IMAGE_SIZE // 8) ** 2 + 1
    reference = Reference(model, {}, {}, place)
    pixels = torch.randn(2, 3, IMAGE_SIZE, IMAGE_SIZE, generator=torch.Generator().manual_seed(7))
    embeds = reference.image_embeds(pixels, plus=True)
    with torch.no_grad():
        for found, one in zip(adapter.encoder(pixels), embeds, strict=True):
            assert_close(found.numpy(), reference.image_tokens(one), 1e-5)
