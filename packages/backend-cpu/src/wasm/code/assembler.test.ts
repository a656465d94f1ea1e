import { describe, expect, it } from 'vitest';
import { ModuleBuilder, signed, unsigned } from './assembler.ts';
import { call, f32, f32x4, forLoop, i32, i64, loopForever, select, v128, when, whileLoop } from './instructions.ts';

function compile(
  build: (module: ModuleBuilder) => void,
  imports: WebAssembly.Imports = {},
): Record<string, (...values: number[]) => number> {
  const module = new ModuleBuilder();
  build(module);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), imports);
  return exports as Record<string, (...values: number[]) => number>;
}

describe('the assembler', () => {
  it('writes numbers as the format wants them', () => {
    expect(unsigned(624485)).toEqual([0xe5, 0x8e, 0x26]);
    expect(unsigned(2 ** 32 - 1)).toEqual([0xff, 0xff, 0xff, 0xff, 0x0f]);
    expect(signed(-123456)).toEqual([0xc0, 0xbb, 0x78]);
    expect(signed(64)).toEqual([0xc0, 0x00]);
    expect(signed(-(2 ** 31))).toEqual([0x80, 0x80, 0x80, 0x80, 0x78]);
  });

  it('makes functions from nested expressions', () => {
    const { hypotenuse } = compile((module) => {
      module.function('hypotenuse', ['f32', 'f32'], ['f32'], (builder) => {
        const [a, b] = [builder.parameter(0, 'f32'), builder.parameter(1, 'f32')];
        builder.emit(f32.sqrt(f32.add(f32.mul(a, a), f32.mul(b, b))).code);
      });
    });
    expect(hypotenuse!(3, 4)).toBe(5);
  });

  it('calls functions that are defined later, and imported ones', () => {
    const { twice } = compile(
      (module) => {
        const outside = module.import('host', 'next', ['i32'], ['i32']);
        const later = { parameters: ['i32'] as const, results: ['i32'] as const, index: -1 };
        module.function('twice', ['i32'], ['i32'], (builder) => {
          builder.emit(call('i32', later, call('i32', outside, builder.parameter(0, 'i32'))).code);
        });
        const double = module.function(null, ['i32'], ['i32'], (builder) => {
          builder.emit(i32.shl(builder.parameter(0, 'i32'), i32.const(1)).code);
        });
        Object.defineProperty(later, 'index', { get: () => double.index });
      },
      { host: { next: (x: number) => x + 1 } },
    );
    expect(twice!(20)).toBe(42);
  });

  it('loops over ranges, while conditions hold, and until told to leave', () => {
    const sums = compile((module) => {
      module.function('range', ['i32'], ['i32'], (builder) => {
        const [sum, index] = [builder.local('i32'), builder.local('i32')];
        builder.emit(
          forLoop(index, i32.const(0), builder.parameter(0, 'i32'), 1, [sum.set(i32.add(sum, index))]),
          sum.code,
        );
      });
      module.function('countdown', ['i32'], ['i32'], (builder) => {
        const [sum, left] = [builder.local('i32'), builder.parameter(0, 'i32')];
        builder.emit(whileLoop(left, [left.set(i32.sub(left, i32.const(1))), sum.set(i32.add(sum, left))]), sum.code);
      });
      module.function('forever', ['i32'], ['i32'], (builder) => {
        const [sum, index] = [builder.local('i32'), builder.local('i32')];
        builder.emit(
          loopForever((leave, again) => [
            when(i32.geU(index, builder.parameter(0, 'i32')), [leave(1)]),
            sum.set(i32.add(sum, index)),
            index.set(i32.add(index, i32.const(1))),
            again(0),
          ]),
          sum.code,
        );
      });
    });
    for (const name of ['range', 'countdown', 'forever']) {
      expect(
        [0, 1, 10].map((count) => sums[name]!(count)),
        name,
      ).toEqual([0, 0, 45]);
    }
  });

  it('has vectors, with lanes and shuffles', () => {
    const { dot } = compile((module) => {
      module.function('dot', ['f32', 'f32'], ['f32'], (builder) => {
        const x = builder.local('v128');
        const splat = f32x4.splat(builder.parameter(0, 'f32'));
        builder.emit(x.set(f32x4.mul(f32x4.replace(splat, 2, builder.parameter(1, 'f32')), splat)));
        const pairs = f32x4.add(x, v128.shuffleWords(x, x, [2, 3, 0, 1]));
        builder.emit(f32.add(f32x4.extract(pairs, 0), f32x4.extract(pairs, 1)).code);
      });
    });
    expect(dot!(2, 5)).toBe(4 + 4 + 10 + 4);
  });

  it('keeps 64 bits', () => {
    const { high } = compile((module) => {
      module.function('high', ['i32', 'i32'], ['i32'], (builder) => {
        const product = i64.mul(i64.extendU(builder.parameter(0, 'i32')), i64.extendU(builder.parameter(1, 'i32')));
        builder.emit(i32.wrap(i64.shrU(product, i64.const(32))).code);
      });
    });
    expect(high!(-1, -1)).toBe(-2);
  });

  it('refuses a parameter under a wrong type', () => {
    expect(() =>
      new ModuleBuilder().function(null, ['i32'], [], (builder) => void builder.parameter(0, 'f32')),
    ).toThrow('parameter 0 is not f32');
  });

  it('selects without branching', () => {
    const { larger } = compile((module) => {
      module.function('larger', ['i32', 'i32'], ['i32'], (builder) => {
        const [a, b] = [builder.parameter(0, 'i32'), builder.parameter(1, 'i32')];
        builder.emit(select(a, b, i32.gtS(a, b)).code);
      });
    });
    expect([larger!(3, -5), larger!(-5, 3)]).toEqual([3, 3]);
  });
});
