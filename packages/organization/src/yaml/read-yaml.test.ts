import { expect, test } from 'vitest';
import { loadOverLeast, mistakesIn } from '../test-organization.ts';

test.each([
  [
    'a key of JavaScript',
    `__proto__: { a: 1 }
cache: { __proto__: 2, constructor: 1 }
`,
    `o.yaml:1:1: no key can be called __proto__
    1 | __proto__: { a: 1 }
      | ^^^^^^^^^
o.yaml:2:10: no key can be called __proto__
    2 | cache: { __proto__: 2, constructor: 1 }
      |          ^^^^^^^^^`,
  ],
  [
    'such a key among free ones',
    `cache: { caches: { constructor: {} } }
runners: { docker: { environment: { __proto__: x, toString: "1" } } }
`,
    `o.yaml:2:37: no key can be called __proto__
    2 | runners: { docker: { environment: { __proto__: x, toString: "1" } } }
      |                                     ^^^^^^^^^`,
  ],
  [
    'a tab that indents',
    'cache:\n\tenabled: true\n',
    'o.yaml:2:1: a tab indents this line\n    2 | \tenabled: true\n      | ^\n        YAML is indented with spaces only.',
  ],
  [
    'a key that is there twice',
    `cache:
  enabled: true
  enabled: false
`,
    `o.yaml:3:3: this key is there twice
    3 |   enabled: false
      |   ^
        Keep one of the two.`,
  ],
  [
    'a second document',
    `a: 1
---
b: 2
`,
    `o.yaml:2:1: a second document begins here
    2 | ---
      | ^^^
        Remove the line "---".`,
  ],
  [
    'nothing',
    `# nothing
`,
    `o.yaml:1:1: the file is empty
    1 | # nothing
      | ^
        Begin with a copy of an example in config/.`,
  ],
  [
    'a list',
    `- a
`,
    `o.yaml:1:1: the file holds no keys
    1 | - a
      | ^`,
  ],
  [
    'a text',
    `hello
`,
    `o.yaml:1:1: the file holds no keys
    1 | hello
      | ^`,
  ],
  [
    'a bracket that is not closed',
    `cache: { enabled: true
runners: {}
`,
    `o.yaml:2:1: this line is indented like nothing above it, or a { or [ above is not closed
    2 | runners: {}
      | ^`,
  ],
  [
    'a quote that is not closed',
    `organization: { title: "acme }
`,
    `o.yaml:2:1: missing closing "quote
    2 | 
      | ^`,
  ],
  [
    'two colons in a line',
    `organization:
  title: a: b
`,
    `o.yaml:2:10: a key: value pair within another on the same line
    2 |   title: a: b
      |          ^
        Put text that contains ": " in quotes.`,
  ],
  [
    'a line that is indented like nothing above it',
    `cache:
  enabled: true
 replicas: {}
`,
    `o.yaml:3:1: this line is indented like nothing above it, or a { or [ above is not closed
    3 |  replicas: {}
      | ^`,
  ],
  [
    'an alias of nothing',
    `cache: *nothing
`,
    `o.yaml:1:8: no anchor before this alias is called &nothing
    1 | cache: *nothing
      |        ^^^^^^^^`,
  ],
  [
    'an alias of what it is in',
    `cache: &a { caches: *a }
`,
    `o.yaml:1:11: the file has more than 40 levels, counting what aliases stand for
    1 | cache: &a { caches: *a }
      |           ^^^^^^^^^^^^^^`,
  ],
  [
    'a merge key',
    `runners:
  docker: { <<: { tags: [a] } }
`,
    `o.yaml:2:13: merge keys (<<) are not supported
    2 |   docker: { <<: { tags: [a] } }
      |             ^^
        Write an alias for the whole value, or use the layers of this file.`,
  ],
  [
    'a tag',
    `organization: { title: !secret x }
`,
    `o.yaml:1:24: this tag is not supported
    1 | organization: { title: !secret x }
      |                        ^^^^^^^
        Remove the word that begins with "!".`,
  ],
  [
    'bytes',
    `organization: { title: !!binary aGk= }
`,
    `o.yaml:1:33: this is no text, number, true or false
    1 | organization: { title: !!binary aGk= }
      |                                 ^^^^`,
  ],
  [
    'a key that is no word',
    `? [a, b]
: c
`,
    `o.yaml:1:3: a key is a word, not a list or a map
    1 | ? [a, b]
      |   ^`,
  ],
  [
    'a bomb of aliases',
    `a: &a [x,x,x,x,x,x,x,x,x,x]
b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]
c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]
d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]
e: [*d,*d,*d]
`,
    `o.yaml:1:12: the file has more than 20000 values, counting what aliases stand for
    1 | a: &a [x,x,x,x,x,x,x,x,x,x]
      |            ^`,
  ],
  [
    'a private key beside a mistake',
    `secrets:
  gitlab: |
    -----BEGIN PRIVATE KEY-----
    MIIabc
    -----END PRIVATE KEY-----
x: {
`,
    `o.yaml:7:1: this line is indented like nothing above it, or a { or [ above is not closed
    7 | 
      | ^`,
  ],
  [
    'a tab before a value',
    'cache:\n  enabled:\ttruu\n',
    'o.yaml:2:12: cache.enabled is "truu", not true or false\n    2 |   enabled:\ttruu\n      |           \t^^^^',
  ],
  [
    'lines that end as in Windows',
    'cache:\r\n  replicas: { mix: 3 }\r\n',
    `o.yaml:2:15: there is no key "mix" in cache.replicas
    2 |   replicas: { mix: 3 }
      |               ^^^
        Did you mean "min"?
        Allowed: min, max, cpuPercent.`,
  ],
])('%s', (_, text, shown) => {
  expect(mistakesIn(text)).toBe(shown);
});

test('an alias stands for what its anchor is at', () => {
  const { issues, base } = loadOverLeast(`
organization: { title: &name acme }
cache: { caches: { a: &open { public: true }, b: *open } }
runners: { docker: { description: *name } }
`);

  expect(issues).toEqual([]);
  expect(base?.organization?.cache.caches['b']?.public).toBe(true);
  expect(base?.organization?.runners['docker']?.description).toBe('acme');
});

test('levels have a bound, also above what the parser can take', () => {
  const deep = (levels: number): unknown =>
    loadOverLeast(`cache: ${'['.repeat(levels)}${']'.repeat(levels)}`).issues[0]?.message;

  expect(deep(60)).toBe('the file has more than 40 levels, counting what aliases stand for');
  expect(deep(20_000)).toBe('the file nests too deeply');
});

test('so has the size of a file', () => {
  const { issues } = loadOverLeast('#'.repeat(1_000_001));

  expect(issues.map(({ message }) => message)).toEqual(['the file has more than 1 MB']);
});

test('of a long line, the part with the mistake is shown', () => {
  const shown = mistakesIn(`cache: { ${' '.repeat(500)}replica: 3${' '.repeat(500)} }`);

  expect(shown.split('\n').slice(0, 3)).toEqual([
    'o.yaml:1:510: there is no key "replica" in cache',
    `    1 | ${' '.repeat(60)}replica: 3${' '.repeat(50)}`,
    `      | ${' '.repeat(60)}^^^^^^^`,
  ]);
});
