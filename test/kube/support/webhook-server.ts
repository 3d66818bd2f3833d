/** A webhook over HTTPS with a certificate of its own authority. */
import type { Server } from 'node:https';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeCertificate } from '../../../src/env/tls/certificate.js';

export interface ReviewRequest {
  uid: string;
  operation: string;
  [member: string]: any;
}

/** Answers a response without uid; a string is sent as it is, a number is an HTTP status, 'hang' never answers. */
export type Answer = Record<string, unknown> | string | number;

export class WebhookServer {
  readonly #server: Server;
  /** base64, as caBundle has it. */
  readonly caBundle: string;
  readonly requests: ReviewRequest[] = [];
  readonly paths: string[] = [];
  connections = 0;
  answer: (request: ReviewRequest, path: string) => Answer = () => ({ allowed: true });

  private constructor(server: Server, ca: string) {
    this.#server = server;
    this.caBundle = Buffer.from(ca).toString('base64');
    server.on('secureConnection', () => this.connections++);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const review = JSON.parse(Buffer.concat(chunks).toString());
        this.requests.push(review.request);
        this.paths.push(request.url!);
        const answer = this.answer(review.request, request.url!);
        if (answer === 'hang') return;
        if (typeof answer === 'number') {
          response.writeHead(answer).end('no');
          return;
        }
        response.setHeader('content-type', 'application/json');
        const body = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' };
        const text =
          typeof answer === 'string'
            ? answer
            : JSON.stringify({ ...body, response: { uid: review.request.uid, ...answer } });
        response.end(text);
      });
    });
  }

  /** @param hosts of the certificate */
  static async start(hosts: string[] = ['127.0.0.1']): Promise<WebhookServer> {
    const ca = makeCertificate({ commonName: 'webhook-ca', isCa: true });
    const { cert, key } = makeCertificate({ commonName: 'webhook', hosts, issuer: ca, usages: ['server'] });
    const server = createServer({ cert, key });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new WebhookServer(server, ca.cert);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path = '/'): string {
    return `https://127.0.0.1:${this.port}${path}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** base64 of a JSON Patch, as a response. */
export function patching(...operations: Record<string, unknown>[]): Answer {
  return {
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
  };
}
