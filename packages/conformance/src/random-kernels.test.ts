import { describe, expect, it } from 'vitest';
import { hintedCase, hintKinds } from './hinted-kernels.ts';
import { type RandomCase, randomCase } from './random-kernels.ts';
import { reference } from './reference.ts';

async function outputs(test: RandomCase, rounding: 'float32' | 'float64'): Promise<number[][]> {
  const backend = reference({ rounding });
  const inputs = test.inputs.map(({ data, type }) => backend.upload(data, type));
  const executable = await backend.compile(test.program);
  const results = executable.run(inputs, test.scalars);
  return results.map(({ elements }) => [...elements!]);
}

describe('random cases', () => {
  it('follow from their seed', () => {
    expect(randomCase(7)).toEqual(randomCase(7));
    expect(randomCase(7)).not.toEqual(randomCase(8));
    expect(hintedCase('conv', 7)).toEqual(hintedCase('conv', 7));
  });

  it('are exact: rounding every operation to float32 changes nothing', async () => {
    for (let seed = 0; seed < 150; seed++) {
      expect(await outputs(randomCase(seed), 'float32'), `seed ${seed}`).toEqual(
        await outputs(randomCase(seed), 'float64'),
      );
    }
  });

  it('use every operation, reductions, epilogues, offsets, boxes and shared slots', () => {
    const used = new Set<string>();
    for (let seed = 0; seed < 400; seed++) {
      for (const step of [...randomCase(seed).program.steps, ...randomCase(seed, { exact: false }).program.steps]) {
        for (const { op } of step.kernel.value) used.add(op);
        if (step.kernel.reduce) used.add(step.kernel.reduce.op);
        if (step.kernel.epilogue) used.add('epilogue');
        if (step.inPlace !== undefined) used.add('inPlace');
        if (step.into) used.add('into');
        if (step.reads.some(({ offset }) => offset > 0)) used.add('offset');
      }
    }
    const expected =
      'const scalar axis load add sub mul div mod floorDiv floorMod pow max min exp log sqrt sin cos tanh erf floor cast ' +
      'less equal and or xor shl shr where sum epilogue inPlace into offset';
    expect(expected.split(' ').filter((name) => !used.has(name))).toEqual([]);
  });

  it.each(hintKinds)('give %s kernels a meaning without their hint', async (kind) => {
    for (let seed = 0; seed < 20; seed++) {
      const plain = hintedCase(kind, seed, { hint: false });
      expect(plain.program.steps[0]!.kernel.hint).toBeUndefined();
      expect(hintedCase(kind, seed).program.steps[0]!.kernel.hint?.kind).toBe(kind === 'bytes' ? 'contraction' : kind);
      expect(await outputs(plain, 'float32'), `seed ${seed}`).toEqual(await outputs(hintedCase(kind, seed), 'float64'));
    }
  });
});
