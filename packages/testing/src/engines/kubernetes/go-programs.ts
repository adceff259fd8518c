import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildOnce, enginesFolder } from '../engine-folder.ts';
import { findGo, runGo } from '../go-command.ts';
import { goInstall } from '../go-install.ts';
import { goModuleFolder } from '../go-module.ts';
import type { Missing } from '../missing.ts';
import { KUBERNETES_VERSION } from './version.ts';

const ETCD_VERSION = '3.7.0';
const CONTAINERD_VERSION = '2.1.5';
const COREDNS_VERSION = '1.15.0';
const METRICS_SERVER_VERSION = '0.9.0';
const MODULE = 'k8s.io/kubernetes';
const [MAJOR, MINOR] = KUBERNETES_VERSION.split('.');
const STAMP = 'k8s.io/component-base/version';

/** Commands of our own, where a project's own one cannot be had as a package of Go. */
const OWN_COMMANDS = {
  'etcd/main.go': `package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
`,
  // Holds the namespaces of a pod, and collects the processes that lost their parents.
  'pause/main.go': `package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for caught := range signals {
		if caught != syscall.SIGCHLD {
			return
		}
		for {
			if pid, _ := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 {
				break
			}
		}
	}
}
`,
} as const;

/** A folder with etcd, kube-apiserver, kube-controller-manager and kubectl. */
export function controlPlanePrograms(): Promise<string | Missing> {
  return buildKubernetes('control-plane', [
    './etcd',
    `${MODULE}/cmd/kube-apiserver`,
    `${MODULE}/cmd/kube-controller-manager`,
    `${MODULE}/cmd/kubectl`,
  ]);
}

/** A folder with kube-scheduler, kubelet, kube-proxy and pause. */
export function nodePrograms(): Promise<string | Missing> {
  return buildKubernetes('node', [
    './pause',
    `${MODULE}/cmd/kube-scheduler`,
    `${MODULE}/cmd/kubelet`,
    `${MODULE}/cmd/kube-proxy`,
  ]);
}

/** A folder with containerd, the shim that it starts for each pod, and ctr. */
export async function containerdPrograms(): Promise<string | Missing> {
  const folder = join(enginesFolder(), `containerd-${CONTAINERD_VERSION}`);
  const go = await findGo();
  if (go === undefined) return { missing: 'no Go to build containerd with' };
  const module = 'github.com/containerd/containerd/v2';
  return buildOnce(folder, async (draft) => {
    const source = await goModuleFolder(go, `${module}@v${CONTAINERD_VERSION}`);
    // The kubelet asks for its version, and refuses one that is none.
    const flags = `-s -w -X ${module}/version.Version=${CONTAINERD_VERSION}`;
    const build = [go, 'build', '-mod=mod', '-buildvcs=false', '-trimpath', '-ldflags', flags];
    const commands = ['./cmd/containerd', './cmd/containerd-shim-runc-v2', './cmd/ctr'];
    await runGo([...build, '-o', `${draft}/`, ...commands], { cwd: source });
  });
}

/** Where CoreDNS is. */
export function corednsProgram(): Promise<string | Missing> {
  return goInstall({
    name: 'coredns',
    version: COREDNS_VERSION,
    module: `github.com/coredns/coredns@v${COREDNS_VERSION}`,
  });
}

/** Where metrics-server is. */
export function metricsServerProgram(): Promise<string | Missing> {
  return goInstall({
    name: 'metrics-server',
    version: METRICS_SERVER_VERSION,
    module: `sigs.k8s.io/metrics-server/cmd/metrics-server@v${METRICS_SERVER_VERSION}`,
  });
}

/**
 * Builds commands on first use (minutes) and keeps them. Kubernetes' module names versions of its
 * own parts that only exist inside its repository: a module around it names the published ones.
 */
async function buildKubernetes(
  part: string,
  packages: readonly string[],
): Promise<string | Missing> {
  const folder = join(enginesFolder(), `kubernetes-${part}-${KUBERNETES_VERSION}`);
  const go = await findGo();
  if (go === undefined) return { missing: 'no Go to build Kubernetes with' };
  return buildOnce(folder, async (draft) => {
    const wrapper = join(draft, 'module');
    await writeFiles(wrapper, {
      ...OWN_COMMANDS,
      'go.mod': await wrapperModule(go),
    });
    const flags = [
      '-s -w',
      `-X ${STAMP}.gitVersion=v${KUBERNETES_VERSION}`,
      `-X ${STAMP}.gitMajor=${MAJOR} -X ${STAMP}.gitMinor=${MINOR}`,
    ];
    const build = [go, 'build', '-mod=mod', '-buildvcs=false', '-trimpath'];
    await runGo([...build, '-ldflags', flags.join(' '), '-o', `${draft}/`, ...packages], {
      cwd: wrapper,
    });
  });
}

async function wrapperModule(go: string): Promise<string> {
  const source = await goModuleFolder(go, `${MODULE}@v${KUBERNETES_VERSION}`);
  const theirs = await readFile(join(source, 'go.mod'), 'utf8');
  const published = KUBERNETES_VERSION.replace(/^1/, '0');
  const parts = [...theirs.matchAll(/^\t(k8s\.io\/\S+) v0\.0\.0$/gm)].map(([, name]) => name);
  return [
    'module flywheel.test/kubernetes',
    /^go .*$/m.exec(theirs)?.[0] ?? '',
    `require ${MODULE} v${KUBERNETES_VERSION}`,
    `require go.etcd.io/etcd/server/v3 v${ETCD_VERSION}`,
    ...parts.map((name) => `replace ${name} => ${name} v${published}`),
    '',
  ].join('\n');
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}
