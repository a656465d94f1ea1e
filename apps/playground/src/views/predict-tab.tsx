/** A form that predicts: a row is filled in, and the network, as it is now, says what it takes it for. */
import type { RawRow } from '@nn/data';
import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { t } from '../i18n/language.ts';
import type { ColumnFacts } from '../model/samples.ts';
import { unitOf, withUnit } from '../model/tables.ts';
import { ask, complain } from '../state/actions.ts';
import { built, frame, running } from '../state/store.ts';
import type { Built, Prediction } from '../worker/protocol.ts';
import { classColor } from './colors.ts';
import { Choice } from './fields.tsx';
import { percent, short } from './format.ts';

type Row = Readonly<Record<string, string>>;

export function PredictForm(): JSX.Element | null {
  const row: Signal<Row> = useSignal({});
  const found: Signal<Prediction | null> = useSignal(null);
  const known = built.value;
  useSignalEffect(() => {
    const [now, step, given] = [built.value, frame.value?.step, row.value];
    if (now === null || step === undefined || running.value) return;
    const asked = ask({ kind: 'predict', row: rowOf(now, given) });
    asked.then((answer) => {
      if (row.peek() === given) found.value = answer;
    }, complain);
  });
  if (known === null) return null;
  return (
    <div class="predict">
      <p class="small">{t('predictHint')}</p>
      <div class="predict-board">
        <div class="fields">
          {fieldsOf(known).map((column) => (
            <Field key={column.name} column={column} row={row} />
          ))}
        </div>
        <Answer known={known} found={found.value} />
      </div>
    </div>
  );
}

/** The columns that the network is given; for the plane its coordinates. */
function fieldsOf(known: Built): readonly ColumnFacts[] {
  if (known.features !== null) {
    const [left, right, bottom, top] = known.view.bounds;
    const axis = (name: string, low: number, high: number): ColumnFacts => ({
      name,
      kind: 'number',
      unit: '',
      missing: 0,
      range: [low, high],
      categories: [],
    });
    return [axis('x', left, right), axis('y', bottom, top)];
  }
  const chosen = known.spec.table.inputs;
  return known.columns.filter(({ name }) => name !== known.target && (chosen.length === 0 || chosen.includes(name)));
}

/** What stands in a field before anything is filled in: the middle of a column, or its first category. */
function startOf({ range, categories }: ColumnFacts): string {
  if (range === null) return categories[0] ?? '';
  return String(Number(((range[0] + range[1]) / 2).toPrecision(3)));
}

/** An empty field says that the value is not known. */
function rowOf(known: Built, given: Row): RawRow {
  return Object.fromEntries(
    fieldsOf(known).map((column) => {
      const text = given[column.name] ?? startOf(column);
      if (text.trim() === '') return [column.name, known.features === null ? null : 0];
      return [column.name, column.range === null ? text : Number(text)];
    }),
  );
}

function Field({ column, row }: { readonly column: ColumnFacts; readonly row: Signal<Row> }): JSX.Element {
  const { name, range, categories } = column;
  const value = row.value[name] ?? startOf(column);
  const put = (text: string): void => {
    row.value = { ...row.value, [name]: text };
  };
  if (range === null) {
    return (
      <Choice
        name="predictRow"
        label={name}
        value={value}
        options={[...categories, '']}
        text={(category) => (category === '' ? t('notKnown') : category)}
        onChange={put}
      />
    );
  }
  return (
    <label class="field" data-name="predictRow">
      <span class="field-label">{name}</span>
      <input
        type="number"
        step="any"
        value={value}
        placeholder={`${short(range[0], 2)} – ${short(range[1], 2)}`}
        onInput={(event) => put(event.currentTarget.value)}
      />
    </label>
  );
}

function Answer({ known, found }: { readonly known: Built; readonly found: Prediction | null }): JSX.Element {
  if (found === null) return <p class="small">{t(running.value ? 'afterTraining' : 'loading')}</p>;
  const { shares, value } = found;
  const best = shares === null ? -1 : shares.indexOf(Math.max(...shares));
  const name = known.target || t('output');
  return (
    <section aria-live="polite">
      <p class="field-label">{name}</p>
      <p class="verdict" data-fact="prediction">
        {shares === null
          ? withUnit(short(value ?? Number.NaN, 2), unitOf(known.target))
          : `${known.classNames[best] ?? ''} (${percent(shares[best] ?? 0)})`}
      </p>
      {shares !== null && (
        <ul class="class-shares">
          {shares.map((share, k) => (
            <li key={known.classNames[k]}>
              <span>{known.classNames[k]}</span>
              <span class="bar" style={{ width: `${100 * share}%`, background: classColor(k) }} />
              <span>{percent(share)}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
