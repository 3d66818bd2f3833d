/** One served version of a custom resource as a Kind. */
import type { Cell, Column, Kind, Subresource, Verb } from '../kinds/kind.js';
import { ALL_VERBS } from '../kinds/kind.js';
import { ageSince } from '../machinery/age.js';
import type { JsonPath } from '../machinery/json-path.js';
import { parseJsonPath, readJsonPath } from '../machinery/json-path.js';
import type { JsonObject, JsonValue, KubeObject } from '../machinery/object.js';
import { apiVersionOf } from '../machinery/object.js';
import { pruned, setCustomDefaults } from './custom-defaults.js';
import { customSchema } from './custom-schema.js';
import { validateCustom } from './custom-validation.js';
import type { Definition, PrinterColumn, Version } from './definition.js';
import { compareVersions } from './version-order.js';

const NAME_COLUMN: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name, unique in its scope.',
};
const AGE_COLUMN: PrinterColumn = {
  name: 'Age',
  type: 'date',
  description: 'Time since the object was created.',
  jsonPath: '.metadata.creationTimestamp',
};
const COLUMN_TYPES: ReadonlySet<string> = new Set(['string', 'integer', 'number', 'boolean', 'date']);
const STATUS: Subresource = { name: 'status', verbs: ['get', 'patch', 'update'] };
const SCALE: Subresource = {
  name: 'scale',
  exchanges: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
  verbs: ['get', 'patch', 'update'],
};

/** Where objects of the definition are kept, below /registry/. */
export function storageDirOf(definition: Definition): string {
  return `${definition.spec.group}/${definition.spec.names.plural}`;
}

/** Kinds for all served versions, the preferred one first. @param terminating nothing new is created any more */
export function customKinds(definition: Definition, terminating = false): Kind[] {
  const versions = definition.spec.versions.filter((version) => version.served);
  versions.sort((a, b) => compareVersions(a.name, b.name));
  return versions.map((version) => customKind(definition, version, terminating));
}

function customKind(definition: Definition, version: Version, terminating: boolean): Kind {
  const { group, scope, versions } = definition.spec;
  // What was accepted is served: a definition may ask for other names later and not get them.
  const names = { ...definition.spec.names, ...definition.status?.acceptedNames };
  const { shortNames, categories, listKind } = names;
  const stored = versions.find((one) => one.storage) ?? version;
  const source = version.schema?.openAPIV3Schema;
  const schema = customSchema(source);
  const scale = version.subresources?.scale;
  const hasStatus = version.subresources?.status !== undefined;
  const subresources = [...(hasStatus ? [STATUS] : []), ...(scale === undefined ? [] : [SCALE])];
  const description = source?.description;
  const validate = (object: KubeObject) => (source === undefined ? [] : validateCustom(source, object));
  return {
    group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    ...(listKind === undefined || listKind === '' ? {} : { listKind }),
    ...(shortNames === undefined ? {} : { shortNames }),
    ...(categories === undefined ? {} : { categories }),
    ...(typeof description === 'string' ? { description } : {}),
    namespaced: scope === 'Namespaced',
    verbs: terminating ? ALL_VERBS.filter((verb: Verb) => verb !== 'create') : ALL_VERBS,
    schema,
    storageDir: storageDirOf(definition),
    storedApiVersion: apiVersionOf({ group, version: stored.name }),
    // The versions differ in nothing but their schemas; what one of them does not know it does not show.
    fromStored: (object) => pruned(schema, object as JsonObject) as KubeObject,
    hasStatus,
    hasGeneration: true,
    ...(subresources.length === 0 ? {} : { subresources }),
    ...(scale === undefined ? {} : { scale: scalePaths(scale) }),
    allowUnconditionalUpdate: false,
    noStrategicPatch: true,
    setDefaults: (object) => setCustomDefaults(schema, object as JsonObject),
    validate,
    validateStatusUpdate: validate,
    ...warningsOf(definition, version),
    ...selectableFields(version),
    ...columnsOf(version),
  };
}

function scalePaths(scale: NonNullable<NonNullable<Version['subresources']>['scale']>): NonNullable<Kind['scale']> {
  const dotless = (path: string): string => path.replace(/^\./, '');
  const { labelSelectorPath } = scale;
  const paths = { specReplicas: dotless(scale.specReplicasPath), statusReplicas: dotless(scale.statusReplicasPath) };
  if (labelSelectorPath === undefined || labelSelectorPath === '') return paths;
  const selector = parseJsonPath(labelSelectorPath);
  return { ...paths, selector: (object) => textOf(readJsonPath(selector, object)[0]) };
}

function warningsOf(definition: Definition, version: Version): Pick<Kind, 'warnings'> {
  if (version.deprecated !== true) return {};
  const { group, names } = definition.spec;
  const text = version.deprecationWarning ?? `${group}/${version.name} ${names.kind} is deprecated`;
  return { warnings: () => [text] };
}

function selectableFields(version: Version): Pick<Kind, 'fieldSelectors'> {
  const readers: Record<string, (object: KubeObject) => string> = {};
  for (const { jsonPath } of version.selectableFields ?? []) {
    const path = parseJsonPath(jsonPath);
    readers[jsonPath.replace(/^\./, '')] = (object) => textOf(readJsonPath(path, object)[0]);
  }
  return { fieldSelectors: readers };
}

function textOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function columnsOf(version: Version): Pick<Kind, 'columns' | 'cells'> {
  const given = version.additionalPrinterColumns ?? [];
  const more = given.length === 0 ? [AGE_COLUMN] : given;
  const columns = more.map(({ name, type, format, description, priority }): Column => {
    return {
      name,
      type: (COLUMN_TYPES.has(type) ? type : 'string') as Column['type'],
      ...(format === undefined ? {} : { format }),
      description: description ?? '',
      priority: priority ?? 0,
    };
  });
  const paths = more.map(({ jsonPath }) => readablePath(jsonPath));
  return {
    columns: [NAME_COLUMN, ...columns],
    cells: (object, now) => [
      object.metadata.name ?? '',
      ...columns.map(({ type }, i) => cell(type, paths[i], object, now)),
    ],
  };
}

/** Validation refuses paths that cannot be read; what got in before shows nothing. */
function readablePath(text: string): JsonPath | undefined {
  try {
    return parseJsonPath(text);
  } catch {
    return undefined;
  }
}

function cell(type: Column['type'], path: JsonPath | undefined, object: KubeObject, now: number): Cell {
  const value = path === undefined ? undefined : readJsonPath(path, object)[0];
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value === 'string' ? dateText(value, now) : null;
    default:
      return textOf(value);
  }
}

function dateText(time: string, now: number): string {
  return Number.isNaN(Date.parse(time)) ? '<invalid>' : ageSince(time, now);
}
