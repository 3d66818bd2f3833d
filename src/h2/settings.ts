import { ErrorCode } from './error-code.js';
import {
  Flag,
  FRAME_BYTES_DEFAULT,
  FRAME_BYTES_MAX,
  FRAME_HEAD_BYTES,
  FrameType,
  INT31_MAX,
  putFrameHead,
  putUint32,
  uint16,
  uint32,
  WINDOW_DEFAULT,
} from './frame.js';
import type { Limits } from './limits.js';

/** RFC 9113 section 6.5.2. */
export const Setting = {
  HEADER_TABLE_SIZE: 0x1,
  ENABLE_PUSH: 0x2,
  MAX_CONCURRENT_STREAMS: 0x3,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  MAX_HEADER_LIST_SIZE: 0x6,
} as const;

export const SETTING_BYTES = 6;

/** Settings in one frame; one that repeats itself so often means no good. */
export const SETTINGS_MAX = 64;

/** The peer's settings, as far as they concern a server that does not push. */
export class PeerSettings {
  headerTableBytes = 4096;
  windowBytes = WINDOW_DEFAULT;
  frameBytes = FRAME_BYTES_DEFAULT;

  /** Takes one value. @returns how it offends, or NO_ERROR; unknown settings are ignored (section 6.5.2) */
  apply(id: number, value: number): ErrorCode {
    switch (id) {
      case Setting.HEADER_TABLE_SIZE:
        this.headerTableBytes = value;
        break;
      case Setting.ENABLE_PUSH:
        if (value > 1) return ErrorCode.PROTOCOL_ERROR;
        break;
      case Setting.INITIAL_WINDOW_SIZE:
        if (value > INT31_MAX) return ErrorCode.FLOW_CONTROL_ERROR;
        this.windowBytes = value;
        break;
      case Setting.MAX_FRAME_SIZE:
        if (value < FRAME_BYTES_DEFAULT || value > FRAME_BYTES_MAX) return ErrorCode.PROTOCOL_ERROR;
        this.frameBytes = value;
        break;
    }
    return ErrorCode.NO_ERROR;
  }

  /** Takes the payload of a frame, in order. @returns how it offends, or NO_ERROR */
  applyAll(buf: Buffer, start: number, end: number): ErrorCode {
    for (let pos = start; pos < end; pos += SETTING_BYTES) {
      const code = this.apply(uint16(buf, pos), uint32(buf, pos + 2));
      if (code !== ErrorCode.NO_ERROR) return code;
    }
    return ErrorCode.NO_ERROR;
  }
}

/** Our header table: the default, which every client knows without being told. */
export const HEADER_TABLE_BYTES = 4096;

/** The frames that a server opens with: its SETTINGS, and what the connection's window has beyond the default. */
export function openingFrames(limits: Limits): Buffer {
  const values: [number, number][] = [
    [Setting.INITIAL_WINDOW_SIZE, limits.streamWindowBytes],
    [Setting.MAX_HEADER_LIST_SIZE, limits.headerListBytesMax],
  ];
  if (limits.concurrentStreamsMax > 0) values.push([Setting.MAX_CONCURRENT_STREAMS, limits.concurrentStreamsMax]);
  const length = values.length * SETTING_BYTES;
  const out = Buffer.alloc(FRAME_HEAD_BYTES + length + FRAME_HEAD_BYTES + 4);
  let pos = putFrameHead(out, 0, length, FrameType.SETTINGS, 0, 0);
  for (const [id, value] of values) {
    out[pos + 1] = id;
    pos = putUint32(out, pos + 2, value);
  }
  const increment = limits.connectionWindowBytes - WINDOW_DEFAULT;
  if (increment <= 0) return out.subarray(0, pos);
  pos = putFrameHead(out, pos, 4, FrameType.WINDOW_UPDATE, 0, 0);
  putUint32(out, pos, increment);
  return out;
}

export const SETTINGS_ACK = (() => {
  const frame = Buffer.alloc(FRAME_HEAD_BYTES);
  putFrameHead(frame, 0, 0, FrameType.SETTINGS, Flag.ACK, 0);
  return frame;
})();
