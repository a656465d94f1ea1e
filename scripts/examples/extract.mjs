/**
 * Finds the examples: every `@example` in the docstrings of a TypeScript file and every `ts` block of a Markdown file, with
 * the `text output` block behind it, if there is one: all that it prints.
 * It does not know how they are run (run-examples.mjs) or what their comments mean (instrument.mjs).
 */

/**
 * @typedef {object} Example
 * @property {string} file the file it comes from, relative to the repository
 * @property {number} line the line of its first line of code, from 1
 * @property {string} code
 * @property {boolean} run false for blocks marked `ts no-run`, which are only type checked
 * @property {boolean} docstring
 * @property {string} [output] what it prints in all, where a `text output` block says so
 */

/** @param {string} file @param {string} text @returns {Example[]} */
export function extractExamples(file, text) {
  return file.endsWith('.md') ? fromLines(file, text.split('\n'), 1, false) : fromDocstrings(file, text);
}

/** @param {string} file @param {string} text */
function fromDocstrings(file, text) {
  /** @type {Example[]} */
  const examples = [];
  for (const { 0: comment, index } of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const firstLine = text.slice(0, index).split('\n').length;
    const lines = comment
      .replace(/\s*\*\/$/, '')
      .split('\n')
      .map((line) => line.replace(/^\s*\/?\*+ ?/, ''));
    for (let at = 0; at < lines.length; at++) {
      if (!/^@example\b/.test(lines[at] ?? '')) continue;
      let end = at + 1;
      while (end < lines.length && !/^@\w/.test(lines[end] ?? '')) end++;
      const body = lines.slice(at + 1, end);
      const fenced = fromLines(file, body, firstLine + at + 1, true);
      if (fenced.length > 0) examples.push(...fenced);
      else examples.push(...unfenced(file, body, firstLine + at + 1));
      at = end - 1;
    }
  }
  return examples;
}

/** @param {string} file @param {string[]} lines @param {number} firstLine @returns {Example[]} */
function unfenced(file, lines, firstLine) {
  const code = lines.join('\n').trimEnd();
  return code.trim() === '' ? [] : [{ file, line: firstLine, code, run: true, docstring: true }];
}

/** The fenced blocks among the lines. @param {string} file @param {string[]} lines @param {number} firstLine @param {boolean} docstring */
function fromLines(file, lines, firstLine, docstring) {
  /** @type {Example[]} */
  const examples = [];
  for (let at = 0; at < lines.length; at++) {
    const [, indent = '', fence = '', language, mark] = /^(\s*)(`{3,})(\w*)[ \t]*(.*)$/.exec(lines[at] ?? '') ?? [];
    if (!fence) continue;
    const start = at + 1;
    do at++;
    while (at < lines.length && (lines[at] ?? '').trim() !== fence);
    const inside = lines.slice(start, at).map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
    const last = examples.at(-1);
    if (language === 'text' && mark === 'output') {
      if (!last || last.output !== undefined)
        throw new Error(`${file}:${firstLine + start}: the output of no example.`);
      last.output = inside.join('\n');
    }
    if (language !== 'ts' && language !== 'typescript') continue;
    examples.push({ file, line: firstLine + start, code: inside.join('\n'), run: mark !== 'no-run', docstring });
  }
  return examples;
}
