/** Numbers as the page writes them: short, as wide as one another, with one and the same sign for minus. */
export function short(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return String(value).replace('-', '−');
  const size = Math.abs(value);
  const text =
    size !== 0 && (size < 10 ** -digits || size >= 1e5)
      ? value.toExponential(1)
      : value.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : digits);
  return text.replaceAll('-', '−').replace('e+', 'e');
}

/** A later term of a sum, with its sign before it: `+ 0.5`, `− 0.5`. */
export const term = (value: number): string => (value < 0 ? `− ${short(-value)}` : `+ ${short(value)}`);

/** The second factor of a product. */
export const factor = (value: number): string => (value < 0 ? `(${short(value)})` : short(value));

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  return count < 1024 ** 2 ? `${(count / 1024).toFixed(0)} kB` : `${(count / 1024 ** 2).toFixed(1)} MB`;
}
