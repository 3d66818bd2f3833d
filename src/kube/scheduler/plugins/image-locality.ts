import type { ScorePlugin } from '../plugin.js';
import { SCORE_MAX } from '../plugin.js';

const MB = 1024 * 1024;
const LEAST = 23 * MB;
const MOST_PER_CONTAINER = 1000 * MB;

/** The bytes of the pod's images that lie on the node already, weighed by how many nodes have them. */
export const imageLocality: ScorePlugin = {
  name: 'ImageLocality',
  weight: 1,
  score({ pod }, nodes, world) {
    const images: string[] = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map((c) =>
      normalName(c.image ?? ''),
    );
    const spread = new Map<string, number>();
    for (const image of new Set(images)) {
      const having = world.nodes.filter((node) => node.images.has(image)).length;
      if (having > 0) spread.set(image, having / world.nodes.length);
    }
    if (spread.size === 0) return null;
    const most = MOST_PER_CONTAINER * images.length;
    return nodes.map((node) => {
      let bytes = 0;
      for (const image of images) bytes += (node.images.get(image) ?? 0) * (spread.get(image) ?? 0);
      return (SCORE_MAX * (Math.min(Math.max(bytes, LEAST), most) - LEAST)) / (most - LEAST);
    });
  },
};

/** `nginx` is `nginx:latest`. */
function normalName(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;
}
