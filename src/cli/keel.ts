#!/usr/bin/env node
const USAGE = `keel: an etcd v3 in TypeScript

Usage:

  keel server [flags]    start a member; also plain "keel --name ..." with etcd's own flags
  keel cluster COMMAND   the local cluster of cluster.config.json
  keel kube [flags]      a Kubernetes API for kubectl, on a member of its own or on any etcd v3
  keel sim [flags]       the simulator: production code under every fault, from one seed
  keel version           print the version

Use "keel server --help", "keel cluster --help" and "keel kube --help" for more.
`;

const [command, ...rest] = process.argv.slice(2);
if (command === undefined || command === 'server' || command.startsWith('-')) {
  if (command === '-h' || command === '--help' || command === 'help') process.stdout.write(USAGE);
  else {
    const { serverCommand } = await import('./keel/server.js');
    await serverCommand(command === 'server' || command === undefined ? rest : process.argv.slice(2));
  }
} else if (command === 'cluster') {
  const { clusterCommand } = await import('./keel/cluster.js');
  await clusterCommand(rest);
} else if (command === 'kube') {
  const { kubeCommand } = await import('./keel/kube.js');
  await kubeCommand(rest);
} else if (command === 'version') {
  const { serverCommand } = await import('./keel/server.js');
  await serverCommand(['--version']);
} else if (command === 'help') {
  process.stdout.write(USAGE);
} else if (command === 'sim') {
  // A program of its own: nothing may import the simulator.
  const { fileURLToPath } = await import('node:url');
  process.argv = [process.execPath, fileURLToPath(new URL('../sim/main.js', import.meta.url)), ...rest];
  await import(new URL('../sim/main.js', import.meta.url).href);
} else if (['bench', 'gateway', 'grpc-proxy'].includes(command)) {
  process.stderr.write(`Error: "keel ${command}" is not built yet\n`);
  process.exitCode = 1;
} else {
  process.stderr.write(`"${command}" is not a valid flag\n`);
  process.exitCode = 1;
}
