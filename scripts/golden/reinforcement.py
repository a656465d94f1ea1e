"""Trajectories of the classic control environments, advantages and probabilities, for packages/reinforcement.

The equations are written here a second time, in NumPy and double precision, from the papers and Gymnasium's documentation.
Run: python3 scripts/golden/reinforcement.py
"""
import json
import math
import pathlib

import numpy as np
import torch

random = np.random.default_rng(7)
where = pathlib.Path(__file__).parents[2] / "packages/reinforcement/fixtures/golden.json"


def cart_pole(state, action):
    x, v, theta, omega = state
    push = 10.0 if action == 1 else -10.0
    # the linear system of both equations of motion, solved instead of the closed form
    m, big, l, g = 0.1, 1.0, 0.5, 9.8
    # (M + m) x'' + m l cos(theta) theta'' = F + m l omega^2 sin(theta)
    # cos(theta) x'' + 4/3 l theta'' = g sin(theta)
    a = np.array([[big + m, m * l * math.cos(theta)], [math.cos(theta), 4 / 3 * l]])
    b = np.array([push + m * l * omega**2 * math.sin(theta), g * math.sin(theta)])
    acceleration, angular = np.linalg.solve(a, b)
    t = 0.02
    state = [x + t * v, v + t * acceleration, theta + t * omega, omega + t * angular]
    over = abs(state[0]) > 2.4 or abs(state[2]) > 12 * math.pi / 180
    return state, 1.0, over


def mountain_car(state, action):
    x, v = state
    v = float(np.clip(v + (action - 1) * 0.001 - 0.0025 * math.cos(3 * x), -0.07, 0.07))
    x = float(np.clip(x + v, -1.2, 0.6))
    if x == -1.2 and v < 0:
        v = 0.0
    return [x, v], -1.0, x >= 0.5 and v >= 0


def acrobot_derivative(s, torque):
    # the Lagrangian of two rods: the matrix of masses, solved; damping by nothing
    t1, t2, w1, w2 = s
    m1 = m2 = l1 = 1.0
    c1 = c2 = 0.5
    i1 = i2 = 1.0
    g = 9.8
    d11 = m1 * c1**2 + m2 * (l1**2 + c2**2 + 2 * l1 * c2 * math.cos(t2)) + i1 + i2
    d12 = m2 * (c2**2 + l1 * c2 * math.cos(t2)) + i2
    d22 = m2 * c2**2 + i2
    h = m2 * l1 * c2 * math.sin(t2)
    gravity2 = m2 * c2 * g * math.sin(t1 + t2)
    gravity1 = (m1 * c1 + m2 * l1) * g * math.sin(t1) + gravity2
    # d11 a1 + d12 a2 = h w2^2 + 2 h w1 w2 - gravity1;  d12 a1 + d22 a2 = torque - h w1^2 - gravity2
    a = np.linalg.solve(
        [[d11, d12], [d12, d22]],
        [h * w2**2 + 2 * h * w1 * w2 - gravity1, torque - h * w1**2 - gravity2],
    )
    return np.array([w1, w2, a[0], a[1]])


def acrobot(state, action):
    s, dt, u = np.array(state), 0.2, action - 1
    k1 = acrobot_derivative(s, u)
    k2 = acrobot_derivative(s + dt / 2 * k1, u)
    k3 = acrobot_derivative(s + dt / 2 * k2, u)
    k4 = acrobot_derivative(s + dt * k3, u)
    s = s + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    s[:2] = (s[:2] + math.pi) % (2 * math.pi) - math.pi
    s[2] = np.clip(s[2], -4 * math.pi, 4 * math.pi)
    s[3] = np.clip(s[3], -9 * math.pi, 9 * math.pi)
    over = -math.cos(s[0]) - math.cos(s[0] + s[1]) > 1
    return [float(x) for x in s], 0.0 if over else -1.0, bool(over)


def pendulum(state, action):
    theta, omega = state
    u = float(np.clip(action, -2, 2))
    angle = (theta + math.pi) % (2 * math.pi) - math.pi
    reward = -(angle**2 + 0.1 * omega**2 + 0.001 * u**2)
    omega = float(np.clip(omega + (3 * 10 / 2 * math.sin(theta) + 3 * u) * 0.05, -8, 8))
    return [theta + omega * 0.05, omega], reward, False


def trajectory(step, start, act, most):
    actions, states, rewards, overs = [], [start], [], []
    while len(actions) < most and not any(overs):
        actions.append(act(states[-1]))
        state, reward, over = step(states[-1], actions[-1])
        states.append([float(x) for x in state])
        rewards.append(float(reward))
        overs.append(bool(over))
    return {"actions": actions, "states": states, "rewards": rewards, "terminated": overs}


def advantages():
    """By the definition: the sum over later steps of (discount lambda)^k delta, ended by ends."""
    steps, n, discount, trace = 7, 3, 0.9, 0.8
    rewards, values, nexts = (random.normal(size=(steps, n)).astype(np.float32) for _ in range(3))
    terminated = (random.random((steps, n)) < 0.2).astype(int)
    truncated = ((random.random((steps, n)) < 0.2) & (terminated == 0)).astype(int)
    ended = terminated | truncated
    delta = rewards + discount * nexts * (1 - terminated) - values
    found = np.zeros((steps, n))
    for t in range(steps):
        for e in range(n):
            for k in range(t, steps):
                found[t, e] += (discount * trace) ** (k - t) * delta[k, e]
                if ended[k, e]:
                    break
    flat = lambda a: [float(x) for x in a.ravel()]
    return {
        "environments": n, "discount": discount, "lambda": trace, "rewards": flat(rewards), "values": flat(values),
        "nextValues": flat(nexts), "terminated": [int(x) for x in terminated.ravel()],
        "ended": [int(x) for x in ended.ravel()], "advantages": flat(found), "returns": flat(found + values),
    }


def probabilities():
    logits = torch.tensor(random.normal(size=(4, 3)), dtype=torch.float32)
    actions = torch.tensor([0, 2, 1, 1])
    categorical = torch.distributions.Categorical(logits=logits)
    mean = torch.tensor(random.normal(size=(4, 2)), dtype=torch.float32)
    log_scale = torch.tensor([-0.5, 0.3])
    drawn = torch.tensor(random.normal(size=(4, 2)), dtype=torch.float32)
    normal = torch.distributions.Normal(mean, log_scale.exp())
    return {
        "discrete": {"logits": logits.tolist(), "actions": actions.tolist(),
                     "logProbability": categorical.log_prob(actions).tolist(), "entropy": categorical.entropy().tolist()},
        "box": {"mean": mean.tolist(), "logScale": log_scale.tolist(), "actions": drawn.tolist(),
                "logProbability": normal.log_prob(drawn).sum(-1).tolist(),
                "entropy": normal.entropy().sum(-1).tolist()},
    }


def main():
    # towards the fall, but not always: so that it lasts, and ends
    balance = lambda s: int(s[2] + s[3] > 0) if random.random() < 0.85 else int(random.integers(2))
    golden = {
        "CartPole": trajectory(cart_pole, [0.01, -0.02, 0.03, 0.04], balance, 200),
        "MountainCar": trajectory(mountain_car, [-0.5, 0.0], lambda s: 2 if s[1] >= 0 else 0, 200),
        "Acrobot": trajectory(acrobot, [0.1, -0.05, 0.02, 0.08], lambda s: 2 if s[2] > 0 else 0, 120),
        "Pendulum": trajectory(pendulum, [2.5, -0.3], lambda s: float(random.uniform(-2, 2)), 60),
        "advantages": advantages(),
        "probabilities": probabilities(),
    }
    where.parent.mkdir(exist_ok=True)
    where.write_text(json.dumps(golden) + "\n")
    print(where.name, where.stat().st_size, {k: len(v.get("rewards", [])) for k, v in golden.items()})


main()
