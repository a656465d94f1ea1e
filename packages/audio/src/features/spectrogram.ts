/**
 * Signals to spectra over time: frames under a window, each as sines and cosines, by core's `stft` on the host, or, for short frames on devices that are far
 * from it, as a product with the table of them, which joins the program of a step. What is made of spectra stands in `features.ts`.
 */
import {
  type Backend,
  checkOptions,
  getDefaultBackend,
  hypot,
  imaginaryPart,
  isTensor,
  realPart,
  reflectionPad,
  ShapeError,
  stft,
  type Tensor,
  tensor,
  unfold,
  ValueError,
} from '@nn/core';

export interface FrameOptions {
  /** The length of a frame's transform; 400 by default. */
  readonly fftSize?: number;
  /** The length of Hann's window, which stands in the middle of the frame; fftSize by default. */
  readonly windowLength?: number;
  /** How far frames are apart; half a window by default. */
  readonly hopLength?: number;
  /** Whether frame t is centred at t * hopLength, for which the signal is padded at both ends; true by default. */
  readonly center?: boolean;
  /** How a centred signal is padded; 'reflect' by default. */
  readonly padMode?: 'reflect' | 'constant';
}

export interface SpectrogramOptions extends FrameOptions {
  /** 2 for the power (the default), 1 for the magnitude. */
  readonly power?: number;
  /**
   * How frames are transformed: 'fft' by the host, or 'products' with a table of sines, in the program of the step and on its device. By default
   * products for frames of up to 512 on a device with memory of its own, where the host is far away.
   */
  readonly transform?: 'products' | 'fft';
}

const frameNames: readonly (keyof FrameOptions)[] = ['fftSize', 'windowLength', 'hopLength', 'center', 'padMode'];
export const spectrogramNames: readonly (keyof SpectrogramOptions)[] = [...frameNames, 'power', 'transform'];

export interface Frames {
  readonly size: number;
  readonly window: number;
  readonly hop: number;
  readonly isCentred: boolean;
  readonly padMode: 'reflect' | 'constant';
}

export function framesOf(operation: string, options: FrameOptions): Frames {
  const { fftSize: size = 400, center: isCentred = true, padMode = 'reflect' } = options;
  const { windowLength: window = size } = options;
  const { hopLength: hop = Math.floor(window / 2) } = options;
  for (const [name, value] of Object.entries({ fftSize: size, windowLength: window, hopLength: hop })) {
    if (Number.isInteger(value) && value >= 1) continue;
    throw new ValueError(operation, `${name} must be a whole number from 1, got ${value}.`, { [name]: value });
  }
  if (window > size) {
    throw new ValueError(operation, `windowLength ${window} is longer than the frame, fftSize ${size}.`, {
      windowLength: window,
      fftSize: size,
    });
  }
  if (padMode !== 'reflect' && padMode !== 'constant') {
    throw new ValueError(operation, `no padMode '${String(padMode)}': 'reflect' or 'constant'.`, { padMode });
  }
  return { size, window, hop, isCentred, padMode };
}

/** Hann's window of a frame, periodic, with zeros on both sides where it is shorter. */
export function windowOf({ size, window }: Pick<Frames, 'size' | 'window'>): Float32Array {
  const before = Math.floor((size - window) / 2);
  const values = new Float32Array(size);
  for (let i = 0; i < window; i++) values[before + i] = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / window);
  return values;
}

const noBackend = {};
const tables = new WeakMap<object, Map<string, Tensor>>();

/** Cosines and sines under the window, [2 F, size]: kept, for every batch needs the same. */
function tableOf({ size, window }: Frames, backend: Backend | null): Tensor {
  const home: object = backend ?? noBackend;
  const here = tables.get(home) ?? new Map<string, Tensor>();
  tables.set(home, here);
  const key = `${size},${window}`;
  const found = here.get(key);
  if (found) return found;
  const half = Math.floor(size / 2) + 1;
  const weights = windowOf({ size, window });
  const table = new Float32Array(2 * half * size);
  for (let k = 0; k < half; k++) {
    for (let n = 0; n < size; n++) {
      // k n modulo the size keeps the angle small, and so exact
      const angle = (2 * Math.PI * ((k * n) % size)) / size;
      table[k * size + n] = weights[n]! * Math.cos(angle);
      table[(half + k) * size + n] = -weights[n]! * Math.sin(angle);
    }
  }
  const made = tensor(table, { shape: [2 * half, size], constant: true, ...(backend && { backend }) });
  if (here.size >= 4) here.delete(here.keys().next().value ?? '');
  here.set(key, made);
  return made;
}

/** The signals as rows [N, L], padded as their frames need it. */
function paddedRows(operation: string, x: Tensor, { size, isCentred, padMode }: Frames): Tensor {
  if (x.rank === 0) throw new ShapeError(operation, 'a number is no signal: needs [..., length].');
  const length = x.shape.at(-1)!;
  const by = isCentred ? Math.floor(size / 2) : 0;
  if (length + 2 * by < size || (padMode === 'reflect' && by >= length)) {
    throw new ShapeError(
      operation,
      `a signal of ${length} samples is too short for frames of ${size}${isCentred ? ` (padMode '${padMode}')` : ''}: withLength makes it longer.`,
      { length, fftSize: size },
    );
  }
  const rows = x.reshape([x.size / length, length]);
  if (by === 0) return rows;
  if (padMode === 'reflect') return reflectionPad(rows, [[by, by]]);
  return rows.pad([
    [0, 0],
    [by, by],
  ]);
}

/** Whether x lies, or will lie, in the memory of the processor. */
function isOnHost({ backend }: Tensor): boolean {
  if (backend !== null) return backend.limits.hostMemory ?? false;
  try {
    return getDefaultBackend().limits.hostMemory ?? false;
  } catch {
    return false; // none is set yet, and nothing runs
  }
}

/** Real and imaginary parts [N, F, T] of the frames of x [..., L]. */
export function spectraOf(
  operation: string,
  x: Tensor,
  frames: Frames,
  transform: SpectrogramOptions['transform'],
): { readonly real: Tensor; readonly imaginary: Tensor } {
  if (transform !== undefined && transform !== 'products' && transform !== 'fft') {
    throw new ValueError(operation, `no transform '${String(transform)}': 'products' or 'fft'.`, { transform });
  }
  const { size, hop } = frames;
  const rows = paddedRows(operation, x, frames);
  const half = Math.floor(size / 2) + 1;
  const isHere = transform === undefined && size <= 512 && isOnHost(x);
  if ((transform ?? (size <= 512 && !isHere ? 'products' : 'fft')) === 'fft') {
    const window = tensor(windowOf(frames), { constant: true, ...(x.backend && { backend: x.backend }) });
    const spectra = stft(rows, { fftSize: size, hopLength: hop, window, center: false });
    return { real: realPart(spectra), imaginary: imaginaryPart(spectra) };
  }
  const columns = unfold(rows.unsqueeze(1), { size: [size], stride: [hop] });
  const spectra = tableOf(frames, x.backend).matmul(columns);
  return {
    real: spectra.slice([0, 0, 0], [null, half, null]),
    imaginary: spectra.slice([0, half, 0]),
  };
}

/** The tensor that it must be; a sound is none. */
export function signalOf(operation: string, x: Tensor): Tensor {
  if (isTensor(x)) return x;
  throw new ValueError(
    operation,
    'takes a tensor [..., length]: of sounds waveformTensor([waveform]), of samples tensor(samples).',
  );
}

/**
 * The power of each frequency over time: signals [..., length] to [..., F, T], F = fftSize / 2 + 1 frequencies of T frames under Hann's window. As torchaudio's
 * `Spectrogram`, with its defaults; differentiable, also where there is silence. Throws a ShapeError for signals shorter than a frame.
 *
 * @example
 * import { spectrogram } from '@nn/audio';
 * import { linspace } from '@nn/core';
 * const tone = linspace(0, 20 * Math.PI, 161).sin(); // 16 samples a period
 * const power = spectrogram(tone, { fftSize: 32 });
 * console.log(power.shape, await power.at('...', 5).argMax().item()); // => [ 17, 11 ] 2
 */
export function spectrogram(x: Tensor, options: SpectrogramOptions = {}): Tensor {
  checkOptions('spectrogram', options, spectrogramNames);
  return spectrogramOf('spectrogram', signalOf('spectrogram', x), options);
}

export function spectrogramOf(operation: string, x: Tensor, options: SpectrogramOptions): Tensor {
  const { power = 2, transform } = options;
  if (!(power > 0)) throw new ValueError(operation, `power is ${power}: it must be above 0.`, { power });
  const frames = framesOf(operation, options);
  const { real, imaginary } = spectraOf(operation, x, frames, transform);
  const squares = power === 2 ? real.square().add(imaginary.square()) : hypot(real, imaginary);
  const result = power === 1 || power === 2 ? squares : squares.pow(power);
  return result.reshape([...x.shape.slice(0, -1), ...result.shape.slice(1)]);
}
