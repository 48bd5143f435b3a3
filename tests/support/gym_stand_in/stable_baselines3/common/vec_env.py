"""What weir.gym uses of Stable-Baselines3's VecEnv (2.x)."""

import abc


class VecEnv(abc.ABC):
    def __init__(self, num_envs, observation_space, action_space):
        self.num_envs, self.observation_space, self.action_space = num_envs, observation_space, action_space
        self.reset_infos = [{} for _ in range(num_envs)]
        self._reset_seeds()
        self._reset_options()
        self.render_mode = self.get_attr("render_mode")[0]

    def _reset_seeds(self):
        self._seeds = [None] * self.num_envs

    def _reset_options(self):
        self._options = [{} for _ in range(self.num_envs)]

    def seed(self, seed):
        self._seeds = [seed + i for i in range(self.num_envs)]
        return self._seeds

    def set_options(self, options):
        self._options = [dict(options) for _ in range(self.num_envs)]

    def step(self, actions):
        self.step_async(actions)
        return self.step_wait()

    def has_attr(self, name):
        try:
            self.get_attr(name)
        except AttributeError:
            return False
        return True

    def _get_indices(self, indices):
        if indices is None:
            return range(self.num_envs)
        return [indices] if isinstance(indices, int) else indices

    @abc.abstractmethod
    def reset(self): ...

    @abc.abstractmethod
    def step_async(self, actions): ...

    @abc.abstractmethod
    def step_wait(self): ...

    @abc.abstractmethod
    def close(self): ...

    @abc.abstractmethod
    def get_attr(self, attr_name, indices=None): ...

    @abc.abstractmethod
    def set_attr(self, attr_name, value, indices=None): ...

    @abc.abstractmethod
    def env_method(self, method_name, *method_args, indices=None, **method_kwargs): ...

    @abc.abstractmethod
    def env_is_wrapped(self, wrapper_class, indices=None): ...
