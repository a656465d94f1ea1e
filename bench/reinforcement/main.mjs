/**
 * What the agents and games of @nn/reinforcement reach, and how fast:
 *
 *     node bench/reinforcement/main.mjs learn [STUDY]     five seeds of each study, or of those whose name contains STUDY
 *     node bench/reinforcement/main.mjs games [GAME]      self-play, and its proofs against exact players
 *     node bench/reinforcement/main.mjs speed             steps a second, beside the same program in PyTorch
 *     node bench/reinforcement/main.mjs document          docs/reinforcement-results.md and its curves
 *
 * From the build (`npm run build`). Results are kept in
 * docs/reinforcement/results.json; the document is written from them after each.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { print } from '../harness/print.mjs';
import { writeDocument } from './document.mjs';

const file = new URL('../../docs/reinforcement/results.json', import.meta.url);
const [what = '', only = ''] = process.argv.slice(2);
/** @type {import('./document.mjs').Results} */
const results = JSON.parse(readFileSync(file, 'utf8'));

/** Those of `found` in place of the old ones with their names. @template {{ name: string }} T @param {readonly T[]} old @param {readonly T[]} found */
const renewed = (old, found) => [...old.filter(({ name }) => !found.some((one) => one.name === name)), ...found];

if (what === 'learn') {
  const { learnAll } = await import('./learn.mjs');
  results.learning = renewed(results.learning, learnAll([1, 2, 3, 4, 5], only));
} else if (what === 'games') {
  const { proveAll } = await import('./games.mjs');
  results.games = renewed(results.games, await proveAll(only));
} else if (what === 'speed') {
  const { measureSpeed } = await import('./speed.mjs');
  results.speed = measureSpeed();
} else if (what !== 'document') {
  throw new Error(`'${what}' is none of learn, games, speed and document.`);
}
writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
print(`Written: ${writeDocument(results)}`);
