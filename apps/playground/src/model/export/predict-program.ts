/** A TypeScript program that predicts with the model that was trained: the network, its weights, and how a row goes in. */
import { planLayers } from '../build.ts';
import { featureFacts } from '../features.ts';
import { literal, type ProgramFacts } from '../program.ts';
import type { Spec } from '../spec.ts';

export const predictName = 'predict.mts';

interface PredictFacts extends ProgramFacts {
  readonly classNames: readonly string[];
  readonly inputScale: { readonly offset: readonly number[]; readonly divisor: readonly number[] } | null;
  readonly targetScale: { readonly offset: readonly number[]; readonly divisor: readonly number[] } | null;
}

export function predictProgram(spec: Spec, facts: PredictFacts): string {
  const codes = planLayers(spec.layers, facts.inputShape, facts.outputs).map(({ code }) => code);
  const layers = [...new Set(['Sequential', ...codes.map((code) => /^new (\w+)/.exec(code)?.[1] ?? '')])].sort();
  const isTable = facts.inputScale !== null;
  return `/** ${spec.task}: made by the nn playground. Predicts for a row: npx tsx ${predictName} '${isTable ? '{"column": 1, ...}' : '{"x": 0.5, "y": 0}'}', or for example.json */
import { readFileSync } from 'node:fs';
import { cpu } from '@nn/backend-cpu';
import { evaluate, setDefaultBackend, tensor } from '@nn/core';
${isTable ? "import { encodeRows, normalize, parseTableEncoding } from '@nn/data';\n" : ''}import { ${layers.join(', ')} } from '@nn/layers';
import { loadModel } from '@nn/serialize';

setDefaultBackend(cpu());
const model = new Sequential(
${codes.map((code) => `  ${code},`).join('\n')}
);
await loadModel('model.safetensors', model);

const row = JSON.parse(process.argv[2] ?? readFileSync('example.json', 'utf8'));
${inputCode(spec, facts)}
const output = await evaluate(() => model.forward(tensor(inputs, { shape: [1, ${facts.inputShape.join(', ')}] }))).data();
${outputCode(facts)}`;
}

function inputCode({ features }: Spec, { inputShape, inputScale }: PredictFacts): string {
  if (inputShape.length > 1) return 'const inputs = Float32Array.from(row.pixels as number[]); // 0 to 1, row by row';
  if (inputScale === null) {
    const codes = features.map((name) => featureFacts[name].code).join(', ');
    return `const { x, y } = row as { x: number; y: number };
const inputs = Float32Array.from([${codes}]);`;
  }
  return `const encoding = parseTableEncoding(readFileSync('encoding.json', 'utf8'));
const scale = { per: 'feature', offset: ${JSON.stringify(inputScale.offset)}, divisor: ${JSON.stringify(inputScale.divisor)} } as const;
const inputs = Float32Array.from(normalize(encodeRows([row], encoding), scale).data);`;
}

function outputCode({ goal, classNames, target, targetScale }: PredictFacts): string {
  if (goal === 'quantity') {
    const { offset = [0], divisor = [1] } = targetScale ?? {};
    return `console.log(${literal(target || 'output')}, ${offset[0] ?? 0} + ${divisor[0] ?? 1} * output[0]!);\n`;
  }
  const shares =
    goal === 'binary'
      ? `const share = 1 / (1 + Math.exp(-output[0]!));
const shares = [1 - share, share];`
      : `const powers = Array.from(output, (z) => Math.exp(z - Math.max(...output)));
const shares = powers.map((power) => power / powers.reduce((a, b) => a + b));`;
  return `${shares}
const names = [${classNames.map(literal).join(', ')}];
for (const [k, name] of names.entries()) console.log(\`\${name}: \${(100 * shares[k]!).toFixed(2)} %\`);
`;
}
