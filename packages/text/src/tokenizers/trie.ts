/**
 * Texts as a tree of their code units, in flat arrays: which of very many begin at a place is one walk down, without a substring
 * being made. Owns nodes; what they stand for is up to the unigram model and its trainer.
 */

/** Node 0 is the empty text; children have higher numbers than their parents. */
export class Trie {
  /** Nodes, with the empty one. */
  size = 1;
  #parents: Int32Array<ArrayBuffer> = new Int32Array(1024);
  #units: Uint16Array<ArrayBuffer> = new Uint16Array(1024);
  /** Children by parent and unit: open addressing, at most half full. 0 is free, for the root is nobody's child. */
  #table: Int32Array<ArrayBuffer> = new Int32Array(2048);

  /** The child of a node by a code unit; -1 where there is none. */
  child(node: number, unit: number): number {
    const found = this.#table[this.#place(node, unit)]!;
    return found === 0 ? -1 : found;
  }

  /** The same, made where there is none. */
  enter(node: number, unit: number): number {
    let place = this.#place(node, unit);
    const found = this.#table[place]!;
    if (found !== 0) return found;
    if (2 * this.size >= this.#table.length) {
      this.#grow();
      place = this.#place(node, unit);
    }
    const made = this.size++;
    this.#parents[made] = node;
    this.#units[made] = unit;
    this.#table[place] = made;
    return made;
  }

  /** The node of a whole text, made where there is none. */
  add(text: string): number {
    let node = 0;
    for (let at = 0; at < text.length; at++) node = this.enter(node, text.charCodeAt(at));
    return node;
  }

  textOf(node: number): string {
    const units: number[] = [];
    for (let at = node; at > 0; at = this.#parents[at]!) units.push(this.#units[at]!);
    return String.fromCharCode(...units.reverse());
  }

  #place(node: number, unit: number): number {
    const last = this.#table.length - 1;
    const mixed = Math.imul(Math.imul(node, 0x9e3779b1) ^ unit, 0x85ebca6b);
    let place = (mixed ^ (mixed >>> 15)) & last;
    for (;;) {
      const found = this.#table[place]!;
      if (found === 0 || (this.#parents[found] === node && this.#units[found] === unit)) return place;
      place = (place + 1) & last;
    }
  }

  #grow(): void {
    const [parents, units] = [this.#parents, this.#units];
    this.#parents = new Int32Array(2 * parents.length);
    this.#units = new Uint16Array(2 * units.length);
    this.#parents.set(parents);
    this.#units.set(units);
    this.#table = new Int32Array(2 * this.#table.length);
    for (let node = 1; node < this.size; node++) this.#table[this.#place(parents[node]!, units[node]!)] = node;
  }
}

/** Pieces by their places in a list, found along a text. */
export class Pieces {
  readonly trie: Trie = new Trie();
  /** By node: the place of the piece that ends there, or -1. */
  readonly ids: Int32Array;
  /** By place. */
  readonly scores: Float64Array;

  constructor(pieces: readonly { readonly text: string; readonly score: number }[]) {
    this.scores = Float64Array.from(pieces, ({ score }) => score);
    const nodes = pieces.map(({ text }) => this.trie.add(text));
    this.ids = new Int32Array(this.trie.size).fill(-1);
    for (const [id, node] of nodes.entries()) this.ids[node] = id;
  }
}
