import type { Socket as NetSocket } from 'node:net';
import type { Socket, SocketListener } from './socket.js';

/** A net.Socket or tls.TLSSocket. */
export class NodeSocket implements Socket {
  readonly #socket: NetSocket;
  /** TLS keeps what it was given until it is encrypted. */
  readonly #plain: boolean;

  readonly certificateName: string;

  /** @param certificateName of the client's certificate, where whoever took the connection has verified it */
  constructor(socket: NetSocket, certificateName = '') {
    this.#socket = socket;
    this.certificateName = certificateName;
    this.#plain = !('encrypted' in socket);
  }

  get remote(): string {
    const { remoteAddress, remotePort } = this.#socket;
    return remoteAddress === undefined ? '' : `${remoteAddress}:${remotePort}`;
  }

  get full(): boolean {
    return this.#socket.writableNeedDrain;
  }

  write(chunks: readonly Buffer[]): boolean {
    const socket = this.#socket;
    if (!socket.writable) return true;
    if (chunks.length === 1) {
      socket.write(chunks[0]!);
    } else {
      socket.cork();
      for (const chunk of chunks) socket.write(chunk);
      socket.uncork();
    }
    // Nothing is left to write: the system has taken it all within the call.
    return this.#plain && socket.writableLength === 0;
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  listen(listener: SocketListener): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => listener.onData(chunk));
    socket.on('drain', () => listener.onDrain());
    socket.on('end', () => listener.onEnd());
    // 'close' follows.
    socket.on('error', () => {});
    socket.once('close', () => listener.onClose());
    socket.resume();
  }
}
