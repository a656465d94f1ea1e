/** Something to look at: what it is, where, and what to do about it. Owns the words' form, and that nobody hears them twice. */
import { FormatError, type Stateful } from '@nn/core';

export interface Finding {
  /** For programs: 'dead-units', 'exploding-gradient'. */
  readonly what: string;
  /** The parameter, layer or field that it is about. */
  readonly place: string;
  /** For people: number, place, advice. */
  readonly message: string;
}

/** Lets a finding through when it was not there the last time; after a resume, too. */
export class OncePerPlace implements Stateful {
  #last = new Set<string>();

  fresh(findings: readonly Finding[]): Finding[] {
    const before = this.#last;
    const keyOf = ({ what, place }: Finding): string => `${what} ${place}`;
    this.#last = new Set(findings.map(keyOf));
    return findings.filter((finding) => !before.has(keyOf(finding)));
  }

  hostState(): unknown {
    return { last: [...this.#last] };
  }

  loadHostState(state: unknown): void {
    const { last } = Object(state) as { last?: unknown };
    if (!Array.isArray(last)) throw new FormatError('Training', 'the saved state does not say what was warned of.');
    this.#last = new Set(last);
  }
}
