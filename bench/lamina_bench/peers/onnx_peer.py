"""ONNX Runtime, which predicts only."""

from __future__ import annotations

import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from .base import Peer


class OnnxPeer(Peer):
    what = "InferenceSession.run of Gemm, Relu and Softmax nodes"

    def start(self, weights, seed):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # it would disturb others
        model = self._model(weights).SerializeToString()
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def _model(self, weights):
        nodes, tensors, last = [], [], "x"
        for i, (kernel, bias) in enumerate(zip(weights[::2], weights[1::2], strict=True)):
            tensors += [numpy_helper.from_array(kernel, f"w{i}"), numpy_helper.from_array(bias, f"b{i}")]
            nodes.append(helper.make_node("Gemm", [last, f"w{i}", f"b{i}"], [f"z{i}"]))
            last = f"z{i}"
            if 2 * (i + 1) < len(weights):
                nodes.append(helper.make_node("Relu", [last], [f"a{i}"]))
                last = f"a{i}"
        if self.workload.loss == "softmax":
            nodes.append(helper.make_node("Softmax", [last], ["y"], axis=1))
            last = "y"
        widths = self.workload.widths
        graph = helper.make_graph(
            nodes,
            "network",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, widths[0]])],
            [helper.make_tensor_value_info(last, TensorProto.FLOAT, [None, widths[-1]])],
            tensors,
        )
        return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])

    def predict(self, x):
        return self.session.run(None, {"x": x})[0]
