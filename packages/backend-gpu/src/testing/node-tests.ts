/**
 * Owns: for tests in Node, what makes its devices work where `scripts/install-node-gpu.mjs` put the packages: the folder,
 * a display, and the Vulkan driver in software that comes with Chromium.
 * Does not own: the tests. Nothing of it is needed where a machine has a display and drivers of its own.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { available, type GpuMode } from '../index.ts';

const cache = fileURLToPath(new URL('../../../../node_modules/.cache/', import.meta.url));

/** The modes for Node, each with the reason why it cannot be tested here, or null where it can. */
export async function nodeDevices(): Promise<readonly { readonly mode: GpuMode; readonly reason: string | null }[]> {
  const folder = join(cache, 'nn-gpu');
  if (existsSync(folder)) process.chdir(folder);
  if (existsSync(join(folder, 'node_modules/gl'))) await display();
  softwareVulkan();
  const found = await available();
  return found
    .filter(({ mode }) => mode !== 'webgl2')
    .map(({ mode, usable, detail }) => ({
      mode,
      reason: usable ? null : `${detail} For tests: node scripts/install-node-gpu.mjs`,
    }));
}

/** An X server without a screen, where there is none; it ends with its last client, this process. */
async function display(): Promise<void> {
  if (process.platform !== 'linux' || process.env.DISPLAY) return;
  const server = spawn('Xvfb', ['-terminate', '-displayfd', '3', '-screen', '0', '64x64x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const number = await new Promise<string | undefined>((resolve) => {
    server.once('error', () => resolve(undefined));
    server.once('exit', () => resolve(undefined));
    server.stdio[3]?.once('data', (data) => resolve(String(data).trim()));
  });
  if (number === undefined) return;
  process.env.DISPLAY = `:${number}`;
  server.stdio[3]?.destroy();
  server.unref();
}

/** Beside the browser of the tests, or where Debian puts what its starter runs. */
function softwareVulkan(): void {
  const record = join(cache, 'nn-browser.json');
  if (process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES || !existsSync(record)) return;
  const { executablePath }: { executablePath?: string } = JSON.parse(readFileSync(record, 'utf8'));
  if (executablePath === undefined) return;
  for (const folder of [dirname(executablePath), join(dirname(executablePath), '../lib/chromium')]) {
    const driver = join(folder, 'vk_swiftshader_icd.json');
    if (existsSync(driver)) process.env.VK_ICD_FILENAMES = driver;
  }
}
