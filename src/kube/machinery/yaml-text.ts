/** Request bodies in YAML: one document of the JSON kind. */
import type { Node, ScalarTag } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, parseAllDocuments } from 'yaml';
import { badRequest } from './api-error.js';
import type { ParsedText } from './json-text.js';
import { checkName, DUPLICATES_MAX, JSON_DEPTH_MAX, pathText, TextError } from './json-text.js';

/** File modes are written `0644`; `yes` and `on` stay words, as in YAML 1.2. */
const OCTAL: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?0[0-7]+$/,
  resolve: (text) => Number.parseInt(text, 8),
};

/** @throws TextError if it is no YAML, or more than one document; ApiError if it is too deep */
export function parseYamlText(text: string): ParsedText {
  try {
    const documents = parseAllDocuments(text, {
      uniqueKeys: false,
      merge: true,
      customTags: (tags) => [OCTAL, ...tags],
    });
    if (!Array.isArray(documents) || documents.length === 0) return { value: null, duplicates: [] };
    const [document] = documents;
    if (documents.length > 1) throw new TextError('yaml: more than one document');
    const [error] = document?.errors ?? [];
    if (error !== undefined) throw new TextError(`yaml: ${error.message.split('\n')[0]}`);
    const duplicates: string[] = [];
    look(document?.contents as Node | null, [], duplicates);
    // Through JSON, so that aliases are copies and what JSON cannot say is null.
    const value = document?.toJS({ maxAliasCount: 100 }) ?? null;
    return { value: JSON.parse(JSON.stringify(value)), duplicates };
  } catch (error) {
    if (error instanceof RangeError) throw badRequest('exceeded max depth');
    if (error instanceof ReferenceError) throw new TextError(`yaml: ${error.message}`);
    throw error;
  }
}

/** Finds members that stand twice, and refuses names and depths as JSON does. */
function look(node: Node | null, path: (string | number)[], duplicates: string[]): void {
  if (path.length > JSON_DEPTH_MAX) throw badRequest('exceeded max depth');
  if (isSeq(node)) {
    node.items.forEach((item, index) => {
      look(item as Node, [...path, index], duplicates);
    });
  } else if (isMap(node)) {
    const names = new Set<string>();
    for (const { key, value } of node.items) {
      if (isAlias(key) || !isScalar(key)) throw new TextError('yaml: a member name that is no scalar');
      const name = String(key.value);
      checkName(name);
      if (names.has(name) && duplicates.length < DUPLICATES_MAX) duplicates.push(pathText([...path, name]));
      names.add(name);
      look(value as Node | null, [...path, name], duplicates);
    }
  }
}
