/**
 * The parts of a report as HTML, and how they look: light or dark by variables of CSS, from a telephone to a wide screen, without
 * a script. Owns no numbers: they come from run-report.ts.
 */
import type { Controls } from '../events.ts';
import { figure } from '../format.ts';
import { escaped } from './line-chart.ts';
import { darkLineColors, lineColors } from './line-colors.ts';

/** A sample with what the model makes of it. */
export interface ReportSample {
  /** A picture as the bytes of a PNG, or an SVG as text. */
  readonly picture?: Uint8Array | string;
  readonly caption: string;
  /** Whether it was told right: marks it. */
  readonly isRight?: boolean;
}

export type Row = Controls['history'][number];
export type Matrix = readonly (readonly number[])[];

const variables = (colors: readonly string[]): string => colors.map((color, at) => `--line-${at}:${color}`).join(';');
const lines = lineColors
  .map((_, at) => `path.line-${at}{stroke:var(--line-${at})}circle.line-${at}{fill:var(--line-${at})}`)
  .join('');

/** Each colour of text has 4.5 : 1 with the page, each line 3 : 1. Pictures of samples stand on white, as they were made. */
const style = `:root{color-scheme:light dark;--page:#fff;--ink:#1c2026;--soft:#5c636d;--edge:#d9dde3;--band:#f4f6f8;--right:#00795a;--wrong:#b84a00;${variables(lineColors)}}
@media(prefers-color-scheme:dark){:root{--page:#14171c;--ink:#e6e8eb;--soft:#a2a9b3;--edge:#343a43;--band:#1c2027;--right:#2cc295;--wrong:#ff8a3d;${variables(darkLineColors)}}}
${lines}
*{box-sizing:border-box}body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:1120px;margin:0 auto;padding:28px 16px 48px}
h1{margin:0;font-size:1.75em;line-height:1.2;overflow-wrap:anywhere}.end{color:var(--soft);margin:4px 0 0}.end.failed{color:var(--wrong);font-weight:600}
h2{margin:36px 0 12px;font-size:1.15em}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px;margin:20px 0 0}
.figures>div{border:1px solid var(--edge);border-radius:8px;padding:10px 12px;overflow-wrap:anywhere}
.figures dt{color:var(--soft);font-size:13px}.figures dd{margin:0;font-size:1.45em;font-weight:600;font-variant-numeric:tabular-nums}.figures .best{font-size:13px;font-weight:400;color:var(--soft)}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,320px),1fr));gap:18px}.charts svg{width:100%;height:auto}.note{color:var(--soft);font-size:13px;margin:8px 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:3px 14px 3px 0;text-align:right;white-space:nowrap}th{font-weight:600}
.numbers thead th{border-bottom:1px solid var(--edge)}.numbers tbody tr:nth-child(even){background:var(--band)}.numbers :is(th,td):first-child{padding-left:8px}.numbers .best{font-weight:700}
.wide{overflow-x:auto;max-width:100%}.wide:focus-visible{outline:2px solid var(--line-0);outline-offset:2px}
.beside{display:flex;flex-wrap:wrap;gap:24px 40px;align-items:flex-start}.beside>*{min-width:0;max-width:100%}
.matrix th,.matrix td{padding:0 4px;height:30px;min-width:32px;text-align:center;font-size:13px;font-weight:400}.matrix tbody th{text-align:right}.matrix thead tr:first-child th{color:var(--soft)}
.matrix td{border:1px solid var(--page)}.matrix .none{color:var(--soft)}.matrix tbody th.side{writing-mode:vertical-rl;transform:rotate(180deg);color:var(--soft);min-width:0;vertical-align:middle;text-align:center}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,320px),1fr));gap:0 40px}.pairs{width:100%;table-layout:fixed}.pairs th,.pairs td{text-align:left;vertical-align:top;white-space:normal;overflow-wrap:anywhere;padding:5px 12px 5px 0;border-top:1px solid var(--edge)}.pairs th{width:38%;font-weight:400;color:var(--soft)}
.samples{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(112px,28vw),1fr));gap:12px}figure{margin:0;text-align:center;border:1px solid var(--edge);border-radius:8px;padding:8px 4px}
figure img{width:100%;max-width:96px;height:96px;object-fit:contain;background:#fff;border-radius:4px}figure img.small{image-rendering:pixelated}figcaption{font-size:13px;line-height:1.35;margin-top:4px;overflow-wrap:anywhere}
.right figcaption::before{content:"✓ ";color:var(--right);font-weight:700}.wrong{border-color:var(--wrong)}.wrong figcaption::before{content:"✗ ";color:var(--wrong);font-weight:700}
.warnings{padding-left:1.2em}small{color:var(--soft)}@media print{section,figure,.charts svg{break-inside:avoid}}`;

/** The document around its parts. */
export function page(title: string, end: string, isFailed: boolean, parts: readonly string[]): string {
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${style}</style></head><body><main>`,
    `<h1>${escaped(title)}</h1><p class="end${isFailed ? ' failed' : ''}">${escaped(end)}</p>`,
    ...parts,
    '</main></body></html>\n',
  ].join('\n');
}

export const section = (title: string, content: string): string =>
  content === '' ? '' : `<section><h2>${title}</h2>${content}</section>`;

/** What may be wider than a page, with a name for who comes to it by the keyboard to move it. */
const wide = (name: string, table: string): string =>
  `<div class="wide" role="region" aria-label="${name}" tabindex="0">${table}</div>`;

export function pairs(record: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(record).map(([name, value]) => {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
    return `<tr><th scope="row">${escaped(name)}</th><td>${escaped(text)}</td></tr>`;
  });
  return rows.length === 0 ? '' : `<table class="pairs"><tbody>${rows.join('')}</tbody></table>`;
}

/** Whether more is better, of a value by its name; null where nobody knows. */
export type Direction = (name: string) => boolean | null;

const numbersOf = ({ values }: Row): [string, number][] =>
  Object.entries(values).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
const namesOf = (rows: readonly Row[]): string[] => [
  ...new Set(rows.flatMap((row) => numbersOf(row).map(([name]) => name))),
];
const numberOf = (row: Row | undefined, name: string): number | undefined => {
  const value = Object(row?.values)[name] as unknown;
  return typeof value === 'number' ? value : undefined;
};

/** The first epoch with the best value; undefined where no direction is known. */
function bestOf(rows: readonly Row[], name: string, direction: Direction): Row | undefined {
  const higherIsBetter = direction(name);
  if (higherIsBetter === null) return undefined;
  let best: Row | undefined;
  for (const row of rows) {
    const [value, known] = [numberOf(row, name), numberOf(best, name)];
    if (value === undefined || Number.isNaN(value)) continue;
    if (known === undefined || (higherIsBetter ? value > known : value < known)) best = row;
  }
  return best;
}

/** The values of the last epoch, each with the best of all. */
export function lastValues(rows: readonly Row[], direction: Direction): string {
  const last = rows.at(-1);
  if (last === undefined) return '';
  const tiles = namesOf([last]).map((name) => {
    const best = bestOf(rows, name, direction);
    const note =
      best === undefined
        ? ''
        : `<dd class="best">${best === last ? 'the best' : `best ${figure(numberOf(best, name)!)} in epoch ${best.epoch}`}</dd>`;
    return `<div><dt>${escaped(name)}</dt><dd>${figure(numberOf(last, name)!)}</dd>${note}</div>`;
  });
  return `<dl class="figures">${tiles.join('')}</dl>`;
}

/** All numbers of all epochs, the best of each column marked; the middle of long runs is in the curves. */
export function epochTable(rows: readonly Row[], direction: Direction): string {
  if (rows.length === 0) return '';
  const names = namesOf(rows);
  const best = new Map(names.map((name) => [name, bestOf(rows, name, direction)]));
  const shown = rows.length <= 60 ? rows : [...rows.slice(0, 20), ...rows.slice(-40)];
  const body = shown.map((row) => {
    const cells = names.map((name) => {
      const value = numberOf(row, name);
      return `<td${best.get(name) === row ? ' class="best"' : ''}>${value === undefined ? '' : figure(value)}</td>`;
    });
    return `<tr><td>${row.epoch}</td><td>${row.step}</td>${cells.join('')}</tr>`;
  });
  const head = ['epoch', 'step', ...names].map((name) => `<th scope="col">${escaped(name)}</th>`).join('');
  const left = rows.length - shown.length;
  const table = `<table class="numbers"><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table>`;
  return `${wide('Values of the epochs', table)}${left > 0 ? `<p class="note">${left} epochs in the middle are left out.</p>` : ''}`;
}

/** Classes that a matrix on a page still shows. */
const mostClasses = 40;

/**
 * The matrix, and beside it what it says of each class. A cell is as strong as its share of the row: its colour lies over the page
 * with at most 0.7, so that the text on it is read on light and dark pages.
 */
export function confusion(matrix: Matrix, names: readonly string[] | undefined): string {
  const nameOf = (index: number): string => escaped(names?.[index] ?? String(index));
  const beside = [classTable(matrix, nameOf)];
  if (matrix.length <= mostClasses) beside.unshift(cells(matrix, nameOf));
  else beside.push(mostConfused(matrix, nameOf));
  return `<div class="beside">${beside.join('')}</div>`;
}

const countText = (count: number): string => (Number.isInteger(count) ? String(count) : count.toFixed(2));
const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

function cells(matrix: Matrix, nameOf: (index: number) => string): string {
  const rows = matrix.map((row, actual) => {
    const total = sumOf(row);
    const counts = row.map((count, predicted) => {
      if (count === 0) return '<td class="none">0</td>';
      const color = actual === predicted ? '0 114 178' : '213 94 0';
      const share = total === 0 ? 0 : count / total;
      return `<td style="background:rgb(${color}/${(0.08 + 0.62 * share).toFixed(2)})">${countText(count)}</td>`;
    });
    const side =
      actual === 0 ? `<th class="side" scope="rowgroup" rowspan="${matrix.length}"><span>actual</span></th>` : '';
    return `<tr>${side}<th scope="row">${nameOf(actual)}</th>${counts.join('')}</tr>`;
  });
  const head = matrix.map((_, predicted) => `<th scope="col">${nameOf(predicted)}</th>`).join('');
  return wide(
    'Confusion matrix',
    `<table class="matrix"><thead><tr><td colspan="2"></td><th scope="colgroup" colspan="${matrix.length}">predicted</th></tr><tr><td colspan="2"></td>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`,
  );
}

/** Of what was called so, how much is (precision); of what is, how much was called so (recall); and their harmonic mean. */
function classTable(matrix: Matrix, nameOf: (index: number) => string): string {
  const share = (part: number, whole: number): string => (whole === 0 ? '–' : (part / whole).toFixed(3));
  const rows = matrix.map((row, index) => {
    const right = row[index]!;
    const [actual, called] = [sumOf(row), sumOf(matrix.map((other) => other[index]!))];
    return `<tr><th scope="row">${nameOf(index)}</th><td>${share(right, called)}</td><td>${share(right, actual)}</td><td>${share(2 * right, called + actual)}</td><td>${countText(actual)}</td></tr>`;
  });
  const head = ['class', 'precision', 'recall', 'F1', 'samples'].map((name) => `<th scope="col">${name}</th>`).join('');
  return wide(
    'Classes',
    `<table class="numbers"><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`,
  );
}

function mostConfused(matrix: Matrix, nameOf: (index: number) => string): string {
  const found = matrix
    .flatMap((row, actual) => row.map((count, predicted) => ({ count, actual, predicted })))
    .filter(({ count, actual, predicted }) => count > 0 && actual !== predicted)
    .sort((a, b) => b.count - a.count)
    .slice(0, 20)
    .map(
      ({ count, actual, predicted }) =>
        `<tr><td>${nameOf(actual)}</td><td>${nameOf(predicted)}</td><td>${countText(count)}</td></tr>`,
    );
  const head = ['actual', 'predicted', 'samples'].map((name) => `<th scope="col">${name}</th>`).join('');
  return `<div><p class="note">${matrix.length} classes are too many for a picture: what is confused most often.</p><table class="numbers"><thead><tr>${head}</tr></thead><tbody>${found.join('')}</tbody></table></div>`;
}

export function sampleFigure({ picture, caption, isRight }: ReportSample): string {
  const mark = isRight === undefined ? '' : isRight ? ' class="right"' : ' class="wrong"';
  const image =
    picture === undefined
      ? ''
      : typeof picture === 'string'
        ? // an SVG as an image runs no script, whatever is in it
          `<img alt="" src="data:image/svg+xml,${encodeURIComponent(picture)}">`
        : `<img alt=""${isSmall(picture) ? ' class="small"' : ''} src="data:image/png;base64,${base64(picture)}">`;
  return `<figure${mark}>${image}<figcaption>${escaped(caption)}</figcaption></figure>`;
}

/** Whether a PNG has fewer pixels than are shown: they are to be seen as squares. Its width stands in its bytes 16 to 19. */
function isSmall(png: Uint8Array): boolean {
  return png.length >= 20 && new DataView(png.buffer, png.byteOffset).getUint32(16) < 96;
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
