import type * as wire from '../../../wire/index.js';
import type { Command } from '../command.js';
import type { Context } from '../context.js';
import { orFail } from '../context.js';
import { badArgs, Exit, Fail } from '../fail.js';
import { flag } from '../flags.js';
import { quote } from '../go.js';
import { parseMemberId } from './ids.js';
import { rpc } from './rpc.js';

function peerUrlsOf(context: Context): string[] {
  const urls = context.flags.string('peer-urls');
  if (urls === '') throw badArgs('member peer urls not provided');
  return urls.split(',');
}

async function runAdd(context: Context, args: string[]): Promise<void> {
  if (args.length < 1) throw badArgs('member name not provided');
  if (args.length > 1) {
    const looksLikeUrl = /^https?:\/\//.test(args[1]!);
    throw badArgs(looksLikeUrl ? `too many arguments, did you mean --peer-urls=${args[1]}` : 'too many arguments');
  }
  const name = args[0]!;
  const urls = peerUrlsOf(context);
  checkUrls(urls);
  const learner = context.flags.bool('learner');
  const reply = await orFail(rpc.memberAdd(context, urls, learner));
  context.printer.memberAdd(reply, learner);
  if (context.flags.string('write-out') !== 'simple') return;
  // What the new member needs to be started with.
  const id = reply.member?.id;
  const peers = reply.members.flatMap((m) => m.peerUrls.map((url) => `${m.id === id ? name : m.name}=${url}`));
  context.io.out(
    `\nETCD_NAME=${quote(name)}\nETCD_INITIAL_CLUSTER=${quote(peers.join(','))}\n` +
      `ETCD_INITIAL_ADVERTISE_PEER_URLS=${quote((reply.member?.peerUrls ?? []).join(','))}\n` +
      'ETCD_INITIAL_CLUSTER_STATE="existing"\n',
  );
}

/** As etcd's client checks them before it sends. @throws Fail (1) */
function checkUrls(urls: readonly string[]): void {
  for (const url of urls) {
    if (!/^(https?|unixs?):\/\//.test(url)) {
      throw new Fail(Exit.ERROR, `URL scheme must be http, https, unix, or unixs: ${url}`);
    }
    if (/^https?:/.test(url)) {
      const rest = url.slice(url.indexOf('://') + 3);
      const [host, ...path] = rest.split('/');
      if (!/:\d+$/.test(host!)) throw new Fail(Exit.ERROR, `URL address does not have the form "host:port": ${url}`);
      if (path.length > 0 && path.join('/') !== '') throw new Fail(Exit.ERROR, `URL must not contain a path: ${url}`);
    }
  }
}

function memberIdOf(args: readonly string[]): bigint {
  if (args.length !== 1) throw badArgs('member ID is not provided');
  return parseMemberId(args[0]!);
}

async function runRemove(context: Context, args: string[]): Promise<void> {
  const id = memberIdOf(args);
  context.printer.memberRemove(id, await orFail(rpc.memberRemove(context, id)));
}

async function runUpdate(context: Context, args: string[]): Promise<void> {
  const id = memberIdOf(args);
  const urls = peerUrlsOf(context);
  context.printer.memberUpdate(id, await orFail(rpc.memberUpdate(context, id, urls)));
}

async function runPromote(context: Context, args: string[]): Promise<void> {
  const id = memberIdOf(args);
  context.printer.memberPromote(id, await orFail(rpc.memberPromote(context, id)));
}

async function runList(context: Context): Promise<void> {
  const consistency = context.flags.string('consistency');
  if (consistency !== 'l' && consistency !== 's') {
    throw new Fail(Exit.BAD_FEATURE, `unknown consistency flag ${quote(consistency)}`);
  }
  const reply: wire.MemberListResponse = await orFail(rpc.memberList(context, consistency === 'l'));
  context.printer.memberList(reply);
}

export const MEMBER: Command = {
  name: 'member',
  use: 'member <subcommand>',
  short: 'Membership related commands',
  commands: [
    {
      name: 'add',
      use: 'add <memberName> [options]',
      short: 'Adds a member into the cluster',
      flags: [
        flag('peer-urls', 'string', '', 'comma separated peer URLs for the new member.'),
        flag('learner', 'bool', 'false', 'indicates if the new member is raft learner'),
      ],
      run: runAdd,
    },
    { name: 'remove', use: 'remove <memberID>', short: 'Removes a member from the cluster', run: runRemove },
    {
      name: 'update',
      use: 'update <memberID> [options]',
      short: 'Updates a member in the cluster',
      flags: [flag('peer-urls', 'string', '', 'comma separated peer URLs for the updated member.')],
      run: runUpdate,
    },
    {
      name: 'list',
      use: 'list',
      short: 'Lists all members in the cluster',
      long: `When --write-out is set to simple, this command prints out comma-separated member lists for each endpoint.
The items in the lists are ID, Status, Name, Peer Addrs, Client Addrs, Is Learner.`,
      flags: [flag('consistency', 'string', 'l', 'Linearizable(l) or Serializable(s)')],
      run: runList,
    },
    {
      name: 'promote',
      use: 'promote <memberID>',
      short: 'Promotes a non-voting member in the cluster',
      long: 'Promotes a non-voting learner member to a voting one in the cluster.',
      run: runPromote,
    },
  ],
};
