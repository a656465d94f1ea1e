/**
 * The element types of GGUF: how many elements a block holds, how many bytes it takes, and what its bits mean. Every formula
 * is that of `dequantize_row_*` of ggml; all products are exact in float32, so that values are equal to the bit.
 * Source: ggml-common.h and ggml-quants.c of llama.cpp.
 */

/** A type of elements that come in blocks. */
export interface BlockType {
  readonly name: string;
  /** Elements of a block, and its bytes. */
  readonly elements: number;
  readonly bytes: number;
  /** Writes the elements of the block that begins at byte `from`; undefined for types that are not read. */
  readonly decode?: (block: Block, to: Float32Array, at: number) => void;
}

/** The bytes of a block, from `at` on. */
class Block {
  readonly view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(offset: number): number {
    return this.view.getUint8(this.at + offset);
  }

  i8(offset: number): number {
    return this.view.getInt8(this.at + offset);
  }

  u32(offset: number): number {
    return this.view.getUint32(this.at + offset, true);
  }

  half(offset: number): number {
    const bits = this.view.getUint16(this.at + offset, true);
    const exponent = (bits >> 10) & 31;
    const mantissa = bits & 1023;
    const sign = bits >> 15 ? -1 : 1;
    if (exponent === 31) return mantissa === 0 ? sign * Infinity : Number.NaN;
    return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1024 + mantissa) * 2 ** (exponent - 25);
  }
}

/** All elements of a row of blocks. */
export function decodeBlocks(bytes: Uint8Array, { elements, bytes: size, decode }: BlockType): Float32Array {
  const block = new Block(bytes);
  const result = new Float32Array((bytes.length / size) * elements);
  for (let at = 0; block.at < bytes.length; block.at += size, at += elements) decode?.(block, result, at);
  return result;
}

/**
 * 32 elements of 4 bits, the low halves of 16 bytes, then the high ones, or of 5 with the fifth bits in 4 bytes before them.
 * About a middle: x = scale (q - middle); or with the least value behind the scale: x = scale q + least.
 */
function small(bits: 4 | 5, middle: number | null): NonNullable<BlockType['decode']> {
  return (block, to, at) => {
    const scale = block.half(0);
    // -0 changes no sum, not even that with -0.
    const least = middle === null ? block.half(2) : -0;
    const begin = middle === null ? 4 : 2;
    const fifths = bits === 5 ? block.u32(begin) : 0;
    const from = bits === 5 ? begin + 4 : begin;
    for (let i = 0; i < 16; i++) {
      const byte = block.u8(from + i);
      const low = (byte & 15) | (((fifths >>> i) & 1) << 4);
      const high = (byte >> 4) | (((fifths >>> (i + 16)) & 1) << 4);
      to[at + i] = scale * (low - (middle ?? 0)) + least;
      to[at + 16 + i] = scale * (high - (middle ?? 0)) + least;
    }
  };
}

/** 32 elements of 8 bits: x = scale q. */
function q8(block: Block, to: Float32Array, at: number): void {
  const scale = block.half(0);
  for (let i = 0; i < 32; i++) to[at + i] = scale * block.i8(2 + i);
}

/** Scale and offset `k` of the eight pairs of 6 bits that 12 bytes hold. */
function scaleAndOffset(block: Block, from: number, k: number): readonly [number, number] {
  if (k < 4) return [block.u8(from + k) & 63, block.u8(from + k + 4) & 63];
  const low = block.u8(from + k + 4);
  return [(low & 15) | ((block.u8(from + k - 4) >> 6) << 4), (low >> 4) | ((block.u8(from + k) >> 6) << 4)];
}

/** 256 elements of 2 bits: x = d (scale q) - m offset, scale and offset of 16 elements in one byte. */
function q2(block: Block, to: Float32Array, at: number): void {
  const [d, m] = [block.half(80), block.half(82)];
  for (let k = 0; k < 16; k++) {
    const [half, shift, side] = [k >> 3, 2 * ((k & 7) >> 1), k & 1];
    const scale = d * (block.u8(k) & 15);
    const offset = m * (block.u8(k) >> 4);
    for (let i = 0; i < 16; i++) {
      const byte = block.u8(16 + 32 * half + 16 * side + i);
      to[at + 16 * k + i] = scale * ((byte >> shift) & 3) - offset;
    }
  }
}

/** 256 elements of 3 bits, the third ones apart: x = d scale (q - 4), 16 scales of 6 bits. */
function q3(block: Block, to: Float32Array, at: number): void {
  const d = block.half(108);
  for (let k = 0; k < 16; k++) {
    const [half, pair, side] = [k >> 3, (k & 7) >> 1, k & 1];
    const low = k < 8 ? block.u8(96 + k) & 15 : block.u8(88 + k) >> 4;
    const high = (block.u8(104 + (k & 3)) >> (2 * (k >> 2))) & 3;
    const scale = d * ((low | (high << 4)) - 32);
    for (let i = 0; i < 16; i++) {
      const third = (block.u8(16 * side + i) >> (4 * half + pair)) & 1;
      const byte = block.u8(32 + 32 * half + 16 * side + i);
      to[at + 16 * k + i] = scale * (((byte >> (2 * pair)) & 3) - (third ? 0 : 4));
    }
  }
}

/** 256 elements of 4 bits, or of 5 with the fifth ones at byte `fifths`: x = d scale q - m offset for each 32. */
function q45(block: Block, to: Float32Array, at: number, low: number, fifths: number | null): void {
  const [d, m] = [block.half(0), block.half(2)];
  for (let k = 0; k < 8; k++) {
    const [scale, offset] = scaleAndOffset(block, 4, k);
    const [step, begin] = [d * scale, m * offset];
    for (let i = 0; i < 32; i++) {
      const byte = block.u8(low + 32 * (k >> 1) + i);
      const fifth = fifths === null ? 0 : ((block.u8(fifths + i) >> k) & 1) << 4;
      to[at + 32 * k + i] = step * (((k & 1 ? byte >> 4 : byte) & 15) | fifth) - begin;
    }
  }
}

/** 256 elements of 6 bits: x = d scale (q - 32), 16 scales of 8 bits. */
function q6(block: Block, to: Float32Array, at: number): void {
  const d = block.half(208);
  for (let k = 0; k < 8; k++) {
    // Groups of 32: two of them share the bytes of their lower bits, four those of their upper bits.
    const [half, quarter] = [k >> 2, k & 3];
    for (let i = 0; i < 32; i++) {
      const low = block.u8(64 * half + 32 * (quarter & 1) + i);
      const high = (block.u8(128 + 32 * half + i) >> (2 * quarter)) & 3;
      const scale = d * block.i8(192 + 8 * half + 2 * quarter + (i >> 4));
      to[at + 32 * k + i] = scale * ((((quarter >> 1 ? low >> 4 : low) & 15) | (high << 4)) - 32);
    }
  }
}

/** The floats of 4 bits: 0, 0.5, 1, 1.5, 2, 3, 4, 6, doubled, and their negatives; ggml knows one zero. */
const doubled = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/** 32 floats of 4 bits and a power of two. */
function mxfp4(block: Block, to: Float32Array, at: number): void {
  const scale = 2 ** (block.u8(0) - 128);
  for (let i = 0; i < 16; i++) {
    const byte = block.u8(1 + i);
    to[at + i] = scale * doubled[byte & 15]!;
    to[at + 16 + i] = scale * doubled[byte >> 4]!;
  }
}

/** The types that come in blocks, by their numbers in files. Those without `decode` are known, and not read. */
export const blockTypes: ReadonlyMap<number, BlockType> = new Map<number, BlockType>([
  [2, { name: 'Q4_0', elements: 32, bytes: 18, decode: small(4, 8) }],
  [3, { name: 'Q4_1', elements: 32, bytes: 20, decode: small(4, null) }],
  [6, { name: 'Q5_0', elements: 32, bytes: 22, decode: small(5, 16) }],
  [7, { name: 'Q5_1', elements: 32, bytes: 24, decode: small(5, null) }],
  [8, { name: 'Q8_0', elements: 32, bytes: 34, decode: q8 }],
  [10, { name: 'Q2_K', elements: 256, bytes: 84, decode: q2 }],
  [11, { name: 'Q3_K', elements: 256, bytes: 110, decode: q3 }],
  [12, { name: 'Q4_K', elements: 256, bytes: 144, decode: (b, to, at) => q45(b, to, at, 16, null) }],
  [13, { name: 'Q5_K', elements: 256, bytes: 176, decode: (b, to, at) => q45(b, to, at, 48, 16) }],
  [14, { name: 'Q6_K', elements: 256, bytes: 210, decode: q6 }],
  [39, { name: 'MXFP4', elements: 32, bytes: 17, decode: mxfp4 }],
  [9, { name: 'Q8_1', elements: 32, bytes: 40 }],
  [15, { name: 'Q8_K', elements: 256, bytes: 292 }],
  [16, { name: 'IQ2_XXS', elements: 256, bytes: 66 }],
  [17, { name: 'IQ2_XS', elements: 256, bytes: 74 }],
  [18, { name: 'IQ3_XXS', elements: 256, bytes: 98 }],
  [19, { name: 'IQ1_S', elements: 256, bytes: 50 }],
  [20, { name: 'IQ4_NL', elements: 32, bytes: 18 }],
  [21, { name: 'IQ3_S', elements: 256, bytes: 110 }],
  [22, { name: 'IQ2_S', elements: 256, bytes: 82 }],
  [23, { name: 'IQ4_XS', elements: 256, bytes: 136 }],
  [29, { name: 'IQ1_M', elements: 256, bytes: 56 }],
  [34, { name: 'TQ1_0', elements: 256, bytes: 54 }],
  [35, { name: 'TQ2_0', elements: 256, bytes: 66 }],
  [40, { name: 'NVFP4', elements: 64, bytes: 36 }],
]);
