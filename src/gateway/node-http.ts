import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { HttpRequest } from './http.js';
import type { Site } from './site.js';

/** HTTP/1.1 by node:http, fed with connections by a client port. It never listens itself. */
export function httpServerOf(site: Site): Server {
  const server = createServer({ requireHostHeader: false }, (incoming, outgoing) => serve(site, incoming, outgoing));
  server.on('clientError', (err: NodeJS.ErrnoException, socket) => {
    // Not HTTP at all: there is nobody to answer, as with etcd's multiplexer.
    if (err.code === 'HPE_INVALID_METHOD' || !socket.writable) return void socket.destroy();
    socket.end(badRequest(''));
  });
  return server;
}

/** As Go's server words what it could not read. */
function badRequest(why: string): string {
  const text = `400 Bad Request${why}`;
  return `HTTP/1.1 ${text}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${text}`;
}

function serve(site: Site, incoming: IncomingMessage, outgoing: ServerResponse): void {
  if (incoming.httpVersion === '1.1' && incoming.headers.host === undefined) {
    incoming.socket.end(badRequest(': missing required Host header'));
    return;
  }
  const url = incoming.url ?? '/';
  const mark = url.indexOf('?');
  const request: HttpRequest = {
    method: incoming.method ?? 'GET',
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    header: (name) => {
      const value = incoming.headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
  };
  // Whatever the body was, it is not wanted: reading it lets the connection be used again.
  incoming.resume();
  site.handle(request, ({ status, headers, body }) => {
    if (outgoing.destroyed) return;
    outgoing.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
    outgoing.end(body);
  });
}
