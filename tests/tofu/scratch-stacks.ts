import type { Workplace } from './flywheel-process.ts';

/** A value that OpenTofu knows to be secret, and that nobody may ever see. */
export const HIDDEN = 'hush-4711-do-not-show';

const BASE = `
terraform {
  backend "http" {}
}

variable "organization_file" {
  type = string
}

locals {
  organization = yamldecode(file(var.organization_file))
}

resource "terraform_data" "name" {
  input = local.organization.organization.name
}

resource "terraform_data" "secret" {
  input = sensitive("${HIDDEN}")
}

output "name" {
  value = terraform_data.name.output
}

output "secret" {
  value     = terraform_data.secret.output
  sensitive = true
}
`;

const APP = `
terraform {
  backend "http" {}
}

module "part" {
  source = "../../modules/part"
  size   = 1
}
`;

const PART = `
variable "size" {
  type = number
}

resource "terraform_data" "part" {
  input = { size = var.size }
}
`;

/** Two stacks that need no cluster: \`app\`, of a module, comes after \`base\`. */
export async function writeScratchStacks(workplace: Workplace): Promise<void> {
  await workplace.write('tofu/stacks/base/main.tf', BASE);
  await workplace.write('tofu/stacks/base/stack.yaml', 'description: What comes first\n');
  await workplace.write('tofu/stacks/app/main.tf', APP);
  await workplace.write(
    'tofu/stacks/app/stack.yaml',
    'description: What comes after\nafter: [base]\n',
  );
  await workplace.write('tofu/modules/part/main.tf', PART);
}
