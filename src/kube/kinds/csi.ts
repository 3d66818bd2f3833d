/** What storage drivers and the attach controller say to each other. */
import type { FieldError } from '../machinery/field-error.js';
import { duplicate, forbiddenField, invalid, required } from '../machinery/field-error.js';
import { checkDnsSubdomain } from '../machinery/names.js';
import { AGE, age, flag, integer, NAME, nameOf, text, UNSET } from './columns.js';
import { defineKind } from './define.js';
import { mandatory, oneOf } from './field-rules.js';
import type { Kind } from './kind.js';
import { fill, fillText, listOf, same, unset, within } from './loose.js';

const common = { group: 'storage.k8s.io', version: 'v1', namespaced: false } as const;

export const volumeAttachmentKind: Kind = defineKind({
  ...common,
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  description: 'VolumeAttachment asks for a volume to be attached to a node.',
  hasStatus: true,
  prepareForCreate(object) {
    object.status = { attached: false };
  },
  validate({ spec }) {
    const source = spec?.source ?? {};
    const errors: FieldError[] = [
      ...mandatory(spec?.attacher, 'spec.attacher', checkDnsSubdomain),
      ...mandatory(spec?.nodeName, 'spec.nodeName', checkDnsSubdomain),
    ];
    const given = ['inlineVolumeSpec', 'persistentVolumeName'].filter((member) => !unset(source[member]));
    if (given.length === 0) {
      errors.push(required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
    } else if (given.length > 1) {
      errors.push(
        forbiddenField('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'),
      );
    }
    return errors;
  },
  validateUpdate: (object, old) =>
    same(object.spec, old.spec) ? [] : [invalid('spec', object.spec, 'field is immutable')],
  columns: [
    NAME,
    text('Attacher', 'Who attaches it.'),
    text('PV', 'The volume.'),
    text('Node', 'The node.'),
    flag('Attached', 'Whether that is done.'),
    AGE,
  ],
  cells: (object, now) => [
    nameOf(object),
    object.spec?.attacher ?? '',
    object.spec?.source?.persistentVolumeName ?? '',
    object.spec?.nodeName ?? '',
    object.status?.attached === true,
    age(object, now),
  ],
});

export const csiNodeKind: Kind = defineKind({
  ...common,
  kind: 'CSINode',
  plural: 'csinodes',
  description: 'CSINode lists the storage drivers of a node.',
  validate({ spec }) {
    const errors: FieldError[] = [];
    const names = new Set<string>();
    listOf(spec?.drivers).forEach((driver, i) => {
      const field = `spec.drivers[${i}]`;
      errors.push(...mandatory(driver.name, `${field}.name`, checkDnsSubdomain));
      errors.push(...mandatory(driver.nodeID, `${field}.nodeID`));
      if (names.has(driver.name)) errors.push(duplicate(`${field}.name`, driver.name));
      names.add(driver.name);
    });
    return errors;
  },
  columns: [NAME, integer('Drivers', 'How many it has.'), AGE],
  cells: (object, now) => [nameOf(object), listOf(object.spec?.drivers).length, age(object, now)],
});

export const csiDriverKind: Kind = defineKind({
  ...common,
  kind: 'CSIDriver',
  plural: 'csidrivers',
  description: 'CSIDriver says what a storage driver can do and needs.',
  setDefaults(object) {
    const spec = within(object, 'spec');
    fill(spec, 'attachRequired', true);
    fill(spec, 'podInfoOnMount', false);
    fill(spec, 'storageCapacity', false);
    fill(spec, 'requiresRepublish', false);
    fill(spec, 'seLinuxMount', false);
    fillText(spec, 'fsGroupPolicy', 'ReadWriteOnceWithFSType');
    if (listOf(spec.volumeLifecycleModes).length === 0) spec.volumeLifecycleModes = ['Persistent'];
  },
  validate: ({ spec }) => [
    ...oneOf(spec?.fsGroupPolicy, 'spec.fsGroupPolicy', ['File', 'None', 'ReadWriteOnceWithFSType']),
    ...listOf(spec?.volumeLifecycleModes).flatMap((mode, i) =>
      oneOf(mode, `spec.volumeLifecycleModes[${i}]`, ['Ephemeral', 'Persistent']),
    ),
  ],
  validateUpdate: (object, old) =>
    same(object.spec?.attachRequired, old.spec?.attachRequired)
      ? []
      : [invalid('spec.attachedRequired', object.spec?.attachRequired, 'field is immutable')],
  columns: [
    NAME,
    flag('AttachRequired', 'Volumes are attached before they are mounted.'),
    flag('PodInfoOnMount', 'It is told of the pod.'),
    flag('StorageCapacity', 'Its free space counts for scheduling.'),
    text('TokenRequests', 'For whom it wants tokens.'),
    flag('RequiresRepublish', 'It is called again and again.'),
    text('Modes', 'Which volumes it has.'),
    AGE,
  ],
  cells(object, now) {
    const spec = object.spec ?? {};
    const audiences = listOf(spec.tokenRequests).map((request) => request.audience);
    return [
      nameOf(object),
      spec.attachRequired !== false,
      spec.podInfoOnMount === true,
      spec.storageCapacity === true,
      audiences.length === 0 ? UNSET : audiences.join(','),
      spec.requiresRepublish === true,
      listOf(spec.volumeLifecycleModes).join(','),
      age(object, now),
    ];
  },
});
