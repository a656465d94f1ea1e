/** docs/reinforcement-results.md and its curves, from docs/reinforcement/results.json. */
import { writeFileSync } from 'node:fs';
import { lineChart } from '@nn/train';
import { markdownTable } from '../report/format.mjs';

/**
 * @typedef {object} Results
 * @property {string} machine
 * @property {ReturnType<typeof import('./learn.mjs').learnAll>} learning
 * @property {Awaited<ReturnType<typeof import('./games.mjs').proveAll>>} games
 * @property {ReturnType<typeof import('./speed.mjs').measureSpeed>} speed
 */

const docs = new URL('../../docs/', import.meta.url);
const number = (/** @type {number} */ value) => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

/** @param {Results} results @returns {string} where it is */
export function writeDocument({ machine, learning, games, speed }) {
  const studies = learning.map(({ name, title, steps, goal, settings, runs }) => {
    const file = `reinforcement/${name}.svg`;
    const lines = runs.map(({ seed, curve }) => ({ name: `seed ${seed}`, ...curve }));
    writeFileSync(new URL(file, docs), `${lineChart(lines, { title, width: 720, height: 300 })}\n`);
    const table = markdownTable([
      ['seed', 'mean of 100 episodes', 'deviation', 'worst', 'seconds', 'of processor time'],
      ...runs.map((run) => [run.seed, run.mean, run.deviation, run.worst, run.seconds, run.cpuSeconds].map(String)),
    ]);
    return `### ${title}\n\n${number(steps)} steps; to reach: ${goal}. ${settings[0]?.toUpperCase()}${settings.slice(1)}.\n\n![Returns of the episodes while ${title} learns, five seeds](${file})\n\n${table}`;
  });
  const proofs = games.map(
    ({ title, settings, iterations, positions, seconds, workers, rows }) =>
      `### ${title[0]?.toUpperCase()}${title.slice(1)}\n\n${iterations} iterations, ${number(positions)} positions, ${number(seconds)} seconds of self-play in ${workers} worker threads and learning: ${settings}.\n\n${markdownTable(rows)}`,
  );
  const speeds = speed.map(({ title, rows }) => {
    const table = markdownTable([
      ['program', 'steps a second', 'steps a second of processor time', 'nn is faster by'],
      ...rows.map((row) => [
        row.name,
        number(row.wall),
        number(row.cpu),
        row.name === 'nn' ? '' : row.ratio.toFixed(2),
      ]),
    ]);
    return `With ${title}:\n\n${table}`;
  });
  const text = `# What the agents and games reach

Written by \`node bench/reinforcement/main.mjs\`, which runs it all again. ${machine}

## Agents

Each run is a process of its own. After its last step the agent plays 100 episodes, with its best actions, in environments whose seeds no training has seen:
the last policy, not the best one on the way. The curves are the returns of the episodes in which it learned, exploring.

${studies.join('\n\n')}

## Games

AlphaZero learns from nothing but the rules. A losing move is one after which an exact search (\`judgePlayer\`) finds a position lost that was not: without any, over
all positions of a game, a player never loses, whoever plays against it.

${proofs.join('\n\n')}

## Steps a second

PPO on CartPole with 8 environments, all included: environments, policy, updates. The programs run in turns, each on one thread; the PyTorch ones
(\`bench/reinforcement/speed-pytorch.py\`) are written as Stable-Baselines3 does it, once with an object for each environment, as Gymnasium has, and once with
all environments in NumPy. Medians of three rounds; the ratio is of processor time, which neighbours on the machine disturb least.

${speeds.join('\n\n')}
`;
  const file = new URL('reinforcement-results.md', docs);
  writeFileSync(file, text);
  return file.pathname;
}
