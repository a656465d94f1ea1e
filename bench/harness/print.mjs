/** Writes a line to the terminal. @param {string} [line] */
export function print(line = '') {
  process.stdout.write(`${line}\n`);
}
