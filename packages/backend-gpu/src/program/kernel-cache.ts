/**
 * Owns: compiled shaders, shared by all programs, keyed by their text. Text is the structure: a chain of element-wise
 * operations has the same text at every size, so it is compiled once.
 * Does not own: compiling (the devices). The least recently used idle kernels go when there are too many.
 */
import type { Device, Kernel } from '../device/device.ts';
import type { Shader } from '../shader/shader.ts';

/** The right to launch a kernel until it is released. */
export interface Lease {
  readonly kernel: Kernel;
  release(): void;
}

interface Entry {
  readonly kernel: Kernel | Promise<Kernel>;
  leases: number;
}

export class KernelCache {
  readonly #entries = new Map<string, Entry>();
  readonly #device: Pick<Device, 'compile'>;
  readonly #capacity: number;

  constructor(device: Pick<Device, 'compile'>, capacity = 512) {
    this.#device = device;
    this.#capacity = capacity;
  }

  lease(shader: Shader, writes: number): Lease | Promise<Lease> {
    const key = JSON.stringify([shader.body, shader.reads.join(''), shader.parameters, shader.result, writes]);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const made = this.#device.compile(shader, writes);
      entry = { kernel: made, leases: 0 };
      if (made instanceof Promise) made.catch(() => this.#entries.delete(key));
    } else this.#entries.delete(key);
    // The order of the map is the order of use.
    this.#entries.set(key, entry);
    const held = entry;
    held.leases++;
    this.#evict();
    const lease = (kernel: Kernel): Lease => ({
      kernel,
      release: () => {
        held.leases--;
      },
    });
    return held.kernel instanceof Promise ? held.kernel.then(lease) : lease(held.kernel);
  }

  #evict(): void {
    if (this.#entries.size <= this.#capacity) return;
    for (const [key, entry] of this.#entries) {
      if (entry.leases > 0) continue;
      this.#entries.delete(key);
      if (entry.kernel instanceof Promise)
        entry.kernel.then(
          (kernel) => kernel.release(),
          () => {},
        );
      else entry.kernel.release();
      if (this.#entries.size <= this.#capacity) return;
    }
  }
}
