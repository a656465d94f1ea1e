/** PPO on CartPole, everything included: environment steps a second, as one number. speed-pytorch.py is the same program. */
import process from 'node:process';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed } from '@nn/core';
import { CartPole, PPO, VectorEnvironment } from '@nn/reinforcement';
import { print } from '../harness/print.mjs';

const [rolloutSteps = 32, epochs = 20, minibatches = 1, iterations = 60] = process.argv.slice(2).map(Number);
setDefaultBackend(cpu());
setSeed(1);
const environments = new VectorEnvironment(() => new CartPole(), 8, { seed: 1 });
const options = { rolloutSteps, epochs, minibatches, discount: 0.98, lambda: 0.8, learningRate: 1e-3 };
const agent = new PPO(environments, options);
for (let i = 0; i < 10; i++) await agent.iterate();
const steps = agent.progress.steps;
const started = performance.now();
const before = process.cpuUsage();
let meanReturn = 0;
for (let i = 0; i < iterations; i++) ({ meanReturn } = await agent.iterate());
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(before);
const made = agent.progress.steps - steps;
print(
  JSON.stringify({ stepsPerSecond: made / seconds, stepsPerCpuSecond: (1e6 * made) / (user + system), meanReturn }),
);
