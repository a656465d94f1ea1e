/**
 * TensorBoard's event files, byte by byte: records with checksums around protocol-buffer messages. Pure functions from
 * values to bytes, for a file, or a Blob in a page. The file itself is `../node/logs.ts`.
 */
import { ValueError } from '@nn/core';

/** CRC-32C (Castagnoli), reversed polynomial 0x82f63b78: a table of the remainders of all bytes. */
const remainders = /* @__PURE__ */ Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** The checksum of a record: rotated and shifted, so that a checksum over data that holds checksums stays a good one. */
export function maskedChecksum(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = remainders[(crc ^ byte) & 255]! ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** u64 length, its checksum, the data, its checksum; all little-endian. */
function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length, true);
  view.setUint32(8, maskedChecksum(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedChecksum(data), true);
  return bytes;
}

/** Seven bits a byte, the lowest first; numbers up to 2^53. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

const key = (field: number, wire: 0 | 1 | 2 | 5): number[] => varint(field * 8 + wire);

function join(...parts: readonly ArrayLike<number>[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function doubles(...values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * values.length));
  values.forEach((value, at) => void view.setFloat64(8 * at, value, true));
  return new Uint8Array(view.buffer);
}

const integer = (field: number, value: number): Uint8Array =>
  value === 0 ? new Uint8Array(0) : join(key(field, 0), varint(value));
const double = (field: number, value: number): Uint8Array => join(key(field, 1), doubles(value));
const message = (field: number, bytes: Uint8Array): Uint8Array => join(key(field, 2), varint(bytes.length), bytes);
const text = (field: number, value: string): Uint8Array => message(field, new TextEncoder().encode(value));
const float = (field: number, value: number): Uint8Array => {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value, true);
  return join(key(field, 5), new Uint8Array(view.buffer));
};

/** What an event shows: one of the dashboards' kinds. */
export type Summary =
  | { readonly kind: 'scalar'; readonly tag: string; readonly value: number }
  | { readonly kind: 'histogram'; readonly tag: string; readonly values: ArrayLike<number>; readonly bins?: number }
  | {
      readonly kind: 'image';
      readonly tag: string;
      /** The file of a PNG. */
      readonly png: Uint8Array;
      readonly width: number;
      readonly height: number;
      /** Of a pixel: 1 (grey), 3 or 4. Default 3. */
      readonly channels?: number;
    }
  | { readonly kind: 'text'; readonly tag: string; readonly text: string }
  /** What the dashboard of hyper-parameters reads: the first two where a run begins, the third where it ends. */
  | { readonly kind: 'experiment'; readonly hyperparameters: Hyperparameters; readonly metrics: readonly string[] }
  | { readonly kind: 'session start'; readonly hyperparameters: Hyperparameters; readonly seconds: number }
  | { readonly kind: 'session end'; readonly isSuccess: boolean; readonly seconds: number };

/** Settings of a run that dashboards compare. */
export type Hyperparameters = Readonly<Record<string, number | string | boolean>>;

/** The first record of every event file. `seconds` since 1970. */
export function encodeFileStart(seconds: number): Uint8Array {
  return record(join(double(1, seconds), text(3, 'brain.Event:2')));
}

/**
 * One event of a TensorBoard file as its bytes: `encodeFileStart(seconds)` and events one after the other are a file that
 * TensorBoard reads. Throws ValueError for a histogram of nothing, or a step that is no
 * whole number from 0. (Event and Summary of TensorFlow's protocol buffers.)
 *
 * @example
 * import { encodeEvent } from '@nn/train';
 * const bytes = encodeEvent(1, 1, { kind: 'scalar', tag: 'loss', value: 0.5 });
 * console.log(bytes.length, bytes[12]); // => 42 9
 */
export function encodeEvent(seconds: number, step: number, summary: Summary): Uint8Array {
  if (!(Number.isSafeInteger(step) && step >= 0)) {
    throw new ValueError('encodeEvent', `step is ${step}: it is a whole number, 0 or more.`, { step });
  }
  return record(join(double(1, seconds), integer(2, step), message(5, message(1, encodeValue(summary)))));
}

function encodeValue(summary: Summary): Uint8Array {
  if (!('tag' in summary)) return encodeHyperparameters(summary);
  const tag = text(1, summary.tag);
  switch (summary.kind) {
    case 'scalar':
      return join(tag, float(2, summary.value));
    case 'histogram':
      return join(tag, message(5, histogramOf(summary.values, summary.bins ?? 30)));
    case 'image': {
      const { png, width, height, channels = 3 } = summary;
      return join(tag, message(4, join(integer(1, height), integer(2, width), integer(3, channels), message(4, png))));
    }
    case 'text': {
      // a tensor of one string: dtype DT_STRING = 7, shape [1]
      const tensor = join(integer(1, 7), message(2, message(2, integer(1, 1))), text(8, summary.text));
      return join(tag, message(8, tensor), message(9, message(1, text(1, 'text'))));
    }
  }
}

type HyperparameterSummary = Exclude<Summary, { readonly tag: string }>;

/** A value without numbers: all is in the content of the plugin 'hparams' (HParamsPluginData, whose version 0 is left out). */
function encodeHyperparameters(summary: HyperparameterSummary): Uint8Array {
  const [name, content] = hyperparameterContent(summary);
  return join(text(1, `_hparams_/${name}`), message(9, message(1, join(text(1, 'hparams'), message(2, content)))));
}

function hyperparameterContent(summary: HyperparameterSummary): [string, Uint8Array] {
  switch (summary.kind) {
    case 'experiment': {
      // HParamInfo: name, type (1 string, 2 bool, 3 float64); MetricInfo: name.tag
      const types = { string: 1, boolean: 2, number: 3 } as const;
      const infos = Object.entries(summary.hyperparameters).map(([name, value]) =>
        message(4, join(text(1, name), integer(4, types[typeof value as keyof typeof types]))),
      );
      const metrics = summary.metrics.map((tag) => message(5, message(1, text(2, tag))));
      return ['experiment', message(2, join(...infos, ...metrics))];
    }
    case 'session start': {
      // a map from names to google.protobuf.Value: 2 number, 3 string, 4 bool
      const entries = Object.entries(summary.hyperparameters).map(([name, value]) =>
        message(1, join(text(1, name), message(2, protobufValue(value)))),
      );
      return ['session_start_info', message(3, join(...entries, double(5, summary.seconds)))];
    }
    case 'session end':
      // 1 success, 2 failure
      return ['session_end_info', message(4, join(integer(1, summary.isSuccess ? 1 : 2), double(2, summary.seconds)))];
  }
}

function protobufValue(value: number | string | boolean): Uint8Array {
  if (typeof value === 'number') return double(2, value);
  if (typeof value === 'string') return text(3, value);
  // a member of a oneof is written also where it is 0
  return join(key(4, 0), [Number(value)]);
}

/** Minimum, maximum, count, sum, sum of squares; then the upper limit of each of `bins` equal bins, and its count. */
function histogramOf(values: ArrayLike<number>, bins: number): Uint8Array {
  const finite = Array.from(values).filter(Number.isFinite);
  if (finite.length === 0) throw new ValueError('encodeEvent', 'a histogram of no finite numbers.');
  let [low, high, sum, squares] = [finite[0]!, finite[0]!, 0, 0];
  for (const value of finite) {
    [low, high] = [Math.min(low, value), Math.max(high, value)];
    sum += value;
    squares += value * value;
  }
  const width = high === low ? 1 : (high - low) / bins;
  const used = high === low ? 1 : bins;
  const counts = new Array<number>(used).fill(0);
  for (const value of finite) {
    const bin = Math.min(used - 1, Math.floor((value - low) / width));
    counts[bin] = counts[bin]! + 1;
  }
  const limits = counts.map((_, bin) => (bin === used - 1 ? high : low + width * (bin + 1)));
  return join(
    ...[double(1, low), double(2, high), double(3, finite.length), double(4, sum), double(5, squares)],
    ...[message(6, doubles(...limits)), message(7, doubles(...counts))],
  );
}
