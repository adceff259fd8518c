import { setTimeout as sleep } from 'node:timers/promises';
import { outputOf } from '@flywheel/testing';
import type { ControlPlane } from '@flywheel/testing';
import { makeCertificate } from './certificate.ts';

interface Certificate {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly secretName: string;
    readonly commonName?: string;
    readonly dnsNames?: readonly string[];
  };
}

/**
 * Stands in for cert-manager's controllers with an Issuer that is `selfSigned`: each Certificate gets
 * its Secret, once. Nothing is renewed.
 */
export function playCertificates(plane: ControlPlane): AsyncDisposable {
  const stop = new AbortController();
  const playing = play(plane, stop.signal);
  // Thrown when it is disposed of.
  playing.catch(() => {});
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await playing;
    },
  };
}

async function play(plane: ControlPlane, signal: AbortSignal): Promise<void> {
  const answered = new Set<string>();
  while (!signal.aborted) {
    const listed = await plane.kubectl(['get', 'certificates', '--all-namespaces', '-o', 'json']);
    // The definition may not be there yet.
    const text = listed.status === 0 ? listed.stdout : '{"items":[]}';
    const { items } = JSON.parse(text) as { readonly items: readonly Certificate[] };
    for (const certificate of items) {
      const key = `${certificate.metadata.namespace}/${certificate.metadata.name}`;
      if (answered.has(key)) continue;
      const secret = JSON.stringify(await secretOf(certificate));
      outputOf(await plane.kubectl(['apply', '-f', '-'], secret), `Secret of ${key}`);
      answered.add(key);
    }
    await sleep(1000);
  }
}

async function secretOf({ metadata, spec }: Certificate): Promise<object> {
  const { key, cert } = await makeCertificate(spec.commonName ?? metadata.name, spec.dnsNames);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: spec.secretName, namespace: metadata.namespace },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.key': key, 'tls.crt': cert, 'ca.crt': cert },
  };
}
