/**
 * The functions of tensors, many in one program: what is arithmetic on primitives is small work for a device but many kernels,
 * and a read of each would take longer than all of them. Values and first gradients of a bundle are read together.
 */
import { type Backend, gradientsOrNull, type Tensor } from '@nn/core';
import type { ConformanceCase } from '../case.ts';
import { exactly, expectClose, expectTrue, type Values } from '../compare.ts';
import { inputsOf, listOf, type Operation, readAll, toleranceOf, weighted } from '../operation.ts';
import { oracle } from '../oracle.ts';
import { reference } from '../reference.ts';
import { dtypeOf } from '../samples.ts';
import { awaitedOperations, type Bundle, bundles } from './tensor-functions.ts';

/** A result of one operation of a bundle. */
interface Result {
  readonly label: string;
  readonly op: Operation;
  readonly isGradient: boolean;
  readonly values: Values;
}

async function compute(operations: readonly Operation[], backend: Backend): Promise<Result[]> {
  const wanted: { label: string; op: Operation; isGradient: boolean; tensor: Tensor }[] = [];
  for (const op of operations) {
    const inputs = inputsOf(op, backend);
    const results = listOf(op.apply(inputs, backend));
    results.forEach((tensor, k) => {
      wanted.push({ label: `${op.name}, result ${k}`, op, isGradient: false, tensor });
    });
    const targets = inputs.filter((_, k) => dtypeOf(op.inputs[k]!) === 'float32' && op.inputs[k]!.shape.every(Boolean));
    const isFloat = results.some(({ dtype, size }) => dtype === 'float32' && size > 0);
    if (op.differentiable === false || !isFloat || targets.length === 0) continue;
    gradientsOrNull(weighted(results, backend), targets).forEach((tensor, k) => {
      if (tensor !== null) wanted.push({ label: `${op.name}, gradient ${k}`, op, isGradient: true, tensor });
    });
  }
  const values = await readAll(wanted.map(({ tensor }) => tensor));
  return wanted.map(({ label, op, isGradient }, k) => ({ label, op, isGradient, values: values[k]! }));
}

function bundleCase({ name, needs, operations }: Bundle): ConformanceCase {
  return {
    group: 'functions of tensors',
    name,
    needs,
    run: async ({ backend, options }) => {
      const expected = await oracle(`functions of tensors, ${name}`, () => compute(operations, reference()));
      const actual = await compute(operations, backend);
      expectTrue(actual.length === expected.length, `${name}: has ${actual.length} results, not ${expected.length}.`);
      for (const [k, { label, op, isGradient, values }] of expected.entries()) {
        const slack = (isGradient ? 4 : 1) * (op.slack ?? 4);
        const isExact = op.exact === true && !isGradient;
        expectClose(actual[k]!.values, values, isExact ? exactly : toleranceOf({ slack }, options), label);
      }
    },
  };
}

/** Results whose size depends on values, which the device is asked for first. */
function awaitedCase(): ConformanceCase {
  const name = 'results whose size depends on values';
  const compute = async (on: Backend): Promise<Values[]> => {
    const results = await Promise.all(awaitedOperations().map((op) => op.apply(inputsOf(op, on))));
    return readAll(results.flat());
  };
  return {
    group: 'functions of tensors',
    name,
    needs: [],
    run: async ({ backend }) => {
      const expected = await oracle(`functions of tensors, ${name}`, () => compute(reference()));
      const actual = await compute(backend);
      for (const [k, right] of expected.entries()) expectClose(actual[k]!, right, exactly, `${name}, result ${k}`);
    },
  };
}

export function bundleCases(): ConformanceCase[] {
  return [...bundles().map(bundleCase), awaitedCase()];
}
