/** Which class is taken for which: the confusion matrix of the test samples, as a table. */
import type { JSX } from 'preact';
import { t } from '../i18n/language.ts';
import { built, frame } from '../state/store.ts';
import { cell } from './cell.ts';
import { fetched } from './fetched.tsx';

const Samples = fetched(async () => (await import('./cell-samples.tsx')).CellSamples);

export function Mistakes(): JSX.Element | null {
  const confusion = frame.value?.confusion;
  const names = built.value?.classNames ?? [];
  if (!confusion) return null;
  const { size, counts } = confusion;
  const at = (row: number, column: number): number => counts[row * size + column] ?? 0;
  const sums = Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, column) => at(row, column)).reduce((a, b) => a + b, 0),
  );
  const count = sums.reduce((a, b) => a + b, 0);
  return (
    <div class="mistakes">
      <p class="small">{t('confusion', { count })}</p>
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
                    style={{
                      background: `color-mix(in srgb, ${color} ${Math.round(85 * share)}%, transparent)`,
                      color: share > 0.5 ? '#fff' : undefined,
                    }}
                  >
                    {value > 0 && (
                      <button
                        type="button"
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
