/** nn beside the same program in PyTorch, each in a process of its own, in turns: medians, and what each is to nn. */
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { print } from '../harness/print.mjs';
import { median } from '../harness/statistics.mjs';

const here = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));
const python = process.env.PYTHON ?? '/usr/bin/python3';
const rounds = 3;

/** Steps of a rollout, epochs, minibatches; and what they are known by. */
const settings = [
  {
    title: "rollouts of 128, 4 epochs of 4 minibatches (the defaults, and CleanRL's)",
    numbers: ['128', '4', '4'],
    iterations: 20,
  },
  { title: 'rollouts of 32, 20 epochs (RL Baselines3 Zoo)', numbers: ['32', '20', '1'], iterations: 30 },
];
/** @type {readonly { name: string, command: readonly [string, ...string[]], end: readonly string[], share: number }[]} */
const programs = [
  { name: 'nn', command: [process.execPath, here('speed-nn.mjs')], end: [], share: 1 },
  {
    name: 'PyTorch, environments as objects',
    command: [python, here('speed-pytorch.py'), 'objects'],
    end: ['1'],
    share: 0.2,
  },
  {
    name: 'PyTorch, environments in NumPy',
    command: [python, here('speed-pytorch.py'), 'arrays'],
    end: ['1'],
    share: 0.2,
  },
];

export function measureSpeed() {
  return settings.map(({ title, numbers, iterations }) => {
    /** @type {{ wall: number[], cpu: number[] }[]} */
    const found = programs.map(() => ({ wall: [], cpu: [] }));
    for (let round = 0; round < rounds; round++) {
      programs.forEach(({ name, command, end, share }, at) => {
        const [program, ...first] = command;
        const args = [...first, ...numbers, String(Math.round(iterations * share)), ...end];
        const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
        if (status !== 0) throw new Error(`${name}: ${stderr}`);
        const { stepsPerSecond, stepsPerCpuSecond, meanReturn } = JSON.parse(stdout);
        found[at]?.wall.push(stepsPerSecond);
        found[at]?.cpu.push(stepsPerCpuSecond);
        print(
          `${name}: ${Math.round(stepsPerSecond)} steps a second, ${Math.round(stepsPerCpuSecond)} of processor time (mean return by then ${Math.round(meanReturn)})`,
        );
      });
    }
    const own = found[0]?.cpu ?? [];
    const rows = programs.map(({ name }, at) => {
      const { wall = [], cpu = [] } = found[at] ?? {};
      // each beside the run of nn in its own round
      const ratio = median(cpu.map((speed, round) => (own[round] ?? Number.NaN) / speed));
      return { name, wall: Math.round(median(wall)), cpu: Math.round(median(cpu)), ratio: Number(ratio.toFixed(2)) };
    });
    return { title, rows };
  });
}
