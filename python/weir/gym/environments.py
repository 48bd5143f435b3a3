"""weir's environments as gymnasium.Env and gymnasium.vector.VectorEnv."""

from . import core
from .core import Environment, Environments, numpy
from .library import InputError, checks
from .optional import optional

gymnasium = optional("gymnasium")
if not hasattr(gymnasium.vector, "AutoresetMode"):
    raise ImportError(f"weir.gym needs gymnasium 1.1 or newer; this Python has {gymnasium.__version__}")
AutoresetMode = gymnasium.vector.AutoresetMode
batch_space = optional("gymnasium.vector.utils").batch_space

_EPISODES = "evaluation", "episode"


def space_of(space):
    """A gymnasium space like this one of core."""
    if space.kind == core.BOX:
        low, high = ([getattr(d, side) for d in space.dimensions] for side in ("low", "high"))
        return gymnasium.spaces.Box(
            numpy.array(low, numpy.float32), numpy.array(high, numpy.float32), dtype=numpy.float32
        )
    choices = [dimension.choices for dimension in space.dimensions]
    if space.kind == core.DISCRETE:
        return gymnasium.spaces.Discrete(choices[0])
    return gymnasium.spaces.MultiDiscrete(choices)


def drawn_seed(generator):
    """A seed for the library, drawn from NumPy's generator."""
    return int(generator.integers(0, 2**64, dtype=numpy.uint64))


def _check_options(options, allowed):
    for key in options or {}:
        if key not in allowed:
            raise InputError(f"options: unknown key {key!r}; there are {', '.join(allowed)}")
    return dict(options or {})


class Env(gymnasium.Env):
    """One environment of weir; `kind` is one of weir.gym.kinds(), `parameters` a dict of its keys.

    reset(options={"episode": n}) plays number n of its fixed list of episodes, {"evaluation": True} any one of them.
    With `evaluation` every reset plays the next of the list, and one with a seed the first.

    The info has the figures of the step as floats; where choices are masked "action_mask"; without `strict`
    "failed_checks", the names of those that do not hold.
    """

    metadata = {"render_modes": []}
    weir = None

    def __init__(self, kind, parameters=None, *, strict=True, evaluation=False, render_mode=None):
        self.weir = Environment(kind, parameters, strict=strict)
        self.observation_space = space_of(self.weir.observation_space)
        self.action_space = space_of(self.weir.action_space)
        self.render_mode = render_mode  # accepted, as makers of environments pass it: nothing is drawn
        self._strict, self._evaluation, self._next = strict, evaluation, 0

    def __reduce__(self):
        arguments = {
            "kind": self.weir.kind,
            "parameters": self.weir.description.parameters,
            "strict": self._strict,
            "evaluation": self._evaluation,
            "render_mode": self.render_mode,
        }
        return core._remake, (type(self), arguments)

    def _start(self, seed, options):
        """Arguments of the library's reset. A seed is drawn in any case, so that generators stay in step."""
        given = _check_options(options, _EPISODES)
        start = {"seed": drawn_seed(self.np_random), **given}
        if self._evaluation and not given:
            number = 0 if seed is not None else self._next
            self._next = number + 1
            start.update(evaluation=True, episode=number)
        return start

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        observation = self.weir.reset(**self._start(seed, options))
        return observation, self._info()

    def step(self, action):
        observation, reward, terminated, truncated = self.weir.step(action)
        info = self._info()
        if not self._strict:
            info["failed_checks"] = self.weir.failed
        return observation, reward, terminated, truncated, info

    def _info(self):
        info = self.weir.info()
        if self.weir.description.masked:
            info["action_mask"] = self.weir.mask()
        return info

    def action_masks(self):
        """As sb3_contrib.MaskablePPO asks for them."""
        return self.weir.mask().astype(numpy.bool_)

    def render(self):
        return None

    def close(self):
        if self.weir is not None:  # as after an error of __init__
            self.weir.close()


class VectorEnv(gymnasium.vector.VectorEnv):
    """`num_envs` environments, stepped by one call of the library over `threads` (0: one for each processor).

    Episodes that end are begun anew in the same step (AutoresetMode.SAME_STEP): infos has "final_obs" and
    "final_info", with masks; or they are not (DISABLED): reset(options={"reset_mask": ...}) begins them. With `copy`
    false, observations, rewards and ends are arrays that the next step overwrites; final_obs never is.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}
    weir = None

    def __init__(
        self,
        num_envs=1,
        kind=None,
        parameters=None,
        *,
        threads=0,
        strict=True,
        evaluation=False,
        autoreset_mode=AutoresetMode.SAME_STEP,
        copy=True,
        render_mode=None,
        max_episode_steps=None,
    ):
        mode = AutoresetMode(autoreset_mode)
        if mode == AutoresetMode.NEXT_STEP:
            raise InputError("autoreset_mode: expected SAME_STEP or DISABLED, got NEXT_STEP")
        if max_episode_steps is not None:
            raise InputError("max_episode_steps: the environment limits its own episodes; see its parameters")
        self._arguments = {
            "num_envs": num_envs,
            "kind": kind,
            "threads": threads,
            "strict": strict,
            "evaluation": evaluation,
            "autoreset_mode": mode,
            "copy": copy,
            "render_mode": render_mode,
        }
        self.weir = Environments(
            kind,
            num_envs,
            parameters,
            threads=threads,
            strict=strict,
            evaluation=evaluation,
            auto_reset=mode == AutoresetMode.SAME_STEP,
        )
        self.num_envs, self.render_mode = self.weir.count, render_mode
        self.metadata = {**self.metadata, "autoreset_mode": mode}
        self.single_observation_space = space_of(self.weir.observation_space)
        self.single_action_space = space_of(self.weir.action_space)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._kept = numpy.array if copy else numpy.asarray
        self._resets = mode == AutoresetMode.SAME_STEP
        self._strict, self._evaluation = strict, evaluation

    def __reduce__(self):
        return core._remake, (type(self), {**self._arguments, "parameters": self.weir.description.parameters})

    def _seeds(self, seed):
        """One for each environment, None where it has none of its own; the first draw of a gymnasium.Env's generator
        with that seed, so that both begin the same episode."""
        if seed is None:
            return [None] * self.num_envs
        seeds = [seed + i for i in range(self.num_envs)] if isinstance(seed, int) else list(seed)
        if len(seeds) != self.num_envs:
            raise InputError(f"seed: expected one number or {self.num_envs}, got {len(seeds)}")
        return [None if s is None else drawn_seed(gymnasium.utils.seeding.np_random(s)[0]) for s in seeds]

    def _reset_mask(self, options):
        options = _check_options(options, ("reset_mask", *_EPISODES))
        mask = options.pop("reset_mask", None)
        if mask is None:
            return numpy.ones(self.num_envs, numpy.bool_), options
        mask = numpy.asarray(mask)
        if mask.shape != (self.num_envs,) or mask.dtype != numpy.bool_ or not mask.any():
            raise InputError(f"reset_mask: expected {self.num_envs} bools, one of them true")
        return mask, options

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed if isinstance(seed, int) else None)
        seeds = self._seeds(seed)
        mask, start = self._reset_mask(options)
        if mask.all() and not start and seed is None:
            self.weir.reset()
        else:
            for i in numpy.flatnonzero(mask).tolist():
                own = drawn_seed(self.np_random) if seeds[i] is None else seeds[i]
                fixed = {"episode": i} if self._evaluation else {}
                self.weir.reset_one(i, own, **(start or fixed))
        infos = {}
        self._add_terms(infos, numpy.zeros_like(self.weir.info), mask)
        self._add_masks(infos, mask)
        return self._kept(self.weir.observations), infos

    def step(self, actions):
        weir = self.weir
        weir.step(actions)
        terminated, truncated = self._kept(weir.terminated), self._kept(weir.truncated)
        infos, everyone = {}, numpy.ones(self.num_envs, numpy.bool_)
        ended = terminated | truncated
        if self._resets and ended.any():
            self._add_final(infos, ended)
            self._add_terms(infos, numpy.where(ended[:, None], 0.0, weir.info), everyone)
        else:
            self._add_terms(infos, weir.info, everyone)
        self._add_masks(infos, everyone)
        if not self._strict:
            names = checks()
            failed = numpy.empty(self.num_envs, object)
            failed[:] = [tuple(n for bit, n in enumerate(names) if int(f) >> bit & 1) for f in weir.failed]
            infos["failed_checks"], infos["_failed_checks"] = failed, everyone.copy()
        return self._kept(weir.observations), self._kept(weir.rewards), terminated, truncated, infos

    def _add_terms(self, infos, values, whose):
        for j, term in enumerate(self.weir.terms):
            there = whose & numpy.isfinite(values[:, j])
            infos[term.name] = numpy.where(there, values[:, j], 0.0)
            infos["_" + term.name] = there

    def _add_masks(self, infos, whose):
        if self.weir.description.masked:
            infos["action_mask"], infos["_action_mask"] = self.weir.masks.copy(), whose.copy()

    def _add_final(self, infos, ended):
        final = numpy.full(self.num_envs, None, object)
        for i in numpy.flatnonzero(ended).tolist():
            final[i] = self.weir.final_observations[i].copy()
        infos["final_obs"], infos["_final_obs"] = final, ended.copy()
        infos["final_info"], infos["_final_info"] = {}, ended.copy()
        self._add_terms(infos["final_info"], self.weir.info, ended)

    def render(self):
        return None

    def close_extras(self, **_):
        if self.weir is not None:
            self.weir.close()
