/** Which class is taken for which: the confusion matrix of the test samples, and of two classes the threshold between them. */
import type { JSX } from 'preact';
import { t } from '../i18n/language.ts';
import { countsAt, scoresOf } from '../model/threshold.ts';
import { built, frame, threshold } from '../state/store.ts';
import { cell } from './cell.ts';
import { fetched } from './fetched.tsx';
import { Slider } from './fields.tsx';
import { percent } from './format.ts';

const Samples = fetched(async () => (await import('./cell-samples.tsx')).CellSamples);

export function Mistakes(): JSX.Element | null {
  const [now, known] = [frame.value, built.value];
  if (!now?.confusion || known === null) return null;
  if (now.testShares === null) return <Confusion {...now.confusion} names={known.classNames} />;
  const counts = countsAt(now.testShares, known.test.targets, threshold.value);
  const { trueNegatives, falsePositives, falseNegatives, truePositives } = counts;
  return (
    <>
      <Threshold counts={counts} />
      <Confusion
        size={2}
        counts={[trueNegatives, falsePositives, falseNegatives, truePositives]}
        names={known.classNames}
      />
    </>
  );
}

/** Where class 1 begins, and what comes of it. */
function Threshold({ counts }: { readonly counts: Parameters<typeof scoresOf>[0] }): JSX.Element {
  const scores = scoresOf(counts);
  return (
    <div class="threshold">
      <Slider
        name="threshold"
        label={t('value.threshold')}
        value={threshold.value}
        low={0.01}
        high={0.99}
        step={0.01}
        show={(value) => value.toFixed(2)}
        onChange={(value) => {
          threshold.value = value;
        }}
      />
      <dl class="scores">
        {(['precision', 'recall', 'f1', 'accuracy'] as const).map((name) => (
          <div key={name} data-name={`metric.${name}`}>
            <dt>{t(name === 'accuracy' ? 'accuracy' : `metric.${name}`)}</dt>
            <dd data-fact={name}>{scores[name] === null ? '–' : percent(scores[name])}</dd>
          </div>
        ))}
      </dl>
      <p class="small">{t('thresholdHelp')}</p>
    </div>
  );
}

interface ConfusionProps {
  readonly size: number;
  readonly counts: readonly number[];
  readonly names: readonly string[];
}

function Confusion({ size, counts, names }: ConfusionProps): JSX.Element {
  const at = (row: number, column: number): number => counts[row * size + column] ?? 0;
  const sums = Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, column) => at(row, column)).reduce((a, b) => a + b, 0),
  );
  const count = sums.reduce((a, b) => a + b, 0);
  return (
    <div class="mistakes">
      <p class="small" data-name="confusion">
        {t('confusion', { count })}
      </p>
      <table class="confusion">
        <thead>
          <tr>
            <td />
            {names.slice(0, size).map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {names.slice(0, size).map((name, row) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {names.slice(0, size).map((other, column) => {
                const value = at(row, column);
                const share = value / Math.max(1, sums[row] ?? 1);
                const color = row === column ? 'var(--blue)' : 'var(--orange)';
                return (
                  <td
                    key={other}
                    style={{ background: `color-mix(in srgb, ${color} ${Math.round(60 * share)}%, var(--surface))` }}
                  >
                    {value > 0 && (
                      <button
                        type="button"
                        data-name="confusion"
                        aria-pressed={cell.value?.[0] === row && cell.value[1] === column}
                        aria-label={t('openCell', { truth: name, guess: other, count: value })}
                        onClick={() => {
                          cell.value = [row, column];
                        }}
                      >
                        {value}
                      </button>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {cell.value !== null && <Samples />}
    </div>
  );
}
