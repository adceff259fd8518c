import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { outputOf } from '@flywheel/testing';
import type { RunResult, Tofu } from '@flywheel/testing';

export const NAMESPACE = 'attic';

export interface DeploymentSettings {
  readonly image: string;
  readonly minioImage: string;
  /** Where the database is. */
  readonly host: string;
  readonly databasePort: number;
}

/** What a stack does: the guardrails of a namespace, an object store and a cache in it. */
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
    minioImage   = string
    host         = string
    databasePort = number
  })
}

module "guardrails" {
  source         = "../namespace-guardrails"
  namespace      = "${NAMESPACE}"
  keep_namespace = false
}

module "minio" {
  source       = "../minio"
  namespace    = module.guardrails.namespace
  image        = var.settings.minioImage
  client_image = var.settings.minioImage
  root_secret  = { name = "minio-root" }
  storage      = { size = "1Gi" }
  resources    = { cpu_request = "50m", memory_request = "128Mi", memory_limit = "512Mi" }
  buckets      = { nix-cache = {} }
  consumers    = { cache = { buckets = ["nix-cache"], secret = "attic-s3" } }
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
    bucket             = "nix-cache"
    endpoint           = module.minio.endpoint
    path_style         = true
    credentials_secret = "attic-s3"
    port               = module.minio.port
    pod_labels         = module.minio.pod_labels
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

  /** What a plan would change: `nothing`, or what it says. */
  async plan(image = this.#settings.image): Promise<string> {
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
