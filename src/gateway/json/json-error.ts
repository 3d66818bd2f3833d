/** JSON that is not the message it should be. The text is the one of Go's protojson, which etcd's gateway passes on. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
  readonly code = 'ERR_JSON';
}
