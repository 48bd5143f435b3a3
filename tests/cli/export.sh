#!/bin/bash
# weir export and weir info of agents: what they write, and what they refuse.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"
cd "$scratch"

expect_status 0 "$WEIR" train "$WEIR_SOURCE_DIR/configs/training/cartpole.json" -o trained -q \
	--set total_steps=256 --set ppo.n_steps=128 --set normalise.observations=true \
	--set network.hidden=[16,8]

# Files that other programs load, the same each time, and the same from a checkpoint.
expect_status 0 "$WEIR" export trained/final.h5 -o a.onnx
expect_out '^a\.onnx: an agent for cartpole, 4 numbers in and 1 out; [0-9]+ bytes$'
expect_status 0 "$WEIR" export trained/final.h5 -o a.npz --json
expect_out '"format":[[:space:]]*"npz"'
expect_out "\"bytes\":[[:space:]]*$(stat -c %s a.npz)\$"
expect_status 0 "$WEIR" export trained/final.h5 --to onnx -o -
cmp "$scratch/out" a.onnx || failures=$((failures + 1))
expect_status 0 "$WEIR" export trained/checkpoint.h5 -o b.npz
cmp a.npz b.npz || failures=$((failures + 1))

expect_status 0 "$WEIR" info trained/final.h5
expect_out '^  format +weir agent, version 1$'
expect_out '^  environment +cartpole$'
expect_out '^  hidden layers +\[16,8\]$'
expect_out '^  normalised +observations yes, rewards yes; 257 seen$'
expect_out '^observation: box of 4$'
expect_out '^action: discrete of 1$'
expect_out '^  agent/network/action_net\.weight +float32 8 x 2 +Weights of a layer'
expect_status 0 "$WEIR" info trained/checkpoint.h5
expect_out '^  environment +cartpole$'
expect_out '^  learner/adam_m +float32 [0-9]+ '
expect_status 0 "$WEIR" info trained/final.h5 --json
expect_out '"environment":[[:space:]]*"cartpole"'

# What is wrong is said, and nothing is written.
expect_status 2 "$WEIR" export trained/final.h5 -o c.pt
expect_err 'ends neither in \.onnx nor in \.npz'
expect_status 2 "$WEIR" export trained/final.h5 -o c.npz --to pickle
expect_err 'unknown format pickle; known are onnx and npz'
expect_status 2 "$WEIR" export trained/final.h5
expect_err '-o FILE\.onnx or FILE\.npz is needed'
expect_status 2 "$WEIR" export -o c.npz
expect_err 'one AGENT is needed, 0 are given'
expect_status 2 "$WEIR" export trained/final.h5 --to npz -o - --json
expect_err 'both want standard output'
expect_status 2 "$WEIR" export missing.h5 -o c.npz
expect_err '^missing\.h5: cannot read the file: No such file'
expect_status 2 "$WEIR" export trained/final.h5 -o no/such/c.npz
expect_err 'No such file or directory'
expect_status 0 "$WEIR" run "$WEIR_SOURCE_DIR/configs/default.json" --until 5 -q -o run.h5
expect_status 2 "$WEIR" export run.h5 -o c.npz
expect_err '^run\.h5: is an HDF5 file, but neither an agent nor a checkpoint'
head -c 9000 trained/final.h5 >cut.h5
for command in "info cut.h5" "export cut.h5 -o c.npz"; do
	# shellcheck disable=SC2086 # a command and its arguments
	expect_status 2 "$WEIR" $command
	expect_err '^cut\.h5: is cut short, damaged, or was changed'
done
[[ ! -e c.npz && ! -e c.npz.part ]] || failures=$((failures + 1))

# What other programs read of it. docs/agents.md shows how Stable-Baselines3 is filled: that code is
# run with stand-ins for its model, and for torch.
# shellcheck disable=SC2119 # Python alone will do
need_python
awk '/^```py$/ { shown = 1; next } /^```$/ { shown = 0 } shown' "$WEIR_SOURCE_DIR/docs/agents.md" >fill.py
cat >torch.py <<'END'
from numpy import asarray as as_tensor
END
cat >check.py <<'END'
import os
import sys
import types

import numpy

sys.path[:0] = [".", os.environ["WEIR_SOURCE_DIR"] + "/tests/support"]
import check_export
from fill import fill

# Of PPO("MlpPolicy", env, policy_kwargs={"net_arch": [16, 8]}).policy.state_dict(), with CartPole.
state = {name: numpy.zeros(shape) for name, shape in {
    "mlp_extractor.policy_net.0.weight": (16, 4), "mlp_extractor.policy_net.0.bias": (16,),
    "mlp_extractor.policy_net.2.weight": (8, 16), "mlp_extractor.policy_net.2.bias": (8,),
    "mlp_extractor.value_net.0.weight": (16, 4), "mlp_extractor.value_net.0.bias": (16,),
    "mlp_extractor.value_net.2.weight": (8, 16), "mlp_extractor.value_net.2.bias": (8,),
    "action_net.weight": (2, 8), "action_net.bias": (2,),
    "value_net.weight": (1, 8), "value_net.bias": (1,)}.items()}


class Policy:
    def state_dict(self):
        return state

    def load_state_dict(self, given):
        assert set(given) == set(state)
        for name, values in given.items():
            assert values.shape == state[name].shape, name
            state[name] = values


arrays = check_export.load_npz("a.npz")
normalise = types.SimpleNamespace(obs_rms=types.SimpleNamespace(), ret_rms=types.SimpleNamespace())
fill(types.SimpleNamespace(policy=Policy()), "a.npz", normalise)
assert all((state[name] == arrays[name]).all() and state[name].any() for name in state)
assert (normalise.obs_rms.var == arrays["obs_rms.var"]).all()
assert normalise.obs_rms.count > 256 and normalise.clip_obs == 10

observation = numpy.random.default_rng(1).normal(size=(1000, 4)).astype(numpy.float32)
head, action, value = check_export.run_npz(arrays, observation)
if check_export.onnx is not None:
    outputs, metadata = check_export.run_onnx("a.onnx", observation)
    assert numpy.abs(outputs["logits"] - head).max() < 1e-5
    assert numpy.abs(outputs["value"] - value).max() < 1e-5
    assert (outputs["action"] == action).mean() > 0.999
    assert metadata["environment"] == "cartpole"
print("read")
END
expect_status 0 "$python" check.py
expect_out '^read$'

finish
