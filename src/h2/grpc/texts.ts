import type { Status } from '../handlers.js';
import { quote } from './quote.js';

/** What gRPC for Go answers on its own, in its words. */
export const Texts = {
  deadline: { code: 4, message: 'context deadline exceeded' },
  /** A unary call that ends without a message. */
  noMessage: { code: 2, message: 'EOF' },
  brokenOffUnary: { code: 2, message: 'unexpected EOF' },
  brokenOffStream: { code: 13, message: 'unexpected EOF' },
  flagWithoutEncoding: { code: 13, message: 'grpc: compressed flag set with identity or empty encoding' },
  headersTooLarge: { code: 8, message: 'header list is too large' },
  tooMuchAtOnce: { code: 8, message: 'too many bytes of unfinished messages on one connection' },
} as const satisfies Record<string, Status>;

export function tooLarge(bytes: number, bytesMax: number): Status {
  return { code: 8, message: `grpc: received message larger than max (${bytes} vs. ${bytesMax})` };
}

export function tooLargeInflated(bytesMax: number): Status {
  return { code: 8, message: `grpc: received message after decompression larger than max ${bytesMax}` };
}

export function unknownFormat(flag: number): Status {
  return { code: 13, message: `grpc: received unexpected payload format ${flag}` };
}

export function unknownEncoding(name: string): Status {
  return { code: 12, message: `grpc: Decompressor is not installed for grpc-encoding ${quote(name)}` };
}

export function notPost(method: string): Status {
  return { code: 13, message: `Received a HEADERS frame with :method ${quote(method)} which should be POST` };
}

export function notGrpc(contentType: string): Status {
  return { code: 3, message: `invalid gRPC request content-type ${quote(contentType)}` };
}
