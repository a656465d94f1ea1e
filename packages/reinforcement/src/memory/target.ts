/** Target networks: copies that follow slowly, so that what is learned does not chase itself. */
import { compile, namedParameters, ShapeError } from '@nn/core';

/**
 * A function that moves the parameters of `target` towards those of `source`: target <- target + rate (source - target), all in one
 * program. Rate 1 copies. Throws a `ShapeError` where the two are not alike.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { setDefaultBackend } from '@nn/core';
 * import { Linear } from '@nn/layers';
 * import { follow } from '@nn/reinforcement';
 * setDefaultBackend(cpu());
 * const [source, target] = [new Linear(2, 2), new Linear(2, 2)];
 * await follow(target, source)(1);
 * console.log((await target.weight.sub(source.weight).abs().max().item()) === 0); // => true
 */
export function follow(target: object, source: object): (rate: number) => Promise<void> {
  const from = namedParameters(source);
  const pairs = [...namedParameters(target)].map(([name, parameter]) => {
    const other = from.get(name);
    if (other === undefined || String(other.shape) !== String(parameter.shape)) {
      throw new ShapeError(
        'follow',
        `'${name}' is [${parameter.shape.join(', ')}] in the target, in the source ${other === undefined ? 'missing' : `[${other.shape.join(', ')}]`}.`,
        { name },
      );
    }
    return [parameter, other] as const;
  });
  const copy = compile(() => {
    for (const [parameter, other] of pairs) parameter.assign(other.add(0));
  });
  const move = compile((rate: number) => {
    for (const [parameter, other] of pairs) parameter.assign(parameter.add(other.sub(parameter).mul(rate)));
  });
  return async (rate) => {
    await (rate === 1 ? copy() : move(rate));
  };
}
