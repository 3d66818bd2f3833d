/** Reads the body of a request, within bounds. */
import type { IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';
import { ApiError, badRequest, tooLarge } from '../machinery/api-error.js';

/** As a kube-apiserver's, in bytes; what is unpacked counts. */
export const BODY_BYTES_MAX = 3 * 1024 * 1024;

/** What is too large is read and dropped up to here, so that the refusal reaches a client that is still sending. */
const DROPPED_BYTES_MAX = 32 * 1024 * 1024;

/** @throws ApiError 400, 413, 415 */
export async function readBody(request: IncomingMessage, bytesMax = BODY_BYTES_MAX): Promise<Buffer> {
  const coding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (coding !== 'identity' && coding !== 'gzip') {
    throw new ApiError(415, 'UnsupportedMediaType', `the encoding ${coding} of the body is not known; gzip is`);
  }
  const source = coding === 'gzip' ? request.pipe(createGunzip()) : request;
  const broken = (err: Error): void => void source.destroy(err);
  if (source !== request) request.once('error', broken);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of source.iterator({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length;
      if (size > DROPPED_BYTES_MAX) break;
      if (size <= bytesMax) chunks.push(chunk as Buffer);
      else chunks.length = 0;
    }
  } catch (err) {
    throw badRequest(`the body could not be read: ${(err as Error).message}`);
  } finally {
    request.removeListener('error', broken);
  }
  if (size > bytesMax) throw tooLarge(bytesMax);
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size);
}
