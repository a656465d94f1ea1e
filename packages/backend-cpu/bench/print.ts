/** One line on the terminal. */
export function print(...parts: readonly string[]): void {
  process.stdout.write(`${parts.join(' ')}\n`);
}
