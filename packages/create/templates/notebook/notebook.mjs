// %% [markdown]
// # {{name}}
// A script in cells. Editors that know `// %%` run one cell at a time; `npm start` runs all of them, `npm run watch` again
// after each change.

// %% What is needed
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed } from '@nn/core';
import { DataLoader, digits, fitNormalization } from '@nn/data';
import { crossEntropy, Linear, ReLU, Sequential, summary } from '@nn/layers';
import { Accuracy } from '@nn/metrics';
import { AdamW } from '@nn/optim';

setDefaultBackend(cpu());
setSeed(1);

// %% The data: drawn digits of 28 x 28 pixels
const [train, test] = [digits(1000, { seed: 1 }), digits(300, { seed: 2 })];
const normalize = { inputs: fitNormalization(train.fields.inputs, { per: 'array' }) };
const shades = ' .:-=+*#%@';
const { data: pixels } = train.fields.inputs;
for (let y = 0; y < 28; y += 2) {
  const row = Array.from({ length: 28 }, (_, x) => shades[Math.floor(pixels[28 * y + x] / 26)]);
  console.log(`  ${row.join('')}`);
}
console.log(`  This is a ${train.fields.targets.data[0]}.`);

// %% The network
const model = new Sequential((x) => x.flatten(1), new Linear(784, 32), new ReLU(), new Linear(32, 10));
console.log(String(summary(model, [1, 1, 28, 28])));

// %% The training, as a loop of its own
const optimizer = new AdamW(model, { learningRate: 0.003 });
const losses = [];
for (let epoch = 0; epoch < 5; epoch++) {
  let [sum, steps] = [0, 0];
  for (const { inputs, targets } of new DataLoader(train, { batchSize: 50, shuffle: true, seed: epoch, normalize })) {
    const loss = crossEntropy(model.forward(inputs), targets);
    await optimizer.step(loss);
    sum += await loss.item();
    steps++;
  }
  losses.push(sum / steps);
  console.log(`  epoch ${epoch + 1}: loss ${losses.at(-1).toFixed(4)}`);
}

// %% The curve
for (const [epoch, loss] of losses.entries())
  console.log(`  ${epoch + 1} ${'#'.repeat(Math.ceil((50 * loss) / losses[0]))}`);

// %% How good it is
const accuracy = new Accuracy();
for (const { inputs, targets } of new DataLoader(test, { batchSize: 100, normalize }))
  accuracy.update(model.forward(inputs), targets);
const { epoch: right } = await accuracy.read();
console.log(`  Right for ${(100 * right).toFixed(1)} % of ${test.size} digits it never saw.`);
