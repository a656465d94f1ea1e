/** The loss of one sample with its numbers in it, and its slope: where the way back begins. */
import type { JSX } from 'preact';
import { t } from '../i18n/language.ts';
import { built } from '../state/store.ts';
import type { Walk } from '../worker/protocol.ts';
import { factor, short } from './format.ts';
import { softmaxOf } from './softmax.ts';

/** Of many classes, the first ones are written out. */
const most = 12;

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

export function Loss({ walk }: { readonly walk: Walk }): JSX.Element {
  const goal = built.value?.goal;
  return (
    <>
      <p>{t('walkLoss')}</p>
      {goal === 'classes' ? (
        <Classes walk={walk} />
      ) : goal === 'binary' ? (
        <Binary walk={walk} />
      ) : (
        <Quantity walk={walk} />
      )}
    </>
  );
}

const Result = ({ loss }: { readonly loss: number }): JSX.Element => (
  <>
    = <b data-fact="walk-loss">{short(loss, 4)}</b>
  </>
);

/** p = 1 / (1 + e^-z); L = -ln p of the right answer, or (p - t)^2. */
function Binary({ walk }: { readonly walk: Walk }): JSX.Element {
  const z = walk.output[0] ?? 0;
  const p = sigmoid(z);
  const isOne = walk.target === 1;
  return (
    <div class="formula lines-of">
      <span class="term">
        p = σ(z) = 1 / (1 + e<sup>{short(-z)}</sup>) = <b>{short(p, 4)}</b>
      </span>
      {walk.lossName === 'crossEntropy' ? (
        <span class="term">
          L = {isOne ? '−ln p' : '−ln(1 − p)'} = −ln {short(isOne ? p : 1 - p, 4)} <Result loss={walk.loss} />
        </span>
      ) : (
        <span class="term">
          L = (p − t)² = ({short(p, 4)} − {walk.target})² <Result loss={walk.loss} />
        </span>
      )}
    </div>
  );
}

/** p_k = e^(z_k - m) / sum of e^(z_j - m), with m the largest z; L = -ln p of the right class, or the mean of (p - t)^2. */
function Classes({ walk }: { readonly walk: Walk }): JSX.Element {
  const names = built.value?.classNames ?? [];
  const { top, powers, sum, shares } = softmaxOf(walk.output);
  return (
    <div class="formula lines-of">
      <span>
        p<sub>k</sub> = e<sup>z − {factor(top)}</sup> / Σ, Σ ={' '}
        {powers
          .slice(0, most)
          .map((power) => short(power))
          .join(' + ')}
        {powers.length > most ? ' + …' : ''} = <b>{short(sum)}</b>
      </span>
      <table class="softmax">
        <thead>
          <tr>
            <th scope="col">k</th>
            <th scope="col">z</th>
            <th scope="col">
              e<sup>z − {factor(top)}</sup>
            </th>
            <th scope="col">p</th>
          </tr>
        </thead>
        <tbody>
          {shares.slice(0, 26).map((share, k) => (
            <tr key={names[k] ?? k} class={k === walk.target ? 'truth' : ''}>
              <th scope="row">{names[k]}</th>
              <td>{short(walk.output[k] ?? 0)}</td>
              <td>{short(powers[k] ?? 0)}</td>
              <td>
                <b>{short(share)}</b>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {walk.lossName === 'crossEntropy' ? (
        <span class="term">
          L = −ln p<sub>{names[walk.target]}</sub> = −ln {short(shares[walk.target] ?? 0, 4)}{' '}
          <Result loss={walk.loss} />
        </span>
      ) : (
        <span class="term">
          L = Σ (p<sub>k</sub> − t<sub>k</sub>)² / {shares.length} <Result loss={walk.loss} />
        </span>
      )}
    </div>
  );
}

/** (y - t)^2, |y - t|, or Huber's mixture of both. */
function Quantity({ walk }: { readonly walk: Walk }): JSX.Element {
  const y = walk.output[0] ?? 0;
  const difference = `${short(y, 4)} − ${factor(walk.target)}`;
  const isNear = Math.abs(y - walk.target) <= 1;
  const formula =
    walk.lossName === 'l1'
      ? ['|y − t|', `|${difference}|`]
      : walk.lossName === 'huber'
        ? isNear
          ? ['(y − t)² / 2', `(${difference})² / 2`]
          : ['|y − t| − 1/2', `|${difference}| − 0.5`]
        : ['(y − t)²', `(${difference})²`];
  return (
    <div class="formula lines-of">
      <span class="term">
        L = {formula[0]} = {formula[1]} <Result loss={walk.loss} />
      </span>
    </div>
  );
}

/** How the loss changes with one output: for cross entropy the share less the truth, p - t. */
export function LossSlope({ walk, unit }: { readonly walk: Walk; readonly unit: number }): JSX.Element {
  const known = built.value;
  const slope = walk.layers.at(-1)?.sumGradients[unit] ?? 0;
  const isShare = walk.lossName === 'crossEntropy';
  const p = known?.goal === 'classes' ? (softmaxOf(walk.output).shares[unit] ?? 0) : sigmoid(walk.output[0] ?? 0);
  const truth = known?.goal === 'classes' ? Number(walk.target === unit) : walk.target;
  const y = walk.output[0] ?? 0;
  return (
    <p class="formula">
      <span class="term">
        ∂L/∂z<sub>{unit + 1}</sub> =
      </span>
      {isShare && (
        <span class="term">
          p − t = {short(p, 4)} − {truth} =
        </span>
      )}
      {walk.lossName === 'meanSquaredError' && known?.goal === 'quantity' && (
        <span class="term">
          2 · (y − t) = 2 · ({short(y)} − {factor(walk.target)}) =
        </span>
      )}
      {walk.lossName === 'meanSquaredError' && known?.goal === 'binary' && (
        <span class="term">
          2 · (p − t) · p · (1 − p) = 2 · {factor(p - truth)} · {short(p)} · {short(1 - p)} =
        </span>
      )}
      <b>{short(slope)}</b>
    </p>
  );
}
