/**
 * A module under construction together with what its kernels share: helper functions (a scalar exp, an integer
 * division), functions of the host, and the choice between fused and separate multiply-add.
 * Kernels are added by the emitters; `program.ts` makes one context for each program.
 */
import {
  type Expression,
  type FunctionBuilder,
  type FunctionReference,
  type Lanes,
  type Local,
  type MemoryType,
  ModuleBuilder,
  type Statement,
  type V128,
  type ValueType,
  words,
} from './assembler.ts';
import { call, f32, f32x4, f64, i32, select, v128, when, whileLoop } from './instructions.ts';
import type { Scope } from './math.ts';
import { erf, exp, keep, log, power, sine, tanh } from './math.ts';

/**
 * Rows of a tile of a matrix product (`kernels/gemm.ts`). 6 x 8 keeps 12 sums, 2 vectors of B and one number of A: all 15
 * registers that V8 has on x86, and enough independent sums for two fused units of latency 4. Where the compiler cannot hold them, 4 x 8.
 */
export type TileRows = 4 | 6;

/** What the machine can do, and may do. */
export interface Target {
  /** Whether `relaxed_madd` exists and results may depend on its rounding. */
  readonly fused: boolean;
  /** Whether there are relaxed dot products of bytes; what they give here is exact. */
  readonly relaxedDots?: boolean;
  /** Rows of a matrix product that are computed at once. */
  readonly tileRows: TileRows;
  /** Whether the compiler joins neighbouring vectors of 128 bits into one of 256 (see `kernels/wide.ts`). */
  readonly wide?: boolean;
  /** Of loops, at most: more than 4 are not WebAssembly (see `Lanes`). */
  readonly lanes?: Lanes;
  readonly memory: MemoryType;
  /** How many threads share the work. */
  readonly threads: number;
}

export type ScalarFunction = 'exp' | 'log' | 'tanh' | 'erf' | 'sin' | 'cos' | 'pow';
export type IntegerFunction = 'div' | 'mod' | 'floorDiv' | 'floorMod';

/** Functions that modules import as `host.*`. */
export const host: Readonly<Record<string, (x: number, y: number) => number>> = {
  sin: (x) => Math.sin(x),
  cos: (x) => Math.cos(x),
  // C's pow: 1 to any power is 1, and so is -1 to an infinite one; JavaScript says NaN.
  pow: (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y),
  mod: (x, y) => x % y,
};

export class ModuleContext {
  readonly module: ModuleBuilder;
  readonly target: Target;
  /** Whether a function of the library is called: it takes time to make, and small networks call none. */
  usesLibrary = false;
  readonly #helpers = new Map<string, FunctionReference>();

  constructor(target: Target) {
    this.target = target;
    this.module = new ModuleBuilder(target.memory);
  }

  hostFunction(name: 'sin' | 'cos' | 'pow' | 'mod'): FunctionReference {
    const parameters: ValueType[] = name === 'pow' || name === 'mod' ? ['f64', 'f64'] : ['f64'];
    return this.module.import('host', name, parameters, ['f64']);
  }

  /** Hands a phase to all threads: (phase, table, scratch, own, units, pieces). */
  parallel(): FunctionReference {
    return this.module.import('host', 'parallel', words(6), []);
  }

  /** A function of the library module (see `kernels/library.ts`). */
  library(name: string, parameters: readonly ValueType[], results: readonly ValueType[]): FunctionReference {
    this.usesLibrary = true;
    return this.module.import('library', name, parameters, results);
  }

  /** A float32 function of one element, by way of the vector code, so that both agree in every bit. */
  scalarFunction(name: ScalarFunction): FunctionReference {
    return this.#helper(name, () =>
      this.module.function(null, name === 'pow' ? ['f32', 'f32'] : ['f32'], ['f32'], (builder) => {
        const scope = new FunctionScope(this, builder);
        const x = f32x4.splat(builder.parameter(0, 'f32'));
        const result = keep(
          scope,
          name === 'pow' ? power(scope, x, f32x4.splat(builder.parameter(1, 'f32'))) : vectorFunction(scope, name, x),
        );
        builder.emit(...scope.prologue, ...scope.statements, f32x4.extract(result, 0).code);
      }),
    );
  }

  /** Exact integer division and remainders: 0 for a divisor of 0, wrapping for -2^31 / -1. */
  integerFunction(name: IntegerFunction): FunctionReference {
    return this.#helper(`int-${name}`, () =>
      this.module.function(null, ['i32', 'i32'], ['i32'], (builder) => {
        const a = builder.parameter(0, 'i32');
        const b = builder.parameter(1, 'i32');
        const zero = i32.const(0);
        const result = builder.local('i32');
        const remainder = builder.local('i32');
        // The divisor -1 is the only one that can trap besides 0; x / -1 = 0 - x.
        const safe = select(i32.const(1), b, i32.or(i32.eqz(b), i32.eq(b, i32.const(-1))));
        const wrapped = select(i32.sub(zero, a), i32.divS(a, safe), i32.eq(b, i32.const(-1)));
        const quotient = select(zero, wrapped, i32.eqz(b));
        builder.emit(result.set(quotient));
        if (name === 'div') return builder.emit(result.code);
        builder.emit(remainder.set(select(zero, i32.sub(a, i32.mul(result, b)), i32.eqz(b))));
        if (name === 'mod') return builder.emit(remainder.code);
        // Rounding down differs where the remainder is not 0 and has the other sign than the divisor.
        const down = i32.and(i32.ne(remainder, zero), i32.ltS(i32.xor(remainder, b), zero));
        if (name === 'floorDiv') builder.emit(i32.sub(result, down).code);
        else builder.emit(select(i32.add(remainder, b), remainder, down).code);
      }),
    );
  }

  /** Repeated multiplication, wrapping; 1 / a^-b truncated for exponents below 0. */
  integerPower(): FunctionReference {
    return this.#helper('int-pow', () =>
      this.module.function(null, ['i32', 'i32'], ['i32'], (builder) => {
        const a = builder.parameter(0, 'i32');
        const b = builder.parameter(1, 'i32');
        const result = builder.local('i32');
        const one = i32.const(1);
        const minusOne = i32.const(-1);
        const inverse = select(select(minusOne, one, i32.and(b, one)), i32.eq(a, one), i32.eq(a, minusOne));
        const step = [
          when(i32.and(b, one), [result.set(i32.mul(result, a))]),
          a.set(i32.mul(a, a)),
          b.set(i32.shrU(b, one)),
        ];
        builder.emit(
          result.set(one),
          when(i32.ltS(b, i32.const(0)), [result.set(inverse)], [whileLoop(b, step)]),
          result.code,
        );
      }),
    );
  }

  /** The float32 remainder with the sign of the dividend (`mod`) or of the divisor (`floorMod`). */
  floatRemainder(name: 'mod' | 'floorMod'): FunctionReference {
    return this.#helper(`float-${name}`, () =>
      this.module.function(null, ['f32', 'f32'], ['f32'], (builder) => {
        const a = builder.parameter(0, 'f32');
        const b = builder.parameter(1, 'f32');
        const r = builder.local('f32');
        const remainder = call('f64', this.hostFunction('mod'), f64.promote(a), f64.promote(b));
        builder.emit(r.set(f32.demote(remainder)));
        if (name === 'mod') return builder.emit(r.code);
        const other = i32.and(f32.ne(r, f32.const(0)), i32.ne(f32.lt(r, f32.const(0)), f32.lt(b, f32.const(0))));
        builder.emit(select(f32.add(r, b), r, other).code);
      }),
    );
  }

  /** A function of this module that is made when it is first asked for. */
  helper(
    name: string,
    parameters: readonly ValueType[],
    results: readonly ValueType[],
    build: (builder: FunctionBuilder) => void,
  ): FunctionReference {
    return this.#helper(name, () => this.module.function(null, parameters, results, build));
  }

  #helper(name: string, make: () => FunctionReference): FunctionReference {
    const known = this.#helpers.get(name);
    if (known) return known;
    const made = make();
    this.#helpers.set(name, made);
    return made;
  }
}

export function vectorFunction(scope: Scope, name: Exclude<ScalarFunction, 'pow'>, x: V128): V128 {
  if (name === 'exp') return exp(scope, x);
  if (name === 'log') return log(scope, x);
  if (name === 'tanh') return tanh(scope, x);
  if (name === 'erf') return erf(scope, x);
  return sine(scope, x, name);
}

const bitsView = new DataView(new ArrayBuffer(8));

/** A scope over a whole function: constants go to its prologue, other statements to one list. */
export class FunctionScope implements Scope {
  readonly prologue: Statement[];
  readonly statements: Statement[];
  readonly context: ModuleContext;
  readonly builder: FunctionBuilder;
  readonly #constants: Map<string, V128>;

  /** `outer`: the scope of the same function whose constants this one shares. */
  constructor(context: ModuleContext, builder: FunctionBuilder, outer?: FunctionScope, statements: Statement[] = []) {
    this.context = context;
    this.builder = builder;
    this.prologue = outer?.prologue ?? [];
    this.#constants = outer ? outer.#constants : new Map();
    this.statements = statements;
  }
  get lanes(): Lanes {
    return this.builder.lanes;
  }
  /** The same function, emitting elsewhere. */
  into(statements: Statement[]): FunctionScope {
    return new FunctionScope(this.context, this.builder, this, statements);
  }
  local<T extends ValueType>(type: T): Local<T> {
    return this.builder.local(type);
  }
  emit(...statements: Statement[]): void {
    this.statements.push(...statements);
  }
  floats(value: number): V128 {
    bitsView.setFloat32(0, value);
    const bits = bitsView.getInt32(0);
    return this.#constant(bits, bits);
  }
  words(value: number): V128 {
    return this.#constant(value | 0, value | 0);
  }
  doubles(value: number): V128 {
    const bits = new Int32Array(new Float64Array([value]).buffer);
    return this.#constant(bits[0]!, bits[1]!);
  }
  #constant(low: number, high: number): V128 {
    const key = `${low},${high}`;
    const known = this.#constants.get(key);
    if (known) return known;
    const local = this.builder.local('v128');
    this.prologue.push(local.set(v128.words([low, high, low, high])));
    this.#constants.set(key, local);
    return local;
  }
  multiplyAdd(a: V128, b: V128, c: V128): V128 {
    return this.context.target.fused ? f32x4.relaxedMadd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
  }
  host(name: 'sin' | 'cos', x: Expression<'f64'>): Expression<'f64'> {
    return call('f64', this.context.hostFunction(name), x);
  }
  hostPower(x: Expression<'f64'>, y: Expression<'f64'>): Expression<'f64'> {
    return call('f64', this.context.hostFunction('pow'), x, y);
  }
}
