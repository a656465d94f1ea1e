/** Losses of distillation against PyTorch, with their slopes, and what they refuse. */
import { cpu } from '@nn/backend-cpu';
import { gradients, ones, parameter, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { Linear } from '@nn/layers';
import { beforeAll, describe, expect, it } from 'vitest';
import golden from '../../fixtures/golden.json';
import { attentionTransferLoss, attentionWeightLoss, distillationLoss, featureLoss, similarityLoss } from '../index.ts';

beforeAll(() => setDefaultBackend(cpu()));

const losses: Readonly<Record<string, (student: Tensor, teacher: Tensor, options: object) => Tensor>> = {
  attentionTransferLoss,
  attentionWeightLoss,
  distillationLoss,
  featureLoss,
  similarityLoss,
};

describe('losses of distillation', () => {
  for (const { name, options, ...values } of golden.losses) {
    it(`are PyTorch's: ${name} ${JSON.stringify(options)}`, async () => {
      const [student, teacher] = [values.student, values.teacher].map(({ data, shape }) => tensor(data, { shape }));
      const given =
        'targets' in options ? { ...options, targets: tensor(options.targets ?? [], { dtype: 'int32' }) } : options;
      const loss = losses[name]!(student!, teacher!, given);
      const [slope] = gradients(loss, [student!]);
      expect(await loss.item()).toBeCloseTo(values.loss, 5);
      const found = await slope!.data();
      for (const [i, expected] of values.slope.data.entries()) expect(found[i]).toBeCloseTo(expected, 5);
    });
  }

  it('give the teacher no slope', () => {
    const teacher = parameter([[1, 2, 3]]);
    for (const [name, loss] of Object.entries(losses)) {
      const x = name === 'attentionTransferLoss' ? teacher.reshape([1, 1, 3]) : teacher;
      expect(() => gradients(loss(ones(x.shape), x, {}), [teacher]), name).toThrow('does not depend on');
    }
  });

  it('learn through a projector where sizes differ', async () => {
    const projector = new Linear(2, 3);
    const loss = featureLoss(ones([4, 2]), ones([4, 3]), { projector });
    const [slope] = gradients(loss, [projector.weight]);
    expect(slope?.shape).toEqual([3, 2]);
    expect(await slope!.abs().sum().item()).toBeGreaterThan(0);
  });

  it('say what does not fit', () => {
    const [a, b] = [ones([2, 3]), ones([2, 4])];
    expect(() => distillationLoss(a, b)).toThrow(
      "distillationLoss: the student's [2, 3] and the teacher's [2, 4] have different shapes.",
    );
    expect(() => distillationLoss(a, a, { temperature: 0 })).toThrow('temperature is 0: it must be above 0.');
    expect(() => distillationLoss(a, a, { alpha: 0.5 })).toThrow('alpha is 0.5, and there are no targets');
    expect(() => distillationLoss(a, a, { alpha: 2, targets: a })).toThrow('alpha is 2: it must be from 0 to 1.');
    expect(() => featureLoss(a, b)).toThrow('have different shapes: a projector brings it there.');
    expect(() => attentionTransferLoss(a, a)).toThrow('takes features [N, channels, ...space], got [2, 3] of rank 2.');
    expect(() => attentionTransferLoss(ones([2, 1, 3]), ones([2, 1, 4]))).toThrow('differ beside their channels');
    expect(() => similarityLoss(a, ones([3, 3]))).toThrow('the student has 2 samples, the teacher 3: give one batch.');
  });
});
