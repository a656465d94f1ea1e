/** Files of SoX, SciPy and libsndfile as torchaudio reads them, compressed ones by the packages that users install, and what is said of damaged ones. */
import { RandomSequence } from '@nn/data';
import { describe, expect, it } from 'vitest';
import fixtures from '../../fixtures/sounds.json';
import { waveformOf } from '../sounds/waveform.ts';
import { apart, floats, fromBase64 } from '../testing.ts';
import { decodeAudio } from './decode.ts';
import { platformDecoder, type WasmDecoderLike, wasmDecoder } from './platform.ts';
import { wavInfo } from './wav.ts';
import { encodeWav } from './wav-write.ts';

const messageOf = (bytes: Uint8Array, name?: string): Promise<string> =>
  decodeAudio(bytes, name === undefined ? {} : { name }).then(
    () => 'nothing was thrown',
    (error: Error) => error.message,
  );
const file = (name: string): Uint8Array<ArrayBuffer> => {
  const found = [...fixtures.files, ...fixtures.packed].find((each) => each.name === name);
  if (!found) throw new Error(`no ${name}`);
  return fromBase64(found.bytes);
};

describe('WAV files as others read them', () => {
  it.each(fixtures.files)('$name', async ({ bytes, samples, channels, sampleRate }) => {
    const expected = floats(samples);
    const read = await decodeAudio(fromBase64(bytes));
    expect([read.channels, read.sampleRate, read.length]).toEqual([channels, sampleRate, expected.length / channels]);
    // SoX keeps floats as integers of 32 bits; neighbours of 24 bits are twice as far apart
    expect(apart(read.samples, expected)).toBeLessThan(2 ** -24);
    const info = wavInfo(fromBase64(bytes));
    expect([info.channels, info.length, info.duration]).toEqual([channels, read.length, read.length / sampleRate]);
  });

  it('takes Blobs and buffers, and brings them to a rate and one channel', async () => {
    const blob = new Blob([file('SoX six channels')]);
    const read = await decodeAudio(blob, { channels: 1, sampleRate: 16000 });
    expect([read.channels, read.sampleRate, read.length]).toEqual([1, 16000, 74]);
    expect((await decodeAudio(file('SoX PCM 16').buffer)).length).toBe(37);
  });
});

describe('encodeWav', () => {
  const noise = new RandomSequence(3);
  const sound = waveformOf(
    Float32Array.from({ length: 3 * 41 }, () => noise.uniform(-1, 1)),
    11025,
    3,
  );
  it.each([
    ['pcm8', 2 ** -7],
    ['pcm16', 2 ** -15],
    ['pcm24', 2 ** -23],
    ['pcm32', 2 ** -24],
    ['float32', 0],
    ['float64', 0],
  ] as const)('%s comes back within half a step', async (encoding, step) => {
    for (const channels of [1, 3]) {
      const { samples, sampleRate } = sound;
      const bytes = encodeWav(waveformOf(samples, sampleRate, channels), { encoding });
      const read = await decodeAudio(bytes);
      expect([read.channels, read.sampleRate]).toEqual([channels, sampleRate]);
      expect(apart(read.samples, samples)).toBeLessThanOrEqual(step / 2);
      // what was read is written as the same bytes
      expect(encodeWav(read, { encoding })).toEqual(bytes);
    }
  });

  it('cuts what is too loud and says so, and refuses what no integer can be', async () => {
    const warnings: string[] = [];
    const loud = waveformOf(Float32Array.of(1.5, 1, -1, -2), 8000);
    const bytes = encodeWav(loud, { onWarning: (message) => warnings.push(message) });
    const most = 32767 / 32768;
    expect([...(await decodeAudio(bytes)).samples]).toEqual([most, most, -1, -1]);
    expect(warnings).toEqual(['encodeWav: 2 samples lie beyond 1 and are cut: normalizeVolume brings them in.']);
    expect(() => encodeWav(waveformOf(Float32Array.of(0, Number.NaN), 8000))).toThrow(
      'encodeWav: sample 1 of channel 0 is NaN: integers cannot be that.',
    );
    expect(() => encodeWav(waveformOf(new Float32Array(1), 8000.5))).toThrow(
      'encodeWav: a WAV file has whole hertz, not 8000.5: resample first.',
    );
  });
});

describe('damaged and strange files', () => {
  const plain = encodeWav(waveformOf(Float32Array.of(0.25, -0.25, 0.5, -0.5), 8000));
  const changed = (change: (view: DataView, bytes: Uint8Array) => void): Uint8Array<ArrayBuffer> => {
    const bytes = plain.slice();
    change(new DataView(bytes.buffer), bytes);
    return bytes;
  };

  it('reads what is there of a file that is cut off, and of one whose length was never written', async () => {
    const heard = async (bytes: Uint8Array): Promise<unknown> => {
      const warnings: string[] = [];
      const { length } = await decodeAudio(bytes, { name: 'a.wav', onWarning: (message) => warnings.push(message) });
      return [length, ...warnings];
    };
    expect(await heard(plain.slice(0, -3))).toEqual([
      2,
      'decodeAudio: a.wav: the file is cut off: 5 of 8 bytes of samples are there, and are read.',
      'decodeAudio: a.wav: 1 bytes at the end are no whole moment.',
    ]);
    expect(await heard(changed((view) => view.setUint32(40, 0xffffffff, true)))).toEqual([
      4,
      'decodeAudio: a.wav: the header does not say how long the sound is: all that follows is read.',
    ]);
    expect(await heard(plain)).toEqual([4]);
  });

  it('passes over chunks that it does not know, also those of an odd size', async () => {
    const extra = new TextEncoder().encode('LIST\x03\0\0\0abc\0');
    const bytes = Uint8Array.from([
      ...plain.slice(0, 12),
      ...extra,
      ...plain.slice(12, 36),
      ...extra,
      ...plain.slice(36),
    ]);
    expect([...(await decodeAudio(bytes)).samples]).toEqual([0.25, -0.25, 0.5, -0.5]);
  });

  it.each([
    [
      'tags that it does not read',
      changed((view) => view.setUint16(20, 17, true)),
      'this WAV holds IMA ADPCM, not PCM, floats, A-law or mu-law: convert it, or pass a decoder that reads it.',
    ],
    ['no channels', changed((view) => view.setUint16(22, 0, true)), 'this WAV has 0 channels at 8000 Hz.'],
    [
      'blocks that fit no sample',
      changed((view) => view.setUint16(32, 5, true)),
      'a moment of 1 channels has 5 bytes: pcm has samples of 8, 16, 24, 32 bits.',
    ],
    [
      'big-endian ones',
      changed((_, bytes) => bytes.set([88], 3)),
      'this WAV is big-endian (RIFX), which is not read: convert it.',
    ],
    ['a header that ends', plain.slice(0, 30), 'this WAV ends within its chunk "fmt ".'],
    ['no samples', plain.slice(0, 36), 'this WAV has no samples: there is no chunk "data".'],
    ['nothing', new Uint8Array(0), 'there are no bytes.'],
    [
      'text',
      new TextEncoder().encode('hello, world'),
      'this is no sound that is known: WAV is read as it is, other formats with a decoder.',
    ],
    [
      'compressed sounds',
      file('Ogg Opus'),
      'this is Ogg Opus: pass decoder, which is platformDecoder() in a page, or wasmDecoder(...) with a package that reads it.',
    ],
  ])('names %s', async (_, bytes, words) => {
    expect(await messageOf(bytes, 'words/1.wav')).toBe(`decodeAudio: words/1.wav: ${words}`);
  });

  it('says what it takes', async () => {
    // @ts-expect-error no bytes
    await expect(decodeAudio(5)).rejects.toThrow('decodeAudio: takes bytes, a Blob, a File or a Response, got number.');
    const hasPlatform = 'OfflineAudioContext' in globalThis;
    if (!hasPlatform) {
      expect(() => platformDecoder()).toThrow(
        'platformDecoder: there is no OfflineAudioContext here: in Node and in workers pass wasmDecoder(...).',
      );
    }
  });
});

/** The packages that users install, loaded here as they would. */
const decoders: Readonly<Record<string, () => Promise<new () => WasmDecoderLike>>> = {
  FLAC: async () => (await import('@wasm-audio-decoders/flac')).FLACDecoder,
  MP3: async () => (await import('mpg123-decoder')).MPEGDecoder,
  'Ogg Vorbis': async () => (await import('@wasm-audio-decoders/ogg-vorbis')).OggVorbisDecoder,
  'Ogg Opus': async () => (await import('ogg-opus-decoder')).OggOpusDecoder,
};

describe('wasmDecoder', () => {
  it.each(fixtures.packed)('$name', async ({ name, bytes, samples, sampleRate, length, tolerance }) => {
    const decoder = wasmDecoder(await decoders[name]!());
    const read = await decodeAudio(fromBase64(bytes), { decoder });
    expect(read.sampleRate).toBe(sampleRate);
    // MP3 begins with what its encoder put before the sound, which libsndfile cuts
    const expected = floats(samples);
    const shifts = name === 'MP3' ? Array.from({ length: 2400 }, (_, i) => i) : [0];
    const nearest = Math.min(
      ...shifts
        .map((shift) => apart(read.samples.slice(shift, shift + expected.length), expected))
        .filter(Number.isFinite),
    );
    expect(nearest).toBeLessThan(tolerance);
    expect(Math.abs(read.length - length)).toBeLessThan(2400);
  });

  it('says what a decoder could not read', async () => {
    const decoder = wasmDecoder(await decoders.FLAC!());
    await expect(decodeAudio(new TextEncoder().encode('no music at all'), { decoder, name: 'x.flac' })).rejects.toThrow(
      /^decodeAudio: x\.flac: (no sample could be decoded|the decoder cannot read this)/,
    );
  });
});
