/** `1 path`, `20 paths`. */
export function paths(count: number): string {
  return `${count} ${count === 1 ? 'path' : 'paths'}`;
}
