/** The functions that texts of `expression.ts` name. */
import {
  cube,
  divideInt32,
  erf,
  floorDivideInt32,
  floorModulo,
  floorModuloInt32,
  power,
  powerInt32,
  random,
  remainderInt32,
  square,
  toInt32,
} from '../math.ts';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16, toInt8, toUint8 } from '../storage.ts';

export const helpers: Readonly<Record<string, (...numbers: number[]) => number>> = {
  cube,
  divideInt32,
  erf,
  floorDivideInt32,
  floorModulo,
  floorModuloInt32,
  fromBfloat16,
  fromFloat16,
  power,
  powerInt32,
  random,
  remainderInt32,
  square,
  toBfloat16,
  toFloat16,
  toInt32,
  toInt8,
  toUint8,
};
