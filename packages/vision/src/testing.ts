/** What the tests share: bytes of the fixtures, weights that both sides compute. Only for tests. */
import { namedParameters, tensor } from '@nn/core';
import { crc32 } from './codecs/png.ts';

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Numbers in [-0.5, 0.5) from a hash of a name and of the element's number: those of scripts/golden/weights_by_name.py. */
export function noise(name: string, count: number): Float32Array {
  let seed = 2166136261;
  for (const letter of new TextEncoder().encode(name)) seed = Math.imul(seed ^ letter, 16777619);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let h = (Math.imul(i + 1, 2654435761) + seed) | 0;
    h ^= h >>> 15;
    h = Math.imul(h, 2246822519);
    h ^= h >>> 13;
    values[i] = (h >>> 8) / 2 ** 24 - 0.5;
  }
  return values;
}

/** Gives every parameter the weights of scripts/golden/weights_by_name.py. */
export function fillWeights(model: object): void {
  for (const [name, parameter] of namedParameters(model)) {
    if (name.endsWith('num_batches_tracked')) continue;
    const { shape, size } = parameter;
    const values = noise(name, size);
    const last = name.split('.').at(-1) ?? '';
    const isSmall = ['running_mean', 'class_token', 'pos_embedding'].includes(last) || last.endsWith('bias');
    const factor = isSmall ? 0.2 : last === 'running_var' ? 0.5 : shape.length < 2 || last === 'layer_scale' ? 0.4 : 0;
    const offset = factor === 0.5 || factor === 0.4 ? 1 : 0;
    const scale = factor === 0 ? Math.sqrt(24 / (size / shape[0]!)) : factor;
    for (let i = 0; i < size; i++) values[i] = offset + scale * values[i]!;
    parameter.assign(tensor(values, { shape }));
  }
}

/** Names and shapes as one number, in the order of the alphabet. */
export function signature(model: object): number {
  const lines = [...namedParameters(model)].map(([name, { shape }]) => `${name} ${shape.join('x')}`).sort();
  const bytes = new TextEncoder().encode(lines.join('\n'));
  return crc32(bytes, 0, bytes.length);
}
