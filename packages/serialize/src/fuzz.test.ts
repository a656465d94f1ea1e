/**
 * Damaged checkpoints of a run with every kind of state: each loads as a whole or is refused by a typed error and changes
 * nothing, and what was loaded trains on. The damage is drawn from one seed; NN_FUZZ sets the number of rounds.
 */
import { cpu } from '@nn/backend-cpu';
import { isNNError, namedParameters, randomState, setDefaultBackend, tensor } from '@nn/core';
import { DataLoader, moons, RandomSequence } from '@nn/data';
import { Linear } from '@nn/layers';
import { Adam } from '@nn/optim';
import { beforeAll, expect, it } from 'vitest';
import { encodeCheckpoint, loadCheckpoint } from './checkpoint.ts';
import { loadModel } from './model.ts';

beforeAll(() => {
  setDefaultBackend(cpu());
});

const environment = typeof process === 'undefined' ? undefined : process.env.NN_FUZZ;
const rounds = Number(environment ?? 300);
const alphabet = [...'{}[]",:0123456789-.eE\\u F$null'].map((character) => character.charCodeAt(0));

function build() {
  const model = new Linear(2, 2);
  const loader = new DataLoader(moons(20), { batchSize: 5, shuffle: true, seed: 1 });
  return { model, optimizer: new Adam(model), loader };
}
type Run = ReturnType<typeof build>;

const step = ({ model, optimizer }: Run): Promise<void> =>
  optimizer.step(
    model
      .forward(tensor([[1, 2]]))
      .square()
      .sum(),
  );

async function contents(run: Run): Promise<string> {
  const values: unknown[] = [run.optimizer.hostState(), run.loader.hostState(), randomState()];
  for (const [name, parameter] of [...namedParameters(run.model), ...namedParameters(run.optimizer)]) {
    values.push(name, [...(await parameter.data())].map(String));
  }
  return JSON.stringify(values);
}

it('checkpoints with random damage', async () => {
  const run = build();
  await step(run);
  for (const _ of run.loader) break;
  const good = await encodeCheckpoint(run, { notes: { best: Infinity, list: [1, { deep: -0 }] } });
  const header = 8 + Number(new DataView(good.buffer).getBigUint64(0, true));
  await step(run);
  const other = await encodeCheckpoint(run);
  const before = await contents(run);
  const random = new RandomSequence(21);
  let loaded = 0;
  for (let round = 0; round < rounds; round++) {
    const bytes = good.slice(0, random.integer(10) === 0 ? random.integer(good.length) : good.length);
    for (let change = random.integer(3); change >= 0; change--) {
      // Mostly the text, where the names and numbers of the run stand; what changes values alone is taken.
      const inValues = random.integer(8) === 0;
      const at = inValues ? header + random.integer(good.length - header) : random.integer(header);
      if (at < bytes.length) bytes[at] = alphabet[random.integer(alphabet.length)] ?? 0;
    }
    try {
      await loadCheckpoint(bytes, run);
    } catch (error) {
      if (!isNNError(error) || error.code !== 'format') throw error;
      expect(error.message.length).toBeLessThan(4100);
      expect(await contents(run)).toBe(before);
      continue;
    }
    loaded++;
    // What was taken can be trained on and saved again.
    await step(run);
    for (const _ of run.loader) break;
    await encodeCheckpoint(run);
    await loadCheckpoint(other, run);
    expect(await contents(run)).toBe(before);
  }
  expect(loaded).toBeGreaterThan(rounds / 50);
  expect(loaded).toBeLessThan(rounds / 2);
});

it('bytes of any kind as a model', async () => {
  const random = new RandomSequence(22);
  const model = new Linear(2, 2);
  for (let round = 0; round < rounds; round++) {
    const bytes = Uint8Array.from({ length: random.integer(80) }, () => random.integer(random.integer(2) ? 256 : 12));
    const loading = loadModel(bytes, model, { strict: false, skipMismatched: true });
    await expect(loading).rejects.toMatchObject({ code: 'format' });
  }
});
