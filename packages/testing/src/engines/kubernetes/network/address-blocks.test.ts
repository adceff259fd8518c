import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blocksWithout } from './address-blocks.ts';

test.each<[string, readonly string[], readonly string[]]>([
  ['10.0.0.0/8', [], ['10.0.0.0/8']],
  ['10.0.0.0/8', ['10.0.0.0/8'], []],
  ['10.0.0.0/8', ['0.0.0.0/0'], []],
  ['10.0.0.0/8', ['192.168.0.0/16'], ['10.0.0.0/8']],
  ['192.168.1.9/24', [], ['192.168.1.0/24']],
  ['192.168.0.0/30', ['192.168.0.2/32'], ['192.168.0.0/31', '192.168.0.3/32']],
  ['192.168.0.0/30', ['192.168.0.0/31', '192.168.0.3/32'], ['192.168.0.2/32']],
  ['255.255.255.255/32', [], ['255.255.255.255/32']],
])('%s without %j', (cidr, excepted, left) => {
  expect(blocksWithout(cidr, excepted)).toEqual(left);
});

test('every address is in one of the blocks or in an exception, and never in both', () => {
  const block = fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 24, max: 32 }))
    .map(([last, bits]) => `10.0.0.${last}/${bits}`);
  const holds = (cidr: string, last: number): boolean => {
    const [address = '', bits = ''] = cidr.split('/');
    const size = 2 ** (32 - Number(bits));
    const own = Number(address.split('.')[3]);
    return Math.floor(own / size) === Math.floor(last / size);
  };
  fc.assert(
    fc.property(block, fc.array(block, { maxLength: 4 }), (cidr, excepted) => {
      const left = blocksWithout(cidr, excepted);
      const all = Array.from({ length: 256 }, (_, last) => last);
      expect(all.map((last) => left.filter((each) => holds(each, last)).length)).toEqual(
        all.map((last) =>
          holds(cidr, last) && !excepted.some((each) => holds(each, last)) ? 1 : 0,
        ),
      );
    }),
  );
});
