import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { features, plainFeatures } from './features.ts';
import {
  activations,
  backends,
  conv,
  coverages,
  defaults,
  dense,
  hasFeatures,
  initializers,
  type LayerSpec,
  losses,
  norms,
  optimizers,
  penalties,
  type Spec,
  schedules,
  tasks,
  withTask,
} from './spec.ts';
import { decodeSpec, encodeSpec, roundPoint, withChanges } from './url.ts';

const common = {
  activation: fc.constantFrom(...activations),
  norm: fc.constantFrom(...norms),
  dropout: fc.constantFrom(0, 0.1, 0.5, 0.9),
};
const layer: fc.Arbitrary<LayerSpec> = fc.oneof(
  fc.record({ kind: fc.constant('dense' as const), units: fc.integer({ min: 1, max: 256 }), ...common }),
  fc.record({
    kind: fc.constant('conv' as const),
    filters: fc.integer({ min: 1, max: 32 }),
    kernel: fc.constantFrom(3, 5, 7),
    pad: fc.boolean(),
    pool: fc.boolean(),
    ...common,
  }),
);
const point = fc
  .record({
    x: fc.double({ min: -1, max: 1, noNaN: true }),
    y: fc.double({ min: -1, max: 1, noNaN: true }),
    target: fc.constantFrom(0 as const, 1 as const),
  })
  .map(roundPoint);

const spec: fc.Arbitrary<Spec> = fc
  .record({
    task: fc.constantFrom(...tasks),
    samples: fc.integer({ min: 20, max: 5000 }),
    noise: fc.double({ min: 0, max: 1, noNaN: true }),
    testFraction: fc.double({ min: 0.1, max: 0.9, noNaN: true }),
    seed: fc.integer({ min: 0, max: 4294967295 }),
    balance: fc.double({ min: 0.02, max: 0.5, noNaN: true }),
    coverage: fc.constantFrom(...coverages),
    points: fc.array(point, { maxLength: 20 }),
    features: fc.subarray([...features], { minLength: 1 }),
    layers: fc.array(layer, { maxLength: 8 }),
    initializer: fc.constantFrom(...initializers),
    loss: fc.constantFrom(...losses),
    optimizer: fc.constantFrom(...optimizers),
    learningRate: fc.double({ min: 1e-5, max: 10, noNaN: true }),
    schedule: fc.constantFrom(...schedules),
    scheduleSteps: fc.integer({ min: 10, max: 100000 }),
    batchSize: fc.integer({ min: 1, max: 1024 }),
    penalty: fc.constantFrom(...penalties),
    penaltyRate: fc.double({ min: 0, max: 1, noNaN: true }),
    backend: fc.constantFrom(...backends),
  })
  .map((given) => ({
    ...given,
    features: hasFeatures(given.task) ? given.features : plainFeatures,
    table: defaults.table,
  }));

describe('an address', () => {
  it('brings a table that comes with the page back', () => {
    const table = { target: 'price (k€)', inputs: ['rooms'], as: 'number', example: 'houses' } as const;
    const given: Spec = { ...withTask(defaults, 'table'), table };
    expect(decodeSpec(encodeSpec(given))).toEqual(given);
    expect(decodeSpec('task=table&table=["",[],"auto","castles"]').table).toEqual({
      target: '',
      inputs: [],
      as: 'auto',
    });
  });

  it('brings every experiment back as it was', () => {
    fc.assert(
      fc.property(spec, (given) => {
        expect(decodeSpec(encodeSpec(given))).toEqual(given);
      }),
    );
  });

  it('keeps the columns of a table, whatever their names', () => {
    const table = { target: 'a&b=c#d', inputs: ['x y', '"é"'], as: 'number' as const };
    const given: Spec = { ...withTask(defaults, 'table'), table };
    expect(decodeSpec(`#${encodeSpec(given)}`)).toEqual(given);
  });

  it('changes what another one names, and starts anew with another task', () => {
    const before: Spec = { ...withTask(defaults, 'xor'), seed: 5, layers: [] };
    expect(withChanges(before, 'layers=d3.relu&learningRate=2')).toEqual({
      ...before,
      layers: [dense(3, 'relu')],
      learningRate: 2,
    });
    expect(withChanges(before, '#task=circles&seed=2')).toEqual(decodeSpec('task=circles&seed=2'));
  });

  it('is short where nothing was changed', () => {
    expect(encodeSpec(defaults)).toBe('task=moons');
    expect(encodeSpec({ ...defaults, layers: [dense(3, 'relu')], seed: 9 })).toBe('task=moons&seed=9&layers=d3.relu');
    expect(encodeSpec({ ...withTask(defaults, 'digits'), layers: [conv(4, 3)] })).toContain('layers=c4k3p.relu');
  });

  it('is read with patience: what makes no sense keeps its default', () => {
    expect(decodeSpec('')).toEqual(defaults);
    expect(decodeSpec('#task=nonsense&layers=q9&seed=abc&noise=&optimizer=gone&points=zz&table={')).toEqual(defaults);
    expect(decodeSpec('#samples=1e9&learningRate=-3').samples).toBe(5000);
    expect(decodeSpec('#samples=1e9&learningRate=-3').learningRate).toBe(1e-5);
    expect(decodeSpec('#samples=100.4').samples).toBe(100);
    expect(decodeSpec('#layers=c4k4.relu').layers).toMatchObject([{ kind: 'conv', kernel: 5 }]);
    expect(decodeSpec(`#layers=${Array.from({ length: 20 }, () => 'd3.relu').join('_')}`).layers).toHaveLength(8);
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(tasks).toContain(decodeSpec(text).task);
      }),
    );
  });
});
