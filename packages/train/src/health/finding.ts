/** Something to look at: what it is, where, and what to do about it. Owns the words' form, and that nobody hears them twice. */

export interface Finding {
  /** For programs: 'dead-units', 'exploding-gradient'. */
  readonly what: string;
  /** The parameter, layer or field that it is about. */
  readonly place: string;
  /** For people: number, place, advice. */
  readonly message: string;
}

/** Lets a finding through when it was not there the last time. */
export class OncePerPlace {
  #last = new Set<string>();

  fresh(findings: readonly Finding[]): Finding[] {
    const before = this.#last;
    const keyOf = ({ what, place }: Finding): string => `${what} ${place}`;
    this.#last = new Set(findings.map(keyOf));
    return findings.filter((finding) => !before.has(keyOf(finding)));
  }
}
