/** Programs as text, for people and for snapshots in tests: equal programs give equal text. */
import type { Body, Kernel, Op, Program, Step } from '../backend.ts';
import { sizeOf } from '../shape.ts';

/** One line a step, with what each kernel computes. */
export function renderProgram(program: Program): string {
  const { buffers, inputs, steps, outputs, donations, groups, scalars } = program;
  const lines = [
    `program: ${inputs} inputs, ${scalars.length} scalars, ${steps.length} steps, ${outputs.length} outputs, ${new Set(steps.map(({ kernel }) => kernel.key)).size} kernels`,
  ];
  const name = (buffer: number): string => {
    const { dtype, shape } = buffers[buffer]!;
    return `%${buffer} ${dtype}[${shape.join(',')}]`;
  };
  steps.forEach((step, at) => {
    const group = groups.find(({ first, last }) => at >= first && at <= last);
    const mark = group === undefined ? ' ' : at === group.first ? '┌' : at === group.last ? '└' : '│';
    const place = step.inPlace === undefined ? '' : ` in place of %${step.reads[step.inPlace]?.buffer}`;
    const into =
      step.piece !== undefined
        ? ` ${renderPiece(step.piece)}`
        : step.into === undefined
          ? ''
          : ` into ${renderBox(step)}`;
    const loop = program.loops?.find(({ first }) => first === at);
    if (loop !== undefined) {
      const carried = loop.carried.map(({ from, to }) => `%${from} as %${to}`);
      lines.push(
        `steps ${at} to ${loop.last}, ${loop.count} times${carried.length > 0 ? `, carrying ${carried.join(', ')}` : ''}:`,
      );
    }
    lines.push(`${mark} ${name(step.write)} = ${renderKernel(step.kernel, step)}${into}${place}`);
  });
  lines.push(`return ${outputs.map((buffer) => `%${buffer}`).join(', ')}`);
  for (const { input, output } of donations) lines.push(`%${outputs[output]} takes the memory of %${input}`);
  return lines.join('\n');
}

function renderPiece({ base, offset, move }: NonNullable<Step['piece']>): string {
  return `into ${base === null ? 'new memory' : `%${base}`} from ${offset}${move === 0 ? '' : ` + ${move} turn`}`;
}

function renderBox({ into }: Step): string {
  if (into === undefined) return '';
  const starts = into.start.map((start) => (typeof start === 'number' ? start : `$${start.scalar}`));
  return `${into.base === null ? 'new memory' : `%${into.base}`} at [${starts.join(', ')}]`;
}

/** A kernel as one expression: `sum[k](%0[...] * %1[...])`. */
export function renderKernel(kernel: Kernel, step?: Step): string {
  const { reduce, value, epilogue, hint, domain } = kernel;
  const extents = reduce?.extents ?? [];
  const axes = [...domain, ...extents].map((_, axis) => axisName(axis, domain.length));
  const inner = renderBody(value, axes, step);
  const word = hint === undefined ? '' : ` #${hint.kind}${hint.kind === 'conv' ? ` ${hint.form}` : ''}`;
  if (reduce === undefined) return inner + word;
  const over = extents.map((size, k) => `${axes[domain.length + k]}<${size}`).join(',');
  const reduced = `${reduce.op}[${over}](${inner})`;
  return (epilogue === undefined ? reduced : renderBody(epilogue, axes, step, reduced)) + word;
}

function axisName(axis: number, rank: number): string {
  return axis < rank ? `i${axis}` : `r${axis - rank}`;
}

const symbols: Readonly<Record<string, string>> = { add: '+', sub: '-', mul: '*', div: '/', less: '<', equal: '==' };

function renderBody(body: Body, axes: readonly string[], step?: Step, accumulator = 'acc'): string {
  // values that are used twice get a name
  const uses = new Int32Array(body.length);
  for (const op of body) {
    for (const operand of 'args' in op ? op.args : op.op === 'load' ? [op.index] : []) {
      uses[operand] = uses[operand]! + 1;
    }
  }
  const names: string[] = [];
  const lines: string[] = [];
  body.forEach((op, position) => {
    const text = renderOp(op, names, axes, step, accumulator);
    const isShared = uses[position]! > 1 && 'args' in op;
    if (isShared) lines.push(`t${position} = ${text}`);
    names.push(isShared ? `t${position}` : text);
  });
  const result = names[names.length - 1]!;
  return lines.length === 0 ? result : `{ ${lines.join('; ')}; ${result} }`;
}

function renderOp(
  op: Op,
  names: readonly string[],
  axes: readonly string[],
  step: Step | undefined,
  acc: string,
): string {
  const at = (position: number): string => names[position]!;
  switch (op.op) {
    case 'const':
      return op.dtype === 'bool' ? String(op.value !== 0) : String(op.value);
    case 'scalar':
      return `$${step === undefined ? op.slot : step.scalars[op.slot]}`;
    case 'axis':
      return axes[op.axis]!;
    case 'load':
      return `%${step === undefined ? op.read : step.reads[op.read]?.buffer}[${at(op.index)}]`;
    case 'accumulator':
      return acc;
    default: {
      const symbol = symbols[op.op];
      if (symbol !== undefined) return `(${at(op.args[0]!)} ${symbol} ${at(op.args[1]!)})`;
      const name = op.op === 'cast' ? op.dtype : op.op;
      return `${name}(${op.args.map(at).join(', ')})`;
    }
  }
}

/** Floating-point operations of one run of a step; index arithmetic does not count. */
export function workOf({ kernel }: Step): number {
  const elements = sizeOf(kernel.domain);
  const turns = sizeOf(kernel.reduce?.extents ?? []);
  const floats = (body: Body): number => body.filter((op) => 'args' in op && op.dtype === 'float32').length;
  const inner = kernel.hint?.kind === 'contraction' || kernel.hint?.kind === 'conv' ? 1 : floats(kernel.value);
  return elements * turns * (inner + (kernel.reduce === undefined ? 0 : 1)) + elements * floats(kernel.epilogue ?? []);
}

/** Bytes that a step must at least read and write. */
export function trafficOf(step: Step, bytesOf: (buffer: number) => number): number {
  const read = new Set(step.reads.map(({ buffer }) => buffer));
  let bytes = bytesOf(step.write);
  for (const buffer of read) bytes += bytesOf(buffer);
  return bytes;
}
