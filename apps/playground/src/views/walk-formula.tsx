/** How one number of the walk-through comes about, written out; and for convolutions, where there are too many, as pictures. */
import type { JSX } from 'preact';
import type { Key } from '../i18n/english.ts';
import { t } from '../i18n/language.ts';
import type { BlockStage } from '../state/walk.ts';
import type { WalkLayer } from '../worker/protocol.ts';
import { MapCanvas } from './canvas.tsx';
import { magnitude } from './colors.ts';
import { factor, short, term } from './format.ts';
import { kernelOf } from './kernels.ts';

/** The number of weights of one unit. */
export const rowOf = (layer: WalkLayer): number => layer.weights.length / layer.biases.length;

/** `z₁ =`: a letter and its index in one piece. */
function Name({ of, at }: { readonly of: string; readonly at: string | number }): JSX.Element {
  return (
    <span class="term">
      {of}
      <sub>{at}</sub> =
    </span>
  );
}

interface FormulaProps {
  readonly layer: WalkLayer;
  readonly next: WalkLayer | undefined;
  readonly stage: Exclude<BlockStage, 'update'>;
  readonly unit: number;
}

/** How one number of the chosen unit comes about. */
export function Formula({ layer, next, stage, unit }: FormulaProps): JSX.Element {
  const row = rowOf(layer);
  const number = (values: Float32Array, k: number): JSX.Element => <b>{short(values[k] ?? Number.NaN)}</b>;
  const weights = layer.weights.subarray(unit * row, (unit + 1) * row);
  const most = 8;
  const rest = row > most ? <span class="term">+ … ({row - most})</span> : null;
  switch (stage) {
    case 'sum':
      return (
        <p class="formula">
          <Name of="z" at={unit + 1} />
          {[...weights].slice(0, most).map((weight, i) => (
            <span key={i} class="term">
              {i > 0 ? term(weight) : short(weight)} · {factor(layer.inputs[i] ?? 0)}
            </span>
          ))}
          {rest}
          <span class="term">{term(layer.biases[unit] ?? 0)}</span> = {number(layer.sums, unit)}
        </p>
      );
    case 'activation':
      return (
        <p class="formula">
          <Name of="a" at={unit + 1} /> {layer.norm === 'none' ? '' : `${t(`norm.${layer.norm}` as Key)} → `}
          {t(`activation.${layer.activation}` as Key)}({short(layer.sums[unit] ?? 0)}) = {number(layer.outputs, unit)}
        </p>
      );
    case 'backOutput': {
      const width = next === undefined ? 0 : rowOf(next);
      const terms = next === undefined || next.kind === 'conv' ? [] : [...next.sumGradients];
      return (
        <p class="formula">
          <Name of="∂L/∂a" at={unit + 1} />
          {terms.slice(0, most).map((gradient, k) => (
            <span key={k} class="term">
              {k > 0 ? term(gradient) : short(gradient)} · {factor(next?.weights[k * width + unit] ?? 0)}
            </span>
          ))}
          {terms.length > most && <span class="term">+ … ({terms.length - most})</span>} ={' '}
          {number(layer.outputGradients, unit)}
        </p>
      );
    }
    case 'backSum':
      return (
        <p class="formula">
          <Name of="∂L/∂z" at={unit + 1} />
          {layer.kind === 'output' ? null : (
            <span class="term">
              {short(layer.outputGradients[unit] ?? 0)} · {slopeOf(layer, unit)} =
            </span>
          )}{' '}
          {number(layer.sumGradients, unit)}
        </p>
      );
    case 'backWeight':
      return (
        <div class="formula lines-of">
          {[...weights].slice(0, most).map((_, i) => (
            <span key={i} class="term">
              <Name of="∂L/∂w" at={`${unit + 1},${i + 1}`} /> {short(layer.sumGradients[unit] ?? 0)} ·{' '}
              {factor(layer.inputs[i] ?? 0)} = {number(layer.weightGradients, unit * row + i)}
            </span>
          ))}
          {rest}
          <span class="term">
            <Name of="∂L/∂b" at={unit + 1} /> {number(layer.biasGradients, unit)}
          </span>
        </div>
      );
  }
}

/** f'(z), from the two gradients around the activation; where both are 0 it cannot be told apart. */
function slopeOf(layer: WalkLayer, unit: number): string {
  const [behind, before] = [layer.outputGradients[unit] ?? 0, layer.sumGradients[unit] ?? 0];
  return behind === 0 ? "f'" : factor(before / behind);
}

/** Feature maps or their gradients, one for each filter. */
export function Maps({ values, units }: { readonly values: Float32Array; readonly units: number }): JSX.Element {
  const places = values.length / units;
  const side = Math.round(Math.sqrt(places));
  const scale = magnitude(values);
  return (
    <div class="image-row">
      {Array.from({ length: Math.min(units, 16) }, (_, k) => (
        <MapCanvas
          key={k}
          size={64}
          smooth={false}
          label={`${t('chosenUnit')} ${k + 1}`}
          read={() => ({ values: values.subarray(k * places, (k + 1) * places), width: side, height: side, scale })}
        />
      ))}
    </div>
  );
}

/** The gradients of a convolution's weights: a row for each filter, in it a kernel for each map that goes in. */
export function Kernels({ layer }: { readonly layer: WalkLayer }): JSX.Element {
  const [filters, channels] = layer.weightShape as [number, number];
  const scale = magnitude(layer.weightGradients);
  return (
    <>
      <p class="small">{t('walkKernels')}</p>
      <div class="kernels">
        {Array.from({ length: Math.min(filters, 12) }, (_, filter) => (
          <div key={filter} class="kernel-row">
            {Array.from({ length: channels }, (_, channel) => (
              <MapCanvas
                key={channel}
                size={34}
                smooth={false}
                label={t('kernelOf', { filter: filter + 1, channel: channel + 1 })}
                read={() => ({ ...kernelOf(layer, filter, channel), scale })}
              />
            ))}
          </div>
        ))}
      </div>
    </>
  );
}
