import { blocksWithout } from './address-blocks.ts';
import { selects } from './objects.ts';
import type { Namespace, NetworkPolicy, Pod, PolicyPeer, PolicyPort } from './objects.ts';

/** What decides who may talk to whom. */
export interface NetworkState {
  readonly policies: readonly NetworkPolicy[];
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
}

/** A pod that is on the network. */
interface Member {
  readonly pod: Pod;
  readonly address: string;
}

type Way = 'ingress' | 'egress';

/** The other end of a rule: all addresses, those of a block, or a pod's. */
interface Peer {
  readonly block?: string;
  readonly pod?: Pod;
}

const HEAD = [
  '*security',
  ':INPUT ACCEPT [0:0]',
  ':FORWARD ACCEPT [0:0]',
  ':OUTPUT ACCEPT [0:0]',
  ':POLICIES - [0:0]',
  ':SENDERS - [0:0]',
  ':RECEIVERS - [0:0]',
];

/**
 * What `iptables-restore` takes to let through what the policies allow between pods, and between
 * them and all others; `podRange` is the block of their addresses.
 *
 * It is the table `security`, because nobody else uses it, and it comes after services have been
 * translated to pods. A pod is closed in a direction when a policy of its namespace selects it for
 * that; then what any of them allows is open, and answers are. What the node sends is always let in,
 * probes among it. Three things that the reference leaves open are decided strictly, so that what
 * works here works elsewhere: the node is not open to its own pods, because in most clusters the API
 * server is on another; a block of addresses means none of pods; and an address whose pod is not
 * known yet has no network.
 */
export function policyRules(state: NetworkState, podRange: string): string {
  const members = state.pods.flatMap((pod): readonly Member[] => {
    const address = pod.status?.podIP;
    const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    return address === undefined || ended || pod.spec.hostNetwork === true
      ? []
      : [{ pod, address }];
  });
  const network = { ...state, members, podRange };
  const chains = members.flatMap((member) => [
    ...memberChain(network, member, 'egress'),
    ...memberChain(network, member, 'ingress'),
  ]);
  return [
    ...HEAD,
    ...chains.filter((line) => line.startsWith(':')),
    `-A INPUT -s ${podRange} -j POLICIES`,
    '-A FORWARD -j POLICIES',
    '-A POLICIES -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN',
    `-A POLICIES -s ${podRange} -j SENDERS`,
    `-A POLICIES -d ${podRange} -j RECEIVERS`,
    ...chains.filter((line) => line.startsWith('-')),
    '-A SENDERS -j DROP',
    '-A RECEIVERS -j DROP',
    'COMMIT',
    '',
  ].join('\n');
}

interface Network extends NetworkState {
  readonly members: readonly Member[];
  readonly podRange: string;
}

function memberChain(network: Network, { pod, address }: Member, way: Way): readonly string[] {
  const [from, own, other] =
    way === 'egress' ? (['SENDERS', '-s', '-d'] as const) : (['RECEIVERS', '-d', '-s'] as const);
  const closing = network.policies.filter((policy) => closes(policy, pod, way));
  if (closing.length === 0) return [`-A ${from} ${own} ${address}/32 -j RETURN`];
  const chain = `${way}-${address}`;
  const open = closing.flatMap((policy) => openings(network, policy, pod, way));
  return [
    `:${chain} - [0:0]`,
    // Goes back to where the direction was chosen, and not on to what drops.
    `-A ${from} ${own} ${address}/32 -g ${chain}`,
    // Nothing keeps a pod from itself.
    ...new Set([`${other} ${address}/32`, ...open].map((match) => rule(chain, match))),
    `-A ${chain} -j DROP`,
  ];
}

function rule(chain: string, match: string): string {
  return ['-A', chain, match, '-j RETURN'].filter((word) => word !== '').join(' ');
}

function closes({ metadata, spec }: NetworkPolicy, pod: Pod, way: Way): boolean {
  const types = spec.policyTypes ?? ['Ingress', ...(spec.egress === undefined ? [] : ['Egress'])];
  return (
    metadata.namespace === pod.metadata.namespace &&
    types.includes(way === 'egress' ? 'Egress' : 'Ingress') &&
    selects(spec.podSelector, pod.metadata.labels)
  );
}

/** What a packet has to be like for this policy to let it through, in the words of iptables. */
function openings(network: Network, policy: NetworkPolicy, pod: Pod, way: Way): readonly string[] {
  const rules =
    way === 'egress'
      ? (policy.spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }))
      : (policy.spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }));
  return rules.flatMap(({ peers = [], ports = [] }) => {
    const ends: readonly Peer[] =
      peers.length === 0
        ? [{}]
        : peers.flatMap((peer) => resolve(network, policy.metadata.namespace, peer));
    return ends.flatMap((end) => {
      if (ports.length === 0) return [address(end, way)];
      return ports.flatMap((port) =>
        withPort(network, { end, port, way, pod }).map(({ at, match }) =>
          `${address(at, way)} ${match}`.trim(),
        ),
      );
    });
  });
}

function address({ block }: Peer, way: Way): string {
  if (block === undefined) return '';
  return `${way === 'egress' ? '-d' : '-s'} ${block}`;
}

function resolve(network: Network, namespace: string, peer: PolicyPeer): readonly Peer[] {
  if (peer.ipBlock !== undefined) {
    const { cidr, except = [] } = peer.ipBlock;
    // There is no IPv6 here.
    if (cidr.includes(':')) return [];
    return blocksWithout(cidr, [...except, network.podRange]).map((block) => ({ block }));
  }
  const { namespaceSelector, podSelector = {} } = peer;
  const inside = new Set(
    namespaceSelector === undefined
      ? [namespace]
      : network.namespaces
          .filter(({ metadata }) => selects(namespaceSelector, metadata.labels))
          .map(({ metadata }) => metadata.name),
  );
  return network.members
    .filter(({ pod: { metadata } }) => inside.has(metadata.namespace))
    .filter(({ pod: { metadata } }) => selects(podSelector, metadata.labels))
    .map(atMember);
}

function atMember({ pod, address: ip }: Member): Peer {
  return { pod, block: `${ip}/32` };
}

/** The port's number at each end. A name is one of the receiving pod: where there is none, nothing. */
function withPort(
  network: Network,
  options: {
    readonly end: Peer;
    readonly port: PolicyPort;
    readonly way: Way;
    readonly pod: Pod;
  },
): readonly { readonly at: Peer; readonly match: string }[] {
  const { end, port, way, pod } = options;
  const protocol = port.protocol ?? 'TCP';
  const match = `-p ${protocol.toLowerCase()}`;
  if (port.port === undefined) return [{ at: end, match }];
  if (typeof port.port === 'number') {
    const range = port.endPort === undefined ? '' : `:${port.endPort}`;
    return [{ at: end, match: `${match} --dport ${port.port}${range}` }];
  }
  const name = port.port;
  const named = (receiver: Pod): readonly number[] =>
    [...receiver.spec.containers, ...(receiver.spec.initContainers ?? [])]
      .flatMap(({ ports = [] }) => ports)
      .filter((each) => each.name === name && (each.protocol ?? 'TCP') === protocol)
      .map(({ containerPort }) => containerPort);
  if (way === 'ingress') {
    return named(pod).map((number) => ({ at: end, match: `${match} --dport ${number}` }));
  }
  const receivers = end.block === undefined ? network.members.map(atMember) : [end];
  return receivers.flatMap((at) =>
    at.pod === undefined
      ? []
      : named(at.pod).map((number) => ({ at, match: `${match} --dport ${number}` })),
  );
}
