/** Binds claims and volumes, makes volumes for claims and reclaims them. Source: kubernetes persistent volumes. */
import type { StartController } from '../../kit/index.js';
import {
  keyOf,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  STORAGE_CLASSES,
  splitKey,
} from '../../kit/index.js';
import type { KubeObject } from '../../machinery/object.js';
import { startLoop } from '../loop.js';
import { ClaimBinder } from './claims.js';
import { classOf } from './match.js';
import { VolumeKeeper } from './volumes.js';

const NAME = 'persistentvolume-binder-controller';

export const startPersistentVolumes: StartController = (context) => {
  const claims = context.informers.of(PERSISTENT_VOLUME_CLAIMS);
  const volumes = context.informers.of(PERSISTENT_VOLUMES);
  const classes = context.informers.of(STORAGE_CLASSES);
  const nodes = context.informers.of(NODES);
  const queue = context.queue('claims_and_volumes');
  const events = context.recorder('persistentvolume-controller');
  const binder = new ClaimBinder(context, events);
  const keeper = new VolumeKeeper(context, events, (key) => queue.add(`claim/${key}`));
  const addClaim = (claim: KubeObject) => queue.add(`claim/${keyOf(claim)}`);
  const addVolume = (volume: KubeObject) => {
    queue.add(`volume/${volume.metadata.name}`);
    const ref = volume.spec?.claimRef;
    if (ref) queue.add(`claim/${ref.namespace}/${ref.name}`);
  };
  const waiting = (which: (claim: KubeObject) => boolean = () => true) => {
    for (const claim of claims.list()) if (claim.status?.phase !== 'Bound' && which(claim)) addClaim(claim);
  };
  return startLoop({
    name: NAME,
    queue,
    informers: [claims, volumes, classes, nodes],
    // Two claims that look for a volume at once would choose the same.
    workers: 1,
    handlers: [
      claims.onChange({
        add: addClaim,
        update: (_, claim) => addClaim(claim),
        delete(claim) {
          if (claim.spec?.volumeName) queue.add(`volume/${claim.spec.volumeName}`);
          for (const volume of volumes.list()) {
            if (volume.spec?.claimRef?.uid === claim.metadata.uid) queue.add(`volume/${volume.metadata.name}`);
          }
        },
      }),
      volumes.onChange({
        add(volume) {
          addVolume(volume);
          waiting();
        },
        update(old, volume) {
          addVolume(volume);
          if (old.status?.phase !== volume.status?.phase && volume.status?.phase === 'Available') waiting();
        },
        delete: addVolume,
      }),
      classes.onChange({ add: (made) => waiting((claim) => classOf(claim) === made.metadata.name) }),
    ],
    async sync(key) {
      const slash = key.indexOf('/');
      const rest = key.slice(slash + 1);
      if (key.startsWith('volume/')) return keeper.sync(rest);
      const { namespace, name } = splitKey(rest);
      return binder.sync(namespace, name);
    },
  });
};
