/** Facts of the machine, and how much of its processors other programs use while we measure. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** @param {string} node the program that runs the libraries */
export function machineFacts(node) {
  const [first] = cpus();
  const asked = spawnSync(node, ['-p', 'JSON.stringify([process.versions.node, process.versions.v8])'], {
    encoding: 'utf8',
  });
  const [nodeVersion = '', v8 = ''] = JSON.parse(asked.stdout);
  const processor = first?.model.trim() ?? 'unknown';
  return {
    processor,
    family: familyOf(processor),
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${platform()} ${release()} ${arch()}`,
    node: nodeVersion,
    v8,
    peak: peakOf(node),
  };
}

/** The maker and the line of a processor, for the name of a file: results of several machines stand side by side. @param {string} processor */
export const familyOf = (processor) =>
  processor
    .replace(/\(.*?\)|\b(processor|cpu)\b.*/gi, ' ')
    .trim()
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .slice(0, 2)
    .join('-');

/** The most GFLOP/s of 128-bit arithmetic, with what the engine has. @param {string} node */
function peakOf(node) {
  const file = fileURLToPath(new URL('peak.mjs', import.meta.url));
  const { fused, productAndSum } = JSON.parse(spawnSync(node, [file], { encoding: 'utf8' }).stdout);
  return fused === null ? `${productAndSum} GFLOP/s (products and sums)` : `${fused} GFLOP/s (fused)`;
}

/** The commit of the repository, with a + where files differ from it. */
export function commit() {
  const git = (/** @type {string[]} */ ...args) => spawnSync('git', args, { encoding: 'utf8' }).stdout?.trim() ?? '';
  const name = git('rev-parse', '--short', 'HEAD');
  return name === ''
    ? 'unknown'
    : name + (git('status', '--porcelain', '--untracked-files=no', 'packages') === '' ? '' : '+');
}

/** Seconds of processor time that all programs took since the machine started. */
function busySeconds() {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1000;
}

/** Seconds of processor time of a process, its threads included; 0 where that cannot be known. @param {number} pid */
function secondsOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

/** The processes that this one started, and those that they started; empty where that cannot be known. */
export function descendants() {
  if (platform() !== 'linux') return [];
  /** @type {Map<number, number>} */
  const parents = new Map();
  for (const name of readdirSync('/proc').filter((found) => /^\d+$/.test(found))) {
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      parents.set(Number(name), Number(fields[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const isOurs = (/** @type {number} */ pid) => {
    for (let at = parents.get(pid); at !== undefined && at > 1; at = parents.get(at))
      if (at === process.pid) return true;
    return false;
  };
  return [...parents.keys()].filter(isOurs);
}

/**
 * Watches the processors: `stop()` answers how many of them other programs kept busy meanwhile, on average, or null where
 * that cannot be known.
 * @param {() => readonly number[]} ownProcesses
 */
export function watchOthers(ownProcesses) {
  if (platform() !== 'linux') return { stop: () => null };
  const own = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6 + ownProcesses().reduce((sum, pid) => sum + secondsOf(pid), 0);
  };
  const [busy, ours, time] = [busySeconds(), own(), performance.now()];
  return {
    stop: () => {
      const seconds = (performance.now() - time) / 1000;
      return Math.max(0, (busySeconds() - busy - (own() - ours)) / seconds);
    },
  };
}
