import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { outputOf } from '@flywheel/testing';
import type { RunResult, Tofu } from '@flywheel/testing';

export const NAMESPACE = 'attic';

export interface DeploymentSettings {
  readonly image: string;
  /** The address of this machine, and the ports of its database and its object store. */
  readonly host: string;
  readonly databasePort: number;
  readonly storagePort: number;
  readonly bucket: string;
}

/** What a stack does: the guardrails of a namespace, and a cache in it. */
const MAIN = `
terraform {
  required_providers {
    kubectl = {
      source  = "alekc/kubectl"
      version = "2.1.3"
    }
  }
}

provider "kubectl" {}

variable "settings" {
  type = object({
    image        = string
    host         = string
    databasePort = number
    storagePort  = number
    bucket       = string
  })
}

module "guardrails" {
  source         = "../namespace-guardrails"
  namespace      = "${NAMESPACE}"
  keep_namespace = false
}

module "cache" {
  source            = "../attic-cache"
  namespace         = module.guardrails.namespace
  image             = var.settings.image
  token_keys_secret = "attic-token-keys"
  replicas          = { min = 2, max = 2 }
  shutdown          = { drain = 5, grace = 30 }
  resources = {
    api    = { cpu_request = "50m", memory_request = "128Mi", memory_limit = "512Mi" }
    worker = { cpu_request = "50m", memory_request = "128Mi", memory_limit = "512Mi" }
  }
  database = {
    secret = "attic-database"
    port   = var.settings.databasePort
    cidrs  = ["\${var.settings.host}/32"]
  }
  storage = {
    bucket             = var.settings.bucket
    endpoint           = "http://\${var.settings.host}:\${var.settings.storagePort}"
    path_style         = true
    credentials_secret = "attic-s3"
    port               = var.settings.storagePort
    cidrs              = ["\${var.settings.host}/32"]
  }
}
`;

/** The modules together, as a stack has them, applied with the real tofu. */
export class Deployment {
  readonly #tofu: Tofu;
  readonly #settings: DeploymentSettings;

  private constructor(tofu: Tofu, settings: DeploymentSettings) {
    this.#tofu = tofu;
    this.#settings = settings;
  }

  static async make(tofu: Tofu, settings: DeploymentSettings): Promise<Deployment> {
    await mkdir(join(tofu.root, 'site'));
    await writeFile(join(tofu.root, 'site/main.tf'), MAIN);
    outputOf(await tofu.run('site', ['init', '-input=false']), 'tofu init');
    return new Deployment(tofu, settings);
  }

  async apply(image = this.#settings.image): Promise<void> {
    outputOf(await this.#run('apply', image), 'tofu apply');
  }

  /** What a plan would change: nothing, or what it says. */
  async plan(image = this.#settings.image): Promise<'nothing' | string> {
    const run = await this.#run('plan', image, ['-detailed-exitcode']);
    return run.status === 0 ? 'nothing' : run.stdout + run.stderr;
  }

  async destroy(image = this.#settings.image): Promise<void> {
    outputOf(await this.#run('destroy', image), 'tofu destroy');
  }

  #run(command: string, image: string, flags: readonly string[] = []): Promise<RunResult> {
    const settings = JSON.stringify({ ...this.#settings, image });
    const approve = command === 'plan' ? [] : ['-auto-approve'];
    return this.#tofu.run('site', [
      command,
      '-input=false',
      ...approve,
      ...flags,
      `-var=settings=${settings}`,
    ]);
  }
}
