/**
 * How names, label keys and values may look. Every check answers what is wrong in the words that clients of
 * Kubernetes know, or nothing. Sources: RFC 1123 and 1035, kubernetes object names and labels.
 */
import type { FieldError } from './field-error.js';
import { invalid } from './field-error.js';

/** How a name (and a generated one) is checked. */
export type NameRule = 'dns-subdomain' | 'dns-label' | 'dns-1035-label' | 'path-segment';

const LABEL_FORM = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN_FORM = `${LABEL_FORM}(\\.${LABEL_FORM})*`;
const LABEL_1035_FORM = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED_FORM = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE_FORM = `(${QUALIFIED_FORM})?`;

const LABEL = new RegExp(`^${LABEL_FORM}$`);
const SUBDOMAIN = new RegExp(`^${SUBDOMAIN_FORM}$`);
const LABEL_1035 = new RegExp(`^${LABEL_1035_FORM}$`);
const QUALIFIED = new RegExp(`^${QUALIFIED_FORM}$`);
const LABEL_VALUE = new RegExp(`^${LABEL_VALUE_FORM}$`);

export const SUBDOMAIN_LENGTH_MAX = 253;
export const LABEL_LENGTH_MAX = 63;
const ANNOTATIONS_BYTES_MAX = 256 * 1024;

function formError(text: string, form: string, ...examples: string[]): string {
  const list = examples.map((e) => `'${e}'`).join(' or ');
  return `${text} (e.g. ${list.replaceAll(' or ', ',  or ')}, regex used for validation is '${form}')`;
}

function lengthError(most: number): string {
  return `must be no more than ${most} bytes`;
}

export function checkDnsLabel(text: string): string[] {
  const errors: string[] = [];
  if (text.length > LABEL_LENGTH_MAX) errors.push(lengthError(LABEL_LENGTH_MAX));
  if (!LABEL.test(text)) {
    if (SUBDOMAIN.test(text)) errors.push('must not contain dots');
    else {
      const rule =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
      errors.push(formError(rule, LABEL_FORM, 'my-name', '123-abc'));
    }
  }
  return errors;
}

export function checkDnsSubdomain(text: string): string[] {
  const errors: string[] = [];
  if (text.length > SUBDOMAIN_LENGTH_MAX) errors.push(lengthError(SUBDOMAIN_LENGTH_MAX));
  if (!SUBDOMAIN.test(text)) {
    const rule =
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
    errors.push(formError(rule, SUBDOMAIN_FORM, 'example.com'));
  }
  return errors;
}

export function checkDns1035Label(text: string): string[] {
  const errors: string[] = [];
  if (text.length > LABEL_LENGTH_MAX) errors.push(lengthError(LABEL_LENGTH_MAX));
  if (!LABEL_1035.test(text)) {
    const rule =
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
    errors.push(formError(rule, LABEL_1035_FORM, 'my-name', 'abc-123'));
  }
  return errors;
}

/** `*.example.com` */
export function checkWildcardSubdomain(text: string): string[] {
  if (/^\*\./.test(text) && SUBDOMAIN.test(text.slice(2)) && text.length <= SUBDOMAIN_LENGTH_MAX) return [];
  const rule =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
  return [formError(rule, `\\*\\.${SUBDOMAIN_FORM}`, '*.example.com')];
}

export function checkPathSegment(text: string): string[] {
  if (text === '.' || text === '..') return [`may not be '${text}'`];
  return ['/', '%'].filter((c) => text.includes(c)).map((c) => `may not contain '${c}'`);
}

/** A label's or an annotation's key, `example.com/name`; also a finalizer. */
export function checkQualifiedName(text: string): string[] {
  const rule =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  const parts = text.split('/');
  if (parts.length > 2) {
    const whole = rule.replace('name part', 'a qualified name');
    return [
      `${formError(whole, QUALIFIED_FORM, 'MyName', 'my.name', '123-abc')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const errors: string[] = [];
  const name = parts[parts.length - 1] as string;
  if (parts.length === 2) {
    const prefix = parts[0] as string;
    if (prefix === '') errors.push('prefix part must be non-empty');
    else errors.push(...checkDnsSubdomain(prefix).map((e) => `prefix part ${e}`));
  }
  if (name === '') errors.push('name part must be non-empty');
  else if (name.length > LABEL_LENGTH_MAX) errors.push(`name part ${lengthError(LABEL_LENGTH_MAX)}`);
  if (!QUALIFIED.test(name)) errors.push(formError(rule, QUALIFIED_FORM, 'MyName', 'my.name', '123-abc'));
  return errors;
}

export function checkLabelValue(text: string): string[] {
  const errors: string[] = [];
  if (text.length > LABEL_LENGTH_MAX) errors.push(lengthError(LABEL_LENGTH_MAX));
  if (!LABEL_VALUE.test(text)) {
    const rule =
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    errors.push(formError(rule, LABEL_VALUE_FORM, 'MyValue', 'my_value', '12345'));
  }
  return errors;
}

/**
 * @param prefix the name is that of a generateName: what is cut or added later is not counted against it
 */
export function checkName(rule: NameRule, name: string, prefix = false): string[] {
  const whole = prefix && name.endsWith('-') ? `${name.slice(0, -1)}a` : name;
  switch (rule) {
    case 'dns-subdomain':
      return checkDnsSubdomain(whole);
    case 'dns-label':
      return checkDnsLabel(whole);
    case 'dns-1035-label':
      return checkDns1035Label(whole);
    case 'path-segment':
      return checkPathSegment(whole);
  }
}

/** @param field `metadata.labels` or the like */
export function validateLabels(labels: Readonly<Record<string, string>> | undefined, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(labels ?? {})) {
    for (const e of checkQualifiedName(key)) errors.push(invalid(field, key, e));
    for (const e of checkLabelValue(value)) errors.push(invalid(field, value, e));
  }
  return errors;
}

/** @param field `metadata.annotations` or the like */
export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  field: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    for (const e of checkQualifiedName(key.toLowerCase())) errors.push(invalid(field, key, e));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > ANNOTATIONS_BYTES_MAX) {
    errors.push({
      type: 'FieldValueTooLong',
      field,
      message: `Too long: may not be more than ${ANNOTATIONS_BYTES_MAX} bytes`,
    });
  }
  return errors;
}
