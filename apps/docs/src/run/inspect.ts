/**
 * Values as text, as Node prints them: what `console.log` of an example shows in the page. It knows what examples print:
 * numbers, text, arrays, typed arrays, records, maps, sets, errors, and objects that say themselves how they look.
 */

const custom = Symbol.for('nodejs.util.inspect.custom');
const width = 76;
const deepest = 6;
const most = 100;

/** What `console.log(...values)` prints. */
export function format(...values: readonly unknown[]): string {
  return values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' ');
}

export function inspect(value: unknown): string {
  return show(value, 0, []);
}

function show(value: unknown, depth: number, above: readonly object[]): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'function') return callable(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (above.includes(value)) return '[Circular *1]';
  const own: unknown = Reflect.get(value, custom);
  if (typeof own === 'function') {
    const shown: unknown = own.call(value, deepest - depth, {}, inspect);
    return typeof shown === 'string' ? shown : show(shown, depth, [...above, value]);
  }
  if (value instanceof Error) return value.stack === undefined ? String(value) : `${value.name}: ${value.message}`;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (value instanceof Promise) return 'Promise { <pending> }';
  return container(value, depth, [...above, value]);
}

function callable(value: { readonly name?: string }): string {
  const name = value.name || '(anonymous)';
  if (!/^class\b/.test(String(value))) return value.name ? `[Function: ${name}]` : `[Function ${name}]`;
  const { name: parent = '' } = Object.getPrototypeOf(value) ?? {};
  return parent === '' ? `[class ${name}]` : `[class ${name} extends ${parent}]`;
}

function quoted(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  if (!text.includes("'")) return `'${escaped}'`;
  return text.includes('"') ? `'${escaped.replaceAll("'", "\\'")}'` : `"${escaped}"`;
}

function container(value: object, depth: number, above: readonly object[]): string {
  const inside = (each: unknown): string => show(each, depth + 1, above);
  const name = value.constructor?.name ?? '';
  if (depth > deepest) return Array.isArray(value) ? '[Array]' : `[${name || 'Object'}]`;
  const length = lengthOf(value);
  if (length !== undefined) {
    const items = Array.from({ length: Math.min(length, most) }, (_, at) => inside(Reflect.get(value, at)));
    if (length > most) items.push(`... ${length - most} more item${length - most > 1 ? 's' : ''}`);
    return bracketed(Array.isArray(value) && name === 'Array' ? '' : `${name}(${length}) `, '[', ']', items, depth);
  }
  if (value instanceof Map) {
    const items = [...value].map(([key, each]) => `${inside(key)} => ${inside(each)}`);
    return bracketed(`Map(${value.size}) `, '{', '}', items, depth);
  }
  if (value instanceof Set) return bracketed(`Set(${value.size}) `, '{', '}', [...value].map(inside), depth);
  const items = Object.keys(value).map((key) => `${keyOf(key)}: ${member(value, key, inside)}`);
  const prototype: unknown = Object.getPrototypeOf(value);
  const label = prototype === null ? '[Object: null prototype] ' : name === 'Object' ? '' : `${name} `;
  return bracketed(label, '{', '}', items, depth);
}

/** A getter is named, not called. */
function member(value: object, key: string, inside: (each: unknown) => string): string {
  const { get, set } = Object.getOwnPropertyDescriptor(value, key) ?? {};
  if (get !== undefined) return set === undefined ? '[Getter]' : '[Getter/Setter]';
  return inside(Reflect.get(value, key));
}

/** The length of an array or a typed array. */
function lengthOf(value: object): number | undefined {
  if (Array.isArray(value)) return value.length;
  return ArrayBuffer.isView(value) && 'length' in value && typeof value.length === 'number' ? value.length : undefined;
}

const keyOf = (key: string): string => (/^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key));

/** On one line where they fit, else as many short ones on a line as fit, else one on each. */
function bracketed(label: string, open: string, close: string, items: readonly string[], depth: number): string {
  if (items.length === 0) return `${label}${open}${close}`;
  const line = `${label}${open} ${items.join(', ')} ${close}`;
  if (line.length + depth * 2 <= width && !line.includes('\n')) return line;
  const indent = '  '.repeat(depth + 1);
  const isShort = open === '[' && items.every((item) => item.length <= 12);
  const rows = isShort ? filled(items, width - indent.length) : items;
  return `${label}${open}\n${rows.map((row) => indent + row).join(',\n')}\n${'  '.repeat(depth)}${close}`;
}

/** Short items, in rows of columns. */
function filled(items: readonly string[], room: number): string[] {
  const size = Math.max(...items.map((item) => item.length)) + 2;
  const columns = Math.max(1, Math.floor(room / size));
  return Array.from({ length: Math.ceil(items.length / columns) }, (_, row) =>
    items
      .slice(row * columns, (row + 1) * columns)
      .map((item) => item.padStart(size - 2))
      .join(', '),
  );
}
