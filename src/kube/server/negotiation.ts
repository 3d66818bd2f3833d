/** Which form of an answer a client asks for. Sources: kubernetes API concepts, "alternate representations". */
import { notAcceptable } from '../machinery/api-error.js';
import type { MediaType } from './media-type.js';
import { parseAccept } from './media-type.js';

export type Encoding = 'json' | 'yaml';
/** How objects are shown: as they are, as rows, or by their metadata alone. */
export type View = 'object' | 'table' | 'metadata';

export interface Negotiated {
  readonly encoding: Encoding;
  readonly view: View;
  /** Content-Type of the answer. */
  readonly contentType: string;
}

export const JSON_TYPE = 'application/json';
export const YAML_TYPE = 'application/yaml';
/** What is told in a 406. */
const SERVED = [JSON_TYPE, YAML_TYPE];

export const PLAIN_JSON: Negotiated = {
  encoding: 'json',
  view: 'object',
  contentType: JSON_TYPE,
};
const PLAIN_YAML: Negotiated = { ...PLAIN_JSON, encoding: 'yaml', contentType: YAML_TYPE };
/** Views are of meta.k8s.io/v1; v1beta1 of them is asked for by clients that ask for v1 as well. */
const TABLE: Negotiated = { ...PLAIN_JSON, view: 'table' };
const METADATA: Negotiated = { ...PLAIN_JSON, view: 'metadata' };

/** Of an answer that is one document: JSON (or YAML), whatever view is asked for besides. @throws ApiError 406 */
export function negotiateEncoding(accept: string | undefined): Negotiated {
  if (accept === undefined || accept === JSON_TYPE || accept === '*/*') return PLAIN_JSON;
  for (const type of parseAccept(accept)) {
    if (type.params.has('as')) continue;
    const encoding = encodingOf(type);
    if (encoding !== null) return encoding;
  }
  throw notAcceptable(SERVED);
}

/** Of objects of the API. @param transforms whether the other views exist here @throws ApiError 406 */
export function negotiate(accept: string | undefined, transforms: boolean): Negotiated {
  if (accept === undefined || accept === '' || accept === JSON_TYPE || accept === '*/*') return PLAIN_JSON;
  for (const type of parseAccept(accept)) {
    const as = type.params.get('as');
    if (as === undefined) {
      const encoding = encodingOf(type);
      if (encoding !== null) return encoding;
      continue;
    }
    if (!transforms || type.type !== JSON_TYPE || type.params.get('g') !== 'meta.k8s.io') continue;
    if (type.params.get('v') !== 'v1') continue;
    if (as === 'Table') return TABLE;
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return METADATA;
  }
  throw notAcceptable(SERVED);
}

/** Whether an answer of aggregated discovery is wanted, and in which version; null: the old documents. */
export function discoveryVersion(accept: string | undefined): 'v2' | 'v2beta1' | null {
  if (accept === undefined) return null;
  for (const type of parseAccept(accept)) {
    if (type.params.get('as') === 'APIGroupDiscoveryList' && type.params.get('g') === 'apidiscovery.k8s.io') {
      const version = type.params.get('v');
      if (type.type === JSON_TYPE && (version === 'v2' || version === 'v2beta1')) return version;
    } else if (encodingOf(type) !== null) return null;
  }
  return null;
}

function encodingOf({ type }: MediaType): Negotiated | null {
  switch (type) {
    case JSON_TYPE:
    case 'application/*':
    case '*/*':
      return PLAIN_JSON;
    case YAML_TYPE:
      return PLAIN_YAML;
    default:
      return null;
  }
}
