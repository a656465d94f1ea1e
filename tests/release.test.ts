/** The rehearsal of a release, and that it would rather fail than publish to the world. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openRegistry } from '../scripts/release/registry.mjs';
import { assertOnlyLocal, makeSandbox } from '../scripts/release/sandbox.mjs';
import { command } from './support/commands.ts';
import { names } from './support/install.ts';

const everybodys = 'https://packages.example/';

/** A folder that looks like the repository, with one package. */
function repository(publishConfig: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'nn-sandbox-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'packages/core'), { recursive: true });
  writeFileSync(join(folder, 'packages/core/package.json'), JSON.stringify({ publishConfig }));
  return folder;
}

test('all packages are versioned, published to a registry in memory, installed from it, and train', async () => {
  const lines = (await command(process.execPath, ['scripts/release-rehearse.mjs'])).trim().split('\n');
  expect(lines[0]).toMatch(/^npm and pnpm know one registry, http:\/\/127\.0\.0\.1:\d+\/, and reach no other\.$/);
  expect(lines[1]).toMatch(
    new RegExp(`^versioned ${names.length} packages as \\d+\\.\\d+\\.\\d+, each with its changelog$`),
  );
  const version = lines[1]?.split(' ')[4]?.slice(0, -1) ?? '';
  const published = lines.filter((line) => line.startsWith('published ')).map((line) => line.split(' ')[1]);
  expect(published).toEqual(names.map((name) => `@nn/${name}`));
  expect(lines.at(-3)).toBe(`npm create @nn made a project of ${version}, which ran`);
  expect(lines.at(-2)).toBe(`installed ${names.length} packages of ${version} from there, and trained with them.`);
});

test('the rehearsal refuses every registry that is not on this machine', async () => {
  for (const address of [everybodys, 'http://localhost:1/', 'http://127.0.0.1.example.org:80/', 'nonsense', '']) {
    expect(() => makeSandbox('/nowhere', address)).toThrow('not one on this machine: nothing is published.');
  }
});

test('it stops when a package or a setting names another registry', async () => {
  const { address, close } = await openRegistry();
  onTestFinished(close);
  const foreign = repository({ registry: everybodys });
  const sandbox = makeSandbox(join(foreign, 'home'), address);
  await expect(assertOnlyLocal(sandbox, foreign)).rejects.toThrow(
    `publishConfig.registry of packages/core is ${everybodys}, not one on this machine`,
  );
  const named = repository({});
  await expect(assertOnlyLocal(sandbox, named)).rejects.toThrow('publishConfig.registry of packages/core is undefined');

  // npm and pnpm follow a scope's registry before `registry`, in `publishConfig` too.
  for (const elsewhere of [{ '@nn:registry': everybodys }, { noproxy: '*' }]) {
    const hidden = repository({ registry: address, ...elsewhere });
    await expect(assertOnlyLocal(sandbox, hidden)).rejects.toThrow(
      `publishConfig of packages/core has ${Object.keys(elsewhere)}, which may name another place`,
    );
  }

  const scoped = repository({ registry: address });
  writeFileSync(join(scoped, 'package.json'), '{}');
  writeFileSync(join(scoped, '.npmrc'), `@nn:registry=${everybodys}\n`);
  await expect(assertOnlyLocal(sandbox, scoped)).rejects.toThrow(
    /the @nn:registry of p?npm is https:.*, not one on this machine/,
  );

  const nested = repository({ registry: address });
  writeFileSync(join(nested, 'packages/core/.npmrc'), `registry=${everybodys}\n`);
  await expect(assertOnlyLocal(sandbox, nested)).rejects.toThrow('packages/core has settings of its own (.npmrc).');
});

test('settings of whoever starts it do not reach the rehearsal', async () => {
  const { address, close } = await openRegistry();
  onTestFinished(close);
  const hostile = {
    npm_config_registry: everybodys,
    'NPM_CONFIG_@nn:registry': everybodys,
    pnpm_config_registry: everybodys,
    npm_config_noproxy: '*',
    NO_PROXY: '*',
    NODE_AUTH_TOKEN: 'secret',
    NPM_TOKEN: 'secret',
  };
  for (const [key, value] of Object.entries(hostile)) vi.stubEnv(key, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const folder = repository({ registry: address });
  writeFileSync(join(folder, 'package.json'), '{}');
  const { run } = makeSandbox(join(folder, 'home'), address);
  const seen = await run(process.execPath, ['-p', 'JSON.stringify(process.env)'], folder);
  expect(seen).not.toContain(everybodys);
  expect(seen).not.toContain('secret');
  for (const program of ['npm', 'pnpm']) {
    expect((await run(program, ['config', 'get', 'registry'], folder)).trim()).toBe(address);
    expect((await run(program, ['config', 'get', '@nn:registry'], folder)).trim()).toBe(address);
  }
});

test('the registry in memory takes no package twice, and none without its token', async () => {
  const { address, close, packages } = await openRegistry();
  onTestFinished(close);
  const put = async (authorization: string): Promise<number> => {
    const body = JSON.stringify({
      name: 'one',
      versions: { '1.0.0': { name: 'one', version: '1.0.0' } },
      'dist-tags': { latest: '1.0.0' },
      _attachments: { 'one-1.0.0.tgz': { data: '' } },
    });
    return (await fetch(`${address}one`, { method: 'PUT', headers: { authorization }, body })).status;
  };
  expect(await put('Bearer of-somebody')).toBe(401);
  expect(packages.size).toBe(0);
  expect(await put('Bearer rehearsal')).toBe(201);
  expect(await put('Bearer rehearsal')).toBe(403);
  expect((await fetch(`${address}two`)).status).toBe(404);
});
