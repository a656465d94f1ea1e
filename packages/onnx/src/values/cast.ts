/** Numbers brought to another type of ONNX: rounding to short floats, cutting and wrapping of whole numbers. */
import { bitsOf, type ElementType, isFloat } from '../format/element-types.ts';
import * as host from './host.ts';
import type { HostTensor } from './value.ts';

/** Of a short float: bits of its mantissa, the exponent of its smallest normal number, its largest number, whether it has infinities. */
interface ShortFloat {
  readonly mantissa: number;
  readonly lowest: number;
  readonly largest: number;
  readonly hasInfinity: boolean;
}

const shortFloats: Partial<Record<ElementType, ShortFloat>> = {
  float16: { mantissa: 10, lowest: -14, largest: 65504, hasInfinity: true },
  bfloat16: { mantissa: 7, lowest: -126, largest: 3.3895313892515355e38, hasInfinity: true },
  float8e4m3fn: { mantissa: 3, lowest: -6, largest: 448, hasInfinity: false },
  float8e4m3fnuz: { mantissa: 3, lowest: -7, largest: 240, hasInfinity: false },
  float8e5m2: { mantissa: 2, lowest: -14, largest: 57344, hasInfinity: true },
  float8e5m2fnuz: { mantissa: 2, lowest: -15, largest: 57344, hasInfinity: false },
  float4e2m1: { mantissa: 1, lowest: 0, largest: 6, hasInfinity: false },
};

/** Whether core has nothing that stands for the type: such numbers stay on the host. */
export function isHostOnly(type: ElementType): boolean {
  return type.startsWith('float8') || type === 'float4e2m1';
}

/** To the nearest number of the type, ties to the even one; what is too large becomes the largest where `saturate` says so. */
function toShortFloat(type: ElementType, value: number, saturate: boolean): number {
  if (type === 'float8e8m0') {
    if (!(value >= 0 && Number.isFinite(value))) return Number.NaN;
    return 2 ** Math.max(-127, Math.min(127, Math.ceil(Math.log2(value)))); // up, as `round_mode` has it by default
  }
  const kind = shortFloats[type];
  if (kind === undefined) return value;
  if (Number.isNaN(value)) return type === 'float4e2m1' ? 0 : value;
  const magnitude = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? -1 : 1;
  const isShort = type.startsWith('float8');
  const tooLarge = (): number => {
    if (type === 'float4e2m1') return sign * kind.largest;
    if (isShort && saturate && (Number.isFinite(value) || !kind.hasInfinity)) return sign * kind.largest;
    if (isShort && saturate) return sign * kind.largest;
    return kind.hasInfinity ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  };
  if (magnitude === Number.POSITIVE_INFINITY) return tooLarge();
  const exponent = magnitude === 0 ? kind.lowest : Math.max(kind.lowest, Math.floor(Math.log2(magnitude)));
  const unit = 2 ** (exponent - kind.mantissa);
  const scaled = magnitude / unit;
  const low = Math.floor(scaled);
  const rest = scaled - low;
  const rounded = (rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1) * unit;
  if (rounded > kind.largest) return tooLarge();
  return rounded === 0 && type.endsWith('fnuz') ? 0 : sign * rounded;
}

/** One number as a type holds it. */
export function castNumber(from: ElementType, to: ElementType, value: number, saturate = true): number {
  if (to === 'bool') return value === 0 ? 0 : 1;
  if (to === 'float32') return Math.fround(value);
  if (to.startsWith('float') || to === 'bfloat16') return toShortFloat(to, value, saturate);
  if (Number.isNaN(value)) return 0;
  const isFraction = isFloat(from) || isHostOnly(from);
  // to four bits and fewer, ONNX rounds; to others it cuts
  if (isFraction && bitsOf(to) < 8) {
    const low = Math.floor(value);
    const rest = value - low;
    return host.wrap(to, rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1);
  }
  return host.wrap(to, Math.trunc(value));
}

export function castHost(x: HostTensor, to: ElementType, saturate = true): HostTensor {
  if (x.type === to) return x;
  return host.map(x, to, (value) => castNumber(x.type, to, value, saturate));
}
