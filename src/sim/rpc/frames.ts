/** What goes over a simulated connection between a client and a member: gRPC's messages without HTTP/2 around them. */
export type Frame =
  | {
      readonly kind: 'unary' | 'open';
      readonly id: number;
      readonly path: string;
      /** 0: none. */
      readonly timeoutMs: number;
      readonly metadata: Readonly<Record<string, string>>;
    }
  /** A message of a stream, either way, or the answer of a unary call. */
  | { readonly kind: 'message' | 'half-close' | 'cancel'; readonly id: number }
  | { readonly kind: 'end'; readonly id: number; readonly code: number; readonly message: string };

/** One frame is one write, and arrives as one chunk: sim/net.ts keeps them apart. */
export function encodeFrame(frame: Frame, body: Buffer = EMPTY): Buffer[] {
  const head = Buffer.from(JSON.stringify(frame));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  return [length, head, body];
}

export function decodeFrame(chunk: Buffer): { frame: Frame; body: Buffer } {
  const end = 4 + chunk.readUInt32BE(0);
  return { frame: JSON.parse(chunk.toString('utf8', 4, end)) as Frame, body: chunk.subarray(end) };
}

const EMPTY = Buffer.alloc(0);
