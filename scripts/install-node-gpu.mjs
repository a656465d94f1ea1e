/**
 * Owns: installing the native packages that give Node a GPU, for tests and benchmarks, in a folder that git ignores.
 * Does not own: their use. They are no dependency of any package here: users install the one they want.
 *
 *     node scripts/install-node-gpu.mjs
 *
 * On Linux `gl` is built where it has no binary: Debian needs `g++ make pkg-config libxi-dev libxext-dev libgl1-mesa-dev`, and
 * to run `xvfb libgl1-mesa-dri`. `webgpu` needs `libvulkan1` and a driver; the tests take the one of Chromium.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const packages = { gl: '9.0.0-rc.10', webgpu: '0.6.2' };
const folder = fileURLToPath(new URL('../node_modules/.cache/nn-gpu/', import.meta.url));
mkdirSync(folder, { recursive: true });
writeFileSync(`${folder}package.json`, JSON.stringify({ private: true, dependencies: {} }));
let failed = 0;
for (const [name, version] of Object.entries(packages)) {
  try {
    execFileSync('npm', ['install', '--no-audit', '--no-fund', `${name}@${version}`], {
      cwd: folder,
      stdio: 'inherit',
    });
  } catch {
    console.error(`${name}@${version} could not be installed; its tests are skipped.`);
    failed++;
  }
}
console.log(`In ${folder}: ${Object.keys(packages).length - failed} of ${Object.keys(packages).length} packages.`);
process.exitCode = failed === 0 ? 0 : 1;
