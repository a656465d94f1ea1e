/** nn beside the same program in PyTorch, each in a process of its own, in turns: medians, and what each is to nn. */
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { print } from '../harness/print.mjs';
import { median } from '../harness/statistics.mjs';

const here = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));
const python = process.env.PYTHON ?? '/usr/bin/python3';
const rounds = 5;

/** @type {readonly { name: string, command: readonly [string, ...string[]] }[]} */
const programs = [
  { name: 'nn', command: [process.execPath, here('speed-nn.mjs'), '100'] },
  { name: 'PyTorch, environments as objects', command: [python, here('speed-pytorch.py'), 'objects', '40', '1'] },
  { name: 'PyTorch, environments in NumPy', command: [python, here('speed-pytorch.py'), 'arrays', '40', '1'] },
  {
    name: 'PyTorch, environments in NumPy, two threads',
    command: [python, here('speed-pytorch.py'), 'arrays', '40', '2'],
  },
];

export function measureSpeed() {
  /** @type {Map<string, number[]>} */
  const found = new Map(programs.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, command } of programs) {
      const [program, ...rest] = command;
      const { status, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${name}: ${stderr}`);
      const { stepsPerSecond, meanReturn } = JSON.parse(stdout);
      found.get(name)?.push(stepsPerSecond);
      print(`${name}: ${Math.round(stepsPerSecond)} steps a second (mean return by then ${Math.round(meanReturn)})`);
    }
  }
  const own = found.get('nn') ?? [];
  return programs.map(({ name }) => {
    const speeds = found.get(name) ?? [];
    // each beside the run of nn in its own round
    const ratio = median(speeds.map((speed, round) => (own[round] ?? Number.NaN) / speed));
    return {
      name,
      stepsPerSecond: Math.round(median(speeds)),
      best: Math.round(Math.max(...speeds)),
      ratio: Number(ratio.toFixed(2)),
    };
  });
}
