import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import type { Codec, WatchCreateRequest } from '../../../src/wire/index.js';
import { WatchKind, WatchRequest, WatchResponse } from '../../../src/wire/index.js';
import { MemberProcess } from '../../support/member-process.js';
import { freePorts } from '../../support/ports.js';

/** An answer, or the text of the error. */
export type Answer<T> = T | string;

/** A real etcd of one member, spoken to in our own codecs. */
export class RealEtcd {
  readonly #process: MemberProcess;
  readonly #dir: string;
  readonly #client: grpc.Client;

  private constructor(process: MemberProcess, dir: string, client: grpc.Client) {
    this.#process = process;
    this.#dir = dir;
    this.#client = client;
  }

  static async start(): Promise<RealEtcd> {
    const dir = mkdtempSync(join(tmpdir(), 'keel-etcd-'));
    const [clientPort, peerPort] = await freePorts(2);
    const [clientUrl, peerUrl] = [`http://127.0.0.1:${clientPort}`, `http://127.0.0.1:${peerPort}`];
    const flags = ['--name', 'e', '--data-dir', join(dir, 'data'), '--unsafe-no-fsync', '--log-level', 'info'];
    flags.push('--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl);
    flags.push(
      '--listen-peer-urls',
      peerUrl,
      '--initial-advertise-peer-urls',
      peerUrl,
      '--initial-cluster',
      `e=${peerUrl}`,
    );
    const process = new MemberProcess({ kind: 'etcd', name: 'e', flags, logFile: join(dir, 'log') });
    process.start();
    await process.ready(20_000);
    const client = new grpc.Client(`127.0.0.1:${clientPort}`, grpc.credentials.createInsecure());
    return new RealEtcd(process, dir, client);
  }

  async stop(): Promise<void> {
    this.#client.close();
    await this.#process.kill9();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  call<Req, Res>(method: string, request: Codec<Req>, response: Codec<Res>, req: Req): Promise<Answer<Res>> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(`/etcdserverpb.${method}`, raw, raw, request.encode(req as never), (err, body) =>
        resolve(err === null ? response.decode(body as Buffer) : err.details),
      );
    });
  }

  /** The responses of one watcher, until `enough` says so or the time is over. */
  watch(
    create: WatchCreateRequest,
    enough: (responses: WatchResponse[]) => boolean,
    ms: number,
  ): Promise<WatchResponse[]> {
    return new Promise((resolve) => {
      const responses: WatchResponse[] = [];
      const stream = this.#client.makeBidiStreamRequest('/etcdserverpb.Watch/Watch', raw, raw);
      const end = (): void => {
        clearTimeout(timer);
        stream.cancel();
        resolve(responses);
      };
      const timer = setTimeout(end, ms);
      stream.on('error', () => {});
      stream.on('data', (body: Buffer) => {
        responses.push(WatchResponse.decode(body));
        if (enough(responses)) end();
      });
      stream.write(WatchRequest.encode({ kind: WatchKind.CREATE, request: create }));
    });
  }
}

const raw = (body: Buffer): Buffer => body;
