/**
 * A Chromium and a server for the tests of the packages: serves a folder, with a Content-Security-Policy for every path
 * below /with/<policy>/, and answers what a page reports.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { type Browser, type BrowserContext, chromium, type LaunchOptions } from 'playwright-core';
import { root } from './commands.ts';

/** A page reports with `console.log('result: ' + JSON.stringify(value))`. */
const prefix = 'result: ';
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
};

export interface Visit {
  readonly result: unknown;
  /** Errors and warnings of the page, and refusals of its policy. */
  readonly messages: readonly string[];
}

export interface Pages {
  /** Opens a page of the folder and waits for its result. */
  visit(path: string, policy?: string): Promise<Visit>;
  close(): Promise<void>;
}

/** Serves `folder` to a browser of its own. */
export async function openPages(folder: string): Promise<Pages> {
  const server = await serve(folder);
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const browser = await launch();
  return {
    async visit(path, policy = '') {
      const page = await browser.newPage();
      const messages: string[] = [];
      page.on('pageerror', (error) => messages.push(String(error)));
      // By the console, because a strict policy also keeps playwright from evaluating anything in the page.
      const found = page
        .waitForEvent('console', { predicate: (message) => message.text().startsWith(prefix), timeout: 60_000 })
        .then((message) => JSON.parse(message.text().slice(prefix.length)))
        .catch((error: unknown) => `no result of ${path}: ${messages.join('\n')} ${error}`);
      page.on('console', (message) => {
        // The software GPU warns of its own slowness.
        const isOurs = ['error', 'warning'].includes(message.type()) && !message.text().includes('GL Driver Message');
        if (isOurs) messages.push(message.text());
      });
      try {
        await page.goto(`${address}/${policy === '' ? '' : `with/${encodeURIComponent(policy)}/`}${path}`);
        const result: unknown = await found;
        return { result, messages };
      } finally {
        await page.close();
      }
    },
    async close() {
      await browser.close();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

export const launch = (): Promise<Browser> => chromium.launch(options());

/** A browser that keeps what its pages store in a folder, as that of a person does; closing its context ends it. */
export const launchKept = (profile: string): Promise<BrowserContext> =>
  chromium.launchPersistentContext(profile, options());

function options(): LaunchOptions {
  const record = join(root, 'node_modules/.cache/nn-browser.json');
  const found: { executablePath?: string; env?: Record<string, string> } = existsSync(record)
    ? JSON.parse(readFileSync(record, 'utf8'))
    : {};
  return {
    args: [
      ...['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'],
      // a microphone that beeps, allowed without a question, and sound without a click
      ...['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
      '--autoplay-policy=no-user-gesture-required',
    ],
    ...(found.executablePath === undefined ? {} : { executablePath: found.executablePath }),
    ...(found.env === undefined ? {} : { env: { ...(process.env as Record<string, string>), ...found.env } }),
  };
}

export async function serve(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const [, policy, path] = /^\/(?:with\/([^/]*)\/)?([^?]*)/.exec(request.url ?? '') ?? [];
    const file = join(folder, normalize(decodeURIComponent(path ?? '')));
    if (!file.startsWith(folder) || !existsSync(file)) {
      response.writeHead(path === 'favicon.ico' ? 204 : 404).end();
      return;
    }
    const type = types[extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, {
      'content-type': type,
      ...(policy === undefined ? {} : { 'content-security-policy': decodeURIComponent(policy) }),
    });
    response.end(readFileSync(file));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
}
