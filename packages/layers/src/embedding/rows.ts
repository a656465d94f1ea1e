/** The table of an embedding as it starts. */
import { hostNormalLater, type Parameter, parameter } from '@nn/core';

/** Rows of a normal distribution, and zeros in the row of what pads. */
export function normalRows(count: number, dimension: number, paddingIndex: number | null): Parameter {
  const draw = hostNormalLater(count * dimension);
  const make = (): Float32Array => {
    const values = draw();
    return paddingIndex === null ? values : values.fill(0, paddingIndex * dimension, (paddingIndex + 1) * dimension);
  };
  return parameter(make, { shape: [count, dimension] });
}
