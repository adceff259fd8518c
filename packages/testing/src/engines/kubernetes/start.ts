import { access, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import type { Missing } from '../missing.ts';
import { deployDns } from './cluster-dns.ts';
import { deployMetrics } from './cluster-metrics.ts';
import { CgroupTree, isAlive } from './cgroup-tree.ts';
import { startControlPlane } from './control-plane.ts';
import type { ControlPlane } from './control-plane.ts';
import {
  containerdPrograms,
  controlPlanePrograms,
  corednsProgram,
  metricsServerProgram,
  nodePrograms,
} from './go-programs.ts';
import { frontProxyFlags, writeFrontProxy } from './front-proxy.ts';
import { enforcePolicies } from './network/policy-enforcer.ts';
import { POD_RANGE, startNode } from './node.ts';
import type { KubernetesNode } from './node.ts';
import { writeProgramImage } from './program-image.ts';
import { startSandbox } from './sandbox.ts';

const LOOPBACK = {
  address: '127.0.0.1',
  serviceRange: '10.96.0.0/24',
  command: (words: readonly string[]) => words,
  port: freePort,
};
const PREFIX = 'flywheel-kubernetes-';
const DNS_IMAGE = 'flywheel.test/coredns:1';
const METRICS_IMAGE = 'flywheel.test/metrics-server:1';
const DEBIAN_PROGRAMS = {
  '/usr/bin/openssl': 'openssl',
  '/usr/sbin/runc': 'runc',
  '/usr/lib/cni/ptp': 'containernetworking-plugins',
};

/** A cluster of one node that runs real pods, which end with it. */
export interface Kubernetes extends ControlPlane, KubernetesNode {
  /** The address of this machine as pods see it. */
  readonly hostAddress: string;
  /** What starts a program where the pods are reached. Services are reached from this machine too. */
  command(words: readonly string[]): readonly string[];
  /** Logs of the cluster's programs and pods lie here. */
  readonly folder: string;
}

/**
 * Kubernetes without a node on loopback ports: everything that an API server does, and no pods. It
 * needs no root. Its programs are built with Go on first use (ten minutes) and kept.
 */
export async function startKubernetesApi(): Promise<ControlPlane | Missing> {
  const programs = await controlPlanePrograms();
  if (typeof programs !== 'string') return programs;
  await using started = new AsyncDisposableStack();
  const folder = await makeFolder(started);
  const plane = started.use(await startControlPlane(LOOPBACK, folder, programs));
  const parts = started.move();
  return { ...plane, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

/**
 * Kubernetes with a node, in namespaces of its own. It needs root, runc and the plugins of CNI; the
 * rest is built with Go on first use (a quarter of an hour) and kept.
 */
export async function startKubernetes(): Promise<Kubernetes | Missing> {
  const programs = await buildKubernetesPrograms();
  if ('missing' in programs) return programs;
  for (const [program, debian] of Object.entries(DEBIAN_PROGRAMS)) {
    const there = await access(program).then(
      () => true,
      () => false,
    );
    if (!there) return { missing: `no ${program}; Debian's package is ${debian}` };
  }
  const sandbox = await startSandbox(join(programs.kubernetes, 'pause'));
  if ('missing' in sandbox) return sandbox;
  await using started = new AsyncDisposableStack();
  const folder = await makeFolder(started);
  const cgroups = started.use(await CgroupTree.make());
  started.use(sandbox);
  const flags = frontProxyFlags(await writeFrontProxy(folder));
  const plane = started.use(await startControlPlane(sandbox, folder, programs.controlPlane, flags));
  const node = started.use(await startNode({ sandbox, cgroups, folder, plane }, programs));
  const policies = await enforcePolicies(plane, sandbox, POD_RANGE);
  // Before all others: with the sandbox, everything in it ends at once, and what asks it must not go on.
  started.use(sandbox);
  started.use(policies);
  for (const [image, program] of [
    [DNS_IMAGE, programs.coredns],
    [METRICS_IMAGE, programs.metricsServer],
  ] as const) {
    await node.importImages(await writeProgramImage(folder, image, program));
  }
  await deployMetrics(plane, METRICS_IMAGE);
  await deployDns(plane, { image: DNS_IMAGE, address: sandbox.dnsAddress });
  const parts = started.move();
  return {
    ...plane,
    importImages: (archive) => node.importImages(archive),
    hostAddress: sandbox.hostAddress,
    command: (words) => sandbox.command(words),
    folder,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** Builds what the two need, for whoever wants it built before. */
export async function buildKubernetesPrograms(): Promise<
  | {
      readonly controlPlane: string;
      readonly kubernetes: string;
      readonly containerd: string;
      readonly coredns: string;
      readonly metricsServer: string;
    }
  | Missing
> {
  const controlPlane = await controlPlanePrograms();
  if (typeof controlPlane !== 'string') return controlPlane;
  const kubernetes = await nodePrograms();
  if (typeof kubernetes !== 'string') return kubernetes;
  const containerd = await containerdPrograms();
  if (typeof containerd !== 'string') return containerd;
  const coredns = await corednsProgram();
  if (typeof coredns !== 'string') return coredns;
  const metricsServer = await metricsServerProgram();
  if (typeof metricsServer !== 'string') return metricsServer;
  return { controlPlane, kubernetes, containerd, coredns, metricsServer };
}

/** A temporary folder that goes with the others. Those of processes that were killed go too. */
async function makeFolder(started: AsyncDisposableStack): Promise<string> {
  for (const name of await readdir(tmpdir())) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
