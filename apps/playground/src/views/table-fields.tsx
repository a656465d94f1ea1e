/** A table: which one, how it was read, what is in its columns, and which of them is predicted from which. */
import type { CsvReading } from '@nn/data';
import type { JSX } from 'preact';
import { t, told } from '../i18n/language.ts';
import type { ColumnFacts } from '../model/samples.ts';
import type { TableChoice } from '../model/spec.ts';
import { exampleNames, withUnit } from '../model/tables.ts';
import { change, takeExample } from '../state/actions.ts';
import { built, spec } from '../state/store.ts';
import { Choice } from './fields.tsx';
import { short } from './format.ts';

export function TableFields(): JSX.Element {
  const now = built.value;
  return (
    <div class="fields">
      <Source />
      {now !== null && now.columns.length > 0 && (
        <>
          <p class="small">
            {now.file?.name} · {now.trainSize + now.testSize}
          </p>
          <Reading reading={now.reading} encoding={now.file?.encoding ?? 'utf-8'} />
          <Columns columns={now.columns} />
          <Target columns={now.columns} target={now.target} />
        </>
      )}
    </div>
  );
}

/** One that comes with the page, or the file of one's own. */
function Source(): JSX.Element {
  const { example } = spec.value.table;
  return (
    <Choice
      name="table"
      label={t('table')}
      value={example ?? 'own'}
      options={['own', ...exampleNames] as const}
      text={(name) => t(name === 'own' ? 'tableOwn' : `table.${name}`)}
      onChange={(name) => takeExample(name === 'own' ? null : name)}
    />
  );
}

function Target({
  columns,
  target,
}: {
  readonly columns: readonly ColumnFacts[];
  readonly target: string;
}): JSX.Element {
  const { table } = spec.value;
  const set = (changes: Partial<TableChoice>): void => change({ table: { ...table, ...changes } });
  const others = columns.map(({ name }) => name).filter((name) => name !== target);
  const isUsed = (name: string): boolean => table.inputs.length === 0 || table.inputs.includes(name);
  return (
    <>
      <Choice
        name="target"
        label={t('predict')}
        value={target}
        options={columns.map(({ name }) => name)}
        text={(name) => name}
        onChange={(name) => set({ target: name, inputs: [] })}
      />
      <Choice
        name="targetAs"
        label={t('as')}
        value={table.as}
        options={['auto', 'classes', 'number'] as const}
        text={(name) => t(`as.${name}`)}
        onChange={(as) => set({ as })}
      />
      <fieldset class="checks">
        <legend class="field-label">{t('from')}</legend>
        {others.map((name) => (
          <label key={name} data-name="inputColumns">
            <input
              type="checkbox"
              checked={isUsed(name)}
              onChange={() => {
                const inputs = others.filter((other) => (other === name ? !isUsed(name) : isUsed(other)));
                if (inputs.length > 0) set({ inputs: inputs.length === others.length ? [] : inputs });
              }}
            />
            {name}
          </label>
        ))}
      </fieldset>
    </>
  );
}

/** What is in each column: from where to where, or how many categories; and what is missing. */
function Columns({ columns }: { readonly columns: readonly ColumnFacts[] }): JSX.Element {
  const missing = columns.reduce((sum, column) => sum + column.missing, 0);
  return (
    <details class="small columns-facts">
      <summary data-name="columns">
        {t('columnsOf', { count: columns.length })} · {t('missingOf', { count: missing })}
      </summary>
      <table>
        <tbody>
          {columns.map((column) => (
            <tr key={column.name}>
              <th scope="row">{column.name}</th>
              <td title={column.categories.join(t('listMark'))}>{contentOf(column)}</td>
              <td>{column.missing > 0 ? t('missingOf', { count: column.missing }) : ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {missing > 0 && <p>{t('missingFilled')}</p>}
    </details>
  );
}

function contentOf({ range, categories, unit }: ColumnFacts): string {
  if (range === null) return t('categoriesOf', { count: categories.length });
  return withUnit(`${short(range[0], 2)} – ${short(range[1], 2)}`, unit);
}

/** How the file was read, and what is doubtful about it. */
function Reading({
  reading,
  encoding,
}: {
  readonly reading: CsvReading | null;
  readonly encoding: string;
}): JSX.Element | null {
  if (reading === null) return null;
  const { separator, header, warnings } = reading;
  const facts = [
    t('readSeparator', { mark: separator === '\t' ? t('tabMark') : separator }),
    ...(header ? [] : [t('readNoNames')]),
    encoding,
  ];
  return (
    <>
      <p class="small" data-fact="reading">
        {t('readAs')} {facts.join(t('listMark'))}
      </p>
      {warnings.length > 0 && (
        <details class="small warnings">
          <summary>{t('readDoubts', { count: warnings.length })}</summary>
          {warnings.map((warning) => (
            <p key={warning.message}>{told(warning)}</p>
          ))}
        </details>
      )}
    </>
  );
}
