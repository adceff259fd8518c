import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import { runChild } from '../child.ts';
import type { CgroupTree } from './cgroup-tree.ts';
import { Component } from './component.ts';
import { argumentsOf } from './control-plane.ts';
import type { ControlPlane } from './control-plane.ts';
import { writeProgramImage } from './program-image.ts';
import type { Sandbox } from './sandbox.ts';

const NODE = 'node';
/** The block of addresses that pods get. */
export const POD_RANGE = '10.244.0.0/24';
// Where the kubelet looks for the figures of containers, whatever it is told of the runtime.
const SOCKET = '/run/containerd/containerd.sock';
const PAUSE_IMAGE = 'flywheel.test/pause:1';

export interface NodePrograms {
  /** kube-scheduler, kubelet, kube-proxy and pause. */
  readonly kubernetes: string;
  /** containerd, its shim and ctr. */
  readonly containerd: string;
}

/** What a node is made in and belongs to. */
export interface NodeParts {
  readonly sandbox: Sandbox;
  readonly cgroups: CgroupTree;
  readonly folder: string;
  readonly plane: ControlPlane;
}

/** What runs pods: scheduler, kubelet, containerd, and the rules of services. */
export interface KubernetesNode extends AsyncDisposable {
  /** Takes up the images of an archive, as docker or OCI lay it out. */
  importImages(archive: string): Promise<void>;
}

/** Starts a node in the sandbox of its control plane, and returns when it takes pods. */
export async function startNode(
  { sandbox, cgroups, folder, plane }: NodeParts,
  programs: NodePrograms,
): Promise<KubernetesNode> {
  await using started = new AsyncDisposableStack();
  const start = async (
    command: readonly [string, ...string[]],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Component> => started.use(await Component.start(sandbox, folder, command, env));

  await writeFile(join(folder, 'containerd.toml'), containerdConfig(folder));
  await mkdir(join(folder, 'cni'));
  await writeFile(join(folder, 'cni', '10-pods.conflist'), JSON.stringify(podNetwork(folder)));
  const containerd = await start(
    [join(programs.containerd, 'containerd'), `--config=${join(folder, 'containerd.toml')}`],
    { PATH: `${programs.containerd}:/usr/sbin:/usr/bin:/sbin:/bin` },
  );
  const ctr = (args: readonly string[]): ReturnType<typeof runChild> =>
    runChild(sandbox.command([join(programs.containerd, 'ctr'), `--address=${SOCKET}`, ...args]), {
      env: { PATH: '/usr/bin:/bin' },
      timeoutMs: 300_000,
    });
  await containerd.ready(async () => (await ctr(['version'])).status === 0);
  const importImages = async (archive: string): Promise<void> => {
    const { status, stderr } = await ctr(['--namespace=k8s.io', 'images', 'import', archive]);
    if (status !== 0) throw new FlywheelError('unavailable', `import ${archive}: ${stderr}`);
  };
  await importImages(
    await writeProgramImage(folder, PAUSE_IMAGE, join(programs.kubernetes, 'pause')),
  );

  await start([
    join(programs.kubernetes, 'kube-scheduler'),
    ...argumentsOf({
      kubeconfig: await plane.kubeconfigOf('scheduler'),
      'leader-elect': 'false',
      'bind-address': '127.0.0.1',
    }),
  ]);
  await start([
    join(programs.kubernetes, 'kube-proxy'),
    ...argumentsOf({
      kubeconfig: await plane.kubeconfigOf('proxy'),
      'hostname-override': NODE,
      'proxy-mode': 'iptables',
      'cluster-cidr': POD_RANGE,
      // The machine's own, which a namespace must not change.
      'conntrack-max-per-core': '0',
    }),
  ]);
  await writeFile(join(folder, 'resolv.conf'), `nameserver ${sandbox.dnsAddress}\n`);
  await writeFile(
    join(folder, 'kubelet.json'),
    JSON.stringify(kubeletConfig(folder, sandbox, cgroups.name)),
  );
  const kubelet = await start([
    join(programs.kubernetes, 'kubelet'),
    ...argumentsOf({
      config: join(folder, 'kubelet.json'),
      kubeconfig: await plane.kubeconfigOf('kubelet'),
      'root-dir': join(folder, 'kubelet'),
      'cert-dir': join(folder, 'kubelet-certificates'),
      'hostname-override': NODE,
      'node-ip': sandbox.address,
    }),
  ]);
  await kubelet.ready(async () => {
    // prettier-ignore
    const asked = await plane.kubectl(['wait', `node/${NODE}`, '--for=condition=Ready', '--timeout=2s']);
    return asked.status === 0;
  });

  const components = started.move();
  return { importImages, [Symbol.asyncDispose]: () => components.disposeAsync() };
}

function containerdConfig(folder: string): string {
  const path = (name: string): string => JSON.stringify(join(folder, name));
  return `version = 3
root = ${path('containerd')}
state = ${path('containerd-state')}

[grpc]
  address = '${SOCKET}'

[plugins.'io.containerd.internal.v1.opt']
  path = ${path('containerd-opt')}

[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = '${PAUSE_IMAGE}'

[plugins.'io.containerd.cri.v1.runtime']
  # Without CAP_SYS_RESOURCE runc cannot lower the score: "can't get final child's PID from pipe".
  restrict_oom_score_adj = true

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = 'io.containerd.runc.v2'

[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ['/usr/lib/cni']
  conf_dir = ${path('cni')}
`;
}

/** Each pod has a link of its own, so that all it sends passes the packet filter of the node. */
function podNetwork(folder: string): object {
  return {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'ptp',
        ipMasq: true,
        ipam: {
          type: 'host-local',
          dataDir: join(folder, 'pod-addresses'),
          ranges: [[{ subnet: POD_RANGE }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

function kubeletConfig(folder: string, { address, dnsAddress }: Sandbox, cgroup: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address,
    // Only the API server of this sandbox reaches it.
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${SOCKET}`,
    clusterDomain: 'cluster.local',
    clusterDNS: [dnsAddress],
    resolvConf: join(folder, 'resolv.conf'),
    podLogsDir: join(folder, 'pod-logs'),
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    oomScoreAdj: 0,
    // The machine's disk may be fuller than a node's should be.
    evictionHard: {
      'nodefs.available': '1%',
      'imagefs.available': '1%',
      'memory.available': '50Mi',
    },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    shutdownGracePeriod: '0s',
    nodeStatusUpdateFrequency: '5s',
  };
}
