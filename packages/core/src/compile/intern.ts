/** Kernels that are equal are one object, so that plans, devices and profiles can tell them apart by identity. */
import type { Body, Kernel } from '../backend.ts';
import { keyOf } from './body.ts';

/** Kernels by key, so that equal kernels are one object. */
const interned = new Map<string, WeakRef<Kernel>>();
let sweepAt = 4096;

/** The one kernel of these parts. */
export function internKernel(parts: Omit<Kernel, 'key'>): Kernel {
  const key = kernelKey(parts);
  const known = interned.get(key)?.deref();
  if (known !== undefined) return known;
  const kernel = { key, ...parts };
  interned.set(key, new WeakRef(kernel));
  if (interned.size >= sweepAt) {
    for (const [dead, reference] of interned) if (reference.deref() === undefined) interned.delete(dead);
    sweepAt = Math.max(4096, interned.size * 2);
  }
  return kernel;
}

function kernelKey({ domain, reads, scalars, value, reduce, epilogue, hint }: Omit<Kernel, 'key'>): string {
  const body = (ops: Body | undefined): string => (ops === undefined ? '' : ops.map(keyOf).join(';'));
  const nest = reduce === undefined ? '' : `${reduce.op} ${reduce.dtype} [${reduce.extents.join()}]`;
  const word = hint === undefined ? '' : JSON.stringify(hint);
  return `[${domain.join()}] ${reads.join()}|${scalars.join()}|${nest}|${body(value)}|${body(epilogue)}|${word}`;
}
