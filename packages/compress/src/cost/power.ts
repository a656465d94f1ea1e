/**
 * What a machine says of its energy and its load: counters of the processor (RAPL) and processor time. Owns reading them, in Node
 * alone; a page and most virtual machines have neither. What is made of them is `energy.ts`.
 */

/** The parts of Node that are asked, where they are there. */
interface NodeProcess {
  cpuUsage?(): { readonly user: number; readonly system: number };
  getBuiltinModule?(name: 'node:fs'): {
    readdirSync(path: string): string[];
    readFileSync(path: string, encoding: 'utf8'): string;
  };
  getBuiltinModule?(name: 'node:os'): { availableParallelism(): number };
}

const nodeProcess = (): NodeProcess | undefined => (globalThis as { process?: NodeProcess }).process;

/** A counter of energy that may start again from 0. */
export interface EnergyCounters {
  /** What they count: 'package-0, dram'. */
  readonly names: string;
  /** Joules since it was last asked. Asked too seldom (above half an hour under load) a counter may have gone round twice. */
  joules(): number;
}

/**
 * The counters of Linux' powercap folder that may be read: packages, and memory beside them. Null where there are none, and where
 * only root may read them, as is usual since 2020.
 */
export function raplCounters(folder = '/sys/class/powercap'): EnergyCounters | null {
  const fs = nodeProcess()?.getBuiltinModule?.('node:fs');
  if (fs === undefined) return null;
  const read = (zone: string, file: string): string => fs.readFileSync(`${folder}/${zone}/${file}`, 'utf8').trim();
  try {
    const zones = fs
      .readdirSync(folder)
      .filter((zone) => /^intel-rapl:\d+(:\d+)?$/.test(zone))
      .map((zone) => ({ zone, name: read(zone, 'name') }))
      // cores and uncore are parts of their package; psys holds everything a second time
      .filter(({ zone, name }) => (zone.split(':').length === 2 ? name.startsWith('package') : name === 'dram'))
      .map(({ zone, name }) => ({
        zone,
        name,
        range: Number(read(zone, 'max_energy_range_uj')),
        last: Number(read(zone, 'energy_uj')),
      }));
    if (zones.length === 0) return null;
    return {
      names: zones.map(({ name }) => name).join(', '),
      joules: () => {
        let microjoules = 0;
        for (const zone of zones) {
          const now = Number(read(zone.zone, 'energy_uj'));
          microjoules += now >= zone.last ? now - zone.last : now + zone.range - zone.last;
          zone.last = now;
        }
        return microjoules / 1e6;
      },
    };
  } catch {
    return null; // not there, or not for us
  }
}

/** Seconds of processor time that this process has taken, over all cores; null where nobody says. */
export function processorSeconds(): number | null {
  const usage = nodeProcess()?.cpuUsage?.();
  return usage === undefined ? null : (usage.user + usage.system) / 1e6;
}

/** How many cores the machine has for us. */
export function coreCount(): number {
  const inPage = (globalThis as { navigator?: { readonly hardwareConcurrency?: number } }).navigator;
  return nodeProcess()?.getBuiltinModule?.('node:os').availableParallelism() ?? inPage?.hardwareConcurrency ?? 1;
}
