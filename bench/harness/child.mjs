/** A process of a library, asked by name and awaited: the parent's end of `worker.mjs` and `libraries/pytorch.py`. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** @typedef {{ readonly pid: number, ask(action: string, message?: object, limit?: number): Promise<any>, end(): Promise<void> }} Channel */

/** @param {string} command @param {readonly string[]} args @param {Record<string, string>} [environment] @returns {Channel} */
export function child(command, args, environment = {}) {
  const started = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  /** @type {Map<number, { resolve(answer: unknown): void, reject(error: Error): void }>} */
  const waiting = new Map();
  let asked = 0;
  let noise = '';
  /** @type {Error | null} */
  let gone = null;
  started.stderr.on('data', (text) => {
    noise = (noise + text).slice(-2000);
  });
  createInterface({ input: started.stdout }).on('line', (line) => {
    const { id, answer, error } = JSON.parse(line);
    const request = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) request?.resolve(answer);
    else request?.reject(new Error(error));
  });
  const exited = new Promise((resolve) => {
    const finish = (/** @type {Error} */ error) => {
      gone ??= error;
      for (const { reject } of waiting.values()) reject(gone);
      waiting.clear();
      resolve(undefined);
    };
    started.on('error', finish);
    started.on('exit', (code, signal) =>
      finish(new Error(`the process ended with ${signal ?? code}: ${noise.trim().split('\n').slice(-3).join(' | ')}`)),
    );
  });
  started.stdin.on('error', () => {});
  return {
    pid: started.pid ?? 0,
    ask(action, message = {}, limit = 180_000) {
      if (gone !== null) return Promise.reject(gone);
      asked++;
      const id = asked;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          gone = new Error(`no answer within ${limit / 1000} s`);
          started.kill('SIGKILL');
        }, limit);
        const settle = (/** @type {(value: any) => void} */ done) => (/** @type {unknown} */ value) => {
          clearTimeout(timer);
          done(value);
        };
        waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
        started.stdin.write(`${JSON.stringify({ id, action, ...message })}\n`);
      });
    },
    async end() {
      started.stdin.end();
      const timer = setTimeout(() => started.kill('SIGKILL'), 2000);
      await exited;
      clearTimeout(timer);
    },
  };
}
