/**
 * A model card: what a model is for, what it was trained on, how it does for whom. Owns the text, as Markdown and as a page;
 * numbers come from `metricFrame` and `calibrationByGroup`. (Mitchell et al. 2019.)
 */
import type { GroupCalibration } from '../metrics/calibration.ts';
import type { Estimate, GroupedMetric } from '../metrics/metric-frame.ts';

export interface ModelCardOptions {
  readonly name: string;
  /** What it is for, and for whom. */
  readonly intendedUse: string;
  /** What it must not be used for. */
  readonly outOfScope?: string;
  readonly trainingData: string;
  readonly evaluationData?: string;
  /** By name, as `metricFrame` gives them. */
  readonly metrics?: Readonly<Record<string, GroupedMetric>>;
  readonly calibration?: ReadonlyMap<string, GroupCalibration>;
  /** What was done against unfairness, what epsilon was spent, what energy. */
  readonly measures?: Readonly<Record<string, string | number>>;
  readonly caveats?: readonly string[];
}

type Table = { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] };
type Section = {
  readonly title: string;
  readonly text?: string;
  readonly list?: readonly string[];
  readonly table?: Table;
};

/**
 * The card as Markdown and as an HTML page of its own, without scripts. What comes from outside is escaped.
 *
 * @example
 * import { modelCard } from '@nn/fairness';
 * const { markdown } = modelCard({ name: 'Income', intendedUse: 'Teaching.', trainingData: 'Adult, 1994.' });
 * console.log(markdown.split('\n')[0]); // => # Income
 */
export function modelCard(options: ModelCardOptions): { readonly markdown: string; readonly html: string } {
  const sections = sectionsOf(options);
  return { markdown: markdownOf(options.name, sections), html: htmlOf(options.name, sections) };
}

function sectionsOf(options: ModelCardOptions): Section[] {
  const {
    intendedUse,
    outOfScope,
    trainingData,
    evaluationData,
    metrics = {},
    calibration,
    measures,
    caveats,
  } = options;
  const names = Object.keys(metrics);
  const groups = [...new Set(Object.values(metrics).flatMap(({ byGroup }) => [...byGroup.keys()]))];
  const row = (name: string, of: (metric: GroupedMetric) => Estimate | undefined): string[] => [
    name,
    ...Object.values(metrics).map((metric) => shown(of(metric))),
  ];
  return [
    { title: 'Intended use', text: intendedUse },
    ...(outOfScope === undefined ? [] : [{ title: 'Out of scope', text: outOfScope }]),
    { title: 'Training data', text: trainingData },
    ...(evaluationData === undefined ? [] : [{ title: 'Evaluation data', text: evaluationData }]),
    ...(names.length === 0
      ? []
      : [
          {
            title: 'Metrics by group',
            table: {
              head: ['', ...names],
              rows: [
                row('all', ({ overall }) => overall),
                ...groups.map((group) => row(group, ({ byGroup }) => byGroup.get(group))),
                row('difference', ({ difference }) => difference),
                row('ratio', ({ ratio }) => ratio),
              ],
            },
          },
        ]),
    ...(calibration === undefined
      ? []
      : [
          {
            title: 'Calibration by group',
            table: {
              head: ['', 'calibration error', 'samples'],
              rows: [...calibration].map(([group, { error, bins }]) => [
                group,
                error.toFixed(3),
                String(bins.reduce((sum, { count }) => sum + count, 0)),
              ]),
            },
          },
        ]),
    ...(measures === undefined
      ? []
      : [
          {
            title: 'Measures',
            table: { head: ['', ''], rows: Object.entries(measures).map(([name, value]) => [name, String(value)]) },
          },
        ]),
    ...(caveats === undefined || caveats.length === 0 ? [] : [{ title: 'Caveats', list: caveats }]),
  ];
}

function shown(estimate: Estimate | undefined): string {
  if (estimate === undefined || Number.isNaN(estimate.value)) return '-';
  const { value, low, high } = estimate;
  return Number.isNaN(low) ? value.toFixed(3) : `${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
}

function markdownOf(name: string, sections: readonly Section[]): string {
  // a line break would end a heading or a table's row
  const safe = (text: string): string => text.replace(/[\\`*_[\]<>|#]/g, '\\$&').replace(/\s*\n\s*/g, ' ');
  const line = (cells: readonly string[]): string => `| ${cells.map(safe).join(' | ')} |`;
  const lines = sections.flatMap(({ title, text, list, table }) => [
    `## ${title}`,
    '',
    ...(text === undefined ? [] : [safe(text), '']),
    ...(list === undefined ? [] : [...list.map((item) => `- ${safe(item)}`), '']),
    ...(table === undefined
      ? []
      : [line(table.head), `|${'---|'.repeat(table.head.length)}`, ...table.rows.map(line), '']),
  ]);
  return [`# ${safe(name)}`, '', ...lines].join('\n');
}

function htmlOf(name: string, sections: readonly Section[]): string {
  const safe = (text: string): string => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
  const row = (tag: string, cells: readonly string[]): string =>
    `<tr>${cells.map((cell) => `<${tag}>${safe(cell)}</${tag}>`).join('')}</tr>`;
  const body = sections.map(({ title, text, list, table }) =>
    [
      `<h2>${safe(title)}</h2>`,
      text === undefined ? '' : `<p>${safe(text)}</p>`,
      list === undefined ? '' : `<ul>${list.map((item) => `<li>${safe(item)}</li>`).join('')}</ul>`,
      table === undefined
        ? ''
        : `<table>${row('th', table.head)}${table.rows.map((cells) => row('td', cells)).join('')}</table>`,
    ].join('\n'),
  );
  const style =
    'body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:left;border-bottom:1px solid #8884}';
  return `<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>${safe(name)}</title><style>${style}</style>\n<h1>${safe(name)}</h1>\n${body.join('\n')}\n</html>\n`;
}
