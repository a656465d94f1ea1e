/** Plays a sound to the person, and hands the same samples on as a microphone would: a tenth of a second each tenth of a second. */
import { chunkLength, soundRate } from './protocol.ts';

/** Chunks of silence before and behind. */
const [before, behind] = [3, 9];

export async function playWord(samples: Float32Array, onChunk: (samples: Float32Array) => void): Promise<void> {
  const count = before + Math.ceil(samples.length / chunkLength) + behind;
  // a room is never quite silent
  const whole = Float32Array.from({ length: count * chunkLength }, () => 1e-4 * (2 * Math.random() - 1));
  samples.forEach((sample, i) => {
    whole[before * chunkLength + i] = (whole[before * chunkLength + i] ?? 0) + sample;
  });
  const context = sound(whole);
  const began = performance.now();
  let at = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(count, Math.floor(((performance.now() - began) * soundRate) / (1000 * chunkLength)));
      for (; at < due; at++) onChunk(whole.slice(at * chunkLength, (at + 1) * chunkLength));
      if (at < count) return;
      clearInterval(timer);
      resolve();
    }, 50);
  });
  await context?.close();
}

/** Where there is nothing to hear it by, it is seen all the same. */
function sound(samples: Float32Array): AudioContext | null {
  try {
    const context = new AudioContext();
    const buffer = context.createBuffer(1, samples.length, soundRate);
    buffer.copyToChannel(Float32Array.from(samples), 0);
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(context.destination);
    source.start();
    return context;
  } catch {
    return null;
  }
}
