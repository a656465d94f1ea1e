"""PPO on CartPole in PyTorch, written as Stable-Baselines3 does it, with the settings of speed-nn.mjs: environment steps a second.

    python3 speed-pytorch.py objects|arrays ROLLOUT EPOCHS MINIBATCHES ITERATIONS THREADS

`objects` steps one Python object per environment, as Gymnasium's CartPole in a DummyVecEnv; `arrays` steps all environments in NumPy
at once, which is as fast as such a program gets.
"""
import json
import math
import sys
import time

import numpy as np
import torch
from torch import nn

kind = sys.argv[1]
rollout_steps, epochs, minibatches, iterations, threads = map(int, sys.argv[2:7])
torch.set_num_threads(threads)
torch.manual_seed(1)
environments, discount, lam, clip = 8, 0.98, 0.8, 0.2
gravity, pole_mass, total_mass, half_length, force, seconds = 9.8, 0.1, 1.1, 0.5, 10.0, 0.02
farthest, steepest, limit = 2.4, 12 * 2 * math.pi / 360, 500


class Pole:
    """CartPole-v1, one environment."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)

    def reset(self):
        self.state = tuple(self.random.uniform(-0.05, 0.05, 4))
        self.steps = 0
        return np.array(self.state, dtype=np.float32)

    def step(self, action):
        x, speed, angle, turning = self.state
        push = force if action == 1 else -force
        sine, cosine = math.sin(angle), math.cos(angle)
        pull = (push + pole_mass * half_length * turning**2 * sine) / total_mass
        angular = (gravity * sine - cosine * pull) / (half_length * (4 / 3 - pole_mass * cosine**2 / total_mass))
        linear = pull - pole_mass * half_length * angular * cosine / total_mass
        x, speed = x + seconds * speed, speed + seconds * linear
        angle, turning = angle + seconds * turning, turning + seconds * angular
        self.state = (x, speed, angle, turning)
        self.steps += 1
        terminated = abs(x) > farthest or abs(angle) > steepest
        truncated = not terminated and self.steps >= limit
        return np.array(self.state, dtype=np.float32), 1.0, terminated, truncated


class Poles:
    """Many of them, one after the other."""

    def __init__(self):
        self.all = [Pole(seed) for seed in range(1, environments + 1)]

    def reset(self):
        return np.stack([pole.reset() for pole in self.all])

    def step(self, actions):
        rows, outcomes, rewards, terminated, truncated = [], [], [], [], []
        for pole, action in zip(self.all, actions):
            row, reward, is_terminated, is_truncated = pole.step(action)
            outcomes.append(row)
            rows.append(pole.reset() if is_terminated or is_truncated else row)
            rewards.append(reward)
            terminated.append(is_terminated)
            truncated.append(is_truncated)
        return np.stack(rows), np.array(rewards, dtype=np.float32), np.array(terminated), np.array(truncated), np.stack(outcomes)


class PoleArrays:
    """Many of them at once."""

    def __init__(self):
        self.random = np.random.default_rng(1)

    def reset(self):
        self.state = self.random.uniform(-0.05, 0.05, (environments, 4))
        self.steps = np.zeros(environments, dtype=np.int64)
        return self.state.astype(np.float32)

    def step(self, actions):
        x, speed, angle, turning = self.state.T
        push = np.where(actions == 1, force, -force)
        sine, cosine = np.sin(angle), np.cos(angle)
        pull = (push + pole_mass * half_length * turning**2 * sine) / total_mass
        angular = (gravity * sine - cosine * pull) / (half_length * (4 / 3 - pole_mass * cosine**2 / total_mass))
        linear = pull - pole_mass * half_length * angular * cosine / total_mass
        self.state = np.stack(
            [x + seconds * speed, speed + seconds * linear, angle + seconds * turning, turning + seconds * angular], axis=1
        )
        self.steps += 1
        terminated = (np.abs(self.state[:, 0]) > farthest) | (np.abs(self.state[:, 2]) > steepest)
        truncated = ~terminated & (self.steps >= limit)
        outcomes = self.state.astype(np.float32)
        ended = terminated | truncated
        if ended.any():
            self.state[ended] = self.random.uniform(-0.05, 0.05, (int(ended.sum()), 4))
            self.steps[ended] = 0
        return self.state.astype(np.float32), np.ones(environments, dtype=np.float32), terminated, truncated, outcomes


def layers(outputs, gain):
    parts = [nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs)]
    for part in parts:
        if isinstance(part, nn.Linear):
            nn.init.orthogonal_(part.weight, gain if part.out_features == outputs else math.sqrt(2))
            nn.init.zeros_(part.bias)
    return nn.Sequential(*parts)


actor, critic = layers(2, 0.01), layers(1, 1)
parameters = [*actor.parameters(), *critic.parameters()]
optimizer = torch.optim.Adam(parameters, lr=1e-3, eps=1e-5)
poles = Poles() if kind == "objects" else PoleArrays()
observations = poles.reset()
totals, returns_seen = np.zeros(environments), []


def iterate():
    global observations, totals
    shape = (rollout_steps, environments)
    seen, actions = np.zeros((*shape, 4), dtype=np.float32), np.zeros(shape, dtype=np.int64)
    logs, values, rewards = (np.zeros(shape, dtype=np.float32) for _ in range(3))
    next_values, terminated, ended = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for t in range(rollout_steps):
        with torch.no_grad():
            rows = torch.as_tensor(observations)
            logits = torch.log_softmax(actor(rows), dim=1)
            drawn = torch.multinomial(logits.exp(), 1)
            logs[t] = logits.gather(1, drawn).squeeze(1).numpy()
            values[t] = critic(rows).squeeze(1).numpy()
        seen[t], actions[t] = observations, drawn.squeeze(1).numpy()
        observations, rewards[t], terminated[t], truncated, outcomes = poles.step(actions[t])
        ended[t] = terminated[t] | truncated
        if t > 0:
            next_values[t - 1] = np.where(ended[t - 1], next_values[t - 1], values[t])
        if truncated.any():
            with torch.no_grad():
                last = critic(torch.as_tensor(outcomes)).squeeze(1).numpy()
            next_values[t] = np.where(truncated, last, 0)
        totals += rewards[t]
        for i in np.flatnonzero(ended[t]):
            returns_seen.append(totals[i])
            totals[i] = 0
    with torch.no_grad():
        last = critic(torch.as_tensor(observations)).squeeze(1).numpy()
    next_values[-1] = np.where(ended[-1], next_values[-1], last)
    advantages = np.zeros(shape, dtype=np.float32)
    later = np.zeros(environments, dtype=np.float32)
    for t in reversed(range(rollout_steps)):
        delta = rewards[t] + discount * np.where(terminated[t], 0, next_values[t]) - values[t]
        later = delta + discount * lam * np.where(ended[t], 0, later)
        advantages[t] = later
    flat = lambda array, *rest: torch.as_tensor(array.reshape(-1, *rest))
    x, a, old, advantage = flat(seen, 4), flat(actions), flat(logs), flat(advantages)
    wanted = advantage + flat(values)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(len(x) // minibatches):
            logits = torch.log_softmax(actor(x[rows]), dim=1)
            ratio = (logits.gather(1, a[rows].unsqueeze(1)).squeeze(1) - old[rows]).exp()
            normal = (advantage[rows] - advantage[rows].mean()) / (advantage[rows].std() + 1e-8)
            policy_loss = -torch.min(ratio * normal, ratio.clamp(1 - clip, 1 + clip) * normal).mean()
            value_loss = 0.5 * (critic(x[rows]).squeeze(1) - wanted[rows]).square().mean()
            optimizer.zero_grad()
            (policy_loss + 0.5 * value_loss).backward()
            nn.utils.clip_grad_norm_(parameters, 0.5)
            optimizer.step()


for _ in range(2):
    iterate()
started, processor = time.perf_counter(), time.process_time()
for _ in range(iterations):
    iterate()
taken, processor = time.perf_counter() - started, time.process_time() - processor
made = iterations * rollout_steps * environments
figures = {"stepsPerSecond": made / taken, "stepsPerCpuSecond": made / processor, "meanReturn": float(np.mean(returns_seen[-100:]))}
print(json.dumps(figures))
