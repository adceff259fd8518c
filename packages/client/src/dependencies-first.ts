/**
 * Puts keys in an order in which each comes after those it depends on. Where `dependenciesOf` goes
 * in a circle, as a path that refers to itself does, the circle is cut at its first member.
 * Depth first, without recursion: chains of tens of thousands are not unusual.
 */
export function dependenciesFirst<K>(
  roots: Iterable<K>,
  dependenciesOf: (key: K) => Iterable<K>,
): K[] {
  const order: K[] = [];
  const seen = new Set<K>();
  for (const root of roots) {
    if (seen.has(root)) continue;
    seen.add(root);
    const stack = [{ key: root, rest: dependenciesOf(root)[Symbol.iterator]() }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.rest.next();
      if (next.done === true) {
        order.push(top.key);
        stack.pop();
      } else if (!seen.has(next.value)) {
        seen.add(next.value);
        stack.push({ key: next.value, rest: dependenciesOf(next.value)[Symbol.iterator]() });
      }
    }
  }
  return order;
}
