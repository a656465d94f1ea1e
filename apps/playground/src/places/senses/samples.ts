/** Samples from files, and a small picture of a sound. */
import { decodeAudio, platformDecoder } from '@nn/audio';
import { type Shot, shotOf } from './camera.ts';
import { soundRate } from './protocol.ts';

export async function readPicture(file: File): Promise<Shot> {
  const bitmap = await createImageBitmap(file);
  try {
    const shot = shotOf(bitmap, true);
    if (shot === null) throw new Error('The picture is empty.');
    return shot;
  } finally {
    bitmap.close();
  }
}

/** WAV by ourselves, everything else as the browser decodes it. */
export async function readSound(file: File): Promise<Float32Array> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const wanted = { sampleRate: soundRate, channels: 1, name: file.name } as const;
  const isWav = String.fromCharCode(...bytes.subarray(8, 12)) === 'WAVE';
  const { samples } = await decodeAudio(bytes, isWav ? wanted : { ...wanted, decoder: platformDecoder() });
  return samples;
}

const width = 48;

/** The loudness over time. */
export function waveAddress(samples: Float32Array): string {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = width;
  const context = canvas.getContext('2d');
  if (context === null) return '';
  context.fillStyle = '#3674be'; // seen on light and dark
  const part = Math.floor(samples.length / width);
  for (let x = 0; x < width; x++) {
    let most = 0;
    for (let i = x * part; i < (x + 1) * part; i++) most = Math.max(most, Math.abs(samples[i] ?? 0));
    const height = Math.max(1, width * Math.min(1, most) ** 0.5);
    context.fillRect(x, (width - height) / 2, 1, height);
  }
  return canvas.toDataURL();
}
