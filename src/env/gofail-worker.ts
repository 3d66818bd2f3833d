import type * as Http from 'node:http';
import type * as Threads from 'node:worker_threads';

/** A request as it came, for the main thread, which knows the failpoints. */
export interface GofailRequest {
  readonly id: number;
  readonly method: string;
  /** As in the request line. */
  readonly path: string;
  readonly body: string;
}

export interface GofailResponse {
  readonly id: number;
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/** The worker's first message: it listens, or why it does not. */
export interface GofailListening {
  readonly address: string | null;
  readonly error: string | null;
}

export interface GofailWorkerData {
  readonly channel: Threads.MessagePort;
  readonly host: string;
  readonly port: number;
  /** Wakes main when a request has been handed over, and when a response has left. */
  readonly signals: Int32Array;
}

/** signals: requests handed to main. */
export const REQUESTS = 0;
/** signals: responses handed to the system. */
export const RESPONSES = 1;

/**
 * The thread that answers GOFAIL_HTTP: a failpoint that sleeps stops the main thread's loop, and must be listed and
 * deleted all the same. It only carries requests. Started from its own text, like the disk's worker: nothing from
 * outside the function may be used in it but types.
 */
export function gofailWorker(load: (name: string) => unknown): void {
  const http = load('node:http') as typeof Http;
  const threads = load('node:worker_threads') as typeof Threads;
  const { host, port, signals, channel: main } = threads.workerData as GofailWorkerData;
  const waiting = new Map<number, Http.ServerResponse>();
  let last = 0;

  const signal = (index: number): void => {
    Atomics.add(signals, index, 1);
    Atomics.notify(signals, index);
  };

  const server = http.createServer({ keepAlive: false }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const id = ++last;
      waiting.set(id, response);
      const body = Buffer.concat(chunks).toString('utf8');
      main.postMessage({ id, method: request.method ?? '', path: request.url ?? '', body } satisfies GofailRequest);
      signal(0);
    });
  });

  main.on('message', (answer: GofailResponse) => {
    const response = waiting.get(answer.id);
    if (response === undefined) return;
    waiting.delete(answer.id);
    for (const [name, value] of answer.headers) response.setHeader(name, value);
    response.writeHead(answer.status);
    response.end(answer.body, () => signal(1));
    response.on('close', () => {
      // The client has gone away: nobody is to wait for its answer.
      if (!response.writableFinished) signal(1);
    });
  });

  const failed = (err: Error): void =>
    main.postMessage({ address: null, error: err.message } satisfies GofailListening);
  server.once('error', failed);
  server.listen(port, host === '' ? undefined : host, () => {
    const bound = server.address() as { address: string; port: number };
    main.postMessage({ address: `${bound.address}:${bound.port}`, error: null } satisfies GofailListening);
  });
}
