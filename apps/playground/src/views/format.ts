/** Numbers as the page writes them: short, and as wide as one another. */
export function short(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 10 ** -digits || size >= 1e5)) return value.toExponential(1);
  return value.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : digits);
}

/** As `short`, with the sign of negatives as a minus. */
export const signed = (value: number, digits = 3): string => short(value, digits).replace('-', '−');

/** The second factor of a product. */
export const factor = (value: number): string => (value < 0 ? `(${signed(value)})` : signed(value));

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  return count < 1024 ** 2 ? `${(count / 1024).toFixed(0)} kB` : `${(count / 1024 ** 2).toFixed(1)} MB`;
}
