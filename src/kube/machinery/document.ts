/** A document that clients keep a copy of: its bytes and the name of this state of it. */
import { createHash } from 'node:crypto';

export interface KubeDocument {
  readonly body: Buffer;
  /** Upper-case hex; the ETag header wants quotes around it. */
  readonly hash: string;
}

export function jsonDocument(value: unknown): KubeDocument {
  const body = Buffer.from(JSON.stringify(value));
  return { body, hash: createHash('sha512').update(body).digest('hex').toUpperCase() };
}
