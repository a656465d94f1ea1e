/**
 * Flatbuffers, in which Arrow writes its messages and its footer: tables whose fields are found by their numbers. Every place is checked to
 * lie inside the bytes. After <https://flatbuffers.dev/internals/>.
 */

export class Flat {
  readonly #view: DataView;
  readonly #place: number;
  readonly #fields: number;
  readonly #size: number;

  /** The table to which the four bytes at `index` lead. */
  constructor(view: DataView, index: number) {
    this.#view = view;
    this.#place = index + view.getInt32(index, true);
    this.#fields = this.#place - view.getInt32(this.#place, true);
    this.#size = view.getInt16(this.#fields, true);
  }

  /** Where the field of this number stands; 0 where the table has none. */
  at(field: number): number {
    const entry = 4 + 2 * field;
    if (entry >= this.#size) return 0;
    const offset = this.#view.getInt16(this.#fields + entry, true);
    return offset === 0 ? 0 : this.#place + offset;
  }

  byte(field: number, otherwise: number = 0): number {
    const at = this.at(field);
    return at === 0 ? otherwise : this.#view.getInt8(at);
  }

  short(field: number, otherwise: number = 0): number {
    const at = this.at(field);
    return at === 0 ? otherwise : this.#view.getInt16(at, true);
  }

  int(field: number, otherwise: number = 0): number {
    const at = this.at(field);
    return at === 0 ? otherwise : this.#view.getInt32(at, true);
  }

  long(field: number): number {
    const at = this.at(field);
    return at === 0 ? 0 : longAt(this.#view, at);
  }

  table(field: number): Flat | undefined {
    const at = this.at(field);
    return at === 0 ? undefined : new Flat(this.#view, at);
  }

  /** Where the items of a list of this field begin, and how many there are, each of so many bytes. */
  list(field: number, bytes: number): { readonly at: number; readonly length: number } {
    const place = this.at(field);
    if (place === 0) return { at: 0, length: 0 };
    const base = place + this.#view.getInt32(place, true);
    const length = this.#view.getInt32(base, true);
    if (length < 0 || length * bytes > this.#view.byteLength - base - 4) throw new Error('a list leaves its message');
    return { at: base + 4, length };
  }

  /** Tables of a list. */
  tables(field: number): Flat[] {
    const { at, length } = this.list(field, 4);
    return Array.from({ length }, (_, i) => new Flat(this.#view, at + 4 * i));
  }

  /** Numbers of 64 bits of a list, whose items are so many of them. */
  longs(field: number, words: number): number[][] {
    const { at, length } = this.list(field, 8 * words);
    return Array.from({ length }, (_, i) =>
      Array.from({ length: words }, (_word, k) => longAt(this.#view, at + 8 * (words * i + k))),
    );
  }
}

function longAt(view: DataView, at: number): number {
  const value = Number(view.getBigInt64(at, true));
  if (!Number.isSafeInteger(value)) throw new Error(`${value} is no size`);
  return value;
}
