/** How one number of the walk-through comes about, written out; and for convolutions, where there are too many, as pictures. */
import type { JSX } from 'preact';
import type { Key } from '../i18n/english.ts';
import { t } from '../i18n/language.ts';
import type { WalkLayer } from '../worker/protocol.ts';
import { MapCanvas } from './canvas.tsx';
import { factor, signed } from './format.ts';

/** The stages of one layer: two on the way forward, three on the way back. */
export type BlockStage = 'sum' | 'activation' | 'backOutput' | 'backSum' | 'backWeight';

/** The number of weights of one unit. */
export const rowOf = (layer: WalkLayer): number => layer.weights.length / layer.biases.length;

interface FormulaProps {
  readonly layer: WalkLayer;
  readonly next: WalkLayer | undefined;
  readonly stage: BlockStage;
  readonly unit: number;
}

/** How one number of the chosen unit comes about. */
export function Formula({ layer, next, stage, unit }: FormulaProps): JSX.Element {
  const row = rowOf(layer);
  const number = (values: Float32Array, k: number): JSX.Element => <b>{signed(values[k] ?? Number.NaN)}</b>;
  const weights = layer.weights.subarray(unit * row, (unit + 1) * row);
  const most = 8;
  const rest = row > most ? <span class="term">+ … ({row - most})</span> : null;
  switch (stage) {
    case 'sum':
      return (
        <p class="formula">
          z<sub>{unit + 1}</sub> ={' '}
          {[...weights].slice(0, most).map((weight, i) => (
            <span key={i} class="term">
              {i > 0 && '+ '}
              {signed(weight)} · {factor(layer.inputs[i] ?? 0)}
            </span>
          ))}
          {rest}
          <span class="term">+ {signed(layer.biases[unit] ?? 0)}</span> = {number(layer.sums, unit)}
        </p>
      );
    case 'activation':
      return (
        <p class="formula">
          a<sub>{unit + 1}</sub> = {layer.norm === 'none' ? '' : `${t(`norm.${layer.norm}` as Key)} → `}
          {t(`activation.${layer.activation}` as Key)}({signed(layer.sums[unit] ?? 0)}) = {number(layer.outputs, unit)}
        </p>
      );
    case 'backOutput': {
      const width = next === undefined ? 0 : rowOf(next);
      const terms = next === undefined || next.kind === 'conv' ? [] : [...next.sumGradients];
      return (
        <p class="formula">
          ∂L/∂a<sub>{unit + 1}</sub> ={' '}
          {terms.slice(0, most).map((gradient, k) => (
            <span key={k} class="term">
              {k > 0 && '+ '}
              {signed(gradient)} · {factor(next?.weights[k * width + unit] ?? 0)}
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
          ∂L/∂z<sub>{unit + 1}</sub> ={' '}
          {layer.kind === 'output' ? null : (
            <span class="term">
              {signed(layer.outputGradients[unit] ?? 0)} · {slopeOf(layer, unit)} =
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
              ∂L/∂w
              <sub>
                {unit + 1},{i + 1}
              </sub>{' '}
              = {signed(layer.sumGradients[unit] ?? 0)} · {factor(layer.inputs[i] ?? 0)} ={' '}
              {number(layer.weightGradients, unit * row + i)}
            </span>
          ))}
          {rest}
          <span class="term">
            ∂L/∂b<sub>{unit + 1}</sub> = {number(layer.biasGradients, unit)}
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

/** Feature maps, or their gradients, as pictures. */
export function Maps({
  values,
  layer,
  stage,
}: {
  readonly values: Float32Array;
  readonly layer: WalkLayer;
  readonly stage: BlockStage;
}): JSX.Element {
  const units = layer.biases.length;
  const places = Math.max(1, values.length / (stage === 'backWeight' ? 1 : units));
  const side = Math.max(1, Math.round(Math.sqrt(places)));
  const most = values.reduce((top, value) => Math.max(top, Math.abs(value)), 1e-9);
  const count = stage === 'backWeight' ? 1 : Math.min(units, 16);
  return (
    <div class="image-row">
      {Array.from({ length: count }, (_, k) => (
        <MapCanvas
          key={k}
          size={64}
          smooth={false}
          label={`${t('chosenUnit')} ${k + 1}`}
          read={() => ({
            values: values.subarray(k * places, (k + 1) * places),
            width: side,
            height: Math.floor(places / side),
            scale: most,
          })}
        />
      ))}
    </div>
  );
}
