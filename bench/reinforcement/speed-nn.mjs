/** PPO on CartPole, everything included: environment steps a second, as one number. speed-pytorch.py is the same program. */
import process from 'node:process';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed } from '@nn/core';
import { CartPole, PPO, VectorEnvironment } from '@nn/reinforcement';
import { print } from '../harness/print.mjs';

const [iterations = 60] = process.argv.slice(2).map(Number);
setDefaultBackend(cpu());
setSeed(1);
const environments = new VectorEnvironment(() => new CartPole(), 8, { seed: 1 });
const agent = new PPO(environments, {
  rolloutSteps: 32,
  minibatches: 1,
  epochs: 20,
  discount: 0.98,
  lambda: 0.8,
  learningRate: 1e-3,
});
for (let i = 0; i < 20; i++) await agent.iterate();
const steps = agent.progress.steps;
const started = performance.now();
let meanReturn = 0;
for (let i = 0; i < iterations; i++) ({ meanReturn } = await agent.iterate());
const seconds = (performance.now() - started) / 1000;
print(JSON.stringify({ stepsPerSecond: (agent.progress.steps - steps) / seconds, meanReturn }));
