import { Exit, Fail } from '../fail.js';
import type { Io } from '../io.js';
import { FieldsPrinter } from './fields.js';
import { JsonPrinter } from './json.js';
import type { Printer } from './printer.js';
import { ProtobufPrinter } from './protobuf.js';
import { SimplePrinter } from './simple.js';
import { TablePrinter } from './table.js';

/** @throws Fail (4) for an unknown format */
export function makePrinter(format: string, hex: boolean, io: Io): Printer {
  switch (format) {
    case 'simple':
      return new SimplePrinter(io, hex);
    case 'fields':
      return new FieldsPrinter(io, hex);
    case 'json':
      return new JsonPrinter(io, hex);
    case 'protobuf':
      return new ProtobufPrinter(io);
    case 'table':
      return new TablePrinter(io);
    default:
      throw new Fail(Exit.BAD_FEATURE, 'unsupported output format');
  }
}
