/**
 * A process that is really stopped (SIGSTOP) while its main thread waits for a piece of its worker, and goes on later. The
 * child's clock runs 15 times as fast, so that 1.6 seconds are longer than a piece may take (20 s).
 */
import { spawn } from 'node:child_process';
import { expect, it, onTestFinished } from 'vitest';

const stoppedFor = 1600;

const program = `
import { writeSync } from 'node:fs';
import { cpu } from '@nn/backend-cpu';
import { gradients, parameter, tensor } from '@nn/core';

const now = performance.now.bind(performance);
let left = 0;
let looks = 0;
let last = 0;
performance.now = () => {
  if (!new Error().stack.includes('join')) return now() * 15;
  // From the second look of one waiting on, the pool counts what has passed since the last: it is stopped between two.
  const isSecond = looks++ > 0 && now() - last < 3;
  if (isSecond && left > 0) {
    left--;
    writeSync(1, 'stopping\\n');
    process.kill(process.pid, 'SIGSTOP');
  }
  last = now();
  return last * 15;
};

const size = 640;
const numbers = (seed) => Float32Array.from({ length: size * size }, (_, k) => Math.sin(k * seed + seed));
/** So many steps, and more, up to 300, until the process was stopped. */
async function train(backend, steps) {
  const at = { shape: [size, size], backend };
  const [x, y] = [tensor(numbers(1.1), at), tensor(numbers(1.7), at)];
  const weight = parameter(numbers(0.3), at);
  const losses = [];
  for (let step = 0; step < steps || (left > 0 && step < 300); step++) {
    const loss = x.matmul(weight).sub(y).square().mean();
    const [slope] = gradients(loss, [weight]);
    weight.assign(weight.sub(slope));
    losses.push(await loss.item());
  }
  return losses;
}
const together = cpu({ threads: 2 });
// until the worker is there and helps
for (let tries = 0; looks === 0 && tries < 500; tries++) await train(together, 1);
left = 1;
const losses = await train(together, 8);
const { threads } = together.info().details;
writeSync(1, JSON.stringify({ losses, alone: await train(cpu(), losses.length), threads, left }) + '\\n');
`;

it('goes on with its training, and with its worker', async ({ skip }) => {
  if (process.platform === 'win32') skip('Windows has no SIGSTOP');
  const flags = ['--conditions=@nn/source', '--import', import.meta.resolve('tsx'), '--input-type=module'];
  const child = spawn(process.execPath, [...flags, '--eval', program], { cwd: import.meta.dirname });
  onTestFinished(() => void child.kill('SIGKILL')); // a stopped process ends by no other signal
  let printed = '';
  let seen = 0;
  child.stderr.on('data', (text) => {
    printed += text;
  });
  child.stdout.on('data', (text) => {
    printed += text;
    if (seen > 0 || !printed.includes('stopping')) return;
    seen++;
    setTimeout(() => child.kill('SIGCONT'), stoppedFor);
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code, printed).toBe(0);
  const { losses, alone, threads, left } = JSON.parse(printed.trim().split('\n').at(-1)!);
  expect([seen, left, threads]).toEqual([1, 0, 2]);
  expect(losses).toEqual(alone);
  expect(losses.at(-1)).toBeLessThan(losses[0]);
});
