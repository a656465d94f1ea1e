/**
 * Recognition while somebody speaks: features and a network that see nothing that comes later, so that pieces of a sound give exactly what the whole gives. What is between the pieces is a
 * state that the caller keeps.
 */
import { checkOptions, concat, ShapeError, type Tensor, tensor, ValueError, zeros } from '@nn/core';
import { Conv1d, LayerNorm, Linear, LSTM } from '@nn/layers';
import { logMelSpectrogram, type MelOptions } from '../features/features.ts';

/**
 * The logarithm of mels of a sound that comes in pieces: `push` gives the frames [1, mels, T] that are complete, null where none is. All together are those of `logMelSpectrogram` with
 * `center: false` for the whole, by torchaudio's convention; the others look at the loudest frame of all.
 *
 * @example
 * import { FeatureStream } from '@nn/audio';
 * const stream = new FeatureStream({ convention: 'torchaudio', mels: 20 });
 * console.log(stream.push(new Float32Array(300)), stream.push(new Float32Array(300))?.shape); // => null [ 1, 20, 2 ]
 */
export class FeatureStream {
  readonly #options: MelOptions;
  readonly #size: number;
  readonly #hop: number;
  #rest: Float32Array = new Float32Array(0);

  constructor(options: Omit<MelOptions, 'center' | 'padMode'> & { readonly convention: 'torchaudio' }) {
    if (options.convention !== 'torchaudio') {
      throw new ValueError(
        'FeatureStream',
        `the convention '${String(options.convention)}' needs the whole sound: 'torchaudio' does not.`,
      );
    }
    const { fftSize = 400, windowLength = fftSize } = options;
    this.#size = fftSize;
    this.#hop = options.hopLength ?? Math.floor(windowLength / 2);
    if (this.#hop > this.#size) {
      throw new ValueError(
        'FeatureStream',
        `hopLength ${this.#hop} leaves samples out between frames of ${this.#size}.`,
      );
    }
    this.#options = { ...options, center: false };
  }

  push(samples: Float32Array): Tensor | null {
    const all = new Float32Array(this.#rest.length + samples.length);
    all.set(this.#rest);
    all.set(samples, this.#rest.length);
    const frames = Math.floor((all.length - this.#size) / this.#hop) + 1;
    if (frames < 1) {
      this.#rest = all;
      return null;
    }
    this.#rest = all.slice(frames * this.#hop);
    const used = (frames - 1) * this.#hop + this.#size;
    return logMelSpectrogram(tensor(all.subarray(0, used), { shape: [1, used] }), this.#options);
  }
}

export interface StreamingRecognizerOptions {
  /** Rows of the features, as mels. */
  readonly features: number;
  /** With the blank, which is class 0. */
  readonly classes: number;
  /** The width of the convolution and of the LSTM; 128 by default. */
  readonly hidden?: number;
  /** Layers of the LSTM; 2 by default. */
  readonly layers?: number;
  /** Frames that the convolution sees; 7 by default. */
  readonly kernelSize?: number;
  /** One of how many frames goes on; 2 by default. */
  readonly stride?: number;
}

/** What a recogniser knows of the sound so far. */
export interface StreamingState {
  /** The last frames, for the convolution: [N, features, kernelSize - stride]. */
  readonly frames: Tensor;
  readonly hidden: Tensor;
  readonly cell: Tensor;
}

/**
 * A recogniser for CTC that looks back only: a convolution over time, and an LSTM. `forward` takes whole sounds, [N, features, T] to log-probabilities [T / stride, N, classes]; `step` takes the
 * next frames and the state, and gives the same numbers piece by piece.
 *
 * @example
 * import { StreamingRecognizer } from '@nn/audio';
 * import { zeros } from '@nn/core';
 * const model = new StreamingRecognizer({ features: 20, classes: 11, hidden: 16 });
 * const first = model.step(zeros([1, 20, 8]), model.start(1));
 * const second = model.step(zeros([1, 20, 4]), first.state);
 * console.log(first.logProbabilities.shape, second.logProbabilities.shape); // => [ 4, 1, 11 ] [ 2, 1, 11 ]
 */
export class StreamingRecognizer {
  readonly conv: Conv1d;
  readonly norm: LayerNorm;
  readonly lstm: LSTM;
  readonly readout: Linear;
  readonly stride: number;
  readonly #features: number;
  readonly #history: number;
  readonly #hidden: number;
  readonly #layers: number;

  constructor(options: StreamingRecognizerOptions) {
    checkOptions('StreamingRecognizer', options, ['features', 'classes', 'hidden', 'layers', 'kernelSize', 'stride']);
    const { features, classes, hidden = 128, layers = 2, kernelSize = 7, stride = 2 } = options;
    if (!Number.isInteger(stride) || stride < 1 || kernelSize < stride) {
      throw new ValueError(
        'StreamingRecognizer',
        `stride ${stride} must be a whole number from 1 to kernelSize, ${kernelSize}.`,
        { stride, kernelSize },
      );
    }
    this.conv = new Conv1d(features, hidden, kernelSize, { stride });
    this.norm = new LayerNorm(hidden);
    this.lstm = new LSTM(hidden, hidden, { layers });
    this.readout = new Linear(hidden, classes);
    this.stride = stride;
    [this.#features, this.#history, this.#hidden, this.#layers] = [features, kernelSize - stride, hidden, layers];
  }

  /** What is known before anything was heard. */
  start(batch: number): StreamingState {
    return {
      frames: zeros([batch, this.#features, this.#history]),
      hidden: zeros([this.#layers, batch, this.#hidden]),
      cell: zeros([this.#layers, batch, this.#hidden]),
    };
  }

  forward(x: Tensor): Tensor {
    return this.step(x, this.start(x.shape[0] ?? 0)).logProbabilities;
  }

  /** The next frames [N, features, T], T a multiple of `stride`. Read the state with the result, or within the same program. */
  step(x: Tensor, state: StreamingState): { readonly logProbabilities: Tensor; readonly state: StreamingState } {
    const frames = x.shape[2] ?? 0;
    if (x.rank !== 3 || x.shape[1] !== this.#features || frames === 0 || frames % this.stride !== 0) {
      throw new ShapeError(
        'StreamingRecognizer',
        `takes features [N, ${this.#features}, T], T a multiple of ${this.stride} above 0, got [${x.shape.join(', ')}].`,
        { shape: x.shape },
      );
    }
    const heard = concat([state.frames, x], 2);
    const local = this.norm.forward(this.conv.forward(heard).permute([2, 0, 1])).relu();
    const { output, hidden, cell } = this.lstm.forward(local, { hidden: state.hidden, cell: state.cell });
    return {
      logProbabilities: this.readout.forward(output).logSoftmax(-1),
      state: { frames: heard.slice([0, 0, frames]), hidden, cell },
    };
  }
}
