import type { Status } from '../handlers.js';
import type { HpackEncoder } from '../hpack/encoder.js';
import { Indexing } from '../hpack/encoder.js';
import { percentEncode } from './percent.js';

const GRPC = 'application/grpc';

/**
 * The header blocks of gRPC answers on one connection. Those of nearly every answer (200 with the plain content type,
 * and grpc-status 0) go into the peer's table the first time and are a byte or two from then on, kept ready.
 */
export class ResponseBlocks {
  readonly #encoder: HpackEncoder;
  #head: Buffer | null = null;
  #headGeneration = -1;
  #ok: Buffer | null = null;
  #okGeneration = -1;

  constructor(encoder: HpackEncoder) {
    this.#encoder = encoder;
  }

  /** In front of the messages. */
  head(subtype: string, gzip: boolean): Buffer {
    const encoder = this.#encoder;
    if (subtype !== '' || gzip) {
      encoder.begin();
      this.#putHead(200, subtype);
      if (gzip) encoder.add('grpc-encoding', 'gzip', Indexing.ADD);
      return encoder.finish();
    }
    if (this.#head !== null && this.#headGeneration === encoder.generation) return this.#head;
    const { generation } = encoder;
    encoder.begin();
    this.#putHead(200, '');
    const block = encoder.finish();
    this.#head = encoder.generation === generation ? block : null;
    this.#headGeneration = generation;
    return block;
  }

  /** Behind the messages. */
  trailers(status: Status): Buffer {
    const encoder = this.#encoder;
    if (status.code !== 0) {
      encoder.begin();
      this.#putStatus(status);
      return encoder.finish();
    }
    if (this.#ok !== null && this.#okGeneration === encoder.generation) return this.#ok;
    const { generation } = encoder;
    encoder.begin();
    encoder.add('grpc-status', '0', Indexing.ADD);
    const block = encoder.finish();
    this.#ok = encoder.generation === generation ? block : null;
    this.#okGeneration = generation;
    return block;
  }

  /** Without messages. */
  only(httpStatus: number, subtype: string, status: Status): Buffer {
    this.#encoder.begin();
    this.#putHead(httpStatus, subtype);
    this.#putStatus(status);
    return this.#encoder.finish();
  }

  #putHead(httpStatus: number, subtype: string): void {
    this.#encoder.add(':status', String(httpStatus), Indexing.NONE);
    if (subtype === '') this.#encoder.add('content-type', GRPC, Indexing.ADD);
    else this.#encoder.add('content-type', `${GRPC}+${subtype}`, Indexing.NONE);
  }

  #putStatus({ code, message }: Status): void {
    this.#encoder.add('grpc-status', String(code), code === 0 ? Indexing.ADD : Indexing.NONE);
    if (message !== '') this.#encoder.add('grpc-message', percentEncode(message), Indexing.NONE);
  }
}
