/** What stands in for a camera and a microphone: a film of two scenes, and digits that are spoken. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeWav, joined, resample, spokenDigit, waveformOf } from '@nn/audio';

const [width, height, rate, seconds] = [160, 120, 10, 6];

/** Two scenes in turns, each for some seconds: a bright disc on the left of a dark room, a dark bar across a bright one. */
function film(): Uint8Array {
  const parts: Uint8Array[] = [
    new TextEncoder().encode(`YUV4MPEG2 W${width} H${height} F${rate}:1 Ip A1:1 C420jpeg\n`),
  ];
  for (let n = 0; n < 2 * rate * seconds; n++) {
    const isFirst = n < rate * seconds;
    const [x0, y0] = [50 + 12 * Math.sin(n), 60 + 8 * Math.cos(1.7 * n)];
    const luma = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const isInside = isFirst ? (x - x0) ** 2 + (y - y0) ** 2 < 900 : Math.abs(y - y0) < 14;
        luma[y * width + x] = isFirst === isInside ? 210 : 60;
      }
    }
    parts.push(new TextEncoder().encode('FRAME\n'), luma, new Uint8Array((width * height) / 2).fill(128));
  }
  return new Uint8Array(Buffer.concat(parts));
}

export const said = [3, 7, 1];

/** Digits by voices that the page does not learn from, with a second of a quiet room between them. */
function speech(): Uint8Array {
  const room = waveformOf(
    Float32Array.from({ length: 9600 }, (_, i) => 1e-3 * Math.sin(i * i)),
    8000,
  );
  const words = said.map((digit, k) => spokenDigit(digit, { speaker: 600 + k }));
  return encodeWav(resample(joined([room, ...words.flatMap((word) => [word, room])]), 48_000));
}

export interface Devices {
  readonly video: string;
  readonly audio: string;
  /** Takes the files away. */
  remove(): void;
}

export function makeDevices(): Devices {
  const folder = mkdtempSync(join(tmpdir(), 'nn-senses-'));
  const [video, audio] = [join(folder, 'film.y4m'), join(folder, 'speech.wav')];
  writeFileSync(video, film());
  writeFileSync(audio, speech());
  return { video, audio, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
