/** A table of numbers: a row for each thing, a column for each number of it, and help at the names that have some. */
import type { ComponentChildren, JSX } from 'preact';
import type { ControlName } from './names.ts';

interface Named {
  readonly text: ComponentChildren;
  /** What its help goes by. */
  readonly name?: ControlName;
}

export interface NumberRow extends Named {
  readonly key: string | number;
  readonly numbers: readonly string[];
  readonly isBest?: boolean;
}

interface NumberTableProps {
  readonly class: string;
  /** The first column holds the names of the rows. */
  readonly columns: readonly Named[];
  readonly rows: readonly NumberRow[];
}

export function NumberTable({ class: called, columns, rows }: NumberTableProps): JSX.Element {
  return (
    <table class={called}>
      <thead>
        <tr>
          {columns.map(({ text, name }, k) => (
            <th key={k} scope="col" data-name={name}>
              {text}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, text, name, numbers, isBest = false }) => (
          <tr key={key} data-name={name} class={isBest ? 'best' : ''}>
            <th scope="row">{text}</th>
            {numbers.map((number, k) => (
              <td key={k}>{number}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
