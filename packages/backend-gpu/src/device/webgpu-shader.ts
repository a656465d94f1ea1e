/**
 * Owns: the frame around a shader on WebGPU: bindings, how reads fetch, and what the compiler must not see through.
 * Does not own: the statements (`printer.ts`) and the library (`language.ts`, `numbers.ts`).
 * The first words of the uniform are those that gpu.js lays out: sizes, then four words for each read, then the numbers.
 */
import { library, wgsl } from '../shader/language.ts';
import type { Shader } from '../shader/shader.ts';

/** Invocations in a workgroup. */
export const groupSize = 64;

/** Four words of sizes, four that gpu.js keeps for each read, then the numbers. */
export function uniformSize(shader: Shader): number {
  return Math.ceil((16 + shader.reads.length * 16 + shader.parameters.length * 4) / 16) * 16;
}

/** The whole shader. */
export function wgslText(shader: Shader): string {
  const members = [
    'outputX : u32',
    'outputY : u32',
    'outputZ : u32',
    'dispatchWidth : u32',
    ...shader.reads.map((_, read) => `dims${read} : vec4<u32>`),
    ...shader.parameters.map(
      (parameter, at) => `p${at} : ${parameter.kind === 'scalar' && parameter.type === 'F' ? 'f32' : 'i32'}`,
    ),
  ];
  const reads = shader.reads.map((scalar, read) => {
    const type = wgsl.type(scalar, 4);
    const one = wgsl.type(scalar, 1);
    return `@group(0) @binding(${read + 1}) var<storage, read> user_r${read} : array<${type}>;
fn nn_read${read}(i : i32) -> ${type} { return user_r${read}[i]; }
fn nn_pick${read}(i : i32) -> ${one} { return user_r${read}[i >> 2u][i & 3]; }
fn nn_four${read}(i : i32) -> ${type} {
let a = user_r${read}[i >> 2u];
let s = i & 3;
if (s == 0) { return a; }
let b = user_r${read}[(i >> 2u) + 1];
if (s == 1) { return ${type}(a.yzw, b.x); }
if (s == 2) { return ${type}(a.zw, b.xy); }
return ${type}(a.w, b.xyz);
}`;
  });
  // What the compiler cannot know: outputZ is 0.
  const opaque = ([1, 4] as const).flatMap((width) => {
    const [F, U] = [wgsl.type('F', width), wgsl.type('U', width)];
    return [
      `fn nn_keep${width}(x : ${F}) -> ${F} { return bitcast<${F}>(bitcast<${U}>(x) ^ ${U}(params.outputZ)); }`,
      `fn nn_zero${width}() -> ${F} { return bitcast<${F}>(${U}(params.outputZ)); }`,
    ];
  });
  const result = wgsl.type(shader.result, 4);
  const body = shader.body.replace(/\bnn_p(\d+)\b/g, 'params.p$1');
  return `struct Params { ${members.join(', ')} }
@group(0) @binding(0) var<uniform> params : Params;
${reads.join('\n')}
@group(0) @binding(${shader.reads.length + 1}) var<storage, read_write> result : array<${result}>;
${library(wgsl, body)}
${opaque.join('\n')}
fn nn_body(t : i32) -> ${result} {
${body}
}
@compute @workgroup_size(${groupSize}, 1, 1)
fn main(@builtin(global_invocation_id) id : vec3<u32>) {
let i = id.x + id.y * params.dispatchWidth;
if (i >= params.outputX) { return; }
result[i] = nn_body(i32(i));
}`;
}
