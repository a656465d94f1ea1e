/** Elements between typed arrays of any dtype and lanes. */
import type { DType, TensorData } from '@nn/core';
import { conversions } from '../host/halves.ts';
import { castFunction, type Lanes } from './operations.ts';

/** Fills lanes from `array[base + places[lane]]`. */
export type Loader = (out: Lanes, array: TensorData, places: Int32Array, base: number, count: number) => void;

/** Stores lanes to `array[base + places[lane]]`. */
export type Saver = (array: TensorData, places: Int32Array, base: number, values: Lanes, count: number) => void;

export function loader(stored: DType, dtype: DType): Loader {
  const decode =
    stored === 'float16' ? conversions().fromFloat16 : stored === 'bfloat16' ? conversions().fromBfloat16 : null;
  if (decode === null && stored === dtype && stored !== 'bool') return plainLoad;
  const cast = castFunction(stored, dtype);
  const convert = decode === null ? cast : (value: number) => cast(decode(value));
  return (out, array, places, base, count) => {
    for (let i = 0; i < count; i++) out[i] = convert(array[base + places[i]!]!);
  };
}

function plainLoad(out: Lanes, array: TensorData, places: Int32Array, base: number, count: number): void {
  for (let i = 0; i < count; i++) out[i] = array[base + places[i]!]!;
}

export function saver(dtype: DType, stored: DType): Saver {
  const encode =
    stored === 'float16' ? conversions().toFloat16 : stored === 'bfloat16' ? conversions().toBfloat16 : null;
  if (encode === null && stored === dtype) return plainSave;
  const cast = castFunction(dtype, stored);
  const convert = encode === null ? cast : (value: number) => encode(cast(value));
  return (array, places, base, values, count) => {
    for (let i = 0; i < count; i++) array[base + places[i]!] = convert(values[i]!);
  };
}

function plainSave(array: TensorData, places: Int32Array, base: number, values: Lanes, count: number): void {
  for (let i = 0; i < count; i++) array[base + places[i]!] = values[i]!;
}
