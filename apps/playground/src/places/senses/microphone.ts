/** The microphone of the page, a tenth of a second at a time at the network's rate; and why there is none. */
import { openMicrophone } from '@nn/audio';
import { type Opened, openDevice, type Trouble } from './device.ts';
import { chunkLength, soundRate } from './protocol.ts';

export async function listen(
  onChunk: (samples: Float32Array) => void,
  onLost: (why: Trouble) => void,
): Promise<Opened | Trouble> {
  const stream = await openDevice({ audio: { echoCancellation: false, noiseSuppression: false } }, onLost);
  if (typeof stream === 'string') return stream;
  const stop = (): void => {
    for (const track of stream.getTracks()) track.stop();
  };
  try {
    const microphone = await openMicrophone({ sampleRate: soundRate, seconds: chunkLength / soundRate, stream });
    void (async () => {
      for await (const { samples } of microphone) onChunk(samples);
    })();
    return {
      stream,
      close: () => {
        void microphone.close();
        stop();
      },
    };
  } catch {
    stop();
    return 'other';
  }
}
