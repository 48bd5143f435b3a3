"""weir's environments as a VecEnv of Stable-Baselines3, which does not take gymnasium's vector environments."""

from .core import Environments, _remake, numpy
from .environments import drawn_seed, space_of
from .optional import optional

gymnasium = optional("gymnasium")
VecEnv = optional("stable_baselines3.common.vec_env").VecEnv


class SB3VecEnv(VecEnv):
    """`num_envs` environments for PPO("MlpPolicy", SB3VecEnv("cartpole", 8)); arguments as of VectorEnv.

    Episodes' returns and lengths in its logs come from its VecMonitor around this.
    """

    def __init__(self, kind, num_envs=1, parameters=None, *, threads=0, strict=True, evaluation=False):
        self.weir = Environments(
            kind, num_envs, parameters, threads=threads, strict=strict, evaluation=evaluation
        )
        self._evaluation = evaluation
        self._attributes = [{"render_mode": None} for _ in range(num_envs)]
        super().__init__(num_envs, space_of(self.weir.observation_space), space_of(self.weir.action_space))

    def __reduce__(self):
        arguments = self.weir._arguments
        names = "kind", "parameters", "threads", "strict", "evaluation"
        return _remake, (type(self), {"num_envs": self.num_envs, **{name: arguments[name] for name in names}})

    def reset(self):
        if all(seed is None for seed in self._seeds) and not any(self._options):
            self.weir.reset()
        else:
            for i, (seed, options) in enumerate(zip(self._seeds, self._options)):
                own = drawn_seed(gymnasium.utils.seeding.np_random(seed)[0])
                fixed = {"episode": i} if self._evaluation else {}
                self.weir.reset_one(i, own, **(options or fixed))
        self._reset_seeds()
        self._reset_options()
        self.reset_infos = [{} for _ in range(self.num_envs)]
        return self.weir.observations.copy()

    def step_async(self, actions):
        self._actions = actions

    def step_wait(self):
        weir = self.weir
        weir.step(self._actions)
        dones = weir.terminated | weir.truncated
        infos = [self._info(i, bool(done)) for i, done in enumerate(dones)]
        return weir.observations.copy(), weir.rewards.astype(numpy.float32), dones, infos

    def _info(self, i, done):
        weir = self.weir
        values = weir.info[i]
        info = {t.name: float(v) for t, v in zip(weir.terms, values) if numpy.isfinite(v)}
        info["TimeLimit.truncated"] = bool(weir.truncated[i] and not weir.terminated[i])
        if done:
            info["terminal_observation"] = weir.final_observations[i].copy()
        return info

    def action_masks(self, i):
        return self.weir.masks[i].astype(numpy.bool_)

    def close(self):
        self.weir.close()

    def get_images(self):
        return [None] * self.num_envs

    def get_attr(self, attr_name, indices=None):
        if attr_name == "action_masks" and self.weir.description.masked:
            return [lambda i=i: self.action_masks(i) for i in self._get_indices(indices)]
        found = [self._attributes[i] for i in self._get_indices(indices)]
        if not all(attr_name in attributes for attributes in found):
            raise AttributeError(f"environments of weir have no attribute {attr_name!r} here")
        return [attributes[attr_name] for attributes in found]

    def set_attr(self, attr_name, value, indices=None):
        for i in self._get_indices(indices):
            self._attributes[i][attr_name] = value

    def env_method(self, method_name, *method_args, indices=None, **method_kwargs):
        return [method(*method_args, **method_kwargs) for method in self.get_attr(method_name, indices)]

    def env_is_wrapped(self, wrapper_class, indices=None):
        return [False for _ in self._get_indices(indices)]
