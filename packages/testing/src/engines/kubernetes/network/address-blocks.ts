/** Addresses of IPv4 that share their first `bits`. */
interface Block {
  readonly first: number;
  readonly bits: number;
}

/** The blocks, in CIDR notation, that make up `cidr` without what is in `excepted`. IPv4 only. */
export function blocksWithout(cidr: string, excepted: readonly string[]): readonly string[] {
  let left = [parse(cidr)];
  for (const hole of excepted.map(parse)) left = left.flatMap((block) => subtract(block, hole));
  return left.map(format);
}

function subtract(block: Block, hole: Block): readonly Block[] {
  if (contains(hole, block)) return [];
  if (!contains(block, hole)) return [block];
  const bits = block.bits + 1;
  const half = 2 ** (32 - bits);
  const halves = [
    { first: block.first, bits },
    { first: block.first + half, bits },
  ];
  return halves.flatMap((each) => subtract(each, hole));
}

function contains(outer: Block, inner: Block): boolean {
  const size = 2 ** (32 - outer.bits);
  return outer.bits <= inner.bits && inner.first >= outer.first && inner.first < outer.first + size;
}

function parse(cidr: string): Block {
  const [address = '', length = '32'] = cidr.split('/');
  const value = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  const bits = Number(length);
  return { first: value - (value % 2 ** (32 - bits)), bits };
}

function format({ first, bits }: Block): string {
  const bytes = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return `${bytes.join('.')}/${bits}`;
}
