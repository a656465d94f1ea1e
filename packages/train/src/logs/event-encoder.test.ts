import { describe, expect, test } from 'vitest';
import { encodeEvent, encodeFileStart, maskedChecksum, type Summary } from './event-encoder.ts';

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A second reader of protocol buffers, which knows no field: [number, wire, value] in order, as `protoc --decode_raw`. */
function fieldsOf(bytes: Uint8Array): [number, number | Uint8Array][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const fields: [number, number | Uint8Array][] = [];
  let at = 0;
  const varint = (): number => {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [field, wire] = [key >>> 3, key & 7];
    if (wire === 0) fields.push([field, varint()]);
    else if (wire === 1) {
      fields.push([field, view.getFloat64(at, true)]);
      at += 8;
    } else if (wire === 5) {
      fields.push([field, view.getFloat32(at, true)]);
      at += 4;
    } else {
      const length = varint();
      fields.push([field, bytes.subarray(at, at + length)]);
      at += length;
    }
  }
  return fields;
}

/** The summary's value of an encoded event. */
function summaryOf(summary: Summary): Map<number, number | Uint8Array> {
  const event = fieldsOf(encodeEvent(2, 300, summary).subarray(12, -4));
  expect(event.slice(0, 2)).toEqual([
    [1, 2],
    [2, 300],
  ]);
  const [[, value] = []] = fieldsOf(event[2]![1] as Uint8Array);
  return new Map(fieldsOf(value as Uint8Array));
}

const doublesOf = (bytes: unknown): number[] => {
  const { buffer, byteOffset, length } = bytes as Uint8Array;
  const view = new DataView(buffer, byteOffset, length);
  return Array.from({ length: length / 8 }, (_, at) => view.getFloat64(8 * at, true));
};

describe('event files', () => {
  test('checksums are those of CRC-32C, masked', () => {
    const mask = (crc: number): number => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
    expect(maskedChecksum(bytesOf('123456789'))).toBe(mask(0xe3069283));
  });

  test('have the known bytes', () => {
    expect(hex(encodeFileStart(0))).toBe(
      '1800000000000000a37f4b220900000000000000001a0d627261696e2e4576656e743a32eedf28a3',
    );
    expect(hex(encodeEvent(1, 1, { kind: 'scalar', tag: 'loss', value: 0.5 }))).toBe(
      '1a00000000000000129bd82d09000000000000f03f10012a0d0a0b0a046c6f7373150000003f27f95db1',
    );
  });

  test('hold steps that no 32 bits can', () => {
    const event = encodeEvent(2, 2 ** 40 + 5, { kind: 'scalar', tag: 'loss', value: 1 });
    expect(fieldsOf(event.subarray(12, -4))[1]).toEqual([2, 2 ** 40 + 5]);
    for (const step of [-1, 0.5, Number.NaN, undefined as unknown as number]) {
      expect(() => encodeEvent(2, step, { kind: 'scalar', tag: 'loss', value: 1 })).toThrow(`step is ${step}`);
    }
  });

  test('histograms count everything once, between minimum and maximum', () => {
    const value = summaryOf({ kind: 'histogram', tag: 'w', values: [0, 0.1, 0.5, 0.9, 1, Number.NaN], bins: 2 });
    const fields = new Map(fieldsOf(value.get(5) as Uint8Array));
    expect([1, 2, 3, 4].map((field) => fields.get(field))).toEqual([0, 1, 5, 2.5]);
    expect(fields.get(5)).toBeCloseTo(0.01 + 0.25 + 0.81 + 1, 12);
    expect([doublesOf(fields.get(6)), doublesOf(fields.get(7))]).toEqual([
      [0.5, 1],
      [2, 3],
    ]);
    const flat = new Map(fieldsOf(summaryOf({ kind: 'histogram', tag: 'w', values: [3, 3] }).get(5) as Uint8Array));
    expect([doublesOf(flat.get(6)), doublesOf(flat.get(7))]).toEqual([[3], [2]]);
    expect(() => summaryOf({ kind: 'histogram', tag: 'w', values: [Number.NaN] })).toThrow(
      'encodeEvent: a histogram of no finite numbers.',
    );
  });

  test('images and texts say what they are', () => {
    const image = summaryOf({ kind: 'image', tag: 'i', png: bytesOf('png'), width: 200, height: 3 });
    expect(fieldsOf(image.get(4) as Uint8Array)).toEqual([
      [1, 3],
      [2, 200],
      [3, 3],
      [4, bytesOf('png')],
    ]);
    const text = summaryOf({ kind: 'text', tag: 't', text: 'ä' });
    expect(new Map(fieldsOf(text.get(8) as Uint8Array)).get(8)).toEqual(bytesOf('ä'));
    const [[, plugin] = []] = fieldsOf(text.get(9) as Uint8Array);
    expect(fieldsOf(plugin as Uint8Array)).toEqual([[1, bytesOf('text')]]);
  });

  test('hyper-parameters are what the plugin of that name reads', () => {
    const content = (summary: Summary): [number, number | Uint8Array][] => {
      const value = summaryOf(summary);
      const [[, plugin] = []] = fieldsOf(value.get(9) as Uint8Array);
      const fields = new Map(fieldsOf(plugin as Uint8Array));
      expect([value.get(1), fields.get(1)]).toEqual([expect.any(Uint8Array), bytesOf('hparams')]);
      return fieldsOf(fields.get(2) as Uint8Array);
    };
    const hyperparameters = { rate: 0.5, rule: 'adam', nesterov: false };
    const [[kind, experiment] = []] = content({ kind: 'experiment', hyperparameters, metrics: ['epoch/loss'] });
    expect(kind).toBe(2);
    const infos = fieldsOf(experiment as Uint8Array);
    expect(infos.map(([field]) => field)).toEqual([4, 4, 4, 5]);
    expect(infos.slice(0, 3).map(([, info]) => fieldsOf(info as Uint8Array))).toEqual([
      [
        [1, bytesOf('rate')],
        [2 + 2, 3],
      ],
      [
        [1, bytesOf('rule')],
        [4, 1],
      ],
      [
        [1, bytesOf('nesterov')],
        [4, 2],
      ],
    ]);
    expect(hex(infos[3]![1] as Uint8Array)).toBe(`0a0c120a${hex(bytesOf('epoch/loss'))}`);
    const [[started, session] = []] = content({ kind: 'session start', hyperparameters, seconds: 2 });
    expect(started).toBe(3);
    const entries = fieldsOf(session as Uint8Array);
    expect(entries.at(-1)).toEqual([5, 2]);
    // google.protobuf.Value: number 2, string 3, bool 4
    const values = entries.slice(0, 3).map(([, entry]) => fieldsOf(fieldsOf(entry as Uint8Array)[1]![1] as Uint8Array));
    expect(values).toEqual([[[2, 0.5]], [[3, bytesOf('adam')]], [[4, 0]]]);
    const [[ended, end] = []] = content({ kind: 'session end', isSuccess: false, seconds: 3 });
    expect([ended, fieldsOf(end as Uint8Array)]).toEqual([
      4,
      [
        [1, 2],
        [2, 3],
      ],
    ]);
    const value = encodeEvent(2, 300, { kind: 'session end', isSuccess: true, seconds: 3 });
    expect(hex(value)).toContain(hex(bytesOf('_hparams_/session_end_info')));
  });
});
