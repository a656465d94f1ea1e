/** The functions that texts of `expression.ts` name; those of half floats are fetched (`host/halves.ts`). */
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
import { toInt8, toUint8 } from '../storage.ts';

export const helpers: Readonly<Record<string, (...numbers: number[]) => number>> = {
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
  toInt8,
  toUint8,
};
