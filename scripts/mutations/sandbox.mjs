/**
 * A copy of the repository in which sources may be changed: whatever ends a run, the repository itself stays as it is.
 * Owns the copy and running a test file in it. Dependencies are linked, not copied.
 */
import { fork, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { mutated, root } from './mutations.mjs';

/** @typedef {import('./mutations.mjs').Mutation} Mutation */
/** @typedef {import('./tester.mjs').Outcome} Outcome */

/** After so many milliseconds a test file is given up: nobody knows whether the change was noticed. */
const patience = 300_000;

/** Ends vitest and the processes in which it runs tests: a change may have made an endless loop of one. @param {import('node:child_process').ChildProcess} child */
function endGroup(child) {
  if (child.pid === undefined || child.exitCode !== null) return;
  if (process.platform === 'win32') child.kill('SIGKILL');
  else process.kill(-child.pid, 'SIGKILL');
}

export class Sandbox {
  /** @type {string} */
  #folder;
  /** @type {import('node:child_process').ChildProcess | null} */
  #child = null;

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'nn-mutations-'));
    const listed = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    if (listed.status !== 0) throw new Error(`git does not list the files to copy: ${listed.stderr}`);
    const files = listed.stdout.split('\0').filter((file) => file !== '' && existsSync(join(root, file)));
    for (const file of files) {
      mkdirSync(dirname(join(this.#folder, file)), { recursive: true });
      copyFileSync(join(root, file), join(this.#folder, file));
    }
    // What is found from everywhere: others' packages where they are, ours in the copy.
    mkdirSync(join(this.#folder, 'node_modules'));
    for (const name of readdirSync(join(root, 'node_modules'))) {
      if (name === '@nn' || name === '.cache' || name.startsWith('.vite')) continue;
      symlinkSync(join(root, 'node_modules', name), join(this.#folder, 'node_modules', name), 'junction');
    }
    cpSync(join(root, 'node_modules/@nn'), join(this.#folder, 'node_modules/@nn'), {
      recursive: true,
      verbatimSymlinks: true,
    });
    // The packages' own node_modules hold links that are relative: in the copy they lead to its packages.
    for (const folder of new Set(files.map((file) => /^(?:packages|apps)\/[^/]+/.exec(file)?.[0] ?? ''))) {
      const modules = join(folder, 'node_modules');
      if (folder === '' || !existsSync(join(root, modules))) continue;
      cpSync(join(root, modules), join(this.#folder, modules), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (source) => !/node_modules[\\/]\.(?!bin)/.test(source),
      });
    }
  }

  /** The names of the tests that fail when the mutation is in. @param {Mutation} mutation @returns {Promise<Outcome>} */
  async try(mutation) {
    const path = join(this.#folder, mutation.file);
    const source = readFileSync(path, 'utf8');
    writeFileSync(path, mutated(mutation, source));
    try {
      return await this.#ask(mutation);
    } finally {
      if (existsSync(path)) writeFileSync(path, source);
    }
  }

  /** @param {import('./tester.mjs').Question} question @returns {Promise<Outcome>} */
  async #ask(question) {
    this.#child ??= await this.#start();
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const end = (/** @type {() => void} */ what) => {
        clearTimeout(timer);
        child.removeAllListeners();
        what();
      };
      const fail = (/** @type {string} */ reason) => {
        this.#child = null;
        endGroup(child);
        reject(new Error(`${question.test} with a change in ${question.file} ${reason}`));
      };
      const timer = setTimeout(() => end(() => fail(`did not end in ${patience / 1000} s.`)), patience);
      child.once('message', (outcome) => end(() => resolve(/** @type {Outcome} */ (outcome))));
      child.once('exit', () => end(() => fail('ended vitest itself.')));
      child.send(question);
    });
  }

  /** @returns {Promise<import('node:child_process').ChildProcess>} */
  #start() {
    return new Promise((resolve, reject) => {
      const child = fork(join(this.#folder, 'scripts/mutations/tester.mjs'), {
        cwd: this.#folder,
        // Its projects in a browser are not asked for, and what it prints says nothing.
        env: { ...process.env, NN_SKIP_BROWSER: '1' },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        detached: true, // a group of its own, which ends as a whole
      });
      child.once('exit', (code) =>
        reject(new Error(`vitest did not start in ${this.#folder}: it ended with ${code}.`)),
      );
      child.once('message', () => {
        child.removeAllListeners();
        resolve(child);
      });
    });
  }

  close() {
    if (this.#child !== null) endGroup(this.#child);
    this.#child = null;
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
