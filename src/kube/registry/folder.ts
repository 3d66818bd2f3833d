import { prefixEnd } from '../../client/index.js';

/**
 * The keys of one storage folder: `<prefix>/<dir>[/<namespace>]/<name>`. A folder's own prefix ends in a slash, or
 * `pods` would be found among the `podtemplates`. Source: kubernetes storage layout.
 */
export class Folder {
  /** `/registry/pods/` */
  readonly prefix: string;
  readonly namespaced: boolean;

  constructor(root: string, dir: string, namespaced: boolean) {
    this.prefix = `${root}/${dir}/`;
    this.namespaced = namespaced;
  }

  key(namespace: string, name: string): string {
    return this.namespaced ? `${this.prefix}${namespace}/${name}` : this.prefix + name;
  }

  /** What all objects of a namespace begin with; of all, if it is empty. */
  scope(namespace: string): string {
    return this.namespaced && namespace !== '' ? `${this.prefix}${namespace}/` : this.prefix;
  }

  /** The first key behind a scope. */
  static end(scope: string): string {
    return prefixEnd(scope);
  }

  /** Namespace and name of a key of this folder; null for one that is not an object's. */
  parse(key: string): { namespace: string; name: string } | null {
    const rest = key.slice(this.prefix.length);
    if (!this.namespaced) return rest === '' ? null : { namespace: '', name: rest };
    const slash = rest.indexOf('/');
    if (slash <= 0 || slash === rest.length - 1) return null;
    return { namespace: rest.slice(0, slash), name: rest.slice(slash + 1) };
  }
}
