/** What tests of file formats share: fixtures whose files stand as base64 beside the tensors that their own libraries read from them. */
import type { HostTensor } from '../element-types.ts';

export interface FileCase {
  readonly name: string;
  readonly file: string;
  readonly tensors: Readonly<Record<string, ExpectedTensor | undefined>>;
}

interface ExpectedTensor {
  readonly type: string;
  readonly shape: readonly number[];
  readonly values: readonly (number | string | boolean)[];
}

export function decode(file: string): Uint8Array {
  return Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
}

/** The tensors that a fixture's file is read as, by name in alphabetical order: floats as float32, integers as int32. */
export function expectedTensors(expected: FileCase['tensors']): [string, HostTensor][] {
  return inOrder(
    Object.entries(expected).map(([name, stored]) => {
      const { type, shape, values } = stored!;
      const numbers = values.map((value) =>
        Number(typeof value === 'string' ? value.replace('inf', 'Infinity') : value),
      );
      if (type === 'BOOL') return [name, { dtype: 'bool', shape, data: Uint8Array.from(numbers) }];
      if (/^B?F/.test(type)) return [name, { dtype: 'float32', shape, data: Float32Array.from(numbers) }];
      return [name, { dtype: 'int32', shape, data: Int32Array.from(numbers) }];
    }),
  );
}

/** Tensors by name in alphabetical order. */
export function inOrder(tensors: Iterable<readonly [string, HostTensor]>): [string, HostTensor][] {
  return [...tensors]
    .map(([name, tensor]): [string, HostTensor] => [name, tensor])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
