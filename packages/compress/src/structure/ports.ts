/**
 * Layers as what channels go in and out of: where a producer's weights hold an output channel, and a consumer's an input channel.
 * Owns the list of layers that can be rebuilt; which channels belong together is `channels.ts`.
 */
import { isParameter, type Parameter, type Tensor } from '@nn/core';
import {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  Conv1d,
  Conv2d,
  Conv3d,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type Found,
  Linear,
  PReLU,
} from '@nn/layers';

/** Fields of a layer that have an axis of channels. */
export interface Port {
  readonly axis: number;
  readonly fields: readonly string[];
}

/** How a layer can be rebuilt with fewer channels. */
export interface Ports {
  readonly path: string;
  readonly layer: Found['layer'];
  /** Where output channels are; null for a layer that passes its input's channels on. */
  readonly outputs: Port | null;
  /** Where input channels are; of a layer that passes them on, where its own numbers for each channel are. */
  readonly inputs: Port;
  /** The axis of channels in what it is given and gives. */
  readonly channelAxis: (x: Tensor) => number;
  /** Names of fields that hold the counts. */
  readonly counts: { readonly outputs: readonly string[]; readonly inputs: readonly string[] };
}

type Made = Omit<Ports, 'path' | 'layer'>;
const none: Port = { axis: 0, fields: [] };

/** Null for a layer that cannot be rebuilt. */
export function portsOf({ path, layer }: Found): Ports | null {
  const made = madeOf(layer);
  const fields = [...(made?.inputs.fields ?? []), ...(made?.outputs?.fields ?? [])];
  // what is computed from others (a mask, a norm) is rebuilt by nobody
  const isPlain = fields.every((field) => {
    const value = Object.getOwnPropertyDescriptor(layer, field)?.value;
    return value === null || isParameter(value);
  });
  return made === null || !isPlain ? null : { path, layer, ...made };
}

function madeOf(layer: object): Made | null {
  if (layer instanceof Linear) {
    return {
      outputs: { axis: 0, fields: ['weight', 'bias'] },
      inputs: { axis: 1, fields: ['weight'] },
      channelAxis: ({ rank }) => rank - 1,
      counts: { outputs: ['outputs'], inputs: ['inputs'] },
    };
  }
  if (layer instanceof BatchNorm1d || layer instanceof BatchNorm2d || layer instanceof BatchNorm3d) {
    const fields = ['weight', 'bias', 'runningMean', 'runningVar'];
    return {
      outputs: null,
      inputs: { axis: 0, fields },
      channelAxis: () => 1,
      counts: { outputs: [], inputs: ['channels'] },
    };
  }
  if (layer instanceof PReLU) {
    const isShared = layer.weight.size === 1;
    return {
      outputs: null,
      inputs: isShared ? none : { axis: 0, fields: ['weight'] },
      channelAxis: ({ rank }) => Math.min(1, rank - 1),
      counts: { outputs: [], inputs: [] },
    };
  }
  const isTransposed = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d].some((kind) => layer instanceof kind);
  if (isTransposed || layer instanceof Conv1d || layer instanceof Conv2d || layer instanceof Conv3d) {
    // the cast: all of these are windows with these fields
    return windowPorts(layer as Conv2d, isTransposed);
  }
  return null;
}

function windowPorts({ groups, inputs, outputs }: Conv2d, isTransposed: boolean): Made | null {
  const channelAxis = (): number => 1;
  if (groups === 1) {
    return {
      outputs: { axis: isTransposed ? 1 : 0, fields: ['weight', 'bias'] },
      inputs: { axis: isTransposed ? 0 : 1, fields: ['weight'] },
      channelAxis,
      counts: { outputs: ['outputs'], inputs: ['inputs'] },
    };
  }
  if (groups !== inputs || outputs !== inputs) return null;
  // each channel for itself: channels pass
  return {
    outputs: null,
    inputs: { axis: 0, fields: ['weight', 'bias'] },
    channelAxis,
    counts: { outputs: [], inputs: ['inputs', 'outputs', 'groups'] },
  };
}

/** The axis that a field is cut along: a bias has one. */
export function axisOf(field: Parameter, { axis }: Port): number {
  return field.rank === 1 ? 0 : axis;
}
