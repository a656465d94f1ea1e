import { describe, expect, it } from 'vitest';
import { blockBytes, LinearMemory } from './memory.ts';

describe('linear memory', () => {
  it('rounds sizes up by an eighth at most, to multiples of 64', () => {
    for (let bytes = 1; bytes < 1e9; bytes = Math.ceil(bytes * 1.037)) {
      const block = blockBytes(bytes);
      expect(block).toBeGreaterThanOrEqual(bytes);
      expect(block % 64).toBe(0);
      if (bytes > 512) expect(block).toBeLessThan(bytes * 1.125 + 64);
    }
  });

  it('gives disjoint blocks, and released ones again', () => {
    const memory = new LinearMemory(false);
    const sizes = [1, 64, 65, 1000, 4096, 100_000];
    const blocks = sizes.map((bytes) => ({ at: memory.allocate(bytes), bytes: blockBytes(bytes) }));
    blocks.forEach((block, index) => {
      expect(block.at % 64).toBe(0);
      for (const other of blocks.slice(0, index)) {
        expect(block.at >= other.at + other.bytes || other.at >= block.at + block.bytes).toBe(true);
      }
    });
    const { used } = memory;
    memory.free(blocks[3]!.at, 1000);
    expect([memory.used, memory.pooled]).toEqual([used - 1024, 1024]);
    expect(memory.allocate(1001)).toBe(blocks[3]!.at);
    expect([memory.used, memory.pooled]).toEqual([used, 0]);
  });

  it('leaves room behind the last block, where vector loads read beyond it', () => {
    const full = new LinearMemory(false);
    for (let block = 0; block < 1500; block++) expect(full.allocate(1024) + 1024 + 256).toBeLessThanOrEqual(full.size);
    // A block that would end with the last page: growing has to count the room as well.
    const exact = new LinearMemory(false);
    for (const bytes of [61_440, 3072]) exact.allocate(bytes);
    const at = exact.allocate(32 * 2 ** 20);
    expect(at).toBe(65_536);
    expect(at + 32 * 2 ** 20 + 256).toBeLessThanOrEqual(exact.size);
  });

  it('keeps its contents when it grows', () => {
    const memory = new LinearMemory(false);
    const first = memory.allocate(1024);
    memory.floats[first / 4] = 0.5;
    const { size } = memory;
    const large = memory.allocate(size * 2);
    expect(memory.size).toBeGreaterThan(size * 2);
    expect(memory.floats[first / 4]).toBe(0.5);
    expect(memory.bytes.length).toBeGreaterThan(large + size * 2);
  });

  it('cuts larger blocks when much lies idle, and loses nothing', () => {
    const memory = new LinearMemory(false);
    const large = memory.allocate(96 * 2 ** 20);
    memory.free(large, 96 * 2 ** 20);
    const { size, pooled } = memory;
    const blocks = Array.from({ length: 3 }, (_, at) => ({ bytes: 11 * 2 ** 20 + at * 64_000, at: 0 }));
    for (const block of blocks) block.at = memory.allocate(block.bytes);
    expect(memory.size).toBe(size);
    const inside = blocks.filter(({ at }) => at >= large && at < large + blockBytes(96 * 2 ** 20));
    expect(inside).toEqual(blocks);
    for (const { at, bytes } of blocks) memory.free(at, bytes);
    expect(memory.used).toBe(0);
    expect(memory.pooled).toBeGreaterThanOrEqual(pooled);
  });

  it('joins what was given back in pieces, instead of growing or giving up', () => {
    const memory = new LinearMemory(false);
    const piece = 2 ** 20;
    const blocks = Array.from({ length: 200 }, () => memory.allocate(piece));
    const { size } = memory;
    for (const at of blocks.slice(0, 150)) memory.free(at, piece);
    const large = memory.allocate(140 * piece);
    expect(memory.size).toBe(size);
    expect(large + 140 * piece).toBeLessThanOrEqual(blocks[150]!);
    for (const at of blocks.slice(150)) memory.free(at, piece);
    memory.free(large, 140 * piece);
    expect(memory.used).toBe(0);
    memory.allocate(200 * piece);
    expect(memory.size).toBe(size);
  });

  it('gives disjoint blocks whatever the order of taking and giving', () => {
    const memory = new LinearMemory(false);
    const held: { at: number; bytes: number }[] = [];
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let turn = 0; turn < 4000; turn++) {
      if (held.length > 0 && random(100) < 48) {
        const [{ at, bytes }] = held.splice(random(held.length), 1) as [{ at: number; bytes: number }];
        memory.free(at, bytes);
      } else {
        const bytes = 1 + random(2 ** (6 + random(17)));
        held.push({ at: memory.allocate(bytes), bytes });
      }
    }
    held.sort((a, b) => a.at - b.at);
    held.forEach(({ at, bytes }, k) => {
      const end = held[k + 1]?.at ?? memory.size;
      expect(at % 64 === 0 && at + blockBytes(bytes) <= end).toBe(true);
    });
    expect(memory.used).toBe(held.reduce((sum, { bytes }) => sum + blockBytes(bytes), 0));
  });

  it('says how much there is when it is full', () => {
    const memory = new LinearMemory(false);
    memory.allocate(1000);
    expect(() => memory.allocate(2 ** 32)).toThrow(
      'memory: no room for a buffer of 4294967296 bytes: 1024 are in use and 0 kept for reuse, of at most 4294967296. Use smaller batches or models.',
    );
    expect(memory.allocate(64)).toBeGreaterThan(0);
  });
});
