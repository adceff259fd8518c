/** Upper bounds in seconds: a narinfo from memory takes 30 µs, a large push minutes. */
export const DURATION_BOUNDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
] as const;

/** The requests to one route. */
export interface RouteFigures {
  readonly byStatus: Map<number, number>;
  /** How many took up to the bound of the same place in DURATION_BOUNDS, and not up to the one before. */
  readonly durations: number[];
  count: number;
  /** Sum of all durations. */
  seconds: number;
}

/** Counts requests by route and status, and how long they took. */
export class RequestFigures {
  readonly #routes = new Map<string, RouteFigures>();

  record(route: string, status: number, seconds: number): void {
    let figures = this.#routes.get(route);
    if (figures === undefined) this.#routes.set(route, (figures = emptyRoute()));
    figures.byStatus.set(status, (figures.byStatus.get(status) ?? 0) + 1);
    figures.count += 1;
    figures.seconds += seconds;
    let place = 0;
    while (place < DURATION_BOUNDS.length && seconds > (DURATION_BOUNDS[place] as number)) {
      place += 1;
    }
    // Those over the last bound are in `count` only.
    if (place < DURATION_BOUNDS.length) {
      figures.durations[place] = (figures.durations[place] as number) + 1;
    }
  }

  routes(): ReadonlyMap<string, Readonly<RouteFigures>> {
    return this.#routes;
  }
}

function emptyRoute(): RouteFigures {
  return { byStatus: new Map(), durations: DURATION_BOUNDS.map(() => 0), count: 0, seconds: 0 };
}
