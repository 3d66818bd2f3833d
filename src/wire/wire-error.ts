/**
 * Bytes that are not the message they should be. `message` is the text that Go's generated
 * decoders give for the same bytes; a server answers
 * `grpc: error unmarshalling request: ` + message with code 13 (etcd wire §1).
 */
export class WireError extends Error {
  override readonly name = 'WireError';
  readonly code = 'ERR_WIRE';
}

export const UNEXPECTED_EOF = 'unexpected EOF';
export const INTEGER_OVERFLOW = 'proto: integer overflow';
export const NEGATIVE_LENGTH = 'proto: negative length found during unmarshaling';
export const UNEXPECTED_END_GROUP = 'proto: unexpected end of group';
export const RECURSION = 'proto: exceeded maximum recursion depth';
