import { humanDuration } from '../machinery/age.js';
import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, invalid, notSupported, required } from '../machinery/field-error.js';
import { checkDnsSubdomain } from '../machinery/names.js';
import type { KubeObject } from '../machinery/object.js';
import { AGE, age, NAME, NONE, nameOf, text } from './columns.js';
import { defineKind } from './define.js';
import type { Kind } from './kind.js';
import { listOf, same, unset } from './loose.js';

const SECONDS_MIN = 600;
const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];

function checkSigner(name: string): string[] {
  const slash = name.indexOf('/');
  if (slash < 0) return ['must be a fully qualified domain and path of the form "example.com/signer-name"'];
  const [domain, path] = [name.slice(0, slash), name.slice(slash + 1)];
  if (path === '') return ['validating signerName: path must not be empty'];
  if (!domain.includes('.')) return ['should be a domain with at least two segments separated by dots'];
  return [...checkDnsSubdomain(domain), ...checkDnsSubdomain(path.replaceAll(':', '.'))];
}

function isRequest(base64: string): boolean {
  const pem = Buffer.from(base64, 'base64').toString('latin1');
  return /^\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(pem);
}

function validate(object: KubeObject): FieldError[] {
  const { request, signerName, usages, expirationSeconds } = object.spec ?? {};
  const errors: FieldError[] = [];
  if (unset(request)) errors.push(invalid('spec.request', '', 'PEM block type must be CERTIFICATE REQUEST'));
  else if (!isRequest(request))
    errors.push(invalid('spec.request', request, 'PEM block type must be CERTIFICATE REQUEST'));
  if (unset(signerName)) errors.push(required('spec.signerName'));
  else errors.push(...checkSigner(signerName).map((e) => invalid('spec.signerName', signerName, e)));
  if (listOf(usages).length === 0) errors.push(required('spec.usages', 'usages is required'));
  listOf(usages).forEach((usage, i) => {
    if (!USAGES.includes(usage)) errors.push(notSupported(`spec.usages[${i}]`, usage, USAGES));
    else if (usages.indexOf(usage) < i) {
      errors.push({
        type: 'FieldValueDuplicate',
        field: `spec.usages[${i}]`,
        message: `Duplicate value: ${JSON.stringify(usage)}`,
      });
    }
  });
  if (typeof expirationSeconds === 'number' && expirationSeconds < SECONDS_MIN) {
    errors.push(
      invalid(
        'spec.expirationSeconds',
        expirationSeconds,
        'may not specify a duration less than 600 seconds (10 minutes)',
      ),
    );
  }
  return [...errors, ...validateConditions(object)];
}

function validateConditions(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const conditions = listOf(object.status?.conditions);
  const types = new Set(conditions.map((condition) => condition.type));
  conditions.forEach((condition, i) => {
    const field = `status.conditions[${i}]`;
    if (unset(condition.type)) errors.push(required(`${field}.type`));
    if (unset(condition.status)) errors.push(required(`${field}.status`));
  });
  if (types.has('Approved') && types.has('Denied')) {
    errors.push(invalid('status.conditions', 'Denied', 'Approved and Denied conditions are mutually exclusive'));
  }
  return errors;
}

/** `Approved,Issued`; none is `Pending`. */
function conditionText(object: KubeObject): string {
  const types = listOf(object.status?.conditions).map((condition) => condition.type);
  const words = ['Approved', 'Denied', 'Failed'].filter((type) => types.includes(type));
  const issued = unset(object.status?.certificate) ? [] : ['Issued'];
  if (words.length === 0) return ['Pending', ...issued].join(',');
  return [...words, ...issued].join(',');
}

export const certificateSigningRequestKind: Kind = defineKind({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  shortNames: ['csr'],
  namespaced: false,
  description: 'CertificateSigningRequest asks for a certificate that somebody has to approve.',
  hasStatus: true,
  subresources: [{ name: 'approval', verbs: ['get', 'patch', 'update'] }],
  prepareForCreate(object) {
    delete object.status;
  },
  // Who asks and what for is fixed once it is written; the caller's name is set by admission.
  prepareForUpdate(object, old) {
    object.spec = old.spec;
  },
  validate,
  validatePartUpdate(object, old) {
    const kept = (type: string) => listOf(object.status?.conditions).some((c) => c.type === type);
    return ['Approved', 'Denied', 'Failed']
      .filter((type) => listOf(old.status?.conditions).some((c) => c.type === type) && !kept(type))
      .map((type) => forbiddenField('status.conditions', `updates may not remove a condition of type "${type}"`));
  },
  validateStatusUpdate(object, old) {
    const certificate = object.status?.certificate;
    if (unset(old.status?.certificate) || same(certificate, old.status.certificate)) return [];
    return [forbiddenField('status.certificate', 'updates may not change certificate content')];
  },
  fieldSelectors: { 'spec.signerName': (object) => object.spec?.signerName ?? '' },
  columns: [
    NAME,
    AGE,
    text('SignerName', 'Who is to sign it.'),
    text('Requestor', 'Who asks.'),
    text('RequestedDuration', 'How long it should hold.'),
    text('Condition', 'What has become of it.'),
  ],
  cells(object, now) {
    const seconds = object.spec?.expirationSeconds;
    return [
      nameOf(object),
      age(object, now),
      object.spec?.signerName ?? NONE,
      object.spec?.username ?? '',
      typeof seconds === 'number' ? humanDuration(seconds * 1000) : NONE,
      conditionText(object),
    ];
  },
});
