import type { Server } from 'node:net';
import { connect, createServer } from 'node:net';
import type { RunFile } from './run-file.js';

export interface ControlRequest {
  readonly token: string;
  readonly command: 'status' | 'stop' | 'kill' | 'restart';
  readonly member?: string;
}

export interface ControlReply {
  readonly ok: boolean;
  readonly message: string;
}

const LINE_MAX = 4096;

/** Listens on a free port of 127.0.0.1 for one line of JSON a connection, and answers with one. */
export function listenControl(
  token: string,
  handle: (request: ControlRequest) => Promise<ControlReply>,
): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end < 0) {
        if (text.length > LINE_MAX) socket.destroy();
        return;
      }
      socket.removeAllListeners('data');
      const request = parseRequest(text.slice(0, end));
      if (request?.token !== token) {
        socket.destroy();
        return;
      }
      handle(request).then(
        (reply) => socket.end(`${JSON.stringify(reply)}\n`),
        (err: unknown) => socket.end(`${JSON.stringify({ ok: false, message: String(err) })}\n`),
      );
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({ port: typeof address === 'object' && address !== null ? address.port : 0, server });
    });
  });
}

function parseRequest(line: string): ControlRequest | null {
  try {
    return JSON.parse(line) as ControlRequest;
  } catch {
    return null; // a stranger on the port: the connection is closed
  }
}

/** Sends a command to the cluster that runs. */
export function sendControl(run: RunFile, request: Omit<ControlRequest, 'token'>): Promise<ControlReply> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(run.port, '127.0.0.1', () => {
      socket.write(`${JSON.stringify({ ...request, token: run.token })}\n`);
    });
    socket.setEncoding('utf8');
    socket.on('error', reject);
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('end', () => {
      try {
        resolve(JSON.parse(text) as ControlReply);
      } catch {
        reject(new Error('the cluster gave no answer'));
      }
    });
  });
}
