/** A folder on a server: what is not there is left out, what cannot be read is an error. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpu } from '@nn/backend-cpu';
import { evaluate, setDefaultBackend, tensor } from '@nn/core';
import { encodeModel } from '@nn/serialize';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fromPretrained, GPT2, trainBpe } from '../index.ts';

const files = new Map<string, { readonly status: number; readonly body: Uint8Array | string }>();
const asked: string[] = [];
const server = createServer(({ url = '' }, answer) => {
  asked.push(url);
  const { status, body } = files.get(url) ?? { status: 404, body: 'no such file' };
  answer.writeHead(status).end(body);
});
const config = { model_type: 'gpt2', vocab_size: 262, n_positions: 16, n_embd: 8, n_layer: 1, n_head: 2 };
let address = '';

beforeAll(async () => {
  setDefaultBackend(cpu());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models`;
});
afterAll(() => new Promise((done) => server.close(done)));

const put = (name: string, body: Uint8Array | string, status = 200) => files.set(`/models/${name}`, { status, body });

test('is read by its address, with and without a tokenizer; a server in trouble is no folder without files', async () => {
  const made = new GPT2({ vocabularySize: 262, contextLength: 16, dimension: 8, layers: 1, heads: 2, dropout: 0 });
  put('config.json', JSON.stringify(config));
  await expect(fromPretrained(address)).rejects.toThrow(
    `fromPretrained: ${address} has neither model.safetensors nor its parts nor pytorch_model.bin.`,
  );
  put('model.safetensors', await encodeModel(made));
  const plain = await fromPretrained(`${address}/`);
  expect(plain.tokenizer).toBe(null);
  expect(asked).not.toContain('/models//config.json');
  const ids = tensor([[3, 1, 4]], { dtype: 'int32' });
  if (!(plain.model instanceof GPT2)) throw new Error(`a ${plain.model}`);
  const scoresOf = (model: GPT2) => evaluate(() => model.forward(ids)).array();
  expect(await scoresOf(plain.model)).toEqual(await scoresOf(made));

  const tokenizer = await trainBpe(['so it goes, so it went'], { size: 262 });
  put('tokenizer.json', JSON.stringify(tokenizer));
  expect((await fromPretrained(address)).tokenizer?.encode('so it')).toEqual(tokenizer.encode('so it'));

  put('tokenizer.json', 'later', 503);
  await expect(fromPretrained(address)).rejects.toThrow(
    `fromPretrained: ${address}/tokenizer.json cannot be read: status 503.`,
  );
  put('tokenizer.json', '{"model":', 200);
  await expect(fromPretrained(address)).rejects.toThrow(/fromPretrained: .*is no JSON/);
  put('model.safetensors', new Uint8Array(4));
  await expect(fromPretrained(address)).rejects.toThrow(/safetensors/);
  put('model.safetensors', 'no', 500);
  await expect(fromPretrained(address)).rejects.toThrow(`${address}/model.safetensors cannot be read: status 500.`);
});
