/** What the compiler makes of tensors, as text. */
import { recording, reference } from '@nn/conformance';
import { expect, test } from 'vitest';
import { explain, parameter, setDefaultBackend, tensor, zeros } from './index.ts';
import { prepare } from './testing.ts';

const backend = prepare(reference());

test('the graph names each node, its inputs and type, and marks what was asked for', () => {
  const weight = parameter([1, 2], { name: 'weight' });
  const [graph] = explain(weight.add(weight).exp()).split('\n\n') as [string];
  expect(graph.split('\n')).toEqual([
    'graph',
    '  #0 parameter weight() float32[2]',
    '  #1 add(#0, #0) float32[2]',
    '* #2 exp(#1) float32[2]',
  ]);
});

test('several tensors are explained as one program', () => {
  const x = tensor([1, 2]);
  expect(explain(x.exp(), x.sum())).toContain('2 steps, 2 outputs');
});

test('what is in memory or empty needs no step', () => {
  expect(explain(tensor([1, 2]))).toContain('program: 0 inputs, 0 scalars, 0 steps, 0 outputs');
  expect(explain(zeros([0, 3]))).toContain('0 steps');
});

test('nothing is run, and what was explained is not compiled again', async () => {
  const counted = recording(reference());
  setDefaultBackend(counted);
  const x = tensor([1, 2]).mul(3);
  explain(x);
  expect(counted.counts).toMatchObject({ compile: 1, run: 0 });
  await x.data();
  expect(counted.counts).toMatchObject({ compile: 1, run: 1 });
  setDefaultBackend(backend);
});

test('the ways that a backend takes are listed where it tells them', () => {
  const inner = reference();
  const telling = Object.assign(Object.create(inner) as typeof inner, {
    name: 'telling',
    limits: inner.limits,
    compile: (program: Parameters<typeof inner.compile>[0]) =>
      Object.assign(inner.compile(program), { paths: program.steps.map(() => 'by hand') }),
  });
  setDefaultBackend(telling);
  expect(explain(tensor([1, 2]).mul(3))).toMatch(/\n\npaths on telling\n {2}step 0: by hand$/u);
  setDefaultBackend(backend);
});
