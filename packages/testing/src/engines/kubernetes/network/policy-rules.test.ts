import { describe, expect, test } from 'vitest';
import type { Namespace, NetworkPolicy, Pod, PolicyPeer, PolicyPort } from './objects.ts';
import { policyRules } from './policy-rules.ts';

const RANGE = '10.244.0.0/24';
const NAMESPACES: readonly Namespace[] = ['shop', 'web', 'watch'].map((name) => ({
  metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
}));

function pod(namespace: string, app: string, podIP: string, rest: Partial<Pod['spec']> = {}): Pod {
  const ports = [{ name: 'http', containerPort: 8080 }];
  return {
    metadata: { namespace, labels: { app } },
    spec: { containers: [{ ports }], ...rest },
    status: { phase: 'Running', podIP },
  };
}

const CACHE = pod('shop', 'cache', '10.244.0.2');
const STORE = pod('shop', 'store', '10.244.0.3');
const PROXY = pod('web', 'proxy', '10.244.0.4');
const ALL = [CACHE, STORE, PROXY];

function policy(spec: NetworkPolicy['spec'], namespace = 'shop'): NetworkPolicy {
  return { metadata: { namespace }, spec };
}

/** The rules of one chain, without its name. */
function chain(
  name: string,
  policies: readonly NetworkPolicy[],
  pods: readonly Pod[] = ALL,
): readonly string[] {
  const text = policyRules({ policies, pods, namespaces: NAMESPACES }, RANGE);
  const head = `-A ${name} `;
  return text
    .split('\n')
    .filter((line) => line.startsWith(head))
    .map((line) => line.slice(head.length));
}

/** What the cache is open to, besides itself, when this is what a policy lets in. */
function opened(from: readonly PolicyPeer[] | undefined, ports?: readonly PolicyPort[]) {
  const rule = {
    ...(from === undefined ? {} : { from }),
    ...(ports === undefined ? {} : { ports }),
  };
  const rules = chain('ingress-10.244.0.2', [
    policy({ podSelector: { matchLabels: { app: 'cache' } }, ingress: [rule] }),
  ]);
  expect(rules[0]).toBe('-s 10.244.0.2/32 -j RETURN');
  expect(rules.at(-1)).toBe('-j DROP');
  return rules.slice(1, -1);
}

test('a whole set of rules, as iptables-restore reads it', () => {
  const closed = policy({ podSelector: {}, policyTypes: ['Ingress'] });

  const text = policyRules(
    { policies: [closed], pods: [CACHE, PROXY], namespaces: NAMESPACES },
    RANGE,
  );

  expect(text).toBe(`*security
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POLICIES - [0:0]
:SENDERS - [0:0]
:RECEIVERS - [0:0]
:ingress-10.244.0.2 - [0:0]
-A INPUT -s 10.244.0.0/24 -j POLICIES
-A FORWARD -j POLICIES
-A POLICIES -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN
-A POLICIES -s 10.244.0.0/24 -j SENDERS
-A POLICIES -d 10.244.0.0/24 -j RECEIVERS
-A SENDERS -s 10.244.0.2/32 -j RETURN
-A RECEIVERS -d 10.244.0.2/32 -g ingress-10.244.0.2
-A ingress-10.244.0.2 -s 10.244.0.2/32 -j RETURN
-A ingress-10.244.0.2 -j DROP
-A SENDERS -s 10.244.0.4/32 -j RETURN
-A RECEIVERS -d 10.244.0.4/32 -j RETURN
-A SENDERS -j DROP
-A RECEIVERS -j DROP
COMMIT
`);
});

describe('which pods are closed', () => {
  test('those that a policy of their namespace selects, in the directions that it names', () => {
    const both = policy({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });

    expect(chain('SENDERS', [both])).toEqual([
      '-s 10.244.0.2/32 -g egress-10.244.0.2',
      '-s 10.244.0.3/32 -g egress-10.244.0.3',
      '-s 10.244.0.4/32 -j RETURN',
      '-j DROP',
    ]);
    expect(chain('egress-10.244.0.2', [both])).toEqual(['-d 10.244.0.2/32 -j RETURN', '-j DROP']);
  });

  test('without types, for what comes, and for what goes when rules say so', () => {
    const coming = policy({ podSelector: { matchLabels: { app: 'cache' } } });
    const going = policy({ podSelector: { matchLabels: { app: 'cache' } }, egress: [] });

    expect(chain('RECEIVERS', [coming])[0]).toBe('-d 10.244.0.2/32 -g ingress-10.244.0.2');
    expect(chain('SENDERS', [coming])[0]).toBe('-s 10.244.0.2/32 -j RETURN');
    expect(chain('SENDERS', [going])[0]).toBe('-s 10.244.0.2/32 -g egress-10.244.0.2');
  });

  test('by expressions over labels', () => {
    const selecting = (operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist', values?: string[]) =>
      chain('RECEIVERS', [
        policy({
          podSelector: {
            matchExpressions: [
              { key: 'app', operator, ...(values === undefined ? {} : { values }) },
            ],
          },
        }),
      ])
        .filter((rule) => rule.includes(' -g '))
        .map((rule) => rule.split(' ')[1]);

    expect(selecting('In', ['cache', 'other'])).toEqual(['10.244.0.2/32']);
    expect(selecting('NotIn', ['cache', 'other'])).toEqual(['10.244.0.3/32']);
    expect(selecting('Exists')).toEqual(['10.244.0.2/32', '10.244.0.3/32']);
    expect(selecting('DoesNotExist')).toEqual([]);
  });

  test('no others have a network: neither unknown ones, nor those that have ended', () => {
    const ended: Pod = { ...STORE, status: { phase: 'Succeeded', podIP: '10.244.0.3' } };
    const host = pod('shop', 'agent', '10.200.0.2', { hostNetwork: true });
    const fresh: Pod = { ...PROXY, status: { phase: 'Pending' } };

    expect(chain('SENDERS', [], [CACHE, ended, host, fresh])).toEqual([
      '-s 10.244.0.2/32 -j RETURN',
      '-j DROP',
    ]);
  });
});

describe('who is let in', () => {
  test('nobody, where no rule is; everybody, where a rule names nobody', () => {
    const closed = policy({ podSelector: {}, policyTypes: ['Ingress'], ingress: [] });

    expect(chain('ingress-10.244.0.2', [closed])).toEqual([
      '-s 10.244.0.2/32 -j RETURN',
      '-j DROP',
    ]);
    expect(opened(undefined)).toEqual(['-j RETURN']);
    expect(opened([])).toEqual(['-j RETURN']);
  });

  test('pods of the own namespace, by their labels', () => {
    expect(opened([{ podSelector: { matchLabels: { app: 'store' } } }])).toEqual([
      '-s 10.244.0.3/32 -j RETURN',
    ]);
    expect(opened([{ podSelector: {} }])).toEqual(['-s 10.244.0.3/32 -j RETURN']);
    expect(opened([{ podSelector: { matchLabels: { app: 'proxy' } } }])).toEqual([]);
  });

  test('pods of other namespaces, all of them or by their labels too', () => {
    const web = { matchLabels: { 'kubernetes.io/metadata.name': 'web' } };

    expect(opened([{ namespaceSelector: web }])).toEqual(['-s 10.244.0.4/32 -j RETURN']);
    expect(
      opened([{ namespaceSelector: web, podSelector: { matchLabels: { app: 'store' } } }]),
    ).toEqual([]);
    expect(
      opened([{ namespaceSelector: web }, { podSelector: { matchLabels: { app: 'store' } } }]),
    ).toEqual(['-s 10.244.0.4/32 -j RETURN', '-s 10.244.0.3/32 -j RETURN']);
    expect(opened([{ namespaceSelector: {}, podSelector: {} }])).toEqual([
      '-s 10.244.0.3/32 -j RETURN',
      '-s 10.244.0.4/32 -j RETURN',
    ]);
  });

  test('blocks of addresses without their exceptions, and never pods', () => {
    const office = { cidr: '192.168.0.0/22', except: ['192.168.1.0/24'] };
    expect(opened([{ ipBlock: office }])).toEqual([
      '-s 192.168.0.0/24 -j RETURN',
      '-s 192.168.2.0/23 -j RETURN',
    ]);
    expect(opened([{ ipBlock: { cidr: '10.244.0.3/32' } }])).toEqual([]);
    expect(opened([{ ipBlock: { cidr: '2001:db8::/32' } }])).toEqual([]);
    const everywhere = opened([{ ipBlock: { cidr: '0.0.0.0/0' } }]);
    expect(everywhere).toHaveLength(24);
    expect(everywhere[0]).toBe('-s 0.0.0.0/5 -j RETURN');
  });

  test('what any of the policies lets in', () => {
    const selector = { podSelector: { matchLabels: { app: 'cache' } } };
    const from = (app: string) => [{ podSelector: { matchLabels: { app } } }];

    const rules = chain('ingress-10.244.0.2', [
      policy({ ...selector, ingress: [] }),
      policy({ ...selector, ingress: [{ from: from('store'), ports: [{ port: 80 }] }] }),
      policy({ ...selector, ingress: [{ from: from('store') }] }),
      policy({ ...selector, ingress: [{}] }, 'web'),
    ]);

    expect(rules.slice(1, -1)).toEqual([
      '-s 10.244.0.3/32 -p tcp --dport 80 -j RETURN',
      '-s 10.244.0.3/32 -j RETURN',
    ]);
  });
});

describe('on which ports', () => {
  test('numbers, ranges, a whole protocol, names', () => {
    expect(
      opened(undefined, [
        { port: 9090 },
        { port: 53, protocol: 'UDP' },
        { port: 30_000, endPort: 30_100 },
        { protocol: 'SCTP' },
        { port: 'http' },
        { port: 'http', protocol: 'UDP' },
        { port: 'unheard-of' },
      ]),
    ).toEqual([
      '-p tcp --dport 9090 -j RETURN',
      '-p udp --dport 53 -j RETURN',
      '-p tcp --dport 30000:30100 -j RETURN',
      '-p sctp -j RETURN',
      '-p tcp --dport 8080 -j RETURN',
    ]);
  });

  test('of what goes, a name is one of the pod that it goes to', () => {
    const own = { containers: [{ ports: [{ name: 'http', containerPort: 3000 }] }] };
    const rules = chain(
      'egress-10.244.0.2',
      [
        policy({
          podSelector: { matchLabels: { app: 'cache' } },
          policyTypes: ['Egress'],
          egress: [
            { to: [{ podSelector: { matchLabels: { app: 'store' } } }], ports: [{ port: 'http' }] },
            { to: [{ ipBlock: { cidr: '192.168.0.0/16' } }], ports: [{ port: 'http' }] },
            { ports: [{ port: 'http' }] },
          ],
        }),
      ],
      [CACHE, { ...STORE, spec: own }, PROXY],
    );

    expect(rules).toEqual([
      '-d 10.244.0.2/32 -j RETURN',
      '-d 10.244.0.3/32 -p tcp --dport 3000 -j RETURN',
      '-d 10.244.0.2/32 -p tcp --dport 8080 -j RETURN',
      '-d 10.244.0.4/32 -p tcp --dport 8080 -j RETURN',
      '-j DROP',
    ]);
  });
});
