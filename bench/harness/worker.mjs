/**
 * The process of one library: `node worker.mjs <file of the library> <options as JSON>`. Reads requests from stdin, one
 * JSON line each, and answers each with a line on stdout. What libraries print goes to stderr.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { session } from './session.mjs';

const write = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);

/** The most memory that this process ever held, in bytes. */
function peakMemory() {
  try {
    const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
    if (found?.[1] !== undefined) return Number(found[1]) * 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}

const [file = '', options = '{}'] = process.argv.slice(2);
const library = await import(new URL(`../libraries/${file}`, import.meta.url).href);
const actions = {
  ...session(library, JSON.parse(options)),
  memory: () => ({ peak: peakMemory() }),
};

// A library's promise that nobody awaited must not end the process: the request that caused it fails on its own.
process.on('unhandledRejection', (reason) => process.stderr.write(`unhandled: ${reason}\n`));

for await (const line of createInterface({ input: process.stdin })) {
  const { id, action, ...message } = JSON.parse(line);
  try {
    const answer = await actions[/** @type {keyof typeof actions} */ (action)](message);
    write(`${JSON.stringify({ id, answer })}\n`);
  } catch (error) {
    write(
      `${JSON.stringify({ id, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) })}\n`,
    );
  }
}
process.exit(0);
