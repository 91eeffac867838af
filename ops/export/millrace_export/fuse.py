"""Replaces attention in plain operators by one operator of ONNX Runtime."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from .attention import FUSED_DOMAIN, FUSED_OPERATOR

# Opset from which Softmax works on one axis.
_SOFTMAX_OPSET = 13
_JOINED = "fused_attention.joined"


@dataclass(frozen=True)
class _Attention:
    """softmax(query @ keys) @ values, with the scale in the operands."""

    nodes: tuple[NodeProto, ...]
    query: str
    # Transposed: [..., width of a head, positions].
    keys: str
    values: str
    output: str
    # None: operands are [batch * heads, positions, width of a head].
    heads: int | None
    # The types that scores are converted to before the softmax, and probabilities after it; None: they are not.
    before: int | None
    after: int | None


def fuse_attention(model: onnx.ModelProto) -> tuple[int, int]:
    """Fuse each attention whose scores are not masked. Returns how many were fused, and how many were not."""
    graph = model.graph
    finder = _Finder(model)
    softmaxes = [node for node in graph.node if node.op_type == "Softmax"]
    found = {id(one.nodes[-1]): one for one in map(finder.attention_at, softmaxes) if one is not None}
    if not found:
        return 0, len(softmaxes)
    dropped = {id(node) for one in found.values() for node in one.nodes}
    nodes: list[NodeProto] = []
    for node in graph.node:
        if id(node) in found:
            nodes += _fused(found[id(node)])
        elif id(node) not in dropped:
            nodes.append(node)
    shapes = {_JOINED: [0, 0, -1]} | {_split(one.heads): [0, 0, one.heads, -1] for one in found.values() if one.heads}
    graph.initializer.extend(numpy_helper.from_array(np.array(shape, np.int64), name) for name, shape in shapes.items())
    del graph.node[:]
    graph.node.extend(nodes)
    if all(opset.domain != FUSED_DOMAIN for opset in model.opset_import):
        model.opset_import.append(helper.make_opsetid(FUSED_DOMAIN, 1))
    return len(found), len(softmaxes) - len(found)


class _Finder:
    def __init__(self, model: onnx.ModelProto):
        graph = model.graph
        self.opset = next((one.version for one in model.opset_import if one.domain == ""), 0)
        self.makers = {name: node for node in graph.node for name in node.output}
        self.users: dict[str, list[NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self.users.setdefault(name, []).append(node)
        self.kept = {item.name for item in graph.output}
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
        self.dimensions = {item.name: item.type.tensor_type.shape.dim for item in inferred.value_info}

    def attention_at(self, softmax: NodeProto) -> _Attention | None:
        """Return the attention around a softmax; None if it has another form."""
        before = self._cast(self.makers.get(softmax.input[0]))
        scores = self.makers.get(softmax.input[0] if before is None else before.input[0])
        after = self._cast(self._only_user(softmax))
        product = self._only_user(softmax if after is None else after)
        if scores is None or product is None or {scores.op_type, product.op_type} != {"MatMul"}:
            return None
        inner = [scores, *([before] if before else []), softmax, *([after] if after else [])]
        query, keys = scores.input
        dimensions = self.dimensions.get(query, ())
        rank = len(dimensions)
        heads = dimensions[1].dim_value if rank == 4 else None
        axis = next((attribute.i for attribute in softmax.attribute if attribute.name == "axis"), -1)
        if (
            any(self._only_user(node) is None for node in inner)
            or product.input[0] != inner[-1].output[0]
            or rank not in (3, 4)
            or heads == 0
            or axis not in (-1, rank - 1)
            or self.opset < _SOFTMAX_OPSET
        ):
            return None
        types = (None if cast is None else helper.get_node_attr_value(cast, "to") for cast in (before, after))
        return _Attention((*inner, product), query, keys, product.input[1], product.output[0], heads, *types)

    def _only_user(self, node: NodeProto) -> NodeProto | None:
        users = self.users.get(node.output[0], [])
        return users[0] if len(users) == 1 and node.output[0] not in self.kept else None

    def _cast(self, node: NodeProto | None) -> NodeProto | None:
        return node if node is not None and node.op_type == "Cast" else None


def _fused(found: _Attention) -> list[NodeProto]:
    """Return the nodes that compute the same with one operator, whose operands are [batch, positions, width]."""
    nodes: list[NodeProto] = []

    def add(operator: str, inputs: list[str], what: str, **attributes: object) -> str:
        name = f"{found.output}.{what}"
        nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def cast(value: str, to: int | None, what: str) -> str:
        return value if to is None else add("Cast", [value], f"{what}.cast", to=to)

    def joined(value: str, what: str, *order: int) -> str:
        if found.heads is not None:
            return add("Reshape", [add("Transpose", [value], f"{what}.positions", perm=order), _JOINED], what)
        return value if what != "keys" else add("Transpose", [value], what, perm=[0, 2, 1])

    # If only the probabilities are converted, operands of the scores have the type of the softmax already.
    upcast_values = TensorProto.FLOAT if found.before is None and found.after is not None else None
    upcast_scores = found.before if found.after is None else None
    operands = [
        cast(joined(found.query, "query", 0, 2, 1, 3), upcast_scores, "query"),
        cast(joined(found.keys, "keys", 0, 3, 1, 2), upcast_scores, "keys"),
        cast(joined(found.values, "values", 0, 2, 1, 3), upcast_values, "values"),
    ]
    heads = found.heads or 1
    result = add(FUSED_OPERATOR, operands, "attention", domain=FUSED_DOMAIN, num_heads=heads, scale=1.0)
    result = cast(result, found.after if upcast_values is not None else None, "attention")
    if found.heads is not None:
        result = add("Transpose", [add("Reshape", [result, _split(heads)], "heads")], "result", perm=[0, 2, 1, 3])
    # The last node makes the output itself.
    nodes[-1].output[0] = found.output
    return nodes


def _split(heads: int | None) -> str:
    return f"fused_attention.heads_{heads}"
