/** Descriptions of types and their members, for OpenAPI and `kubectl explain`. */

/** @param ref `core.v1/Pod`; @param member absent for the type itself */
export function describe(_ref: string, _member?: string): string | undefined {
  return undefined;
}
