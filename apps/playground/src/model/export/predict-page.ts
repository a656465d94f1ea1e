/** A page in one file that predicts with a trained network: a form or a pad, the answer beside it. It fetches nothing. */
import type { Goal } from '../spec.ts';
import { type PlainLayer, predictor } from './predictor.ts';

export type PageField =
  /** Read as a number: (value - offset) / divisor goes in at `place`; `fill` where the field is empty. */
  | {
      readonly kind: 'number';
      readonly label: string;
      readonly start: number;
      readonly fill: number;
    }
  /** One of several: 1 goes in at its place, 0 at the others. */
  | { readonly kind: 'choice'; readonly label: string; readonly options: readonly string[]; readonly fill: string };

export interface PageFacts {
  readonly title: string;
  readonly layers: readonly PlainLayer[];
  readonly inputShape: readonly number[];
  readonly goal: Goal;
  readonly classNames: readonly string[];
  readonly target: string;
  readonly unit: string;
  readonly fields: readonly PageField[];
  /** What is made of the numbers of the fields, as text of a function of x and y; null where they go in as they are. */
  readonly features: string | null;
  readonly inputScale: { readonly offset: readonly number[]; readonly divisor: readonly number[] } | null;
  readonly targetScale: { readonly offset: number; readonly divisor: number } | null;
}

/** Text that can stand inside a script. */
const literal = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) => (typeof item === 'number' ? Number(item.toPrecision(9)) : item))
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export function predictPage(facts: PageFacts): string {
  const { layers, inputShape, features, ...rest } = facts;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(facts.title)}</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
form { display: grid; gap: 0.7rem; max-width: 22rem; }
label { display: grid; gap: 0.2rem; }
input, select, button { font: inherit; padding: 0.3rem 0.5rem; }
canvas { width: 14rem; height: 14rem; border: 1px solid #888; border-radius: 8px; background: #fbfaf7; touch-action: none; cursor: crosshair; }
output { display: block; margin: 1rem 0; font-size: 1.4rem; font-weight: 600; }
li { display: grid; grid-template-columns: 8rem 1fr 4rem; gap: 0.5rem; align-items: center; }
ul { padding: 0; list-style: none; }
.bar { height: 0.7rem; border-radius: 3px; background: #2c6cb4; min-width: 1px; }
</style>
</head>
<body>
<h1>${escaped(facts.title)}</h1>
<form id="form"></form>
<output id="answer" aria-live="polite"></output>
<ul id="shares"></ul>
<script>
const facts = ${literal(rest)};
const features = ${features ?? 'null'};
const forward = (${predictor.toString()})(${literal(layers)}, ${literal(inputShape)});
${pageScript}
</script>
</body>
</html>
`;
}

/** The page's own script, in the language of the page: it reads the form or the pad and shows the answer. */
const pageScript = `
const form = document.getElementById('form');
const isImage = facts.fields.length === 0;
const fields = facts.fields.map((field) => {
  const label = document.createElement('label');
  label.textContent = field.label;
  const control = document.createElement(field.kind === 'number' ? 'input' : 'select');
  if (field.kind === 'number') {
    control.type = 'number';
    control.step = 'any';
    control.value = field.start;
  } else {
    for (const option of field.options) control.append(new Option(option, option));
  }
  control.addEventListener('input', show);
  label.append(control);
  form.append(label);
  return control;
});
const side = 28;
const ink = new Float32Array(side * side);
if (isImage) {
  const pad = document.createElement('canvas');
  pad.width = pad.height = side;
  pad.setAttribute('role', 'img');
  pad.setAttribute('aria-label', 'Draw here');
  const clear = document.createElement('button');
  clear.type = 'button';
  clear.textContent = 'Clear';
  clear.addEventListener('click', () => { ink.fill(0); paint(); show(); });
  form.append(pad, clear);
  const paint = () => {
    const image = new ImageData(side, side);
    ink.forEach((value, i) => image.data.set([38, 42, 50, 255 * value], 4 * i));
    pad.getContext('2d').putImageData(image, 0, 0);
  };
  pad.addEventListener('pointerdown', (event) => { pad.setPointerCapture(event.pointerId); draw(event); });
  pad.addEventListener('pointermove', (event) => { if (event.buttons > 0) draw(event); });
  const draw = (event) => {
    const box = pad.getBoundingClientRect();
    const [x, y] = [((event.clientX - box.left) / box.width) * side, ((event.clientY - box.top) / box.height) * side];
    for (let i = 0; i < ink.length; i++) {
      const far = Math.hypot((i % side) + 0.5 - x, Math.floor(i / side) + 0.5 - y);
      ink[i] = Math.max(ink[i], Math.max(0, Math.min(1, 1.75 - far)));
    }
    paint();
    show();
  };
}
function inputs() {
  if (isImage) return ink;
  const given = facts.fields.flatMap((field, k) => {
    const text = fields[k].value.trim();
    if (field.kind === 'number') return [text === '' ? field.fill : Number(text)];
    return field.options.map((option) => Number(option === (text || field.fill)));
  });
  const made = features === null ? given : features(given[0], given[1]);
  const scale = facts.inputScale;
  return scale === null ? made : made.map((value, i) => (value - scale.offset[i]) / scale.divisor[i]);
}
function show() {
  const out = forward(inputs());
  const answer = document.getElementById('answer');
  const list = document.getElementById('shares');
  list.replaceChildren();
  if (facts.goal === 'quantity') {
    const { offset, divisor } = facts.targetScale ?? { offset: 0, divisor: 1 };
    answer.textContent = [facts.target, Number((offset + divisor * out[0]).toPrecision(6)), facts.unit].filter((part) => part !== '').join(' ');
    return;
  }
  let shares;
  if (facts.goal === 'binary') {
    const share = 1 / (1 + Math.exp(-out[0]));
    shares = [1 - share, share];
  } else {
    const top = Math.max(...out);
    const powers = out.map((z) => Math.exp(z - top));
    const sum = powers.reduce((a, b) => a + b);
    shares = powers.map((power) => power / sum);
  }
  const best = shares.indexOf(Math.max(...shares));
  answer.textContent = facts.classNames[best] + ' (' + (100 * shares[best]).toFixed(1) + ' %)';
  shares.forEach((share, k) => {
    const item = document.createElement('li');
    const [name, bar, text] = ['span', 'span', 'span'].map((kind) => document.createElement(kind));
    name.textContent = facts.classNames[k];
    bar.className = 'bar';
    bar.style.width = 100 * share + '%';
    text.textContent = (100 * share).toFixed(1) + ' %';
    item.append(name, bar, text);
    list.append(item);
  });
}
show();`;
