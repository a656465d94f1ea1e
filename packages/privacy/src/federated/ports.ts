/**
 * Clients somewhere else: at the other end of a worker's port or of a WebSocket. Owns the messages; opening and closing is
 * the caller's. `ws` of Node and the WebSocket of pages both fit `SocketLike`.
 */
import { FormatError } from '@nn/core';
import type { FederatedClient, TrainRequest } from './server.ts';
import type { ClientUpdate } from './strategies.ts';

/** A MessagePort, a Worker, or what `socketPort` makes. */
export interface MessagePortLike {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  start?(): void;
}

/** A WebSocket. */
export interface SocketLike {
  binaryType: string;
  send(data: ArrayBuffer): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
}

interface Message {
  readonly kind: 'train' | 'update' | 'failure';
  readonly id: number;
  /** The round of a request, the examples of an update. */
  readonly number: number;
  readonly vector: Float32Array;
  readonly text: string;
}

const kinds = ['train', 'update', 'failure'] as const;

/** Serves a client: answers every request that comes in. */
export function serveClient(port: MessagePortLike, client: FederatedClient): void {
  port.addEventListener('message', ({ data }) => {
    const message = readMessage(data);
    if (message?.kind !== 'train') return;
    const { id, number: round, vector } = message;
    const fail = (error: unknown): void =>
      port.postMessage({ kind: 'failure', id, number: 0, vector: new Float32Array(), text: String(error) });
    client
      .train({ round, vector })
      .then((update) =>
        port.postMessage({ kind: 'update', id, number: update.examples, vector: update.vector, text: '' }),
      )
      .catch(fail);
  });
  port.start?.();
}

/** The client at the other end, for a server. Its promise fails where the client's does. */
export function remoteClient(port: MessagePortLike): FederatedClient {
  const waiting = new Map<number, { resolve(update: ClientUpdate): void; reject(error: Error): void }>();
  let next = 0;
  port.addEventListener('message', ({ data }) => {
    const message = readMessage(data);
    const asked = message === null ? undefined : waiting.get(message.id);
    if (message === null || asked === undefined) return;
    waiting.delete(message.id);
    if (message.kind === 'update') asked.resolve({ vector: message.vector, examples: message.number });
    else asked.reject(new FormatError('remoteClient', `the client failed: ${message.text}`));
  });
  port.start?.();
  return {
    train: ({ round, vector }: TrainRequest) =>
      new Promise((resolve, reject) => {
        const id = next++;
        waiting.set(id, { resolve, reject });
        port.postMessage({ kind: 'train', id, number: round, vector, text: '' });
      }),
  };
}

function readMessage(data: unknown): Message | null {
  if (typeof data !== 'object' || data === null) return null;
  const { kind, id, number, vector, text } = data as Partial<Message>; // the cast: each is checked
  const isMessage =
    kinds.some((each) => each === kind) &&
    typeof id === 'number' &&
    typeof number === 'number' &&
    typeof text === 'string';
  return isMessage && vector instanceof Float32Array ? { kind: kind!, id, number, vector, text } : null;
}

/**
 * A WebSocket as a port. A message is 4 words of 32 bits, little endian (kind, id, number, bytes of text), the text, zeros up
 * to a multiple of 4, and the numbers of the vector. What is no such message is passed over.
 */
export function socketPort(socket: SocketLike): MessagePortLike {
  socket.binaryType = 'arraybuffer';
  return {
    postMessage: (message) => {
      const read = readMessage(message);
      if (read === null) throw new FormatError('socketPort', 'this is no message of a federated training.');
      socket.send(encode(read));
    },
    addEventListener: (_, listener) =>
      socket.addEventListener('message', ({ data }) => {
        const message = data instanceof ArrayBuffer ? decode(data) : null;
        if (message !== null) listener({ data: message });
      }),
  };
}

function encode({ kind, id, number, vector, text }: Message): ArrayBuffer {
  const words = new TextEncoder().encode(text);
  const start = 16 + Math.ceil(words.length / 4) * 4;
  const buffer = new ArrayBuffer(start + 4 * vector.length);
  const view = new DataView(buffer);
  for (const [k, value] of [kinds.indexOf(kind), id, number, words.length].entries())
    view.setUint32(4 * k, value, true);
  new Uint8Array(buffer, 16).set(words);
  for (let k = 0; k < vector.length; k++) view.setFloat32(start + 4 * k, vector[k]!, true);
  return buffer;
}

function decode(buffer: ArrayBuffer): Message | null {
  if (buffer.byteLength < 16) return null;
  const view = new DataView(buffer);
  const [kind, id, number, length] = [0, 4, 8, 12].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
    number,
  ]; // the cast: four of four
  const start = 16 + Math.ceil(length / 4) * 4;
  const count = (buffer.byteLength - start) / 4;
  if (kinds[kind] === undefined || !(Number.isInteger(count) && count >= 0)) return null;
  const vector = Float32Array.from({ length: count }, (_, k) => view.getFloat32(start + 4 * k, true));
  return { kind: kinds[kind], id, number, vector, text: new TextDecoder().decode(new Uint8Array(buffer, 16, length)) };
}
