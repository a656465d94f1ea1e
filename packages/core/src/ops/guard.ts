/** Loop bodies that read outside of a tensor: collects the conditions under which an element exists, and gives 0 elsewhere. */
import type { Index } from '../graph/index-expression.ts';
import type { Node } from '../graph/node.ts';
import type { Lowering, Value } from '../graph/primitive.ts';

export class Guard {
  #condition: Value | null = null;
  readonly #at: Lowering;

  constructor(at: Lowering) {
    this.#at = at;
  }

  /** `index` where it lies in [0, size), else the nearest one. */
  within(index: Index, size: number): Index {
    this.#require(this.#at.inside(index, 0, size));
    return this.#at.space.clamp(index, 0, size - 1);
  }

  /** index / divisor where that is whole and lies in [0, size). */
  exactQuotient(index: Index, divisor: number, size: number): Index {
    if (divisor > 1) this.#require(this.#at.inside(this.#at.space.floorMod(index, divisor), 0, 1));
    return this.within(this.#at.space.floorDiv(index, divisor), size);
  }

  /** `within` in fewer operations: an index that lies inside is the nearest one itself. */
  checked(index: Index, size: number): Index {
    return this.checkedQuotient(index, 1, size);
  }

  /** `exactQuotient`, likewise: times the divisor the nearest quotient is the index again where it is whole and inside. */
  checkedQuotient(index: Index, divisor: number, size: number): Index {
    const { space } = this.#at;
    const nearest = space.clamp(space.floorDiv(index, divisor), 0, size - 1);
    const back = space.scale(nearest, divisor);
    if (back !== index) this.#require(this.#at.emit('equal', 'bool', this.#at.integer(index), this.#at.integer(back)));
    return nearest;
  }

  select(node: Node, value: Value): Value {
    if (this.#condition === null) return value;
    return this.#at.emit('where', node.dtype, this.#condition, value, this.#at.constant(0, node.dtype));
  }

  #require(condition: Value | null): void {
    if (condition === null) return;
    this.#condition = this.#condition === null ? condition : this.#at.emit('and', 'bool', this.#condition, condition);
  }
}
