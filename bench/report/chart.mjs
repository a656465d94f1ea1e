/** Bars as SVG, written by hand: readable on light and dark pages, no script, no font to load. */
import { digits } from './format.mjs';

/**
 * @typedef {{ label: string, value: number, kind: 'own' | 'peer' | 'native' }} Bar
 * @typedef {{ title: string, note: string, unit: string, logarithmic: boolean, groups: { label: string, bars: Bar[] }[] }} Chart
 *   `note`: what the lengths mean
 */

const width = 760;
const labelWidth = 190;
const valueWidth = 110;
const rowHeight = 17;
const headHeight = 26;

const style = `
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328; }
  .title { font-size: 15px; font-weight: 600; }
  .group { font-weight: 600; }
  .faint { fill: #59636e; }
  .grid { stroke: #d1d9e0; stroke-width: 1; }
  .own { fill: #0969da; }
  .peer { fill: #afb8c1; }
  .native { fill: #6e7781; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .faint { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .own { fill: #4493f8; }
    .peer { fill: #656c76; }
    .native { fill: #9198a1; }
  }`;

/** @param {Chart} chart */
export function renderChart({ title, note, unit, logarithmic, groups }) {
  const values = groups.flatMap(({ bars }) => bars.map(({ value }) => value));
  const { lengthOf, marks } = scale(values, logarithmic, width - labelWidth - valueWidth);
  const lines = [];
  let y = 54;
  for (const { label, bars } of groups) {
    lines.push(text(8, y + 16, label, 'group'));
    y += headHeight;
    for (const { label: name, value, kind } of bars) {
      const length = Math.max(1, lengthOf(value));
      lines.push(text(labelWidth - 8, y + 12, name, kind === 'own' ? '' : 'faint', 'end'));
      lines.push(`<rect class="${kind}" x="${labelWidth}" y="${y + 2}" width="${round(length)}" height="13" rx="2"/>`);
      lines.push(text(labelWidth + length + 6, y + 12, `${digits(value)} ${unit}`, kind === 'own' ? '' : 'faint'));
      y += rowHeight;
    }
  }
  const grid = marks.map(({ at, label }) => {
    const x = round(labelWidth + at);
    return `<line class="grid" x1="${x}" x2="${x}" y1="54" y2="${y + 4}"/>${text(x, y + 18, label, 'faint', 'middle')}`;
  });
  const height = y + 28;
  const described = groups.map(
    ({ label, bars }) => `${label}: ${bars.map((b) => `${b.label} ${digits(b.value)}`).join(', ')}`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<desc>${escaped(`${note} ${described.join('. ')}.`)}</desc>
<style>${style}
</style>
${text(8, 20, title, 'title')}
${text(8, 40, note, 'faint')}
${[...grid, ...lines].join('\n')}
</svg>
`;
}

/** How long a bar is, and where the axis has marks. @param {readonly number[]} values @param {boolean} logarithmic @param {number} room */
function scale(values, logarithmic, room) {
  const most = Math.max(...values);
  if (!logarithmic) {
    const step = 10 ** Math.floor(Math.log10(most)) * (most / 10 ** Math.floor(Math.log10(most)) > 4 ? 2 : 1);
    const marks = [];
    for (let value = 0; value <= most; value += step)
      marks.push({ at: (value / most) * room, label: String(Number(value.toPrecision(3))) });
    return { lengthOf: (/** @type {number} */ value) => (value / most) * room, marks };
  }
  const low = Math.floor(Math.log10(Math.min(...values)) - 0.3);
  const high = Math.log10(most);
  const place = (/** @type {number} */ value) => ((Math.log10(value) - low) / (high - low)) * room;
  const marks = [];
  for (let power = low; power <= high; power++)
    marks.push({ at: place(10 ** power), label: String(Number((10 ** power).toPrecision(1))) });
  return { lengthOf: place, marks };
}

/** @param {number} x @param {number} y @param {string} content @param {string} [name] @param {string} [anchor] */
function text(x, y, content, name = '', anchor = 'start') {
  const attributes = `${name === '' ? '' : ` class="${name}"`}${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}`;
  return `<text x="${round(x)}" y="${round(y)}"${attributes}>${escaped(content)}</text>`;
}

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;
/** @param {string} content */
const escaped = (content) => content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
