import { describe, expect, test } from 'vitest';
import { parseRequestInfo } from '../../../src/kube/server/request-info.js';

function parse(line: string) {
  const [method = '', url = ''] = line.split(' ');
  const { verb, group, version, resource, subresource, namespace, name, rest, isResource } = parseRequestInfo(
    method,
    url,
  );
  if (!isResource) return `${verb} path`;
  return [verb, `${group}/${version}`, resource, subresource, namespace, name, rest].join(' ').trimEnd();
}

describe('what a request is about', () => {
  test.each([
    ['GET /api/v1/pods', 'list /v1 pods'],
    ['GET /api/v1/pods?watch=true', 'watch /v1 pods'],
    ['GET /api/v1/pods?watch=0', 'list /v1 pods'],
    ['GET /api/v1/namespaces/a/pods/p', 'get /v1 pods  a p'],
    ['HEAD /api/v1/namespaces/a/pods/p', 'get /v1 pods  a p'],
    ['POST /api/v1/namespaces/a/pods', 'create /v1 pods  a'],
    ['PUT /api/v1/namespaces/a/pods/p/status', 'update /v1 pods status a p'],
    ['PATCH /apis/apps/v1/namespaces/a/deployments/d/scale', 'patch apps/v1 deployments scale a d'],
    ['DELETE /api/v1/namespaces/a/pods', 'deletecollection /v1 pods  a'],
    ['DELETE /api/v1/nodes/n', 'delete /v1 nodes   n'],
    ['GET /api/v1/namespaces', 'list /v1 namespaces'],
    ['GET /api/v1/namespaces/a', 'get /v1 namespaces  a a'],
    ['PUT /api/v1/namespaces/a/finalize', 'update /v1 namespaces finalize a a'],
    ['PUT /api/v1/namespaces/a/status', 'update /v1 namespaces status a a'],
    ['GET /api/v1/watch/namespaces/a/pods', 'watch /v1 pods  a'],
    ['GET /api/v1/namespaces/a/services/https:w:1/proxy/x/y%20z/', 'get /v1 services proxy a https:w:1 /x/y%20z/'],
    ['GET /api/v1/namespaces/a/services/w/proxy/', 'get /v1 services proxy a w /'],
    ['GET /api/v1/namespaces/a/services/w/proxy', 'get /v1 services proxy a w'],
    ['GET /api/v1/nodes/n/proxy/metrics', 'get /v1 nodes proxy  n /metrics'],
    ['GET /apis/apps/v1', 'get path'],
    ['GET /apis/apps', 'get path'],
    ['GET /api/v1', 'get path'],
    ['GET /', 'get path'],
    ['POST /metrics', 'post path'],
    ['GET /api/v1/pods?fieldSelector=metadata.name%3Dx', 'list /v1 pods   x'],
    ['GET /api/v1/pods?fieldSelector=spec.nodeName%3Dn,metadata.name%3Dx&watch=1', 'watch /v1 pods   x'],
    ['GET /api/v1/pods?fieldSelector=metadata.name!%3Dx', 'list /v1 pods'],
  ])('%s', (line, expected) => {
    expect(parse(line).replace(/ +$/, '')).toBe(expected);
  });

  test('a path that is not well encoded is a bad request', () => {
    expect(() => parseRequestInfo('GET', '/api/v1/namespaces/%zz/pods')).toThrow(/not well encoded/);
  });
});
