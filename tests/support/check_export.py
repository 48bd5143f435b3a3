"""Runs the agents that test_rl_export.c exported, and compares their answers with weir's own.

usage: check_export.py DIRECTORY

DIRECTORY has NAME.npz, NAME.onnx and NAME.answers (rows of float32: observation, answer as the
policy gave it, answer within bounds, value). The networks are evaluated here, in NumPy: the one of
the .npz from the names of Stable-Baselines3, the one of the .onnx node after node, as the
specification of its operators says. Without NumPy nothing can be done, without onnx its part is left
out; both are said.
"""
import glob
import os
import sys
import zipfile

try:
    import numpy
except ImportError:
    print("not compared: needs NumPy (python3-numpy)")
    sys.exit(0)
try:
    import onnx
    from onnx import checker, numpy_helper, shape_inference
except ImportError:
    onnx = None
    print("ONNX not compared: needs python3-onnx")

OBSERVATION = 5
TOLERANCE = 1e-5


def load_npz(path):
    with numpy.load(path) as file:
        return {key: file[key] for key in file.files}


def layers(arrays, branch):
    """Weights and biases of a branch, first layer first."""
    for trunk in (branch, "shared_net"):
        for i in range(0, 100, 2):
            name = f"mlp_extractor.{trunk}.{i}"
            if name + ".weight" in arrays:
                yield arrays[name + ".weight"], arrays[name + ".bias"]


def run_npz(arrays, observation):
    """(means or logits, action, value) by Stable-Baselines3's semantics."""
    x = observation
    if "obs_rms.mean" in arrays:
        x = (x - arrays["obs_rms.mean"]) / numpy.sqrt(arrays["obs_rms.var"] + arrays["epsilon"])
        x = numpy.clip(x, -arrays["clip_obs"], arrays["clip_obs"]).astype(numpy.float32)
    heads = []
    for branch, head in (("policy_net", "action_net"), ("value_net", "value_net")):
        y = x
        for weight, bias in layers(arrays, branch):
            y = numpy.tanh(y @ weight.T + bias)
        heads.append(y @ arrays[head + ".weight"].T + arrays[head + ".bias"])
    if "action_space.nvec" in arrays:
        parts = numpy.split(heads[0], numpy.cumsum(arrays["action_space.nvec"])[:-1], axis=1)
        action = numpy.stack([part.argmax(axis=1) for part in parts], axis=1)
    else:
        assert "log_std" in arrays
        action = numpy.clip(heads[0], arrays["action_space.low"], arrays["action_space.high"])
    return heads[0], action, heads[1]


def run_node(node, inputs):
    """What one node gives, as a list."""
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    if node.op_type == "Gemm":
        return [inputs[0] @ inputs[1] + inputs[2]]
    if node.op_type == "Cast":
        return [inputs[0].astype(onnx.mapping.TENSOR_TYPE_TO_NP_TYPE[attributes["to"]])]
    if node.op_type == "Split":
        return numpy.split(inputs[0], numpy.cumsum(inputs[1])[:-1], axis=attributes["axis"])
    if node.op_type == "Concat":
        return [numpy.concatenate(inputs, axis=attributes["axis"])]
    if node.op_type == "ArgMax":
        return [numpy.argmax(inputs[0], axis=attributes["axis"])[:, None]]
    plain = {"Sub": numpy.subtract, "Div": numpy.divide, "Clip": numpy.clip, "Tanh": numpy.tanh,
             "Max": numpy.maximum, "Min": numpy.minimum}
    return [plain[node.op_type](*inputs)]


def run_onnx(path, observation):
    """The outputs of the model by name, and its metadata, after the checks of onnx."""
    model = onnx.load(path)
    checker.check_model(model, full_check=True)
    inferred = shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    values = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    values["observation"] = observation
    for node in model.graph.node:
        results = run_node(node, [values[name] for name in node.input])
        values.update(zip(node.output, results))
    outputs = {}
    for output in inferred.graph.output:
        tensor = output.type.tensor_type
        value = values[output.name]
        assert tensor.shape.dim[0].dim_param == "batch", output.name
        assert tensor.shape.dim[1].dim_value == value.shape[1], output.name
        assert value.dtype == onnx.mapping.TENSOR_TYPE_TO_NP_TYPE[tensor.elem_type], output.name
        outputs[output.name] = value
    return outputs, {entry.key: entry.value for entry in model.metadata_props}


def largest_difference(got, wanted):
    assert got.shape == wanted.shape, (got.shape, wanted.shape)
    return float(numpy.max(numpy.abs(got - wanted)))


def check(name, what, differences):
    worst = max(differences)
    print(f"{name}.{what}: differs by at most {worst:.1e}")
    assert worst <= TOLERANCE, (name, what, differences)


def compare(path):
    name = os.path.basename(path)[: -len(".npz")]
    arrays = load_npz(path)
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    rows = numpy.fromfile(path[: -len("npz")] + "answers", dtype=numpy.float32)
    size = len(arrays.get("action_space.nvec", arrays.get("action_space.low")))
    rows = rows.reshape(-1, OBSERVATION + 2 * size + 1)
    observation = rows[:, :OBSERVATION]
    raw, action, value = numpy.split(rows[:, OBSERVATION:], [size, 2 * size], axis=1)
    head, own_action, own_value = run_npz(arrays, observation)
    is_box = "action_space.nvec" not in arrays
    differences = [largest_difference(own_action, action), largest_difference(own_value, value)]
    if is_box:
        differences.append(largest_difference(head, raw))
        assert size == 1 or (raw != action).any(), "nothing was out of bounds"
    check(name, "npz", differences)
    if onnx is not None:
        outputs, metadata = run_onnx(path[: -len("npz")] + "onnx", observation)
        assert metadata["environment"] == "pendulum"
        assert metadata["observation.names"] == "a\nb\nc\nd\ne\n"
        assert metadata["observation.units"] == "s\n\n\n\n\n"
        assert set(outputs) == {"action", "value"} | (set() if is_box else {"logits"})
        differences = [largest_difference(outputs["action"], action),
                       largest_difference(outputs["value"], value)]
        if not is_box:
            differences.append(largest_difference(outputs["logits"], head.astype(numpy.float32)))
        check(name, "onnx", differences)


def main():
    paths = sorted(glob.glob(os.path.join(sys.argv[1], "*.npz")))
    assert len(paths) == 6, paths
    for path in paths:
        compare(path)


if __name__ == "__main__":
    main()
