/**
 * Gradients of single samples by either way, as contributions to each parameter: `ghost`, one backward pass and norms from
 * what layers were given; `vmap`, the gradients themselves.
 */
import {
  gradientsOrNull,
  isTensor,
  namedParameters,
  type Parameter,
  parameters,
  ShapeError,
  type Tensor,
  vmap,
  where,
  zeros,
} from '@nn/core';
import { type Contribution, joined, materialized } from './contribution.ts';
import { usesOf, watchedOutputs } from './rules.ts';
import { checkCovered, refuseMixing, type Unit, unitsOf } from './units.ts';
import { type CallAxes, findAxes, watchUnits } from './watching.ts';

export interface SampleUses {
  /** [N], those of padding 0. */
  readonly losses: Tensor;
  /** Of trained parameters on which the loss depends. */
  readonly uses: readonly Contribution[];
}

/** Remembers what it learned of a model and its batches. */
export class SampleGradients {
  readonly #operation: string;
  readonly #model: object;
  readonly #method: 'ghost' | 'vmap';
  readonly #units: readonly Unit[];
  /** Where batches lie in the calls of the units, for each shape of a batch that came. */
  readonly #axes = new Map<string, readonly CallAxes[]>();

  constructor(operation: string, model: object, method: 'ghost' | 'vmap') {
    this.#operation = operation;
    this.#model = model;
    this.#method = method;
    namedParameters(model); // names for messages, from the whole model and not from its layers
    refuseMixing(operation, model);
    this.#units = unitsOf(model);
    if (method === 'ghost') checkCovered(operation, model, this.#units);
  }

  /** The layer of each trained parameter, for clipping by layers. */
  layerOf(member: Parameter): object {
    return this.#units.find((unit) => unit.parameters.includes(member))?.layer ?? member;
  }

  of<B extends object>(batch: B, mask: Tensor, lossesOf: (batch: B) => Tensor): SampleUses {
    const rows = mask.shape[0]!;
    return this.#method === 'vmap'
      ? this.#byVmap(batch, rows, mask, lossesOf)
      : this.#byGhosts(batch, rows, mask, lossesOf);
  }

  #byGhosts<B extends object>(batch: B, rows: number, mask: Tensor, lossesOf: (batch: B) => Tensor): SampleUses {
    const units = this.#units.filter(({ parameters: inside }) => inside.some(({ trainable }) => trainable));
    const trained = parameters(this.#model);
    const key = `${trained.length} ${shapeKey(batch)}`;
    const axes =
      this.#axes.get(key) ??
      findAxes(this.#operation, units, trained, batch, rows, (each) => checked(this.#operation, lossesOf(each)));
    this.#axes.set(key, axes);
    const { result, calls } = watchUnits(units, () => checked(this.#operation, lossesOf(batch), rows));
    const losses = where(mask, result, 0);
    const outputs = calls.map((call) => watchedOutputs(call));
    const slopes = gradientsOrNull(losses.sum(), outputs.flat());
    const uses = new Map<Parameter, Contribution[]>();
    let next = 0;
    calls.forEach((call, k) => {
      const own = slopes.slice(next, next + outputs[k]!.length);
      next += own.length;
      for (const use of usesOf(this.#operation, call, axes[k]!, own)) {
        uses.set(use.parameter, [...(uses.get(use.parameter) ?? []), use]);
      }
    });
    return { losses, uses: [...uses.values()].map(joined) };
  }

  #byVmap<B extends object>(batch: B, rows: number, mask: Tensor, lossesOf: (batch: B) => Tensor): SampleUses {
    const trained = parameters(this.#model);
    const fields = Object.entries(batch).filter((entry): entry is [string, Tensor] => isTensor(entry[1]));
    const ofOne = (...rows: readonly Tensor[]): { readonly loss: Tensor; readonly gradients: Tensor[] } => {
      const row = { ...batch, ...Object.fromEntries(fields.map(([name], k) => [name, rows[k]!.unsqueeze(0)])) };
      const loss = checked(this.#operation, lossesOf(row), 1).sum();
      return { loss, gradients: gradientsOrNull(loss, trained).map((each, k) => each ?? zeros(trained[k]!.shape)) };
    };
    const { loss, gradients } = vmap(ofOne, { random: 'different' })(...fields.map(([, x]) => x));
    const losses = where(mask, loss, 0);
    const real = (each: Tensor): Tensor => where(mask.reshape([rows, ...each.shape.slice(1).map(() => 1)]), each, 0);
    return { losses, uses: gradients.map((each, k) => materialized(trained[k]!, real(each))) };
  }
}

/** Throws ShapeError unless there is one loss for each row. */
function checked(operation: string, losses: Tensor, rows?: number): Tensor {
  if (isTensor(losses) && losses.rank === 1 && (rows === undefined || losses.shape[0] === rows)) return losses;
  throw new ShapeError(
    operation,
    `the losses must be one for each row${rows === undefined ? '' : `, [${rows}]`}, got ${isTensor(losses) ? `[${losses.shape.join(', ')}]` : String(losses)}: crossEntropy(logits, targets, { reduction: 'none' }).`,
    { rows },
  );
}

function shapeKey(batch: object): string {
  return Object.entries(batch)
    .map(([name, value]) => (isTensor(value) ? `${name} ${value.shape.join('x')}` : ''))
    .join();
}
