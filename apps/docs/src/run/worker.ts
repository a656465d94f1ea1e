/**
 * Runs one example, in a worker of its own, so that the page stays alive and an endless loop can be ended. It answers with
 * what is printed, the values that the example shows, and the error that ended it, with its line.
 */
import { format, inspect } from './inspect.ts';
import type { Report, Request } from './protocol.ts';
import { probes, toModule } from './rewrite.ts';

const report = (message: Report): void => postMessage(message);

addEventListener('message', ({ data }: MessageEvent<Request>) => {
  run(data).then(
    () => report({ kind: 'done' }),
    (error: unknown) => report({ kind: 'failed', ...describe(error) }),
  );
});

async function run({ code, packages, docstring }: Request): Promise<void> {
  const addressOf = (specifier: string): string => {
    if (!specifier.startsWith('@nn/'))
      throw new SyntaxError(`'${specifier}' is not there: a page has @nn/ packages only.`);
    return new URL(`${specifier.slice('@nn/'.length)}.js`, packages).href;
  };
  listen();
  Object.assign(globalThis, { [probes]: { value, throws } });
  const module = toModule(code, addressOf);
  if (docstring) {
    // Examples of docstrings need not say where they compute.
    const [{ cpu }, { setDefaultBackend }] = await Promise.all([
      import(/* @vite-ignore */ addressOf('@nn/backend-cpu')),
      import(/* @vite-ignore */ addressOf('@nn/core')),
    ]);
    setDefaultBackend(cpu());
  }
  const url = URL.createObjectURL(new Blob([`${module}\n`], { type: 'text/javascript' }));
  try {
    await import(/* @vite-ignore */ url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

function listen(): void {
  const print = (...values: unknown[]): void => report({ kind: 'print', text: format(...values) });
  Object.assign(console, { log: print, info: print, debug: print, warn: print, error: print });
}

function value(shown: unknown): unknown {
  report({ kind: 'value', text: inspect(shown) });
  return shown;
}

async function throws(action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
    report({ kind: 'value', text: 'nothing was thrown' });
  } catch (error) {
    report({ kind: 'value', text: String(error) });
  }
}

/** The message, and the line of the example that the stack names first. */
function describe(error: unknown): { readonly text: string; readonly line?: number } {
  if (!(error instanceof Error)) return { text: format(error) };
  const known: unknown = Reflect.get(error, 'line');
  const line = typeof known === 'number' ? known : Number(/blob:[^\s)]*?:(\d+):\d+/.exec(error.stack ?? '')?.[1]);
  const text = `${error.name}: ${error.message}`;
  return Number.isFinite(line) ? { text, line } : { text };
}
