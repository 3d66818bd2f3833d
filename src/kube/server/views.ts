/** Objects in the views that a client may ask for: as they are, as rows of a Table, by their metadata alone. */
import type { Kind } from '../kinds/kind.js';
import type { KubeObject, ListMeta } from '../machinery/object.js';
import { apiVersionOf } from '../machinery/object.js';
import type { IncludeObject } from '../machinery/table.js';
import { makeTable, metadataOnly } from '../machinery/table.js';
import type { ObjectList } from '../registry/index.js';
import type { Negotiated } from './negotiation.js';

export const META_VERSION = 'meta.k8s.io/v1';

export interface ViewOptions {
  readonly form: Negotiated;
  /** Of a Table: what each row carries besides its cells. */
  readonly includeObject: IncludeObject;
  /** ms since the epoch: ages are texts. */
  readonly now: number;
}

/** @param headings false for the later events of a watch: a Table's columns are told once */
export function objectView(kind: Kind, object: KubeObject, options: ViewOptions, headings = true): unknown {
  switch (options.form.view) {
    case 'object':
      return object;
    case 'metadata':
      return metadataOnly(object);
    case 'table': {
      const { resourceVersion = '' } = object.metadata;
      return makeTable(kind, [object], { resourceVersion }, options.includeObject, options.now, headings);
    }
  }
}

/** What comes before and behind the items of a list in JSON, so that it can be sent piece by piece. */
export interface ListView {
  /** Up to the opening bracket of the items. */
  readonly head: string;
  readonly tail: string;
  item(object: KubeObject): string;
}

export function listView(kind: Kind, list: ObjectList, { form, includeObject, now }: ViewOptions): ListView {
  const metadata: ListMeta = {
    resourceVersion: list.resourceVersion,
    ...(list.continue === undefined ? {} : { continue: list.continue }),
    ...(list.remainingItemCount === undefined ? {} : { remainingItemCount: list.remainingItemCount }),
  };
  switch (form.view) {
    case 'object': {
      const head = { kind: kind.listKind ?? `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata };
      // Items of a typed list do not repeat what the list says; those of custom resources do.
      const item = (object: KubeObject): string =>
        JSON.stringify(kind.noStrategicPatch === true ? object : { ...object, apiVersion: undefined, kind: undefined });
      return { head: opened(head, 'items'), tail: ']}', item };
    }
    case 'metadata': {
      const head = { kind: 'PartialObjectMetadataList', apiVersion: META_VERSION, metadata };
      return { head: opened(head, 'items'), tail: ']}', item: (object) => JSON.stringify(metadataOnly(object)) };
    }
    case 'table': {
      const { rows: _, ...head } = makeTable(kind, [], metadata, includeObject, now);
      const item = (object: KubeObject): string =>
        JSON.stringify(makeTable(kind, [object], {}, includeObject, now, false).rows[0]);
      return { head: opened(head, 'rows'), tail: ']}', item };
    }
  }
}

function opened(head: object, member: string): string {
  return `${JSON.stringify(head).slice(0, -1)},"${member}":[`;
}
