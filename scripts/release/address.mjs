/**
 * The address of the repository in every package.json: npm compares `repository` with the provenance of a release and
 * refuses a package whose own is missing or different. Nobody can know it before the owner has chosen it.
 *
 *   node scripts/release/address.mjs https://host/owner/name    writes `repository`, `homepage` and `bugs` everywhere
 *   node scripts/release/address.mjs                            fails where they are missing; in the release workflow,
 *                                                               also where they are not those of the running repository
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** @typedef {Record<string, unknown>} Manifest */

/** What a package in `packages/<name>` says of an address. @param {string} address @param {string} name */
export function fieldsFor(address, name) {
  return {
    homepage: `${address}/tree/main/packages/${name}#readme`,
    bugs: `${address}/issues`,
    repository: { type: 'git', url: `git+${address}.git`, directory: `packages/${name}` },
  };
}

/** The manifest with the fields behind its licence, where npm's own documentation has them. @param {Manifest} manifest @param {string} address @param {string} name @returns {Manifest} */
export function withAddress(manifest, address, name) {
  const fields = fieldsFor(address, name);
  const { homepage, bugs, repository, ...rest } = manifest;
  return Object.fromEntries(
    Object.entries(rest).flatMap(([key, value]) =>
      key === 'license' ? [[key, value], ...Object.entries(fields)] : [[key, value]],
    ),
  );
}

/** What is wrong, one line each. Without `address` any will do, as long as it is there. @param {Manifest} manifest @param {string} name @param {string} [address] @returns {string[]} */
export function problemsOf(manifest, name, address) {
  return Object.entries(fieldsFor(address ?? '', name)).flatMap(([key, wanted]) => {
    const given = manifest[key];
    if (given === undefined) return [`packages/${name}/package.json has no \`${key}\`.`];
    if (address === undefined || JSON.stringify(given) === JSON.stringify(wanted)) return [];
    return [`packages/${name}/package.json: \`${key}\` is ${JSON.stringify(given)}, not ${JSON.stringify(wanted)}.`];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const given = process.argv[2]?.replace(/(\.git)?\/?$/, '');
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env;
  const here = server && repository ? `${server}/${repository}` : undefined;
  const problems = readdirSync(join(root, 'packages')).flatMap((name) => {
    const path = join(root, 'packages', name, 'package.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    if (given === undefined) return problemsOf(manifest, name, here);
    writeFileSync(path, `${JSON.stringify(withAddress(manifest, given, name), null, 2)}\n`);
    return [];
  });
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) {
    console.error(
      '\nnpm refuses provenance without them: node scripts/release/address.mjs <address of the repository>',
    );
    process.exitCode = 1;
  }
}
