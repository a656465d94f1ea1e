/**
 * Clients somewhere else: at the other end of a worker's port or of a WebSocket. Owns the calls and their answers; opening
 * and closing is the caller's, how a message becomes bytes `wire.ts`'. `ws` of Node and the WebSocket of pages both fit
 * `SocketLike`.
 */
import { FormatError } from '@nn/core';
import type { MaskedClient } from './masked.ts';
import type { FederatedClient } from './server.ts';
import { decodeMessage, encodeMessage, type Message, type Payload, readMessage, readText, writeText } from './wire.ts';

/** A MessagePort, a Worker, or what `socketPort` makes. */
export interface MessagePortLike {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: () => void): void;
  start?(): void;
}

/** A WebSocket. */
export interface SocketLike {
  binaryType: string;
  send(data: ArrayBuffer): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: () => void): void;
}

const empty = new Float32Array();

/** Serves a client, plain or masked: answers every request that comes in. */
export function serveClient(port: MessagePortLike, client: FederatedClient | MaskedClient): void {
  port.addEventListener('message', ({ data }) => {
    const message = readMessage(data);
    if (message === null || message.kind === 'answer' || message.kind === 'failure') return;
    const { id } = message;
    answerOf(client, message)
      .then((payload) => port.postMessage({ kind: 'answer', id, number: 0, text: '', vector: empty, ...payload }))
      .catch((error: unknown) =>
        port.postMessage({ kind: 'failure', id, number: 0, text: String(error), vector: empty }),
      );
  });
  port.start?.();
}

async function answerOf(
  client: FederatedClient | MaskedClient,
  { kind, number, text, vector }: Message,
): Promise<Payload> {
  if ('prepare' in client) {
    switch (kind) {
      case 'prepare': {
        const { client: own, threshold, mostExamples } = readText<Parameters<MaskedClient['prepare']>[0]>(text);
        const request = { round: number, vector: floats(vector), client: own, threshold, mostExamples };
        return { text: writeText(await client.prepare(request)) };
      }
      case 'share':
        return { text: writeText(await client.share(readText(text))) };
      case 'mask':
        return { vector: await client.mask(readText(text)) };
      case 'unmask':
        return { text: writeText(await client.unmask(readText(text))) };
    }
  } else if (kind === 'train') {
    const update = await client.train({ round: number, vector: floats(vector) });
    return { number: update.examples, vector: update.vector };
  }
  const is = 'prepare' in client ? 'tells its update under masks only' : 'tells its plain update';
  throw new FormatError('serveClient', `the client ${is}: it does not answer '${kind}'.`);
}

/** The client at the other end, for a server. Its promise fails where the client's does, and where the connection closes. */
export function remoteClient(port: MessagePortLike): FederatedClient {
  const call = callsOver('remoteClient', port);
  return {
    train: async ({ round, vector }) => {
      const answer = await call('train', { number: round, vector });
      return { vector: floats(answer.vector), examples: answer.number };
    },
  };
}

/** The masked client at the other end, for a server with `{ secure }`. It fails as `remoteClient` does. */
export function remoteMaskedClient(port: MessagePortLike): MaskedClient {
  const call = callsOver('remoteMaskedClient', port);
  return {
    prepare: async ({ round, vector, ...rest }) =>
      readText((await call('prepare', { number: round, vector, text: writeText(rest) })).text),
    share: async (all) => readText((await call('share', { text: writeText(all) })).text),
    mask: async (received) => {
      const { vector } = await call('mask', { text: writeText(received) });
      if (vector instanceof Uint32Array) return vector;
      throw new FormatError('remoteMaskedClient', 'the answer is no masked vector.');
    },
    unmask: async (survivors) => readText((await call('unmask', { text: writeText(survivors) })).text),
  };
}

/** Calls to the other end, each waiting for the answer of its number. */
function callsOver(
  operation: string,
  port: MessagePortLike,
): (kind: Message['kind'], payload: Payload) => Promise<Message> {
  const waiting = new Map<number, { resolve(message: Message): void; reject(error: Error): void }>();
  let [next, isClosed] = [0, false];
  const closed = (): FormatError => new FormatError(operation, 'the connection to the client is closed.');
  port.addEventListener('message', ({ data }) => {
    const message = readMessage(data);
    const asked = message === null ? undefined : waiting.get(message.id);
    if (message === null || asked === undefined) return;
    waiting.delete(message.id);
    if (message.kind === 'answer') asked.resolve(message);
    else asked.reject(new FormatError(operation, `the client failed: ${message.text}`));
  });
  port.addEventListener('close', () => {
    isClosed = true;
    for (const { reject } of waiting.values()) reject(closed());
    waiting.clear();
  });
  port.start?.();
  return (kind, payload) =>
    new Promise((resolve, reject) => {
      if (isClosed) {
        reject(closed());
        return;
      }
      const id = next++;
      waiting.set(id, { resolve, reject });
      port.postMessage({ kind, id, number: 0, text: '', vector: empty, ...payload });
    });
}

function floats(vector: Message['vector']): Float32Array {
  if (vector instanceof Float32Array) return vector;
  throw new FormatError('serveClient', 'the vector of the message is of integers, a model is of floats.');
}

/** A WebSocket as a port. What is no message of a federated training is passed over. */
export function socketPort(socket: SocketLike): MessagePortLike {
  socket.binaryType = 'arraybuffer';
  function addEventListener(type: 'message' | 'close', listener: (event: { readonly data: unknown }) => void): void {
    if (type === 'close') {
      socket.addEventListener('close', () => listener({ data: null }));
      return;
    }
    socket.addEventListener('message', ({ data }) => {
      const message = data instanceof ArrayBuffer ? decodeMessage(data) : null;
      if (message !== null) listener({ data: message });
    });
  }
  return {
    postMessage: (message) => {
      const read = readMessage(message);
      if (read === null) throw new FormatError('socketPort', 'this is no message of a federated training.');
      socket.send(encodeMessage(read));
    },
    addEventListener,
  };
}
