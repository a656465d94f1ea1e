/**
 * A microphone as sounds that come one after the other: an AudioWorklet hands on what the device gives, at the device's rate, and it is brought to the network's here. Types are those that are
 * needed, so that the DOM's must not be there.
 */
import { checkOptions, NNError, ValueError } from '@nn/core';
import { ResampleStream } from '../sounds/resample-stream.ts';
import { checkRate, type Waveform, waveformOf } from '../sounds/waveform.ts';

export interface MicrophoneOptions {
  /** The rate of the sounds; 16000 by default. */
  readonly sampleRate?: number;
  /** Seconds of each sound; 0.1 by default. */
  readonly seconds?: number;
  /** How many seconds wait for a loop that is slow; older ones are dropped, and counted. 10 by default. */
  readonly longestWait?: number;
  /** A stream of your own (`getUserMedia`, an element, another page), in place of the microphone. */
  readonly stream?: object;
  /** The address of the worklet's file (`microphoneWorklet` holds its text), for pages whose policy forbids `blob:`. */
  readonly workletUrl?: string | { readonly href: string };
}

/** An open microphone: `for await (const sound of microphone)`, until `close`. */
export interface Microphone extends AsyncIterable<Waveform> {
  readonly sampleRate: number;
  /** The rate of the device. */
  readonly deviceRate: number;
  /** Samples that were dropped, for the loop was too slow. */
  readonly dropped: number;
  /** Ends the loop, and lets go of the device. */
  close(): Promise<void>;
}

/** What runs beside the page, on the thread of the sound: collects blocks of 128 samples, the mean of all channels, and hands them on. */
export const microphoneWorklet: string = `registerProcessor('nn-microphone', class extends AudioWorkletProcessor {
  constructor() { super(); this.samples = new Float32Array(1024); this.at = 0; }
  process([channels]) {
    if (!channels || channels.length === 0) return true;
    for (let i = 0; i < channels[0].length; i++) {
      let sum = 0;
      for (const channel of channels) sum += channel[i];
      this.samples[this.at++] = sum / channels.length;
      if (this.at === this.samples.length) {
        this.port.postMessage(this.samples, [this.samples.buffer]);
        this.samples = new Float32Array(1024);
        this.at = 0;
      }
    }
    return true;
  }
});`;

interface StreamLike {
  getTracks(): { stop(): void }[];
}

interface NodeLike {
  connect(to: unknown): unknown;
  disconnect(): void;
}

interface WorkletNodeLike extends NodeLike {
  readonly port: { onmessage: ((event: { readonly data: Float32Array }) => void) | null };
}

interface ContextLike {
  readonly sampleRate: number;
  readonly audioWorklet?: { addModule(url: string): Promise<void> };
  createMediaStreamSource(stream: unknown): NodeLike;
  resume(): Promise<void>;
  close(): Promise<void>;
}

interface PageLike {
  readonly AudioContext?: new () => ContextLike;
  readonly AudioWorkletNode?: new (context: ContextLike, name: string, options: object) => WorkletNodeLike;
  readonly navigator?: { readonly mediaDevices?: { getUserMedia(what: object): Promise<StreamLike> } };
}

/**
 * Opens the microphone of a page; the browser asks the user first, and it must be called by a click or a key for the sound to run. Rejects with an NNError where the user or the browser refuses, and with a
 * `ValueError` where there is no microphone to be had: in Node, in workers, and in pages that are not secure.
 */
export async function openMicrophone(options: MicrophoneOptions = {}): Promise<Microphone> {
  checkOptions('openMicrophone', options, ['sampleRate', 'seconds', 'longestWait', 'stream', 'workletUrl']);
  const { sampleRate = 16000, seconds = 0.1, longestWait = 10, stream: given, workletUrl } = options;
  checkRate('openMicrophone', 'sampleRate', sampleRate);
  const length = Math.round(seconds * sampleRate);
  if (!(length >= 1) || !(longestWait >= seconds)) {
    throw new ValueError(
      'openMicrophone',
      `sounds of ${seconds} seconds, ${longestWait} of which may wait: both must be above 0, the wait at least one sound.`,
    );
  }
  // The one cast: what pages have by these names.
  const page = globalThis as unknown as PageLike;
  const { AudioContext, AudioWorkletNode } = page;
  const devices = page.navigator?.mediaDevices;
  if (!AudioContext || !AudioWorkletNode || (!given && !devices)) {
    throw new ValueError(
      'openMicrophone',
      'there is no microphone here: it needs a page with a secure address (https, localhost), not Node or a worker.',
    );
  }
  const stream = given ?? (await devices!.getUserMedia({ audio: true }).catch(refused));
  const stopTracks = (): void => {
    // a stream that was given stays the caller's
    if (!given) for (const track of (stream as StreamLike).getTracks()) track.stop();
  };
  const context = new AudioContext();
  try {
    if (!context.audioWorklet)
      throw new ValueError('openMicrophone', 'there is no AudioWorklet here: the page is not secure.');
    const address = typeof workletUrl === 'object' ? workletUrl.href : workletUrl;
    const url = address ?? URL.createObjectURL(new Blob([microphoneWorklet], { type: 'text/javascript' }));
    await context.audioWorklet.addModule(url);
    if (workletUrl === undefined) URL.revokeObjectURL(url);
    await context.resume();
    const source = context.createMediaStreamSource(stream);
    const worklet = new AudioWorkletNode(context, 'nn-microphone', { numberOfOutputs: 0 });
    source.connect(worklet);
    const close = async (): Promise<void> => {
      worklet.port.onmessage = null;
      source.disconnect();
      stopTracks();
      await context.close();
    };
    const queue = new SoundQueue({ sampleRate, length, most: Math.ceil(longestWait / seconds), close });
    const resampler = new ResampleStream({ from: context.sampleRate, to: sampleRate });
    worklet.port.onmessage = ({ data }) => queue.push(resampler.push(data));
    return queue.microphone(context.sampleRate);
  } catch (error) {
    stopTracks();
    await context.close();
    throw error;
  }
}

function refused(error: unknown): never {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  throw new NNError('openMicrophone', `the microphone was refused (${reason}): allow it for this page and try again.`);
}

interface QueueOptions {
  readonly sampleRate: number;
  readonly length: number;
  /** How many sounds may wait. */
  readonly most: number;
  close(): Promise<void>;
}

/** Samples in, sounds of one length out, to a loop that may be slow. */
class SoundQueue {
  readonly #options: QueueOptions;
  readonly #waiting: Waveform[] = [];
  #current: Float32Array;
  #filled = 0;
  #dropped = 0;
  #isClosed = false;
  #wake: (() => void) | null = null;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#current = new Float32Array(options.length);
  }

  push(samples: Float32Array): void {
    const { length, sampleRate, most } = this.#options;
    for (let at = 0; at < samples.length; ) {
      const part = samples.subarray(at, at + length - this.#filled);
      this.#current.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < length) break;
      this.#waiting.push(waveformOf(this.#current, sampleRate));
      this.#current = new Float32Array(length);
      this.#filled = 0;
      if (this.#waiting.length > most) this.#dropped += this.#waiting.shift()!.length;
    }
    this.#wake?.();
  }

  microphone(deviceRate: number): Microphone {
    const dropped = (): number => this.#dropped;
    return {
      sampleRate: this.#options.sampleRate,
      deviceRate,
      get dropped() {
        return dropped();
      },
      close: async () => {
        if (this.#isClosed) return;
        this.#isClosed = true;
        this.#wake?.();
        await this.#options.close();
      },
      [Symbol.asyncIterator]: () => this.#sounds(),
    };
  }

  async *#sounds(): AsyncGenerator<Waveform, void> {
    while (!this.#isClosed) {
      const sound = this.#waiting.shift();
      if (sound) {
        yield sound;
        continue;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
