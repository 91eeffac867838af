"""float16 weights of an ONNX graph, shared with the safetensors file beside it.

A large float32 initialiser becomes a float16 one with a Cast that ONNX Runtime folds when
it loads the model: half the file, no cost at run time. If the part's safetensors file has
the same values (possibly transposed), the graph refers to them (ONNX external data) instead
of storing them again, so a part's weights are stored once.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_SMALLEST = 1024  # elements; smaller ones stay float32 in the graph
_EXACT = "merged."  # two merged convolutions, which would differ from the original ones after rounding


class SharedFile:
    """A safetensors file, as a store of float16 arrays by content."""

    def __init__(self, path: Path):
        self.name = path.name
        raw = path.read_bytes()
        header_size = struct.unpack("<Q", raw[:8])[0]
        header = json.loads(raw[8 : 8 + header_size])
        self.places: dict[bytes, tuple[int, tuple[int, ...]]] = {}
        for name, entry in header.items():
            if name == "__metadata__" or entry["dtype"] != "F16":
                continue
            begin, end = (8 + header_size + offset for offset in entry["data_offsets"])
            self.places[raw[begin:end]] = (begin, tuple(entry["shape"]))

    def reference(self, values: np.ndarray, name: str) -> TensorProto | None:
        """Return an external tensor with exactly these values, if the file has them."""
        content = values.tobytes()
        if content not in self.places:
            return None
        offset, _ = self.places[content]
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT16, dims=values.shape, data_location=TensorProto.EXTERNAL)
        for key, value in (("location", self.name), ("offset", offset), ("length", len(content))):
            tensor.external_data.add(key=key, value=str(value))
        return tensor


def store_as_float16(path: Path, shared: Path | None) -> None:
    """Rewrite the graph at `path`; `shared` is a safetensors file in the same folder."""
    model = onnx.load(path)
    graph = model.graph
    store = SharedFile(shared) if shared else None
    nodes = []
    for tensor in list(graph.initializer):
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < _SMALLEST or tensor.name.startswith(_EXACT):
            continue
        values = numpy_helper.to_array(tensor).astype(np.float16)
        stored_name = f"{tensor.name}_half"
        stored = store.reference(values, stored_name) if store else None
        cast_input = stored_name
        if stored is None and store and values.ndim == 2:
            stored = store.reference(np.ascontiguousarray(values.T), stored_name)
            if stored is not None:
                cast_input = f"{stored_name}_transposed"
                nodes.append(helper.make_node("Transpose", [stored_name], [cast_input], perm=[1, 0], name=f"transpose_{tensor.name}"))
        graph.initializer.remove(tensor)
        graph.initializer.append(stored if stored is not None else numpy_helper.from_array(values, stored_name))
        nodes.append(helper.make_node("Cast", [cast_input], [tensor.name], to=TensorProto.FLOAT, name=f"cast_{tensor.name}"))
    nodes += list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    path.write_bytes(model.SerializeToString())
    onnx.checker.check_model(str(path))
