/** Two runs side by side: what they answer, what they came to, and the settings in which they differ. Their curves are curves.tsx. */
import type { JSX } from 'preact';
import { t } from '../i18n/language.ts';
import { encodeSpec } from '../model/url.ts';
import { built, frame, history, type KeptRun, kept, spec } from '../state/store.ts';
import { type Built, grid, type Measurement } from '../worker/protocol.ts';
import { MapCanvas } from './canvas.tsx';
import { magnitude } from './colors.ts';
import { percent, short } from './format.ts';

export function Comparison(): JSX.Element | null {
  const other = kept.value;
  const now = built.value;
  if (other === null || now === null) return null;
  const [mine, theirs] = [history.value.at(-1), other.history.at(-1)];
  const rows: readonly (readonly [string, (m: Measurement) => string])[] = [
    [t('steps'), (m) => String(m.step)],
    [t('trainLoss'), (m) => short(m.trainLoss)],
    [t('testLoss'), (m) => short(m.testLoss)],
    ...(now.goal === 'quantity'
      ? []
      : [[t('testAccuracy'), (m: Measurement) => (m.testAccuracy === null ? '–' : percent(m.testAccuracy))] as const]),
  ];
  const tell = (m: Measurement | undefined, read: (m: Measurement) => string): string =>
    m === undefined ? '–' : read(m);
  return (
    <div class="comparison" data-fact="comparison">
      <div class="panel-head">
        <h3 data-name="comparison">{t('comparison')}</h3>
        <button
          type="button"
          class="quiet"
          onClick={() => {
            kept.value = null;
          }}
        >
          {t('forgetRun')}
        </button>
      </div>
      <table>
        <thead>
          <tr>
            <td />
            <th scope="col">
              <span class="key test" /> {t('thisRun')}
            </th>
            <th scope="col">
              <span class="key ghost" /> {t('keptRun')}
            </th>
          </tr>
        </thead>
        <tbody>
          <Pictures now={now} other={other} />
          {rows.map(([name, read]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{tell(mine, read)}</td>
              <td>{tell(theirs, read)}</td>
            </tr>
          ))}
          {differences(encodeSpec(spec.value), encodeSpec(other.spec)).map(([name, here, there]) => (
            <tr key={name} class="setting">
              <th scope="row">{name}</th>
              <td>{here}</td>
              <td>{there}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What both answer over their planes, where they have one. */
function Pictures({ now, other }: { readonly now: Built; readonly other: KeptRun }): JSX.Element | null {
  const isPlane = (of: Built): boolean => of.shownNames.length > 1 && of.goal !== 'classes';
  if (!isPlane(now) || !isPlane(other.built)) return null;
  const read = (of: Built, maps: Float32Array | undefined) => {
    if (maps === undefined || maps.length < grid * grid) return null;
    const values = of.goal === 'binary' ? maps.map((z) => Math.tanh(z / 2)) : maps;
    return { values, width: grid, height: grid, scale: of.goal === 'binary' ? 1 : magnitude(of.train.targets) };
  };
  return (
    <tr>
      <th scope="row">{t('output')}</th>
      <td>
        <MapCanvas size={84} label={t('thisRun')} read={() => read(now, frame.value?.blocks.at(-1)?.maps)} />
      </td>
      <td>
        <MapCanvas size={84} label={t('keptRun')} read={() => read(other.built, other.maps)} />
      </td>
    </tr>
  );
}

/** The settings in which two addresses differ: name and both values, – where it is that of the task. */
export function differences(
  here: string,
  there: string,
): readonly (readonly [name: string, here: string, there: string])[] {
  const [a, b] = [new URLSearchParams(here), new URLSearchParams(there)];
  const names = [...new Set([...a.keys(), ...b.keys()])].filter((name) => a.get(name) !== b.get(name));
  const clip = (text: string | null): string =>
    text === null ? '–' : text.length > 40 ? `${text.slice(0, 39)}…` : text;
  return names.map((name) => [name, clip(a.get(name)), clip(b.get(name))] as const);
}
