import type { Socket } from 'node:net';

/** What went over the connections of a server, heads included. */
export interface Traffic {
  readonly connections: number;
  /** Connections closed at once because there were too many. */
  readonly dropped: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Reads the sockets' own counters when asked, so that a request costs nothing. */
export class TrafficMeter {
  readonly #sockets = new Set<Socket>();
  #dropped = 0;
  #received = 0;
  #sent = 0;

  add(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#received += socket.bytesRead;
      this.#sent += socket.bytesWritten;
    });
  }

  drop(): void {
    this.#dropped += 1;
  }

  read(): Traffic {
    let receivedBytes = this.#received;
    let sentBytes = this.#sent;
    for (const socket of this.#sockets) {
      receivedBytes += socket.bytesRead;
      sentBytes += socket.bytesWritten;
    }
    return { connections: this.#sockets.size, dropped: this.#dropped, receivedBytes, sentBytes };
  }
}
