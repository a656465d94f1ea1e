/**
 * Owns: the frame around a shader on WebGL 2: how reads fetch texels, and what the compiler must not see through.
 * Does not own: the statements (`printer.ts`) and the library (`language.ts`, `numbers.ts`).
 * The text is one native function of gpu.js, which adds the uniforms: `user_r0` a texture, `user_s0` the base-2 logarithm
 * of its width, `user_p0` a number, `user_s` that logarithm of the target.
 */
import { glsl, library } from '../shader/language.ts';
import type { Shader } from '../shader/shader.ts';

/** The native function of a kernel: the reads, the library, and the statements of the shader. */
export function glslText(shader: Shader): string {
  const tiles = new Map<number, number>();
  const reads = shader.reads.map((scalar, read) => {
    const type = glsl.type(scalar, 4);
    const one = glsl.type(scalar, 1);
    const texel = `texelFetch(user_r${read}, ivec2(i & nn_mask${read}, i >> user_s${read}), 0)`;
    const lines = [
      `int nn_mask${read};`,
      `${type} nn_read${read}(int i) { return ${scalar === 'F' ? texel : `${type}(${texel})`}; }`,
    ];
    if (shader.body.includes(`nn_walk${read}(`)) {
      // The same texel for a whole number below 2^22: samplers of normalised places are faster than texelFetch.
      lines.push(`vec2 nn_scale${read};
vec4 nn_walk${read}(float i) {
float x = (i + 0.5) * nn_scale${read}.x;
float y = floor(x);
return textureLod(user_r${read}, vec2(x - y, (y + 0.5) * nn_scale${read}.y), 0.0);
}`);
    }
    if (shader.body.includes(`nn_pick${read}(`)) {
      lines.push(`${one} nn_pick${read}(int i) { return nn_read${read}(i >> 2)[i & 3]; }`);
    }
    if (shader.body.includes(`nn_four${read}(`)) {
      lines.push(`${type} nn_four${read}(int i) {
${type} a = nn_read${read}(i >> 2);
int s = i & 3;
if (s == 0) return a;
${type} b = nn_read${read}((i >> 2) + 1);
return s == 1 ? ${type}(a.yzw, b.x) : s == 2 ? ${type}(a.zw, b.xy) : ${type}(a.w, b.xyz);
}`);
    }
    return lines.join('\n');
  });
  for (const [, first, count] of shader.body.matchAll(/nn_tiles(\d+)of(\d+)\(/g))
    tiles.set(Number(first), Number(count));
  for (const [first, count] of tiles) {
    // One of the textures, found by halving.
    const find = (from: number, to: number): string => {
      const middle = (from + to) / 2;
      if (to - from === 1) return `return nn_read${first + from}(tile);`;
      return `if (line < ${middle}) { ${find(from, middle)} }\n${find(middle, to)}`;
    };
    reads.push(`vec4 nn_tiles${first}of${count}(int line, int tile) {\n${find(0, count)}\n}`);
  }
  // What the compiler cannot know: user_s is never negative.
  const opaque = [1, 4].flatMap((width) => {
    const [F, I] = width === 1 ? ['float', 'int'] : ['vec4', 'ivec4'];
    return [
      `${F} nn_keep${width}(${F} x) { return intBitsToFloat(floatBitsToInt(x) ^ ${I}(user_s >> 31)); }`,
      `${F} nn_zero${width}() { return intBitsToFloat(${I}(user_s >> 31)); }`,
    ];
  });
  const body = shader.body.replace(/\bnn_p(\d+)\b/g, 'user_p$1');
  return [
    library(glsl, body),
    ...reads,
    ...opaque,
    `${glsl.type(shader.result, 4)} nn_body(int t) {\n${body}\n}`,
    'vec4 nn_main() {',
    ...shader.reads.map((_, read) => `nn_mask${read} = (1 << user_s${read}) - 1;`),
    // The width is a power of two, and its inverse is exact.
    ...shader.reads.flatMap((_, read) =>
      shader.body.includes(`nn_walk${read}(`)
        ? `nn_scale${read} = vec2(intBitsToFloat((127 - user_s${read}) << 23), 1.0 / float(textureSize(user_r${read}, 0).y));`
        : [],
    ),
    'return vec4(nn_body((int(gl_FragCoord.y) << user_s) + int(gl_FragCoord.x)));',
    '}',
  ].join('\n');
}
