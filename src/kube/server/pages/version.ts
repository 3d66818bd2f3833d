/** /version. The minor is that of the API which is served; kubectl warns when its own is more than one away. */
import type { Exchange } from '../exchange.js';
import { respond } from '../respond.js';

export const KUBERNETES_VERSION = { major: '1', minor: '33', gitVersion: 'v1.33.0+keel' } as const;

const PLATFORM = `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`;

export function versionPage(exchange: Exchange): void {
  respond(exchange, 200, {
    ...KUBERNETES_VERSION,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '2026-01-01T00:00:00Z',
    goVersion: `node ${process.version}`,
    compiler: 'v8',
    platform: PLATFORM,
  });
}
