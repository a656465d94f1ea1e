/** All operators of the domain ai.onnx that are known, by name. Versions are told apart inside of each. */
import type { Operator } from '../run/call.ts';
import { attending } from './attention.ts';
import { chance } from './chance.ts';
import { control } from './control.ts';
import { convolution } from './convolution.ts';
import { losses } from './losses.ts';
import { movement } from './movement.ts';
import { normalization } from './normalization.ts';
import { picture } from './picture.ts';
import { pointwise } from './pointwise.ts';
import { products } from './products.ts';
import { quantization } from './quantization.ts';
import { recurrence } from './recurrent.ts';
import { reduction } from './reduction.ts';
import { signal } from './signal.ts';

export const operators: ReadonlyMap<string, Operator> = /* @__PURE__ */ new Map(
  [
    attending,
    chance,
    control,
    convolution,
    losses,
    movement,
    normalization,
    picture,
    pointwise,
    products,
    quantization,
    recurrence,
    reduction,
    signal,
  ].flatMap((group) => Object.entries(group)),
);
