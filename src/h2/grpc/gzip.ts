import { gunzip, gzip } from 'node:zlib';
import type { Status } from '../handlers.js';
import { tooLargeInflated } from './texts.js';

const HEADER_BYTES = 10;

/** Inflates a message off the main thread. The callback comes later. */
export function inflate(message: Buffer, bytesMax: number, cb: (err: Status | null, plain: Buffer) => void): void {
  gunzip(message, { maxOutputLength: Math.max(bytesMax, 1) }, (err, plain) => {
    if (err === null) cb(null, plain);
    else cb(refusal(err as NodeJS.ErrnoException, message, bytesMax), message);
  });
}

/** Deflates a message off the main thread; null where memory is lacking. */
export function deflate(message: Buffer, cb: (packed: Buffer | null) => void): void {
  gzip(message, { level: 1 }, (err, packed) => cb(err === null ? packed : null));
}

/** In Go's words, as far as zlib tells. */
function refusal(err: NodeJS.ErrnoException, message: Buffer, bytesMax: number): Status {
  if (err.code === 'ERR_BUFFER_TOO_LARGE') return tooLargeInflated(bytesMax);
  if (message.length < HEADER_BYTES) return failed('decompress the message: unexpected EOF');
  if (message[0] !== 0x1f || message[1] !== 0x8b || message[2] !== 8) {
    return failed('decompress the message: gzip: invalid header');
  }
  if (err.code === 'Z_BUF_ERROR') return failed('read decompressed data: unexpected EOF');
  if (/check/.test(err.message)) return failed('read decompressed data: gzip: invalid checksum');
  return failed('read decompressed data: flate: corrupt input');
}

function failed(what: string): Status {
  return { code: 13, message: `grpc: failed to ${what}` };
}
