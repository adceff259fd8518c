import { expect, test } from 'vitest';
import { readDeclarations } from './hcl-declarations.ts';

const FILE = `variable "storage" {
  description = "Where it is: \`a | b\`, \\"quoted\\"."
  type = object({
    size  = optional(string, "10Gi")
    class = optional(string)
  })
  default = {}

  validation {
    condition     = var.storage.size != ""
    error_message = "No."
  }
}

variable "name" {
  description = "A name."
  # Not of the description.
  type        = string
}

variable "quota" {
  description = "Bounds."
  type        = map(string)
  default = {
    "pods" = "100"
  }
}
`;

test('what variables declare', () => {
  expect(readDeclarations(FILE, 'variable')).toEqual([
    {
      name: 'storage',
      description: 'Where it is: `a | b`, "quoted".',
      type: 'object({\n  size  = optional(string, "10Gi")\n  class = optional(string)\n})',
      default: '{}',
    },
    { name: 'name', description: 'A name.', type: 'string', default: undefined },
    {
      name: 'quota',
      description: 'Bounds.',
      type: 'map(string)',
      default: '{\n  "pods" = "100"\n}',
    },
  ]);
  expect(readDeclarations(FILE, 'output')).toEqual([]);
});
