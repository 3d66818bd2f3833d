/** The messages of one API group version, as a table. */
export interface TypeGroup {
  /** `core.v1`: how references from other groups name it. Tables of one name complete each other. */
  readonly name: string;
  /** As clients name it; empty for core. */
  readonly group: string;
  readonly version: string;
  /** Prefix of its schemas' names in OpenAPI: `io.k8s.api.core.v1`. */
  readonly openapi: string;
  /** Lines of the grammar in `line.ts`. */
  readonly table: string;
}
