/** Clients at the other end of real WebSockets, of the package `ws` on the loopback, plain and masked. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type MaskedClient, maskedClient } from './masked.ts';
import { remoteClient, remoteMaskedClient, serveClient, socketPort } from './ports.ts';
import { type FederatedClient, FederatedServer } from './server.ts';
import * as rules from './strategies.ts';

const zero = Float32Array.of(0, 0);

/** Half of the way to a goal, from what it is sent. */
const seeking = (goal: number): FederatedClient => ({
  train: async ({ vector }) => ({ vector: vector.map((value, i) => value + (goal + i - value) / 2), examples: 10 }),
});

describe('over WebSockets of the package ws', () => {
  /** Clients connect over the loopback, one by one; the ports at the server, and the sockets of the clients. */
  async function connected(clients: readonly (FederatedClient | MaskedClient)[]) {
    const listening = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    onTestFinished(() => {
      for (const socket of listening.clients) socket.terminate();
      listening.close();
    });
    await new Promise((resolve) => listening.once('listening', resolve));
    const address = listening.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const [ports, sockets]: [ReturnType<typeof socketPort>[], WebSocket[]] = [[], []];
    for (const client of clients) {
      const accepted = new Promise<WebSocket>((resolve) => listening.once('connection', resolve));
      const socket = new WebSocket(`ws://127.0.0.1:${address.port}`);
      serveClient(socketPort(socket), client);
      sockets.push(socket);
      ports.push(socketPort(await accepted));
    }
    return { ports, sockets };
  }

  it('clients train as here, and one that hangs up is left out at once', async () => {
    const clients = [seeking(1), seeking(5), { train: () => new Promise<never>(() => undefined) }];
    const { ports, sockets } = await connected(clients);
    const server = new FederatedServer(zero, ports.map(remoteClient), { strategy: rules.fedAvg() });
    setTimeout(() => sockets[2]!.close(), 50);
    const { used, left } = await server.round();
    expect([used, left.get(2)]).toEqual([[0, 1], 'remoteClient: the connection to the client is closed.']);
    const here = new FederatedServer(zero, clients.slice(0, 2), { strategy: rules.fedAvg() });
    await here.round();
    expect(server.vector).toEqual(here.vector);
    expect((await server.round()).left.get(2)).toBe('remoteClient: the connection to the client is closed.');
  });

  it('masked ones sum in secret, one of them gone after its shares', async () => {
    const clients = [1, 2, 3, 4].map((goal) => maskedClient(seeking(goal)));
    let hangUp = (): void => undefined;
    const last = clients[3]!;
    clients[3] = {
      ...last,
      mask: () => {
        hangUp();
        return new Promise(() => undefined);
      },
    };
    const { ports, sockets } = await connected(clients);
    hangUp = () => sockets[3]!.terminate();
    const server = new FederatedServer(zero, ports.map(remoteMaskedClient), { strategy: rules.fedAvg(), secure: {} });
    const { used, left } = await server.round();
    expect([used, left.get(3)]).toEqual([[0, 1, 2], 'remoteMaskedClient: the connection to the client is closed.']);
    const here = new FederatedServer(
      zero,
      [1, 2, 3].map((goal) => seeking(goal)),
      { strategy: rules.fedAvg() },
    );
    await here.round();
    expect(Math.max(...here.vector.map((value, i) => Math.abs(value - server.vector[i]!)))).toBeLessThan(2e-3);
    const wrong = remoteClient(ports[0]!);
    await expect(wrong.train({ round: 0, vector: zero })).rejects.toThrow(
      "remoteClient: the client failed: FormatError: serveClient: the client tells its update under masks only: it does not answer 'train'.",
    );
  });
});
