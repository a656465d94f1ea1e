/**
 * Owns: what a printed shader is, and the values and parameters that its text is made of.
 * Does not own: printing (`printer.ts`) and the frame that a device puts around a shader (`gl-shader.ts`, `webgpu-shader.ts`).
 */
import type { DType } from '@nn/core';
import type { Form } from '../nest/affine.ts';
import { isHalf } from '../nest/halves.ts';
import type { Language, Scalar, Width } from './language.ts';

/** Where a read starts in its buffer: at 0, at a multiple of 4 that is passed, or at any number that is passed. */
export type Offset = 'zero' | 'aligned' | 'any';

/** A number that is passed at each launch. */
export type Parameter =
  | { readonly kind: 'offset'; readonly read: number }
  | { readonly kind: 'scalar'; readonly slot: number; readonly type: Scalar };

/** The text of a value: one number where the four lanes agree, four where they differ. */
export interface Value {
  readonly text: string;
  readonly scalar: Scalar;
  readonly width: Width;
}

/** A shader without its frame: what each device wraps and compiles. */
export interface Shader {
  /** The statements; they use `t`, the number of the group of four, and end with `return`. */
  readonly body: string;
  readonly reads: readonly Scalar[];
  readonly parameters: readonly Parameter[];
  readonly result: Scalar;
}

export const scalarOf = (dtype: DType): Scalar => (dtype === 'float32' || isHalf(dtype) ? 'F' : 'I');
export const lanes: readonly ['x', 'y', 'z', 'w'] = ['x', 'y', 'z', 'w'];

/** A form of one term: the index along an axis. */
export const formOfAxis = (axis: number): Form => ({ base: 0, axes: new Map([[axis, 1]]), others: new Map() });

/** Names of values and parameters while a shader is written; each name is given once. */
export class Names {
  readonly language: Language;
  readonly parameters: Parameter[] = [];
  #count = 0;

  constructor(language: Language) {
    this.language = language;
  }

  /** Writes a statement that gives a text a name. */
  declare(lines: string[], scalar: Scalar, width: Width, text: string): Value {
    const name = `v${this.#count++}`;
    lines.push(this.language.constant(scalar, width, name, text));
    return { text: name, scalar, width };
  }

  widen(value: Value, width: Width): Value {
    return value.width === width
      ? value
      : { ...value, width, text: `${this.language.type(value.scalar, width)}(${value.text})` };
  }

  parameter(parameter: Parameter): string {
    let at = this.parameters.findIndex(
      (p) =>
        p.kind === parameter.kind &&
        (p.kind === 'offset'
          ? p.read === (parameter as { read: number }).read
          : p.slot === (parameter as { slot: number }).slot),
    );
    if (at < 0) at = this.parameters.push(parameter) - 1;
    return `nn_p${at}`;
  }
}
