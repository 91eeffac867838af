"""Parts of a graph that run only if a scale is above 0."""

from __future__ import annotations

from collections.abc import Iterable

import onnx
from onnx import TensorProto, helper


def skip_at_zero(graph: onnx.GraphProto, scale: str) -> None:
    """Move all that only serves products with a scale [batch] into a branch that runs if it is above 0 for any row.

    Otherwise the products are zeros [1, 1, 1, 1], which can be added to maps of any size.
    """
    products = _products(graph, scale)
    inside = _serving(graph, products)
    branch = [node for i, node in enumerate(graph.node) if i in inside]
    kept = [node for i, node in enumerate(graph.node) if i not in inside]
    # A branch must not define names of the graph again.
    for node in branch:
        node.output[:] = [_on(name) if name in products else name for name in node.output]
    outside = {name for node in kept for name in _taken(node)}
    weights = [one for one in graph.initializer if one.name not in outside]
    _remove(graph, {one.name for one in weights})
    kind = next(item for item in graph.input if item.name == scale).type.tensor_type.elem_type
    zero = helper.make_tensor("", kind, [1, 1, 1, 1], [0.0])
    condition = f"{scale}.is_on"
    nodes = [
        helper.make_node("Cast", [scale], [f"{scale}.float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", [f"{scale}.float"], [f"{scale}.largest"], keepdims=0),
        helper.make_node("Constant", [], [f"{scale}.zero"], value=helper.make_tensor("", TensorProto.FLOAT, [], [0.0])),
        helper.make_node("Greater", [f"{scale}.largest", f"{scale}.zero"], [condition]),
        helper.make_node(
            "If",
            [condition],
            products,
            then_branch=helper.make_graph(branch, condition, [], _maps(map(_on, products), kind), weights),
            else_branch=helper.make_graph(
                [helper.make_node("Constant", [], [_off(name)], value=zero) for name in products],
                f"{scale}.is_off",
                [],
                _maps(map(_off, products), kind),
            ),
        ),
    ]
    first = next(i for i, node in enumerate(kept) if not set(products).isdisjoint(node.input))
    del graph.node[:]
    # Noted shapes of sums no longer hold.
    del graph.value_info[:]
    graph.node.extend([*kept[:first], *nodes, *kept[first:]])


def _products(graph: onnx.GraphProto, scale: str) -> list[str]:
    """Return the names of the products with the scale, which first gets further axes."""
    scales, products = {scale}, []
    for node in graph.node:
        if not scales.isdisjoint(node.input):
            if node.op_type == "Unsqueeze":
                scales.update(node.output)
            else:
                assert node.op_type == "Mul"
                products += node.output
    return products


def _serving(graph: onnx.GraphProto, products: list[str]) -> set[int]:
    """Return the numbers of the nodes that make the products, and of those that nothing else takes from."""
    outside, inside = {item.name for item in graph.output}, set[int]()
    for i, node in reversed(list(enumerate(graph.node))):
        if outside.isdisjoint(node.output) or not set(products).isdisjoint(node.output):
            inside.add(i)
        else:
            outside.update(_taken(node))
    return inside


def _taken(node: onnx.NodeProto) -> set[str]:
    """Return the names of all that a node takes, also in its branches."""
    branches = [attribute.g for attribute in node.attribute if attribute.HasField("g")]
    return {*node.input, *(name for branch in branches for inner in branch.node for name in _taken(inner))}


def _remove(graph: onnx.GraphProto, weights: set[str]) -> None:
    for i in reversed(range(len(graph.initializer))):
        if graph.initializer[i].name in weights:
            del graph.initializer[i]


def _maps(names: Iterable[str], kind: int) -> list[onnx.ValueInfoProto]:
    return [helper.make_tensor_value_info(name, kind, [None] * 4) for name in names]


def _on(name: str) -> str:
    return f"{name}.on"


def _off(name: str) -> str:
    return f"{name}.off"
