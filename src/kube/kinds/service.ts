import type { KubeObject } from '../machinery/object.js';
import { AGE, age, labelsText, NAME, NONE, nameOf, SELECTOR, text, wide } from './columns.js';
import { defineKind } from './define.js';
import type { Kind, KindHooks } from './kind.js';
import { entriesOf, listOf } from './loose.js';
import { carryOver, setServiceDefaults } from './service-defaults.js';
import { validateService, validateServiceUpdate } from './service-validation.js';

function externalAddress(service: KubeObject): string {
  const { type, externalIPs, externalName } = service.spec ?? {};
  const own = listOf(externalIPs);
  switch (type) {
    case 'ExternalName':
      return externalName || NONE;
    case 'LoadBalancer': {
      const given = listOf(service.status?.loadBalancer?.ingress).map((entry) => entry.ip || entry.hostname || '');
      const all = [...given.filter((address) => address !== ''), ...own];
      return all.length === 0 ? '<pending>' : all.join(',');
    }
    default:
      return own.length === 0 ? NONE : own.join(',');
  }
}

function portsText(service: KubeObject): string {
  const ports = listOf(service.spec?.ports).map(({ port, nodePort, protocol }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return ports.length === 0 ? NONE : ports.join(',');
}

/** @param hooks allocate addresses and ports; absent: they stay as they are */
export function serviceKind(hooks?: KindHooks): Kind {
  return defineKind({
    group: '',
    version: 'v1',
    kind: 'Service',
    plural: 'services',
    shortNames: ['svc'],
    categories: ['all'],
    namespaced: true,
    description: 'Service is one stable address for a changing set of pods.',
    storageDir: 'services/specs',
    hasStatus: true,
    subresources: [
      {
        name: 'proxy',
        exchanges: { group: '', version: 'v1', kind: 'ServiceProxyOptions' },
        verbs: ['create', 'delete', 'get', 'patch', 'update'],
      },
    ],
    nameRule: 'dns-1035-label',
    deleteReturnsObject: true,
    setDefaults: setServiceDefaults,
    prepareForCreate(object) {
      object.status = { loadBalancer: {} };
    },
    prepareForUpdate: carryOver,
    validate: validateService,
    validateUpdate: validateServiceUpdate,
    ...(hooks === undefined ? {} : { hooks }),
    fieldSelectors: {
      'spec.clusterIP': (service) => service.spec?.clusterIP ?? '',
      'spec.type': (service) => service.spec?.type ?? '',
    },
    columns: [
      NAME,
      text('Type', 'How it is reached.'),
      text('Cluster-IP', 'Its address inside of the cluster.'),
      text('External-IP', 'Its addresses outside of the cluster.'),
      text('Port(s)', 'Its ports, with those of the nodes.'),
      AGE,
      wide(SELECTOR),
    ],
    cells: (service, now) => [
      nameOf(service),
      service.spec?.type ?? '',
      service.spec?.clusterIP || NONE,
      externalAddress(service),
      portsText(service),
      age(service, now),
      entriesOf(service.spec?.selector).length === 0 ? NONE : labelsText(service.spec.selector),
    ],
  });
}
