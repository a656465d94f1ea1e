/**
 * Fourier transforms beside PyTorch's, one thread each, in turns: rows of 2^10 to 2^16, alone and 64 at a time.
 * Times are those of the processor, so that what else runs on the machine counts for little. Ours is from the call to the numbers.
 *
 *   npm run build && node bench/fourier.mjs     needs a python3 with PyTorch
 */
import { spawn } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { cpu } from '@nn/backend-cpu';
import { fft, rfft, setDefaultBackend, tensor } from '@nn/core';
import { findPython } from './harness/launch.mjs';
import { print } from './harness/print.mjs';
import { median } from './harness/statistics.mjs';
import { textTable } from './report/format.mjs';

/** Answers one line, a time in milliseconds, for each line "name rows length". */
const program = `
import sys, time, torch
torch.set_num_threads(1)
for line in sys.stdin:
    name, rows, length = line.split()
    shape = (int(rows), int(length))
    x = torch.randn(shape) if name == 'rfft' else torch.randn(shape, dtype=torch.complex64)
    f = getattr(torch.fft, name)
    f(x)
    f(x)
    start = time.process_time()
    f(x)
    print((time.process_time() - start) * 1000, flush=True)
`;
const found = findPython();
if (found === null) throw new Error('no python3 with torch was found');
const python = spawn(found, ['-c', program], { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();

/** @param {string} name @param {number} rows @param {number} length */
async function theirs(name, rows, length) {
  python.stdin.write(`${name} ${rows} ${length}\n`);
  return Number((await answers.next()).value);
}

/** @param {string} name @param {number} rows @param {number} length */
function ours(name, rows, length) {
  const shape = name === 'rfft' ? [rows, length] : [rows, length, 2];
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i));
  const x = tensor(data, { shape });
  const f = name === 'rfft' ? rfft : fft;
  return async () => {
    const start = process.cpuUsage();
    await f(x).data();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  };
}

setDefaultBackend(cpu({ threads: 1 }));
const rows = [];
for (const count of [1, 64]) {
  for (const exponent of [10, 12, 14, 16]) {
    for (const name of ['fft', 'rfft']) {
      const run = ours(name, count, 2 ** exponent);
      const [nn, pytorch] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
      const times = count === 1 ? 25 : 9;
      await run();
      for (let k = 0; k < times; k++) {
        pytorch.push(await theirs(name, count, 2 ** exponent));
        nn.push(await run());
      }
      const [a, b] = [median(nn), median(pytorch)];
      rows.push([
        name,
        `${count} x 2^${exponent}`,
        a.toFixed(3),
        b.toFixed(3),
        `${(a / b).toFixed(1)}`,
        `${(Math.min(...nn) / Math.min(...pytorch)).toFixed(1)}`,
      ]);
    }
  }
}
print(textTable([['', 'rows', 'nn, ms', 'PyTorch, ms', 'ratio', 'ratio of the best'], ...rows]));
python.stdin.end();
