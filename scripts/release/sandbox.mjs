/**
 * An environment in which npm, pnpm and changesets know one registry, on this machine, and can reach no other: no user's
 * or global configuration (so no token), and a proxy that does not exist for every other address.
 * `assertOnlyLocal` proves it before anything is published.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { token } from './registry.mjs';

const execute = promisify(execFile);

/** Nothing listens on port 9 (discard), and connections to it fail at once. */
const nowhere = 'http://127.0.0.1:9';

/** @typedef {{ run: (program: string, parameters: string[], cwd: string) => Promise<string>, registry: string }} Sandbox */

/** @param {string} home an empty folder @param {string} registry @returns {Sandbox} */
export function makeSandbox(home, registry) {
  requireLocal('the registry of the rehearsal', registry);
  mkdirSync(home, { recursive: true });
  const settings = join(home, '.npmrc');
  writeFileSync(settings, settingsFor(registry));
  writeFileSync(join(home, 'global'), '');
  const kept = Object.entries(process.env).filter(
    ([key]) => !/^(npm_|pnpm_|node_auth|node_options|xdg_|.*proxy$|.*token|vitest|github_|actions_|ci$)/i.test(key),
  );
  const env = {
    ...Object.fromEntries(kept),
    HOME: home,
    USERPROFILE: home,
    XDG_CONFIG_HOME: join(home, 'config'),
    npm_config_userconfig: settings,
    npm_config_globalconfig: join(home, 'global'),
    npm_config_registry: registry,
    pnpm_config_registry: registry,
    npm_config_cache: join(home, 'cache'),
    npm_config_fetch_retries: '0',
    pnpm_config_fetch_retries: '0',
    npm_config_proxy: nowhere,
    npm_config_https_proxy: nowhere,
    npm_config_noproxy: '127.0.0.1',
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
    http_proxy: nowhere,
    https_proxy: nowhere,
    NO_PROXY: '127.0.0.1',
    no_proxy: '127.0.0.1',
  };
  return {
    registry,
    async run(program, parameters, cwd) {
      try {
        const { stdout } = await execute(program, parameters, {
          cwd,
          env,
          shell: process.platform === 'win32',
          maxBuffer: 2 ** 26,
        });
        return stdout;
      } catch (error) {
        const { stdout = '', stderr = '' } = /** @type {{ stdout?: string, stderr?: string }} */ (error);
        throw new Error(`${program} ${parameters.join(' ')} failed:\n${stdout}${stderr || error}`);
      }
    },
  };
}

/** What a .npmrc needs to publish to the registry. @param {string} registry */
export function settingsFor(registry) {
  const address = registry.replace(/^http:/, '');
  return `registry=${registry}\n@nn:registry=${registry}\n${address}:_authToken=${token}\n`;
}

/** @param {string} what @param {string} address */
export function requireLocal(what, address) {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url?.protocol === 'http:' && url.hostname === '127.0.0.1' && url.port !== '') return;
  throw new Error(`${what} is ${address}, not one on this machine: nothing is published.`);
}

/**
 * Asks npm and pnpm themselves where they would publish, looks into every package, and tries to reach the public registry,
 * which has to fail. Throws before the first package could go to the wrong place.
 * @param {Sandbox} sandbox @param {string} repository the copy that is about to be published
 */
export async function assertOnlyLocal({ run, registry }, repository) {
  assertPackagesLocal(repository);
  const everybodys = await publicRegistry();
  const check = async (/** @type {string} */ program) => {
    for (const key of ['registry', '@nn:registry']) {
      const said = (await run(program, ['config', 'get', key], repository)).trim();
      requireLocal(`the ${key} of ${program}`, said);
      if (said !== registry) throw new Error(`${program} would publish to ${said}, not to ${registry}.`);
    }
    const parameters = ['view', 'npm', 'version', `--registry=${everybodys}`];
    const answer = await run(program, parameters, repository).catch(() => null);
    if (answer !== null) throw new Error(`${program} can still reach the public registry: nothing is published.`);
  };
  await Promise.all(['npm', 'pnpm'].map(check));
}

/** The registry that npm asks when nobody tells it another. */
async function publicRegistry() {
  const nobody = mkdtempSync(join(tmpdir(), 'nn-nobody-'));
  const kept = Object.entries(process.env).filter(([key]) => !/^(npm_|xdg_)/i.test(key));
  const [npm_config_userconfig, npm_config_globalconfig] = [join(nobody, 'user'), join(nobody, 'global')];
  const env = { ...Object.fromEntries(kept), npm_config_userconfig, npm_config_globalconfig };
  try {
    const shell = process.platform === 'win32';
    return (await execute('npm', ['config', 'get', 'registry'], { cwd: nobody, env, shell })).stdout.trim();
  } finally {
    rmSync(nobody, { recursive: true });
  }
}

/** What may stand in a package's `publishConfig`: any other key, as a scope's registry or `noproxy`, may lead elsewhere. */
const harmless = ['access', 'exports', 'registry'];

/** What a package says of itself comes before all settings. @param {string} repository */
export function assertPackagesLocal(repository) {
  for (const name of readdirSync(join(repository, 'packages'))) {
    const folder = join(repository, 'packages', name);
    for (const settings of ['.npmrc', 'pnpm-workspace.yaml']) {
      if (existsSync(join(folder, settings)))
        throw new Error(`packages/${name} has settings of its own (${settings}).`);
    }
    const { publishConfig } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    requireLocal(`publishConfig.registry of packages/${name}`, String(publishConfig.registry));
    const others = Object.keys(publishConfig).filter((key) => !harmless.includes(key));
    if (others.length > 0) {
      const known = `A rehearsal knows ${harmless.join(', ')}; nothing is published.`;
      throw new Error(
        `publishConfig of packages/${name} has ${others.join(', ')}, which may name another place. ${known}`,
      );
    }
  }
}
