/** The end of the walk: what one step of the optimizer on this sample alone makes of the weights of a unit, and of the loss. */
import type { JSX } from 'preact';
import { t } from '../i18n/language.ts';
import { frame, spec } from '../state/store.ts';
import type { Update, Walk, WalkLayer } from '../worker/protocol.ts';
import { factor, short } from './format.ts';
import { rowOf } from './walk-formula.tsx';

const most = 8;

interface UpdateProps {
  readonly walk: Walk;
  readonly block: number;
  readonly update: Update | null;
  readonly unit: number;
}

export function UpdateFormula({ walk, block, update, unit }: UpdateProps): JSX.Element {
  const layer = walk.layers[block] as WalkLayer;
  const after = update?.sample === walk.sample ? update.layers[block] : undefined;
  if (update === null || after === undefined || after.weights.length !== layer.weights.length) {
    return <p class="small">{t('loading')}</p>;
  }
  const row = rowOf(layer);
  const { optimizer, penalty } = spec.value;
  const rate = frame.value?.learningRate ?? spec.value.learningRate;
  // only plain descent is a formula of this gradient alone; the others remember what came before
  const isPlain = optimizer === 'sgd' && penalty === 'none';
  const line = (name: JSX.Element, before: number, gradient: number, then: number): JSX.Element => (
    <span class="term">
      {name} {short(before, 4)}
      {isPlain ? ` − ${short(rate, 4)} · ${factor(gradient)} = ` : ' → '}
      <b>{short(then, 4)}</b>
    </span>
  );
  return (
    <>
      <p class="small">
        {isPlain
          ? t('updatePlain')
          : t('updateOf', { optimizer: t(`optimizer.${optimizer}`), rate: rate.toPrecision(2) })}
      </p>
      <div class="formula lines-of">
        {Array.from({ length: Math.min(row, most) }, (_, i) => {
          const at = unit * row + i;
          const name = (
            <>
              w
              <sub>
                {unit + 1},{i + 1}
              </sub>
              :
            </>
          );
          return (
            <span key={i}>
              {line(name, layer.weights[at] ?? 0, layer.weightGradients[at] ?? 0, after.weights[at] ?? 0)}
            </span>
          );
        })}
        {row > most && <span class="term">+ … ({row - most})</span>}
        {line(
          <>
            b<sub>{unit + 1}</sub>:
          </>,
          layer.biases[unit] ?? 0,
          layer.biasGradients[unit] ?? 0,
          after.biases[unit] ?? 0,
        )}
      </div>
      <p data-fact="updated-loss">
        {t('updatedLoss')} {short(walk.loss, 4)} → <b>{short(update.loss, 4)}</b>
      </p>
    </>
  );
}
