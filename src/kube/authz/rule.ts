/** One rule of a role and what it allows. Source: kubernetes RBAC, rule semantics. */
import type { Attributes } from '../machinery/request.js';

export interface PolicyRule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

const ALL = '*';

export function ruleAllows(rule: PolicyRule, asked: Attributes): boolean {
  if (!has(rule.verbs, asked.verb)) return false;
  if (!asked.isResource) return (rule.nonResourceURLs ?? []).some((pattern) => pathMatches(pattern, asked.path));
  return (
    has(rule.apiGroups, asked.group) &&
    resourceMatches(rule.resources, asked.resource, asked.subresource) &&
    nameMatches(rule.resourceNames, asked.name)
  );
}

function has(list: readonly string[] | undefined, wanted: string): boolean {
  return list !== undefined && (list.includes(wanted) || list.includes(ALL));
}

/** `pods`, `pods/log`, `*` for everything, and `*` with a subresource for that of any resource. */
function resourceMatches(list: readonly string[] | undefined, resource: string, subresource: string): boolean {
  if (list === undefined) return false;
  if (list.includes(ALL)) return true;
  if (subresource === '') return list.includes(resource);
  return list.includes(`${resource}/${subresource}`) || list.includes(`*/${subresource}`);
}

/** No names: any. With names a request that has none (create, a list of all) is not meant. */
function nameMatches(list: readonly string[] | undefined, name: string): boolean {
  return list === undefined || list.length === 0 || list.includes(name);
}

export function pathMatches(pattern: string, path: string): boolean {
  if (pattern === ALL || pattern === path) return true;
  return pattern.endsWith(ALL) && path.startsWith(pattern.slice(0, -1).replace(/\*+$/, ''));
}

/**
 * Which parts of `wanted` nobody of `held` covers; none: whoever holds `held` may hand out `wanted`. Each part is one
 * verb on one resource (and name) of one group, or one verb on one path.
 */
export function notCovered(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(parts).filter((part) => !held.some((rule) => covers(rule, part)));
}

function parts(rule: PolicyRule): PolicyRule[] {
  const found: PolicyRule[] = [];
  for (const verb of rule.verbs ?? []) {
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const part = { verbs: [verb], apiGroups: [group], resources: [resource] };
        const names = rule.resourceNames ?? [];
        if (names.length === 0) found.push(part);
        for (const name of names) found.push({ ...part, resourceNames: [name] });
      }
    }
    for (const url of rule.nonResourceURLs ?? []) found.push({ verbs: [verb], nonResourceURLs: [url] });
  }
  return found;
}

function covers(rule: PolicyRule, part: PolicyRule): boolean {
  if (!has(rule.verbs, part.verbs[0]!)) return false;
  const url = part.nonResourceURLs?.[0];
  if (url !== undefined) return (rule.nonResourceURLs ?? []).some((pattern) => urlCovers(pattern, url));
  const [resource = '', subresource = ''] = split(part.resources![0]!);
  const names = rule.resourceNames ?? [];
  return (
    has(rule.apiGroups, part.apiGroups![0]!) &&
    resourceMatches(rule.resources, resource, subresource) &&
    (names.length === 0 || (part.resourceNames !== undefined && names.includes(part.resourceNames[0]!)))
  );
}

function urlCovers(pattern: string, url: string): boolean {
  return pattern === url || pattern === ALL || (pattern.endsWith(ALL) && url.startsWith(pattern.slice(0, -1)));
}

function split(resource: string): [string, string] {
  const slash = resource.indexOf('/');
  return slash < 0 ? [resource, ''] : [resource.slice(0, slash), resource.slice(slash + 1)];
}

/** Parts that differ in their verb alone become one rule. */
export function compact(rules: readonly PolicyRule[]): PolicyRule[] {
  const merged = new Map<string, PolicyRule>();
  for (const { verbs, ...rest } of rules) {
    const key = JSON.stringify(rest);
    const same = merged.get(key);
    if (same === undefined) merged.set(key, { ...rest, verbs: [...verbs] });
    else same.verbs.push(...verbs.filter((verb) => !same.verbs.includes(verb)));
  }
  return [...merged.values()];
}

/** `{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}`: the form of messages. */
export function ruleText(rule: PolicyRule): string {
  const members: readonly (readonly [string, readonly string[] | undefined])[] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ];
  const texts = members.flatMap(([name, list]) => ((list ?? []).length === 0 ? [] : [`${name}:${goList(list!)}`]));
  return `{${texts.join(', ')}}`;
}

/** A list of texts as Go prints one: quoted, with spaces between. */
export function goList(list: readonly string[]): string {
  return `[${list.map((text) => JSON.stringify(text)).join(' ')}]`;
}
