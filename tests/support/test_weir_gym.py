"""python/weir/gym: tests/cli/python_gym.sh runs it with WEIR_LIBRARY and WEIR_SOURCE_DIR.

With gymnasium (and Stable-Baselines3) where they are installed, else with the stand-in of gym_stand_in.
"""

import contextlib
import copy
import importlib.util
import io
import os
import pickle
import re
import subprocess
import sys
import unittest

import numpy

SOURCE = os.environ["WEIR_SOURCE_DIR"]
REAL = importlib.util.find_spec("gymnasium") is not None
if not REAL:
    sys.path.insert(0, f"{SOURCE}/tests/support/gym_stand_in")
elif importlib.util.find_spec("stable_baselines3") is None:
    sys.path.append(f"{SOURCE}/tests/support/gym_stand_in")

import gymnasium
import weir.gym
from weir.gym import library

KINDS = weir.gym.kinds()
# What some of them need.
PARAMETERS = {
    "scaling": {"configs": [{"path": f"{SOURCE}/configs/scenarios/flash_crowd.json"}], "window": 200},
}


def python(program, **environment):
    """What a fresh Python without the stand-in says: its exit status, output and last line of errors."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ, **environment}
    )
    return done.returncode, done.stdout.strip(), done.stderr.strip().rpartition("\n")[2]


def in_child(function):
    """The bytes that `function` gives in a forked child."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        with contextlib.suppress(BaseException):
            os.write(writing, function())
            status = 0
        os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    return told if status == 0 else None


def some_action(space, step):
    """One of the space, another in every step."""
    if space.kind == weir.gym.core.BOX:
        return numpy.array([d.low + (d.high - d.low) * (step % 5) / 4 for d in space.dimensions], numpy.float32)
    choices = [(step * 7 + i) % d.choices for i, d in enumerate(space.dimensions)]
    return choices[0] if space.kind == weir.gym.core.DISCRETE else choices


def walk(env, steps):
    """What a gymnasium.Env gives in so many steps, episodes one after another, as bytes."""
    told = []
    for step in range(steps):
        observation, reward, terminated, truncated, _ = env.step(some_action(env.weir.action_space, step))
        told += [observation.tobytes(), numpy.float64(reward).tobytes()]
        if terminated or truncated:
            told.append(env.reset()[0].tobytes())
    return b"".join(told)


class Library(unittest.TestCase):
    def test_structs_lie_as_those_of_the_library(self):
        self.assertEqual(library.layout(), library.library().weir_env_abi())

    def test_another_layout_is_refused(self):
        status, _, error = python(
            "from weir.gym import library\nlibrary.library.cache_clear()\nlibrary.layout = lambda: 1\nlibrary.library()"
        )
        self.assertEqual(status, 1)
        self.assertRegex(error, r"^ImportError: .* is of another version of weir than this package")

    def test_a_missing_library_is_told(self):
        status, _, error = python("import weir.gym\nweir.gym.kinds()", WEIR_LIBRARY="/nonexistent/libweir.so")
        self.assertEqual(status, 1)
        self.assertRegex(error, r"^ImportError: weir.gym needs libweir, and cannot load /nonexistent/libweir.so: ")

    @unittest.skipIf(REAL, "gymnasium is installed")
    def test_without_gymnasium_the_rest_works(self):
        program = (
            "import weir.gym\n"
            "env = weir.gym.Environment('cartpole')\n"
            "env.reset(3)\n"
            "print(env.step(1)[1:])\n"
            "many = weir.gym.Environments('cartpole', 2)\n"
            "many.reset()\n"
            "many.step([0, 1])\n"
            "print(many.rewards.tolist())\n"
        )
        self.assertEqual(python(program), (0, "(1.0, False, False)\n[1.0, 1.0]", ""))
        for name, package in (("Env", "gymnasium"), ("VectorEnv", "gymnasium"), ("SB3VecEnv", "gymnasium")):
            status, _, error = python(f"import weir.gym\nweir.gym.{name}")
            self.assertEqual(status, 1)
            self.assertRegex(error, f"^ImportError: this part of weir.gym needs {package}, which this Python does not")

    def test_every_environment_is_registered(self):
        self.assertIn("cartpole", KINDS)
        for kind in KINDS:
            self.assertIn(weir.gym.environment_id(kind), gymnasium.registry)
        self.assertEqual(weir.gym.environment_id("cartpole"), "weir/CartPole-v0")
        self.assertEqual(weir.gym.environment_id("probe_two_steps"), "weir/ProbeTwoSteps-v0")


class Refusals(unittest.TestCase):
    def assertRefused(self, message, function, *arguments, **keywords):
        with self.assertRaisesRegex(weir.gym.InputError, message) as caught:
            function(*arguments, **keywords)
        self.assertIsInstance(caught.exception, ValueError)

    def test_names_and_parameters(self):
        make = weir.gym.Environment
        self.assertRefused("unknown environment 'cartpol'; did you mean 'cartpole'", make, "cartpol")
        self.assertRefused("parameters: limt: .*did you mean 'limit'", make, "cartpole", {"limt": 3})
        self.assertRefused("parameters: limit: .*got 0", make, "cartpole", {"limit": 0})
        self.assertRefused("parameters", make, "cartpole", {"limit": float("nan")})
        self.assertRefused("at least 1 environment", weir.gym.Environments, "cartpole", 0)

    def test_actions(self):
        env = weir.gym.Env("pendulum")
        self.assertRefused("step before reset", env.step, [0.0])
        env.reset(seed=1)
        for wrong in (float("nan"), float("inf"), 2.5):
            self.assertRefused("action: 'torque'", env.step, [wrong])
        self.assertRefused(r"action: expected shape \(1,\), got \(2,\)", env.step, [0.0, 0.0])
        self.assertRefused("action: expected numbers", env.step, ["left"])
        env = weir.gym.Env("cartpole")
        env.reset(seed=1)
        for wrong in (-1, 2, 0.5):
            self.assertRefused("action: 'push'", env.step, wrong)
        vector = weir.gym.VectorEnv(2, "cartpole")
        vector.reset(seed=1)
        self.assertRefused("environment 1: action: 'push'", vector.step, [0, 7])
        self.assertRefused(r"actions: expected shape \(2,\), got \(3,\)", vector.step, [0, 1, 0])

    def test_steps_after_the_end(self):
        env = weir.gym.Env("probe_constant")
        env.reset(seed=1)
        env.step(0)
        self.assertRefused("step after the end of the episode", env.step, 0)

    def test_options_and_seeds(self):
        env = weir.gym.Env("cartpole")
        unknown = "options: unknown key 'epsiode'; there are evaluation, episode"
        self.assertRefused(unknown, env.reset, options={"epsiode": 1})
        self.assertRefused("episode -2", env.reset, options={"evaluation": True, "episode": -2})
        vector = weir.gym.VectorEnv(2, "cartpole")
        self.assertRefused("seed: expected one number or 2, got 3", vector.reset, seed=[1, 2, 3])
        self.assertRefused("NEXT_STEP", weir.gym.VectorEnv, 2, "cartpole", autoreset_mode="NextStep")
        self.assertRefused("max_episode_steps", weir.gym.VectorEnv, 2, "cartpole", max_episode_steps=3)
        raw = weir.gym.Environment("cartpole")
        self.assertRefused("seed: expected an integer from 0", raw.reset, -1)
        self.assertRefused("seed: expected an integer, got 1.5", raw.reset, 1.5)

    def test_a_closed_one(self):
        for env in (weir.gym.Env("cartpole"), weir.gym.VectorEnv(2, "cartpole"), weir.gym.SB3VecEnv("cartpole", 2)):
            env.reset()
            env.close()
            env.close()
            self.assertRefused("closed", env.reset)


class Single(unittest.TestCase):
    """weir.gym.Env."""

    def test_an_observation_is_the_callers_to_keep(self):
        # One shared buffer would make the last observation of an episode that of the reset after it.
        env = weir.gym.Env("cartpole")
        seen = [env.reset(seed=4)[0]]
        for step in range(5):
            seen.append(env.step(step % 2)[0])
        seen.append(env.reset()[0])
        kept = [observation.tobytes() for observation in seen]
        self.assertEqual(len(set(kept)), len(kept))
        env.step(1)
        self.assertEqual([observation.tobytes() for observation in seen], kept)

    def test_types_are_pythons(self):
        for kind in KINDS:
            env = weir.gym.Env(kind, PARAMETERS.get(kind), render_mode="rgb_array")
            observation, info = env.reset(seed=1)
            self.assertIs(type(info), dict)
            self.assertTrue(env.observation_space.contains(observation))
            step = 0
            while True:
                observation, reward, terminated, truncated, info = env.step(some_action(env.weir.action_space, step))
                self.assertTrue(env.observation_space.contains(observation))
                self.assertEqual((type(reward), type(terminated), type(truncated)), (float, bool, bool))
                for name, value in info.items():
                    if name != "action_mask":
                        self.assertIs(type(value), float, name)
                        self.assertTrue(numpy.isfinite(value))
                step += 1
                if terminated or truncated or step == 50:
                    break
            self.assertIsNone(env.render())

    def test_the_info_is_a_new_one_each_time(self):
        env = weir.gym.Env("pendulum")
        env.reset(seed=1)
        *_, info = env.step([1.0])
        info["TimeLimit.truncated"] = True
        *_, other = env.step([1.0])
        self.assertEqual(sorted(other), ["angle", "torque", "turn"])
        self.assertIsNot(info, other)

    def test_the_reward_is_the_sum_of_its_terms(self):
        env = weir.gym.Env("pendulum")
        env.reset(seed=1)
        for _ in range(20):
            _, reward, _, _, info = env.step([0.5])
            self.assertAlmostEqual(reward, sum(info.values()), delta=1e-9)

    def test_seeds(self):
        env, other = weir.gym.Env("cartpole"), weir.gym.Env("cartpole")
        first = env.reset(seed=0)[0]
        second, third = env.reset()[0], env.reset()[0]
        self.assertEqual(env.reset(seed=0)[0].tobytes(), first.tobytes())  # 0 is a seed
        self.assertEqual(len({o.tobytes() for o in (first, second, third, env.reset(seed=1)[0])}), 4)
        other.reset(seed=5)
        self.assertEqual(other.reset(seed=0)[0].tobytes(), first.tobytes())
        self.assertEqual(other.reset()[0].tobytes(), second.tobytes())  # and begins a stream
        unseeded = {weir.gym.Env("cartpole").reset()[0].tobytes() for _ in range(2)}
        self.assertEqual(len(unseeded), 2)

    def test_evaluation_plays_the_fixed_list(self):
        by_number = weir.gym.Env("cartpole")
        listed = [by_number.reset(options={"episode": i})[0].tobytes() for i in range(3)]
        self.assertEqual(len(set(listed)), 3)
        env = weir.gym.Env("cartpole", evaluation=True)
        self.assertEqual([env.reset()[0].tobytes() for _ in range(3)], listed)
        self.assertEqual([env.reset(seed=9)[0].tobytes(), env.reset()[0].tobytes()], listed[:2])

    def test_copies_are_made_of_arguments(self):
        env = weir.gym.Env("cartpole", {"limit": 30}, strict=False)
        env.reset(seed=3)
        told = walk(env, 50)
        for other in (pickle.loads(pickle.dumps(env)), copy.deepcopy(env)):
            self.assertEqual(other.weir.description.parameters, env.weir.description.parameters)
            other.reset(seed=3)
            self.assertEqual(walk(other, 50), told)
            self.assertEqual(other.step(0)[4]["failed_checks"], ())
            other.close()
        raw = pickle.loads(pickle.dumps(weir.gym.Environment("tutorial", {"length": 5})))
        self.assertEqual(raw.description.parameters["length"], 5)

    def test_a_forked_child_goes_on(self):
        env = weir.gym.Env("cartpole")
        env.reset(seed=3)
        walk(env, 7)
        child = in_child(lambda: walk(env, 3))
        self.assertEqual(walk(env, 3), child)

    def test_masks(self):
        env = weir.gym.Env("probe_mask")
        _, info = env.reset(seed=1)
        mask = info["action_mask"]
        self.assertEqual((mask.dtype, mask.shape, int(mask.sum())), (numpy.uint8, (7,), 5))
        self.assertEqual(env.action_masks().tolist(), mask.astype(bool).tolist())
        before = mask.copy()
        *_, after = env.step([0, 0])
        self.assertEqual(mask.tolist(), before.tolist())
        for kind in ("cartpole", "scaling"):
            self.assertNotIn("action_mask", weir.gym.Env(kind, PARAMETERS.get(kind)).reset()[1])
        self.assertEqual(after["penalty"], -2.0 * (2 - before[0] - before[3]))

    @unittest.skipUnless(REAL, "gymnasium is not installed")
    def test_gymnasiums_own_check(self):
        from gymnasium.utils.env_checker import check_env

        for kind in KINDS:
            made = gymnasium.make(weir.gym.environment_id(kind), parameters=PARAMETERS.get(kind))
            check_env(made.unwrapped)


class Vector(unittest.TestCase):
    """weir.gym.VectorEnv."""

    def test_it_begins_what_single_ones_begin(self):
        for kind in KINDS:
            vector = weir.gym.VectorEnv(3, kind, PARAMETERS.get(kind))
            observations, _ = vector.reset(seed=11)
            self.assertTrue(vector.observation_space.contains(observations))
            listed, _ = vector.reset(seed=[11, 12, 13])
            for i in range(3):
                single = weir.gym.Env(kind, PARAMETERS.get(kind)).reset(seed=11 + i)[0]
                self.assertEqual(observations[i].tobytes(), single.tobytes())
                self.assertEqual(listed[i].tobytes(), single.tobytes())

    def test_the_last_observation_is_not_that_of_the_reset(self):
        vector = weir.gym.VectorEnv(2, "cartpole")
        singles = [weir.gym.Env("cartpole") for _ in range(2)]
        vector.reset(seed=7)
        for i, single in enumerate(singles):
            single.reset(seed=7 + i)
        ended = [False, False]
        while not all(ended):
            observations, rewards, terminated, truncated, infos = vector.step([1, 1])
            for i, single in enumerate(singles):
                if ended[i]:
                    continue
                observation, reward, *ends, _ = single.step(1)
                self.assertEqual((rewards[i], [terminated[i], truncated[i]]), (reward, ends))
                ended[i] = any(ends)
                last = infos["final_obs"][i] if ended[i] else observations[i]
                self.assertEqual(last.tobytes(), observation.tobytes())
                self.assertEqual("_final_obs" in infos and bool(infos["_final_obs"][i]), ended[i])
                if ended[i]:
                    self.assertNotEqual(observations[i].tobytes(), observation.tobytes())

    def test_what_is_told_of_the_end(self):
        vector = weir.gym.VectorEnv(2, "tutorial", {"length": 3})
        vector.reset(seed=1)
        observations, rewards, terminated, truncated, infos = vector.step([1, 0])
        self.assertEqual((terminated.dtype, truncated.dtype, rewards.dtype), (bool, bool, numpy.float64))
        self.assertEqual(terminated.tolist(), [True, True])
        self.assertEqual([o.tolist() for o in infos["final_obs"]], [[0.5], [-0.5]])
        self.assertEqual(observations.tolist(), [[0.0], [0.0]])
        self.assertEqual(infos["final_info"]["gain"].tolist(), [1.0, 0.0])
        self.assertEqual(infos["final_info"]["_gain"].tolist(), [True, True])
        self.assertEqual(infos["toil"].tolist(), [0.0, 0.0])  # that of the reset
        vector = weir.gym.VectorEnv(2, "tutorial", {"length": 5})
        vector.reset(seed=1)
        vector.step([1, 1])
        *_, infos = vector.step([1, 0])
        self.assertEqual(infos["_final_obs"].tolist(), [True, False])
        self.assertIsNone(infos["final_obs"][1])
        self.assertEqual(infos["toil"].tolist(), [0.0, -0.01])
        *_, infos = vector.step([0, 0])
        self.assertNotIn("final_obs", infos)

    def test_arrays_are_kept_unless_asked_otherwise(self):
        for kept in (True, False):
            vector = weir.gym.VectorEnv(2, "cartpole", copy=kept)
            observations, _ = vector.reset(seed=1)
            before = observations.copy()
            vector.step([0, 1])
            self.assertEqual(observations.tobytes() == before.tobytes(), kept)

    def test_without_autoreset(self):
        vector = weir.gym.VectorEnv(3, "probe_two_steps", autoreset_mode=gymnasium.vector.AutoresetMode.DISABLED)
        self.assertEqual(vector.metadata["autoreset_mode"], gymnasium.vector.AutoresetMode.DISABLED)
        vector.reset(seed=1)
        vector.step([0, 0, 0])
        observations, _, terminated, _, infos = vector.step([0, 0, 0])
        self.assertTrue(terminated.all())
        self.assertNotIn("final_obs", infos)
        with self.assertRaisesRegex(weir.gym.InputError, "environment 0: step after the end"):
            vector.step([0, 0, 0])
        for wrong in ([True, False, True, True], [0, 1, 1], [False] * 3):
            with self.assertRaisesRegex(weir.gym.InputError, "reset_mask"):
                vector.reset(options={"reset_mask": numpy.array(wrong)})
        observations, infos = vector.reset(options={"reset_mask": numpy.array([True, False, True])})
        self.assertEqual(observations[:, 0].tolist(), [0.0, 1.0, 0.0])
        self.assertEqual(infos["_gain"].tolist(), [True, False, True])
        with self.assertRaisesRegex(weir.gym.InputError, "environment 1: step after the end"):
            vector.step([0, 0, 0])

    def test_seeds(self):
        def told(vector, **reset):
            return vector.reset(**reset)[0].tobytes()

        a, b = weir.gym.VectorEnv(2, "cartpole"), weir.gym.VectorEnv(2, "cartpole")
        self.assertNotEqual(told(a), told(b))
        self.assertEqual(told(a, seed=0), told(b, seed=0))
        self.assertEqual(told(a), told(b))
        self.assertNotEqual(told(a, seed=0), told(a, seed=1))
        a.reset(seed=0), b.reset(seed=0)
        for step in range(60):
            self.assertEqual(*(v.step([step % 2, 1])[0].tobytes() for v in (a, b)))

    def test_evaluation(self):
        vector = weir.gym.VectorEnv(2, "cartpole", evaluation=True)
        by_number = weir.gym.Env("cartpole")
        listed = [by_number.reset(options={"episode": i})[0].tolist() for i in range(4)]
        self.assertEqual(vector.reset()[0].tolist(), listed[:2])
        self.assertEqual(vector.reset()[0].tolist(), listed[2:])
        self.assertEqual(vector.reset(seed=3)[0].tolist(), listed[:2])
        self.assertEqual(vector.reset(options={"episode": 3})[0].tolist(), [listed[3]] * 2)

    def test_masks(self):
        vector = weir.gym.VectorEnv(2, "probe_mask")
        _, infos = vector.reset(seed=5)
        for i in range(2):
            single = weir.gym.Env("probe_mask")
            self.assertEqual(infos["action_mask"][i].tolist(), single.reset(seed=5 + i)[1]["action_mask"].tolist())
        *_, infos = vector.step([[0, 0], [1, 1]])
        self.assertEqual(infos["action_mask"].shape, (2, 7))

    def test_threads_fork_and_copies(self):
        def told(vector, steps):
            return b"".join(vector.step([step % 2] * 6)[0].tobytes() for step in range(steps))

        vectors = [weir.gym.VectorEnv(6, "cartpole", threads=threads) for threads in (1, 3)]
        vectors.append(pickle.loads(pickle.dumps(vectors[1])))
        vectors.append(copy.deepcopy(vectors[0]))
        for vector in vectors:
            vector.reset(seed=2)
        self.assertEqual(len({told(vector, 40) for vector in vectors}), 1)
        child = in_child(lambda: told(vectors[1], 40))  # whose threads are not in the child
        self.assertEqual(told(vectors[1], 40), child)

    @unittest.skipUnless(REAL, "gymnasium is not installed")
    def test_gymnasiums_processes(self):
        make = [lambda: gymnasium.make("weir/CartPole-v0")] * 2
        sync, processes = gymnasium.vector.SyncVectorEnv(make), gymnasium.vector.AsyncVectorEnv(make)
        self.assertEqual(sync.reset(seed=1)[0].tolist(), processes.reset(seed=1)[0].tolist())
        for step in range(30):
            self.assertEqual(*(v.step(numpy.array([step % 2, 1]))[0].tolist() for v in (sync, processes)))
        processes.close()


class StableBaselines3(unittest.TestCase):
    """weir.gym.SB3VecEnv."""

    def test_what_it_learns_from(self):
        env = weir.gym.SB3VecEnv("pendulum", 2, {"limit": 3})
        single = weir.gym.Env("pendulum", {"limit": 3})
        env.seed(4)
        self.assertEqual(env.reset()[0].tobytes(), single.reset(seed=4)[0].tobytes())
        for step in range(3):
            observations, rewards, dones, infos = env.step(numpy.full((2, 1), 0.5, numpy.float32))
            observation, reward, _, truncated, _ = single.step([0.5])
            self.assertEqual((rewards.dtype, dones.dtype), (numpy.float32, bool))
            self.assertEqual(rewards[0], numpy.float32(reward))
            self.assertEqual((dones.tolist(), infos[0]["TimeLimit.truncated"]), ([step == 2] * 2, truncated))
        self.assertEqual(infos[0]["terminal_observation"].tobytes(), observation.tobytes())
        self.assertNotEqual(observations[0].tobytes(), observation.tobytes())
        infos[0]["episode"] = {}
        *_, infos = env.step(numpy.full((2, 1), 0.5, numpy.float32))
        self.assertEqual(sorted(infos[0]), ["TimeLimit.truncated", "angle", "torque", "turn"])

    def test_a_termination_is_no_truncation(self):
        env = weir.gym.SB3VecEnv("probe_constant", 1)
        env.reset()
        _, _, dones, infos = env.step(numpy.array([0]))
        self.assertTrue(dones[0])
        self.assertIs(infos[0]["TimeLimit.truncated"], False)

    def test_attributes_and_masks(self):
        env = weir.gym.SB3VecEnv("probe_mask", 2)
        env.reset()
        self.assertEqual(env.get_attr("render_mode"), [None, None])
        self.assertTrue(env.has_attr("action_masks"))
        masks = env.env_method("action_masks")
        self.assertEqual([(m.dtype, m.shape, int(m.sum())) for m in masks], [(bool, (7,), 5)] * 2)
        env.set_attr("note", 3, indices=1)
        self.assertEqual(env.get_attr("note", indices=[1]), [3])
        self.assertFalse(env.has_attr("note"))
        self.assertFalse(weir.gym.SB3VecEnv("cartpole", 2).has_attr("action_masks"))
        self.assertEqual(env.env_is_wrapped(object), [False, False])

    def test_seeds_are_used_once(self):
        env = weir.gym.SB3VecEnv("cartpole", 2)
        env.seed(0)
        first, second = env.reset().tobytes(), env.reset().tobytes()
        self.assertNotEqual(first, second)
        env.seed(0)
        self.assertEqual(env.reset().tobytes(), first)
        env.set_options({"episode": 2})
        fixed = weir.gym.Env("cartpole").reset(options={"episode": 2})[0]
        self.assertEqual(env.reset().tolist(), [fixed.tolist()] * 2)

    def test_copies(self):
        env = pickle.loads(pickle.dumps(weir.gym.SB3VecEnv("pendulum", 3, {"limit": 9})))
        self.assertEqual((env.num_envs, env.weir.description.parameters["limit"]), (3, 9))


class Documents(unittest.TestCase):
    def test_the_examples_run(self):
        with open(f"{SOURCE}/docs/gym.md") as file:
            blocks = re.findall(r"^```python\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
        run = [block for block in blocks if "PPO" not in block]
        self.assertGreaterEqual(len(run), 3)
        for block in run:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(block, "docs/gym.md", "exec"), {})


if __name__ == "__main__":
    unittest.main()
